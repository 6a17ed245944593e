"""What a venue's failures do to reads: never taken for facts, told apart for the breaker, and heeded."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from golive_api.reasons import Reason
from golive_engine.trading import (
    Intent,
    OrderKind,
    OutcomeUnknownError,
    RefusedError,
    Side,
    UnavailableError,
    Venue,
    WithheldError,
)

SYMBOL = "BTCUSDT"
BUY = Intent(SYMBOL, Side.BUY, Decimal("0.002"))
NAMES = ["binanceusdm", "bybit", "okx"]

Call = Callable[[Venue], Awaitable[Any]]
READS: dict[str, Call] = {
    "instruments": lambda venue: venue.instruments(),
    "prices": lambda venue: venue.quotes(frozenset({SYMBOL})),
    "prices of many": lambda venue: venue.quotes(frozenset({SYMBOL, "ETHUSDT"})),
    "closes": lambda venue: venue.closes(SYMBOL, 5),
    "depth": lambda venue: venue.depth(SYMBOL, Decimal(1)),
    "the clock": lambda venue: venue.server_time(),
    "the account": lambda venue: venue.snapshot(),
    "leverage": lambda venue: venue.set_leverage("ETHUSDT", 3),
    "an order": lambda venue: venue.ask(SYMBOL, "glx1", OrderKind.MARKET),
    "a stop": lambda venue: venue.ask(SYMBOL, "glx1", OrderKind.STOP_LOSS),
    "trades": lambda venue: venue.trades(SYMBOL, 0.0),
    "open orders": lambda venue: venue.open_orders(),
}
CHANGES: dict[str, Call] = {
    "a cancel": lambda venue: venue.cancel(SYMBOL, "glx1", OrderKind.LIMIT),
    "a cancelled stop": lambda venue: venue.cancel(SYMBOL, "glx1", OrderKind.STOP_LOSS),
    "a dead-man switch": lambda venue: venue.cancel_unless_renewed(30, frozenset({SYMBOL})),
}
GARBAGE: dict[str, Any] = {
    "a page": "<html>no</html>",
    "an error in words of somebody else": {"status": "error"},
    "an object without what matters": {"unexpected": 1},
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each venue in turn."""
    return str(request.param)


@pytest.mark.parametrize("call", READS.values(), ids=READS)
@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_never_taken_for(door: Any, call: Call, body: object) -> None:
    """An answer that makes no sense is no answer, and counts as the venue's failure."""
    await door.admin.add_fault("answer-before-accept", status=200, body=body, environment=door.environment)
    with pytest.raises(UnavailableError) as failed:
        await call(door.venue)
    assert failed.value.is_outage


@pytest.mark.parametrize("call", (READS | CHANGES).values(), ids=READS | CHANGES)
async def test_a_server_error_is_an_outage(door: Any, call: Call) -> None:
    """Whoever asks learns that the venue failed; nothing else leaks out."""
    await door.admin.add_fault("answer-before-accept", status=502, environment=door.environment)
    with pytest.raises(UnavailableError) as failed:
        await call(door.venue)
    assert failed.value.is_outage


async def test_a_dropped_connection_is_an_outage(door: Any) -> None:
    """No answer at all."""
    await door.admin.add_fault("drop-before-accept", environment=door.environment)
    with pytest.raises(UnavailableError) as failed:
        await door.venue.snapshot()
    assert failed.value.is_outage


async def test_a_bad_request_of_ours_is_no_outage(door: Any) -> None:
    """A venue that says no to nonsense is well; its breaker must not open."""
    with pytest.raises(UnavailableError) as failed:
        await door.venue.closes("NOSUCHUSDT", 5)
    assert not failed.value.is_outage


async def test_a_key_that_is_not_taken_is_an_outage(name: str, open_door: Callable[..., Any]) -> None:
    """Nothing can be done there until a person acts."""
    door = open_door(name)
    door.venue._line.ccxt.secret = "wrong"  # noqa: SLF001  # a seat whose key was revoked
    with pytest.raises(UnavailableError) as failed:
        await door.venue.snapshot()
    assert failed.value.is_outage


async def test_a_clock_far_off_refuses_orders_and_counts_as_an_outage(
    name: str, open_door: Callable[..., Any]
) -> None:
    """The venue's own code for a stale timestamp is a certain no."""
    door = open_door(name)
    await door.venue.instruments()
    await door.admin.add_fault("clock-skew", skew_ms=90_000)
    with pytest.raises(UnavailableError) as failed:
        await door.venue.snapshot()
    assert failed.value.is_outage
    with pytest.raises(RefusedError):
        await door.venue.send(BUY, "glskew1", lambda: None)


@pytest.mark.parametrize("kind", ["rate-limit", "ban"])
async def test_a_venue_that_asks_for_peace_gets_it(door: Any, kind: str) -> None:
    """Not one request before the time that it named, not an order either; then all is well."""
    await door.admin.add_fault(kind, environment=door.environment, count=1, retry_after_seconds=1)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as failed:
        await door.venue.server_time()
    assert (failed.value.retry_after, failed.value.is_outage) == (1.0, True)
    asked = len(await door.admin.requests())

    with pytest.raises(UnavailableError, match="wants no request") as held:
        await door.venue.snapshot()
    assert held.value.retry_after is not None
    assert 0 < held.value.retry_after <= 1
    with pytest.raises(RefusedError, match="never sent"):
        await door.venue.send(BUY, "glheld1", lambda: None)
    assert len(await door.admin.requests()) == asked

    while time.monotonic() < started + 10:
        try:
            await door.venue.server_time()
            break
        except UnavailableError:
            await asyncio.sleep(0.05)
    assert time.monotonic() >= started + 1
    await door.venue.send(BUY, "glheld2", lambda: None)


async def test_a_request_that_waited_its_turn_is_stopped_when_peace_was_asked_for(door: Any) -> None:
    """Those that were on their way to the wire when the venue said so are held back, too."""
    await door.admin.add_fault(
        "rate-limit", environment=door.environment, count=1, retry_after_seconds=30, method="GET"
    )
    reached = asyncio.Event()

    def permit() -> None:
        reached.set()

    send = door.venue._line.ccxt.fetch  # noqa: SLF001  # holds a signed order back for a moment

    async def slow(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if method == "POST":
            with pytest.raises(UnavailableError):
                await door.venue.server_time()
        return await send(url, method, headers, body)

    door.venue._line.ccxt.fetch = slow  # noqa: SLF001
    with pytest.raises(RefusedError, match="never sent"):
        await door.venue.send(BUY, "glwait1", permit)
    assert not reached.is_set()


async def test_the_permit_is_asked_once_and_its_no_is_final(door: Any) -> None:
    """No preparing request slips out before it, none after it."""
    before = len(await door.admin.requests())
    asked: list[int] = []

    def permit() -> Reason:
        asked.append(1)
        return Reason.GATE_CLOSED

    for intent in (BUY, Intent(SYMBOL, Side.SELL, BUY.quantity, reduce_only=True, trigger_price=Decimal(1000))):
        with pytest.raises(WithheldError):
            await door.venue.send(intent, "glshut1", permit)
    assert len(asked) == 2
    assert len(await door.admin.requests()) == before


async def test_a_library_that_retries_is_stopped_before_the_second_write(door: Any) -> None:
    """Even if somebody turned ccxt's retries on: one request is written, and its outcome is unknown."""
    door.venue._line.ccxt.options["maxRetriesOnFailure"] = 2  # noqa: SLF001  # what must not happen
    await door.admin.add_fault("answer-after-accept", environment=door.environment, status=504, method="POST")
    name = f"gltwice{door.venue.name}"
    with pytest.raises(OutcomeUnknownError):
        await door.venue.send(BUY, name, lambda: None)
    assert await door.sent(name) == [name]
    assert (await door.venue.snapshot()).positions == {SYMBOL: BUY.quantity}


async def test_a_cancel_that_was_refused_in_part_is_not_done(open_door: Callable[..., Any]) -> None:
    """OKX answers for each order by itself: one that could not be cancelled may still fill."""
    door = open_door("okx")
    await door.venue.instruments()
    await door.venue.set_leverage(SYMBOL, 1)
    resting = Intent(SYMBOL, Side.BUY, BUY.quantity, limit_price=Decimal(30_000))
    for number in range(2):
        await door.venue.send(resting, f"glpart{number}", lambda: None)
    rows = [{"sCode": code, "sMsg": "", "ordId": "1", "clOrdId": ""} for code in ("0", "50013")]
    body = {"code": "2", "data": rows, "msg": ""}
    path = "/api/v5/trade/cancel-batch-orders"
    await door.admin.add_fault("answer-before-accept", path=path, status=200, body=body, count=1)
    with pytest.raises(UnavailableError):
        await door.venue.cancel_all(SYMBOL, conditional=False)
    await door.venue.cancel_all(SYMBOL, conditional=False)
    assert await door.venue.open_orders() == []


async def test_what_has_to_be_set_first_is_set_once(door: Any) -> None:
    """However many symbols ask for it at the same time."""
    door.venue._line._is_prepared = False  # noqa: SLF001  # as at start
    before = len(await door.admin.requests())
    symbols = ("ETHUSDT", "SOLUSDT", "XRPUSDT")
    levers = await asyncio.gather(*(door.venue.set_leverage(symbol, 2) for symbol in symbols))
    assert levers == [2, 2, 2]
    paths = [row["path"] for row in (await door.admin.requests())[before:]]
    once = {"/fapi/v1/accountConfig", "/v5/account/info", "/api/v5/account/config"}
    assert sum(path in once for path in paths) == 1


async def test_hedge_mode_is_left_if_the_venue_lets_us(open_door: Callable[..., Any], name: str) -> None:
    """One-way mode is set, and verified."""
    door = open_door(name)
    await door.admin.position_mode(door.environment, door.key, is_hedged=True)
    assert await door.venue.set_leverage(SYMBOL, 2) == 2
    assert not (await door.account())["is_hedged"]


async def test_hedge_mode_that_cannot_be_left_stops_the_seat(door: Any) -> None:
    """With a position in the way: one clear sentence, from the account and from its settings alike."""
    await door.venue.send(BUY, "glhedge1", lambda: None)
    await door.admin.position_mode(door.environment, door.key, is_hedged=True)
    with pytest.raises(UnavailableError, match="hedge mode"):
        await door.venue.snapshot()
    door.venue._line._is_prepared = False  # noqa: SLF001  # as after a restart
    with pytest.raises(UnavailableError):
        await door.venue.set_leverage(SYMBOL, 2)


ISOLATED = {
    "binanceusdm": ("fapiPrivatePostMarginType", {"symbol": SYMBOL, "marginType": "ISOLATED"}),
    "bybit": ("privatePostV5AccountSetMarginMode", {"setMarginMode": "ISOLATED_MARGIN"}),
}


@pytest.mark.parametrize("name", ISOLATED)
async def test_cross_margin_is_set_where_it_was_not(name: str, open_door: Callable[..., Any]) -> None:
    """OKX has no such setting: there each order names its mode."""
    door = open_door(name)
    request, asked = ISOLATED[name]
    await door.venue._line.settle(request, asked)  # noqa: SLF001  # as somebody did by hand
    assert (await door.account())["margin_modes"][SYMBOL] == "ISOLATED"
    await door.venue.set_leverage(SYMBOL, 1)
    assert (await door.account())["margin_modes"].get(SYMBOL, "CROSSED") == "CROSSED"


DISTRUSTED = {
    "an authority nobody knows": ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
    "a host without a fixed address": ({"resolve": {"example.invalid": "127.0.0.1:1"}}, "no fixed address"),
}


def causes(error: BaseException | None) -> str:
    """An error's message with those of all its causes."""
    return f"{error} {causes(error.__cause__)}" if error is not None else ""


@pytest.mark.parametrize(("change", "cause"), DISTRUSTED.values(), ids=DISTRUSTED)
async def test_a_venue_is_never_spoken_to_with(
    change: dict[str, Any], cause: str, name: str, open_door: Callable[..., Any]
) -> None:
    """Certificates are always verified, and a redirected engine never reaches the real venue."""
    door = open_door(name, **change)
    with pytest.raises(UnavailableError) as refused:
        await door.venue.server_time()
    assert cause in causes(refused.value)


async def test_an_order_on_okx_before_its_contract_size_is_known_is_never_sent(
    open_door: Callable[..., Any],
) -> None:
    """A quantity in coins would be a hundred times too small, or a thousand times too large."""
    door = open_door("okx")
    with pytest.raises(RefusedError, match="never sent: the contract size of BTCUSDT is not known"):
        await door.venue.send(BUY, "glsize1", lambda: None)
    assert await door.sent("glsize1") == []
