"""What a person consents to, and how it is shown to them."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError
from rich.console import Console

from golive_api.digest import sha256
from golive_api.golive import Request
from golive_api.profiles import Limits
from kubectl_golive.approvals import short
from kubectl_golive.problems import Problem
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
    limits: Document
    """What the profile allows."""

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


def show(out: Console, name: str, namespace: str, consent: Consent, user: str) -> None:
    """Print all that the approval is about."""
    request = consent.request
    out.print(cell(f"{user} approves {name} in namespace {namespace}, as requested by {consent.requested_by}:"))
    out.print(
        fields(
            [
                ("Revision", consent.revision),
                ("Engine", request["engineRef"]["name"]),
                ("Environment", request["environment"]),
                ("Accounts", ", ".join(request["accounts"])),
                ("Preflight", _flat(request.get("preflight", {}))),
                ("Safety", _flat(request.get("safety", {}))),
                ("Gate", _flat(request.get("gate", {}))),
                ("Profile", request["profile"]),
                *((f"  {limit}", value) for limit, value in consent.limits.items()),
                ("Digest", f"{short(consent.digest)} (request, limits, engine)"),
            ]
        )
    )


def _flat(values: Document) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())
