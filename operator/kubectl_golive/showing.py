"""Prints what was read of GoLives, for a person or for a program."""

import json
from typing import Any

import click
import yaml

from kubectl_golive import status_view
from kubectl_golive.cluster import Cluster, golive_path
from kubectl_golive.exits import Exit
from kubectl_golive.explaining import explain
from kubectl_golive.reading import read_all, read_one
from kubectl_golive.terminal import page

Document = dict[str, Any]


def show_one(cluster: Cluster, name: str, output: str) -> int:
    """Print one GoLive with its gate and engine, and return the exit code that its gate stands for."""
    seen = read_one(cluster, name)
    if output == "table":
        page(lambda out: status_view.one(out, seen))
    else:
        _print(seen.golive, output)
    return seen.gate.exit_code


def show_why(cluster: Cluster, name: str) -> int:
    """Print everything that stands in the way, and return the exit code that the gate stands for."""
    seen = read_one(cluster, name)
    page(lambda out: explain(out, seen))
    return seen.gate.exit_code


def show_all(cluster: Cluster, namespace: str | None, output: str) -> int:
    """Print a line for each GoLive."""
    if output != "table":
        _print(cluster.call("GET", golive_path(namespace)), output)
        return Exit.OK
    rows = read_all(cluster, namespace)
    if rows:
        page(lambda out: status_view.many(out, rows, with_namespace=namespace is None))
    else:
        click.echo(f"no GoLive in {f'namespace {namespace}' if namespace else 'any namespace'}", err=True)
    return Exit.OK


def _print(document: Document, output: str) -> None:
    """Print objects as kubectl does."""
    if output == "json":
        click.echo(json.dumps(document, indent=4))
    elif output == "yaml":
        click.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
    else:
        for item in document.get("items", [document]):
            click.echo(f"golive.golive.dev/{item['metadata']['name']}")
