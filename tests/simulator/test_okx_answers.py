"""Every field of OKX's answers is in the simulator's, in the same type and notation.

Where recorded answers of the venue are at hand they are what is compared with; elsewhere the shapes in
``okx_shapes.json``, which say the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from golive_simulator.client import Admin

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "venue_answers" / "okx"
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
NAME = "BTC-USDT-SWAP"

SHAPES: dict[str, Any] = json.loads((Path(__file__).parent / "okx_shapes.json").read_text())
"""By name of the recorded answer: what to ask, and the fields of the answer's first row."""

READS = [name for name, row in SHAPES.items() if not row["path"].startswith("POST")]
WRITES = {
    "place_order_response": {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"},
    "place_algo_order_response": {
        "instId": NAME,
        "tdMode": "cross",
        "side": "sell",
        "ordType": "trigger",
        "sz": "1",
        "triggerPx": "30000",
        "orderPx": "-1",
        "algoClOrdId": "stop9",
    },
    "set_position_mode_response": {"posMode": "net_mode"},
}


def notation(value: Any) -> Any:
    """A JSON value reduced to types: numbers in texts are told from other texts, and from none; ids are not."""
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "blank" if not value else "decimal" if DECIMAL.fullmatch(value) else "text"
        case list():
            return [notation(value[0])] if value else []
        case dict():
            return {
                name: "text" if row and name.endswith("Id") else notation(row) for name, row in value.items()
            }
        case _:
            return "null"


def missing_from(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Fields of ``theirs`` that ``ours`` lacks or writes otherwise; an empty text may stand for any other."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            problem
            for name, expected in theirs.items()
            for problem in (
                missing_from(ours[name], expected, f"{path}.{name}") if name in ours else [f"{path}.{name}"]
            )
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        return missing_from(ours[0], theirs[0], f"{path}[0]") if theirs and ours else []
    is_absent = "blank" in (ours, theirs) and {ours, theirs} <= {"blank", "decimal", "text"}
    return [] if ours == theirs or is_absent else [f"{path}: {ours} instead of {theirs}"]


def test_a_field_in_another_notation_is_noticed() -> None:
    """A number where a text belongs, a word where a number belongs, a field that is not there."""
    theirs = {"a": "decimal", "b": "decimal", "c": "flag", "d": "blank"}

    assert missing_from({"a": "decimal", "b": "blank", "c": "flag", "d": "text"}, theirs) == []
    assert missing_from({"a": "number", "b": "text", "d": "number"}, theirs) == [
        ".a: number instead of decimal",
        ".b: text instead of decimal",
        ".c",
        ".d: number instead of blank",
    ]


@pytest.fixture
async def busy(okx: Any, admin: Admin) -> Any:
    """A client with one of everything: position, trades, resting order with exits, stops of each kind."""
    symbol = "BTC/USDT:USDT"
    last = (await okx.fetch_ticker(symbol))["last"]
    whole = {"stopLossPrice": last * 0.8, "closeFraction": "1", "reduceOnly": True, "algoClOrdId": "stop1"}
    exits = {"stopLoss": {"triggerPrice": last * 0.8}, "takeProfit": {"triggerPrice": last * 1.2}}
    both = {"stopLossPrice": last * 0.8, "takeProfitPrice": last * 1.2, "reduceOnly": True}
    await okx.create_order(symbol, "market", "sell", 1, None, {"triggerPrice": last * 0.995})
    await admin.price("BTCUSDT", round(last * 0.99, 1))
    await okx.create_order(symbol, "market", "buy", 3, None, {"clientOrderId": "order1"})
    await okx.create_order(symbol, "market", "sell", 1, None, whole)
    await okx.create_order(symbol, "market", "sell", 1, None, both)
    await okx.create_order(
        symbol, "market", "sell", 1, None, {"triggerPrice": last * 0.8, "algoClOrdId": "stop2"}
    )
    await okx.create_order(symbol, "limit", "buy", 1, last * 0.95, exits)
    await admin.price("BTCUSDT", round(last, 1))
    return okx


def recorded(name: str) -> Any:
    """The first row of the recorded answer, or nothing."""
    path = RECORDED / f"http_{name}.json"
    if not path.exists():
        return None
    said = json.loads(path.read_text())
    rows = said.get("data", [said])
    return next((row for row in rows if isinstance(row, dict) and row.get("instId") == NAME), rows[0])


def expected(name: str) -> Any:
    """The notation of the recorded row, or the one written down."""
    row = recorded(name)
    return SHAPES[name]["fields"] if row is None else notation(row)


async def ask(client: Any, path: str, body: Any = None) -> dict[str, Any]:
    """An answer as it is, signed by ccxt and otherwise untouched by it."""
    path, _, query = path.partition("?")
    parameters = dict(pair.split("=") for pair in query.split("&")) if query else {}
    return dict(await client.request(path, ["private"], "GET" if body is None else "POST", body or parameters))


@pytest.mark.parametrize("name", READS)
async def test_an_answer_of_okx_has_every_field(busy: Any, name: str) -> None:
    """Field by field, in type and notation."""
    said = await ask(busy, SHAPES[name]["path"])
    row = said["data"][0]
    if name == "balance_detail_new_fields":
        row = row["details"][0]

    assert missing_from(notation(row), expected(name)) == []
    assert len(row) >= len(expected(name))


@pytest.mark.parametrize("name", WRITES)
async def test_an_acknowledgement_of_okx_has_every_field(okx: Any, name: str) -> None:
    """What placing and setting answers with."""
    said = await ask(okx, SHAPES[name]["path"].removeprefix("POST "), dict(WRITES[name]))

    assert missing_from(notation(said["data"][0]), expected(name)) == []


async def test_a_cancelled_stop_is_acknowledged_with_every_field(okx: Any) -> None:
    """The rows of a batch."""
    placed = await ask(okx, "trade/order-algo", dict(WRITES["place_algo_order_response"]))
    row = {"instId": NAME, "algoId": placed["data"][0]["algoId"]}
    said = await ask(okx, "trade/cancel-algos", [row])

    assert missing_from(notation(said["data"][0]), expected("cancel_algo_order_response")) == []


async def test_a_refused_stop_is_told_with_every_field(okx: Any) -> None:
    """The row of a refusal has the fields of a success."""
    wanted = WRITES["place_algo_order_response"] | {"instId": "NOPE"}

    with pytest.raises(ccxt.BadSymbol) as caught:
        await ask(okx, "trade/order-algo", wanted)

    row = json.loads(str(caught.value).removeprefix("okx "))["data"][0]
    assert row.keys() >= expected("place_algo_order_response").keys()
    assert (row["algoId"], row["algoClOrdId"]) == ("", "stop9")


@pytest.mark.parametrize("name", SHAPES)
def test_the_okx_shapes_written_down_say_what_was_recorded(name: str) -> None:
    """Where the recorded answers are at hand, the table agrees with them."""
    assert SHAPES[name]["fields"] == expected(name)


@pytest.mark.parametrize(
    "path", ["account/balance", "account/positions", "trade/orders-history?instType=SWAP", "trade/fills"]
)
async def test_every_number_of_okx_is_a_text(busy: Any, path: str) -> None:
    """A JSON number anywhere would be read as a float by somebody."""
    said = json.dumps(notation(await ask(busy, path)))

    assert '"decimal"' in said
    assert '"number"' not in said
