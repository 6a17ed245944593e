"""One term of leadership: everything that works while it lasts, put together and taken apart in order."""

import asyncio
import logging
import os

from golive_operator.carrying_out import CarryingOut
from golive_operator.chronicle import Chronicle
from golive_operator.cluster import Cluster
from golive_operator.gathering import Gatherer
from golive_operator.guarding import Guard
from golive_operator.metrics import Metrics
from golive_operator.notices import Notices
from golive_operator.outside import Outside
from golive_operator.own_writes import Echoes, Gates
from golive_operator.preflight_runs import PreflightRunner, Runs
from golive_operator.probing import Prober
from golive_operator.recording import Recorder
from golive_operator.retention import Retention
from golive_operator.server import Health
from golive_operator.settings import Settings
from golive_operator.tokens import secret_reader
from golive_operator.watching import Watches, watch
from golive_operator.workers import Reconciler, Workers, resync

HANDOVER_SECONDS = 2.0
"""How long records, and later notices, may take to end when leadership is given up."""

log = logging.getLogger(__name__)


class Term:
    """What works during one term."""

    def __init__(self, settings: Settings, cluster: Cluster, metrics: Metrics, epoch: int) -> None:
        self._settings, self._cluster, self._metrics = settings, cluster, metrics
        self._prober, self._outside, self._echoes = Prober(), Outside(), Echoes()
        runner = PreflightRunner(self._prober, self._outside, secret_reader(cluster, settings.namespace))
        self._runs = Runs(runner)
        self._notices = Notices(settings.notices_file, metrics)
        retention = Retention(settings.records_keep, settings.records_days)
        chronicle = Chronicle(cluster, metrics, self._notices.tell, retention, self._echoes)
        self._recorder = Recorder(chronicle, retention, metrics)
        gates = Gates()
        reconciler = Reconciler(
            Gatherer(cluster, Guard(cluster), self._prober, self._runs, gates),
            CarryingOut(cluster, settings.pod, self._echoes, gates),
            self._runs,
            self._recorder,
            metrics,
            epoch,
            settings.resync_seconds,
        )
        self.workers = Workers(reconciler, metrics)

    async def prepare(self) -> None:
        """Load what is slow to load, before anything is decided."""
        await self._notices.prepare()

    def start(self, stop: asyncio.Event) -> list[asyncio.Task[None]]:
        """Begin to watch and to look; none of these ends by itself."""
        namespaces, period = self._settings.watch_namespaces, 2 * self._settings.resync_seconds
        watches = Watches(self.workers, self._metrics, self._echoes)
        return [
            asyncio.create_task(
                resync(self._cluster, self.workers, self._echoes, namespaces, period), name="resync"
            ),
            asyncio.create_task(watch(watches, namespaces, stop), name="watches"),
            asyncio.create_task(watches.follow(self._cluster, namespaces), name="lean watches"),
        ]

    async def end_writing(self) -> None:
        """From here on nothing is written: another may lead."""
        await self.workers.stop()
        await self._recorder.close(HANDOVER_SECONDS)

    async def close(self) -> None:
        """Let go of everything else."""
        await self._notices.close(HANDOVER_SECONDS)
        await self._runs.close()
        await self._outside.close()
        await self._prober.close()


async def lead(
    settings: Settings, cluster: Cluster, health: Health, metrics: Metrics, stop: asyncio.Event
) -> None:
    """Do the operator's work until stopped or until leadership is lost; a loss ends the process at once."""
    log.info("standing by", extra={"pod": settings.pod, "lease": settings.lease})
    epoch = await health.leadership.acquire()
    log.info("leading", extra={"epoch": epoch, "pod": settings.pod})
    metrics.leader.set(1)
    metrics.epoch.set(epoch)
    term = Term(settings, cluster.fenced(lambda: health.leadership.holds), metrics, epoch)
    health.workers = term.workers
    keeping = asyncio.create_task(health.leadership.keep(), name="leadership")
    await term.prepare()
    tasks = [keeping, *term.start(stop), asyncio.create_task(_until(stop), name="stop")]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        # Another leader may be at work from here on: not one more write, not even a tidy one.
        log.critical("work ended", extra={"tasks": sorted(task.get_name() for task in done)})
        logging.shutdown()
        os._exit(1)
    await term.end_writing()
    keeping.cancel()  # else it would take back the Lease that is given up next
    await asyncio.gather(keeping, return_exceptions=True)
    await health.leadership.release()
    await term.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
