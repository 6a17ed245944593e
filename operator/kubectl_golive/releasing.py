"""Lists stops, and lifts one: shows it, asks, and writes the release against what was shown."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import click
from rich.console import Console

from kubectl_golive.approvals import same_person
from kubectl_golive.caller import Caller, confirm, permitted, whoami
from kubectl_golive.cluster import Cluster, golive_path, peek, stop_path
from kubectl_golive.exits import Exit
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem, RefusedError
from kubectl_golive.seen import selects
from kubectl_golive.stop_view import applied
from kubectl_golive.terminal import cell, fields, page, since, table

LEAST_ROOT_CAUSE = 10
"""A shorter one says nothing; the API server refuses it too."""

Document = dict[str, Any]


def show_stops(cluster: Cluster) -> int:
    """Print a line for each stop of the namespace."""
    stops = cluster.call("GET", stop_path(cluster.namespace))["items"]
    if not stops:
        click.echo(f"no EmergencyStop in namespace {cluster.namespace}", err=True)
        return Exit.OK
    titles, rows = applied(stops, datetime.now(UTC))
    page(lambda out: out.print(table(titles, rows)))
    return Exit.OK


def release(cluster: Cluster, name: str, root_cause: str, *, assume_yes: bool) -> int:
    """Lift one stop.

    Raises:
        Problem: It is not there, is released already, or may not be released by the caller.
    """
    if len(root_cause.strip()) < LEAST_ROOT_CAUSE:
        raise Problem("say in --root-cause what happened and what was done about it")
    caller = whoami(cluster)
    stop = cluster.call("GET", stop_path(cluster.namespace, name))
    if _released(stop, caller):
        return Exit.OK
    permitted(cluster, caller, "release", "emergencystops", name)
    page(partial(_show, stop=stop, caller=caller, root_cause=root_cause))
    confirm("Let these engines send orders again?", "not released", assume_yes=assume_yes)
    cluster.close()  # whoever reads carefully outlives an idle connection
    _write(cluster, stop, {"user": caller.name, "rootCause": root_cause})
    click.echo(f"EmergencyStop {name} released by {caller.name}")
    for line in _outlook(cluster, stop):
        click.echo(printable(line))
    return Exit.OK


def _released(stop: Document, caller: Caller) -> bool:
    """Whether the caller has done it before."""
    before = stop["spec"].get("release")
    name = stop["metadata"]["name"]
    if before is None:
        return False
    if not same_person(before["user"], caller.name):
        raise Problem(f"EmergencyStop {name} was released by {before['user']}: {before['rootCause']}")
    click.echo(f"EmergencyStop {name} is already released by {caller.name}")
    return True


def _show(out: Console, stop: Document, caller: Caller, root_cause: str) -> None:
    """What would be lifted, and with which words."""
    spec, metadata = stop["spec"], stop["metadata"]
    out.print(
        cell(f"{caller.name} releases EmergencyStop {metadata['name']} in namespace {metadata['namespace']}:")
    )
    applied_ago = since(metadata["creationTimestamp"], datetime.now(UTC))
    rows = [
        ("Reason", spec["reason"]),
        ("Engines", ", ".join(spec.get("engines") or []) or "all of the namespace"),
        ("Applied", f"{applied_ago} ago"),
        ("Root cause", root_cause),
    ]
    out.print(fields(rows))


def _write(cluster: Cluster, stop: Document, word: Document) -> None:
    """Add the release to the very stop that was shown."""
    metadata = stop["metadata"]
    guard = {"resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"]}
    path = stop_path(cluster.namespace, metadata["name"])
    try:
        cluster.call("PATCH", path, {"metadata": guard, "spec": {"release": word}}, kind="merge-patch+json")
    except RefusedError as refused:
        if refused.code == HTTPStatus.CONFLICT:
            raise Problem(
                f"EmergencyStop {metadata['name']} was written meanwhile: look at it again"
            ) from refused
        raise


def _outlook(cluster: Cluster, stop: Document) -> list[str]:
    """What still stands in the way, and what to do next."""
    stops, golives = (
        peek(cluster, path) or {} for path in (stop_path(cluster.namespace), golive_path(cluster.namespace))
    )
    holding = [each for each in stops.get("items") or [] if "release" not in each["spec"]]
    lines = [
        f"still holding: EmergencyStop {each['metadata']['name']}: {each['spec']['reason']}" for each in holding
    ]
    shut = [g for g in golives.get("items") or [] if selects(stop, g["spec"]["request"]["engineRef"]["name"])]
    for golive in shut:
        name = golive["metadata"]["name"]
        lines.append(f"{name} needs a new revision (activation Disabled, then Enabled) and approvals:")
        lines.append(f"  kubectl golive explain {name} -n {cluster.namespace}")
    return lines
