"""An engine and its journal on PostgreSQL: a server that crashes, a standby that takes over."""

import signal
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from golive_dev.ports import free_ports
from golive_engine.clock import FakeClock
from golive_engine.cycle import Cycle
from golive_engine.desk import OrderDesk
from golive_engine.journal import EVERY_ACCOUNT, Fill, Journal, JournalError, Stop
from golive_engine.metrics import Metrics
from golive_engine.orders import Order, OrderState
from golive_engine.risk import Trigger
from golive_engine.safety import Safety
from golive_engine.trading import Execution, ExecutionStatus, Intent, Side
from golive_simulator.client import Admin

Start = Callable[..., Any]
D = Decimal
BUY = Intent("BTCUSDT", Side.BUY, D("0.001"))
ORDER = Order("gl-1", "main", "binanceusdm", "BTCUSDT", Side.BUY, D("0.001"), reduce_only=False, created=100.0)


def quiet(_subject: str, _text: str) -> None:
    """Nobody is told."""


def test_a_commit_survives_a_crash_of_the_server(own_postgresql: Any) -> None:
    """Also where the server is set to answer before it has written."""
    own_postgresql.execute("ALTER SYSTEM SET synchronous_commit = off")
    own_postgresql.execute("SELECT pg_reload_conf()")
    address = own_postgresql.new_database()
    journal = Journal(address)
    setting = "SHOW synchronous_commit"
    with journal._engine.connect() as connection:  # noqa: SLF001  # the setting is of the connection
        assert connection.exec_driver_sql(setting).scalar() == "on"
    journal.add_order(ORDER)
    own_postgresql.stop(signal.SIGKILL)
    own_postgresql.start()
    assert journal.orders("main") == [ORDER]
    journal.close()


async def test_a_stop_pressed_while_the_server_is_gone_is_written_when_it_is_back(
    own_postgresql: Any,
) -> None:
    """Meanwhile every account is stopped and no order can be written down."""
    journal = Journal(own_postgresql.new_database())
    safety = Safety({"main": "production"}, journal, FakeClock(), lambda _trigger: None, quiet)
    await safety.refresh()
    own_postgresql.stop(signal.SIGKILL)
    with pytest.raises(JournalError):
        journal.add_order(ORDER)
    with pytest.raises(JournalError):
        await safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "by hand")
    assert safety.stopped("main")
    with pytest.raises(JournalError):
        await safety.refresh()
    own_postgresql.start()
    await safety.refresh()
    assert journal.active_stops() == [Stop(EVERY_ACCOUNT, Trigger.MANUAL)]
    assert safety.emergency
    journal.close()


class LosingJournal(Journal):
    """A journal that commits an outcome and whose answer is then lost, once."""

    losses = 1

    def update_order(
        self, before: Order, after: Order, fill: Fill | None = None, time: float | None = None
    ) -> None:
        """Commit, and fail all the same."""
        super().update_order(before, after, fill, time)
        if self.losses:
            self.losses -= 1
            raise JournalError("the answer was lost")


async def test_a_fill_counts_once_when_the_answer_to_its_commit_is_lost(journal_url: str) -> None:
    """Memory lags behind the journal: nothing more is written before it was read anew."""
    execution = Execution(
        "gl-1", "7", "BTCUSDT", Side.BUY, BUY.quantity, ExecutionStatus.FILLED, BUY.quantity, D(9)
    )

    async def answer(*_: object) -> Execution:
        return execution

    venue: Any = SimpleNamespace(name="binanceusdm", send=answer, ask=answer)
    journal = LosingJournal(journal_url)
    desk = OrderDesk("main", "engine", venue, journal, FakeClock(), lambda _: None, 20.0, lambda _: None)
    await desk.open()
    with pytest.raises(JournalError, match="lost"):
        await desk.place(BUY)
    with pytest.raises(JournalError, match="knows otherwise"):
        await desk.settle()
    await desk.open()
    assert desk.unsettled == ()
    assert desk.ledger.positions() == {"BTCUSDT": BUY.quantity}
    assert len(journal.fills("main")) == 1
    journal.close()


async def test_an_account_whose_journal_failed_believes_nothing_any_more(journal_url: str) -> None:
    """Its next turn reads positions and orders anew."""
    journal = Journal(journal_url)
    safety = Safety({"main": "production"}, journal, FakeClock(), lambda _: None, quiet)
    forgotten: list[str] = []

    async def nothing() -> None:
        """No other work."""

    cycle = Cycle(60.0, lambda: True, safety, Metrics({"main": "production"}), FakeClock(), nothing)

    async def fail() -> None:
        forgotten.clear()  # what was forgotten at the start of leading
        cycle.stop()
        raise JournalError("gone")

    account = SimpleNamespace(name="main")
    trader: Any = SimpleNamespace(account=account, turn=fail, forget=lambda: forgotten.append("everything"))
    cycle.traders = [trader]
    await cycle.run()
    assert forgotten == ["everything"]
    journal.close()


async def against_the_position(admin: Admin, engine: Any) -> Callable[[], Any]:
    """Make ready to move the price so far against the engine's position that it wants out of it."""
    held = Decimal(engine.report().accounts[0].positions["BTCUSDT"])
    price = Decimal((await admin.state())["prices"]["BTCUSDT"]) * (
        Decimal("0.8") if held > 0 else Decimal("1.3")
    )

    async def turn() -> None:
        await admin.price("BTCUSDT", price.quantize(Decimal(1)))
        await admin.step(candles=6)

    return turn


async def test_an_engine_without_its_journal_sends_nothing_and_goes_on_when_it_is_back(
    start_engine: Start, settings: dict[str, Any], own_postgresql: Any, until: Any, admin: Admin
) -> None:
    """The server is killed: no order leaves, no report says that all is well; the process lives on."""
    settings["journal"]["url"] = own_postgresql.new_database()
    engine = start_engine(settings)
    await until(lambda: engine.filled("paper") == 1)
    turn = await against_the_position(admin, engine)
    own_postgresql.stop(signal.SIGKILL)
    await until(lambda: any("journal failed" in message for message in engine.messages()))
    sent = len(await admin.requests(new_orders=True))
    await turn()
    failures = len(engine.messages())
    await until(lambda: len(engine.messages()) > failures + 8)
    assert len(await admin.requests(new_orders=True)) == sent
    assert engine.get("/status")[0] == 500
    assert engine.get("/health/ready")[0] == 503
    assert engine.get("/health/live")[0] == 200

    own_postgresql.start()
    await until(lambda: engine.report().armed and engine.filled("paper") >= 2)
    assert engine.report().accounts[0].reconciled
    engine.stop()
    journal = Journal(settings["journal"]["url"])
    ids = [order.client_order_id for order in journal.orders("paper") if order.state is not OrderState.WITHHELD]
    fills = [fill.client_order_id for fill in journal.fills("paper")]
    journal.close()
    rows = [row["client_order_id"] for row in await admin.requests(new_orders=True)]
    assert [name for name in rows if name[:-8] == ids[0][:-8]] == ids, "each was sent once"
    assert len(fills) == len(set(fills))
    assert set(fills) <= set(ids), "nothing had to be inferred"


async def test_a_standby_takes_over_the_journal_of_the_leader(
    start_engine: Start,
    settings: dict[str, Any],
    postgresql: Any,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
) -> None:
    """It knows the position as its own, corrects nothing, and counts its orders on from there."""
    settings["journal"]["url"] = postgresql.new_database()
    first = start_engine(settings, **in_cluster)
    await until(lambda: first.report().leading and first.filled("paper") == 1)
    second = start_engine(
        settings | {"http": {"host": "127.0.0.1", "port": free_ports(1)[0]}},
        **(in_cluster | {"POD_NAME": "engine-1"}),
    )
    await until(lambda: second.get("/health/ready")[0] == 200)
    assert first.stop() == 0
    await until(lambda: second.report().armed)
    turn = await against_the_position(admin, second)
    await turn()
    await until(lambda: second.filled("paper") >= 2)
    second.stop()
    journal = Journal(settings["journal"]["url"])
    ids = [order.client_order_id for order in journal.orders("paper")]
    assert {fill.client_order_id for fill in journal.fills("paper")} <= set(ids)
    assert {name[:-8] for name in ids} == {ids[0][:-8]}
    assert [int(name[-8:]) for name in ids] == sorted({int(name[-8:]) for name in ids})
    journal.close()
