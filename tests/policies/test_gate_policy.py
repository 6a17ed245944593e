"""Only the operator opens a gate; anybody who may write it closes it."""

from typing import Any

import pytest


def test_operator_creates_opens_renews_and_closes(cluster: Any, gate: str) -> None:
    """The guard does not stand in the operator's way, and a repeated write is the same write."""
    target = f"configmap {gate}"
    renewal = {"data": {"serial": "3", "validUntil": "2026-11-20T12:00:20Z"}}

    assert cluster.patch("operator", target, renewal).accepted
    assert cluster.patch("operator", target, renewal).accepted
    assert cluster.patch("operator", target, {"data": {"serial": "4", "state": "Closed"}}).accepted
    assert cluster.patch("operator", target, {"data": {"serial": "5", "state": "ReduceOnly"}}).accepted
    assert cluster.patch("operator", target, {"data": {"serial": "1", "epoch": "6", "state": "Open"}}).accepted


@pytest.mark.parametrize("who", ["trader", "mallory", "closer", "admin"])
def test_nobody_but_the_operator_makes_a_gate(cluster: Any, name: str, who: str) -> None:
    """Neither built-in roles nor administrators create one, not even a closed one."""
    answer = cluster.create(who, cluster.gate_body(name))

    assert not answer.accepted
    assert who == "closer" or answer.refused_by("golive-gate")


HAND_EDITS: dict[str, dict[str, Any]] = {
    "opening": {"data": {"state": "Open"}},
    "a later end": {"data": {"validUntil": "2027-01-01T00:00:00Z"}},
    "closing with a later end": {"data": {"state": "Closed", "validUntil": "2027-01-01T00:00:00Z"}},
    "closing with another epoch": {"data": {"state": "Closed", "epoch": "99"}},
    "closing with one key more": {"data": {"state": "Closed", "extra": "1"}},
    "closing with one key less": {"data": {"state": "Closed", "revision": None}},
    "closing and locking the operator out": {"data": {"state": "Closed"}, "immutable": True},
    "closing and dropping the label": {
        "data": {"state": "Closed"},
        "metadata": {"labels": {"golive.dev/gate": None}},
    },
    "dropping the label": {"metadata": {"labels": {"golive.dev/gate": None}}},
    "a finalizer": {"data": {"state": "Closed"}, "metadata": {"finalizers": ["golive.dev/hold"]}},
    "an unknown state": {"data": {"state": "open"}},
}


@pytest.mark.parametrize("edit", HAND_EDITS.values(), ids=HAND_EDITS)
def test_gate_is_not_edited_by_hand(cluster: Any, gate: str, edit: dict[str, Any]) -> None:
    """Closing, and only that, is free."""
    assert cluster.patch("mallory", f"configmap {gate}", edit).refused_by("golive-gate")


@pytest.mark.parametrize("who", ["trader", "mallory", "closer", "admin"])
def test_whoever_may_write_the_gate_may_close_it(cluster: Any, gate: str, who: str) -> None:
    """Closing asks for no role of its own."""
    assert cluster.patch(who, f"configmap {gate}", {"data": {"state": "Closed"}}).accepted


@pytest.mark.parametrize("who", ["trader", "closer", "admin"])
def test_whoever_may_delete_the_gate_closes_it(cluster: Any, gate: str, who: str) -> None:
    """A missing gate is a closed gate, so deleting one is never guarded."""
    assert cluster.ask(who, "delete", "configmap", gate).accepted


def test_gate_without_a_label_from_before_the_policies_can_be_closed(cluster: Any) -> None:
    """What could not be made today can be closed all the same, and not be opened again."""
    target = "configmap golive-gate-before"

    assert cluster.patch("mallory", target, {"data": {"extra": "1"}}).refused_by("golive-gate")
    assert cluster.patch("mallory", target, {"data": {"state": "Closed"}}).accepted
    assert cluster.patch("mallory", target, {"data": {"state": "Open"}}).refused_by("golive-gate")


STALE_WRITES = {
    "an earlier epoch": ({"epoch": "4", "serial": "9"}, "epoch may not go back"),
    "an earlier serial": ({"serial": "1"}, "serial must grow"),
    "the same serial with another content": ({"message": "x"}, "serial must grow"),
    "another object's uid while open": ({"uid": "u-2", "serial": "1"}, "handed to another object"),
    "an epoch that is no number": ({"epoch": "five", "serial": "9"}, "must be numbers"),
    "an epoch too long for a number": ({"epoch": "9" * 19, "serial": "9"}, "must be numbers"),
    "a serial that is negative": ({"serial": "-1"}, "must be numbers"),
    "no revision": ({"revision": None, "serial": "9"}, "needs uid, revision"),
    "an end in local time": ({"validUntil": "2026-11-20T12:00:15+01:00", "serial": "9"}, "validUntil in UTC"),
    "no end": ({"validUntil": None, "serial": "9"}, "validUntil in UTC"),
    "a lease over 60 seconds": ({"ttlSeconds": "61", "serial": "9"}, "ttlSeconds from 1 to 60"),
    "a lease of no length": ({"ttlSeconds": "0", "serial": "9"}, "ttlSeconds from 1 to 60"),
    "another namespace": ({"namespace": "default", "serial": "9"}, "must name its own namespace"),
    "another GoLive": ({"name": "other", "serial": "9"}, "must name its own namespace"),
    "an unknown state": ({"state": "Ajar", "serial": "9"}, "must be Open, ReduceOnly or Closed"),
}


@pytest.mark.parametrize(("data", "complaint"), STALE_WRITES.values(), ids=STALE_WRITES)
def test_operator_itself_is_refused_with(cluster: Any, gate: str, data: dict[str, Any], complaint: str) -> None:
    """A replaced leader, or a bug, can't open or prolong a gate; the answer is a 403 with a reason."""
    answer = cluster.patch("operator", f"configmap {gate}", {"data": data})

    assert answer.refused_by("golive-gate")
    assert complaint in answer.said


def test_not_even_the_operator_makes_a_gate_that_can_not_be_closed(cluster: Any, gate: str) -> None:
    """An immutable ConfigMap could only be deleted."""
    change = {"data": {"serial": "3"}, "immutable": True}

    assert cluster.patch("operator", f"configmap {gate}", change).refused_by("golive-gate")


BIRTHS = {
    "Open": {"state": "Open"},
    "ReduceOnly": {"state": "ReduceOnly"},
    "without a state": {"without": ("state",)},
    "without an epoch": {"without": ("epoch",)},
}


@pytest.mark.parametrize("record", BIRTHS.values(), ids=BIRTHS)
def test_no_gate_is_born(cluster: Any, name: str, record: dict[str, Any]) -> None:
    """Deleting and re-creating a gate is no way around its epoch."""
    answer = cluster.create("operator", cluster.gate_body(name, **record), "--dry-run=server")

    assert answer.refused_by("golive-gate")


def test_a_gate_can_not_hide_behind_another_name(cluster: Any, name: str) -> None:
    """Engines find a gate by name and people by label: the two agree."""
    body = cluster.gate_body(name)
    body["metadata"]["labels"]["golive.dev/gate"] = "other"

    assert cluster.create("operator", body).refused_by("golive-gate")


def test_other_config_maps_are_nobodys_business(cluster: Any, name: str) -> None:
    """The guard sees every ConfigMap of the cluster and stops none but gates."""
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "trading"}}

    assert cluster.create("mallory", plain).accepted
    assert cluster.create("mallory", {**plain, "metadata": {"generateName": "x-"}}).accepted
    assert cluster.patch("mallory", f"configmap {name}", {"data": {"state": "Open"}}).accepted
    assert cluster.patch("mallory", f"configmap {name}", {"data": None, "immutable": True}).accepted


def test_garbage_collection_with_orphans_ends(cluster: Any, golive: Any, name: str) -> None:
    """The collector may take the owner off a gate: deleting with --cascade=orphan must not hang."""
    body = cluster.gate_body(name, golive["metadata"]["uid"])
    owner = {"apiVersion": "golive.dev/v1alpha1", "kind": "GoLive", "name": name}
    body["metadata"]["ownerReferences"] = [{**owner, "uid": golive["metadata"]["uid"]}]
    cluster.create("operator", body).json()

    answer = cluster.ask("trader", "delete", "golives", name, "--cascade=orphan", "--timeout=20s")

    assert answer.accepted, answer.said
    assert cluster.ask("admin", "get", "configmap", f"golive-gate-{name}").accepted
