"""Command line: `build` the programs, or bring a control plane `up` until Ctrl-C."""

import argparse
import signal
import sys
from collections.abc import Sequence

from golive_dev.binaries import BuildError, find_binaries
from golive_dev.control_plane import ControlPlane, StartError
from golive_dev.progress import to_stream
from golive_dev.recipes import RECIPES
from golive_dev.toolchain import ToolchainError

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended."""

ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
"""What ends `up`."""


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m golive_dev", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="find or build every program, and print where it is")
    up = verbs.add_parser("up", help="start a control plane with a node; Ctrl-C removes all of it")
    up.add_argument("--no-node", action="store_true", help="without the process node, so no pod runs")
    return parser


def build() -> None:
    """Find or build every program and print its path."""
    for path in find_binaries(list(RECIPES), progress=to_stream()).values():
        sys.stdout.write(f"{path}\n")


def up(*, with_node: bool) -> None:
    """Run a control plane until SIGINT or SIGTERM."""
    with ControlPlane(progress=to_stream()) as plane:
        if with_node:
            from golive_dev.node import start_node  # noqa: PLC0415 - `build` has to work without it

            start_node(plane)
        # Blocked only now: the servers would inherit it. A second Ctrl-C does not disturb stopping.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
        folder = plane.binary("kubectl").parent
        sys.stdout.write(f"export KUBECONFIG={plane.admin}\nexport PATH={folder}:$PATH\n")
        sys.stdout.flush()
        signal.sigwait(ENDING_SIGNALS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "build":
            build()
        else:
            up(with_node=not options.no_node)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BuildError, StartError, ToolchainError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
