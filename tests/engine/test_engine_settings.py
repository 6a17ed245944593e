"""Settings: every mistake gets one clear line and exit code 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_engine.settings import Identity, SettingsError, load

SAMPLES = Path(__file__).parents[2] / "config" / "engine"
SAMPLE = SAMPLES / "engine.yaml"


def sample() -> dict[str, Any]:
    """The shipped sample, parsed."""
    return dict(yaml.safe_load(SAMPLE.read_text()))


def test_the_shipped_sample_is_valid() -> None:
    """What people copy works."""
    loaded = load(SAMPLE)
    assert [account.name for account in loaded.settings.accounts] == ["paper", "main"]
    assert len(loaded.digest) == 64


@pytest.mark.parametrize(("name", "mode"), {"dev.yaml": "dry-run", "canary.yaml": "canary"}.items())
def test_the_two_profiles_of_an_engine_are_valid(name: str, mode: str) -> None:
    """Profile dev sends nothing, canary little; both trade the ten symbols each minute at leverage 1."""
    settings = load(SAMPLES / name).settings
    assert settings.mode == mode
    assert (len(settings.symbols), settings.interval_seconds, settings.venue.leverage) == (10, 60, 1)


def test_the_environment_overrules_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value at a time, also inside a section."""
    monkeypatch.setenv("GOLIVE_ENGINE__INTERVAL_SECONDS", "7.5")
    monkeypatch.setenv("GOLIVE_ENGINE__VENUE__TIMEOUT_SECONDS", "3")
    settings = load(SAMPLE).settings
    assert (settings.interval_seconds, settings.venue.timeout_seconds) == (7.5, 3)


@pytest.mark.parametrize(
    "variable", ["GOLIVE_ENGINE__INTERVAL", "GOLIVE_ENGINE__VENUE__TIMEOUT", "GOLIVE_ENGINE__"]
)
def test_a_misspelt_variable_is_refused(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that somebody believes to have set would not hold."""
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError):
        load(SAMPLE)


def test_the_environment_of_a_service_is_not_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes puts variables of this kind into every pod beside a Service called golive-engine."""
    monkeypatch.setenv("GOLIVE_ENGINE_SERVICE_HOST", "10.0.0.1")
    assert load(SAMPLE).settings.engine == "perps-engine"


Edit = Callable[[dict[str, Any]], object]
MISTAKES: dict[str, tuple[Edit, str]] = {
    "an unknown key": (lambda s: s.update(colour="red"), "colour: Extra inputs are not permitted"),
    "an unknown key inside": (lambda s: s["strategies"][0].update(ma="5"), "strategies.0.ma: Extra inputs"),
    "no engine": (lambda s: s.pop("engine"), "engine: Field required"),
    "an interval of zero": (
        lambda s: s.update(interval_seconds=0),
        "interval_seconds: Input should be",
    ),
    "an unknown environment": (lambda s: s.update(environment="moon"), "environment: Input should be"),
    "an unknown mode": (lambda s: s.update(mode="yolo"), "mode: Input should be"),
    "a quantity as a number": (
        lambda s: s["strategies"][0].update(quantity={"BTCUSDT": 0.1}),
        "strategies.0.quantity",
    ),
    "a negative quantity": (
        lambda s: s["strategies"][0].update(quantity={"BTCUSDT": "-1"}),
        "strategies.0.quantity",
    ),
    "averages in the wrong order": (
        lambda s: s["strategies"][0].update(short_ma=20),
        "short_ma must be smaller",
    ),
    "no size for a symbol": (
        lambda s: s["strategies"][0].pop("notional"),
        "neither quantity nor notional for ADA",
    ),
    "a size for a symbol not traded": (
        lambda s: s["strategies"][0]["quantity"].update(XUSDT="1"),
        "quantity of an untraded symbol: XUSDT",
    ),
    "a strategy's symbol that is not the engine's": (
        lambda s: s["strategies"][0].update(symbols=["XUSDT"], quantity={}),
        "not in symbols: XUSDT",
    ),
    "a stop loss nearer than 2 percent": (
        lambda s: s["strategies"][0].update(stop_loss_percent="1.9"),
        "stop_loss_percent: Input should be",
    ),
    "a stop loss farther than 5 percent": (
        lambda s: s["strategies"][0].update(stop_loss_percent="5.1"),
        "stop_loss_percent: Input should be",
    ),
    "a take profit nearer than 4 percent": (
        lambda s: s["strategies"][0].update(take_profit_percent="3.9"),
        "take_profit_percent: Input should be",
    ),
    "a take profit farther than 15 percent": (
        lambda s: s["strategies"][0].update(take_profit_percent="15.1"),
        "take_profit_percent: Input should be",
    ),
    "two strategies of one name": (
        lambda s: s["strategies"].append(s["strategies"][0]),
        "strategy is given twice: baseline-perps",
    ),
    "two strategies for one symbol of an account": (
        lambda s: (
            s["strategies"].append(s["strategies"][0] | {"name": "other"}),
            s["accounts"][0].update(strategies=["baseline-perps", "other"]),
        ),
        "a symbol of its strategies is given twice",
    ),
    "a symbol that is none": (lambda s: s["symbols"].append("BTC/USDT"), "symbols.10: String should match"),
    "a symbol twice": (lambda s: s["symbols"].append("BTCUSDT"), "symbol is given twice: BTCUSDT"),
    "two accounts of one name": (
        lambda s: s["accounts"][1].update(name="paper"),
        "account is given twice: paper",
    ),
    "a testnet account without a profile": (
        lambda s: s["accounts"][0].pop("profile"),
        "needs a profile of its own",
    ),
    "an account whose profile does not exist": (
        lambda s: s["accounts"][1].update(profile="mega"),
        "account main: no profile is called mega",
    ),
    "an account whose strategy does not exist": (
        lambda s: s["accounts"][1].update(strategies=["martingale"]),
        "account main: no strategy is called martingale",
    ),
    "an account without strategies": (
        lambda s: s["accounts"][1].update(strategies=[]),
        "accounts.1.strategies: Tuple should have at least 1",
    ),
    "a rung of the ladder made looser": (
        lambda s: s["profiles"].update(micro=s["profiles"]["paper"]),
        "profiles: micro is a rung of the ladder",
    ),
    "a limit left out": (
        lambda s: s["profiles"]["paper"].pop("max_drawdown_percent"),
        "profiles.paper.maxDrawdownPercent: Field required",
    ),
    "a name of 300 characters": (lambda s: s["accounts"][0].update(name="a" * 300), "accounts.0.name"),
    "a secret in the file": (lambda s: s["accounts"][0].update(secret="x"), "accounts.0.secret: Extra inputs"),
    "a venue nobody speaks": (
        lambda s: s["accounts"][0]["venues"][0].update(venue="mtgox"),
        "accounts.0.venues.0.venue",
    ),
    "a venue twice": (
        lambda s: s["accounts"][0].update(venues=s["accounts"][0]["venues"][:1] * 2),
        "a venue is listed twice",
    ),
    "no venue": (
        lambda s: s["accounts"][0].update(venues=[]),
        "accounts.0.venues: List should have at least 1",
    ),
    "okx without a passphrase": (
        lambda s: s["accounts"][0]["venues"][2].pop("passphrase_env"),
        "okx needs one",
    ),
    "bybit with a passphrase": (
        lambda s: s["accounts"][0]["venues"][1].update(passphrase_env="X"),
        "passphrase_env is for okx",
    ),
    "no accounts": (lambda s: s.update(accounts=[]), "accounts: List should have at least 1"),
}


@pytest.mark.parametrize(("edit", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_file_is_refused_with(edit: Edit, message: str, tmp_path: Path) -> None:
    """The message names file and key, on one line."""
    content = sample()
    edit(content)
    path = tmp_path / "engine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


TEXTS = {
    "a key given twice": (SAMPLE.read_text() + "\nengine: other\n", "given twice"),
    "no YAML": ("engine: [", "not YAML"),
    "an empty file": ("", "the file is not a mapping"),
    "a list": ("- engine", "the file is not a mapping"),
}


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_a_text_is_refused_that_is(text: str, message: str, tmp_path: Path) -> None:
    """Also what is no mapping, or hides a key behind another."""
    path = tmp_path / "engine.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        load(path)


def test_a_pod_without_a_name_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes of one name would both believe that they hold the Lease."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.delenv("POD_NAME", raising=False)
    with pytest.raises(SettingsError, match="POD_NAME is not set"):
        Identity()
    monkeypatch.setenv("POD_NAME", "engine-0")
    assert Identity().in_cluster


COMMANDS = {
    "a missing file": (["check", "--config", "/nowhere.yaml"], 2, "/nowhere.yaml: No such file"),
    "a valid file": (["check", "--config", str(SAMPLE)], 0, "valid"),
    "no keys in the environment": (
        ["--config", str(SAMPLE)],
        2,
        "environment variable PAPER_BINANCE_KEY",
    ),
    "a release by nobody": (
        ["release-emergency-stop", "--config", str(SAMPLE)],
        2,
        "required: --by, --cause",
    ),
    "a kill by nobody": (["kill", "--config", str(SAMPLE)], 2, "required: --by, --cause"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), COMMANDS.values(), ids=COMMANDS)
def test_the_command_ends_with_one_line_for(arguments: list[str], code: int, message: str) -> None:
    """Exit code 2 and no traceback for whatever a person can get wrong."""
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "golive_engine", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == code
    assert message in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
