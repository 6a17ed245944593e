"""Every forged write of a long list is refused, and nothing is changed by any of them.

By whom each has to be refused stands beside it: a policy, or RBAC where nobody should get as far as a policy.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

IDENTITY, GATE, STATUS = "golive-identity", "golive-gate", "golive-status"
STOP, RECORDS = "golive-emergency-stop", "golive-records"
REACH, ACCOUNT, RBAC = "golive-operator-reach", "golive-operator-identity", "RBAC"

GOLIVES = "/apis/golive.dev/v1alpha1/namespaces/trading/golives"
STOPS = "/apis/golive.dev/v1alpha1/namespaces/trading/emergencystops"
RECORD = "/apis/golive.dev/v1alpha1/namespaces/trading/goliverecords"
CONFIG = "/api/v1/namespaces/trading/configmaps"
OPERATORS = "/api/v1/namespaces/golive-system"
ENGINE = "/apis/apps/v1/namespaces/trading/deployments/swaps-engine"
CLUSTER = "/apis/golive.dev/v1alpha1"

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
FORCE = "?fieldManager=mallory&force=true"

OTHER = ".".join(["d" * 64] * 3)
CAUSE = "a stale price feed, replaced"
ROUNDS = 5
"""How often each is tried, for the sake of the figures."""


@dataclass(frozen=True)
class Forgery:
    """One write that must not get through."""

    what: str
    who: str
    method: str
    path: str
    body: Any
    by: str
    """Who has to refuse it."""
    content: str = ""
    impersonated: str = ""
    unstamped: bool = False
    """Where the server fills in requester and revision, it is corrected instead."""


def approvals(stage: Any) -> Iterator[Forgery]:
    """Approving in another's name, of another object, of another time."""

    def patch(what: str, who: str, *entries: Any, on: str = "swaps", suffix: str = "") -> Forgery:
        return Forgery(
            what, who, "PATCH", f"{GOLIVES}/{on}{suffix}", {"spec": {"approvals": entries}}, IDENTITY
        )

    standing = stage.read("swaps")["spec"]["approvals"][0]
    deputy, dry = stage.approval("deputy", "swaps"), "?dryRun=All"
    account = "system:serviceaccount:golive-system:golive-operator"
    yield patch("approve as deputy", "mallory", standing, deputy)
    yield patch("approve as deputy, as administrator", "admin", standing, deputy)
    yield patch("approve as deputy, as the operator", "operator", standing, deputy, suffix=dry)
    yield patch("approve without the verb", "mallory", standing, {**deputy, "user": "mallory"})
    yield patch(
        "approve as the operator's account", "operator", standing, {**deputy, "user": account}, suffix=dry
    )
    yield patch("approve as a robot", "robot", {**deputy, "user": "system:serviceaccount:trading:robot"})
    yield patch("approve a namesake's uid", "deputy", standing, {**deputy, "uid": "u-0"})
    earlier = stage.approval("deputy", "reborn", uid=stage.first_life["metadata"]["uid"])
    yield patch("carry an approval to what was made anew", "deputy", earlier, on="reborn")
    yield patch("approve a stale digest", "deputy", standing, {**deputy, "digest": OTHER})
    yield patch("approve before a digest is shown", "deputy", stage.approval("deputy", "fresh"), on="fresh")
    yield patch("approve what is being deleted", "deputy", stage.approval("deputy", "leaving"), on="leaving")
    yield patch("reword another's approval", "deputy", {**standing, "comment": "all fine"}, deputy)
    yield patch("renew another's approval", "deputy", {**standing, "digest": OTHER}, deputy)
    yield patch("turn another's approval round", "deputy", {**standing, "verdict": "Rejected"}, deputy)
    yield patch("add a group to another's approval", "deputy", {**standing, "groups": ["risk"]}, deputy)
    yield patch("speak for a group of others", "deputy@desk", standing, {**deputy, "groups": ["risk"]})
    yield patch(
        "speak for one's own and another group", "deputy@desk", standing, {**deputy, "groups": ["desk", "risk"]}
    )
    yield patch("speak for the administrators", "deputy", standing, {**deputy, "groups": ["system:masters"]})
    yield patch("speak for a group in other letters", "deputy@risk", standing, {**deputy, "groups": ["Risk"]})
    test = {"op": "test", "path": "/spec/revision", "value": 1}
    add = [test, {"op": "add", "path": "/spec/approvals/-", "value": deputy}]
    yield Forgery(
        "approve as deputy by JSON patch", "mallory", "PATCH", f"{GOLIVES}/swaps", add, IDENTITY, JSON_PATCH
    )
    for manager, who in (("mallory", "mallory"), ("kubectl-golive", "approver")):
        body = {**kind("GoLive", "swaps"), "spec": {"approvals": [deputy]}}
        path = f"{GOLIVES}/swaps?fieldManager={manager}&force=true"
        yield Forgery(
            f"force an approval as field manager {manager}", who, "PATCH", path, body, IDENTITY, APPLY
        )
    whole = stage.read("swaps")
    whole["spec"]["approvals"].append(deputy)
    yield Forgery(
        "replace the object with an approval more", "mallory", "PUT", f"{GOLIVES}/swaps", whole, IDENTITY
    )
    for user in ("deputy", account, "system:node:node-1"):
        body = {"spec": {"approvals": [standing, {**deputy, "user": user}]}}
        yield Forgery(
            f"impersonate {user}", "mallory", "PATCH", f"{GOLIVES}/swaps", body, RBAC, impersonated=user
        )


def rejections(stage: Any) -> Iterator[Forgery]:
    """Lifting another person's rejection, or rejecting in another's name."""
    standing = stage.read("spot")["spec"]["approvals"][0]
    path, deputy = f"{GOLIVES}/spot", stage.approval("deputy", "spot")
    lists: dict[str, tuple[str, list[Any]]] = {
        "drop a rejection": ("mallory", []),
        "drop a rejection, as administrator": ("admin", []),
        "drop a rejection, as requester": ("trader", []),
        "swap a rejection for one's own approval": ("deputy", [deputy]),
        "turn a rejection round": ("deputy", [{**standing, "verdict": "Approved"}, deputy]),
        "reword a rejection": ("deputy", [{**standing, "comment": "fine"}]),
        "reject as deputy": ("mallory", [standing, {**deputy, "verdict": "Rejected"}]),
        "reject without the verb": (
            "mallory",
            [standing, {**deputy, "user": "mallory", "verdict": "Rejected"}],
        ),
    }
    for what, (who, entries) in lists.items():
        yield Forgery(what, who, "PATCH", path, {"spec": {"approvals": entries}}, IDENTITY)
    test = {"op": "test", "path": "/spec/approvals/0/user", "value": "approver"}
    remove = [test, {"op": "remove", "path": "/spec/approvals/0"}]
    yield Forgery("drop a rejection by JSON patch", "mallory", "PATCH", path, remove, IDENTITY, JSON_PATCH)
    whole = stage.read("spot")
    del whole["spec"]["approvals"]
    yield Forgery("replace a rejected object by a clean one", "trader", "PUT", path, whole, IDENTITY)


def requests(stage: Any) -> Iterator[Forgery]:
    """Where nobody fills them in, requester and revision are verified."""
    born = stage.cluster.golive_body("newborn", requestedBy="mallory", revision=1)
    spec, path = born["spec"], f"{GOLIVES}/swaps"
    deputy = stage.approval("deputy", "swaps")
    births: dict[str, dict[str, Any]] = {
        "ask in another's name": {**spec, "requestedBy": "approver"},
        "be born at revision 2": {**spec, "revision": 2},
        "be born approved": {**spec, "approvals": [deputy]},
    }
    for what, body in births.items():
        yield Forgery(what, "mallory", "POST", GOLIVES, {**born, "spec": body}, IDENTITY, unstamped=True)
    unnamed = {**born, "metadata": {"generateName": "newborn-"}, "spec": births["be born approved"]}
    yield Forgery(
        "be born approved under a made-up name", "mallory", "POST", GOLIVES, unnamed, IDENTITY, unstamped=True
    )
    changed = {"spec": {"request": {"profile": "low"}, "revision": 2, "approvals": []}}
    yield Forgery(
        "change a request in the first requester's name",
        "mallory",
        "PATCH",
        path,
        changed,
        IDENTITY,
        unstamped=True,
    )


def attestations(stage: Any) -> Iterator[Forgery]:
    """Vouching in another's name."""
    standing = stage.read("swaps")["spec"]["attestations"][0]

    def patch(what: str, who: str, *entries: Any, on: str = "swaps", suffix: str = "") -> Forgery:
        return Forgery(
            what, who, "PATCH", f"{GOLIVES}/{on}{suffix}", {"spec": {"attestations": entries}}, IDENTITY
        )

    def entry(who: str, **changes: Any) -> dict[str, Any]:
        return dict(stage.attestation(who, "swaps", "on-call-set-up", **changes))

    robot = "system:serviceaccount:trading:robot"
    yield patch("attest without the verb", "mallory", standing, entry("mallory"))
    yield patch("attest as deputy", "attester", standing, entry("deputy"))
    yield patch("attest as deputy, as administrator", "admin", standing, entry("deputy"))
    yield patch(
        "attest as deputy, as the operator", "operator", standing, entry("deputy"), suffix="?dryRun=All"
    )
    yield patch("attest as a robot", "robot", standing, entry(robot))
    yield patch("attest a namesake's uid", "attester", standing, entry("attester", uid="u-0"))
    uid = stage.first_life["metadata"]["uid"]
    yield patch(
        "carry an attestation to what was made anew", "attester", entry("attester", uid=uid), on="reborn"
    )
    yield patch(
        "postpone the lapse of another's attestation", "attester", {**standing, "time": "2027-06-01T00:00:00Z"}
    )
    yield patch("reword another's attestation", "attester", {**standing, "comment": "seen"})
    yield patch("move another's attestation to another item", "attester", {**standing, "item": "team-trained"})
    body = {**kind("GoLive", "swaps"), "spec": {"attestations": [entry("deputy")]}}
    yield Forgery("force an attestation", "mallory", "PATCH", f"{GOLIVES}/swaps{FORCE}", body, IDENTITY, APPLY)
    newborn = stage.cluster.golive_body(
        "attested", requestedBy="trader", revision=1, attestations=[entry("trader")]
    )
    yield Forgery("be born attested", "trader", "POST", GOLIVES, newborn, IDENTITY)


def gates(stage: Any) -> Iterator[Forgery]:
    """Opening, prolonging, hiding, squatting a gate."""
    path, operator = f"{CONFIG}/golive-gate-swaps", "operator"
    later = {"validUntil": "2027-01-01T00:00:00Z"}
    ajar = {"op": "replace", "path": "/data/validUntil", "value": later["validUntil"]}
    test = {"op": "test", "path": "/data/state", "value": "Open"}
    whole = stage.done("admin", "GET", path)
    whole["data"] |= later
    edits: dict[str, tuple[str, Any]] = {
        "prolong a gate": ("mallory", {"data": later}),
        "prolong a gate, as administrator": ("admin", {"data": later}),
        "prolong a gate, as a robot": ("robot", {"data": later}),
        "prolong a gate by a stolen token": ("stolen", {"data": {**later, "serial": "3"}}),
        "close a gate and move its end": ("mallory", {"data": {"state": "Closed", **later}}),
        "strip a gate of its label": ("mallory", {"metadata": {"labels": {"golive.dev/gate": None}}}),
        "give a gate another label": ("mallory", {"metadata": {"labels": {"golive.dev/gate": "spot"}}}),
        "keep a gate by a finalizer": ("mallory", {"metadata": {"finalizers": ["golive.dev/hold"]}}),
        "make a gate immutable": ("mallory", {"immutable": True}),
        "write a gate as a replaced leader": (operator, {"data": {"epoch": "4", "serial": "9"}}),
        "write an earlier serial": (operator, {"data": {"serial": "1"}}),
        "hand an open gate to another object": (operator, {"data": {"uid": "u-2", "serial": "9"}}),
        "open a gate without an end": (operator, {"data": {"validUntil": None, "serial": "9"}}),
    }
    for what, (who, body) in edits.items():
        yield Forgery(what, who, "PATCH", path, body, GATE)
    yield Forgery("prolong a gate by JSON patch", "mallory", "PATCH", path, [test, ajar], GATE, JSON_PATCH)
    yield Forgery(
        "prolong a gate by strategic merge", "mallory", "PATCH", path, {"data": later}, GATE, STRATEGIC
    )
    applied = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "golive-gate-swaps"},
        "data": later,
    }
    yield Forgery("force a gate's end", "mallory", "PATCH", f"{path}{FORCE}", applied, GATE, APPLY)
    yield Forgery("replace a gate", "mallory", "PUT", path, whole, GATE)
    squat = stage.cluster.gate_body
    named, label = (
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"state": "Open"}},
        {"golive.dev/gate": "spot"},
    )
    births: dict[str, tuple[str, Any]] = {
        "squat a gate's name": ("admin", {**named, "metadata": {"name": "golive-gate-spot"}}),
        "squat a gate's name by generateName": (
            "admin",
            {**named, "metadata": {"generateName": "golive-gate-"}},
        ),
        "squat a gate's label": ("admin", {**named, "metadata": {"name": "other", "labels": label}}),
        "make a gate as the operator would": ("admin", squat("spot")),
        "make an open gate, as the operator": (operator, squat("spot", state="Open")),
        "make a gate by a stolen token": ("stolen", squat("spot")),
    }
    for what, (who, body) in births.items():
        yield Forgery(what, who, "POST", CONFIG, body, GATE)
    yield Forgery(
        "label another ConfigMap as a gate",
        "mallory",
        "PATCH",
        f"{CONFIG}/harmless",
        {"metadata": {"labels": label}},
        GATE,
    )


def statuses(stage: Any) -> Iterator[Forgery]:
    """Showing approvers what is not so, unburning, rewinding."""
    path = f"{GOLIVES}/swaps/status"
    gate = stage.read("swaps")["status"]["gate"]
    edits: dict[str, tuple[str, Any, str]] = {
        "show another digest": ("mallory", {"digest": OTHER}, RBAC),
        "show another digest, as approver": ("approver", {"digest": OTHER}, RBAC),
        "show another digest, as administrator": ("admin", {"digest": OTHER}, STATUS),
        "show another digest, as a robot": ("robot", {"digest": OTHER}, STATUS),
        "show another digest by a stolen token": ("stolen", {"digest": OTHER}, STATUS),
        "lower the epoch": ("operator", {"gate": {"epoch": 4}}, STATUS),
        "drop the gate with its epoch": ("operator", {"gate": None}, STATUS),
        "rewind the chain of records": ("operator", {"recorded": {"sequence": 6}}, STATUS),
        "forget the chain of records": ("operator", {"recorded": None}, STATUS),
        "anchor past the last record": ("operator", {"recorded": {"anchorSequence": 8}}, STATUS),
        "move the anchor back": ("operator", {"recorded": {"anchorSequence": 1}}, STATUS),
    }
    for what, (who, status, by) in edits.items():
        yield Forgery(what, who, "PATCH", path, {"status": status}, by)
    unburned = {"status": {"gate": {"burnedRevision": 0}}}
    yield Forgery("unburn a revision", "operator", "PATCH", f"{GOLIVES}/spot/status", unburned, STATUS)
    opened = {"status": {"gate": {"state": "Open"}}}
    yield Forgery("open a burned revision", "operator", "PATCH", f"{GOLIVES}/spot/status", opened, STATUS)
    whole = stage.read("swaps")
    whole["status"]["digest"] = OTHER
    yield Forgery("replace the status", "admin", "PUT", path, whole, STATUS)
    body = {**kind("GoLive", "swaps"), "status": {"gate": {**gate, "state": "Open"}}}
    yield Forgery("force a status", "admin", "PATCH", f"{path}{FORCE}", body, STATUS, APPLY)


def operators(_stage: Any) -> Iterator[Forgery]:
    """Becoming the operator, and the operator becoming more than it is."""
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    engines = {**token, "spec": {"audiences": ["golive.dev/engine"]}}
    account, pod = f"{OPERATORS}/serviceaccounts/golive-operator/token", f"{OPERATORS}/pods/operator-0"
    yield Forgery("mint the operator's token", "admin", "POST", account, token, ACCOUNT)
    yield Forgery("mint the token that engines believe", "admin", "POST", account, engines, ACCOUNT)
    yield Forgery("mint the operator's token, as a robot", "robot", "POST", account, token, ACCOUNT)
    yield Forgery("exec into the operator", "admin", "POST", f"{pod}/exec?command=sh&stdin=true", None, ACCOUNT)
    yield Forgery("attach to the operator", "admin", "POST", f"{pod}/attach?stdin=true", None, ACCOUNT)
    debug = {"spec": {"ephemeralContainers": [{"name": "d", "image": "busybox"}]}}
    yield Forgery(
        "debug the operator", "admin", "PATCH", f"{pod}/ephemeralcontainers", debug, ACCOUNT, STRATEGIC
    )
    disable = {"spec": {"activation": "Disabled"}}
    yield Forgery("edit a request, as the operator", "operator", "PATCH", f"{GOLIVES}/swaps", disable, REACH)
    grown = {"spec": {"replicas": 3}}
    yield Forgery("scale an engine, as the operator", "operator", "PATCH", ENGINE, grown, REACH)
    yield Forgery(
        "scale by the subresource, as the operator", "operator", "PATCH", f"{ENGINE}/scale", grown, RBAC
    )
    image = {"spec": {"template": {"metadata": {"labels": {"golive.dev/x": "1"}}}}}
    yield Forgery("change an engine's pods, as the operator", "operator", "PATCH", ENGINE, image, REACH)
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}
    yield Forgery("make another ConfigMap, as the operator", "operator", "POST", CONFIG, plain, REACH)
    yield Forgery("delete a request, as the operator", "operator", "DELETE", f"{GOLIVES}/swaps", None, RBAC)
    policy = {**kind("ActivationPolicy", "mine"), "spec": {}}
    for who in ("operator", "mallory", "approver"):
        yield Forgery(f"make a policy, as {who}", who, "POST", f"{CLUSTER}/activationpolicies", policy, RBAC)


def stops(_stage: Any) -> Iterator[Forgery]:
    """Lifting a stop without being the one who answers for it."""
    halt = f"{STOPS}/halt"

    def release(user: str) -> dict[str, Any]:
        return {"spec": {"release": {"user": user, "rootCause": CAUSE}}}

    robot, owner = (
        "system:serviceaccount:trading:robot",
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "harmless"},
    )
    owned = {"ownerReferences": [{**owner, "uid": "11111111-1111-1111-1111-111111111111"}]}
    held = {"finalizers": ["golive.dev/hold"]}
    writes: dict[str, tuple[str, Any, str]] = {
        "release as releaser": ("fixer", release("releaser"), STOP),
        "release as releaser, as administrator": ("admin", release("releaser"), STOP),
        "release as deputy": ("releaser", release("deputy"), STOP),
        "release without the verb": ("fixer", release("fixer"), STOP),
        "release as a robot": ("robot", release(robot), STOP),
        "release without patch": ("mallory", release("mallory"), RBAC),
        "release, as the operator": (
            "operator",
            release("system:serviceaccount:golive-system:golive-operator"),
            RBAC,
        ),
        "give a stop an owner": ("fixer", {"metadata": owned}, STOP),
        "give a stop an owner, as administrator": ("admin", {"metadata": owned}, STOP),
        "give a stop a finalizer": ("fixer", {"metadata": held}, STOP),
    }
    for what, (who, body, by) in writes.items():
        yield Forgery(what, who, "PATCH", halt, body, by)
    body = {**kind("EmergencyStop", "halt"), **release("releaser")}
    yield Forgery("force a release", "fixer", "PATCH", f"{halt}{FORCE}", body, STOP, APPLY)
    born = {**kind("EmergencyStop", "born"), "spec": {"reason": "x"}}
    births: dict[str, dict[str, Any]] = {
        "be born released": {**born, "spec": {"reason": "x", **release("mallory")["spec"]}},
        "be born with an owner": {**born, "metadata": {"name": "born", **owned}},
        "be born with a finalizer": {**born, "metadata": {"name": "born", **held}},
    }
    for what, made in births.items():
        yield Forgery(what, "mallory", "POST", STOPS, made, STOP)
    own = {**born, "spec": {"reason": "x", **release("releaser")["spec"]}}
    yield Forgery("be born released by the releaser", "releaser", "POST", STOPS, own, STOP)
    yield Forgery("make a stop, as the operator", "operator", "POST", STOPS, born, RBAC)
    orphan = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"}
    for who in ("fixer", "admin", "robot", "releaser"):
        yield Forgery(f"delete a stop, as {who}", who, "DELETE", halt, None, STOP)
    yield Forgery("delete a stop, leaving orphans", "admin", "DELETE", halt, orphan, STOP)
    yield Forgery(
        "delete a stop in the foreground",
        "admin",
        "DELETE",
        halt,
        orphan | {"propagationPolicy": "Foreground"},
        STOP,
    )
    yield Forgery(
        "delete all stops of a name", "fixer", "DELETE", f"{STOPS}?fieldSelector=metadata.name=halt", None, STOP
    )
    yield Forgery(
        "impersonate the releaser", "mallory", "PATCH", halt, release("releaser"), RBAC, impersonated="releaser"
    )


def records(stage: Any) -> Iterator[Forgery]:
    """Writing history, and rewriting it."""
    path, made = f"{RECORD}/swaps-7", stage.done("admin", "GET", f"{RECORD}/swaps-7")
    new = {key: made[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "swaps-8"}}
    owner = {
        "apiVersion": "golive.dev/v1alpha1",
        "kind": "GoLive",
        "name": "swaps",
        "uid": stage.read("swaps")["metadata"]["uid"],
    }
    owned, held = {"ownerReferences": [owner]}, {"finalizers": ["golive.dev/hold"]}
    for who, by in (("mallory", RBAC), ("admin", RECORDS), ("robot", RECORDS), ("stolen", RECORDS)):
        yield Forgery(f"write a record, as {who}", who, "POST", RECORD, new, by)
    for what, metadata in (("an owner", owned), ("a finalizer", held)):
        body = {**new, "metadata": {"name": "swaps-8", **metadata}}
        yield Forgery(f"write a record with {what}, as the operator", "operator", "POST", RECORD, body, RECORDS)
    edits: dict[str, Any] = {
        "strip a record of its label": {"labels": {"golive.dev/golive": None}},
        "annotate a record": {"annotations": {"note": "x"}},
        "give a record an owner": owned,
        "give a record a finalizer": held,
    }
    for what, metadata in edits.items():
        yield Forgery(what, "admin", "PATCH", path, {"metadata": metadata}, RECORDS)
    yield Forgery("annotate a record, as the operator", "operator", "PATCH", path, {"metadata": held}, RBAC)
    for who, by in (("mallory", RBAC), ("admin", RECORDS), ("robot", RECORDS), ("stolen", RECORDS)):
        yield Forgery(f"delete a record, as {who}", who, "DELETE", path, None, by)
    yield Forgery("delete all records", "admin", "DELETE", RECORD, None, RECORDS)


def kind(name: str, called: str) -> dict[str, Any]:
    """The head of an object of ours."""
    return {"apiVersion": "golive.dev/v1alpha1", "kind": name, "metadata": {"name": called}}


CHAPTERS = (approvals, rejections, requests, attestations, gates, statuses, operators, stops, records)


def attempt(stage: Any, forgery: Forgery) -> Any:
    """Send it."""
    headers = {"Impersonate_User": forgery.impersonated} if forgery.impersonated else {}
    return stage.send(forgery.who, forgery.method, forgery.path, forgery.body, forgery.content, **headers)


def test_every_forged_write_is_refused_and_changes_nothing(stage: Any) -> None:
    """403 each, by the policy that is meant to; what they aimed at has the version that it had."""
    forgeries = [
        forgery
        for chapter in CHAPTERS
        for forgery in chapter(stage)
        if not (forgery.unstamped and stage.stamped)
    ]
    before = stage.versions()

    outcomes = {forgery.what: [attempt(stage, forgery) for _ in range(ROUNDS)] for forgery in forgeries}

    wrong = {
        forgery.what: (said.status, said.by, said.body.get("message"))
        for forgery in forgeries
        for said in outcomes[forgery.what]
        if (said.status, said.by) != (403, forgery.by)
    }
    show(stage.server.name, forgeries, outcomes)
    assert not wrong
    assert stage.versions() == before
    assert len(outcomes) == len(forgeries) >= 60
    unsuffixed = {
        f
        for f in forgeries
        if f.by != RBAC and f"{f.by}{stage.server.suffix}'" not in said_of(outcomes[f.what])
    }
    assert not unsuffixed


def said_of(answers: list[Any]) -> str:
    """The first answer's sentence."""
    return str(answers[0].body["message"])


def show(server: str, forgeries: list[Forgery], outcomes: dict[str, list[Any]]) -> None:
    """Print the table."""
    times = sorted(said.milliseconds for answers in outcomes.values() for said in answers)
    for forgery in forgeries:
        answers = outcomes[forgery.what]
        median = statistics.median(said.milliseconds for said in answers)
        print(f"| {forgery.what} | {forgery.who} | {answers[0].status} | {answers[0].by} | {median:.1f} ms |")
    accepted = sum(said.status < 300 for answers in outcomes.values() for said in answers)
    print(
        f"Kubernetes {server}: {len(forgeries)} forged writes, {len(times)} tries, {accepted} accepted; "
        f"refused in p50 {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms"
    )
