"""`python -m golive_operator`: waits for leadership, leads until it is lost, never works otherwise."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from importlib.metadata import version

import uvloop
from pythonjsonlogger.json import JsonFormatter

from golive_operator import paths
from golive_operator.cluster import Cluster
from golive_operator.leadership import Leadership
from golive_operator.leading import lead
from golive_operator.metrics import Metrics
from golive_operator.server import Health, serve
from golive_operator.settings import Settings, parse

COLLECT_EVERY = (20_000, 10, 10)
"""Python's own is (700, 10, 10): with a thousand objects, two thirds of reading JSON was collecting."""


def configure_logging(level: str) -> None:
    """One JSON object per line on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)


async def highest_epoch(cluster: Cluster, namespaces: tuple[str, ...]) -> int:
    """The highest epoch in any status: a Lease that was deleted must not make a new leader look stale."""
    epochs = [
        int((golive.get("status") or {}).get("gate", {}).get("epoch") or 0)
        for namespace in namespaces or ("",)
        for golive in await cluster.list(paths.golives(namespace))
    ]
    return max(epochs, default=0)


async def run(settings: Settings) -> None:
    """Serve health, wait for leadership, lead, hand over on SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics()
    metrics.build.labels(version("golive")).set(1)
    async with Cluster() as cluster:
        leadership = Leadership(
            cluster,
            settings.namespace,
            settings.lease,
            settings.pod,
            lambda: highest_epoch(cluster, settings.watch_namespaces),
        )
        health = Health(leadership)
        runner = await serve(settings.host, settings.port, health, metrics)
        leading = asyncio.create_task(lead(settings, cluster, health, metrics, stop))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((leading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not leading.done() and health.workers is None:
            leading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leading
        stopping.cancel()
        await runner.cleanup()


def main() -> int:
    """Entry point."""
    settings = parse(sys.argv[1:])
    configure_logging(settings.log_level)
    gc.freeze()  # what was imported stays
    gc.set_threshold(*COLLECT_EVERY)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
