"""A GoLive as it stands after a look, the means to change it, and an operator that records what it sees."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.golive import GoLiveSpec, GoLiveStatus, Recorded
from golive_api.record import Act, GoLiveRecordSpec
from golive_api.values import render_time
from golive_decisions import chaining
from golive_decisions.acts import Sight
from golive_decisions.recording import due_acts, silent_marks

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
UID = "uid-1"
DIGEST = ".".join(["a" * 64, "b" * 64, "c" * 64])
SPEC: dict[str, Any] = {
    "activation": "Enabled",
    "request": {"engineRef": {"name": "perps-engine"}, "accounts": ["main"], "profile": "micro"},
    "revision": 1,
    "requestedBy": "trader",
}


def _approval(user: str, **changes: Any) -> dict[str, Any]:
    return {"user": user, "revision": 1, "uid": UID, "digest": DIGEST, "comment": "limits checked", **changes}


def _attestation(item: str, **changes: Any) -> dict[str, Any]:
    time = render_time(NOON)
    return {"item": item, "user": "deputy", "uid": UID, "time": time, "comment": "seen", **changes}


def _status(
    state: str = "Closed", reason: str = "ApprovalsMissing", *, burned: int = 0, **history: Any
) -> GoLiveStatus:
    conditions = [
        {"type": kind, "status": value, "reason": why, "message": text, "lastTransitionTime": render_time(NOON)}
        for kind, value, why, text in (
            ("Ready", "True" if state == "Open" else "False", reason, f"because of {reason}"),
            ("AdmissionGuarded", "True", "Guarded", "forged writes are refused"),
        )
    ]
    gate = {"state": state, "reason": reason, "epoch": 3, "serial": 1, "burnedRevision": burned}
    content = {
        "conditions": conditions,
        "digest": DIGEST,
        "approvalSummary": "1/2",
        "gate": gate,
        "history": {"requestRevision": 1, **history},
    }
    return GoLiveStatus.model_validate(content)


@dataclass
class Watcher:
    """One GoLive's chain, and an operator that looks at it again and again."""

    sight: Sight
    recorded: Recorded = field(default_factory=Recorded)
    chain: list[GoLiveRecordSpec] = field(default_factory=list)

    def look(self, **changes: Any) -> list[Act]:
        """Change what stands there, look, record; returns the acts that were recorded."""
        self.sight = replace(self.sight, time=self.sight.time + timedelta(seconds=1), **changes)
        self.recorded = chaining.marked(self.recorded, silent_marks(self.sight, self.recorded))
        self.recorded = chaining.without_the_past(self.recorded, self.sight)
        new = []
        for act in due_acts(self.sight, self.recorded):
            record = chaining.link(act, self.sight.name, self.sight.uid, self.recorded)
            self.recorded = chaining.followed(self.recorded, record, self.sight.uid)
            new.append(record)
        self.chain += new
        return [record.act for record in new]

    def spec(self, **changes: Any) -> GoLiveSpec:
        """The request with changes."""
        return GoLiveSpec.model_validate({**SPEC, **changes})

    @property
    def last(self) -> GoLiveRecordSpec:
        """The latest record."""
        return self.chain[-1]


@pytest.fixture
def watcher() -> Watcher:
    """Give a request that nobody has approved, and of which nothing is recorded."""
    spec = GoLiveSpec.model_validate(SPEC)
    return Watcher(Sight("trading", "perps", UID, 1, NOON, spec, _status(), None, ()))


@pytest.fixture
def approval() -> Callable[..., dict[str, Any]]:
    """Give a function that makes an approval by somebody."""
    return _approval


@pytest.fixture
def attestation() -> Callable[..., dict[str, Any]]:
    """Give a function that makes an attestation of an item."""
    return _attestation


@pytest.fixture
def status() -> Callable[..., GoLiveStatus]:
    """Give a function that makes a status with a gate and a history."""
    return _status
