"""Public endpoints: contracts, prices, books, candles."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from golive_simulator.candles import CANDLE_SECONDS, Candle, merged
from golive_simulator.dialect.okx.call import Call, Endpoint
from golive_simulator.dialect.okx.complaints import wrong
from golive_simulator.dialect.okx.contracts import to_contracts
from golive_simulator.dialect.okx.payloads import number, size
from golive_simulator.market import FUNDING_INTERVAL_SECONDS, FUNDING_RATE

if TYPE_CHECKING:
    from golive_simulator.book import Level
    from golive_simulator.instruments import Instrument

MINUTE_MS = CANDLE_SECONDS * 1000
"""Length of a candle of the feed."""

DAY_MINUTES = 1440
"""Candles in the 24-hour ticker."""

BAR_MINUTES = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1H": 60,
    "2H": 120,
    "4H": 240,
    "6Hutc": 360,
    "12Hutc": 720,
    "1Dutc": 1440,
}
"""Candle intervals served, of those that begin with a day in UTC."""

MOST_CANDLES = 300
"""Candles in one answer."""

DEEPEST_BOOK = 400
"""Levels of the ordinary book that may be asked for."""

DEEPEST_FULL_BOOK = 5_000
"""Levels of the full book that may be asked for."""


def time(call: Call) -> list[Any]:
    """The venue's clock."""
    return [{"ts": str(call.now_ms)}]


def instruments(call: Call) -> list[Any]:
    """Contracts of a type; there are only swaps."""
    return [instrument.info for instrument in call.chosen(needs_type=True)]


def ticker(call: Call) -> list[Any]:
    """One contract's last day."""
    return [_ticker(call, call.instrument())]


def tickers(call: Call) -> list[Any]:
    """The last day of all contracts of a type."""
    return [_ticker(call, instrument) for instrument in call.chosen(needs_type=True)]


def _ticker(call: Call, instrument: Instrument) -> dict[str, Any]:
    """A contract's last day in one row."""
    quote, market = call.shown(instrument), call.exchange.market
    day = merged(market.series[market.source(instrument.symbol)].newest(DAY_MINUTES))
    bid, ask = quote.book.bids[0], quote.book.asks[0]
    volume = Decimal(repr(day.volume))
    return {
        "instType": "SWAP",
        "instId": instrument.symbol,
        "last": number(quote.last),
        "lastSz": size(instrument, bid.quantity),
        "askPx": number(ask.price),
        "askSz": size(instrument, ask.quantity),
        "bidPx": number(bid.price),
        "bidSz": size(instrument, bid.quantity),
        "open24h": _price(instrument, day.open),
        "high24h": _price(instrument, day.high),
        "low24h": _price(instrument, day.low),
        "volCcy24h": f"{volume:.4f}",
        "vol24h": f"{to_contracts(instrument, volume):.2f}",
        "ts": str(quote.time_ms),
        "sodUtc0": _price(instrument, day.open),
        "sodUtc8": _price(instrument, day.open),
    }


def _price(instrument: Instrument, value: float) -> str:
    """A candle price on the tick grid."""
    return number(instrument.round_price(value))


def books(call: Call) -> list[Any]:
    """The ordinary book."""
    return _book(call, DEEPEST_BOOK)


def full_books(call: Call) -> list[Any]:
    """The book as deep as it is."""
    return _book(call, DEEPEST_FULL_BOOK)


def _book(call: Call, deepest: int) -> list[Any]:
    """The book, one level deep if the request does not say."""
    instrument, quote = call.instrument(), call.shown(call.instrument())
    depth = call.parameters.optional_integer("sz", 1)
    if not 1 <= depth <= deepest:
        raise wrong("sz")
    return [
        {
            "asks": _levels(instrument, quote.book.asks[:depth]),
            "bids": _levels(instrument, quote.book.bids[:depth]),
            "ts": str(quote.time_ms),
            "seqId": quote.sequence,
        }
    ]


def _levels(instrument: Instrument, levels: list[Level]) -> list[list[str]]:
    """One side of the book: price, contracts, a field of former times, number of orders."""
    return [[number(price), size(instrument, quantity), "0", "1"] for price, quantity in levels]


def candles(call: Call) -> list[Any]:
    """Candles, newest first, shifted so that the newest one is of this minute."""
    instrument = call.instrument()
    minutes = call.parameters.choice("bar", BAR_MINUTES, "1m")
    limit = min(call.parameters.optional_integer("limit", 100), MOST_CANDLES)
    after = call.parameters.optional_integer("after", 0) or call.now_ms + 1
    before = call.parameters.optional_integer("before", 0)
    rows = [
        _candle(call, instrument, opened_ms, minutes, candle)
        for opened_ms, candle in _dated(call, instrument, minutes)
        if before < opened_ms < after
    ]
    return rows[:limit]


def _dated(call: Call, instrument: Instrument, minutes: int) -> list[tuple[int, Candle]]:
    """All candles with their opening time on the wall clock, newest first, merged into intervals of it."""
    market = call.exchange.market
    series = market.series[market.source(instrument.symbol)]
    last_ms, length_ms = call.now_ms // MINUTE_MS * MINUTE_MS, minutes * MINUTE_MS
    groups: dict[int, list[Candle]] = {}
    for age, candle in enumerate(reversed(series.newest(len(series.past) + 1))):
        opened_ms = (last_ms - age * MINUTE_MS) // length_ms * length_ms
        groups.setdefault(opened_ms, []).append(candle)
    return [(opened_ms, merged(reversed(group))) for opened_ms, group in groups.items()]


def _candle(call: Call, instrument: Instrument, opened_ms: int, minutes: int, candle: Candle) -> list[str]:
    """One candle in the notation of nine columns."""
    volume = Decimal(repr(candle.volume))
    is_over = opened_ms + minutes * MINUTE_MS <= call.now_ms
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        str(opened_ms),
        *(_price(instrument, value) for value in prices),
        f"{to_contracts(instrument, volume):.2f}",
        f"{volume:.4f}",
        f"{candle.volume * candle.close:.5f}",
        str(int(is_over)),
    ]


def trades(call: Call) -> list[Any]:
    """The market's last trades, one for each recent candle, newest first."""
    instrument = call.instrument()
    limit = min(call.parameters.optional_integer("limit", 100), 500)
    return [
        {
            "instId": instrument.symbol,
            "side": "sell" if candle.close < candle.open else "buy",
            "sz": f"{to_contracts(instrument, Decimal(repr(candle.volume / 100))):.2f}",
            "px": _price(instrument, candle.close),
            "source": "0",
            "tradeId": str(opened_ms // MINUTE_MS),
            "ts": str(min(opened_ms + MINUTE_MS - 1, call.now_ms)),
        }
        for opened_ms, candle in _dated(call, instrument, 1)[:limit]
    ]


def mark_price(call: Call) -> list[Any]:
    """Mark prices."""
    return [
        {
            "instType": "SWAP",
            "instId": instrument.symbol,
            "markPx": number(call.shown(instrument).mark),
            "ts": str(call.shown(instrument).time_ms),
        }
        for instrument in call.chosen()
    ]


def price_limit(call: Call) -> list[Any]:
    """The highest buy and the lowest sell that are taken."""
    instrument, quote = call.instrument(), call.shown(call.instrument())
    return [
        {
            "instType": "SWAP",
            "instId": instrument.symbol,
            "buyLmt": number(instrument.round_price(quote.mark * instrument.multiplier_up)),
            "sellLmt": number(instrument.round_price(quote.mark * instrument.multiplier_down)),
            "ts": str(quote.time_ms),
            "enabled": True,
        }
    ]


def funding_rate(call: Call) -> list[Any]:
    """The rate of the next payment."""
    instrument, market = call.instrument(), call.exchange.market
    remaining = FUNDING_INTERVAL_SECONDS - market.simulated_seconds % FUNDING_INTERVAL_SECONDS
    due_ms = call.now_ms // MINUTE_MS * MINUTE_MS + remaining * 1000
    return [
        {
            "instType": "SWAP",
            "instId": instrument.symbol,
            "method": "current_period",
            "formulaType": "withRate",
            "fundingRate": number(FUNDING_RATE),
            "fundingTime": str(due_ms),
            "nextFundingRate": "",
            "nextFundingTime": str(due_ms + FUNDING_INTERVAL_SECONDS * 1000),
            "minFundingRate": "-0.00375",
            "maxFundingRate": "0.00375",
            "interestRate": "0.0001",
            "impactValue": "10000",
            "premium": "0",
            "settFundingRate": number(FUNDING_RATE),
            "settState": "settled",
            "ts": str(call.now_ms),
        }
    ]


def funding_rate_history(call: Call) -> list[Any]:
    """Rates of the last payments, newest first."""
    instrument, interval_ms = call.instrument(), FUNDING_INTERVAL_SECONDS * 1000
    newest_ms = call.now_ms // interval_ms * interval_ms
    return [
        {
            "instType": "SWAP",
            "instId": instrument.symbol,
            "fundingRate": number(FUNDING_RATE),
            "realizedRate": number(FUNDING_RATE),
            "fundingTime": str(newest_ms - age * interval_ms),
            "method": "current_period",
            "formulaType": "withRate",
        }
        for age in range(min(call.parameters.optional_integer("limit", 100), 400))
    ]


def position_tiers(call: Call) -> list[Any]:
    """Margin tables; sizes in contracts at the present mark."""
    call.parameters.text("tdMode")
    rows = call.chosen(needs_type=True)
    if not call.parameters.optional("instFamily") and not call.parameters.optional("uly"):
        raise wrong("instFamily")
    return [
        {
            "baseMaxLoan": "",
            "imr": f"{1 / bracket.max_leverage:.4f}",
            "instFamily": instrument.info["instFamily"],
            "instId": "",
            "maxLever": str(bracket.max_leverage),
            "maxSz": f"{to_contracts(instrument, bracket.notional_cap / call.shown(instrument).mark):.0f}",
            "minSz": f"{to_contracts(instrument, bracket.notional_floor / call.shown(instrument).mark):.0f}",
            "mmr": number(bracket.maintenance_ratio),
            "optMgnFactor": "0",
            "quoteMaxLoan": "",
            "tier": str(bracket.number),
            "uly": instrument.info["uly"],
        }
        for instrument in rows
        for bracket in instrument.brackets
    ]


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/api/v5/public/time"): Endpoint(time, allowed=10),
    ("GET", "/api/v5/public/instruments"): Endpoint(instruments),
    ("GET", "/api/v5/public/mark-price"): Endpoint(mark_price, allowed=10),
    ("GET", "/api/v5/public/price-limit"): Endpoint(price_limit),
    ("GET", "/api/v5/public/funding-rate"): Endpoint(funding_rate),
    ("GET", "/api/v5/public/funding-rate-history"): Endpoint(funding_rate_history, allowed=10),
    ("GET", "/api/v5/public/position-tiers"): Endpoint(position_tiers, allowed=10),
    ("GET", "/api/v5/market/ticker"): Endpoint(ticker),
    ("GET", "/api/v5/market/tickers"): Endpoint(tickers),
    ("GET", "/api/v5/market/books"): Endpoint(books, allowed=40),
    ("GET", "/api/v5/market/books-full"): Endpoint(full_books, allowed=10),
    ("GET", "/api/v5/market/candles"): Endpoint(candles, allowed=40),
    ("GET", "/api/v5/market/history-candles"): Endpoint(candles),
    ("GET", "/api/v5/market/trades"): Endpoint(trades, allowed=100),
}
"""Public endpoints by method and path."""
