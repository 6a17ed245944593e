"""What the engine answers, judged: each check names the answer that it reads."""

import re
from collections.abc import Callable

from pydantic import ValidationError

from golive_api.conditions import ConditionType
from golive_api.engine_report import HEALTH_LIVE, HEALTH_READY, METRICS, REQUIRED_SERIES, STATUS, EngineReport
from golive_api.golive import Requirement
from golive_api.reasons import Reason
from golive_decisions.facts import Answer, Facts, Preflight
from golive_decisions.objections import Objection

Check = Callable[[Facts], Objection | None]
"""Looks at the facts and returns an objection, or None."""

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)", re.MULTILINE)
_SUFFIXES = ("_bucket", "_count", "_sum")


def _objection(facts: Facts, reason: Reason, message: str) -> Objection:
    spec = facts.subject.spec
    optional = spec is not None and spec.request.preflight.requirement is Requirement.OPTIONAL
    return Objection(reason, message, ConditionType.PREFLIGHT_PASSED, optional=optional)


def _answers(facts: Facts) -> Preflight | None:
    return facts.engine.preflight if facts.engine is not None else None


def _not_ok(facts: Facts, answer: Answer, path: str, reason: Reason) -> Objection | None:
    if answer.status is None:
        return _objection(facts, Reason.ENGINE_UNREACHABLE, f"{path}: {answer.error or 'no answer'}")
    if answer.status != 200:  # noqa: PLR2004  # the one HTTP status that means healthy
        first = answer.text.strip().splitlines()[0][:200] if answer.text.strip() else "no text"
        return _objection(facts, reason, f"{path} answered {answer.status}: {first}")
    return None


def health_live_failed(facts: Facts) -> Objection | None:
    """The engine's cycle makes no progress."""
    answers = _answers(facts)
    if answers is None:
        return _objection(facts, Reason.ENGINE_UNREACHABLE, "no trading pod could be asked")
    return _not_ok(facts, answers.live, HEALTH_LIVE, Reason.HEALTH_LIVE_FAILED)


def health_ready_failed(facts: Facts) -> Objection | None:
    """The engine has not reconciled with its venues."""
    answers = _answers(facts)
    if answers is None:
        return _objection(facts, Reason.ENGINE_UNREACHABLE, "no trading pod could be asked")
    return _not_ok(facts, answers.ready, HEALTH_READY, Reason.HEALTH_READY_FAILED)


def metrics_missing(facts: Facts) -> Objection | None:
    """Series without which trading can't be watched are absent."""
    answers = _answers(facts)
    if answers is None:
        return _objection(facts, Reason.ENGINE_UNREACHABLE, "no trading pod could be asked")
    broken = _not_ok(facts, answers.metrics, METRICS, Reason.METRICS_MISSING)
    if broken:
        return broken
    names = set(_SAMPLE.findall(answers.metrics.text))
    missing = [
        series for series in REQUIRED_SERIES if not names & {series, *(series + suffix for suffix in _SUFFIXES)}
    ]
    return _objection(facts, Reason.METRICS_MISSING, f"missing: {', '.join(missing)}") if missing else None


def read_report(facts: Facts) -> EngineReport | str:
    """The engine's report, or why there is none."""
    answers = _answers(facts)
    if answers is None:
        return "no trading pod could be asked"
    if answers.report.status != 200:  # noqa: PLR2004  # the one HTTP status that carries a report
        return f"{STATUS}: {answers.report.error or answers.report.status}"
    try:
        return EngineReport.model_validate_json(answers.report.text)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{STATUS}: {'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"


def report_unreadable(facts: Facts) -> Objection | None:
    """There is no report, or it is somebody else's. Holds the gate even where preflight is Optional."""
    report, engine, spec = read_report(facts), facts.engine, facts.subject.spec
    if isinstance(report, str) or engine is None or spec is None:
        message = report if isinstance(report, str) else "no engine"
    elif report.engine != spec.request.engine_ref.name or report.pod != engine.holder or not report.leading:
        message = f"{STATUS} speaks for {report.engine}/{report.pod}, leading={report.leading}"
    elif not report.armed:
        message = "the engine has not reconciled every account with its venue"
    else:
        return None
    return Objection(Reason.ENGINE_REPORT_UNREADABLE, message, ConditionType.PREFLIGHT_PASSED)


def account_not_traded(facts: Facts) -> Objection | None:
    """The request names an account that the engine does not trade, or does not know where it stands."""
    report, spec = read_report(facts), facts.subject.spec
    if isinstance(report, str) or spec is None:
        return report_unreadable(facts)
    production = [account for account in report.accounts if account.environment == "production"]
    known = {account.name for account in production if account.reconciled}
    missing = [name for name in spec.request.accounts if name not in known]
    if not missing:
        return None
    has = ", ".join(sorted(known)) or "none"
    message = f"the engine has no reconciled production account {', '.join(missing)} (it has: {has})"
    return Objection(Reason.ACCOUNT_NOT_TRADED, message, ConditionType.PREFLIGHT_PASSED)


def config_stale(facts: Facts) -> Objection | None:
    """The engine loaded other configuration than what is mounted, and so approved, now."""
    report, engine = read_report(facts), facts.engine
    if isinstance(report, str) or engine is None:
        return report_unreadable(facts)
    if report.config_digests and engine.config_digests.issuperset(report.config_digests):
        return None
    return Objection(
        Reason.ENGINE_CONFIG_STALE,
        "the engine was started with other configuration than the mounted one: restart it",
        ConditionType.PREFLIGHT_PASSED,
    )


def preflight_stale(facts: Facts) -> Objection | None:
    """The answers are older than the request accepts."""
    answers, spec = _answers(facts), facts.subject.spec
    if answers is None or spec is None:
        return _objection(facts, Reason.ENGINE_UNREACHABLE, "no trading pod could be asked")
    age_seconds = (facts.read_time - answers.read_time).total_seconds()
    if abs(age_seconds) <= spec.request.preflight.max_age_seconds:
        return None
    return _objection(facts, Reason.PREFLIGHT_STALE, f"answers are {age_seconds:.0f} s old")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("health-live", health_live_failed),  # an engine that hangs answers nothing else either
    ("health-ready", health_ready_failed),  # reconciled with the venues
    ("metrics", metrics_missing),  # what can't be watched must not trade
    ("report", report_unreadable),  # everything after it reads the report
    ("configuration", config_stale),  # running configuration is the approved one
    ("accounts", account_not_traded),  # a typing error here would open a gate for nobody
    ("freshness", preflight_stale),  # last: it speaks of all the others
)
"""Preflight, in the order in which it is shown."""
