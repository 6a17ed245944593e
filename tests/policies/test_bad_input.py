"""Bad input gets one clear message from kubectl, and nothing is stored."""

from typing import Any

import pytest

REQUEST = {"engineRef": {"name": "perps-engine"}, "accounts": ["main"]}

GOLIVES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"request": {**REQUEST, "leverage": "9"}}, 'unknown field "spec.request.leverage"'),
    "a lease of 4 seconds": (
        {"request": {**REQUEST, "gate": {"ttlSeconds": 4}}},
        "spec.request.gate.ttlSeconds in body should be greater than or equal to 5",
    ),
    "a lease of 61 seconds": (
        {"request": {**REQUEST, "gate": {"ttlSeconds": 61}}},
        "spec.request.gate.ttlSeconds in body should be less than or equal to 60",
    ),
    "no accounts": ({"request": {**REQUEST, "accounts": []}}, "spec.request.accounts"),
    "the same account twice": ({"request": {**REQUEST, "accounts": ["main", "main"]}}, "Duplicate value"),
    "no engine": ({"request": {"accounts": ["main"]}}, "spec.request.engineRef: Required value"),
    "no request": ({"request": None}, "spec.request: Required value"),
    "a risk that nobody may accept": (
        {"request": {**REQUEST, "safety": {"riskState": "CRITICAL"}}},
        'supported values: "OK", "WARNING"',
    ),
    "a switch that is neither on nor off": ({"activation": "On"}, 'supported values: "Enabled", "Disabled"'),
    "an engine's name that is no name": (
        {"request": {**REQUEST, "engineRef": {"name": "../etc"}}},
        "spec.request.engineRef.name",
    ),
    "text where a number belongs": (
        {"request": {**REQUEST, "gate": {"ttlSeconds": "15"}}},
        "must be of type integer",
    ),
}


@pytest.mark.parametrize(("spec", "complaint"), GOLIVES.values(), ids=GOLIVES)
def test_golive_is_refused_with(cluster: Any, name: str, spec: dict[str, Any], complaint: str) -> None:
    """The message names the field and what is wrong with it."""
    body = cluster.golive_body(name, **spec)
    body["spec"] = {key: value for key, value in body["spec"].items() if value is not None}

    answer = cluster.create("trader", body)

    assert not answer.accepted
    assert complaint in answer.said


@pytest.mark.parametrize(
    ("called", "complaint"),
    {
        "300 characters": ("x" * 300, "at most 63 characters"),
        "64 characters": ("x" * 64, "at most 63 characters"),
        "a dot": ("perps.eu", "must be an RFC 1123 label"),
    }.values(),
    ids=["300 characters", "64 characters", "a dot"],
)
def test_golive_is_refused_if_its_name_has(cluster: Any, called: str, complaint: str) -> None:
    """A name that can't name a gate is no name."""
    answer = cluster.create("trader", cluster.golive_body(called) | {"spec": {"request": REQUEST}})

    assert not answer.accepted
    assert complaint in answer.said


def test_golive_without_a_spec_is_refused(cluster: Any, name: str) -> None:
    """The stamping leaves the complaint to the schema."""
    body = {key: value for key, value in cluster.golive_body(name).items() if key != "spec"}

    answer = cluster.create("trader", body)

    assert not answer.accepted
    assert "spec: Required value" in answer.said


PROFILES = {
    "negative money": ({"maxPositionNotional": "-100"}, "spec.limits.maxPositionNotional"),
    "nine decimals": ({"maxLeverage": "1.000000001"}, "spec.limits.maxLeverage"),
    "an exponent": ({"maxExposurePercent": "1e3"}, "spec.limits.maxExposurePercent"),
    "money as a number": ({"maxPositionNotional": 100}, "must be of type string"),
    "no positions": ({"maxPositions": 0}, "should be greater than or equal to 1"),
    "a limit left out": ({"maxDailyTrades": None}, "spec.limits.maxDailyTrades: Required value"),
    "a limit nobody knows": ({"maxRisk": "1"}, 'unknown field "spec.limits.maxRisk"'),
}


@pytest.mark.parametrize(("change", "complaint"), PROFILES.values(), ids=PROFILES)
def test_profile_is_refused_with(cluster: Any, name: str, change: dict[str, Any], complaint: str) -> None:
    """Money is non-negative decimal text with at most eight decimals, and no limit is optional."""
    limits: dict[str, Any] = {
        "maxPositionNotional": "100",
        "maxPositions": 2,
        "maxLeverage": "1",
        "maxExposurePercent": "10",
        "maxMarginPercent": "80",
        "maxDailyLossPercent": "0.5",
        "maxWeeklyLossPercent": "10",
        "maxDrawdownPercent": "10",
        "maxTradeRiskPercent": "10",
        "maxCorrelatedExposurePercent": "10",
        "maxPriceDeviationPercent": "10",
        "maxPriceMovePercent": "10",
        "maxDailyTrades": 20,
        "maxOrdersPerMinute": 1000,
        "maxRepeatedOrders": 1000,
        **change,
    }
    body = {
        "apiVersion": "golive.dev/v1alpha1",
        "kind": "CapitalProfile",
        "metadata": {"name": name},
        "spec": {"limits": {key: value for key, value in limits.items() if value is not None}},
    }

    answer = cluster.create("admin", body)

    assert not answer.accepted
    assert complaint in answer.said
