"""The shipped profiles and samples: valid, and in the order that their names promise."""

import itertools
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_api.golive import GoLiveSpec
from golive_api.ladder import LADDER, RUNGS
from golive_api.profiles import CapitalProfileSpec, Limits

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "config" / "samples").glob("golive*.yaml"))
EMERGENCY_PERCENT = 5
"""Daily drawdown at which the emergency stop acts."""
EMERGENCY_LOSS_PERCENT = 10
"""Loss of capital at which it acts."""


def manifest(path: Path) -> Any:
    """The one object in a file."""
    return yaml.safe_load(path.read_text())


def limits(rung: str) -> Limits:
    """A rung's limits."""
    return CapitalProfileSpec.model_validate(manifest(ROOT / f"config/profiles/{rung}.yaml")["spec"]).limits


def test_every_rung_is_there_under_its_name() -> None:
    """A file for each rung, and no other."""
    files = {
        path.stem: manifest(path)["metadata"]["name"] for path in (ROOT / "config/profiles").glob("*.yaml")
    }

    assert files == {rung: rung for rung in RUNGS}


@pytest.mark.parametrize("rung", RUNGS)
def test_an_engine_without_a_cluster_knows_the_same_rung(rung: str) -> None:
    """What the operator hands out and what the engine holds by itself are one ladder."""
    assert limits(rung) == LADDER[rung]


@pytest.mark.parametrize(("lower", "higher"), tuple(itertools.pairwise(RUNGS)))
def test_no_limit_is_looser_on_a_lower_rung(lower: str, higher: str) -> None:
    """Going down the ladder never widens anything, and every step means something."""
    below, above = limits(lower), limits(higher)

    assert below.stricter(above) == below
    assert below != above


@pytest.mark.parametrize("rung", RUNGS)
def test_loss_limits_stop_before_the_emergency_stop(rung: str) -> None:
    """The ordinary limits act first, and the shorter time is the stricter bound."""
    found = limits(rung)

    assert Decimal(found.max_daily_loss_percent) < EMERGENCY_PERCENT
    assert Decimal(found.max_weekly_loss_percent) < EMERGENCY_LOSS_PERCENT
    assert Decimal(found.max_drawdown_percent) < EMERGENCY_LOSS_PERCENT
    assert Decimal(found.max_trade_risk_percent) < Decimal(found.max_daily_loss_percent)
    assert Decimal(found.max_daily_loss_percent) < Decimal(found.max_weekly_loss_percent)


def test_reference_page_shows_the_shipped_values() -> None:
    """The table in the docs is the files'."""
    page = (ROOT / "docs/reference/capital-profiles.md").read_text()
    for field, label in {name: info.alias for name, info in Limits.model_fields.items()}.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{label}`"))
        shown = re.findall(r"[0-9.]+", row.split("|", 2)[2])
        assert shown == [str(getattr(limits(rung), field)) for rung in RUNGS], label


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_sample_is_valid_once_the_server_has_stamped_it(path: Path) -> None:
    """The model takes what the API server makes of it."""
    spec = GoLiveSpec.model_validate({"requestedBy": "trader", **manifest(path)["spec"]})

    assert spec.revision == 1
    assert spec.approvals == []


def test_both_samples_ask_for_the_same() -> None:
    """The one for older servers differs by what a person has to write there."""
    new, old = (manifest(path)["spec"] for path in sorted(SAMPLES, key=lambda path: len(path.name)))

    assert {key for key in old if old[key] != new.get(key)} == {"revision", "requestedBy"}
