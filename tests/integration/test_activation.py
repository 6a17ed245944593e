"""The tests of the hand-run program's activation, by their old names, in today's terms.

Its two tests of the marker file in execution stand in tests/engine/test_execution_flag.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from golive_api.gate import NOTICE
from golive_api.golive import GoLiveSpec
from golive_api.values import parse_time

SAMPLES = Path(__file__).parents[2] / "config/samples"


def test_activation_disabled_returns_false(desk: Any) -> None:
    """Whoever does not ask for it gets no open gate, approved or not."""
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_open()
    desk.edit(activation="Disabled")
    record = desk.await_gate("Closed", "ActivationDisabled")
    assert record.state == "Closed"


def test_activation_enabled_but_risk_state_bad_returns_false(desk: Any) -> None:
    """CRITICAL keeps the gate closed though everything else holds."""
    desk.misbehave("risk-critical")
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_gate("Closed", "RiskNotAcceptable")
    assert "Global Risk is CRITICAL" in desk.message()


def test_activation_enabled_and_risk_ok_creates_flag(desk: Any) -> None:
    """Asked for, approved by another person, everything well: the gate opens."""
    record = desk.open()
    assert record.state == "Open"


def test_preflight_failure_prevents_activation(desk: Any) -> None:
    """A check that fails, here the journal's, keeps the gate closed and says so."""
    desk.misbehave("journal-forgets")
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_gate("Closed", "DatabaseFailed")
    checks = {check["name"]: check["result"] for check in desk.read()["status"]["preflight"]["checks"]}
    assert checks["check_database_redis"] == "Failed"
    assert checks["check_health_endpoints"] == "Passed"


def test_config_structure() -> None:
    """The samples have every field that the old file had, and the server's own model takes them."""
    for path in sorted(SAMPLES.glob("golive*.yaml")):
        spec = yaml.safe_load(path.read_text())["spec"]
        read = GoLiveSpec.model_validate({"requestedBy": "trader"} | spec)
        assert read.request.environment == "production"
        assert read.request.preflight.requirement == "Required"
        assert read.request.safety.risk_state == "OK"
        assert read.request.safety.emergency_stop == "Inactive"
        assert read.request.safety.min_testnet_trades == 3


def test_activation_creates_marker_with_correct_content(desk: Any) -> None:
    """The gate says what the marker file said: when, by whom, for which environment, with which profile."""
    desk.open()
    data = desk.admin.call("GET", desk.gate_path)["data"]
    assert data["state"] == "Open"
    assert parse_time(data["openedTime"]) <= parse_time(data["issuedTime"]) < parse_time(data["validUntil"])
    assert (data["requestedBy"], data["approvers"]) == ("trader", '["approver"]')
    assert (data["environment"], data["profile"]) == ("production", "micro")
    assert data["NOTICE"] == NOTICE


def test_default_profile_is_micro(new_desk: Callable[..., Any]) -> None:
    """A request that names no profile gets the policy's default, and that is the lowest rung."""
    desk = new_desk(engine=False)
    desk.apply(profile=None)
    desk.await_gate("Closed", "EngineMissing")
    assert desk.read()["status"]["profile"] == "micro"
