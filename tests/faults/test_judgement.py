from datetime import UTC, datetime
from typing import Any

import pytest

from golive_dev.faults.judging import Law, Seen, breaches
from golive_dev.faults.prober import Yes

START = 1_800_000_000.0
DIGEST = "d"


def stamp(seconds: float) -> str:
    """A moment as objects have it."""
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


def golive(*users: str, state: str = "Closed", epoch: int = 1, **changes: Any) -> dict[str, Any]:
    """A GoLive of revision 1, approved by these users."""
    approvals = [{"user": user, "revision": 1, "uid": "u", "digest": DIGEST} for user in users]
    spec = {"activation": "Enabled", "revision": 1, "requestedBy": "trader", "approvals": approvals} | changes
    gate = {"state": state, "epoch": epoch, "burnedRevision": 0}
    status = {"digest": DIGEST, "observedGeneration": 1, "gate": gate}
    return {"metadata": {"uid": "u", "generation": 1}, "spec": spec, "status": status}


def gate(state: str, issued: float, serial: int = 1, epoch: int = 1, ttl: float = 5) -> dict[str, Any]:
    """A gate's ConfigMap."""
    times = {"issuedTime": stamp(issued), "validUntil": stamp(issued + ttl)}
    return {"data": {"state": state, "uid": "u", "epoch": str(epoch), "serial": str(serial), **times}}


def seen(version: int, after: float, body: dict[str, Any] | None) -> Seen:
    """A version, seen so many seconds after the start."""
    return Seen(version, START + after, body)


def yes(began: float, ended: float) -> Yes:
    """An order could pass in this time."""
    return Yes(START + began, START + ended)


CONSENT = [seen(1, 0, golive("approver")), seen(3, 20, golive())]
OPENED = [seen(2, 1, gate("Open", 1)), seen(4, 21, gate("Closed", 21, 2))]
LASTING = [
    *(seen(2 + n, 1 + n, gate("Open", 1 + n, 1 + n)) for n in range(20)),
    seen(40, 21, gate("Closed", 21, 40)),
]
CONSENT_OF_LASTING = [seen(1, 0, golive("approver")), seen(39, 20, golive())]


def test_a_good_history_has_no_breach() -> None:
    """Consent, an opening, renewals, answers of yes, consent withdrawn, closed in time."""
    assert breaches(CONSENT_OF_LASTING, LASTING, [yes(1.1, 1.3), yes(20.9, 21.1)]) == []


def consented(**changes: Any) -> dict[str, Any]:
    """A GoLive that somebody else has approved."""
    return golive("approver", **changes)


WITHDRAWN = [seen(1, 0, consented()), seen(2, 5, golive())]
EPOCHS = [seen(2, 1, gate("Open", 1, 2, 2)), seen(4, 2, gate("Closed", 2, 3))]
SERIALS = [seen(2, 1, gate("Closed", 1, 2)), seen(4, 2, gate("Closed", 2, 1))]

BAD: dict[str, tuple[list[Seen], list[Seen], list[Yes], str]] = {
    "opened without consent": (CONSENT[1:], OPENED, [], "without consent"),
    "opened with the requester's own": ([seen(1, 0, golive("Trader"))], OPENED, [], "without consent"),
    "opened after consent went": (WITHDRAWN, [seen(3, 9, gate("Open", 8.9))], [], "without consent"),
    "valid beyond its TTL": (CONSENT, [seen(2, 1, gate("Open", 1, ttl=9))], [], "too long"),
    "valid from later than it was seen": (CONSENT, [seen(2, 1, gate("Open", 4))], [], "too long"),
    "an epoch that goes back": (CONSENT, EPOCHS, [], "goes back"),
    "a serial that goes back": (CONSENT, SERIALS, [], "goes back"),
    "status Open without consent": ([seen(1, 0, golive(state="Open"))], [], [], "says Open"),
    "status back in epoch": ([seen(1, 0, golive(epoch=2)), seen(2, 1, golive())], [], [], "epoch 2 to 1"),
    "a yes after the gate has run out": (CONSENT, OPENED, [yes(6.3, 6.4)], "without an open gate"),
    "a yes after it was closed": (CONSENT_OF_LASTING, LASTING, [yes(22.9, 23.1)], "without an open gate"),
    "a yes before it was opened": (CONSENT, [seen(2, 10, gate("Open", 10))], [yes(8, 8.1)], "an open gate"),
    "a yes beyond the bound": (WITHDRAWN, [seen(3, 4, gate("Open", 4, ttl=60))], [yes(12, 12.1)], "the bound"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_judge_notices(case: str) -> None:
    """A judge that can't find anything proves nothing."""
    requests, gates, yeses, told = BAD[case]
    assert any(told in breach for breach in breaches(requests, gates, yeses, Law()))
