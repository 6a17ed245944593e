"""Prints, writes and judges chains of records."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from golive_api.record import GoLiveRecordSpec
from golive_api.record_file import (
    Header,
    Link,
    RecordsUnreadableError,
    faults,
    read_lines,
    read_link,
    to_lines,
)
from kubectl_golive.cluster import Cluster
from kubectl_golive.exits import Exit
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem
from kubectl_golive.record_reading import read_chain
from kubectl_golive.terminal import PLAIN_WIDTH, page, table

TITLES = ("SEQ", "TIME", "ACT", "BY", "REV", "REASON", "MESSAGE")
"""Columns of the list."""


def show(cluster: Cluster, name: str, last: int, output: str) -> int:
    """Print the latest records."""
    _, records = read_chain(cluster, name)
    chosen = records[-last:]
    if output == "json":
        click.echo(json.dumps([record.wire() for record in chosen], indent=4))
    elif chosen:
        rows = [_row(record) for record in chosen]
        page(lambda out: out.print(table(TITLES, rows), width=None if sys.stdout.isatty() else PLAIN_WIDTH))
    else:
        click.echo(f"no record of {name} in namespace {cluster.namespace}", err=True)
    return Exit.OK


def _row(record: GoLiveRecordSpec) -> list[object]:
    by = ",".join(record.users) or "-"
    time = f"{record.time[:19]}Z"
    return [record.sequence, time, record.act.value, by, record.revision, record.reason, record.message]


def export_to(cluster: Cluster, name: str, file: Path | None) -> int:
    """Write a chain, to a file or to standard output, and say what to keep elsewhere."""
    header, records = read_chain(cluster, name)
    text = "".join(f"{line}\n" for line in to_lines(header, records))
    if file is None:
        click.echo(text, nl=False)
    else:
        _write(file, text)
    click.echo(f"{len(records)} records; keep elsewhere: --head {_end(header, records)}", err=True)
    return Exit.OK


def _write(file: Path, text: str) -> None:
    """As a whole or not at all: an interrupted export must not look like a chain that was cut off."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Problem(f"{file} can't be written: {error.strerror}") from error


def verify_cluster(cluster: Cluster, name: str, heads: Sequence[str]) -> int:
    """Judge the chain that stands in the cluster."""
    return _verdict(*read_chain(cluster, name), heads)


def verify_file(file: Path, heads: Sequence[str]) -> int:
    """Judge the chain in an exported file."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        header, records = read_lines(text.splitlines())
    except (OSError, UnicodeDecodeError, RecordsUnreadableError) as error:
        raise Problem(f"{file}: {printable(str(error))}") from error
    return _verdict(header, records, heads)


def _verdict(header: Header, records: Sequence[GoLiveRecordSpec], heads: Sequence[str]) -> int:
    try:
        witnesses = [read_link(text) for text in heads]
    except ValueError as error:
        raise Problem("--head must be SEQUENCE:HASH, as export prints it") from error
    found = faults(header, records, witnesses)
    for fault in found:
        click.echo(f"error: {printable(fault)}", err=True)
    if found:
        click.echo(
            f"BROKEN: {len(found)} faults in {len(records)} records of {header.namespace}/{header.golive}"
        )
        return Exit.ERROR
    first = f"{records[0].sequence} to {records[-1].sequence}" if records else "none"
    click.echo(f"whole: {len(records)} records ({first}) of {header.namespace}/{header.golive}")
    click.echo(f"ends with --head {_end(header, records)}")
    if header.head is None and not witnesses:
        click.echo("warning: nothing says whether the end was cut off: give --head SEQUENCE:HASH", err=True)
    return Exit.OK


def _end(header: Header, records: Sequence[GoLiveRecordSpec]) -> Link:
    return Link(sequence=records[-1].sequence, hash=records[-1].hash) if records else header.anchor
