"""Every field that Bybit's answers have is in the simulator's, in the same type and notation.

Where recorded answers of the venue are at hand they are what is compared with; elsewhere the shapes in
``bybit_shapes.json``, which say the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from golive_simulator.instruments import built_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from golive_simulator.client import Admin

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "venue_answers" / "bybit"
DECIMAL = re.compile(r"-?\d+(\.\d+)?")

SHAPES: dict[str, Any] = json.loads((Path(__file__).parent / "bybit_shapes.json").read_text())
"""By name of the recorded answer: what is asked, and the notation of the answer."""

SYMBOL = "BTC/USDT:USDT"

DATED = {"symbol": "BTCUSDT_270326", "contractType": "CURRENT_QUARTER"}
"""What makes the bitcoin contract a dated one."""


def notation(value: Any) -> Any:
    """A JSON value reduced to types; lists keep their first row, an empty text says nothing of its type."""
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "decimal" if DECIMAL.fullmatch(value) else "text" if value else "any"
        case list():
            return [notation(row) for row in value[:1]]
        case dict():
            return {name: notation(row) for name, row in value.items()}
        case _:
            return "any"


def missing_from(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Fields of ``theirs`` that ``ours`` lacks or writes otherwise."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            problem
            for name, expected in theirs.items()
            for problem in (
                missing_from(ours[name], expected, f"{path}.{name}") if name in ours else [f"{path}.{name}"]
            )
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        is_bare = not ours and theirs and isinstance(theirs[0], dict | list)
        return [f"{path} is empty"] if is_bare else missing_rows(ours, theirs, path)
    return [] if "any" in {str(ours), str(theirs)} or ours == theirs else [f"{path}: {ours}, not {theirs}"]


def missing_rows(ours: list[Any], theirs: list[Any], path: str) -> list[str]:
    """As ``missing_from``, of the first rows of two lists."""
    return [
        problem
        for mine, other in zip(ours, theirs, strict=False)
        for problem in missing_from(mine, other, path)
    ]


@pytest.fixture(scope="module")
def arguments(candle_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """With a dated contract beside the perpetual ones."""
    info = built_in()["BTCUSDT"].info
    path = tmp_path_factory.mktemp("instruments") / "exchange_info.json"
    path.write_text(json.dumps({"symbols": [info | DATED]}))
    return ["--paused", "--unlimited", "--candles", str(candle_file), "--instruments", str(path)]


@pytest.fixture
async def holder(bybit_customer: Callable[..., Any], admin: Admin) -> Any:
    """A customer with a position, its protection, a resting order and a cancelled one."""
    client = await bybit_customer(balance=1_000)
    last = float((await admin.state())["prices"]["BTCUSDT"])
    protection = {"stopLoss": {"triggerPrice": last * 0.9}, "takeProfit": {"triggerPrice": last * 1.1}}
    await client.create_order(SYMBOL, "market", "buy", 0.05, None, protection | {"clientOrderId": "entry"})
    cancelled = await client.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
    await client.cancel_order(cancelled["id"], SYMBOL)
    await client.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98, {"clientOrderId": "rests"})
    return client


async def test_dated_contracts_are_not_told_as_perpetual_ones(bybit: Any) -> None:
    """Two contracts of one name would be one to the client, and the wrong one."""
    markets = await bybit.load_markets()

    assert markets[SYMBOL]["id"] == "BTCUSDT"
    assert DATED["symbol"] not in {row["id"] for row in markets.values()}


def expected_answer(name: str) -> Any:
    """The recorded answer's notation, or the one written down."""
    recorded = RECORDED / f"http_{name}.json"
    if recorded.exists():
        return notation(json.loads(recorded.read_text()))
    return SHAPES[name]["answer"]


@pytest.mark.parametrize("name", SHAPES)
async def test_an_answer_has_every_field_of_bybits(holder: Any, name: str) -> None:
    """Field by field, in type and notation, envelope and all."""
    row = SHAPES[name]
    said = await getattr(holder, row["call"])(row["parameters"])

    assert missing_from(notation(said), expected_answer(name)) == []


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_written_down_say_what_bybit_was_recorded_to_say(name: str) -> None:
    """Where the recorded answers are at hand, the table agrees with them."""
    assert SHAPES[name]["answer"] == expected_answer(name)


@pytest.mark.parametrize("name", SHAPES)
def test_a_field_that_is_not_there_is_noticed(name: str) -> None:
    """The comparison bites: an answer without its result lacks something."""
    answer = SHAPES[name]["answer"]

    assert missing_from(answer, answer) == []
    assert missing_from(answer | {"result": {}}, answer)
