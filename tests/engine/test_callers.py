"""Who may ask an engine for preflight: the real API server's word about real tokens, and nothing else."""

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from golive_api.preflight_report import AUDIENCE
from golive_dev.control_plane import ControlPlane
from golive_engine.callers import KNOWN_SECONDS, CallerError, Callers
from golive_engine.clock import FakeClock
from golive_engine.cluster import Cluster


def objects(namespace: str) -> list[dict[str, Any]]:
    """One account that may do preflight on GoLive perps, and one that may not."""
    rule = {
        "apiGroups": ["golive.dev"],
        "resources": ["golives"],
        "verbs": ["preflight"],
        "resourceNames": ["perps"],
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "preflight"}
    subject = {"kind": "ServiceAccount", "name": "asker", "namespace": namespace}
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
            for name in ("asker", "other")
        ),
        {"apiVersion": rbac, "kind": "Role", "metadata": {"name": "preflight"}, "rules": [rule]},
        {
            "apiVersion": rbac,
            "kind": "RoleBinding",
            "metadata": {"name": "preflight"},
            "roleRef": role,
            "subjects": [subject],
        },
    ]


class Office:
    """Issues tokens of one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self.namespace = namespace
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects(namespace)})
        plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=text)

    def token(self, account: str = "asker", audience: str = AUDIENCE) -> str:
        """A token as TokenRequest issues it."""
        words = ["create", "token", account, "-n", self.namespace, f"--audience={audience}"]
        return self._plane.kubectl(*words).stdout.strip()

    def expired(self) -> str:
        """A token that was good an hour ago, with the API server's own signature."""
        head, body, _ = self.token().split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        claims |= {name: claims[name] - 7200 for name in ("iat", "nbf", "exp")}
        signed = f"{head}.{_encoded(json.dumps(claims).encode())}"
        key = serialization.load_pem_private_key(self._plane._layout.token_key[1].read_bytes(), None)  # noqa: SLF001  # what only the server has
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def tampered(self) -> str:
        """A good token with another name in it."""
        head, body, signature = self.token().split(".")
        claims = base64.urlsafe_b64decode(body + "==").replace(b"asker", b"admin")
        return f"{head}.{_encoded(claims)}.{signature}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def office(control_plane: ControlPlane, namespace: str) -> Office:
    """Tokens of the test's namespace."""
    return Office(control_plane, namespace)


class Door:
    """Callers of one engine, with a clock that moves only when told."""

    def __init__(self, cluster: Cluster | None, namespace: str, golive: str = "perps") -> None:
        self.clock = FakeClock()
        self._callers = Callers(cluster, namespace, golive, self.clock)

    async def knock(self, authorization: str) -> tuple[int, str]:
        """200 for who is let in; else status and line."""
        try:
            await self._callers.admit(authorization)
        except CallerError as refusal:
            return refusal.status, str(refusal)
        return 200, ""


@pytest.fixture
async def cluster(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """The engine's connection."""
    connected = await Cluster.connect(namespace, control_plane.admin)
    yield connected
    await connected.close()


async def test_who_may_do_preflight_here_is_let_in(cluster: Cluster, office: Office) -> None:
    """With a token of the engine's audience, whatever the case of the scheme's name."""
    door = Door(cluster, office.namespace)
    token = office.token()
    assert await door.knock(f"Bearer {token}") == (200, "")
    assert await door.knock(f"bearer  {token}") == (200, "")


UNKNOWN: dict[str, Callable[[Office], str]] = {
    "no header": lambda _: "",
    "a name and a password": lambda _: "Basic YTpi",
    "an empty token": lambda _: "Bearer ",
    "garbage": lambda _: "Bearer garbage",
    "a token for the API server": lambda office: (
        f"Bearer {office.token(audience='https://kubernetes.default.svc')}"
    ),
    "a token for another engine's operator": lambda office: f"Bearer {office.token(audience='golive.dev')}",
    "an expired token": lambda office: f"Bearer {office.expired()}",
    "a tampered token": lambda office: f"Bearer {office.tampered()}",
}


@pytest.mark.parametrize("header", UNKNOWN.values(), ids=UNKNOWN)
async def test_nobody_gets_in_with(cluster: Cluster, office: Office, header: Callable[[Office], str]) -> None:
    """401, and one line that names the audience."""
    status, line = await Door(cluster, office.namespace).knock(header(office))
    assert status == HTTPStatus.UNAUTHORIZED
    assert AUDIENCE in line
    assert "\n" not in line


async def test_who_may_not_do_preflight_is_refused_by_name(cluster: Cluster, office: Office) -> None:
    """Neither an account without the verb, nor one that has it for another GoLive or namespace."""
    other = f"system:serviceaccount:{office.namespace}:other"
    status, line = await Door(cluster, office.namespace).knock(f"Bearer {office.token('other')}")
    assert (status, line.split(" may ")[0]) == (HTTPStatus.FORBIDDEN, other)
    for where, golive in ((office.namespace, "spot"), ("default", "perps")):
        status, line = await Door(cluster, where, golive).knock(f"Bearer {office.token()}")
        assert (status, golive in line) == (HTTPStatus.FORBIDDEN, True)


async def test_a_right_that_is_taken_away_is_gone_ten_seconds_later(
    cluster: Cluster, office: Office, control_plane: ControlPlane
) -> None:
    """For so long an answer is believed, and no longer."""
    door, header = Door(cluster, office.namespace), f"Bearer {office.token()}"
    assert await door.knock(header) == (200, "")
    control_plane.kubectl("delete", "rolebinding", "preflight", "-n", office.namespace)
    await refused(Door(cluster, office.namespace), header)
    door.clock.advance(KNOWN_SECONDS - 0.1)
    assert await door.knock(header) == (200, "")
    door.clock.advance(0.1)
    assert (await door.knock(header))[0] == HTTPStatus.FORBIDDEN


async def refused(door: Door, header: str) -> None:
    """Wait until the API server itself has heard."""
    async with asyncio.timeout(30):
        while (await door.knock(header))[0] == HTTPStatus.OK:
            door.clock.advance(KNOWN_SECONDS)
            await asyncio.sleep(0.05)


async def test_without_an_api_server_nobody_is_let_in(
    office: Office, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """503: outside of a cluster, and where it does not answer."""
    header = f"Bearer {office.token()}"
    assert (await Door(None, office.namespace).knock(header))[0] == HTTPStatus.SERVICE_UNAVAILABLE
    document = yaml.safe_load(control_plane.admin.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    unreachable = await Cluster.connect(office.namespace, tmp_path / "kubeconfig")
    began = time.monotonic()
    status, line = await Door(unreachable, office.namespace).knock(header)
    await unreachable.close()
    assert (status, line) == (HTTPStatus.SERVICE_UNAVAILABLE, "the API server does not say who calls")
    assert time.monotonic() - began < 5


async def test_an_engine_that_may_not_ask_says_what_it_lacks(
    office: Office, control_plane: ControlPlane
) -> None:
    """503, and the name of the role."""
    mute = await Cluster.connect(office.namespace, control_plane.kubeconfig("mute-engine"))
    status, line = await Door(mute, office.namespace).knock(f"Bearer {office.token()}")
    await mute.close()
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "system:auth-delegator" in line


async def test_no_token_is_ever_logged(
    cluster: Cluster, office: Office, control_plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level, whatever becomes of it."""
    tokens = [office.token(), office.token("other"), office.expired()]
    mute = await Cluster.connect(office.namespace, control_plane.kubeconfig("mute-engine"))
    with caplog.at_level(logging.DEBUG):
        for token in tokens:
            await Door(cluster, office.namespace).knock(f"Bearer {token}")
            await Door(mute, office.namespace).knock(f"Bearer {token}")
    await mute.close()
    assert not [token for token in tokens if token in caplog.text or token.split(".")[2] in caplog.text]


async def test_many_callers_at_once_are_all_answered(cluster: Cluster, office: Office) -> None:
    """A few at a time are asked about."""
    door = Door(cluster, office.namespace)
    headers = [f"Bearer garbage-{number}" for number in range(20)] + [f"Bearer {office.token()}"]
    answers = await asyncio.gather(*map(door.knock, headers))
    assert [status for status, _ in answers] == [401] * 20 + [200]
