"""freqtrade's entry path, asked in its own environment: its bot on its exchange class, without a network.

Only ccxt's requests are replaced, so that prices, amounts, locks and wallets are freqtrade's own work.
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

import logging
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import ccxt
import ccxt.async_support
from freqtrade.enums import CandleType, State
from freqtrade.exchange import Binance
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import PairLocks, Trade, init_db
from freqtrade.resolvers import ExchangeResolver, StrategyResolver
from freqtrade.rpc.rpc import RPC, RPCException
from freqtrade.strategy import IStrategy
from pandas import DataFrame
from telling import CORRECTED, SENT, SILENT, durations, tell, verdicts

PAIR = "BTC/USDT:USDT"
PRICE = 50_000.0
QUANTITY = 0.01
CALL_SHARE = 10
"""Its gate asks a database: one call for so many of the others'."""


class AlwaysBuy(IStrategy):
    """Wants what the case says, at each candle."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    stoploss = -0.05
    minimal_roi = {"0": 10.0}
    can_short = False
    protections = [
        {"method": "MaxDrawdown", "lookback_period": 1440, "trade_limit": 1, "max_allowed_drawdown": 0.05},
    ]
    price: float | None = None
    quantity = QUANTITY
    times = 1.0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:  # noqa: ARG002  # its interface
        """None."""
        return dataframe

    populate_entry_trend = populate_exit_trend = populate_indicators

    def custom_entry_price(self, proposed_rate: float, **_: Any) -> float:
        """The case's price, or the market's."""
        return self.price or proposed_rate

    def custom_stake_amount(self, current_rate: float, **_: Any) -> float:
        """The case's quantity in money."""
        return self.quantity * current_rate / self.times

    def leverage(self, **_: Any) -> float:
        """The case's leverage."""
        return self.times


class Offline(Binance):
    """The peer's own exchange, which does not introduce itself to the venue."""

    def additional_exchange_init(self) -> None:
        """None."""


unexpected: list[str] = []
"""Requests for which no case has an answer; one of them would make every verdict doubtful."""


def no_network(_: Any, url: str, *__: Any, **___: Any) -> None:
    """Stands where ccxt would open a connection."""
    unexpected.append(url)
    raise ccxt.NetworkError("this is a benchmark")


def market(pair: str) -> dict[str, Any]:
    """A perpetual as ccxt describes one."""
    base = pair.split("/", maxsplit=1)[0]
    none = {"min": None, "max": None}
    return {
        "id": f"{base}USDT",
        "symbol": pair,
        "base": base,
        "quote": "USDT",
        "settle": "USDT",
        "type": "swap",
        "spot": False,
        "margin": False,
        "swap": True,
        "future": False,
        "option": False,
        "contract": True,
        "linear": True,
        "inverse": False,
        "contractSize": 1.0,
        "active": True,
        "info": {},
        "taker": 0.0005,
        "maker": 0.0002,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {
            "amount": {"min": 0.001, "max": 1000.0},
            "cost": {"min": 50.0, "max": None},
            "price": none,
            "leverage": none,
        },
    }


class World:
    """One bot, one account, one strategy; `orders` are those that would have left."""

    def __init__(self, free: float = 10_000.0, slots: int = 10, pairs: int = 1, **strategy: Any) -> None:
        self.pairs = [PAIR, *(f"C{number}/USDT:USDT" for number in range(1, pairs))]
        self.free, self.book, self.orders = free, [[PRICE, 5.0]], list[Any]()
        self.config = {
            "dry_run": False,
            "runmode": "live",
            "stake_currency": "USDT",
            "stake_amount": 500,
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "candle_type_def": CandleType.FUTURES,
            "max_open_trades": slots,
            "timeframe": "5m",
            "strategy": "AlwaysBuy",
            "initial_state": "running",
            "db_url": "sqlite://",
            "tradable_balance_ratio": 0.99,
            "dataformat_ohlcv": "feather",
            "unfilledtimeout": {},
            "internals": {},
            "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
            "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
            "exchange": {
                "name": "binance",
                "key": "k",
                "secret": "s",
                "enable_ws": False,
                "pair_whitelist": self.pairs,
            },
            "pairlists": [{"method": "StaticPairList", "allow_inactive": True}],
        }
        self.exchange = self._exchange()
        plan = AlwaysBuy(self.config)
        for name, value in strategy.items():
            setattr(plan, name, value)
        ExchangeResolver.load_exchange = lambda *_, **__: self.exchange
        StrategyResolver._load_strategy = lambda *_, **__: plan  # noqa: SLF001  # the peer has no public seam
        self.bot = FreqtradeBot(self.config)
        self.candles(age=timedelta(minutes=5))

    def _exchange(self) -> Any:
        """The peer's Binance class; only what would ask the network is replaced."""
        exchange = Offline(self.config, validate=False, load_leverage_tiers=False)
        exchange._markets = {pair: market(pair) for pair in self.pairs}  # noqa: SLF001  # as its loader fills it
        tier = {"minNotional": 0, "maxNotional": None, "maintenanceMarginRate": 0.004, "maxLeverage": 125.0}
        exchange._api.markets = exchange._markets  # noqa: SLF001  # same
        exchange._leverage_tiers = {pair: [tier | {"maintAmt": 0.0}] for pair in self.pairs}  # noqa: SLF001  # same
        exchange.validate_config = exchange.reload_markets = lambda *_, **__: None
        requests = {
            "create_order": self.take,
            "fetch_balance": lambda *_: {"USDT": {"free": self.free, "used": 0.0, "total": self.free}},
            "fetch_l2_order_book": lambda *_: {"bids": self.book, "asks": self.book},
            "calculate_fee": lambda *_, **__: {"rate": 0.0005},
            "set_leverage": lambda *_, **__: {},
            "set_margin_mode": lambda *_, **__: {},
        }
        for name in ("fetch_positions", "fetch_my_trades", "fetch_funding_history"):
            requests[name] = lambda *_, **__: []
        for name, answer in requests.items():
            setattr(exchange._api, name, answer)  # noqa: SLF001  # the seam is ccxt
        return exchange

    def take(self, pair: str, kind: str, side: str, amount: float, price: float | None, _: Any) -> Any:
        """An order has left; it rests."""
        self.orders.append((amount, price))
        return {
            "id": str(len(self.orders)),
            "symbol": pair,
            "type": kind,
            "side": side,
            "status": "open",
            "amount": amount,
            "price": price or PRICE,
            "average": None,
            "filled": 0.0,
            "remaining": amount,
            "timestamp": 0,
            "datetime": None,
            "cost": 0.0,
            "info": {},
        }

    def candles(self, age: timedelta) -> None:
        """Let the last candle of each pair ask for an entry."""
        row = {"date": [datetime.now(UTC) - age], "close": [PRICE], "enter_long": [1]}
        frame = DataFrame(row | {name: [PRICE] for name in ("open", "high", "low")} | {"volume": [1.0]})
        for pair in self.pairs:
            self.bot.dataprovider._set_cached_df(pair, "5m", frame, CandleType.FUTURES)  # noqa: SLF001  # as analysis does

    def trade(self) -> None:
        """The last step of the bot's cycle, with its own condition."""
        slots = self.bot.get_free_open_trades()
        if self.bot.state == State.RUNNING and slots > 0:
            self.bot.enter_positions(slots)

    def answer(self, quantity: float = QUANTITY, price: float = PRICE) -> str:
        """What became of the order that the next cycle wants."""
        before = len(self.orders)
        heard.clear()
        self.trade()
        if len(self.orders) == before:
            return heard[-1] if heard else SILENT
        if self.orders[-1] == (quantity, price):
            return SENT
        return f"{CORRECTED}: {self.orders[-1][0]} at {self.orders[-1][1]}"

    def hold(self, pair: str = PAIR, rate: float = PRICE) -> Any:
        """Let the bot have an open trade."""
        now = datetime.now(UTC)
        trade = Trade(
            pair=pair,
            stake_amount=500,
            amount=QUANTITY,
            open_rate=rate,
            is_open=True,
            fee_open=0.0,
            fee_close=0.0,
            exchange="binance",
            open_date=now,
            leverage=1.0,
        )
        Trade.session.add(trade)
        Trade.commit()
        return trade


heard: list[str] = []
"""What the peer has logged since it was last asked."""


class Listener(logging.Handler):
    """Keeps what the peer says of an order that it does not send."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        if "signal found" not in record.getMessage():
            heard.append(record.getMessage())


def single(**words: Any) -> str:
    """One order in one world; `asked` is what an unchanged order would be."""
    asked = {"quantity": words.get("quantity", QUANTITY), "price": words.get("price", PRICE)}
    return World(**words).answer(**asked)


def stale() -> str:
    """Candles of an hour ago."""
    world = World()
    world.candles(age=timedelta(hours=1))
    return world.answer()


def no_price() -> str:
    """An empty book."""
    world = World()
    world.book.clear()
    return world.answer()


def again() -> str:
    """The same order in two cycles."""
    world = World()
    first = world.answer()
    return world.answer() if first == SENT else f"stopped the first one too: {first}"


def unknown_instrument() -> str:
    """A pair that the venue does not list."""
    world = World()
    world.exchange._markets.clear()  # noqa: SLF001  # as its loader fills it
    world.exchange._markets["ETH/USDT:USDT"] = market("ETH/USDT:USDT")  # noqa: SLF001  # same
    return world.answer()


def reduction(*, held: bool) -> str:
    """The operator's forced exit of ten times the usual quantity."""
    world = World()
    trade = world.hold() if held else None
    try:
        RPC(world.bot)._rpc_force_exit(str(trade.id if trade else 1), amount=10 * QUANTITY)  # noqa: SLF001  # what its API calls
    except RPCException as error:
        return str(error)
    sent = world.orders[-1][0] if world.orders else 0
    return SENT if sent > QUANTITY else f"{CORRECTED}: {sent}" if sent else SILENT


def one_too_many() -> str:
    """A single slot, and it is taken."""
    world = World(slots=1, pairs=2)
    world.hold(world.pairs[1])
    return world.answer()


def lost_today() -> str:
    """A tenth of the account is lost in a trade that is still open."""
    world = World(free=9_000.0, pairs=2)
    world.hold(world.pairs[1], rate=10 * PRICE)
    return world.answer()


def unanswered() -> str:
    """A time-out after the request, then the next cycle."""
    world = World()
    take = world.take

    def lost(*words: Any) -> Any:
        take(*words)
        raise ccxt.RequestTimeout("no answer")

    world.exchange._api.create_order = lost  # noqa: SLF001  # the seam is ccxt
    world.trade()
    return world.answer()


def halted() -> str:
    """Stopped by a person."""
    world = World()
    RPC(world.bot)._rpc_pause()  # noqa: SLF001  # what its API calls
    return world.answer()


def burst() -> str:
    """Twenty orders in one cycle."""
    world = World(free=1e6, slots=100, pairs=20)
    world.trade()
    return SENT if len(world.orders) == len(world.pairs) else f"{len(world.orders)} have left"


CASES: dict[str, Callable[[], str]] = {
    "price between two ticks": lambda: single(price=50_000.05),
    "quantity between two lots": lambda: single(quantity=0.0105),
    "quantity above the venue's largest": lambda: single(free=1e9, quantity=5_000.0),
    "notional below the venue's smallest": lambda: single(quantity=0.0005),
    "limit price ten times the market": lambda: single(price=500_000.0),
    "market price an hour old": stale,
    "no market price": no_price,
    "client order id used before": again,
    "account unknown": lambda: single(free=0.0),
    "instrument unknown": unknown_instrument,
    "reduce-only in a flat book": lambda: reduction(held=False),
    "reduce-only larger than the position": lambda: reduction(held=True),
    "notional above the symbol's limit": lambda: single(quantity=0.1),
    "margin nearly used up": lambda: single(free=100.0),
    "leverage above the limit": lambda: single(times=100.0),
    "one position too many": one_too_many,
    "today's loss above the limit, still open": lost_today,
    "earlier order's outcome unknown": unanswered,
    "trading halted": halted,
    "more orders a second than allowed": burst,
}
"""The bad orders, each with how this peer is asked."""


def gate(_: object) -> bool:
    """What it asks before each entry: open trades, the lock on all, the lock on the pair."""
    Trade.get_open_trade_count()
    return bool(PairLocks.is_global_lock(side="*") or PairLocks.is_pair_locked(PAIR, side="long"))


def measured(calls: int) -> list[float]:
    """Durations of its entry gate on a database file with three open trades and a lock on another pair."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(pairs=4)
        init_db(f"sqlite:///{folder}/trades.sqlite")
        for pair in world.pairs[1:]:
            world.hold(pair)
        PairLocks.lock_pair("DOGE/USDT:USDT", datetime.now(UTC) + timedelta(hours=3), "another")
        if gate(None):
            raise SystemExit("the measured gate is shut")
        values = durations(gate, range(calls))
        Trade.session.remove()
    return values


def main() -> None:
    """Ask, and tell."""
    ccxt.Exchange.fetch = ccxt.async_support.Exchange.fetch = no_network
    logger = logging.getLogger("freqtrade")
    logger.setLevel(logging.INFO)
    logger.addHandler(Listener())
    samples = {"entry gate, 3 SQL reads": measured(int(sys.argv[1]) // CALL_SHARE)}
    found = verdicts(CASES)
    if unexpected:
        raise SystemExit(f"a request has no answer here: {unexpected[0]}")
    tell(samples, found)


if __name__ == "__main__":
    main()
