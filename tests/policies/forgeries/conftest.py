"""Kinds of guarded API servers, what forgers aim at there, and a wire for every identity."""

import base64
import http.client
import json
import ssl
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.layout import ADMINS
from golive_dev.static_policies import NAMESPACE as OPERATOR
from golive_dev.static_policies import SUFFIX
from golive_dev.waiting import eventually

NAMESPACE = "trading"
IDLE_SECONDS = 5.0
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Said:
    """One answer of the API server."""

    status: int
    body: Any
    milliseconds: float

    @property
    def by(self) -> str:
        """Which policy refused; `RBAC`, or the status, if none did."""
        message = str(self.body.get("message", ""))
        if "ValidatingAdmissionPolicy '" in message:
            return (
                message.split("ValidatingAdmissionPolicy '")[1].split("'", maxsplit=1)[0].removesuffix(SUFFIX)
            )
        rbac = self.status == http.HTTPStatus.FORBIDDEN and ("cannot " in message or "forbidden" in message)
        return "RBAC" if rbac else str(self.status)


class Wire:
    """One identity's connection to the API server; every request is timed."""

    def __init__(
        self, plane: ControlPlane, user: str = "", groups: Sequence[str] = (), token: str = ""
    ) -> None:
        context = ssl.create_default_context(cafile=str(plane.ca_file))
        if user:
            context.load_cert_chain(*plane.authority.issue(f"wire-{uuid.uuid4().hex}", user, groups))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = urlsplit(plane.url)
        self._connection = http.client.HTTPSConnection(
            str(address.hostname), address.port or 443, context=context, timeout=20
        )
        self._used = time.monotonic()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None, content: str = "", **headers: str) -> Said:
        """Send one request."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()  # the server may have, too
        content = content or (MERGE if method == "PATCH" else "application/json")
        sent = {
            "Content-Type": content,
            **self._headers,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        started = time.perf_counter()
        self._connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = self._connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - started) * 1000
        self._used = time.monotonic()
        try:
            return Said(answer.status, json.loads(text), took)
        except ValueError:
            return Said(answer.status, {"message": text.decode()}, took)


@dataclass(frozen=True)
class Server:
    """One kind of guarded API server, and whoever speaks to it."""

    name: str
    cluster: Any
    stamped: bool
    """Whether it fills in requester and revision by itself."""
    suffix: str = ""
    """What its policies' names end in."""
    _wires: dict[str, Wire] = field(default_factory=dict)

    def send(
        self, who: str, method: str, path: str, body: Any = None, content: str = "", **headers: str
    ) -> Said:
        """Send one request as a person, `name@group,group` with groups, or as one of the accounts."""
        if who not in self._wires:
            self._wires[who] = self._wire(who)
        return self._wires[who].call(method, path, body, content, **headers)

    def done(self, who: str, method: str, path: str, body: Any = None, content: str = "") -> Any:
        """The same; it has to succeed."""
        said = self.send(who, method, path, body, content)
        assert said.status < http.HTTPStatus.MULTIPLE_CHOICES, (who, method, path, said.body)
        return said.body

    def close(self) -> None:
        """End every connection."""
        for wire in self._wires.values():
            wire.close()

    def _wire(self, who: str) -> Wire:
        plane = self.cluster.plane
        if who == "operator":
            return Wire(plane, token=self.cluster.operator_token)
        if who in {"stolen", "robot"}:
            return Wire(plane, token=_account_token(self.cluster, who))
        name, _, groups = who.partition("@")
        return Wire(
            plane, name, [ADMINS] if name == "admin" else [group for group in groups.split(",") if group]
        )


def _account_token(cluster: Any, who: str) -> str:
    """`stolen` is the operator's account without a pod, `robot` a program with an administrator's rights."""
    plane: ControlPlane = cluster.plane
    if who == "robot":
        plane.kubectl("create", "serviceaccount", who, "-n", NAMESPACE)
        subject = f"--serviceaccount={NAMESPACE}:{who}"
        plane.kubectl("create", "clusterrolebinding", who, "--clusterrole=cluster-admin", subject)
        return plane.kubectl("create", "token", who, "-n", NAMESPACE).stdout.strip()
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": who,
            "namespace": OPERATOR,
            "annotations": {"kubernetes.io/service-account.name": "golive-operator"},
        },
    }
    plane.kubectl("create", "-f", "-", stdin=json.dumps(secret))
    words = ["get", "secret", who, "-n", OPERATOR, "-o", "jsonpath={.data.token}"]
    return base64.b64decode(eventually(lambda: plane.kubectl(*words).stdout, 20)).decode()


CORE = f"/api/v1/namespaces/{NAMESPACE}"
GROUP = f"/apis/golive.dev/v1alpha1/namespaces/{NAMESPACE}"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
KINDS = [
    *(f"{GROUP}/{kind}" for kind in ("golives", "emergencystops", "goliverecords")),
    *(f"{CORE}/{kind}" for kind in ("configmaps", "secrets")),
    *(f"/apis/golive.dev/v1alpha1/{kind}" for kind in ("activationpolicies", "capitalprofiles")),
    DEPLOYMENTS,
]
"""All that could be touched."""
ENGINE = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "swaps-engine"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "engine"}},
        "template": {
            "metadata": {"labels": {"app": "engine"}},
            "spec": {"containers": [{"name": "engine", "image": "golive/golive:1"}]},
        },
    },
}


class Stage:
    """What forgers aim at, as it stands after some honest work; every person's write goes over the wire.

    `swaps` is approved, attested and open; `spot` is rejected; `fresh` has shown no digest; `leaving` is
    being deleted; `reborn` was deleted and made anew. `halt` is a stop, `past` a released one.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.stamped, self.cluster = server, server.stamped, server.cluster
        self.send, self.done = server.send, server.done
        eventually(
            lambda: all(self.send("admin", "GET", kind).status == http.HTTPStatus.OK for kind in KINDS), 30
        )
        for name in ("swaps", "spot", "leaving", "reborn"):
            self.ask(name)
        self.first_life = self.read("reborn")
        self.done("trader", "DELETE", self.path("reborn"))
        self.ask("reborn")
        self.ask("fresh", shown=False)
        self.consent("approver", "swaps", comment="limits checked")
        self.consent("approver", "spot", verdict="Rejected", comment="not today")
        self.attest("deputy", "swaps", "api-keys-secured")
        self._act()

    def _act(self) -> None:
        self.done("operator", "POST", f"{CORE}/configmaps", self.cluster.gate_body("swaps"))
        opened = {"data": {"state": "Open", "serial": "2"}}
        self.done("operator", "PATCH", f"{CORE}/configmaps/golive-gate-swaps", opened)
        recorded = {"sequence": 7, "hash": "1" * 64, "anchorSequence": 2, "anchorHash": "2" * 64}
        gate = self.cluster.gate_status(burnedRevision=0)["status"]["gate"]
        self.done("operator", "PATCH", self.path("swaps", "/status"), {"status": {"recorded": recorded}})
        self.done(
            "operator",
            "PATCH",
            self.path("spot", "/status"),
            {"status": {"gate": gate | {"burnedRevision": 1}}},
        )
        self.done("operator", "POST", f"{GROUP}/goliverecords", self.cluster.record_body("swaps", 7))
        self.done("mallory", "POST", f"{GROUP}/emergencystops", self.cluster.stop_body("halt"))
        self.done("mallory", "POST", f"{GROUP}/emergencystops", self.cluster.stop_body("past"))
        release = {"spec": {"release": {"user": "releaser", "rootCause": "a stale price feed, replaced"}}}
        self.done("releaser", "PATCH", f"{GROUP}/emergencystops/past", release)
        self.done("trader", "POST", DEPLOYMENTS, ENGINE)
        plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "harmless"}}
        self.done("trader", "POST", f"{CORE}/configmaps", plain)
        self.done(
            "admin", "PATCH", self.path("leaving"), {"metadata": {"finalizers": ["test.golive.dev/hold"]}}
        )
        self.done("trader", "DELETE", self.path("leaving"))

    def path(self, name: str, subresource: str = "") -> str:
        """A GoLive's address."""
        return f"{GROUP}/golives/{name}{subresource}"

    def read(self, name: str) -> Any:
        """A GoLive as it stands."""
        return self.done("admin", "GET", self.path(name))

    def ask(self, name: str, *, shown: bool = True) -> None:
        """The trader asks; the operator shows a digest."""
        body = self.cluster.golive_body(name, requestedBy="trader", revision=1)
        self.done("trader", "POST", f"{GROUP}/golives", body)
        if shown:
            self.done("operator", "PATCH", self.path(name, "/status"), self.cluster.gate_status())

    def approval(self, who: str, name: str, **changes: Any) -> dict[str, Any]:
        """An approval of what is shown."""
        golive = self.read(name)
        shown = golive.get("status", {}).get("digest", ".".join(["e" * 64] * 3))
        known = {"revision": golive["spec"]["revision"], "uid": golive["metadata"]["uid"], "digest": shown}
        return {"user": who.partition("@")[0], **known, **changes}

    def attestation(self, who: str, name: str, item: str, **changes: Any) -> dict[str, Any]:
        """A person's word for an item of the checklist."""
        uid = self.read(name)["metadata"]["uid"]
        return {"item": item, "user": who, "uid": uid, "time": "2026-11-20T12:00:00Z", **changes}

    def consent(self, who: str, name: str, **changes: Any) -> None:
        """Somebody says yes or no to what is shown."""
        listed = [*self.read(name)["spec"].get("approvals", []), self.approval(who, name, **changes)]
        self.done(who, "PATCH", self.path(name), {"spec": {"approvals": listed}})

    def attest(self, who: str, name: str, item: str) -> None:
        """Somebody vouches for an item."""
        body = {"spec": {"attestations": [self.attestation(who, name, item)]}}
        self.done(who, "PATCH", self.path(name), body)

    def versions(self) -> dict[str, str]:
        """The version of all that could have been touched; of Deployments, whose status moves, the spec's."""
        return {
            f"{kind}/{item['metadata']['name']}": str(
                item["metadata"]["generation" if kind == DEPLOYMENTS else "resourceVersion"]
            )
            for kind in KINDS
            for item in self.done("admin", "GET", kind)["items"]
        }


KINDS_OF_SERVER = {
    "1.37": ("cluster", True, ""),
    "1.34 by emulation": ("emulated_cluster", False, ""),
    "files alone": ("static_cluster", False, SUFFIX),
}
"""Fixture, whether it fills in who asks, and how its policies' names end."""


@pytest.fixture(scope="session")
def stages() -> Iterator[dict[str, Stage]]:
    """Give the stages that stand: each server has one, whichever file asks first."""
    standing: dict[str, Stage] = {}
    yield standing
    for each in standing.values():
        each.server.close()


@pytest.fixture(scope="session", params=KINDS_OF_SERVER)
def stage(request: pytest.FixtureRequest, stages: dict[str, Stage]) -> Stage:
    """Give what forgers aim at, on each kind of server."""
    name = request.param
    if name not in stages:
        fixture, stamped, suffix = KINDS_OF_SERVER[name]
        stages[name] = Stage(Server(name, request.getfixturevalue(fixture), stamped, suffix))
    return stages[name]
