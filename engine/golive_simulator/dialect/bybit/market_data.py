"""Public endpoints: contracts, prices, books, candles."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from golive_simulator.candles import CANDLE_SECONDS, Candle, merged
from golive_simulator.dialect.bybit.call import Call, Endpoint
from golive_simulator.dialect.bybit.complaints import wrong
from golive_simulator.dialect.bybit.payloads import plain, price, quantity
from golive_simulator.market import FUNDING_INTERVAL_SECONDS, FUNDING_RATE

if TYPE_CHECKING:
    from golive_simulator.book import Level
    from golive_simulator.instruments import Instrument

MINUTE_MS = CANDLE_SECONDS * 1000
"""Length of a candle of the feed."""

DAY_MINUTES = 1440
"""Candles in the 24-hour ticker."""

HOUR_MINUTES = 60
"""Candles in the price change of the last hour."""

INTERVAL_MINUTES = {str(minutes): minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {
    "D": DAY_MINUTES
}
"""Candle intervals served; longer ones than a day need more history than there is."""

DEEPEST_BOOK = 1_000
"""Most levels of a book that may be asked for."""


def time(call: Call) -> dict[str, Any]:
    """The venue's clock."""
    return {"timeSecond": str(call.now_ms // 1000), "timeNano": str(call.now_ms * 1_000_000)}


def instruments_info(call: Call) -> dict[str, Any]:
    """The category's contracts; none is waiting for its launch."""
    rows = call.instruments() if call.parameters.optional("status") in {None, "Trading"} else []
    return {
        "nextPageCursor": "",
        "category": call.parameters.text("category"),
        "list": [
            _contract(instrument, number)
            for number, instrument in enumerate(call.contracts().values(), 1)
            if instrument in rows
        ],
    }


def _contract(instrument: Instrument, number: int) -> dict[str, Any]:
    """A contract as the venue describes it."""
    most = plain(instrument.max_quantity)
    return {
        "symbol": instrument.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(instrument.price_precision),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": str(instrument.brackets[0].max_leverage),
            "leverageStep": "1",
        },
        "priceFilter": {
            "minPrice": plain(instrument.min_price),
            "maxPrice": plain(instrument.max_price),
            "tickSize": plain(instrument.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": most,
            "minOrderQty": plain(instrument.min_quantity),
            "qtyStep": plain(instrument.step),
            "postOnlyMaxOrderQty": most,
            "maxMktOrderQty": plain(instrument.max_market_quantity),
            "minNotionalValue": plain(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": FUNDING_INTERVAL_SECONDS // 60,
        "settleCoin": instrument.quote,
        "symbolType": "",
        "symbolId": number,
    }


def tickers(call: Call) -> dict[str, Any]:
    """The last day in one row for each contract."""
    return {
        "category": call.parameters.text("category"),
        "list": [_ticker(call, instrument) for instrument in call.instruments()],
    }


def _ticker(call: Call, instrument: Instrument) -> dict[str, Any]:
    """One contract's last day."""
    quote, series = call.shown(instrument.symbol), call.exchange.market.series[instrument.symbol]
    newest = series.newest(DAY_MINUTES)
    day, opened = merged(newest), instrument.round_price(newest[0].open)
    bid, ask = quote.book.bids[0], quote.book.asks[0]
    interest = instrument.round_quantity(Decimal(500_000_000) / quote.last)
    interval_ms = FUNDING_INTERVAL_SECONDS * 1000
    mark = price(instrument, quote.mark)
    return {
        "symbol": instrument.symbol,
        "lastPrice": price(instrument, quote.last),
        "indexPrice": mark,
        "markPrice": mark,
        "prevPrice24h": price(instrument, opened),
        "price24hPcnt": f"{(quote.last - opened) / opened:.6f}",
        "highPrice24h": _price(instrument, day.high),
        "lowPrice24h": _price(instrument, day.low),
        "prevPrice1h": _price(instrument, newest[-HOUR_MINUTES].open),
        "openInterest": quantity(instrument, interest),
        "openInterestValue": f"{interest * quote.mark:.2f}",
        "turnover24h": f"{sum(row.volume * row.close for row in newest):.4f}",
        "volume24h": f"{day.volume:.4f}",
        "fundingRate": plain(FUNDING_RATE),
        "nextFundingTime": str((call.now_ms // interval_ms + 1) * interval_ms),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": quantity(instrument, ask.quantity),
        "bid1Price": price(instrument, bid.price),
        "ask1Price": price(instrument, ask.price),
        "bid1Size": quantity(instrument, bid.quantity),
        "basis": "",
    }


def _price(instrument: Instrument, value: float) -> str:
    """A candle price on the tick grid."""
    return price(instrument, instrument.round_price(value))


def orderbook(call: Call) -> dict[str, Any]:
    """The book."""
    instrument = call.instrument()
    limit = call.parameters.optional_integer("limit", 25)
    if not 1 <= limit <= DEEPEST_BOOK:
        raise wrong("limit")
    quote = call.shown(instrument.symbol)
    return {
        "s": instrument.symbol,
        "b": _levels(instrument, quote.book.bids[:limit]),
        "a": _levels(instrument, quote.book.asks[:limit]),
        "ts": quote.time_ms,
        "u": quote.sequence,
        "seq": quote.sequence,
        "cts": quote.time_ms,
    }


def _levels(instrument: Instrument, levels: list[Level]) -> list[list[str]]:
    """One side of the book."""
    return [[price(instrument, level.price), quantity(instrument, level.quantity)] for level in levels]


def klines(call: Call) -> dict[str, Any]:
    """Candles, newest first, shifted so that the newest one is of this minute."""
    instrument = call.instrument()
    minutes = INTERVAL_MINUTES.get(call.parameters.text("interval"))
    if minutes is None:
        raise wrong("interval")
    limit = max(1, min(call.parameters.optional_integer("limit", 200), 1000))
    start_ms = call.parameters.optional_integer("start", 0)
    end_ms = call.parameters.optional_integer("end", call.now_ms)
    history = len(call.exchange.market.series[instrument.symbol].past) + 1
    wanted = history if start_ms else limit * minutes
    rows = [
        _kline(instrument, opened_ms, candle)
        for opened_ms, candle in _dated(call, instrument.symbol, minutes, wanted)
        if start_ms <= opened_ms <= end_ms
    ]
    # with a start the oldest rows count, without one the newest
    kept = rows[:limit] if start_ms else rows[-limit:]
    return {"category": "linear", "symbol": instrument.symbol, "list": kept[::-1]}


def _dated(call: Call, symbol: str, minutes: int, wanted: int) -> list[tuple[int, Candle]]:
    """Candles with their opening time on the wall clock, merged into intervals aligned to it."""
    newest = call.exchange.market.series[symbol].newest(wanted)
    last_ms = call.now_ms // MINUTE_MS * MINUTE_MS
    groups: dict[int, list[Candle]] = {}
    for place, candle in enumerate(newest):
        opened_ms = last_ms - (len(newest) - 1 - place) * MINUTE_MS
        groups.setdefault(opened_ms - opened_ms % (minutes * MINUTE_MS), []).append(candle)
    return [(opened_ms, merged(rows)) for opened_ms, rows in groups.items()]


def _kline(instrument: Instrument, opened_ms: int, candle: Candle) -> list[str]:
    """One candle in the notation of seven columns."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        str(opened_ms),
        *(_price(instrument, value) for value in prices),
        f"{candle.volume:.{instrument.quantity_precision}f}",
        f"{candle.volume * candle.close:.4f}",
    ]


def mark_klines(call: Call) -> dict[str, Any]:
    """Candles of the mark, which are those of the price here, without volume."""
    told = klines(call)
    return told | {"list": [row[:5] for row in told["list"]]}


def recent_trades(call: Call) -> dict[str, Any]:
    """The market's last trades, one for each recent candle, newest first."""
    instrument = call.instrument()
    limit = max(1, min(call.parameters.optional_integer("limit", 500), 1000))
    rows = [
        {
            "execId": f"{opened_ms:08x}-0000-5000-8000-000000000000",
            "symbol": instrument.symbol,
            "price": _price(instrument, candle.close),
            "size": f"{candle.volume / 100:.{instrument.quantity_precision}f}",
            "side": "Sell" if candle.close < candle.open else "Buy",
            "time": str(min(opened_ms + MINUTE_MS - 1, call.now_ms)),
            "isBlockTrade": False,
        }
        for opened_ms, candle in _dated(call, instrument.symbol, 1, limit)
    ]
    return {"category": "linear", "list": rows[::-1]}


def funding_history(call: Call) -> dict[str, Any]:
    """Funding rates of the last payments, newest first."""
    instrument, interval_ms = call.instrument(), FUNDING_INTERVAL_SECONDS * 1000
    newest = call.now_ms // interval_ms * interval_ms
    limit = max(1, min(call.parameters.optional_integer("limit", 200), 200))
    return {
        "category": "linear",
        "list": [
            {
                "symbol": instrument.symbol,
                "fundingRate": plain(FUNDING_RATE),
                "fundingRateTimestamp": str(newest - age * interval_ms),
            }
            for age in range(limit)
        ],
    }


def risk_limit(call: Call) -> dict[str, Any]:
    """Margin tables."""
    return {
        "category": call.parameters.text("category"),
        "list": [
            {
                "id": row.number,
                "symbol": instrument.symbol,
                "riskLimitValue": plain(row.notional_cap),
                "maintenanceMargin": plain(row.maintenance_ratio),
                "initialMargin": plain((1 / Decimal(row.max_leverage)).quantize(Decimal("0.0001"))),
                "isLowestRisk": int(row.number == 1),
                "maxLeverage": str(row.max_leverage),
                "mmDeduction": plain(row.cumulative),
            }
            for instrument in call.instruments()
            for row in instrument.brackets
        ],
        "nextPageCursor": "",
    }


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v5/market/time"): Endpoint(time),
    ("GET", "/v5/market/instruments-info"): Endpoint(instruments_info),
    ("GET", "/v5/market/tickers"): Endpoint(tickers),
    ("GET", "/v5/market/orderbook"): Endpoint(orderbook),
    ("GET", "/v5/market/kline"): Endpoint(klines),
    ("GET", "/v5/market/mark-price-kline"): Endpoint(mark_klines),
    ("GET", "/v5/market/index-price-kline"): Endpoint(mark_klines),
    ("GET", "/v5/market/recent-trade"): Endpoint(recent_trades),
    ("GET", "/v5/market/funding/history"): Endpoint(funding_history),
    ("GET", "/v5/market/risk-limit"): Endpoint(risk_limit),
}
"""Public endpoints by method and path."""
