"""`python -m golive_dev.node`: run one process node until SIGTERM, SIGINT, or its parent's death."""

import argparse
import asyncio
import ctypes
import dataclasses
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from golive_dev.linux import PR_SET_PDEATHSIG
from golive_dev.node.node import run_node
from golive_dev.node.settings import NodeSettings

_CONVERTERS: dict[object, Callable[[str], object]] = {Path: Path, float: float}
"""How a setting is read from a word, by its type; others stay text."""


def parse_settings(arguments: Sequence[str] | None = None) -> NodeSettings:
    """Settings from the command line: one option for each field."""
    parser = argparse.ArgumentParser(prog="golive_dev.node", description=__doc__)
    for field in dataclasses.fields(NodeSettings):
        required = field.default is dataclasses.MISSING
        kind = _CONVERTERS.get(field.type, str)
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            required=required,
            default=None if required else field.default,
        )
    return NodeSettings(**vars(parser.parse_args(arguments)))


async def _run_until_signalled(settings: NodeSettings) -> None:
    """Turn a signal into a cancellation, so that pods are stopped on the way out."""
    running = asyncio.create_task(run_node(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


def main() -> None:
    """Run the node."""
    # Politer than the SIGKILL that the node's own children get: pods have to be stopped first.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_run_until_signalled(parse_settings()))


if __name__ == "__main__":
    main()
