"""NautilusTrader's RiskEngine, asked in its own environment; nothing that trades stands behind it."""
# mypy: disable-error-code="import-not-found"

import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.config import RiskEngineConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OrderSide, TradingState
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, InstrumentId, PositionId
from nautilus_trader.model.objects import AccountBalance, MarginBalance, Money, Price, Quantity
from nautilus_trader.model.position import Position
from nautilus_trader.portfolio.portfolio import Portfolio
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.test_kit.stubs.component import TestComponentStubs
from nautilus_trader.test_kit.stubs.events import TestEventStubs
from nautilus_trader.test_kit.stubs.identifiers import TestIdStubs
from nautilus_trader.trading.strategy import Strategy
from telling import SENT, SILENT, durations, tell, verdicts

PERPETUAL = TestInstrumentProvider.btcusdt_perp_binance()
SPOT = TestInstrumentProvider.btcusdt_binance()
WARM_UP = 1000
"""Calls that are not measured."""


@dataclass
class World:
    """One account, one instrument, one strategy, and a RiskEngine between it and nothing."""

    margin: bool = True
    free: int = 10_000
    """USDT in the account; zero leaves the account out."""
    quoted: bool = True
    quote_age_seconds: int = 0
    orders_per_second: int = 1_000_000_000
    max_notional: int = 1_000
    sent: list[Any] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Wire the parts as a trading node does, up to the execution engine."""
        self.instrument = PERPETUAL if self.margin else SPOT
        self.clock, self.trader = LiveClock(), TestIdStubs.trader_id()
        self.bus = MessageBus(trader_id=self.trader, clock=self.clock)
        self.cache = TestComponentStubs.cache()
        parts = {"msgbus": self.bus, "cache": self.cache, "clock": self.clock}
        self.portfolio = Portfolio(**parts)
        config = RiskEngineConfig(
            max_order_submit_rate=f"{self.orders_per_second}/00:00:01",
            max_notional_per_order={str(self.instrument.id): self.max_notional},
        )
        self.engine = RiskEngine(portfolio=self.portfolio, config=config, **parts)
        self.bus.register("ExecEngine.execute", self.sent.append)
        self.bus.register("ExecEngine.process", lambda event: self.refusals.append(event.reason))
        self.cache.add_instrument(self.instrument)
        if self.free:
            self.portfolio.update_account(self._account())
        if self.quoted:
            self.cache.add_quote_tick(self._quote())
        self.strategy = Strategy()
        self.strategy.register(trader_id=self.trader, portfolio=self.portfolio, **parts)

    def _account(self) -> Any:
        total = Money(self.free, USDT)
        balances = [AccountBalance(total, Money(0, USDT), total)]
        if not self.margin:
            balances.append(AccountBalance(Money(100, BTC), Money(0, BTC), Money(100, BTC)))
        return AccountState(
            account_id=AccountId("BINANCE-001"),
            account_type=AccountType.MARGIN if self.margin else AccountType.CASH,
            base_currency=None,
            reported=True,
            balances=balances,
            margins=[],
            info={},
            event_id=UUID4(),
            ts_event=0,
            ts_init=0,
        )

    def _quote(self) -> Any:
        time = self.clock.timestamp_ns() - self.quote_age_seconds * 1_000_000_000
        bid, ask = self.instrument.make_price(50_000), self.instrument.make_price(50_001)
        size = self.instrument.make_qty(5)
        return QuoteTick(self.instrument.id, bid, ask, size, size, time, time)

    def order(self, quantity: str = "0.010", price: str | None = "50000.0", **more: Any) -> Any:
        """A buy order, a market order if it has no price."""
        words = {"instrument_id": self.instrument.id, "order_side": OrderSide.BUY} | more
        words["quantity"] = Quantity.from_str(quantity)
        factory = self.strategy.order_factory
        return factory.market(**words) if price is None else factory.limit(price=Price.from_str(price), **words)

    def command(self, order: Any, position: Any = None) -> Any:
        """The message that asks the RiskEngine."""
        self.cache.add_order(order)
        return SubmitOrder(
            trader_id=self.trader,
            strategy_id=self.strategy.id,
            position_id=position,
            order=order,
            command_id=UUID4(),
            ts_init=self.clock.timestamp_ns(),
        )

    def answer(self, *orders: Any, position: Any = None) -> str:
        """What became of the last of these orders."""
        for order in orders:
            self.sent.clear()
            self.refusals.clear()
            self.engine.execute(self.command(order, position))
        return self.verdict()

    def verdict(self) -> str:
        """SENT, or the engine's reason."""
        return SENT if self.sent else self.refusals[-1] if self.refusals else SILENT

    def hold(self, quantity: str) -> Any:
        """Let the account hold a long position; returns its id."""
        order = self.order(quantity, None)
        name = PositionId(f"P-{order.client_order_id}")
        fill = TestEventStubs.order_filled(
            order,
            self.instrument,
            position_id=name,
            last_px=self.instrument.make_price(50_000),
        )
        position = Position(self.instrument, fill)
        self.cache.add_position(position, 1)
        return position.id


def sell(world: World, quantity: str) -> Any:
    """A reduce-only market order."""
    return world.order(quantity, None, order_side=OrderSide.SELL, reduce_only=True)


def oversized_reduction() -> str:
    """Ten times the position that it names."""
    world = World()
    position = world.hold("0.010")
    return world.answer(sell(world, "0.100"), position=position)


def duplicate() -> str:
    """One client order id twice, through the strategy, where the peer looks at it."""
    world, first = World(), ""
    identity = ClientOrderId("O-1")
    for _ in range(2):
        world.sent.clear()
        world.strategy.submit_order(world.order(client_order_id=identity))
        first = first or world.verdict()
    return world.verdict() if first == SENT else f"stopped the first one too: {first}"


def in_state(state: Any) -> str:
    """An ordinary order in a state that should stop it."""
    world = World()
    world.engine.set_trading_state(state)
    return world.answer(world.order())


def unknown_instrument() -> str:
    """A symbol that nobody has loaded."""
    world = World()
    return world.answer(world.order(instrument_id=InstrumentId.from_str("XUSDT-PERP.BINANCE")))


def with_leverage() -> str:
    """An account whose leverage on the instrument is set to 100."""
    world = World()
    world.cache.account(AccountId("BINANCE-001")).set_leverage(world.instrument.id, Decimal(100))
    return world.answer(world.order())


def too_much_margin() -> str:
    """Nine tenths of the account's equity are margin already."""
    world = World()
    account = world.cache.account(AccountId("BINANCE-001"))
    margin = MarginBalance(Money(9_000, USDT), Money(9_000, USDT), world.instrument.id)
    account.update_margin(margin)
    return world.answer(world.order())


def many_positions() -> str:
    """Positions in twenty instruments, and an order that would be the next."""
    world = World()
    for _ in range(20):
        world.hold("0.010")
    return world.answer(world.order())


def burst() -> str:
    """Orders at twice the rate that is set."""
    world = World(orders_per_second=10)
    return world.answer(*(world.order() for _ in range(20)))


def single(order: dict[str, Any] | None = None, **world: Any) -> str:
    """One order in one world."""
    there = World(**world)
    return there.answer(there.order(**(order or {})))


def flat_reduction() -> str:
    """A reduce-only order without any position."""
    world = World()
    return world.answer(sell(world, "0.010"))


def unanswered() -> str:
    """A second order while the first one's outcome is unknown."""
    world = World()
    return world.answer(world.order(), world.order())


def lost_today() -> str:
    """An account that held 10,000 and holds 9,000."""
    world = World()
    world.free = 9_000
    world.portfolio.update_account(world._account())  # noqa: SLF001  # this file's own
    return world.answer(world.order())


CASES = {
    "price between two ticks": lambda: single({"price": "50000.05"}),
    "quantity between two lots": lambda: single({"quantity": "0.0105"}),
    "quantity above the venue's largest": lambda: single({"quantity": "5000.000"}),
    "notional below the venue's smallest": lambda: single({"quantity": "0.001", "price": "1000.0"}),
    "limit price ten times the market": lambda: single({"price": "500000.0"}, max_notional=100_000),
    "market price an hour old": lambda: single(quote_age_seconds=3600),
    "no market price": lambda: single({"price": None}, quoted=False),
    "client order id used before": duplicate,
    "account unknown": lambda: single(free=0),
    "instrument unknown": unknown_instrument,
    "reduce-only in a flat book": flat_reduction,
    "reduce-only larger than the position": oversized_reduction,
    "notional above the symbol's limit": lambda: single({"quantity": "0.100"}),
    "margin nearly used up": too_much_margin,
    "leverage above the limit": with_leverage,
    "one position too many": many_positions,
    "today's loss above the limit, still open": lost_today,
    "earlier order's outcome unknown": unanswered,
    "trading halted": lambda: in_state(TradingState.HALTED),
    "more orders a second than allowed": burst,
}
"""The bad orders, each with how this peer is asked."""


def measured(calls: int, *, margin: bool, state: Any = None) -> list[float]:
    """Durations of RiskEngine.execute for orders that are all allowed, or all halted."""
    world = World(margin=margin, free=10_000_000)
    if state is not None:
        world.engine.set_trading_state(state)
    commands = [world.command(world.order()) for _ in range(calls + WARM_UP)]
    values = durations(world.engine.execute, commands)[WARM_UP:]
    if bool(world.sent) is not (state is None):
        raise SystemExit(f"the measured orders did not get their answer: {world.refusals[:1]}")
    return values


def main() -> None:
    """Ask, and tell."""
    calls = int(sys.argv[1])
    samples = {
        "perpetual, 8 checks": measured(calls, margin=True),
        "spot, 15 checks": measured(calls, margin=False),
        "perpetual, halted": measured(calls, margin=True, state=TradingState.HALTED),
    }
    tell(samples, verdicts(CASES))


if __name__ == "__main__":
    main()
