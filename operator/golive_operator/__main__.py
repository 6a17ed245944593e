"""`python -m golive_operator`: waits for leadership, leads until it is lost, never works otherwise."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from importlib.metadata import version

from pythonjsonlogger.json import JsonFormatter

from golive_operator import paths
from golive_operator.carrying_out import CarryingOut
from golive_operator.cluster import Cluster
from golive_operator.gathering import Gatherer
from golive_operator.guarding import Guard
from golive_operator.leadership import Leadership
from golive_operator.metrics import Metrics
from golive_operator.probing import Prober
from golive_operator.server import Health, serve
from golive_operator.settings import Settings, parse
from golive_operator.watching import Watches, watch
from golive_operator.workers import Reconciler, Workers, resync

log = logging.getLogger("golive_operator")


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


async def lead(
    settings: Settings, cluster: Cluster, health: Health, metrics: Metrics, stop: asyncio.Event
) -> None:
    """Do the operator's work until stopped or until leadership is lost; a loss ends the process at once."""
    log.info("standing by", extra={"pod": settings.pod, "lease": settings.lease})
    epoch = await health.leadership.acquire()
    log.info("leading", extra={"epoch": epoch, "pod": settings.pod})
    metrics.leader.set(1)
    metrics.epoch.set(epoch)
    prober = Prober()
    gatherer = Gatherer(cluster, Guard(cluster), prober, settings.minimum_approvals)
    reconciler = Reconciler(
        gatherer, CarryingOut(cluster, settings.pod), metrics, epoch, settings.resync_seconds
    )
    health.workers = workers = Workers(reconciler, metrics)
    term = asyncio.create_task(health.leadership.keep(), name="leadership")
    tasks = (
        term,
        asyncio.create_task(
            resync(cluster, workers, settings.watch_namespaces, 2 * settings.resync_seconds), name="resync"
        ),
        asyncio.create_task(watch(Watches(workers, metrics), settings.watch_namespaces, stop), name="watches"),
        asyncio.create_task(stop.wait(), name="stop"),
    )
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        # Another leader may be at work from here on: not one more write, not even a tidy one.
        log.critical("work ended", extra={"tasks": sorted(task.get_name() for task in done)})
        logging.shutdown()
        os._exit(1)
    await workers.stop()
    term.cancel()  # else it would take back the Lease that is given up next
    await asyncio.gather(term, return_exceptions=True)
    await health.leadership.release()
    await prober.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
