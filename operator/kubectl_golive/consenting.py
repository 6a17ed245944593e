"""Shows what an approval is about, asks, and adds the approval to the object as it was shown."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from kubectl_golive.approvals import (
    matches,
    own_word,
    rejections,
    rejects,
    same_person,
    short,
    why_void,
    without,
)
from kubectl_golive.bounds import Bounds, read_bounds
from kubectl_golive.caller import Caller, confirm, permitted, whoami
from kubectl_golive.changing import CONFLICTS, write
from kubectl_golive.cluster import Cluster, golive_path, profile_path
from kubectl_golive.consent import Consent, show
from kubectl_golive.exits import Exit
from kubectl_golive.preflight_asking import POLL_SECONDS, ask_for_run, is_fresh
from kubectl_golive.problems import Problem, RefusedError
from kubectl_golive.seen import outdated, profile_of
from kubectl_golive.terminal import page

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller said on the command line."""

    name: str
    """The GoLive's name."""
    comment: str = ""
    """What they checked."""
    digest_prefix: str | None = None
    """Beginning of the digest that they compared."""
    groups: tuple[str, ...] = ()
    """Groups for which they speak, whatever the policies ask for."""
    timeout: float = 0
    """Seconds to wait for the operator to catch up."""
    assume_yes: bool = False
    """Don't ask."""


class NotYetError(Problem):
    """Status is not about what would be shown; the operator may only have to catch up."""


def approve(cluster: Cluster, wish: Wish) -> int:
    """Read, show, ask, write; start over when somebody else wrote in between."""
    caller, deadline = whoami(cluster), time.monotonic() + wish.timeout
    _are_own(caller, wish.groups)
    shown: Consent | None = None
    begun = False
    for _ in range(CONFLICTS):
        golive, consent = _settled(cluster, caller, wish, deadline)
        bounds = read_bounds(cluster, golive)
        groups = speaks_for(caller, bounds, wish.groups)
        if _already(golive, caller.name, groups):
            click.echo(f"{wish.name} is already approved by {caller.name}, revision {consent.revision}")
            return Exit.OK
        if not begun:
            begun = True
            permitted(cluster, caller, "approve", "golives", wish.name)
            if _refreshed(cluster, golive):
                continue  # that has written the object
        if consent != shown:
            if shown is not None and wish.assume_yes:
                raise Problem(f"{wish.name} changed while it was being approved: look at it and approve again")
            page(partial(show, consent=consent, golive=golive, bounds=bounds, user=caller.name, groups=groups))
            confirm("Approve real orders within these limits?", "not approved", assume_yes=wish.assume_yes)
            cluster.close()  # whoever reads carefully outlives an idle connection
            shown = consent
        if _write(cluster, golive, own(consent, caller.name, wish.comment, groups)):
            click.echo(_done(wish.name, caller.name, consent, groups))
            return Exit.OK
    raise Problem(f"{wish.name} is being written all the time: not approved, try again")


def _done(name: str, user: str, consent: Consent, groups: list[str]) -> str:
    speaking = f", for {', '.join(groups)}" if groups else ""
    return f"{name} approved by {user}{speaking}, revision {consent.revision}, digest {short(consent.digest)}"


def _settled(cluster: Cluster, caller: Caller, wish: Wish, deadline: float) -> tuple[Document, Consent]:
    """The object, once status is about it as it is.

    When the time is over, a digest that is about the very request and limits is enough: with the operator down
    people can still agree.

    Raises:
        Problem: It can't be approved, or not by this person, or status does not catch up in time.
    """
    told = False
    while True:
        golive = cluster.call("GET", golive_path(cluster.namespace, wish.name))
        _approvable(golive, caller.name)
        over = time.monotonic() >= deadline
        try:
            consent = gather(cluster, golive, wish.digest_prefix)
            if over or not outdated(golive):
                return golive, consent
        except NotYetError:
            if over:
                raise
        if not told:
            told = True
            click.echo("waiting for the operator to see the latest change", err=True)
        time.sleep(POLL_SECONDS)


def gather(cluster: Cluster, golive: Document, digest_prefix: str | None) -> Consent:
    """Collect what is approved.

    Raises:
        NotYetError: What would be shown is not what the digest stands for.
        Problem: It can't be shown, or is not what the caller compared.
    """
    name = golive["metadata"]["name"]
    digest: str = golive.get("status", {}).get("digest") or ""
    if not digest:
        raise NotYetError(f"{name} has no status.digest yet: the operator has not seen what would be approved")
    if (profile := profile_of(golive)) is None:
        raise NotYetError(
            f"{name} names no profile, and the operator has not yet said which one is the default"
        )
    consent = Consent.read(golive, _limits(cluster, profile))
    if consent.stale:
        parts = " and ".join(consent.stale)
        raise NotYetError(f"status.digest is not yet about the {parts} as they are: try again in a moment")
    if digest_prefix is not None and not matches(digest, digest_prefix):
        raise Problem(f"the digest is {short(digest)}, not {digest_prefix}: not approved")
    return consent


def _approvable(golive: Document, user: str) -> None:
    name, spec = golive["metadata"]["name"], golive["spec"]
    gate = golive.get("status", {}).get("gate") or {}
    if golive["metadata"].get("deletionTimestamp"):
        raise Problem(f"{name} is being deleted")
    if same_person(user, spec["requestedBy"]):
        raise Problem(f"{name} is your own request, {user}: another person has to approve it")
    if spec["activation"] != "Enabled":
        raise Problem(f"{name} is Disabled: enabling it starts a new revision, approve that one")
    if others := [no["user"] for no in rejections(golive) if not same_person(no["user"], user)]:
        raise Problem(
            f"revision {spec['revision']} of {name} was rejected by {', '.join(others)}: approving is in vain"
        )
    if gate.get("burnedRevision", 0) >= spec["revision"]:
        raise Problem(f"revision {spec['revision']} of {name} is burned: only a new revision can be approved")


def _are_own(caller: Caller, asked: tuple[str, ...]) -> None:
    """Refuse a group that the caller wants to speak for and is no member of."""
    if foreign := [group for group in asked if group not in caller.groups]:
        raise Problem(f"{caller.name} is not a member of {', '.join(foreign)}, by the API server's word")


def speaks_for(caller: Caller, bounds: Bounds, asked: tuple[str, ...]) -> list[str]:
    """Groups that the approval names: those of the caller that the policies ask for, and those they name."""
    return sorted({*asked, *(caller.groups & (bounds.required_groups or frozenset()))})


def _already(golive: Document, user: str, groups: list[str]) -> bool:
    """Whether there is nothing to add: not where a group is asked for that the approval does not speak for."""
    word = own_word(golive, user)
    if word is None or rejects(word) or why_void(word, golive) is not None:
        return False
    return set(groups) <= set(word.get("groups") or [])


def _refreshed(cluster: Cluster, golive: Document) -> bool:
    """Have preflight run while the person reads; who may not ask for it is not kept from approving."""
    if is_fresh(golive, datetime.now(UTC)):
        return False
    try:
        ask_for_run(cluster, golive["metadata"]["name"])
    except RefusedError as refused:
        click.echo(f"note: preflight could not be asked to run: {refused}", err=True)
        return False
    return True


def _limits(cluster: Cluster, profile: str) -> Document:
    try:
        limits: Document = cluster.call("GET", profile_path(profile))["spec"]["limits"]
    except RefusedError as refused:
        raise Problem(f"the limits of profile {profile} can't be shown: {refused}") from refused
    return limits


def own(consent: Consent, user: str, comment: str, groups: list[str]) -> Document:
    """The approval to add."""
    approval = {"user": user, "revision": consent.revision, "uid": consent.uid, "digest": consent.digest}
    return approval | ({"comment": comment} if comment else {}) | ({"groups": groups} if groups else {})


def _write(cluster: Cluster, golive: Document, approval: Document) -> bool:
    """Add the approval to the list as it was read; False if somebody else wrote meanwhile."""
    return write(cluster, golive, {"approvals": [*without(golive, approval["user"]), approval]})
