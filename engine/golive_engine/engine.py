"""One engine: everything put together, started, and stopped in an order that leaves nothing half done."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Mapping

from aiohttp import web

from golive_api.acknowledgement import Acknowledgement, lease_name
from golive_api.engine_report import AccountReport, EmergencyStopState, EngineReport, GateReport
from golive_api.golive import GateState
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine.clock import Clock, moment
from golive_engine.cluster import Cluster
from golive_engine.cycle import Cycle
from golive_engine.desk import OrderDesk
from golive_engine.gate import Addressee, Gate
from golive_engine.gate_watch import GateWatch
from golive_engine.journal import EVERY_ACCOUNT, Journal, JournalError
from golive_engine.leadership import Leadership
from golive_engine.metrics import Metrics
from golive_engine.orders import Order
from golive_engine.risk import Trigger
from golive_engine.safety import Safety
from golive_engine.server import Answers, serve
from golive_engine.settings import AccountSettings, Identity, Loaded, SettingsError
from golive_engine.skips import Skips
from golive_engine.trader import Permissions, Shared, Trader
from golive_engine.venue import BinanceUsdm

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
        self._keys = {account.name: _keys(account, environment) for account in settings.accounts}
        self._environments: dict[str, str] = {
            account.name: account.environment for account in settings.accounts
        }
        self._gate = Gate(
            Addressee(identity.pod_namespace, settings.golive, settings.engine, settings.environment), clock
        )
        self._journal = Journal(settings.journal.url)
        self._metrics = Metrics(self._environments)
        self._safety = Safety(self._environments, self._journal, clock, self._metrics.trigger)
        self._leadership: Leadership | None = None
        self._cycle = Cycle(settings.interval_seconds, self.leading, self._safety, self._metrics, clock)
        self._stop = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()

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
        runner = await self._serve()
        shared = Shared(
            self._settings,
            self._journal,
            self._safety,
            self._metrics,
            Skips(self._journal, self._clock),
            self._clock,
        )
        self._cycle.traders = [self._trader(account, shared) for account in self._settings.accounts]
        try:
            await self._work()
        finally:
            await self._close(runner)

    async def _work(self) -> None:
        """Run every activity until told to stop, or until one of them ends, which none should."""
        cluster = await self._join_cluster() if self._identity.in_cluster else None
        activities = [self._cycle.run(), self._cycle.settle_for_ever()]
        if cluster is not None and self._leadership is not None:
            idle = self._settings.staleness.watch_idle_seconds
            watch = GateWatch(cluster, self._settings.golive, self._gate, self._on_gate, idle)
            activities += [watch.run(), self._leadership.run()]
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
        self._leadership = Leadership(
            cluster,
            lease_name(self._settings.engine),
            self._identity.pod_name,
            self._clock,
            lambda: self._gate.obeyed().annotations(),
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
            metrics=self._metrics.text,
            report=self.report,
        )
        http = self._settings.http
        runner, port = await serve(answers, http.host or self._identity.pod_ip, http.port)
        _log.info("listening", extra={"host": http.host or self._identity.pod_ip, "port": port})
        return runner

    async def _close(self, runner: web.AppRunner) -> None:
        """Let go of everything, network first."""
        await asyncio.gather(*self._background, return_exceptions=True)
        for trader in self._cycle.traders:
            await trader.venue.close()
        await runner.cleanup()
        self._journal.close()
        _log.info("stopped")

    def _trader(self, account: AccountSettings, shared: Shared) -> Trader:
        """One account's trader."""
        venue = BinanceUsdm(account, *self._keys[account.name], self._settings.venue)
        permissions = Permissions(
            gate=lambda: self._permission(account),
            leading=self.leading,
            limits=lambda: self._limits(account),
        )
        desk = OrderDesk(
            account.name,
            self._settings.engine,
            venue,
            self._journal,
            self._clock,
            lambda intent: trader.last_look(intent),  # noqa: PLW0108  # trader does not exist yet
            self._settings.venue.settle_seconds,
            self._on_order,
        )
        trader = Trader(account, venue, desk, permissions, shared, self._cycle.beat)
        return trader

    def _permission(self, account: AccountSettings) -> Reason:
        """The gate's word; testnet accounts have none, their money is play money."""
        if account.environment == "testnet":
            return Reason.GATE_OPEN
        return self._gate.ask(account.name)

    def _limits(self, account: AccountSettings) -> Limits | None:
        """Own limits, the gate's, or the stricter of both: real money never has only its own."""
        if account.environment == "testnet":
            return account.limits
        ours, theirs = account.limits, self._gate.limits
        return theirs.stricter(ours) if theirs is not None and ours is not None else theirs

    def _on_gate(self, obeyed: Acknowledgement) -> None:
        """The gate as it is obeyed has changed: acknowledge, show, write down, act."""
        self._metrics.gate(obeyed.state)
        if self._leadership is not None:
            self._leadership.acknowledge()
        self._cycle.wake()
        _log.warning("gate %s", obeyed.state, extra={"reason": obeyed.reason, "serial": obeyed.serial})
        change = obeyed.model_dump(include={"state", "reason", "uid", "epoch", "serial"})
        self._later(asyncio.to_thread(self._journal.add_gate_change, change, self._clock.wall()))

    def _on_leadership(self, leads: bool) -> None:  # noqa: FBT001  # a fact, not a switch
        """The Lease changed hands."""
        self._metrics.leading.set(leads)
        self._cycle.wake()
        _log.warning("leading" if leads else "standing by")

    def _on_order(self, order: Order) -> None:
        """An order has a new state."""
        self._metrics.order(order.account, order.state)

    def _stop_by_hand(self) -> None:
        """A person asked for the emergency stop."""
        self._later(self._safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "SIGUSR1"))

    def _later(self, work: Awaitable[None]) -> None:
        """Do something in the background; a failing journal is logged, nothing waits for it."""

        async def guarded() -> None:
            try:
                await work
            except JournalError as error:
                _log.error("journal failed: %s", error)

        task = asyncio.create_task(guarded())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def report(self) -> EngineReport:
        """The engine's own account of itself."""
        accounts = [await self._account_report(trader) for trader in self._cycle.traders]
        obeyed = self._gate.obeyed()
        return EngineReport(
            version="v1alpha1",
            engine=self._settings.engine,
            pod=self._identity.pod_name,
            time=render_time(moment(self._clock.wall())),
            leading=self.leading(),
            armed=self._cycle.armed,
            config_digests=[self._digest],
            risk_state=self._safety.global_risk,
            risk_reasons=self._safety.reasons,
            emergency_stop=EmergencyStopState.ACTIVE if self._safety.emergency else EmergencyStopState.INACTIVE,
            testnet_trades=sum(a.filled_orders for a in accounts if a.environment == "testnet"),
            cycles=self._cycle.count,
            gate=GateReport(state=obeyed.state, reason=obeyed.reason, epoch=obeyed.epoch, serial=obeyed.serial),
            accounts=accounts,
        )

    async def _account_report(self, trader: Trader) -> AccountReport:
        """One account's part of the report."""
        filled = await asyncio.to_thread(self._journal.filled_orders, trader.account.name)
        positions = trader.desk.ledger.positions()
        return AccountReport(
            name=trader.account.name,
            environment=trader.account.environment,
            venue=trader.account.venue,
            reconciled=trader.reconciliation.agreed,
            equity=f"{trader.snapshot.equity:f}" if trader.snapshot else None,
            positions={symbol: f"{quantity:f}" for symbol, quantity in positions.items()},
            filled_orders=filled,
            unknown_orders=len(trader.desk.unknown_symbols),
        )


def _keys(account: AccountSettings, environment: Mapping[str, str]) -> tuple[str, str]:
    """API key and secret; raises SettingsError naming the variable that is not set."""
    names = (account.api_key_env, account.secret_env)
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(f"account {account.name}: environment variable {' and '.join(missing)} is not set")
    return environment[names[0]], environment[names[1]]
