"""Having preflight run at once, and what a script gets to know."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.values import render_time


def check(name: str, result: str = "Passed", reason: str = "PreflightPassed", **more: Any) -> dict[str, Any]:
    """One check's result."""
    seen = {"checkedTime": render_time(datetime.now(UTC)), "message": "seen"}
    return {"name": name, "result": result, "reason": reason} | seen | more


GOOD = check("check_health_endpoints", message="200 in 3 ms", values={"liveMilliseconds": "3"})
BAD = check("check_database_redis", "Failed", "DatabaseFailed", message="write: read only")
ERROR = check("check_observability", "Error", "CheckError", message="no answer")

CASES = {
    "all passed": ([GOOD], 0),
    "one failed": ([GOOD, BAD], 2),
    "one could not be tried": ([GOOD, ERROR], 2),
    "no checks at all": ([], 2),
}


@pytest.mark.parametrize(("checks", "code"), CASES.values(), ids=CASES)
def test_only_checks_that_all_passed_exit_with_0(
    desk: Any, preflight: Any, checks: list[dict[str, Any]], code: int
) -> None:
    """An error is no pass, and neither is nothing."""
    desk.request()
    preflight(checks)

    text, data = desk.run("preflight", "perps"), desk.run("preflight", "perps", "-o", "json")

    assert (text.returncode, data.returncode) == (code, code)
    told = json.loads(data.stdout)
    assert (told["answered"], told["passed"]) == (True, code == 0)
    assert [each["name"] for each in told["checks"]] == [each["name"] for each in checks]


def test_each_run_is_asked_for_anew_and_answered_by_its_own_value(desk: Any, preflight: Any) -> None:
    """An old result is never taken for the answer."""
    desk.request()
    answers = preflight([GOOD])

    for _ in range(3):
        assert desk.run("preflight", "perps").returncode == 0

    assert len(set(answers.answered)) == 3


def test_the_table_has_result_reason_age_message_and_values(desk: Any, preflight: Any) -> None:
    """What a person needs to put it right."""
    desk.request()
    preflight(
        [GOOD, BAD], [{"item": "on-call", "state": "Missing", "required": "Required", "message": "nobody"}]
    )

    lines = [line.split() for line in desk.run("preflight", "perps").stdout.splitlines()]

    assert ["CHECK", "RESULT", "REASON", "AGE", "SEEN"] in lines
    good = next(line for line in lines if line[:1] == ["check_health_endpoints"])
    assert (good[1:3], good[4:]) == (
        ["Passed", "PreflightPassed"],
        ["200", "in", "3", "ms", "(liveMilliseconds", "3)"],
    )
    assert ["check_database_redis", "Failed", "DatabaseFailed"] in [line[:3] for line in lines]
    assert ["Checklist:", "0", "of", "1", "required", "items", "hold"] in lines
    assert ["on-call", "Missing"] in [line[:2] for line in lines]


def test_no_answer_is_unknown_and_says_what_the_operator_said_last(desk: Any) -> None:
    """Exit code 3, and an old result is not shown as if it were new."""
    desk.request()
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "EngineMissing",
        "message": "no Deployment perps-engine",
        "lastTransitionTime": render_time(datetime.now(UTC)),
    }
    old = {
        "checks": [GOOD],
        "runTime": render_time(datetime.now(UTC) - timedelta(minutes=1)),
        "requestSeen": "old",
    }
    desk.decide(conditions=[ready], preflight=old)

    done = desk.run("preflight", "perps", "--timeout", "0.3")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: no result of preflight within 0 s; the operator last said "
        "EngineMissing: no Deployment perps-engine\n"
    )


def test_without_waiting_it_is_only_asked_for(desk: Any) -> None:
    """And no approval is voided by that: the generation stays."""
    before = desk.request()["metadata"]["generation"]

    done = desk.run("preflight", "perps", "--no-wait")

    assert done.returncode == 0, done.stderr
    metadata = desk.read()["metadata"]
    assert metadata["annotations"]["golive.dev/preflight-requested"]
    assert metadata["generation"] == before
