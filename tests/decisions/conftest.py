"""Facts in which everything holds, and the means to change, approve and carry them on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from golive_api.acknowledgement import Acknowledgement
from golive_api.digest import sha256
from golive_api.golive import Approval, GoLiveSpec, GoLiveStatus
from golive_api.policy import ActivationPolicySpec
from golive_api.preflight_report import CACHE_FINDINGS, DATABASE_FINDINGS, EXCHANGE_FINDINGS
from golive_api.profiles import Limits
from golive_api.values import WireModel, render_time
from golive_decisions.approvals import current_digest
from golive_decisions.deciding import Plan, decide
from golive_decisions.facts import EngineFacts, Facts, GateFacts, PodFacts, ProfileFacts, Subject
from golive_decisions.preflight_run import Answer, PreflightRun
from golive_decisions.series import REQUIRED
from golive_decisions.terms import Policy, in_force

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POD = "perps-engine-7d4b9-x2x1p"
LOADED = sha256("the file that the engine loaded")

SPEC = {
    "activation": "Enabled",
    "request": {"engineRef": {"name": "perps-engine"}, "accounts": ["main"], "profile": "micro"},
    "revision": 1,
    "requestedBy": "trader",
}
LIMITS = {
    "maxPositionNotional": "100",
    "maxPositions": 2,
    "maxLeverage": "2",
    "maxExposurePercent": "20",
    "maxMarginPercent": "10",
    "maxDailyLossPercent": "1.5",
    "maxWeeklyLossPercent": "10",
    "maxDrawdownPercent": "10",
    "maxTradeRiskPercent": "10",
    "maxCorrelatedExposurePercent": "10",
    "maxPriceDeviationPercent": "10",
    "maxPriceMovePercent": "10",
    "maxDailyTrades": 10,
    "maxOrdersPerMinute": 1000,
    "maxRepeatedOrders": 1000,
}
REPORT = {
    "version": "v1alpha1",
    "engine": "perps-engine",
    "pod": POD,
    "time": "2026-11-20T11:59:59.500000Z",
    "leading": True,
    "armed": True,
    "configDigests": [LOADED],
    "riskState": "OK",
    "riskReasons": ["quiet"],
    "live": True,
    "ready": True,
    "emergencyStop": "Inactive",
    "testnetTrades": 5,
    "cycles": 42,
    "gate": {"state": "Closed", "reason": "GateClosed", "epoch": 3, "serial": 1},
    "accounts": [
        {
            "name": "main",
            "environment": "production",
            "venue": "binance",
            "venues": [{"venue": "binance", "breaker": "closed", "reconciled": True}],
            "reconciled": True,
            "equity": "1000",
        },
        {"name": "paper", "environment": "testnet", "venue": "binance", "reconciled": True},
    ],
}

SCENARIOS = (
    "flash-crash",
    "volatility-spike",
    "exchange-outage",
    "liquidity-drought",
    "correlation-break",
    "stale-data",
    "rejected-stops",
)
LAX = {"safety": {"minTestnetTrades": 0}, "preflight": {"requirement": "Optional", "maxAgeSeconds": 3600}}
POLICIES = (Policy("default", ActivationPolicySpec.model_validate(LAX)),)
"""A policy that leaves to the request what can be left to it."""


def _findings(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "result": "Passed"} for name in names]


FINDINGS = {
    "version": "v1alpha1",
    "engine": "perps-engine",
    "pod": POD,
    "time": "2026-11-20T11:59:59.500000Z",
    "exchange": _findings(*(f"main/binance/{finding}" for finding in EXCHANGE_FINDINGS)),
    "database": _findings(*DATABASE_FINDINGS),
    "cache": _findings(*CACHE_FINDINGS),
    "stress": _findings(*SCENARIOS),
    "checklist": [],
}


def _put(value: Any, keys: list[str], new: object) -> Any:  # noqa: PLR0911  # one return for each kind of value
    """The value with another one at a path; a model that can't hold it becomes None, as when it is read."""
    if not keys:
        return new
    head, rest = keys[0], keys[1:]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{head: _put(getattr(value, head), rest, new)})
    if isinstance(value, WireModel):
        try:
            return type(value).model_validate(_put(value.wire(), keys, new))
        except ValidationError:
            return None
    if isinstance(value, str):
        return json.dumps(_put(json.loads(value), keys, new))
    if isinstance(value, dict):
        return {**value, head: _put(value.get(head), rest, new)}
    if isinstance(value, list | tuple):
        at = int(head)
        return type(value)([*value[:at], _put(value[at], rest, new), *value[at + 1 :]])
    return value


def _change(facts: Facts, changes: Mapping[str, object]) -> Facts:
    for path, new in changes.items():
        facts = _put(facts, path.split("."), new)
    spec = facts.subject.spec
    if spec is not None and any(path.startswith("subject.spec.request") for path in changes):
        facts = replace(
            facts, terms=in_force(POLICIES, spec)
        )  # what is in force follows from what is asked for
    return facts


def _approve(facts: Facts, *users: str) -> Facts:
    spec, digest = facts.subject.spec, current_digest(facts)
    assert spec is not None
    assert digest is not None
    approvals = [
        Approval(user=user, revision=spec.revision, uid=facts.subject.uid, digest=digest, comment="seen")
        for user in users
    ]
    agreed = spec.model_copy(update={"approvals": approvals})
    run = replace(facts.run, digest=digest) if facts.run else None
    return replace(facts, subject=replace(facts.subject, spec=agreed), run=run)


def _carry_on(facts: Facts, plan: Plan, seconds: float = 1.0) -> Facts:
    read_time = facts.read_time + timedelta(seconds=seconds)
    record = plan.gate or facts.gate.record
    gate = GateFacts(record is not None or facts.gate.exists, record, record.state.value if record else "")
    subject = replace(facts.subject, status=plan.status)
    again = replace(facts, read_time=read_time, gate=gate, subject=subject)
    if again.run is None:
        return again
    found = _put(again.run.engine, ["text", "time"], render_time(read_time))  # the run is a new one
    return replace(again, run=replace(again.run, began=read_time, ended=read_time, engine=found))


@pytest.fixture(scope="session")
def change() -> Callable[[Facts, Mapping[str, object]], Facts]:
    """Give a function that sets values by dotted path; models and JSON text are stepped into."""
    return _change


@pytest.fixture(scope="session")
def approve() -> Callable[..., Facts]:
    """Give a function that replaces all approvals by those of some users, for what stands there now."""
    return _approve


@pytest.fixture(scope="session")
def carry_on() -> Callable[..., Facts]:
    """Give a function that returns the next facts, after a plan was carried out and some time went by."""
    return _carry_on


@pytest.fixture(scope="session")
def born() -> Facts:
    """Everything holds, on the operator's first visit: no status, no gate."""
    metrics = "".join(f"# HELP {series.name} A series.\n{series} 1\n" for series in REQUIRED)
    ok = Answer(200, "ok")
    identity = {"template": {"spec": {"containers": [{"image": "engine:1"}]}}, "mounted": {"configmaps/c": {}}}
    seen = Acknowledgement(state="Closed", reason="GateClosed", acknowledged_time="2026-11-20T11:00:00Z")
    engine = EngineFacts(
        exists=True,
        identity=identity,
        config_digests=frozenset({LOADED}),
        pods=(PodFacts(POD, follows_template=True),),
        holder=POD,
        acknowledgement=seen,
        report=Answer(200, json.dumps(REPORT)),
    )
    spec, status = GoLiveSpec.model_validate(SPEC), GoLiveStatus()
    subject = Subject("trading", "perps", "uid-1", 1, deleting=False, spec=spec, spec_error="", status=status)
    unapproved = Facts(
        read_time=NOON,
        epoch=3,
        subject=subject,
        gate=GateFacts(exists=False),
        guard_errors=(),
        terms=in_force(POLICIES, spec),
        stops=(),
        profile=ProfileFacts(Limits.model_validate(LIMITS)),
        engine=engine,
    )
    run = PreflightRun(
        began=NOON,
        ended=NOON,
        pod=POD,
        digest=current_digest(unapproved),
        live=ok,
        ready=ok,
        metrics=Answer(200, metrics),
        engine=Answer(200, json.dumps(FINDINGS)),
    )
    return _approve(replace(unapproved, run=run), "approver")


@pytest.fixture(scope="session")
def good(born: Facts) -> Facts:
    """Everything holds and the gate stands Closed: one more look opens it."""
    return _carry_on(born, decide(born, 5))


@pytest.fixture(scope="session")
def opened(good: Facts) -> Facts:
    """Everything holds and the gate has been open for a second."""
    return _carry_on(good, decide(good, 5))
