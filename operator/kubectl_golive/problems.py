"""What can go wrong, as one line for a person."""

import re
from http import HTTPStatus
from typing import Any

from kubectl_golive.exits import Exit

_DENIED = re.compile(r"ValidatingAdmissionPolicy '(?P<policy>[^']+)'.* denied request: (?P<why>.+)", re.DOTALL)
_FORBIDDEN = re.compile(r"^\S+ \"[^\"]*\" is forbidden: ")


class Problem(Exception):  # noqa: N818  a person reads it, `error:` stands before it already
    """Ends the program; its text is the one line on stderr."""

    exit_code = Exit.ERROR


class UnreachableError(Problem):
    """The API server did not answer, or the connection broke: the request may or may not have arrived."""


class RefusedError(Problem):
    """The API server answered with something else than success.

    Args:
        code: HTTP status.
        text: One line for a person.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def refusal(code: int, answer: dict[str, Any]) -> RefusedError:
    """Translate a failed answer; a policy speaks in its own words."""
    message = " ".join(str(answer.get("message", "")).split()) or f"the API server answered {code}"
    details = answer.get("details") or {}
    causes = [cause for cause in details.get("causes") or [] if cause.get("field")]
    if denied := _DENIED.search(message):
        message = f"{denied['why']} (policy {denied['policy']})"
    elif code == HTTPStatus.UNAUTHORIZED:
        message = "the API server does not accept these credentials"
    elif code == HTTPStatus.NOT_FOUND and not details.get("name"):
        message = "the API server does not know GoLive: is the golive chart installed?"
    elif code == HTTPStatus.UNPROCESSABLE_ENTITY and causes:
        message = "; ".join(f"{cause['field']}: {_cause(cause)}" for cause in causes)
    return RefusedError(code, _FORBIDDEN.sub("", message))


def _cause(cause: dict[str, Any]) -> str:
    """Drop the value that the API server puts before the rule's own words."""
    return re.sub(r'^Invalid value: (?:"[^"]*"|\S+): ', "", " ".join(str(cause.get("message", "")).split()))
