"""Writes a change of a GoLive against the very version that was read.

What adds trust gives up when somebody else writes all the time; what takes trust away does not.
"""

import time
from collections.abc import Callable
from typing import Any

from golive_api import API_VERSION
from kubectl_golive.cluster import Cluster, golive_path
from kubectl_golive.problems import Problem, RefusedError

CONFLICTS = 10
"""How often somebody else may write the object between reading it and adding to it."""

TAKING_SECONDS = 30.0
"""How long something is tried to be taken away while others keep writing the object."""

_PAUSE_SECONDS = 0.02
_CONFLICT = 409

Document = dict[str, Any]
Change = Callable[[Document], Document | None]
"""From the object as it is to the fields of spec to write; None where nothing is left to do."""


def write(cluster: Cluster, golive: Document, spec: Document) -> bool:
    """Write fields of spec if the object is still as it was read; False if somebody else wrote meanwhile."""
    metadata = golive["metadata"]
    patch = {
        "apiVersion": API_VERSION,
        "kind": "GoLive",
        "metadata": {"resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"]},
        "spec": spec,
    }
    path = golive_path(cluster.namespace, metadata["name"])
    try:
        cluster.call("PATCH", path, patch, kind="merge-patch+json")
    except RefusedError as refused:
        if refused.code == _CONFLICT:
            return False
        raise
    return True


def add(cluster: Cluster, name: str, change: Change) -> bool:
    """Add something, a few times if others write meanwhile; False if there was nothing to add.

    Raises:
        Problem: Others write all the time.
    """
    for _ in range(CONFLICTS):
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
        spec = change(golive)
        if spec is None or write(cluster, golive, spec):
            return spec is not None
    raise Problem(f"{name} is being written all the time: nothing was added, try again")


def take(cluster: Cluster, name: str, change: Change) -> bool:
    """Take trust away, however often others write meanwhile; False if there was nothing to take.

    Raises:
        Problem: Not even in thirty seconds.
    """
    deadline = time.monotonic() + TAKING_SECONDS
    while time.monotonic() < deadline:
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
        spec = change(golive)
        if spec is None or write(cluster, golive, spec):
            return spec is not None
        time.sleep(_PAUSE_SECONDS)
    close = f"kubectl golive close {name} -n {cluster.namespace}"
    raise Problem(f"{name} is being written all the time: NOT DONE, stop it with: {close}")
