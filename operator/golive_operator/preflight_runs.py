"""Runs of preflight: one at a time for each GoLive, all questions of one at once, the last one kept."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from golive_api.engine_report import HEALTH_LIVE, HEALTH_READY, METRICS
from golive_api.preflight_report import PREFLIGHT
from golive_decisions import series
from golive_decisions.answered import OK
from golive_decisions.preflight_run import Answer, PreflightRun
from golive_decisions.prometheus import Subject
from golive_decisions.terms import Terms
from golive_operator import preflight_questions as ask
from golive_operator.outside import Outside
from golive_operator.preflight_questions import SecretReader
from golive_operator.probing import Prober

ENGINE_SECONDS = 10.0
"""An engine that needs longer for its own findings has none."""

TOKEN_FILE_VARIABLE = "GOLIVE_ENGINE_TOKEN_FILE"  # noqa: S105  # a path
"""Environment variable that names the file with the token that engines verify."""

TOKEN_FILE = "/var/run/secrets/golive.dev/engine/token"  # noqa: S105  # a path
"""Where it is otherwise."""

AT_ONCE = 16
"""Requests of one run that are on their way at the same time."""

RUNS_AT_ONCE = 32
"""Runs that are on their way at the same time; others wait, and begin later."""

Question = TypeVar("Question")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a run is about."""

    namespace: str
    engine: str
    golive: str
    pod: str
    host: str
    port: int
    digest: str | None
    """What an approval is bound to now."""
    request: str = ""
    """Value of the annotation golive.dev/preflight-requested."""


class PreflightRunner:
    """Asks everybody."""

    def __init__(self, prober: Prober, outside: Outside, read_secret: SecretReader) -> None:
        self._prober, self._outside, self._read_secret = prober, outside, read_secret

    async def run(self, target: Target, terms: Terms, began: datetime) -> PreflightRun:
        """Every answer, each within its own time limit."""
        wanted, subject = ask.questions(terms), Subject(target.namespace, target.engine, target.pod)
        turns, outside = asyncio.Semaphore(AT_ONCE), self._outside

        async def each(
            asked: Iterable[Question], answer: Callable[[Question], Awaitable[Answer]]
        ) -> tuple[tuple[Question, Answer], ...]:
            async def one(question: Question) -> tuple[Question, Answer]:
                async with turns:
                    return question, await answer(question)

            return tuple(await asyncio.gather(*map(one, asked)))

        engine, scraped, rules, dashboards, webhooks, queries = await asyncio.gather(
            self._engine(target),
            each(wanted.prometheuses, lambda address: ask.scraped(outside, address, subject)),
            each(wanted.rules, lambda address: ask.rules(outside, address)),
            each(wanted.dashboards, lambda key: ask.dashboard(outside, *key)),
            each(wanted.webhooks, lambda webhook: ask.webhook(outside, webhook, self._read_secret)),
            each(wanted.queries, lambda key: ask.query(outside, *key, subject)),
        )
        live, ready, metrics, findings = engine
        return PreflightRun(
            began=began,
            ended=datetime.now(UTC),
            pod=target.pod,
            digest=target.digest,
            request=target.request,
            live=live,
            ready=ready,
            metrics=_shortened(metrics),
            engine=findings,
            scraped=scraped,
            rules=rules,
            dashboards=dashboards,
            webhooks=webhooks,
            queries=queries,
        )

    async def _engine(self, target: Target) -> tuple[Answer, Answer, Answer, Answer]:
        """What the pod itself answers."""
        pod = (target.host, target.port)
        return await asyncio.gather(
            self._prober.ask(*pod, HEALTH_LIVE),
            self._prober.ask(*pod, HEALTH_READY),
            self._prober.ask(*pod, METRICS),
            self._findings(*pod),
        )

    async def _findings(self, host: str, port: int) -> Answer:
        """What the engine finds with its credentials; its token is read anew, because it is renewed."""
        path = os.environ.get(TOKEN_FILE_VARIABLE) or TOKEN_FILE
        try:
            token = (await asyncio.to_thread(Path(path).read_text)).strip()
        except (OSError, ValueError) as error:
            return Answer(None, error=f"no token to ask the engine with: {error}"[:300])
        if not token:
            return Answer(None, error=f"no token to ask the engine with: {path} is empty")
        headers = {"Authorization": f"Bearer {token}"}
        return await self._prober.ask(
            host, port, PREFLIGHT, method="POST", seconds=ENGINE_SECONDS, headers=headers
        )


def _shortened(metrics: Answer) -> Answer:
    """Only what is judged, of metrics that are some."""
    return replace(metrics, text=series.relevant(metrics.text)) if metrics.status == OK else metrics


class Runs:
    """The last run of each GoLive by its uid, and those that are on their way."""

    def __init__(self, runner: PreflightRunner) -> None:
        self._runner = runner
        self._last: dict[str, PreflightRun] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(RUNS_AT_ONCE)

    def last(self, uid: str) -> PreflightRun | None:
        """The last finished run."""
        return self._last.get(uid)

    def start(self, uid: str, target: Target, terms: Terms, wake: Callable[[], None]) -> bool:
        """Have one run in the background, unless one is under way; `wake` is called at its end."""
        if uid in self._under_way:
            return False
        task = asyncio.create_task(self._run(uid, target, terms, wake))
        self._under_way[uid] = task
        return True

    async def _run(self, uid: str, target: Target, terms: Terms, wake: Callable[[], None]) -> None:
        began = datetime.now(UTC)
        try:
            async with self._turns:
                began = datetime.now(UTC)
                self._last[uid] = await self._runner.run(target, terms, began)
        except Exception:  # noqa: BLE001  # a defect must not let an older run count on, nor repeat at once
            _log.exception("preflight of %s/%s broke", target.namespace, target.golive)
            self._last[uid] = PreflightRun(began, datetime.now(UTC), target.pod, target.digest, target.request)
        finally:
            self._under_way.pop(uid, None)
            wake()

    def forget(self, uid: str) -> None:
        """Drop what is known of an object that is gone."""
        if task := self._under_way.pop(uid, None):
            task.cancel()
        self._last.pop(uid, None)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
