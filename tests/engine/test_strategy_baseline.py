"""What strategies want: pure arithmetic, in tables."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.settings import Settings
from golive_engine.strategies import BaselinePerpsStrategy, View, strategies_of
from golive_engine.trading import Instrument, Intent, Quote, Side

D = Decimal
BTC = Instrument("BTCUSDT", D("0.001"), D("0.1"), D("0.001"), D(100), D(50))
QUOTE = Quote("BTCUSDT", D(49990), D(50010), 0.0)
FIXED = BaselinePerpsStrategy("base", ("BTCUSDT",), 2, 4, {"BTCUSDT": D("0.003")}, None, D(3))
BY_NOTIONAL = replace(FIXED, quantities={}, notional=D(120))
RISING, FALLING, FLAT, SHORT = [D(1), D(2), D(3), D(4)], [D(4), D(3), D(2), D(1)], [D(1)] * 4, [D(1)] * 3


def entry(side: Side, quantity: str) -> Intent:
    """An order that brings new risk: with the strategy's name, and the stop loss that will protect it."""
    return Intent("BTCUSDT", side, D(quantity), strategy="base", stop_percent=D(3))


INTENTS: dict[str, tuple[BaselinePerpsStrategy, list[Decimal], Decimal, Intent | None]] = {
    "it buys when prices rise": (FIXED, RISING, D(0), entry(Side.BUY, "0.003")),
    "it sells when prices fall": (FIXED, FALLING, D(0), entry(Side.SELL, "0.003")),
    "it wants nothing when they stand still": (FIXED, FLAT, D(0), None),
    "it wants nothing without enough closes": (FIXED, SHORT, D(0), None),
    "it holds a full position": (FIXED, RISING, D("0.003"), None),
    "it completes a partial position": (FIXED, RISING, D("0.001"), entry(Side.BUY, "0.002")),
    "it closes before it turns": (
        FIXED,
        FALLING,
        D("0.002"),
        Intent("BTCUSDT", Side.SELL, D("0.002"), reduce_only=True, strategy="base"),
    ),
    "it never enlarges what is larger than full": (FIXED, RISING, D("0.009"), None),
    "it sizes by notional on the lot": (BY_NOTIONAL, RISING, D(0), entry(Side.BUY, "0.002")),
    "it holds a position sized by notional": (BY_NOTIONAL, RISING, D("0.001"), None),
    "it wants nothing that is less than one lot": (
        replace(FIXED, notional=D(1), quantities={}),
        RISING,
        D(0),
        None,
    ),
}


@pytest.mark.parametrize(("strategy", "closes", "position", "intent"), INTENTS.values(), ids=INTENTS)
def test_the_baseline_strategy_by_averages(
    strategy: BaselinePerpsStrategy, closes: list[Decimal], position: Decimal, intent: Intent | None
) -> None:
    """What it wants at each level of prices and position."""
    assert strategy.intent(View("BTCUSDT", closes, position, BTC, QUOTE)) == intent


@given(st.sampled_from([RISING, FALLING, FLAT]), st.integers(-5, 5), st.none() | st.decimals(-1, 1, places=3))
def test_the_baseline_strategy_ignores_sentiment(
    closes: list[Decimal], lots: int, sentiment: Decimal | None
) -> None:
    """It trades the same with a feed and without: only strategies that say so follow a mood."""
    view = View("BTCUSDT", closes, lots * BTC.lot_size, BTC, QUOTE)
    assert FIXED.intent(replace(view, sentiment=sentiment)) == FIXED.intent(view)


def settings() -> Settings:
    """Two strategies, and two accounts."""
    account = {
        "environment": "testnet",
        "profile": "micro",
        "venues": [{"venue": "binanceusdm", "api_key_env": "K", "secret_env": "S"}],
    }
    return Settings.model_validate(
        {
            "engine": "perps-engine",
            "golive": "perps",
            "symbols": ["BTCUSDT", "ETHUSDT"],
            "strategies": [
                {"name": "fast", "symbols": ["BTCUSDT"], "short_ma": 2, "long_ma": 8, "notional": "50"},
                {
                    "name": "slow",
                    "symbols": ["ETHUSDT"],
                    "quantity": {"ETHUSDT": "0.5"},
                    "stop_loss_percent": "4.5",
                },
            ],
            "accounts": [
                {"name": "both", "strategies": ["slow", "fast"], **account},
                {"name": "one", "strategies": ["slow"], **account},
            ],
        }
    )


def test_an_account_gets_the_strategies_on_its_list() -> None:
    """And no other, each as the settings want it."""
    both, one = (strategies_of(settings(), account) for account in settings().accounts)
    assert [(each.name, each.symbols, each.closes) for each in both] == [
        ("fast", ("BTCUSDT",), 8),
        ("slow", ("ETHUSDT",), 20),
    ]
    assert one == (BaselinePerpsStrategy("slow", ("ETHUSDT",), 5, 20, {"ETHUSDT": D("0.5")}, None, D("4.5")),)
