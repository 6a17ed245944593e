"""Says no to a request, or takes a yes back; neither fails because somebody else writes at the same time."""

import time
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

import click

from kubectl_golive.approvals import (
    NO_DIGEST,
    counting,
    needed,
    own_word,
    rejects,
    same_person,
    why_void,
    without,
)
from kubectl_golive.caller import permitted, whoami
from kubectl_golive.changing import take
from kubectl_golive.cluster import Cluster, golive_path
from kubectl_golive.exits import Exit
from kubectl_golive.following import Followed, News, await_engines, follow
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem

Document = dict[str, Any]


def reject(cluster: Cluster, name: str, comment: str) -> int:
    """Put the caller's no in the place of whatever they said before."""
    caller = whoami(cluster)
    golive = cluster.call("GET", golive_path(cluster.namespace, name))
    if same_person(caller.name, golive["spec"]["requestedBy"]):
        close = f"kubectl golive close {name} -n {cluster.namespace}"
        raise Problem(
            f"{name} is your own request, {caller.name}: another person can reject it; stop it with: {close}"
        )
    permitted(cluster, caller, "approve", "golives", name)
    revision = golive["spec"]["revision"]

    def refuse(seen: Document) -> Document | None:
        nonlocal revision
        revision = seen["spec"]["revision"]
        word = own_word(seen, caller.name)
        if word is not None and rejects(word) and why_void(word, seen) is None:
            return None
        no = {
            "user": caller.name,
            "revision": revision,
            "uid": seen["metadata"]["uid"],
            "digest": (seen.get("status") or {}).get("digest") or NO_DIGEST,
            "verdict": "Rejected",
            "comment": comment,
        }
        return {"approvals": [*without(seen, caller.name), no]}

    if take(cluster, name, refuse):
        click.echo(f"{name} rejected by {caller.name}, revision {revision}: it never opens again")
    else:
        click.echo(f"{name} is already rejected by {caller.name}, revision {revision}")
    return Exit.OK


def revoke(cluster: Cluster, name: str, wait_seconds: float | None) -> int:
    """Take the caller's approval out of the list."""
    caller = whoami(cluster)
    left: Document = {}

    def withdraw(seen: Document) -> Document | None:
        left.update(seen)
        word = own_word(seen, caller.name)
        if word is not None and rejects(word):
            raise Problem(
                f"{caller.name} has rejected {name}: a rejection stands, start a new revision instead"
            )
        return None if word is None else {"approvals": without(seen, caller.name)}

    sent, sent_time = time.monotonic(), datetime.now(UTC)
    if not take(cluster, name, withdraw):
        raise Problem(f"{caller.name} has not approved {name}: nothing to revoke")
    left["spec"]["approvals"] = without(left, caller.name)
    text, shuts = _outlook(left)
    click.echo(f"{name}: approval by {caller.name} revoked, revision {left['spec']['revision']}; {text}")
    if wait_seconds is None or not shuts:
        return Exit.OK
    followed = Followed((left["spec"]["request"]["engineRef"]["name"],), sent, sent_time)
    news: News = SimpleQueue()
    follow(news, cluster, wait_seconds)
    await_engines(followed, news, wait_seconds)
    for line in followed.lines():
        click.echo(printable(line))
    return Exit.OK if followed.settled else Exit.UNKNOWN


def _outlook(golive: Document) -> tuple[str, bool]:
    """What becomes of the gate, and whether it shuts."""
    remaining, asked = len(counting(golive)), needed(golive)
    ttl = golive["spec"]["request"].get("gate", {}).get("ttlSeconds", 60)
    if asked is not None and remaining >= asked:
        return f"{remaining} of {asked} needed remain, so the gate may stay open", False
    return (
        f"the gate shuts as soon as the operator sees it, and by itself within {ttl} s if there is none",
        True,
    )
