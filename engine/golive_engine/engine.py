"""One engine: everything put together, started, and stopped in an order that leaves nothing half done."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Mapping

from aiohttp import web

from golive_api.acknowledgement import Acknowledgement, lease_name
from golive_api.engine_report import MOST_STOPS, EmergencyStopState, EngineReport, GateReport
from golive_api.golive import GateState
from golive_api.preflight_report import EnginePreflight
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine import killing
from golive_engine.account import Permissions
from golive_engine.applied_stops import AppliedStop, AppliedStops
from golive_engine.assembly import REDIS_PASSWORD, Workshop, credentials, limits_of, open_alerts
from golive_engine.cache import open_cache
from golive_engine.callers import Callers
from golive_engine.clock import Clock, moment
from golive_engine.cluster import Cluster, Watched
from golive_engine.cycle import Cycle
from golive_engine.error_log import ErrorLog
from golive_engine.gate import Addressee, Gate
from golive_engine.gate_watch import GateWatch
from golive_engine.jobs import EXECUTION_REBALANCE, LIQUIDITY_REFRESH, Job, Jobs
from golive_engine.journal import EVERY_ACCOUNT, Journal, JournalError
from golive_engine.leadership import Leadership
from golive_engine.metrics import Metrics
from golive_engine.preflight.run import Preflight, Surroundings
from golive_engine.risk import Trigger
from golive_engine.safety import Safety
from golive_engine.sentiment import open_sentiment
from golive_engine.server import Answers, serve
from golive_engine.settings import AccountSettings, Identity, JobSettings, Loaded
from golive_engine.showing import report, show
from golive_engine.skips import Skips
from golive_engine.stress_runs import SCENARIOS, StressRuns
from golive_engine.trader import Shared
from golive_engine.watching import Watch

APPLIED_STOP = "emergency-stop"
"""Kind of state change in the journal: an EmergencyStop was applied or released."""

JOB_SECONDS = 60.0
"""How long a job's run may take."""

STOP_SECONDS = 5.0
"""How long a stop waits for the turn in progress: an order on the wire gets its answer."""

_log = logging.getLogger(__name__)


class Engine:
    """Trades, and obeys the gate.

    Args:
        loaded: Settings and their digest.
        identity: Who this process is.
        clock: Both clocks.
        environment: Where the accounts' keys and secrets are.
    """

    def __init__(
        self, loaded: Loaded, identity: Identity, clock: Clock, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._settings = settings = loaded.settings
        self._digest = loaded.digest
        self._identity = identity
        self._clock = clock
        self._started = clock.wall()
        self._keys = credentials(settings, environment)
        self._gate = Gate(
            Addressee(identity.pod_namespace, settings.golive, settings.engine, settings.environment), clock
        )
        environments: dict[str, str] = {account.name: account.environment for account in settings.accounts}
        venues = {account.name: [seat.venue for seat in account.venues] for account in settings.accounts}
        self._metrics = metrics = Metrics(environments, venues, settings.symbols, SCENARIOS)
        self._alerts = open_alerts(settings.alerts, environment, clock, metrics.alert)
        self._cache = open_cache(
            settings.cache,
            f"{identity.pod_namespace}:{settings.engine}",
            clock,
            metrics.cache,
            environment.get(REDIS_PASSWORD),
        )
        self._sentiment = open_sentiment(settings.sentiment, self._cache, clock)
        self._journal = Journal(settings.journal.url, settings.engine)
        self._safety = Safety(environments, self._journal, clock, metrics.trigger, self._alerts.send)
        self._stopped = 0.0
        self._stops = AppliedStops(
            settings.engine, clock.monotonic, self._on_stop, self._on_release, watched=identity.in_cluster
        )
        self._leadership: Leadership | None = None
        self._cycle = Cycle(
            settings.interval_seconds, self.leading, self._safety, metrics, clock, self._look_for_kill
        )
        self._errors = ErrorLog(self._journal, clock, identity.pod_name)
        self._callers = Callers(None, identity.pod_namespace, settings.golive, clock)
        self._preflight = Preflight(self._surroundings())
        self._jobs = Jobs(self._jobs_of(settings.jobs), self.leading, clock, metrics.job)
        self._stress = StressRuns(settings.stress, self._journal, clock, metrics.stress, loaded.path)
        self._stop = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()

    def _surroundings(self) -> Surroundings:
        """What preflight looks at."""
        return Surroundings(
            self._settings,
            self._identity.pod_name,
            self._clock,
            lambda: [trader.account for trader in self._cycle.traders],
            self._journal,
            self._cache,
            self._gate,
            self._errors,
        )

    def leading(self) -> bool:
        """Whether this pod may send orders: it holds the Lease, or there is no cluster to have one."""
        if self._stop.is_set():
            return False
        return self._leadership.holds if self._leadership is not None else not self._identity.in_cluster

    def _ready(self) -> bool:
        """Whether this pod does its part: trades, or has seen that another one does."""
        standby = self._leadership is not None and self._leadership.stands_by
        return self._cycle.armed if self.leading() else standby

    async def run(self) -> None:
        """Trade until told to stop; raises OSError if the HTTP port is taken."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGUSR1, self._stop_by_hand)
        loop.add_signal_handler(signal.SIGUSR2, self._kill_by_hand)
        logging.getLogger().addHandler(self._errors)
        runner = await self._serve()
        workshop = Workshop(
            self._settings,
            self._keys,
            Shared(
                self._journal,
                self._safety,
                self._metrics,
                Skips(self._journal, self._clock),
                self._sentiment,
                self._clock,
                self._alerts.send,
                self._cycle.beat,
            ),
            self._cache,
            self._permissions,
        )
        self._cycle.traders = [workshop.trader(account) for account in self._settings.accounts]
        try:
            await self._work()
        except Exception as problem:
            self._errors.count(f"engine failed: {type(problem).__name__}")
            raise
        finally:
            await self._close(runner)

    async def _work(self) -> None:
        """Run every activity until told to stop, or until one of them ends, which none should."""
        cluster = await self._join_cluster() if self._identity.in_cluster else None
        activities = [self._cycle.run(), self._cycle.settle_for_ever(), self._jobs.run(), self._stress.run()]
        activities.append(self._errors.run())
        if cluster is not None and self._leadership is not None:
            idle = self._settings.staleness.watch_idle_seconds
            watch = GateWatch(cluster, self._settings.golive, self._gate, self._on_gate, idle)
            stops = Watch(cluster, Watched("emergencystops"), self._stops, idle)
            activities += [watch.run(), stops.run(), self._leadership.run()]
        tasks = [asyncio.create_task(activity) for activity in activities]
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        self._cycle.stop()
        await asyncio.wait(tasks[:1], timeout=STOP_SECONDS)
        for task in (*tasks, stopped):
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)
        if cluster is not None:
            await self._leave_cluster(cluster)
        for task in done - {stopped}:
            task.result()

    async def _join_cluster(self) -> Cluster:
        """Sign in at the API server; from here on only the Lease lets this pod trade."""
        cluster = await Cluster.connect(self._identity.pod_namespace, self._identity.kubeconfig)
        self._callers = Callers(cluster, self._identity.pod_namespace, self._settings.golive, self._clock)
        self._leadership = Leadership(
            cluster,
            lease_name(self._settings.engine),
            self._identity.pod_name,
            self._clock,
            lambda: self._word().annotations(),
            self._on_leadership,
        )
        return cluster

    async def _leave_cluster(self, cluster: Cluster) -> None:
        """Give the Lease back, saying on it that nothing is traded here any more."""
        if self._leadership is not None:
            now = render_time(moment(self._clock.wall()))
            last_word = {"state": GateState.CLOSED, "reason": Reason.STANDBY, "acknowledged_time": now}
            await self._leadership.release(self._gate.obeyed().model_copy(update=last_word).annotations())
        await cluster.close()

    async def _serve(self) -> web.AppRunner:
        """Start the HTTP server."""
        answers = Answers(
            live=lambda: self._cycle.alive,
            ready=self._ready,
            metrics=self._metrics_text,
            report=self.report,
            preflight=self._do_preflight,
        )
        http = self._settings.http
        runner, port = await serve(answers, http.host or self._identity.pod_ip, http.port)
        _log.info("listening", extra={"host": http.host or self._identity.pod_ip, "port": port})
        return runner

    async def _do_preflight(self, authorization: str) -> EnginePreflight:
        """Findings, for who may ask; raises CallerError."""
        await self._callers.admit(authorization)
        return await self._preflight.run()

    async def _close(self, runner: web.AppRunner) -> None:
        """Let go of everything, network first."""
        await self._preflight.close()
        await asyncio.gather(*self._background, return_exceptions=True)
        for trader in self._cycle.traders:
            for seat in trader.account.seats:
                await seat.market.close()
        await self._sentiment.close()
        await self._cache.close()
        await self._alerts.close(STOP_SECONDS)
        await runner.cleanup()
        logging.getLogger().removeHandler(self._errors)
        await asyncio.to_thread(self._errors.keep)
        self._journal.close()
        _log.info("stopped")

    def _permissions(self, account: AccountSettings) -> Permissions:
        """What the engine as a whole says about an account."""
        return Permissions(
            gate=lambda: self._permission(account),
            leading=self.leading,
            limits=lambda: limits_of(account, self._settings, self._gate),
            stop_applied=lambda: self._stops.applied(account.environment),
        )

    def _permission(self, account: AccountSettings) -> Reason:
        """The gate's word; testnet accounts have none, their money is play money."""
        if account.environment == "testnet":
            return Reason.GATE_OPEN
        return self._gate.ask(account.name)

    def _jobs_of(self, settings: JobSettings) -> list[Job]:
        """What is done beside the cycle."""
        return [
            Job(EXECUTION_REBALANCE, settings.execution_rebalance_seconds, JOB_SECONDS, self._rebalance),
            Job(LIQUIDITY_REFRESH, settings.liquidity_refresh_seconds, JOB_SECONDS, self._look_deep),
        ]

    async def _rebalance(self) -> None:
        """Job execution-rebalance."""
        for trader in self._cycle.traders:
            await trader.rebalance()

    async def _look_deep(self) -> None:
        """Job liquidity-refresh."""
        await asyncio.gather(*(trader.look_deep() for trader in self._cycle.traders))

    def _word(self) -> Acknowledgement:
        """What this pod says that it obeys: an applied stop outweighs the gate."""
        obeyed = self._gate.obeyed()
        if not self._stops.holding:
            return obeyed
        stopped = {
            "state": GateState.CLOSED,
            "reason": Reason.EMERGENCY_STOP_APPLIED,
            "acknowledged_time": render_time(moment(self._stopped)),
        }
        return obeyed.model_copy(update=stopped)

    def _on_gate(self, obeyed: Acknowledgement) -> None:
        """The gate as it is obeyed has changed: acknowledge, show, write down, act."""
        self._metrics.gate(obeyed.state)
        if self._leadership is not None:
            self._leadership.acknowledge()
        self._cycle.wake()
        told = {"reason": obeyed.reason, "serial": obeyed.serial, "decided": self._gate.decided}
        _log.warning("gate %s", obeyed.state, extra=told)
        change = obeyed.model_dump(include={"state", "reason", "uid", "epoch", "serial"})
        self._later(asyncio.to_thread(self._journal.add_gate_change, change, self._clock.wall()))

    def _on_stop(self, stop: AppliedStop) -> None:
        """A person has applied an EmergencyStop: it holds already; count, tell, write down, act."""
        if len(self._stops.holding) == 1:
            self._stopped = self._clock.wall()
        self._metrics.trigger(Trigger.APPLIED)
        self._alerts.send(f"emergency stop: {Trigger.APPLIED} ({stop.name})", stop.reason)
        _log.critical(
            "emergency stop", extra={"trigger": Trigger.APPLIED, "stop": stop.name, "why": stop.reason}
        )
        self._note_stop(stop, "applied")

    def _on_release(self, stop: AppliedStop) -> None:
        """A person has released one."""
        _log.warning("emergency stop released", extra={"stop": stop.name})
        self._note_stop(stop, "released")

    def _note_stop(self, stop: AppliedStop, value: str) -> None:
        """Write a change of what is stopped down, and look at every order anew."""
        self._cycle.wake()
        if self._leadership is not None:
            self._leadership.acknowledge()
        details = {"reason": stop.reason, "uid": stop.uid}
        now = self._clock.wall()
        self._later(
            asyncio.to_thread(self._journal.add_state_change, APPLIED_STOP, stop.name, value, details, now)
        )

    def _on_leadership(self, leads: bool) -> None:  # noqa: FBT001  # a fact, not a switch
        """The Lease changed hands."""
        self._metrics.leading.set(leads)
        self._cycle.wake()
        _log.warning("leading" if leads else "standing by")
        change: tuple[str, str, str, dict[str, str], float] = (
            "leadership",
            self._identity.pod_name,
            "leading" if leads else "standby",
            {},
            self._clock.wall(),
        )
        self._later(asyncio.to_thread(self._journal.add_state_change, *change))

    def _stop_by_hand(self) -> None:
        """A person asked for the emergency stop."""
        self._later(self._safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "SIGUSR1"))

    def _kill_by_hand(self) -> None:
        """A person asked for the kill protocol, positions left as they are; it needs no journal."""
        self._later(self._kill("SIGUSR2", flatten=False))

    async def _look_for_kill(self) -> None:
        """Carry out what a person has asked for since this pod started."""
        try:
            request = await asyncio.to_thread(killing.pending, self._journal, self._started)
            if request is not None:
                await asyncio.to_thread(killing.take, self._journal, self._clock, self._identity.pod_name)
                self._later(self._kill(request.details["by"], flatten=request.value == killing.FLATTEN))
        except JournalError as error:
            _log.error("journal failed: %s", error)

    async def _kill(self, name: str, *, flatten: bool) -> None:
        """Stop every account, then carry the kill protocol out, whatever becomes of the journal."""
        try:
            await self._safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, f"killed by {name}")
        except JournalError as error:
            _log.error("journal failed: %s", error)  # it holds all the same
        report = await killing.carry_out(self._cycle.traders, self._journal, self._clock, flatten=flatten)
        verdict = "done" if report.is_done else "NOT DONE"
        self._alerts.send(
            f"kill by {name} ended: {verdict} ({moment(self._clock.wall()):%H:%M:%S})", report.text()
        )

    def _later(self, work: Awaitable[object]) -> None:
        """Do something in the background; a failing journal is logged, nothing waits for it."""

        async def guarded() -> None:
            try:
                await work
            except JournalError as error:
                _log.error("journal failed: %s", error)

        task = asyncio.create_task(guarded())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def _everything_stopped(self) -> bool:
        """Whether a stop of either kind holds every account."""
        return self._safety.emergency or bool(self._stops.holding)

    def _metrics_text(self) -> bytes:
        """Every series as of now."""
        self._metrics.risk(self._safety.global_risk)
        self._metrics.emergency_stop.set(self._everything_stopped)
        for trader in self._cycle.traders:
            show(trader.account, self._metrics)
        return self._metrics.text()

    async def report(self) -> EngineReport:
        """The engine's own account of itself."""
        accounts = [await report(trader.account, self._journal) for trader in self._cycle.traders]
        obeyed = self._gate.obeyed()
        return EngineReport(
            version="v1alpha1",
            engine=self._settings.engine,
            pod=self._identity.pod_name,
            time=render_time(moment(self._clock.wall())),
            leading=self.leading(),
            live=self._cycle.alive,
            ready=self._ready(),
            mode=self._settings.mode.value,
            armed=self._cycle.armed,
            config_digests=[self._digest],
            risk_state=self._safety.global_risk,
            risk_reasons=self._safety.reasons,
            emergency_stop=EmergencyStopState.ACTIVE
            if self._everything_stopped
            else EmergencyStopState.INACTIVE,
            emergency_stops=[stop.name for stop in self._stops.holding][:MOST_STOPS],
            testnet_trades=sum(a.filled_orders for a in accounts if a.environment == "testnet"),
            failovers=sum(trader.account.failovers for trader in self._cycle.traders),
            jobs=self._jobs.reports(),
            stress=await self._stress.reports(),
            cycles=self._cycle.count,
            gate=GateReport(state=obeyed.state, reason=obeyed.reason, epoch=obeyed.epoch, serial=obeyed.serial),
            accounts=accounts,
        )
