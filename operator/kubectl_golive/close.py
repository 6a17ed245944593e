"""`kubectl golive close`: stops real trading, then waits for the engine to say that it has stopped."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty

import click

from kubectl_golive.brake import GIVE_UP_SECONDS, News, Shot, fire
from kubectl_golive.closing import Closing, as_json, ending, hit, miss
from kubectl_golive.obedience import Obedience
from kubectl_golive.options import Connect, patience, target
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem


@click.command(name="close", short_help="Stop real trading now.")
@click.argument("name")
@click.option("--reason", metavar="TEXT", help="Why, kept as an annotation of the GoLive.")
@patience(20, "the engine")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Also print how long it took until the request left.")
@target
def command(
    name: str,
    reason: str | None,
    timeout: float,
    output: str,
    verbose: bool,  # noqa: FBT001  click hands options over so
    connect: Connect,
) -> int:
    """Stop real trading of the GoLive NAME now, for good for this revision.

    Deletes the gate and disables the GoLive, both at once, then waits until the engine has acknowledged.
    Asks nothing, and needs no operator. Exit codes: 0 the engine has stopped or none runs, 1 the gate
    could not be shut, 3 it is shut but the engine has not answered.
    """
    cluster = connect()
    closing = Closing(name, cluster.namespace, Obedience(datetime.now(UTC)))
    collect(closing, fire(cluster, name, reason, timeout), timeout, aloud=output == "text")
    started = started_before(closing.sent) if closing.sent is not None else None
    if verbose:
        click.echo(f"process start to request sent: {started or float('nan'):.0f} ms", err=True)
    if output == "json":
        click.echo(json.dumps(as_json(closing) | {"processStartToSentMilliseconds": started}, indent=2))
    return verdict(closing, aloud=output == "text")


def collect(closing: Closing, news: News, seconds: float, *, aloud: bool) -> None:
    """Take in news until nothing is left to wait for, or the time is over."""
    deadline = time.monotonic() + seconds
    latest = time.monotonic() + max(seconds, GIVE_UP_SECONDS + 1)
    while not closing.finished:
        left = (deadline if closing.answered else latest) - time.monotonic()
        if left <= 0:
            return
        try:
            piece = news.get(timeout=left)
        except Empty:
            continue
        closing.take(piece)
        if aloud and isinstance(piece, Shot) and piece.failure is None:
            click.echo(hit(closing, piece))


def verdict(closing: Closing, *, aloud: bool) -> int:
    """Say how it ended, and return the exit code.

    Raises:
        Problem: The gate is not shut, or may open again.
    """
    misses = [miss(closing, shot) for shot in closing.shots.values() if shot.failure]
    if not closing.shut:
        raise Problem(f"NOT CLOSED in namespace {closing.namespace}: {'; '.join(misses) or 'no answer'}")
    for line in misses:
        click.echo(f"warning: {printable(line)}", err=True)
    text, code = ending(closing)
    if aloud:
        click.echo(printable(text))
    return code


def started_before(moment: float) -> float:
    """Milliseconds from this process's start to a monotonic time; the kernel counts in steps of 10 ms."""
    stat = Path("/proc/self/stat")
    if sys.platform != "linux" or not stat.exists():
        return float("nan")
    ticks = int(stat.read_text().rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return (age - (time.monotonic() - moment)) * 1000
