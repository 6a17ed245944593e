"""Whose approval counts, and why another one doesn't."""

from typing import Any

from golive_api.digest import differing_parts

Document = dict[str, Any]


def same_person(left: str, right: str) -> bool:
    """Names that differ in letter case only are one person, as the API server's policies have it."""
    return left.casefold() == right.casefold()


def why_void(approval: Document, golive: Document) -> str | None:
    """Why an approval does not count for the object as it is now, or None if it does."""
    spec, status = golive["spec"], golive.get("status", {})
    if approval["uid"] != golive["metadata"]["uid"]:
        return "given to an earlier object of this name"
    if approval["revision"] != spec["revision"]:
        return f"given to revision {approval['revision']}, now {spec['revision']}"
    if same_person(approval["user"], spec["requestedBy"]):
        return "given by the requester"
    current = status.get("digest")
    if not current:
        return "status.digest is not known now"
    if parts := _changed(approval["digest"], current):
        return f"changed since: {', '.join(parts)}"
    return None


def _changed(approved: str, current: str) -> tuple[str, ...]:
    try:
        return differing_parts(approved, current)
    except ValueError:
        return ("digest",)


def own_approval(golive: Document, user: str) -> Document | None:
    """The caller's approval, valid or not."""
    approvals: list[Document] = golive["spec"].get("approvals") or []
    return next((approval for approval in approvals if same_person(approval["user"], user)), None)


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
