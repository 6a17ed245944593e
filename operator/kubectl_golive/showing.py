"""Reads what a GoLive's status is made of, and prints it."""

import json
from datetime import UTC, datetime
from typing import Any

import click
import yaml

from golive_api.acknowledgement import lease_name
from golive_api.gate import GATE_LABEL, gate_name
from kubectl_golive import status_view
from kubectl_golive.cluster import Cluster, config_map_path, golive_path, lease_path
from kubectl_golive.exits import Exit
from kubectl_golive.gates import GateNow, gate_from_status, gate_now
from kubectl_golive.problems import RefusedError
from kubectl_golive.terminal import page

_NOT_FOUND = 404
_FORBIDDEN = 403

Document = dict[str, Any]


def show_one(cluster: Cluster, name: str, output: str) -> int:
    """Print one GoLive with its gate and engine, and return the exit code that its gate stands for."""
    golive = cluster.call("GET", golive_path(cluster.namespace, name))
    config_map = _peek(cluster, config_map_path(cluster.namespace, gate_name(name)))
    now = datetime.now(UTC)
    gate = _gate(golive, config_map, now)
    if output == "table":
        engine = golive["spec"]["request"]["engineRef"]["name"]
        lease = _peek(cluster, lease_path(cluster.namespace, lease_name(engine)))
        page(lambda out: status_view.one(out, golive, gate, lease, now))
    else:
        _print(golive, output)
    return gate.exit_code


def show_all(cluster: Cluster, namespace: str | None, output: str) -> int:
    """Print a line for each GoLive."""
    listed = cluster.call("GET", golive_path(namespace))
    if output != "table":
        _print(listed, output)
        return Exit.OK
    gates = _peek(cluster, f"{config_map_path(namespace)}?labelSelector={GATE_LABEL}")
    now = datetime.now(UTC)
    rows = [(golive, _gate(golive, _own_gate(golive, gates), now)) for golive in listed["items"]]
    if rows:
        page(lambda out: status_view.many(out, rows, now, with_namespace=namespace is None))
    else:
        click.echo(f"no GoLive in {f'namespace {namespace}' if namespace else 'any namespace'}", err=True)
    return Exit.OK


def _peek(cluster: Cluster, path: str) -> Document | None:
    """Read what may be missing (then it is empty) or may not be for the caller to see (then it is None)."""
    try:
        return cluster.call("GET", path)
    except RefusedError as refused:
        if refused.code == _NOT_FOUND:
            return {}
        if refused.code == _FORBIDDEN:
            return None
        raise


def _own_gate(golive: Document, gates: Document | None) -> Document | None:
    """Find a GoLive's gate in a list of gates, with the meanings of `_peek`."""
    if gates is None:
        return None
    metadata = golive["metadata"]
    wanted = (metadata["namespace"], gate_name(metadata["name"]))
    found = (
        item for item in gates["items"] if (item["metadata"]["namespace"], item["metadata"]["name"]) == wanted
    )
    return next(found, {})


def _gate(golive: Document, config_map: Document | None, now: datetime) -> GateNow:
    """The gate itself, or the operator's word where the caller may not read the gate."""
    if config_map is None:
        return gate_from_status(golive.get("status", {}), now)
    return gate_now((config_map.get("data") or {}) if config_map else None, now)


def _print(document: Document, output: str) -> None:
    """Print objects as kubectl does."""
    if output == "json":
        click.echo(json.dumps(document, indent=4))
    elif output == "yaml":
        click.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
    else:
        for item in document.get("items", [document]):
            click.echo(f"golive.golive.dev/{item['metadata']['name']}")
