"""One run of preflight: what everybody who was asked answered, beside what was asked.

An answer is kept with its question, not with its name: after a policy has changed, the answer to
the old question is no answer to the new one.
"""

from dataclasses import dataclass
from datetime import datetime

from golive_api.policy import Query, Webhook


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to one request."""

    status: int | None
    """HTTP status, None when there was no answer."""
    text: str = ""
    """Body, bounded in size."""
    error: str = ""
    """Why there was no answer."""


UNASKED = Answer(None, error="not asked")
"""Stands where nobody was asked."""


@dataclass(frozen=True, slots=True)
class PreflightRun:
    """The answers of one run."""

    began: datetime
    """The age of every result counts from here."""
    ended: datetime
    """When the last answer was there, or given up."""
    pod: str
    """The trading pod that was asked."""
    digest: str | None
    """What an approval was bound to when it began; a run for anything else does not count."""
    request: str = ""
    """Value of the annotation golive.dev/preflight-requested that it answers."""
    live: Answer = UNASKED
    """GET /health/live."""
    ready: Answer = UNASKED
    """GET /health/ready."""
    metrics: Answer = UNASKED
    """GET /metrics."""
    engine: Answer = UNASKED
    """POST /preflight."""
    scraped: tuple[tuple[str, Answer], ...] = ()
    """Newest samples of the required series, by the Prometheus that was asked."""
    rules: tuple[tuple[str, Answer], ...] = ()
    """Loaded alert rules, by the Prometheus that was asked."""
    dashboards: tuple[tuple[tuple[str, str], Answer], ...] = ()
    """Dashboards, by Grafana's address and the dashboard's uid."""
    webhooks: tuple[tuple[Webhook, Answer], ...] = ()
    """Webhooks of the policies."""
    queries: tuple[tuple[tuple[str, Query], Answer], ...] = ()
    """Queries of the policies, by the Prometheus that was asked and the query."""
