"""Whose word counts, and why another one doesn't."""

from typing import Any

from golive_api.digest import differing_parts

NO_DIGEST = ".".join(["0" * 64] * 3)
"""What a rejection carries while the operator has not said what would be approved."""

Document = dict[str, Any]


def same_person(left: str, right: str) -> bool:
    """Names that differ in letter case only are one person, as the API server's policies have it."""
    return left.casefold() == right.casefold()


def rejects(approval: Document) -> bool:
    """Whether somebody said no."""
    return approval.get("verdict") == "Rejected"


def why_void(approval: Document, golive: Document) -> str | None:
    """Why a word does not count for the object as it is now, or None if it does."""
    spec, status = golive["spec"], golive.get("status", {})
    if approval["uid"] != golive["metadata"]["uid"]:
        return "given to an earlier object of this name"
    if approval["revision"] != spec["revision"]:
        return f"given to revision {approval['revision']}, now {spec['revision']}"
    if same_person(approval["user"], spec["requestedBy"]):
        return "given by the requester"
    if rejects(approval):
        return None  # whatever the digest is
    return _why_unbound(approval["digest"], status.get("digest"))


def _why_unbound(approved: str, current: str | None) -> str | None:
    """Why a yes is not bound to what stands there now."""
    if not current:
        return "status.digest is not known now"
    parts = _changed(approved, current)
    return f"changed since: {', '.join(parts)}" if parts else None


def _changed(approved: str, current: str) -> tuple[str, ...]:
    try:
        return differing_parts(approved, current)
    except ValueError:
        return ("digest",)


def words(golive: Document) -> list[Document]:
    """What people said, valid or not."""
    said: list[Document] = golive["spec"].get("approvals") or []
    return said


def own_word(golive: Document, user: str) -> Document | None:
    """The caller's approval or rejection, valid or not."""
    return next((approval for approval in words(golive) if same_person(approval["user"], user)), None)


def without(golive: Document, user: str) -> list[Document]:
    """What everybody else said."""
    return [approval for approval in words(golive) if not same_person(approval["user"], user)]


def rejections(golive: Document) -> list[Document]:
    """Everybody's no that counts."""
    return [each for each in words(golive) if rejects(each) and why_void(each, golive) is None]


def counting(golive: Document) -> list[Document]:
    """Everybody's yes that counts."""
    return [each for each in words(golive) if not rejects(each) and why_void(each, golive) is None]


def needed(golive: Document) -> int | None:
    """How many have to agree, by the operator's word; None where it has not said."""
    asked = str((golive.get("status") or {}).get("approvalSummary") or "").partition("/")[2]
    return int(asked) if asked.isdecimal() else None


def short(digest: str | None) -> str:
    """A digest that a person can compare: the beginning of each part."""
    return ".".join(part[:12] for part in (digest or "").split(".")) or "<none>"


def matches(digest: str, prefix: str) -> bool:
    """Whether a digest begins as given: part by part, as `short` writes it."""
    given, parts = prefix.lower().split("."), digest.split(".")
    return (
        any(given)
        and len(given) <= len(parts)
        and all(part.startswith(start) for part, start in zip(parts, given, strict=False))
    )
