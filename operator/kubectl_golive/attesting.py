"""Lists the checklist, vouches for an item of it, takes a word back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from golive_api.checklist import BY_ID
from golive_api.values import parse_time, render_time
from kubectl_golive.bounds import read_bounds
from kubectl_golive.caller import permitted, whoami
from kubectl_golive.changing import add, take
from kubectl_golive.cluster import Cluster, golive_path
from kubectl_golive.exits import Exit
from kubectl_golive.preflight_view import title
from kubectl_golive.problems import Problem
from kubectl_golive.terminal import page, table, until

_SPAN = re.compile(r"^(\d{1,5})([smhd])$")
_SIZES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Document = dict[str, Any]


def attest(cluster: Cluster, name: str, item: str, comment: str, span: str | None) -> int:
    """Add the caller's word for an item, in the place of anybody's before."""
    lasting = _lasting(span)
    caller = whoami(cluster)
    golive = cluster.call("GET", golive_path(cluster.namespace, name))
    _known(golive, item)
    permitted(cluster, caller, "attest", "golives", name)

    def vouch(seen: Document) -> Document:
        now = datetime.now(UTC)
        word = {"item": item, "user": caller.name, "uid": seen["metadata"]["uid"], "time": render_time(now)}
        word |= {"lapseTime": render_time(now + lasting)} if lasting else {}
        word |= {"comment": comment} if comment else {}
        return {"attestations": [*_without(seen, item), word]}

    add(cluster, name, vouch)
    ends = f", lapses {until(render_time(datetime.now(UTC) + lasting), datetime.now(UTC))}" if lasting else ""
    click.echo(f"{name}: {caller.name} vouches for {item}{ends}")
    click.echo(f"  {title(item)}")
    return Exit.OK


def withdraw(cluster: Cluster, name: str, item: str) -> int:
    """Take a word back, however often others write meanwhile; whose it is the API server judges."""
    before: list[Document] = []

    def remove(seen: Document) -> Document | None:
        before[:] = [each for each in _words(seen) if each["item"] == item]
        return {"attestations": _without(seen, item)} if before else None

    if not take(cluster, name, remove):
        raise Problem(f"nobody vouches for {item} of {name}: nothing to withdraw")
    click.echo(
        f"{name}: the word of {before[0]['user']} for {item} is withdrawn; if it is required, the gate shuts"
    )
    return Exit.OK


def show_items(cluster: Cluster, name: str) -> int:
    """Print every item that the operator looks at, and every other one that somebody vouches for."""
    golive = cluster.call("GET", golive_path(cluster.namespace, name))
    ttl = read_bounds(cluster, golive).attestation_ttl_seconds
    words = {word["item"]: word for word in _words(golive)}
    items: list[Document] = (golive.get("status") or {}).get("preflight", {}).get("checklist") or []
    told = {item["item"] for item in items}
    unseen = [{"item": item, "state": "not yet seen", "required": "?"} for item in words if item not in told]
    if not items and not unseen:
        raise Problem(f"the operator has not yet said how the checklist of {name} stands")
    now = datetime.now(UTC)
    rows = [_row(item, words.get(item["item"]), ttl, now) for item in [*items, *unseen]]
    titles = ("ITEM", "STATE", "REQUIRED", "BY", "LAPSES", "WHAT")
    page(lambda out: out.print(table(titles, rows)))
    return Exit.OK


def _row(item: Document, word: Document | None, ttl_seconds: int | None, now: datetime) -> list[object]:
    by = item.get("by") or (word or {}).get("user") or ""
    lapses = _lapses(word, ttl_seconds, now) if word else ""
    required = {"Required": "yes", "Optional": "no"}.get(item["required"], item["required"])
    said = f"{title(item['item'])}: {item['message']}" if item.get("message") else title(item["item"])
    return [item["item"], item["state"], required, by, lapses, said]


def _lapses(word: Document, ttl_seconds: int | None, now: datetime) -> str:
    """When a word lapses: by itself or by the policy, whichever is earlier."""
    try:
        ends = [parse_time(word["lapseTime"])] if word.get("lapseTime") else []
        ends += [parse_time(word["time"]) + timedelta(seconds=ttl_seconds)] if ttl_seconds else []
    except ValueError:
        return "?"
    if not ends:
        return "as the policy has it"
    return until(render_time(min(ends)), now) if min(ends) > now else "lapsed"


def _known(golive: Document, item: str) -> None:
    """Refuse what is no item, and say of what is measured that a word may not be needed."""
    name, preflight = golive["metadata"]["name"], (golive.get("status") or {}).get("preflight") or {}
    if item not in BY_ID and item not in {each["item"] for each in preflight.get("checklist") or []}:
        raise Problem(f"the checklist has no item {item}: see kubectl golive attest {name} --list")
    if (known := BY_ID.get(item)) and known.machine is not None:
        note = f"note: {item} is measured ({known.machine}): your word counts only where that is not there"
        click.echo(note, err=True)


def _words(golive: Document) -> list[Document]:
    said: list[Document] = golive["spec"].get("attestations") or []
    return said


def _without(golive: Document, item: str) -> list[Document]:
    return [word for word in _words(golive) if word["item"] != item]


def _lasting(span: str | None) -> timedelta | None:
    """Read a span. Raises Problem for what is none."""
    if span is None:
        return None
    if not (found := _SPAN.match(span)):
        raise Problem(f"--for {span} is no span: give a number and s, m, h or d, as 7d")
    return timedelta(**{_SIZES[found[2]]: int(found[1])})
