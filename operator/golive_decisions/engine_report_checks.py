"""The engine's report of this very look: what it must say whatever preflight is worth."""

from functools import lru_cache

from golive_api.conditions import ConditionType
from golive_api.engine_report import STATUS, EngineReport
from golive_api.reasons import Reason
from golive_decisions.answered import model_of
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection
from golive_decisions.preflight_run import Answer
from golive_decisions.verdicts import UnusableError


def read_report(facts: Facts) -> EngineReport | str:
    """The engine's report, or why there is none."""
    answer = facts.engine.report if facts.engine is not None else None
    return "no trading pod could be asked" if answer is None else _read(answer)


@lru_cache(maxsize=64)  # a look asks for it a dozen times
def _read(answer: Answer) -> EngineReport | str:
    try:
        return model_of(EngineReport, answer)
    except UnusableError as unusable:
        return f"{STATUS}: {unusable}"


def report_unreadable(facts: Facts) -> Objection | None:
    """There is no report, or it is somebody else's. Holds the gate even where preflight is Optional."""
    report, engine, spec = read_report(facts), facts.engine, facts.subject.spec
    reason = Reason.ENGINE_REPORT_UNREADABLE
    if engine is not None and (engine.report is None or engine.report.status is None):
        reason = Reason.ENGINE_UNREACHABLE
    if isinstance(report, str) or engine is None or spec is None:
        message = report if isinstance(report, str) else "no engine"
    elif report.engine != spec.request.engine_ref.name or report.pod != engine.holder or not report.leading:
        message = f"{STATUS} speaks for {report.engine}/{report.pod}, leading={report.leading}"
    elif not report.armed:
        message = "the engine has not reconciled every account with its venue"
    else:
        return None
    return Objection(reason, message, ConditionType.PREFLIGHT_PASSED)


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
