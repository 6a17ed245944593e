"""One account on three venues: where orders go, what counts, and what a venue that fails leaves behind."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from golive_api.engine_report import Breaker
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.account import Permissions
from golive_engine.assembly import Workshop
from golive_engine.cache import open_cache
from golive_engine.clock import SystemClock
from golive_engine.journal import Journal
from golive_engine.metrics import Metrics
from golive_engine.orders import OrderState
from golive_engine.pool import Failover, Pool
from golive_engine.safety import Safety
from golive_engine.seat import Seat
from golive_engine.sentiment import open_sentiment
from golive_engine.settings import Settings
from golive_engine.skips import Skips
from golive_engine.strategies import View
from golive_engine.trader import Shared, Trader
from golive_engine.trading import ZERO, Intent, OrderKind, Side, VenueName
from golive_engine.venues import Credentials
from golive_simulator.client import Admin

D = Decimal
VENUES: tuple[VenueName, ...] = ("binanceusdm", "bybit", "okx")
BINANCE, BYBIT, OKX = "testnet", "bybit-testnet", "okx-testnet"


@dataclass
class Wishes:
    """A strategy that wants what a test tells it to."""

    name: str = "baseline-perps"
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    closes: int = 20
    targets: dict[str, Decimal] = field(default_factory=dict)

    def intent(self, view: View) -> Intent | None:
        """The order from what is held to what is wanted."""
        missing = self.targets.get(view.symbol, ZERO) - view.position
        if not missing:
            return None
        side = Side.BUY if missing > ZERO else Side.SELL
        shrinks = view.position * missing < ZERO
        quantity = min(abs(missing), abs(view.position)) if shrinks else abs(missing)
        return Intent(
            view.symbol,
            side,
            quantity,
            reduce_only=shrinks,
            strategy=self.name,
            stop_percent=None if shrinks else D(2),
        )


@dataclass
class Room:
    """A trader with three seats, and both sides' view of it."""

    trader: Trader
    wishes: Wishes
    admin: Admin
    key: str
    journal: Journal
    metrics: Metrics
    limits: Limits

    def seat(self, venue: str) -> Seat:
        """The place on a venue."""
        return next(seat for seat in self.trader.account.seats if seat.name == venue)

    async def want(self, **targets: str) -> None:
        """Set what is wanted, and take a turn."""
        self.wishes.targets = {symbol: D(quantity) for symbol, quantity in targets.items()}
        await self.trader.turn()

    async def holds(self, environment: str) -> dict[str, Decimal]:
        """What a venue says that the account holds, in base currency."""
        positions = (await self.admin.account(environment, self.key))["positions"]
        return {
            symbol.removesuffix("-SWAP").replace("-", ""): D(position["quantity"])
            for symbol, position in positions.items()
            if D(position["quantity"])
        }

    async def take_out(self, environment: str) -> None:
        """Let a venue answer everything with 503, until its breaker is open."""
        await self.admin.add_fault("answer-before-accept", environment=environment, status=503)
        for _ in range(3):
            await self.trader.turn()

    def denials(self) -> set[tuple[str, str]]:
        """Symbol and reason of everything that the journal says was denied last."""
        return {(d.symbol, d.reason) for d in self.journal.decisions("main") if d.reason}


@pytest.fixture
async def room(
    request: pytest.FixtureRequest, settings: dict[str, Any], admin: Admin, api_key: str, tmp_path: Path
) -> AsyncIterator[Room]:
    """An account on all three venues, Binance first, that nobody has traded yet; its parameter is the mode."""
    seats = [{"venue": name, "api_key_env": "KEY", "secret_env": "KEY"} for name in VENUES]
    seats[2]["passphrase_env"] = "PASS"
    settings["mode"] = getattr(request, "param", "live")
    settings["symbols"] = list(Wishes.symbols)
    settings["strategies"] = [{"notional": "100"}]
    settings["accounts"] = [{"name": "main", "environment": "testnet", "profile": "wide", "venues": seats}]
    # A machine that stands still for a second must not make a request too old for the venue.
    patient = {"recv_window_ms": 20_000, "timeout_seconds": 20, "max_clock_skew_seconds": 20}
    settings["venue"] |= patient | {"breaker": {"failures": 3, "open_seconds": 0.3}}
    told = Settings(**settings)
    clock, environments = SystemClock(), {"main": "testnet"}
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", told.engine)
    metrics = Metrics(environments, {"main": VENUES}, told.symbols)
    cache = open_cache(told.cache, told.engine, clock, metrics.cache)
    safety = Safety(environments, journal, clock, metrics.trigger, lambda _subject, _text: None)
    sentiment = open_sentiment(told.sentiment, cache, clock)
    shared = Shared(
        journal,
        safety,
        metrics,
        Skips(journal, clock),
        sentiment,
        clock,
        lambda _subject, _text: None,
        lambda: None,
    )
    keys: dict[tuple[str, VenueName], Credentials] = {
        ("main", name): Credentials(api_key, api_key, "passphrase") for name in VENUES
    }
    limits = told.limits_of("wide")
    made = Room(None, Wishes(), admin, api_key, journal, metrics, limits)  # type: ignore[arg-type]  # set below
    permissions = Permissions(lambda: Reason.GATE_OPEN, lambda: True, lambda: made.limits, lambda: False)
    workshop = Workshop(told, keys, shared, cache, lambda _: permissions)
    made.trader = workshop.trader(told.accounts[0])
    made.trader._strategies = (made.wishes,)  # noqa: SLF001  # what it wants is the test's to say
    await safety.refresh()
    yield made
    for seat in made.trader.account.seats:
        await seat.venue.close()
    journal.close()


async def test_new_positions_go_to_the_first_venue(room: Room) -> None:
    """With their stop loss and take profit resting there; the other venues see no order."""
    await room.want(BTCUSDT="0.01", ETHUSDT="-0.2")
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01"), "ETHUSDT": D("-0.2")}
    assert await room.holds(BYBIT) == await room.holds(OKX) == {}
    assert len(await room.seat("binanceusdm").venue.open_orders()) == 4
    assert room.seat("binanceusdm").unprotected == frozenset()


async def test_a_failed_venue_hands_new_positions_to_the_next(room: Room) -> None:
    """What it holds stays, counts, and is not opened a second time elsewhere."""
    await room.want(BTCUSDT="0.01")
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2")
    assert room.trader.account.active is room.seat("bybit")
    assert await room.holds(BYBIT) == {"ETHUSDT": D("0.2")}
    assert room.trader.account.positions() == {"BTCUSDT": D("0.01"), "ETHUSDT": D("0.2")}
    text = room.metrics.text().decode()
    moved = 'exchange_failover_events_total{account="main",source="binanceusdm",target="bybit"} 1.0'
    assert moved in text
    breaker = 'exchange_circuit_breaker_state{account="main",venue="binanceusdm"} '
    assert f"{breaker}1.0" in text or f"{breaker}0.5" in text, "open; half open on a machine that took its time"
    assert [change.value for change in room.journal.state_changes("failover")] == ["bybit"]


async def test_the_third_venue_counts_in_contracts_and_is_told_so(room: Room) -> None:
    """0.05 BTC are five contracts on OKX: what is ordered, held and journalled is 0.05 BTC all the same."""
    await room.trader.turn()
    await room.take_out(BINANCE)
    await room.take_out(BYBIT)
    await room.want(BTCUSDT="0.05")
    assert room.trader.account.active is room.seat("okx")
    assert await room.holds(OKX) == room.trader.account.positions() == {"BTCUSDT": D("0.05")}
    assert (await room.seat("okx").venue.snapshot()).positions == {"BTCUSDT": D("0.05")}


async def test_what_is_left_behind_counts_in_every_limit(room: Room) -> None:
    """Two positions allowed, one of them on the venue that is gone: only one more is opened."""
    room.limits = room.limits.model_copy(update={"max_positions": 2})
    await room.want(BTCUSDT="0.01")
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2", SOLUSDT="1")
    assert await room.holds(BYBIT) == {"ETHUSDT": D("0.2")}
    assert ("SOLUSDT", Reason.POSITION_COUNT_EXCEEDED) in room.denials()


async def test_more_of_a_symbol_counts_what_is_left_behind(room: Room) -> None:
    """Its worst case is both venues' together, so a limit that fits one of them is not used twice."""
    price = room.trader.account.seats[0]
    await room.want(BTCUSDT="0.01")
    middle = price.market.quotes["BTCUSDT"].middle
    room.limits = room.limits.model_copy(update={"max_position_notional": f"{middle * D('0.015'):.2f}"})
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0.02")
    assert await room.holds(BYBIT) == {}
    assert ("BTCUSDT", Reason.POSITION_NOTIONAL_EXCEEDED) in room.denials()


async def test_a_symbol_whose_position_is_unknown_on_a_failed_venue_is_not_entered(room: Room) -> None:
    """An order whose answer was lost may have filled there; every other symbol may be traded."""
    await room.trader.turn()
    await room.admin.add_fault("drop-after-accept", environment=BINANCE, count=1)
    await room.want(BTCUSDT="0.01")
    assert room.seat("binanceusdm").desk.unknown_symbols == {"BTCUSDT"}
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2")
    assert await room.holds(BYBIT) == {"ETHUSDT": D("0.2")}
    assert ("BTCUSDT", Reason.VENUE_POSITION_UNKNOWN) in room.denials()
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01")}


async def test_after_a_restart_nothing_is_entered_until_every_venue_was_read(room: Room) -> None:
    """Nobody knows what the dead venue holds by now."""
    await room.admin.add_fault("answer-before-accept", environment=BINANCE, status=503)
    for _ in range(4):
        await room.want(ETHUSDT="0.2")
    assert room.trader.account.active is room.seat("bybit")
    assert await room.holds(BYBIT) == {}


async def test_a_position_left_behind_is_closed_where_it_is(room: Room) -> None:
    """Never by an opposite one elsewhere: not while the venue is gone, and at once when it is back."""
    await room.want(BTCUSDT="0.01")
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0")
    assert await room.holds(BYBIT) == {}
    assert ("BTCUSDT", Reason.VENUE_UNAVAILABLE) in room.denials()
    await room.admin.clear_faults()
    await _healed(room)
    await room.want(BTCUSDT="0")
    assert await room.holds(BINANCE) == {}


async def test_a_venue_that_is_back_is_preferred_again(room: Room) -> None:
    """Both moves are counted, and a position is closed on each venue that holds a part of it."""
    await room.want(BTCUSDT="0.01")
    await room.take_out(BINANCE)
    await room.want(BTCUSDT="0.03")
    assert await room.holds(BYBIT) == {"BTCUSDT": D("0.02")}
    await room.admin.clear_faults()
    await _healed(room)
    assert room.trader.account.active is room.seat("binanceusdm")
    assert room.trader.account.failovers == 2
    await room.want(BTCUSDT="0")
    assert await room.holds(BINANCE) == await room.holds(BYBIT) == {}


async def _healed(room: Room) -> None:
    """Take turns until the first venue's breaker is closed; its wait is doubled by each trial that failed."""
    for _ in range(200):
        await room.trader.turn()
        if room.seat("binanceusdm").venue.state is Breaker.CLOSED:
            return
    raise AssertionError("the breaker has not closed")


async def test_losses_are_counted_over_all_venues(room: Room) -> None:
    """A venue that can't be read looks neither like a loss nor like money that limits are shares of."""
    await room.trader.turn()
    account = room.trader.account
    whole = account.equity
    assert whole is not None
    await room.take_out(BINANCE)
    assert account.loss_equity == whole
    assert account.equity == whole * 2 / 3


async def test_a_position_has_a_stop_loss_and_a_take_profit_on_its_venue(room: Room) -> None:
    """2 and 4 percent from the entry, of the position's own size, and none are left when it is closed."""
    await room.want(BTCUSDT="0.01")
    seat = room.seat("binanceusdm")
    resting = {order.kind: order for order in await seat.venue.open_orders()}
    entry = seat.desk.ledger.entry("BTCUSDT")
    assert entry is not None
    stop, profit = resting[OrderKind.STOP_LOSS].price, resting[OrderKind.TAKE_PROFIT].price
    assert stop is not None
    assert profit is not None
    assert entry * D("0.98") <= stop < entry * D("0.981")
    assert entry * D("1.039") < profit <= entry * D("1.04")
    assert {order.quantity for order in resting.values()} == {D("0.01")}
    await room.want(BTCUSDT="0")
    await room.want(BTCUSDT="0")
    assert await seat.venue.open_orders() == []


@pytest.mark.parametrize("venue", VENUES)
async def test_a_stop_that_somebody_cancelled_is_made_anew(room: Room, venue: str) -> None:
    """In the next turn, on each venue."""
    room.trader.account.seats.sort(key=lambda seat: seat.name != venue)
    room.trader.account._pool = Pool([seat.name for seat in room.trader.account.seats])  # noqa: SLF001  # another order of preference
    await room.want(BTCUSDT="0.01")
    seat = room.seat(venue)
    before = {order.client_order_id for order in await seat.venue.open_orders()}
    await seat.venue.cancel_all("BTCUSDT", conditional=True)
    assert await seat.venue.open_orders() == []
    await room.trader.turn()
    after = {order.client_order_id for order in await seat.venue.open_orders()}
    assert len(before) == len(after) == 2
    assert not before & after
    assert seat.unprotected == frozenset()


async def test_a_position_whose_stop_is_refused_is_closed(room: Room) -> None:
    """At market, and at once: nothing is held that can't be protected."""
    refusal = {"code": -2021, "msg": "Order would immediately trigger."}
    await room.admin.add_fault(
        "answer-before-accept",
        environment=BINANCE,
        path="/fapi/v1/algoOrder",
        method="POST",
        status=400,
        body=refusal,
    )
    await room.want(BTCUSDT="0.01")
    assert await room.holds(BINANCE) == {}
    sides = [order["request"]["side"] for order in (await room.admin.account(BINANCE, room.key))["orders"]]
    assert sides == ["BUY", "SELL"]


async def test_a_stop_that_never_left_closes_nothing(room: Room) -> None:
    """The venue has not refused it: the position is told to be unprotected, and tried again."""
    await room.trader.turn()
    seat = room.seat("binanceusdm")
    await room.admin.add_fault(
        "answer-before-accept",
        environment=BINANCE,
        path="/fapi/v1/algoOrder",
        method="POST",
        status=503,
        count=1,
    )
    await room.want(BTCUSDT="0.01")
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01")}
    assert seat.unprotected == {"BTCUSDT"}
    assert 'golive_engine_unprotected_positions{account="main"} 1.0' in room.metrics.text().decode()


async def test_a_position_that_has_outgrown_its_limits_is_trimmed(room: Room) -> None:
    """By the job execution-rebalance, reduce-only, with stops of the new size."""
    await room.want(BTCUSDT="0.02")
    seat = room.seat("binanceusdm")
    middle = seat.market.quotes["BTCUSDT"].middle
    room.limits = room.limits.model_copy(update={"max_position_notional": f"{middle * D('0.0151'):.2f}"})
    await room.trader.rebalance()
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.015")}
    assert {order.quantity for order in await seat.venue.open_orders()} == {D("0.015")}


async def test_repeated_orders_lock_a_symbol_until_a_person_re_arms_it(room: Room) -> None:
    """Time alone does not, nor does a restart; every other symbol goes on."""
    room.limits = room.limits.model_copy(update={"max_repeated_orders": 2})
    for quantity in ("0.01", "0", "0.01", "0", "0.01"):
        await room.want(BTCUSDT=quantity, ETHUSDT="0.2")
    assert await room.holds(BINANCE) == {"ETHUSDT": D("0.2")}
    assert room.journal.locked_symbols("main") == {"BTCUSDT"}
    room.limits = room.limits.model_copy(update={"max_repeated_orders": 1000})
    room.trader.forget()
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2")
    assert await room.holds(BINANCE) == {"ETHUSDT": D("0.2")}
    assert ("BTCUSDT", Reason.SYMBOL_LOCKED) in room.denials()
    assert room.journal.release_locks("main", "BTCUSDT", "alice", "strategy fixed", SystemClock().wall()) == 1
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2")
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01"), "ETHUSDT": D("0.2")}


async def test_a_burst_of_orders_is_cut_off(room: Room) -> None:
    """Stop losses and take profits are not held up by it."""
    room.limits = room.limits.model_copy(update={"max_orders_per_minute": 3})
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2", SOLUSDT="1")
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01")}
    assert {reason for _, reason in room.denials()} == {Reason.ORDER_RATE_EXCEEDED}
    assert len(await room.seat("binanceusdm").venue.open_orders()) == 2


@pytest.mark.parametrize(
    ("applied", "reason"),
    [(True, Reason.EMERGENCY_STOP_APPLIED), (None, Reason.EMERGENCY_STOP_UNKNOWN)],
    ids=["is applied", "may be applied"],
)
async def test_the_last_look_sees_that_a_stop(room: Room, applied: bool | None, reason: Reason) -> None:  # noqa: FBT001  # what is looked at
    """Between the RiskGate's word and the order's bytes: it is written down, and never leaves."""
    await room.trader.turn()
    account, answers = room.trader.account, iter([False, applied])
    looks = replace(account.permissions, stop_applied=lambda: next(answers, applied))
    account.permissions = looks
    await room.want(BTCUSDT="0.01")
    orders = room.journal.orders("main", "binanceusdm")
    assert [(order.state, order.reason) for order in orders] == [(OrderState.WITHHELD, reason)]
    assert await room.holds(BINANCE) == {}


@pytest.mark.parametrize("room", ["dry-run"], indirect=True)
async def test_a_dry_run_sends_nothing(room: Room) -> None:
    """Every check is passed, what would have been sent is written down, and no venue gets an order."""
    await room.want(BTCUSDT="0.01", ETHUSDT="-0.2")
    assert room.denials() == {("BTCUSDT", Reason.DRY_RUN), ("ETHUSDT", Reason.DRY_RUN)}
    for environment in (BINANCE, BYBIT, OKX):
        assert (await room.admin.account(environment, room.key))["orders"] == []


@pytest.mark.parametrize("room", ["canary"], indirect=True)
async def test_a_canary_holds_a_share_of_what_the_profile_allows(room: Room) -> None:
    """A tenth of the notional of one symbol."""
    await room.trader.turn()
    middle = room.seat("binanceusdm").market.quotes["BTCUSDT"].middle
    room.limits = room.limits.model_copy(update={"max_position_notional": f"{middle * D('0.1'):.2f}"})
    await room.want(BTCUSDT="0.02")
    assert await room.holds(BINANCE) == {}
    assert ("BTCUSDT", Reason.POSITION_NOTIONAL_EXCEEDED) in room.denials()
    await room.want(BTCUSDT="0.009")
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.009")}


async def test_one_bad_reading_stops_new_risk_and_a_second_one_everything(room: Room) -> None:
    """The first is doubted and only reducing is allowed; the second in a row latches the stop."""
    await room.want(BTCUSDT="0.01")
    await room.admin.set_equity(BINANCE, room.key, 100)
    await room.want(BTCUSDT="0.01", ETHUSDT="0.2")
    assert ("ETHUSDT", Reason.RISK_CRITICAL) in room.denials()
    assert room.journal.active_stops() == []
    await room.trader.turn()
    assert {stop.trigger for stop in room.journal.active_stops()} == {"capital_loss", "daily_drawdown"}
    assert await room.holds(BINANCE) == {"BTCUSDT": D("0.01")}
    assert len(await room.seat("binanceusdm").venue.open_orders()) == 2


async def test_an_old_reading_does_not_confirm_itself(room: Room) -> None:
    """The venue that told of a loss is gone: nothing is opened, and nothing is latched by its silence."""
    await room.trader.turn()
    await room.admin.set_equity(BINANCE, room.key, 100)
    await room.trader.turn()
    await room.take_out(BINANCE)
    await room.want(ETHUSDT="0.2")
    assert room.journal.active_stops() == []
    assert ("ETHUSDT", Reason.RISK_CRITICAL) in room.denials()
    assert await room.holds(BYBIT) == {}


CLOSED, HALF, OPEN = Breaker.CLOSED, Breaker.HALF_OPEN, Breaker.OPEN
MOVES: dict[str, tuple[list[tuple[Breaker, ...]], list[Failover | None]]] = {
    "stays while the first is closed": ([(CLOSED, CLOSED, CLOSED), (CLOSED, OPEN, OPEN)], [None, None]),
    "moves when the first opens": ([(OPEN, CLOSED, CLOSED)], [Failover("one", "two")]),
    "skips an open second": ([(OPEN, OPEN, CLOSED)], [Failover("one", "three")]),
    "does not trust one that is half open": (
        [(OPEN, CLOSED, CLOSED), (HALF, CLOSED, CLOSED)],
        [Failover("one", "two"), None],
    ),
    "returns when the first is closed": (
        [(OPEN, CLOSED, CLOSED), (CLOSED, CLOSED, CLOSED)],
        [Failover("one", "two"), Failover("two", "one")],
    ),
    "has none when all are open": ([(OPEN, OPEN, OPEN), (OPEN, OPEN, OPEN)], [Failover("one", ""), None]),
}


@pytest.mark.parametrize(("breakers", "moves"), MOVES.values(), ids=MOVES)
def test_the_pool(breakers: list[tuple[Breaker, ...]], moves: list[Failover | None]) -> None:
    """The first closed one takes new positions; each move is told once."""
    pool = Pool(("one", "two", "three"))
    assert [pool.choose(states) for states in breakers] == moves
