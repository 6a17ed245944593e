"""What a scenario starts from: the engine's own limits and strategy, and nothing that leads to a venue."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.ladder import LADDER, RUNGS
from golive_api.profiles import Limits
from golive_engine.correlation import Correlations
from golive_engine.settings import Settings
from golive_engine.strategies import strategies_of
from golive_engine.stress import candles
from golive_engine.stress.catalogue import CATALOGUE
from golive_engine.stress.stage import COUNTS, HOSTS, SMALLEST, Stage, StagingError, capped, ground_of, lifted
from golive_engine.transport import _FixedResolver

SEAT = {"venue": "bybit", "api_key_env": "MY_KEY", "secret_env": "MY_SECRET"}
STRATEGY = {"short_ma": 3, "long_ma": 9, "notional": "40", "stop_loss_percent": "3"}
SETTINGS: dict[str, object] = {
    "engine": "perps",
    "golive": "perps",
    "mode": "dry-run",
    "strategies": [STRATEGY],
    "profiles": {"own": LADDER["high"].wire()},
    "accounts": [
        {"name": "paper", "environment": "testnet", "profile": "low", "venues": [SEAT]},
        {"name": "main", "environment": "production", "profile": "own", "venues": [SEAT]},
    ],
    "venue": {"leverage": 3, "stream": True, "breaker": {"failures": 7}},
    "cache": {"url": "redis://elsewhere/0"},
    "sentiment": {"url": "https://elsewhere/{symbol}"},
    "alerts": {"urls_env": "ALERTS"},
    "journal": {"url": "postgresql+psycopg://elsewhere/journal"},
}
"""Settings of an engine with something everywhere that must not be touched."""

STAGES = {name: scenario.stage for name, scenario in CATALOGUE.items()}

SHARES = (
    "max_exposure_percent",
    "max_correlated_exposure_percent",
    "max_margin_percent",
    "max_trade_risk_percent",
)
"""Limits on how much of the equity is at risk: each may hide another one."""


def closes() -> dict[str, list[Decimal]]:
    """Each symbol's closes, as its file has them."""
    return {
        symbol: [Decimal(row.split(",")[4]) for row in text.splitlines()[1:]]
        for symbol, text in candles.files().items()
    }


CLOSES = closes()


def test_the_account_with_real_money_is_the_one_that_is_shadowed() -> None:
    """Its profile, its strategy, and how the engine reaches venues."""
    ground = ground_of(Settings.model_validate(SETTINGS))
    assert (ground.profile, ground.limits, ground.leverage) == ("own", LADDER["high"], 3)
    assert (ground.strategy.long_ma, ground.failures) == (9, 7)


def test_a_shadow_touches_nothing_of_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its settings, nor by the environment that overrules them."""
    monkeypatch.setenv("GOLIVE_ENGINE__JOURNAL__URL", "postgresql+psycopg://elsewhere/journal")
    monkeypatch.setenv("GOLIVE_ENGINE__MODE", "dry-run")
    ground = ground_of(Settings.model_validate(SETTINGS))
    shadow = Stage().settings(ground, tmp_path, tmp_path / "ca.pem", "127.0.0.1:1")
    assert shadow.journal.url == f"sqlite:///{tmp_path}/journal.db"
    assert (shadow.mode, shadow.venue.stream) == ("live", False)
    assert (shadow.cache.url, shadow.sentiment.url, shadow.alerts.urls_env) == (None, None, None)
    assert "elsewhere" not in shadow.model_dump_json()
    assert "MY_KEY" not in shadow.model_dump_json()


async def test_no_host_leads_anywhere_but_to_the_simulator(tmp_path: Path) -> None:
    """One that nobody thought of can't be reached."""
    shadow = Stage().settings(ground_of(None), tmp_path, tmp_path / "ca.pem", "127.0.0.1:1")
    resolver = _FixedResolver(shadow.venue.resolve)
    for host in HOSTS:
        assert [(row["host"], row["port"]) for row in await resolver.resolve(host, 443)] == [("127.0.0.1", 1)]
    with pytest.raises(OSError, match="no fixed address"):
        await resolver.resolve("fstream.binance.com", 443)


def test_size_and_averages_are_the_shadows_and_the_engines(tmp_path: Path) -> None:
    """One strategy trades every symbol, by the engine's averages, with positions that fit the profile."""
    ground = ground_of(Settings.model_validate(SETTINGS))
    shadow = Stage().settings(ground, tmp_path, tmp_path / "ca.pem", "127.0.0.1:1")
    (strategy,) = strategies_of(shadow, shadow.accounts[0])
    assert strategy.symbols == tuple(candles.STARTS)
    assert (strategy.closes, shadow.strategies[0].notional) == (9, "1000.0")
    assert shadow.strategies[0].stop_loss_percent == 3


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_no_limit_is_wider_than_the_profiles_but_those_that_hide_others(stage: Stage, rung: str) -> None:
    """What a scenario examines is what the engine has, or less."""
    own = LADDER[rung]
    held = stage.limits_of(replace(ground_of(None), limits=own))
    wider = {name for name in Limits.model_fields if Decimal(getattr(held, name)) > Decimal(getattr(own, name))}
    assert wider <= {*COUNTS, *SHARES}


def test_a_profile_too_small_for_any_lot_is_told() -> None:
    """It can't be examined."""
    tiny = capped(LADDER["micro"], max_position_notional=f"{SMALLEST}")
    with pytest.raises(StagingError, match="too small"):
        Stage().balance(replace(ground_of(None), limits=tiny))


@given(st.integers(1, 400), st.integers(2, 900), st.integers(1000, 1700))
def test_every_moving_average_of_fewer_closes_is_above_one_of_more(short: int, more: int, until: int) -> None:
    """Whatever averages the engine uses, its strategy wants to be long here."""
    long = short + more
    for past in CLOSES.values():
        seen = past[: max(until, long)]
        assert sum(seen[-short:]) / short > sum(seen[-long:]) / long


def test_symbols_move_by_themselves_then_together_then_by_themselves() -> None:
    """As correlation is measured by default."""
    ends = {"apart": candles.PAST + candles.APART, "together": 0, "again": 0}
    ends["together"] = ends["apart"] + candles.TOGETHER
    ends["again"] = ends["together"] + candles.TOGETHER
    correlations = Correlations([], 0.8, 60)
    others = {
        when: correlations.of({symbol: past[:end] for symbol, past in CLOSES.items()})["BTCUSDT"]
        for when, end in ends.items()
    }
    assert others == {"apart": set(), "together": {"ETHUSDT", "DOGEUSDT"}, "again": set()}


def test_lifting_changes_the_named_limits_only() -> None:
    """And capping never widens one."""
    micro = LADDER["micro"]
    assert lifted(micro).wire() == micro.wire()
    changed = lifted(micro, "max_positions", "max_exposure_percent")
    assert changed.stricter(micro) == micro
    assert (changed.max_positions, changed.max_exposure_percent) == (1000, "1000")
    assert capped(micro, max_price_move_percent="12") == micro
    assert capped(micro, max_price_move_percent="2").max_price_move_percent == "2"
