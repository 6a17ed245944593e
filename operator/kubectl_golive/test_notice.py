"""`kubectl golive test-notice`: has the operator send a notice, to see that it arrives."""

import time
from datetime import UTC, datetime

import click

from golive_api.digest import sha256
from golive_api.golive import NOTICE_ANNOTATION, TEST_NOTICE_KEY
from golive_api.values import render_time
from kubectl_golive.cluster import Cluster, golive_path
from kubectl_golive.exits import Exit
from kubectl_golive.options import Connect, patience, target

POLL_SECONDS = 0.2
"""Time between two looks for the operator's answer."""


@click.command(name="test-notice", short_help="Have a notice sent, to see that it arrives.")
@click.argument("name")
@patience(20, "the operator")
@target
def command(name: str, timeout: float, connect: Connect) -> int:
    """Have the operator send a test notice about the GoLive NAME to everybody whom it tells.

    Whether it arrives, only its receivers can say. Exit codes: 0 the operator has sent it on its way,
    1 it could not be asked, 3 it has not answered in time.
    """
    cluster = connect()
    value = render_time(datetime.now(UTC))
    body = {"metadata": {"annotations": {NOTICE_ANNOTATION: value}}}
    cluster.call("PATCH", golive_path(cluster.namespace, name), body, kind="merge-patch+json")
    if not answered(cluster, name, value, timeout):
        click.echo("warning: no operator has answered: is it running?", err=True)
        return Exit.UNKNOWN
    click.echo(f"sent at {value[:19]}Z: look for it where notices arrive; golive_notices_total counts them")
    return Exit.OK


def answered(cluster: Cluster, name: str, value: str, seconds: float) -> bool:
    """Whether the operator has taken up the test, waited for that long."""
    deadline = time.monotonic() + seconds
    while True:
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
        seen = golive.get("status", {}).get("recorded", {}).get("seen", [])
        if any((each["key"], each["hash"]) == (TEST_NOTICE_KEY, sha256(value)) for each in seen):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
