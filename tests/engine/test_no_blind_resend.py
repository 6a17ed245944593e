"""Orders through unmodified ccxt against faults: none doubled, none lost, none after the gate has shut."""

from collections.abc import AsyncIterator
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
from golive_engine.trading import (
    Intent,
    Side,
    UnavailableError,
    Venue,
)

BUY = Intent("BTCUSDT", Side.BUY, Decimal("0.002"))
SETTLE_SECONDS = 40.0


@dataclass
class Room:
    """One production account's desk on one venue, with its journal."""

    door: Any
    desk: OrderDesk
    venue: Venue
    journal: Journal
    clock: FakeClock
    shut: list[Reason] = field(default_factory=list)

    async def sent(self) -> list[str]:
        """Client ids of this desk's new orders that reached the venue's door, oldest first."""
        return list(await self.door.sent(self.desk.prefix))

    async def fault(self, kind: str, *, is_conditional: bool = False, **fields: Any) -> None:
        """Let the next new order meet a fault; bodies differ by venue."""
        body = fields.get("body")
        if callable(body):
            fields["body"] = body(self.venue.name)
        path = PATHS[self.venue.name][is_conditional]
        await self.door.admin.add_fault(kind, **fields, method="POST", path=path, count=1)

    def orders(self) -> list[Order]:
        """The journal's orders."""
        return self.journal.orders("main", self.venue.name)


@pytest.fixture
async def room(door: Any, tmp_path: Path) -> AsyncIterator[Room]:
    """A desk whose account is known to the venue."""
    journal, clock, shut = Journal(f"sqlite:///{tmp_path}/desk.db"), FakeClock(), list[Reason]()
    desk = OrderDesk(
        "main",
        f"engine-{door.key}",
        door.venue,
        journal,
        clock,
        lambda _intent: shut[0] if shut else None,
        SETTLE_SECONDS,
        lambda _order: None,
    )
    await desk.open()
    yield Room(door, desk, door.venue, journal, clock, shut)
    journal.close()


PATHS = {
    "binanceusdm": ("/fapi/v1/order", "/fapi/v1/algoOrder"),
    "bybit": ("/v5/order/create", "/v5/order/create"),
    "okx": ("/api/v5/trade/order", "/api/v5/trade/order-algo"),
}
"""Where each venue takes orders, and where conditional ones."""


def bybit(code: int) -> dict[str, Any]:
    """An answer in Bybit's envelope."""
    return {"retCode": code, "retMsg": "no", "result": {}, "retExtInfo": {}, "time": 0}


def okx(code: int, row: int = 0) -> dict[str, Any]:
    """An answer in OKX's envelope, with one row that failed if its code is given."""
    rows = [{"clOrdId": "", "ordId": "", "tag": "", "sCode": str(row), "sMsg": "no"}]
    return {"code": str(code), "data": rows if row else [], "msg": "no"}


TROUBLE = {"binanceusdm": {"code": -1000, "msg": "no"}, "bybit": bybit(10016), "okx": okx(50026)}.__getitem__
"""The venue's own trouble in its own words."""

REFUSAL = {
    "binanceusdm": {"code": -2019, "msg": "no"},
    "bybit": bybit(110007),
    "okx": okx(1, 51008),
}.__getitem__
"""What would be a certain no, were it not a server error."""

TIMED_OUT = {
    "binanceusdm": {"code": -1007, "msg": "no"},
    "bybit": bybit(10000),
    "okx": okx(1, 51149),
}.__getitem__
"""Words for an order of which the venue itself does not know."""

DUPLICATE = {
    "binanceusdm": {"code": -4116, "msg": "no"},
    "bybit": bybit(110072),
    "okx": okx(1, 51016),
}.__getitem__
"""Words for an id that the venue has already: somewhere on the way the request was sent twice."""

ANOTHER = {
    "binanceusdm": {
        **dict.fromkeys(("orderId", "clientOrderId", "origQty", "executedQty", "avgPrice", "price"), "9"),
        "symbol": "BTCUSDT",
        "side": "BUY",
        "status": "FILLED",
        "type": "MARKET",
        "reduceOnly": False,
    },
    "bybit": bybit(0) | {"result": {"orderId": "9", "orderLinkId": "9"}},
    "okx": {"code": "0", "data": [{"ordId": "9", "clOrdId": "9", "sCode": "0", "sMsg": ""}], "msg": ""},
}.__getitem__
"""A good answer to somebody else's question."""

ANSWERS: dict[str, dict[str, Any]] = {
    "a gateway times out in HTML": {"status": 504},
    "a gateway fails in HTML": {"status": 502, "body": "<html>bad gateway</html>"},
    "a page of HTML says that all is well": {"status": 200, "body": "<html>ok</html>"},
    "a page of HTML forbids it": {"status": 403, "body": "<html>forbidden</html>"},
    "the venue fails in JSON": {"status": 503, "body": TROUBLE},
    "a server error reads like a refusal": {"status": 500, "body": REFUSAL},
    "the venue does not know itself": {"status": 400, "body": TIMED_OUT},
    "the id is known already": {"status": 400, "body": DUPLICATE},
    "the answer is empty": {"status": 200, "body": {}},
    "the answer makes no sense": {"status": 200, "body": {"unexpected": 1}},
    "the answer is about another order": {"status": 200, "body": ANOTHER},
    "it is sent elsewhere": {"status": 307, "body": "<html>moved</html>"},
}
"""Answers after which nothing is certain."""

CARRIED_OUT: dict[str, dict[str, Any]] = {
    "the connection drops after it was accepted": {"kind": "drop-after-accept"},
    "the answer takes longer than anybody waits": {"kind": "delay", "delay_ms": 4000},
    **{
        f"{name}, after it was accepted": {"kind": "answer-after-accept"} | row for name, row in ANSWERS.items()
    },
}

NEVER_ARRIVED: dict[str, dict[str, Any]] = {
    "the connection drops before it was read": {"kind": "drop-before-accept"},
    **{f"{name}, before it was read": {"kind": "answer-before-accept"} | row for name, row in ANSWERS.items()},
}


@pytest.mark.parametrize("fault", CARRIED_OUT.values(), ids=CARRIED_OUT)
async def test_an_order_is_neither_doubled_nor_lost_when(room: Room, fault: dict[str, Any]) -> None:
    """Unknown, then asked by its id, then confirmed; one request, one order, one position."""
    await room.fault(**fault)
    order = await room.desk.place(BUY)
    assert order.state is OrderState.UNKNOWN, order.reason
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    assert room.desk.exposures()["BTCUSDT"].buying == BUY.quantity

    await room.desk.settle()

    assert room.desk.unsettled == ()
    assert room.orders()[0].state is OrderState.FILLED
    assert await room.sent() == [order.client_order_id]
    assert len(await room.door.orders()) == 1
    assert (await room.venue.snapshot()).positions == room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}


@pytest.mark.parametrize("fault", NEVER_ARRIVED.values(), ids=NEVER_ARRIVED)
async def test_not_found_is_a_refusal_only_after_a_while_when(room: Room, fault: dict[str, Any]) -> None:
    """Until then the order counts in full; it is never sent again."""
    await room.fault(**fault)
    order = await room.desk.place(BUY)
    assert order.state is OrderState.UNKNOWN, order.reason
    await room.desk.settle()
    assert room.desk.unknown_symbols == {"BTCUSDT"}

    room.clock.advance(SETTLE_SECONDS)
    await room.desk.settle()

    assert room.desk.unsettled == ()
    assert room.orders()[0].state is OrderState.REFUSED
    assert await room.door.orders() == []
    assert len(await room.sent()) <= 1
    assert order.client_order_id in room.desk.sent_ids


async def test_a_stop_whose_answer_is_lost_is_found_where_stops_are_kept(room: Room) -> None:
    """A conditional order is asked about as one: unknown, then resting, once."""
    await room.desk.place(BUY)
    price = (await room.venue.quotes(frozenset({"BTCUSDT"})))["BTCUSDT"].bid
    trigger = (price * Decimal("0.97")).quantize(Decimal(1))
    await room.fault("answer-after-accept", is_conditional=True, status=504)
    stop = Intent("BTCUSDT", Side.SELL, BUY.quantity, reduce_only=True, trigger_price=trigger)
    order = await room.desk.place(stop)
    assert order.state is OrderState.UNKNOWN
    await room.desk.settle()
    assert [row.state for row in room.desk.resting("BTCUSDT")] == [OrderState.WORKING]
    assert len((await room.door.account())["algos"]) == 1


async def test_the_venues_own_refusal_is_final_at_once(room: Room) -> None:
    """A code that means no: there is no such order, nobody needs to ask."""
    order = await room.desk.place(Intent("BTCUSDT", Side.BUY, Decimal(90)))
    assert order.state is OrderState.REFUSED
    assert {"binanceusdm": "-2019", "bybit": "110007", "okx": "51008"}[room.venue.name] in order.reason
    assert room.desk.unsettled == ()
    assert await room.door.orders() == []


async def test_a_rate_limit_is_a_refusal(room: Room) -> None:
    """It is answered before anything is carried out."""
    await room.fault("rate-limit")
    assert (await room.desk.place(BUY)).state is OrderState.REFUSED
    assert await room.door.orders() == []


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
    assert room.orders()[0].state is OrderState.WITHHELD
    assert await room.sent() == []
    assert room.desk.exposures() == {}
    room.shut.clear()
    assert (await room.desk.place(BUY)).state is OrderState.FILLED, "the connection is still good"


async def test_an_order_is_in_the_journal_before_its_bytes_leave(room: Room) -> None:
    """What is not written down is not sent."""
    seen: list[list[Order]] = []

    def look(_intent: Intent) -> Reason | None:
        seen.append(room.orders())
        return None

    room.desk._last_look = look  # noqa: SLF001  # the moment in question is inside
    order = await room.desk.place(BUY)
    assert [row.client_order_id for row in seen[0]] == [order.client_order_id]
    assert seen[0][0].state is OrderState.PENDING
    assert len(seen) == 1, "one order is one request"


async def test_a_restart_asks_about_what_was_pending(room: Room, tmp_path: Path) -> None:
    """A journal read anew knows the order, its outcome and the position."""
    await room.fault("drop-after-accept")
    await room.desk.place(BUY)
    await room.desk.open()
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    reconciliation = Reconciliation(room.desk, room.venue)
    await reconciliation.start()
    assert reconciliation.agreed
    assert room.desk.ledger.positions() == {"BTCUSDT": BUY.quantity}
    assert len(await room.door.orders()) == 1
    assert (tmp_path / "desk.db").exists()


async def test_an_account_is_not_armed_while_an_outcome_is_unknown(room: Room) -> None:
    """Start-up waits until the venue can say what became of every order."""
    await room.fault("drop-before-accept")
    await room.desk.place(BUY)
    reconciliation = Reconciliation(room.desk, room.venue)
    with pytest.raises(UnavailableError, match="outcome unknown on BTCUSDT"):
        await reconciliation.start()
    assert not reconciliation.agreed
