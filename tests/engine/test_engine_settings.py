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

SAMPLE = Path(__file__).parents[2] / "config" / "engine" / "engine.yaml"


def sample() -> dict[str, Any]:
    """The shipped sample, parsed."""
    return dict(yaml.safe_load(SAMPLE.read_text()))


def test_the_shipped_sample_is_valid() -> None:
    """What people copy works."""
    loaded = load(SAMPLE)
    assert [account.name for account in loaded.settings.accounts] == ["paper", "main"]
    assert len(loaded.digest) == 64


Edit = Callable[[dict[str, Any]], object]
MISTAKES: dict[str, tuple[Edit, str]] = {
    "an unknown key": (lambda s: s.update(colour="red"), "colour: Extra inputs are not permitted"),
    "an unknown key inside": (lambda s: s["strategy"].update(ma="5"), "strategy.ma: Extra inputs"),
    "no engine": (lambda s: s.pop("engine"), "engine: Field required"),
    "an interval of zero": (
        lambda s: s.update(interval_seconds=0),
        "interval_seconds: Input should be",
    ),
    "an unknown environment": (lambda s: s.update(environment="moon"), "environment: Input should be"),
    "a quantity as a number": (lambda s: s["strategy"].update(quantity={"BTCUSDT": 0.1}), "strategy.quantity"),
    "a negative quantity": (lambda s: s["strategy"].update(quantity={"BTCUSDT": "-1"}), "strategy.quantity"),
    "averages in the wrong order": (lambda s: s["strategy"].update(short_ma=20), "short_ma must be smaller"),
    "no size for a symbol": (lambda s: s["strategy"].pop("notional"), "neither quantity nor notional for ADA"),
    "a size for a symbol not traded": (
        lambda s: s["strategy"]["quantity"].update(XUSDT="1"),
        "symbols that are not traded: XUSDT",
    ),
    "a symbol that is none": (lambda s: s["symbols"].append("BTC/USDT"), "symbols.10: String should match"),
    "a symbol twice": (lambda s: s["symbols"].append("BTCUSDT"), "a symbol is listed twice"),
    "two accounts of one name": (lambda s: s["accounts"][1].update(name="paper"), "same name"),
    "a testnet account without limits": (lambda s: s["accounts"][0].pop("limits"), "needs limits of its own"),
    "a name of 300 characters": (lambda s: s["accounts"][0].update(name="a" * 300), "accounts.0.name"),
    "a secret in the file": (lambda s: s["accounts"][0].update(secret="x"), "accounts.0.secret: Extra inputs"),
    "a venue nobody speaks": (lambda s: s["accounts"][0].update(venue="mtgox"), "accounts.0.venue"),
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
    "an empty file": ("", "file: Input should be"),
    "a list": ("- engine", "file: Input should be"),
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
        "environment variable PAPER_API_KEY",
    ),
    "a release by nobody": (["release-emergency-stop", "--config", str(SAMPLE)], 2, "needs --by and --cause"),
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
