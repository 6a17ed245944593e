"""An account: its keys, its money, its orders. Data and lookups; the exchange changes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotations when state is restored

from golive_simulator.margin import Position
from golive_simulator.orders import (
    ZERO,
    AlgoOrder,
    Fill,
    Income,
    MarginMode,
    Order,
)

DEFAULT_LEVERAGE = 20
"""Leverage of a contract nobody has set."""


@dataclass(slots=True)
class Account:
    """One customer of one environment."""

    api_key: str
    """Who signs."""
    secret: str
    """What requests are signed with."""
    wallet: Decimal
    """Money, without open profit: the sum of ``incomes``."""
    may_trade: bool = True
    """Whether the key may place orders."""
    may_withdraw: bool = False
    """A permission that a trading key should not have."""
    passphrase: str = "passphrase"  # noqa: S105 - the one everybody has who names no other
    """What OKX asks for besides key and signature."""
    positions: dict[str, Position] = field(default_factory=dict)
    """By contract; closed ones stay with nought."""
    leverages: dict[str, int] = field(default_factory=dict)
    """Where it was set."""
    margin_modes: dict[str, MarginMode] = field(default_factory=dict)
    """Where it was set."""
    orders: dict[int, Order] = field(default_factory=dict)
    """All orders by number."""
    algos: dict[int, AlgoOrder] = field(default_factory=dict)
    """All conditional orders by number."""
    fills: list[Fill] = field(default_factory=list)
    """All trades, oldest first."""
    incomes: list[Income] = field(default_factory=list)
    """All bookings, oldest first."""
    countdowns: dict[str, int] = field(default_factory=dict)
    """Wall time in ms at which a symbol's orders are cancelled unless the client renews."""
    open_order_ids: set[int] = field(default_factory=set)
    """Orders that may still fill."""
    open_algo_ids: set[int] = field(default_factory=set)
    """Conditional orders that still wait."""
    orders_by_client_id: dict[str, int] = field(default_factory=dict)
    """Number of the newest order with each client id."""
    algos_by_client_id: dict[str, int] = field(default_factory=dict)
    """Number of the newest conditional order with each client id."""
    unarmed_order_ids: set[int] = field(default_factory=set)
    """Orders whose attached conditional orders wait for a first fill."""
    is_hedged: bool = False
    """Whether the account is set to keep long and short positions apart, which the simulator only tells."""
    silence_ms: int = 0
    """How long the client may be silent before its orders are cancelled; nought for ever."""
    heard_ms: int = 0
    """Wall time of the client's last signed request, where the venue listens for silence."""

    def position(self, symbol: str) -> Position:
        """The net position in a contract, empty if there was none."""
        return self.positions.get(symbol, Position())

    def leverage(self, symbol: str) -> int:
        """The leverage set for a contract."""
        return self.leverages.get(symbol, DEFAULT_LEVERAGE)

    def margin_mode(self, symbol: str) -> MarginMode:
        """The margin mode set for a contract."""
        return self.margin_modes.get(symbol, MarginMode.CROSSED)

    def accept(self, order: Order) -> None:
        """Keep a new order, open and under its client id."""
        self.orders[order.order_id] = order
        self.open_order_ids.add(order.order_id)
        if order.request.client_order_id:
            self.orders_by_client_id[order.request.client_order_id] = order.order_id

    def hold(self, algo: AlgoOrder) -> None:
        """Keep a new conditional order, waiting and under its client id."""
        self.algos[algo.algo_id] = algo
        self.open_algo_ids.add(algo.algo_id)
        if algo.request.client_algo_id:
            self.algos_by_client_id[algo.request.client_algo_id] = algo.algo_id

    def fills_of(self, order: Order) -> list[Fill]:
        """An order's trades, oldest first."""
        return [self.fills[place] for place in order.fill_places]

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Orders that may still fill, oldest first."""
        orders = (self.orders[number] for number in sorted(self.open_order_ids))
        return [order for order in orders if symbol in {None, order.request.symbol}]

    def open_algos(self, symbol: str | None = None) -> list[AlgoOrder]:
        """Conditional orders that still wait, oldest first."""
        orders = (self.algos[number] for number in sorted(self.open_algo_ids))
        return [order for order in orders if symbol in {None, order.request.symbol}]

    def order_of_client(self, client_order_id: str) -> Order | None:
        """The newest order with this client id."""
        return self.orders.get(self.orders_by_client_id.get(client_order_id, 0))

    def algo_of_client(self, client_algo_id: str) -> AlgoOrder | None:
        """The newest conditional order with this client id."""
        return self.algos.get(self.algos_by_client_id.get(client_algo_id, 0))

    def symbols_at_risk(self) -> set[str]:
        """Contracts with a position or an open order."""
        held = {symbol for symbol, position in self.positions.items() if position.is_open}
        return held | {self.orders[number].request.symbol for number in self.open_order_ids}

    def isolated_money(self) -> Decimal:
        """Wallet money set aside for isolated positions."""
        return sum((position.isolated_wallet for position in self.positions.values()), ZERO)
