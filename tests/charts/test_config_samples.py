"""The shipped profiles and samples: valid, and in the order that their names promise."""

import itertools
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_api.golive import GateState, GoLiveSpec
from golive_api.kinds import definitions
from golive_api.ladder import LADDER, RUNGS
from golive_api.policy import ActivationPolicySpec
from golive_api.profiles import CapitalProfileSpec, Limits
from golive_decisions.terms import Policy, in_force
from golive_decisions.windows import judge
from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[2]
POLICIES = ("default", "strict")
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


def policy(name: str) -> ActivationPolicySpec:
    """A shipped policy, as the model reads it."""
    return ActivationPolicySpec.model_validate(manifest(ROOT / f"config/policies/{name}.yaml")["spec"])


def test_every_shipped_policy_is_looked_at() -> None:
    """A file for each name, and no other."""
    files = {
        path.stem: manifest(path)["metadata"]["name"] for path in (ROOT / "config/policies").glob("*.yaml")
    }

    assert files == {name: name for name in POLICIES}


def test_api_server_takes_the_policies_as_they_stand(control_plane: ControlPlane) -> None:
    """No unknown field, and nothing that the server would fill in differently from the model."""
    definition = next(each for each in definitions() if each["spec"]["names"]["kind"] == "ActivationPolicy")
    control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(definition))
    for name in POLICIES:
        words = ("create", "--dry-run=server", "--validate=strict", "-o", "json", "-f")
        path = ROOT / f"config/policies/{name}.yaml"
        # The kind was made a moment ago.
        stored = eventually(lambda: json.loads(control_plane.kubectl(*words, path).stdout), 30)  # noqa: B023  # called at once
        assert ActivationPolicySpec.model_validate(stored["spec"]) == policy(name)


def test_default_policy_asks_for_one_person_and_allows_the_first_rung() -> None:
    """At any time, without attestations."""
    spec = GoLiveSpec.model_validate({"requestedBy": "trader", **manifest(SAMPLES[0])["spec"]})
    terms = in_force((Policy("default", policy("default")),), spec)

    assert terms is not None
    assert (terms.approvals_needed, sorted(terms.allowed_profiles), terms.profile) == (1, ["micro"], "micro")
    assert (terms.windows, terms.checks.checklist_required, terms.required_groups) == ((), frozenset(), ())


HOURS = {
    "a Monday morning before nine": (datetime(2026, 3, 2, 7, 59, tzinfo=UTC), GateState.CLOSED),
    "a Monday morning in winter": (datetime(2026, 3, 2, 8, 1, tzinfo=UTC), GateState.OPEN),
    "the same hour of the clock in summer": (datetime(2026, 7, 6, 7, 1, tzinfo=UTC), GateState.OPEN),
    "an afternoon after five": (datetime(2026, 3, 2, 16, 1, tzinfo=UTC), GateState.CLOSED),
    "a Saturday": (datetime(2026, 3, 7, 12, 0, tzinfo=UTC), GateState.CLOSED),
    "a Monday before Christmas": (datetime(2026, 12, 21, 12, 0, tzinfo=UTC), GateState.CLOSED),
    "the last day of next year's freeze": (datetime(2028, 1, 3, 12, 0, tzinfo=UTC), GateState.CLOSED),
    "the first day after it": (datetime(2028, 1, 4, 12, 0, tzinfo=UTC), GateState.OPEN),
}


@pytest.mark.parametrize(("moment", "state"), HOURS.values(), ids=HOURS)
def test_strict_policys_windows_on(moment: datetime, state: GateState) -> None:
    """Office hours by the clock on the wall, and the freeze over the turn of the year."""
    assert judge((tuple(policy("strict").windows),), moment).state is state


def test_strict_policy_names_items_and_rungs_that_exist() -> None:
    """A misspelt item could never be met."""
    strict, page = policy("strict"), (ROOT / "docs/reference/checklist.md").read_text()

    assert [item for item in strict.checklist.required if f"| `{item}` |" not in page] == []
    assert {step.profile for step in strict.ladder} | {"micro"} == set(strict.profiles.allowed) <= set(RUNGS)
    assert (strict.approvals.minimum, strict.safety.min_testnet_trades) == (2, 3)
