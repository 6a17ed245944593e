"""Public endpoints: contracts, prices, books, candles."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from golive_simulator.candles import CANDLE_SECONDS, Candle, merged
from golive_simulator.dialect.binance import payloads
from golive_simulator.dialect.binance.call import Call, Endpoint
from golive_simulator.dialect.binance.complaints import Complaint
from golive_simulator.market import FUNDING_INTERVAL_SECONDS, FUNDING_RATE

if TYPE_CHECKING:
    from golive_simulator.book import Level
    from golive_simulator.instruments import Instrument

MINUTE_MS = CANDLE_SECONDS * 1000
"""Length of a candle of the feed."""

DAY_MINUTES = 1440
"""Candles in the 24-hour ticker."""

INTERVAL_MINUTES = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
}
"""Candle intervals served; longer ones than a day need more history than there is."""

DEPTH_LIMITS = frozenset({5, 10, 20, 50, 100, 500, 1000})
"""Book depths a client may ask for."""


def ping(_call: Call) -> dict[str, Any]:
    """Nothing, quickly."""
    return {}


def time(call: Call) -> dict[str, Any]:
    """The venue's clock."""
    return {"serverTime": call.now_ms}


def exchange_info(call: Call) -> dict[str, Any]:
    """Limits, assets and contracts."""
    instruments = call.exchange.market.instruments.values()
    assets = sorted({instrument.base for instrument in instruments} | {"USDT"})
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, call.limits.weight_per_minute),
            _rate_limit("ORDERS", "MINUTE", 1, call.limits.orders_per_minute),
            _rate_limit("ORDERS", "SECOND", 10, call.limits.orders_per_10_seconds),
        ],
        "exchangeFilters": [],
        "assets": [
            {"asset": name, "marginAvailable": name == "USDT", "autoAssetExchange": "-100"} for name in assets
        ],
        "symbols": [instrument.info for instrument in instruments],
    }


def _rate_limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    """One limit in the notation of the exchange information."""
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def depth(call: Call) -> dict[str, Any]:
    """The book."""
    instrument = call.instrument()
    limit = call.parameters.optional_integer("limit") or 500
    if limit not in DEPTH_LIMITS:
        raise Complaint(-4021, f"{limit} is not valid depth limit.")
    quote = call.shown(instrument.symbol)
    return {
        "lastUpdateId": quote.sequence,
        "E": quote.time_ms,
        "T": quote.time_ms,
        "bids": _levels(instrument, quote.book.bids[:limit]),
        "asks": _levels(instrument, quote.book.asks[:limit]),
    }


def _levels(instrument: Instrument, levels: list[Level]) -> list[list[str]]:
    """One side of the book."""
    return [[payloads.price(instrument, price), payloads.quantity(instrument, size)] for price, size in levels]


def book_ticker(call: Call) -> Any:
    """The best prices."""
    return _one_or_all(call, _book_ticker)


def _book_ticker(call: Call, instrument: Instrument) -> dict[str, Any]:
    """One contract's best prices."""
    quote = call.shown(instrument.symbol)
    bid, ask = quote.book.bids[0], quote.book.asks[0]
    return {
        "symbol": instrument.symbol,
        "bidPrice": payloads.price(instrument, bid.price),
        "bidQty": payloads.quantity(instrument, bid.quantity),
        "askPrice": payloads.price(instrument, ask.price),
        "askQty": payloads.quantity(instrument, ask.quantity),
        "time": quote.time_ms,
        "lastUpdateId": quote.sequence,
    }


def ticker_price(call: Call) -> Any:
    """The last price."""
    return _one_or_all(call, _ticker_price)


def _ticker_price(call: Call, instrument: Instrument) -> dict[str, Any]:
    """One contract's last price."""
    quote = call.shown(instrument.symbol)
    return {
        "symbol": instrument.symbol,
        "price": payloads.price(instrument, quote.last),
        "time": quote.time_ms,
    }


def ticker_24hr(call: Call) -> Any:
    """The last day in one row."""
    return _one_or_all(call, _ticker_24hr)


def _ticker_24hr(call: Call, instrument: Instrument) -> dict[str, Any]:
    """One contract's last day."""
    quote = call.shown(instrument.symbol)
    newest = call.exchange.market.series[instrument.symbol].newest(DAY_MINUTES)
    day, opened = merged(newest), Decimal(repr(newest[0].open))
    change = quote.last - instrument.round_price(opened)
    turnover = sum(row.volume * row.close for row in newest)
    return {
        "symbol": instrument.symbol,
        "priceChange": payloads.price(instrument, change),
        "priceChangePercent": f"{change / opened * 100:.3f}",
        "weightedAvgPrice": f"{turnover / day.volume:.{instrument.price_precision}f}",
        "lastPrice": payloads.price(instrument, quote.last),
        "lastQty": payloads.quantity(instrument, quote.book.bids[0].quantity),
        "openPrice": _price(instrument, day.open),
        "highPrice": _price(instrument, day.high),
        "lowPrice": _price(instrument, day.low),
        "volume": f"{day.volume:.{instrument.quantity_precision}f}",
        "quoteVolume": f"{turnover:.2f}",
        "openTime": quote.time_ms - DAY_MINUTES * MINUTE_MS,
        "closeTime": quote.time_ms,
        "firstId": max(1, quote.sequence - DAY_MINUTES),
        "lastId": quote.sequence,
        "count": DAY_MINUTES,
    }


def _price(instrument: Instrument, value: float) -> str:
    """A candle price on the tick grid."""
    return payloads.price(instrument, instrument.round_price(value))


def _one_or_all(call: Call, row: Any) -> Any:
    """One object when a symbol is named, else a list of all."""
    rows = [row(call, instrument) for instrument in call.instruments()]
    return rows[0] if call.parameters.optional("symbol") else rows


def premium_index(call: Call) -> Any:
    """Mark price and funding."""
    return _one_or_all(call, _premium_index)


def _premium_index(call: Call, instrument: Instrument) -> dict[str, Any]:
    """One contract's mark price and funding."""
    quote, market = call.shown(instrument.symbol), call.exchange.market
    remaining = FUNDING_INTERVAL_SECONDS - market.simulated_seconds % FUNDING_INTERVAL_SECONDS
    return {
        "symbol": instrument.symbol,
        "markPrice": payloads.money(quote.mark),
        "indexPrice": payloads.money(quote.mark),
        "estimatedSettlePrice": payloads.money(quote.mark),
        "lastFundingRate": payloads.money(FUNDING_RATE),
        "nextFundingTime": call.now_ms // MINUTE_MS * MINUTE_MS + remaining * 1000,
        "interestRate": "0.00010000",
        "time": quote.time_ms,
    }


def funding_rate(call: Call) -> list[dict[str, Any]]:
    """Funding rates of the last payments."""
    interval_ms = FUNDING_INTERVAL_SECONDS * 1000
    newest = call.now_ms // interval_ms * interval_ms
    limit = min(call.parameters.optional_integer("limit") or 100, 1000)
    return [
        {
            "symbol": instrument.symbol,
            "fundingRate": payloads.money(FUNDING_RATE),
            "fundingTime": newest - age * interval_ms,
            "markPrice": payloads.money(call.exchange.market.mark(instrument.symbol)),
        }
        for instrument in call.instruments()
        for age in reversed(range(limit if call.parameters.optional("symbol") else 1))
    ]


def open_interest(call: Call) -> dict[str, Any]:
    """Open positions of all customers, which the simulator does not have: a fixed figure."""
    instrument = call.instrument()
    size = instrument.round_quantity(Decimal(500_000_000) / call.shown(instrument.symbol).last)
    return {
        "openInterest": payloads.quantity(instrument, size),
        "symbol": instrument.symbol,
        "time": call.now_ms,
    }


def klines(call: Call) -> list[list[Any]]:
    """Candles of a contract, shifted so that the newest one is of this minute."""
    return _klines(call, call.instrument())


def pair_klines(call: Call) -> list[list[Any]]:
    """Candles of a pair."""
    return _klines(call, call.exchange.instrument(call.parameters.text("pair")))


def _klines(call: Call, instrument: Instrument) -> list[list[Any]]:
    """Candles of the asked interval and time."""
    minutes = INTERVAL_MINUTES.get(call.parameters.text("interval"))
    if minutes is None:
        raise Complaint(-1120, "Invalid interval.")
    limit = min(call.parameters.optional_integer("limit") or 500, 1500)
    start_ms = call.parameters.optional_integer("startTime") or 0
    end_ms = call.parameters.optional_integer("endTime") or call.now_ms
    if start_ms > end_ms:
        raise Complaint(-1023, "Start time is greater than end time.")
    # with a start the oldest rows count, without one the newest
    wanted = len(call.exchange.market.series[instrument.symbol].past) + 1 if start_ms else (limit + 1) * minutes
    rows = [
        _kline(instrument, opened_ms, minutes, candle)
        for opened_ms, candle in _dated(call, instrument.symbol, minutes, wanted)
        if start_ms <= opened_ms <= end_ms
    ]
    return rows[:limit] if start_ms else rows[-limit:]


def _dated(call: Call, symbol: str, minutes: int, wanted: int) -> list[tuple[int, Candle]]:
    """Candles with their opening time on the wall clock, merged into intervals aligned to it."""
    newest = call.exchange.market.series[symbol].newest(wanted)
    last_ms = call.now_ms // MINUTE_MS * MINUTE_MS
    groups: dict[int, list[Candle]] = {}
    for age, candle in enumerate(reversed(newest)):
        opened_ms = last_ms - age * MINUTE_MS
        groups.setdefault(opened_ms - opened_ms % (minutes * MINUTE_MS), []).insert(0, candle)
    return [(opened_ms, merged(groups[opened_ms])) for opened_ms in sorted(groups)]


def _kline(instrument: Instrument, opened_ms: int, minutes: int, candle: Candle) -> list[Any]:
    """One candle in the notation of twelve columns."""
    turnover = candle.volume * candle.close
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        opened_ms,
        *(_price(instrument, value) for value in prices),
        f"{candle.volume:.{instrument.quantity_precision}f}",
        opened_ms + minutes * MINUTE_MS - 1,
        f"{turnover:.5f}",
        100 * minutes,
        f"{candle.volume / 2:.{instrument.quantity_precision}f}",
        f"{turnover / 2:.5f}",
        "0",
    ]


def trades(call: Call) -> list[dict[str, Any]]:
    """The market's last trades, one for each recent candle."""
    instrument = call.instrument()
    limit = min(call.parameters.optional_integer("limit") or 500, 1000)
    return [
        {
            "id": opened_ms // MINUTE_MS,
            "price": _price(instrument, candle.close),
            "qty": f"{candle.volume / 100:.{instrument.quantity_precision}f}",
            "quoteQty": f"{candle.volume / 100 * candle.close:.2f}",
            "time": min(opened_ms + MINUTE_MS - 1, call.now_ms),
            "isBuyerMaker": candle.close < candle.open,
        }
        for opened_ms, candle in _dated(call, instrument.symbol, 1, limit)
    ]


def aggregate_trades(call: Call) -> list[dict[str, Any]]:
    """The market's last trades in the compact notation."""
    return [
        {
            "a": row["id"],
            "p": row["price"],
            "q": row["qty"],
            "f": row["id"],
            "l": row["id"],
            "T": row["time"],
            "m": row["isBuyerMaker"],
        }
        for row in trades(call)
    ]


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/fapi/v1/ping"): Endpoint(ping),
    ("GET", "/fapi/v1/time"): Endpoint(time),
    ("GET", "/fapi/v1/exchangeInfo"): Endpoint(exchange_info),
    ("GET", "/fapi/v1/depth"): Endpoint(depth, weight=5),
    ("GET", "/fapi/v1/trades"): Endpoint(trades, weight=5),
    ("GET", "/fapi/v1/historicalTrades"): Endpoint(trades, weight=200),
    ("GET", "/fapi/v1/aggTrades"): Endpoint(aggregate_trades, weight=20),
    ("GET", "/fapi/v1/klines"): Endpoint(klines, weight=2),
    ("GET", "/fapi/v1/markPriceKlines"): Endpoint(klines, weight=2),
    ("GET", "/fapi/v1/continuousKlines"): Endpoint(pair_klines, weight=2),
    ("GET", "/fapi/v1/indexPriceKlines"): Endpoint(pair_klines, weight=2),
    ("GET", "/fapi/v1/premiumIndex"): Endpoint(premium_index),
    ("GET", "/fapi/v1/fundingRate"): Endpoint(funding_rate),
    ("GET", "/fapi/v1/openInterest"): Endpoint(open_interest),
    ("GET", "/fapi/v1/ticker/24hr"): Endpoint(ticker_24hr, weight_without_symbol=40),
    ("GET", "/fapi/v1/ticker/price"): Endpoint(ticker_price, weight_without_symbol=2),
    ("GET", "/fapi/v2/ticker/price"): Endpoint(ticker_price, weight_without_symbol=2),
    ("GET", "/fapi/v1/ticker/bookTicker"): Endpoint(book_ticker, weight=2, weight_without_symbol=5),
    ("GET", "/api/v3/ping"): Endpoint(ping),
    ("GET", "/api/v3/time"): Endpoint(time),
}
"""Public endpoints by method and path."""
