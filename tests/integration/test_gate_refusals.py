from collections.abc import Callable
from typing import Any

import pytest

from golive_dev.waiting import eventually

MODES = {
    "garbage": "EngineReportUnreadable",
    "other-version": "EngineReportUnreadable",
    "error-500": "EngineReportUnreadable",
    "huge": "EngineUnreachable",
    "drop": "EngineUnreachable",
    "foreign-pod": "EngineReportUnreadable",
    "foreign-engine": "EngineReportUnreadable",
    "not-leading": "EngineReportUnreadable",
    "not-armed": "EngineReportUnreadable",
    "hang": "EngineUnreachable",
    "not-live": "HealthLiveFailed",
    "not-ready": "HealthReadyFailed",
    "metrics-missing": "MetricsMissing",
    "config-differs": "EngineConfigStale",
    "config-untold": "EngineConfigStale",
    "no-account": "AccountNotTraded",
    "risk-warning": "RiskNotAcceptable",
    "risk-critical": "RiskNotAcceptable",
    "emergency-stop": "EmergencyStopActive",
    "too-few-trades": "TestnetHistoryShort",
    "no-lease": "EngineNotRunning",
    "exchange-refuses": "ExchangeUnconnected",
    "exchange-silent": "CheckError",
    "journal-forgets": "DatabaseFailed",
    "cache-forgets": "DatabaseFailed",
    "scenario-fails": "StressScenariosFailed",
    "preflight-403": "CheckError",
    "preflight-garbage": "CheckError",
}


@pytest.mark.parametrize(("mode", "reason"), MODES.items(), ids=list(MODES))
def test_an_engine_that_misbehaves_loses_its_gate_until_it_behaves(
    shared_desk: Any, mode: str, reason: str
) -> None:
    """Each fault shuts the gate under its own reason and says so in a sentence; its end opens it again."""
    shared_desk.misbehave(mode)
    shut = shared_desk.await_gate("Closed", reason)
    shared_desk.misbehave("")
    shared_desk.await_open()
    assert shut.message


def test_a_missing_profile_keeps_the_gate_closed(new_desk: Callable[..., Any]) -> None:
    """The condition names the profile; the gate exists and is closed."""
    desk = new_desk(engine=False)
    desk.apply(profile="nonexistent")
    record = desk.await_gate("Closed", "ProfileMissing")
    assert desk.message() == "CapitalProfile nonexistent does not exist"
    assert (record.limits, record.digest) == (None, None)


def test_a_missing_engine_keeps_the_gate_closed(new_desk: Callable[..., Any]) -> None:
    """The condition names Deployment and namespace; the engine's conditions are not claimed to hold."""
    desk = new_desk(engine=False)
    desk.apply()
    desk.await_gate("Closed", "EngineMissing")
    assert desk.message() == f"Deployment perps-engine does not exist in namespace {desk.namespace}"
    assert desk.conditions()["PreflightPassed"][0] == "False"


def test_two_requests_for_one_engine_close_each_other(shared_desk: Any) -> None:
    """Both are closed and name each other; when one goes the other opens on the approval that it had."""
    rival = shared_desk.other("rival")
    rival.apply()
    rival.await_gate("Closed", "EngineContested")
    shared_desk.await_gate("Closed", "EngineContested")
    messages = (shared_desk.message(), rival.message())
    rival.person("trader").call("DELETE", rival.path)
    shared_desk.await_open()
    assert messages == (
        "also enabled for this engine: rival; disable all but one",
        "also enabled for this engine: perps; disable all but one",
    )


def test_a_disabled_rival_contests_nothing(shared_desk: Any) -> None:
    """Only requests that want their gate open count."""
    rival = shared_desk.other("idle")
    rival.apply()
    rival.edit(activation="Disabled")
    rival.await_gate("Closed", "ActivationDisabled")
    shared_desk.await_open()
    rival.person("trader").call("DELETE", rival.path)
    eventually(lambda: rival.admin.find(rival.path) is None)
