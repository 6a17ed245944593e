"""What preflight asks of whom: each question of the terms once, with its time limit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from golive_api.policy import Query, Webhook
from golive_decisions import prometheus, series
from golive_decisions.preflight_run import Answer
from golive_decisions.terms import Terms
from golive_decisions.verdicts import UnusableError
from golive_operator.outside import Outside

SecretReader = Callable[[str], Awaitable[str | None]]
"""Reads key `token` of a Secret in the operator's namespace; None where it is missing or can't be read."""


async def webhook(outside: Outside, asked: Webhook, read_secret: SecretReader) -> Answer:
    """What the address of a policy answers."""
    token = ""
    if asked.secret_name is not None:
        found = await read_secret(asked.secret_name)
        if not found or not found.strip():
            return Answer(None, error=f"Secret {asked.secret_name} has no key `token` that can be read")
        token = found.strip()
    return await outside.ask(
        asked.url, seconds=asked.time_limit_seconds, token=token, bundle=asked.ca_bundle, https_only=True
    )


async def scraped(outside: Outside, address: str, subject: prometheus.Subject) -> Answer:
    """The newest samples of the required series."""
    return await _query(outside, address, series.scraped_query, subject)


async def query(outside: Outside, address: str, asked: Query, subject: prometheus.Subject) -> Answer:
    """What a query of a policy answers; Prometheus looks back no further than its samples may be old."""
    lookback = {"lookback_delta": f"{asked.max_age_seconds}s"}
    return await _query(outside, address, lambda about: about.fill(asked.query), subject, lookback)


async def _query(
    outside: Outside,
    address: str,
    text: Callable[[prometheus.Subject], str],
    subject: prometheus.Subject,
    options: dict[str, str] | None = None,
) -> Answer:
    """An instant query at Prometheus' own time: what it answers with is compared with ours."""
    try:
        params = {"query": text(subject), **(options or {})}
    except UnusableError as unusable:
        return Answer(None, error=str(unusable))
    return await outside.ask(f"{address.rstrip('/')}/api/v1/query", params=params)


async def rules(outside: Outside, address: str) -> Answer:
    """Every loaded alert rule, without its present alerts."""
    params = {"type": "alert", "exclude_alerts": "true"}
    return await outside.ask(f"{address.rstrip('/')}/api/v1/rules", params=params)


async def dashboard(outside: Outside, address: str, uid: str) -> Answer:
    """The dashboard, if Grafana has it and shows it to anybody."""
    return await outside.ask(f"{address.rstrip('/')}/api/dashboards/uid/{quote(uid, safe='')}")


@dataclass(frozen=True, slots=True)
class Questions:
    """Whom the terms want asked, each once."""

    prometheuses: tuple[str, ...]
    rules: tuple[str, ...]
    """Prometheuses whose alert rules matter."""
    dashboards: tuple[tuple[str, str], ...]
    webhooks: tuple[Webhook, ...]
    queries: tuple[tuple[str, Query], ...]


def questions(terms: Terms) -> Questions:
    """Whom the terms want asked."""
    named = terms.checks.observability
    addresses = tuple(dict.fromkeys(each.prometheus_url for each in named if each.prometheus_url))
    return Questions(
        prometheuses=addresses,
        rules=tuple(
            dict.fromkeys(each.prometheus_url for each in named if each.prometheus_url and each.alert_rules)
        ),
        dashboards=tuple(
            dict.fromkeys((each.grafana_url, each.dashboard_uid) for each in named if each.grafana_url)
        ),
        webhooks=tuple(dict.fromkeys(terms.checks.webhooks)),
        queries=tuple(
            (address, query) for query in dict.fromkeys(terms.checks.queries) for address in addresses
        ),
    )
