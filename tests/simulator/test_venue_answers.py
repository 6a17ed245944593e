"""Every field the venue's answers have is in the simulator's, in the same type and notation.

Where recorded answers of the venue are at hand they are what is compared with; elsewhere the shapes in
``venue_shapes.json``, which say the same.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from golive_simulator.dialect.binance.signing import signature_of

if TYPE_CHECKING:
    import aiohttp

    from golive_simulator.client import Admin

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "venue_answers" / "binance"
EXCHANGE_INFO = RECORDED / "http_futures_market_exchange_info.json"
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
EIGHT_DECIMALS = re.compile(r"-?\d+\.\d{8}")

ANSWERS: dict[str, Any] = json.loads((Path(__file__).parent / "venue_shapes.json").read_text())
"""By name of the recorded answer: path, query, and the fields of the answer or of its first row."""

KLINES = {
    "futures_market_klines": "v1/klines?symbol=BTCUSDT&interval=1m",
    "futures_market_continuous_klines": ("v1/continuousKlines?pair=BTCUSDT&contractType=PERPETUAL&interval=1m"),
    "futures_market_index_price_klines": "v1/indexPriceKlines?pair=BTCUSDT&interval=1m",
    "futures_market_mark_price_klines": "v1/markPriceKlines?symbol=BTCUSDT&interval=1m",
}
KLINE = ["number", *["decimal"] * 5, "number", "decimal", "number", *["decimal"] * 3]

MONEY = re.compile(r"balance|pnl|margin|commission|markPrice|unRealizedProfit|fundingRate", re.IGNORECASE)
"""Fields that the venue writes with eight decimals wherever a recorded answer does."""


@pytest.fixture(scope="module")
def arguments(candle_file: Path) -> list[str]:
    """With the venue's own list of contracts where it is at hand."""
    own = ["--instruments", str(EXCHANGE_INFO)] if EXCHANGE_INFO.exists() else []
    return ["--paused", "--unlimited", "--candles", str(candle_file), *own]


def notation(value: Any) -> Any:
    """A JSON value reduced to types: decimal texts are told from others, numbers from flags."""
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "decimal" if DECIMAL.fullmatch(value) else "text"
        case list():
            return [notation(row) for row in value]
        case dict():
            return {name: notation(row) for name, row in value.items()}
        case _:
            return "null"


def missing_from(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Fields of ``theirs`` that ``ours`` lacks or writes otherwise; lists are compared by their first rows."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            problem
            for name, expected in theirs.items()
            for problem in (
                missing_from(ours[name], expected, f"{path}.{name}") if name in ours else [f"{path}.{name}"]
            )
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        if not theirs:
            return []
        return missing_from(ours[0], theirs[0], f"{path}[0]") if ours else [f"{path} is empty"]
    return [] if ours == theirs else [f"{path}: {ours} instead of {theirs}"]


@pytest.fixture
async def ask(admin: Admin, session: aiohttp.ClientSession) -> Any:
    """Signed requests, unparsed by any client library."""
    known = (await admin.state())["environments"]["production"]["accounts"]

    async def asked(method: str, path: str, query: str = "") -> Any:
        query = f"{query}&timestamp={int(time.time() * 1000)}".lstrip("&")
        url = (
            f"https://fapi.binance.com/fapi/{path}?{query}&signature={signature_of('shape-secret', query, '')}"
        )
        async with session.request(method, url, headers={"X-MBX-APIKEY": "shape"}) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return said

    if "shape" not in known:
        await admin.add_account("production", "shape", "shape-secret")
        await fill_account(admin, asked)
    return asked


async def fill_account(admin: Admin, asked: Any) -> None:
    """One of everything: a triggered trailing stop, a position, a resting order, a waiting stop."""
    last = float((await admin.state())["prices"]["BTCUSDT"])
    order, algo = ("POST", "v1/order"), ("POST", "v1/algoOrder")
    common = "symbol=BTCUSDT&quantity=0.010"
    await asked(*algo, f"{common}&algoType=CONDITIONAL&side=SELL&type=TRAILING_STOP_MARKET&callbackRate=0.3")
    await admin.price("BTCUSDT", round(last * 0.99, 1))
    await asked(*order, f"{common}&side=BUY&type=MARKET")
    await asked(*order, f"{common}&side=BUY&type=MARKET")
    limit = f"&side=BUY&type=LIMIT&timeInForce=GTC&price={last * 0.97:.1f}&newClientOrderId=limit"
    await asked(*order, f"{common}{limit}")
    stop = f"&algoType=CONDITIONAL&side=SELL&type=STOP_MARKET&triggerPrice={last * 0.9:.1f}"
    await asked(*algo, f"{common}{stop}")


def expected_answer(name: str) -> Any:
    """The recorded answer's notation, or the one written down."""
    recorded = RECORDED / f"http_{name}.json"
    if recorded.exists():
        return notation(json.loads(recorded.read_text()))
    return ANSWERS[name]["fields"]


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_has_every_field_of_the_venues(ask: Any, name: str) -> None:
    """Field by field, in type and notation."""
    row = ANSWERS[name]
    expected = expected_answer(name)
    said = await ask("GET", row["path"], row["query"])
    ours = notation(said)
    if isinstance(ours, list) and not isinstance(expected, list):
        ours = ours[0]

    assert missing_from(ours, expected) == []


@pytest.mark.parametrize("name", ANSWERS)
def test_the_shapes_written_down_say_what_was_recorded(name: str) -> None:
    """Where the recorded answers are at hand, the table agrees with them."""
    expected = expected_answer(name)
    row = expected[0] if isinstance(expected, list) else expected
    flat = {field: kind for field, kind in row.items() if isinstance(kind, str)}

    assert ANSWERS[name]["fields"] == flat


@pytest.mark.parametrize("name", KLINES)
async def test_candles_are_rows_of_twelve(ask: Any, name: str) -> None:
    """Numbers for times and counts, texts for the rest."""
    recorded = RECORDED / f"http_{name}.json"
    expected = notation(json.loads(recorded.read_text()))[0] if recorded.exists() else KLINE
    path, _, query = KLINES[name].partition("?")
    rows = await ask("GET", path, query)

    assert expected == KLINE == notation(rows[0])


async def test_books_are_pairs_of_texts(ask: Any) -> None:
    """Price and quantity with the contract's decimals."""
    book = await ask("GET", "v1/depth", "symbol=BTCUSDT&limit=5")

    assert all(re.fullmatch(r"\d+\.\d{2}", price) for price, _ in book["bids"] + book["asks"])
    assert all(re.fullmatch(r"\d+\.\d{3}", size) for _, size in book["bids"] + book["asks"])


@pytest.mark.parametrize(
    "path", ["v2/account", "v3/account", "v2/balance", "v2/positionRisk", "v3/positionRisk"]
)
async def test_money_has_eight_decimals(ask: Any, path: str) -> None:
    """As the venue books it; settings that only look like money are left out."""
    said = await ask("GET", path, "symbol=BTCUSDT" if "Risk" in path else "")
    rows = said if isinstance(said, list) else [said, *said["assets"]]
    money = {
        name: value
        for row in rows
        for name, value in row.items()
        if MONEY.search(name) and isinstance(value, str) and DECIMAL.fullmatch(value)
    }

    assert money
    assert [name for name, value in money.items() if not EIGHT_DECIMALS.fullmatch(value)] == []


async def test_contracts_are_described_as_the_venue_describes_them(ask: Any) -> None:
    """Every filter of every contract, with the fields that filter has."""
    info = await ask("GET", "v1/exchangeInfo")
    kinds = {
        "PRICE_FILTER": {"minPrice", "maxPrice", "tickSize"},
        "LOT_SIZE": {"minQty", "maxQty", "stepSize"},
        "MARKET_LOT_SIZE": {"minQty", "maxQty", "stepSize"},
        "MAX_NUM_ORDERS": {"limit"},
        "MAX_NUM_ALGO_ORDERS": {"limit"},
        "MIN_NOTIONAL": {"notional"},
        "PERCENT_PRICE": {"multiplierUp", "multiplierDown", "multiplierDecimal"},
    }

    assert len(info["symbols"]) >= 10
    for symbol in info["symbols"]:
        assert {row["filterType"]: row.keys() - {"filterType"} for row in symbol["filters"]} == kinds
