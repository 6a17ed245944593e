from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from golive_dev.waiting import eventually

BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
TRUSTED_SECONDS = 30.0
"""A guard that was seen to refuse is trusted this long."""


@contextmanager
def unbound(desk: Any, policy: str) -> Iterator[None]:
    """Meanwhile the policy does not bite; a binding works about a second after it was made or deleted."""
    path = f"{BINDINGS}/{policy}"
    bait = desk.other("bait")
    bait.apply()
    bait.edit(activation="Disabled")
    bait.await_gate("Closed", "ActivationDisabled")
    binding = desk.admin.call("GET", path)
    desk.admin.call("DELETE", path)
    try:
        eventually(lambda: not bites(bait, policy))
        yield
    finally:
        metadata = {key: binding["metadata"][key] for key in ("name", "labels", "annotations")}
        desk.admin.call("POST", BINDINGS, {**binding, "metadata": metadata})
        eventually(lambda: bites(bait, policy))


def bites(bait: Any, policy: str) -> bool:
    """Whether the policy refuses what it is there to refuse."""
    golive = bait.read()
    approval = {
        "user": "nobody",
        "revision": golive["spec"]["revision"],
        "uid": golive["metadata"]["uid"],
        "digest": ".".join(["0" * 64] * 3),
    }
    gate = {"metadata": {"name": "golive-gate-forged"}, "data": {"state": "Open"}}
    forgeries = {
        "golive-identity": ("PATCH", bait.path, {"spec": {"approvals": [approval]}}),
        "golive-gate": ("POST", bait.core("configmaps"), gate),
        "golive-status": ("PATCH", f"{bait.path}/status", {"status": {"observedGeneration": 99}}),
    }
    method, path, body = forgeries[policy]
    try:
        bait.admin.call(method, f"{path}?dryRun=All", body)
    except RuntimeError as error:
        return f"ValidatingAdmissionPolicy '{policy}'" in str(error)
    return False


@pytest.mark.parametrize("policy", ["golive-gate", "golive-status"])
def test_without_one_of_its_policies_nothing_new_opens(new_desk: Callable[..., Any], policy: str) -> None:
    """The condition names the policy; once it bites again the request is judged on its merits."""
    desk = new_desk(engine=False)
    with unbound(desk, policy):
        desk.apply()
        desk.await_gate("Closed", "AdmissionUnguarded")
        message, condition = desk.message(), desk.conditions()["AdmissionGuarded"]
    desk.await_gate("Closed", "EngineMissing")
    assert f"policy {policy}" in message
    assert "missing" in message
    assert condition == ("False", "AdmissionUnguarded")


def test_an_open_gate_shuts_when_forged_approvals_are_no_longer_refused(desk: Any) -> None:
    """Within the time that a guard is trusted, plus one time to live; bound again, it opens by itself."""
    opened = desk.open()
    with unbound(desk, "golive-identity"):
        desk.await_gate("Closed", "AdmissionUnguarded", TRUSTED_SECONDS + opened.ttl_seconds)
    desk.await_open()
    eventually(lambda: desk.conditions()["AdmissionGuarded"] == ("True", "Guarded"))
