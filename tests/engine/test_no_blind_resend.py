"""Orders through unmodified ccxt against faults: none doubled, none lost, none after the gate has shut."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from golive_api.reasons import Reason
from golive_engine.clock import FakeClock
from golive_engine.desk import OrderDesk
from golive_engine.journal import Journal
from golive_engine.orders import Order, OrderState
from golive_engine.reconciliation import Reconciliation
from golive_engine.settings import AccountSettings, VenueSettings
from golive_engine.trading import Execution, ExecutionStatus, Intent, Side, UnavailableError
from golive_engine.venue import BinanceUsdm
from golive_simulator.client import Admin
from golive_simulator.process import Child

BUY = Intent("BTCUSDT", Side.BUY, Decimal("0.002"))
SETTLE_SECONDS = 20.0


@dataclass
class Room:
    """One production account's desk, with its venue and its journal."""

    desk: OrderDesk
    venue: BinanceUsdm
    journal: Journal
    clock: FakeClock
    admin: Admin
    key: str
    shut: list[Reason] = field(default_factory=list)

    async def on_venue(self) -> list[dict[str, Any]]:
        """The account's orders as the venue has them."""
        account = await self.admin.account("production", self.key)
        return list(account["orders"])

    async def sent(self) -> list[str]:
        """Client ids of every new order that reached the venue's door, oldest first."""
        rows = await self.admin.requests(new_orders=True)
        return [row["client_order_id"] for row in rows if row["client_order_id"].startswith(self.desk.prefix)]


@pytest.fixture
async def room(
    simulator: Child,
    admin: Admin,
    api_key: str,
    tmp_path: Path,
    settings: dict[str, Any],
) -> AsyncIterator[Room]:
    """A desk whose account is known to the venue."""
    del simulator
    account = AccountSettings(name="main", environment="production", api_key_env="KEY", secret_env="KEY")
    venue = BinanceUsdm(account, api_key, api_key, VenueSettings.model_validate(settings["venue"]))
    journal, clock, shut = Journal(f"sqlite:///{tmp_path}/desk.db"), FakeClock(), list[Reason]()
    desk = OrderDesk(
        "main",
        f"engine-{api_key}",
        venue,
        journal,
        clock,
        lambda _intent: shut[0] if shut else None,
        SETTLE_SECONDS,
        lambda _order: None,
    )
    await desk.open()
    await venue.instruments()
    await venue.set_leverage("BTCUSDT", 1)
    yield Room(desk, venue, journal, clock, admin, api_key, shut)
    await venue.close()
    journal.close()


ORDER_PATH = "/fapi/v1/order"
JSON_500 = {"code": -1000, "msg": "An unknown error occured while processing the request."}
REJECTED_500 = {"code": -2019, "msg": "Margin is insufficient."}
CARRIED_OUT: dict[str, dict[str, Any]] = {
    "the connection drops after it was accepted": {"kind": "drop-after-accept"},
    "a gateway times out in HTML after it was accepted": {"kind": "answer-after-accept", "status": 504},
    "the venue fails in JSON after it was accepted": {
        "kind": "answer-after-accept",
        "status": 503,
        "body": JSON_500,
    },
    "a server error reads like a refusal after it was accepted": {
        "kind": "answer-after-accept",
        "status": 500,
        "body": REJECTED_500,
    },
    "the answer takes longer than anybody waits": {"kind": "delay", "delay_ms": 4000},
}


@pytest.mark.parametrize("fault", CARRIED_OUT.values(), ids=CARRIED_OUT)
async def test_an_order_is_neither_doubled_nor_lost_when(room: Room, fault: dict[str, Any]) -> None:
    """Unknown, then asked by its id, then confirmed; one request, one order, one position."""
    await room.admin.add_fault(**fault, method="POST", path=ORDER_PATH, count=1)
    order = await room.desk.place(BUY)
    assert order.state is OrderState.UNKNOWN
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    assert room.desk.exposures()["BTCUSDT"].buying == BUY.quantity

    await room.desk.settle()

    assert room.desk.unsettled == ()
    assert room.journal.orders("main")[0].state is OrderState.FILLED
    assert await room.sent() == [order.client_order_id]
    assert len(await room.on_venue()) == 1
    assert (await room.venue.snapshot()).positions == room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}


NEVER_ARRIVED: dict[str, dict[str, Any]] = {
    "the connection drops before it was read": {"kind": "drop-before-accept"},
    "a gateway times out in HTML before it was accepted": {"kind": "answer-before-accept", "status": 504},
    "the venue fails in JSON before it was accepted": {
        "kind": "answer-before-accept",
        "status": 503,
        "body": JSON_500,
    },
}


@pytest.mark.parametrize("fault", NEVER_ARRIVED.values(), ids=NEVER_ARRIVED)
async def test_not_found_is_a_refusal_only_after_a_while_when(room: Room, fault: dict[str, Any]) -> None:
    """Until then the order counts in full; it is never sent again."""
    await room.admin.add_fault(**fault, method="POST", path=ORDER_PATH, count=1)
    order = await room.desk.place(BUY)
    await room.desk.settle()
    assert room.desk.unknown_symbols == {"BTCUSDT"}

    room.clock.advance(SETTLE_SECONDS)
    await room.desk.settle()

    assert room.desk.unsettled == ()
    assert room.journal.orders("main")[0].state is OrderState.REFUSED
    assert await room.on_venue() == []
    assert len(await room.sent()) <= 1
    assert order.client_order_id in room.desk.sent_ids


async def test_the_venues_own_refusal_is_final_at_once(room: Room) -> None:
    """A 4xx with the venue's code: there is no such order, nobody needs to ask."""
    order = await room.desk.place(Intent("BTCUSDT", Side.BUY, Decimal(90)))
    assert order.state is OrderState.REFUSED
    assert "Margin is insufficient" in order.reason
    assert room.desk.unsettled == ()


async def test_a_rate_limit_is_a_refusal(room: Room) -> None:
    """429 is answered before anything is carried out."""
    await room.admin.add_fault("rate-limit", method="POST", path=ORDER_PATH, count=1)
    assert (await room.desk.place(BUY)).state is OrderState.REFUSED
    assert await room.on_venue() == []


async def test_a_venue_that_cannot_be_reached_was_sent_nothing(room: Room) -> None:
    """Without a connection no byte left: refused, and no settle time to wait for."""
    await room.venue.close()
    order = await room.desk.place(BUY)
    assert order.state is OrderState.REFUSED
    assert order.reason.startswith("never sent")


async def test_a_gate_that_shuts_after_the_journal_write_stops_the_order(room: Room) -> None:
    """The last look comes when all is signed and connected; no byte leaves after it said no."""
    room.shut.append(Reason.GATE_CLOSED)
    order = await room.desk.place(BUY)
    assert order.state is OrderState.WITHHELD
    assert order.reason == Reason.GATE_CLOSED
    assert room.journal.orders("main")[0].state is OrderState.WITHHELD
    assert await room.sent() == []
    assert room.desk.exposures() == {}
    room.shut.clear()
    assert (await room.desk.place(BUY)).state is OrderState.FILLED, "the connection is still good"


async def test_an_order_is_in_the_journal_before_its_bytes_leave(room: Room) -> None:
    """What is not written down is not sent."""
    seen: list[list[Order]] = []

    def look(_intent: Intent) -> Reason | None:
        seen.append(room.journal.orders("main"))
        return None

    room.desk._last_look = look  # noqa: SLF001  # the moment in question is inside
    order = await room.desk.place(BUY)
    assert [row.client_order_id for row in seen[0]] == [order.client_order_id]
    assert seen[0][0].state is OrderState.PENDING


async def test_a_restart_asks_about_what_was_pending(room: Room, tmp_path: Path) -> None:
    """A journal read anew knows the order, its outcome and the position."""
    await room.admin.add_fault("drop-after-accept", method="POST", path=ORDER_PATH, count=1)
    await room.desk.place(BUY)
    await room.desk.open()
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    reconciliation = Reconciliation(room.desk, room.venue)
    await reconciliation.start()
    assert reconciliation.agreed
    assert room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}
    assert len(await room.on_venue()) == 1
    assert (tmp_path / "desk.db").exists()


async def test_an_account_is_not_armed_while_an_outcome_is_unknown(room: Room) -> None:
    """Start-up waits until the venue can say what became of every order."""
    await room.admin.add_fault("drop-before-accept", method="POST", path=ORDER_PATH, count=1)
    await room.desk.place(BUY)
    reconciliation = Reconciliation(room.desk, room.venue)
    with pytest.raises(UnavailableError, match="outcome unknown on BTCUSDT"):
        await reconciliation.start()
    assert not reconciliation.agreed


async def test_positions_of_unknown_origin_are_taken_over_at_start(room: Room) -> None:
    """The journal follows the venue; a lost journal costs history, not control."""
    await room.venue.send(BUY, "by-hand-1", lambda: None)
    reconciliation = Reconciliation(room.desk, room.venue)
    await reconciliation.start()
    assert room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}
    assert [fill.client_order_id for fill in room.journal.fills("main")] == [None]


async def test_a_foreign_trade_stops_the_account_until_it_is_seen_twice(room: Room) -> None:
    """Once may be a fill that is still being told; twice is a fact."""
    reconciliation = Reconciliation(room.desk, room.venue)
    await reconciliation.start()
    await room.venue.send(BUY, "by-hand-2", lambda: None)
    agreed = []
    for _ in range(2):
        await reconciliation.check(await room.venue.snapshot())
        agreed.append(reconciliation.agreed)
    assert agreed == [False, True]
    assert room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}


async def test_resting_orders_of_ours_that_the_journal_lost_are_adopted(room: Room) -> None:
    """They count against limits like any other; orders of others are left alone."""
    quotes = await room.venue.quotes(frozenset({"BTCUSDT"}))
    price = (quotes["BTCUSDT"].bid * Decimal("0.9")).quantize(Decimal(1))
    resting = Intent("BTCUSDT", Side.BUY, Decimal("0.002"), limit_price=price)
    await room.venue.send(resting, f"{room.desk.prefix}lost-1", lambda: None)
    await room.venue.send(resting, "somebody-elses", lambda: None)
    await Reconciliation(room.desk, room.venue).start()
    assert [order.client_order_id for order in room.desk.unsettled] == [f"{room.desk.prefix}lost-1"]
    assert room.desk.exposures()["BTCUSDT"].buying == Decimal("0.002")


async def test_a_confirmed_order_that_the_venue_forgot_has_ended(room: Room) -> None:
    """It was not refused, and it does not hold up the account for ever; what it filled shows as position."""
    execution = Execution(
        f"{room.desk.prefix}old-1",
        "1",
        "BTCUSDT",
        Side.BUY,
        Decimal(1),
        ExecutionStatus.WORKING,
        Decimal(0),
        Decimal(0),
    )
    await room.desk.adopt(execution)
    await room.desk.settle()
    assert len(room.desk.unsettled) == 1
    room.clock.advance(SETTLE_SECONDS)
    await room.desk.settle()
    assert room.journal.orders("main")[0].state is OrderState.ENDED


Reply = Callable[[Room], Any]
READS: dict[str, Reply] = {
    "prices": lambda room: room.venue.quotes(frozenset({"BTCUSDT"})),
    "the account": lambda room: room.venue.snapshot(),
    "the clock": lambda room: room.venue.server_time(),
    "closes": lambda room: room.venue.closes("BTCUSDT", 5),
    "an order": lambda room: room.venue.ask("BTCUSDT", "gl-x"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("body", ["<html>no</html>", {"code": -1000, "msg": "x"}, {"unexpected": 1}])
async def test_garbage_is_never_taken_for(room: Room, read: Reply, body: object) -> None:
    """An answer that makes no sense is no answer."""
    await room.admin.add_fault("answer-before-accept", status=200, body=body, count=1)
    with pytest.raises(UnavailableError):
        await read(room)


DISTRUSTED = {
    "an authority nobody knows": ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
    "a host without a fixed address": ({"resolve": {"example.invalid": "127.0.0.1:1"}}, "no fixed address"),
}


def causes(error: BaseException | None) -> str:
    """An error's message with those of all its causes."""
    return f"{error} {causes(error.__cause__)}" if error is not None else ""


@pytest.mark.parametrize(("change", "cause"), DISTRUSTED.values(), ids=DISTRUSTED)
async def test_a_venue_is_never_spoken_to_with(
    change: dict[str, Any], cause: str, settings: dict[str, Any]
) -> None:
    """Certificates are always verified, and a redirected engine never reaches the real venue."""
    account = AccountSettings(name="main", environment="production", api_key_env="KEY", secret_env="KEY")
    venue = BinanceUsdm(account, "key", "secret", VenueSettings.model_validate(settings["venue"] | change))
    with pytest.raises(UnavailableError) as refused:
        await venue.server_time()
    await venue.close()
    assert cause in causes(refused.value)
