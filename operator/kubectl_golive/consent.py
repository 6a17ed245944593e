"""What a person consents to, and how it is shown to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import ValidationError
from rich.console import Console

from golive_api.digest import sha256
from golive_api.golive import Request
from golive_api.profiles import Limits
from kubectl_golive import preflight_view
from kubectl_golive.advice import window
from kubectl_golive.approvals import counting, short
from kubectl_golive.bounds import Bounds
from kubectl_golive.gates import UNKNOWN
from kubectl_golive.problems import Problem
from kubectl_golive.seen import Seen, profile_of
from kubectl_golive.terminal import cell, fields

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agrees to; if any of it differs, it is shown again."""

    uid: str
    """The very object."""
    revision: int
    """Its revision."""
    requested_by: str
    """Who asked."""
    digest: str
    """What the operator computed of request, limits and engine."""
    request: Document
    """What is asked for."""
    profile: str
    """The CapitalProfile that is in force."""
    limits: Document
    """What it allows."""

    @classmethod
    def read(cls, golive: Document, limits: Document) -> Self:
        """Take from an object what an approval of it is about.

        Raises:
            Problem: Something in it is newer than this program, which could not show it.
        """
        spec = golive["spec"]
        try:
            request, limited = Request.model_validate(spec["request"]), Limits.model_validate(limits)
        except ValidationError as error:
            where = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
            raise Problem(
                f"this version of kubectl-golive can't show all that it would approve: {where}"
            ) from error
        return cls(
            uid=golive["metadata"]["uid"],
            revision=spec["revision"],
            requested_by=spec["requestedBy"],
            digest=golive["status"]["digest"],
            request=request.wire(),
            profile=str(profile_of(golive)),
            limits=limited.wire(),
        )

    @property
    def stale(self) -> list[str]:
        """Parts that are shown otherwise than the digest has them."""
        shown = (("request", self.request), ("limits", self.limits))
        return [
            part
            for (part, value), digest in zip(shown, self.digest.split("."), strict=False)
            if sha256(value) != digest
        ]


def show(
    out: Console, consent: Consent, golive: Document, bounds: Bounds, user: str, groups: list[str]
) -> None:
    """Print all that the approval is about, and what the operator knows besides.

    Args:
        out: Where to.
        consent: What the approval is bound to.
        golive: The object, for what it says of policies, window, preflight and checklist.
        bounds: What the policies ask of people.
        user: Who would approve.
        groups: Groups for which they would speak.
    """
    seen = Seen(golive=golive, gate=UNKNOWN, now=datetime.now(UTC))
    where = f"{seen.name} in namespace {seen.namespace}"
    out.print(cell(f"{user} approves {where}, as requested by {consent.requested_by}:"))
    out.print(fields([*_request(consent), *_terms(seen, bounds, groups)]))
    preflight_view.checks(out, seen.preflight, seen.now)
    preflight_view.checklist(out, seen.preflight)
    out.print()


def _request(consent: Consent) -> Iterator[tuple[str, object]]:
    """What the digest stands for."""
    request = consent.request
    yield "Revision", consent.revision
    yield "Engine", request["engineRef"]["name"]
    yield "Environment", request["environment"]
    yield "Accounts", ", ".join(request["accounts"])
    for part in ("preflight", "safety", "gate", "observation"):
        yield part.capitalize(), _flat(request.get(part, {}))
    yield "Profile", consent.profile + ("" if "profile" in request else " (the policy's default)")
    yield from ((f"  {limit}", value) for limit, value in consent.limits.items())
    for name, part in zip(("request", "limits", "engine"), consent.digest.split("."), strict=False):
        yield f"Digest of {name}", part[:12]
    yield "Digest", short(consent.digest)


def _terms(seen: Seen, bounds: Bounds, groups: list[str]) -> Iterator[tuple[str, object]]:
    """What the policies say besides."""
    yield "Policies", ", ".join(bounds.policies) or None
    if seen.status.get("window"):
        yield "Window", f"{seen.status['window']['state']}, {window(seen)}"
    agreed = ", ".join(approval["user"] for approval in counting(seen.golive))
    yield "Approvals", f"{seen.status.get('approvalSummary') or '?'}{f' ({agreed})' if agreed else ''}"
    if bounds.required_groups is None:
        yield "Groups", "unknown: you may not read the policies; name yours with --group if one is asked for"
    elif bounds.required_groups:
        yield (
            "Groups",
            f"you speak for {', '.join(groups) or 'none'} of {', '.join(sorted(bounds.required_groups))}",
        )
    if seen.outdated:
        yield "Note", "status speaks of an older version of the object; its digest is about what stands here"


def _flat(values: Document) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())
