"""Vouching for items of the checklist, judged by the real API server and the chart's policies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.values import parse_time, render_time

ITEMS = [
    {"item": "services-healthy", "state": "Passed", "required": "Required", "message": "200 in 3 ms"},
    {
        "item": "runbooks-available",
        "state": "Missing",
        "required": "Required",
        "message": "nobody vouches for it",
    },
    {"item": "on-call", "state": "Missing", "required": "Optional"},
]


@pytest.fixture
def requested(desk: Any) -> Any:
    """Give a namespace with a request whose checklist the operator has looked at."""
    desk.grant("officer", "golive-attester")
    desk.request()
    desk.decide(preflight={"checklist": ITEMS})
    return desk


def words(desk: Any) -> list[dict[str, Any]]:
    """What people vouch for."""
    said: list[dict[str, Any]] = desk.read()["spec"].get("attestations") or []
    return said


def test_an_attestation_carries_name_object_time_and_comment(requested: Any) -> None:
    """The time is now, in UTC."""
    before = datetime.now(UTC)

    done = requested.run("attest", "perps", "runbooks-available", "--comment", "read them", user="officer")

    assert done.returncode == 0, done.stderr
    (word,) = words(requested)
    assert timedelta(0) <= parse_time(word.pop("time")) - before < timedelta(seconds=30)
    assert word == {
        "item": "runbooks-available",
        "user": "officer",
        "uid": requested.read()["metadata"]["uid"],
        "comment": "read them",
    }
    assert done.stdout.splitlines() == [
        "perps: officer vouches for runbooks-available",
        "  Runbooks exist for emergency stop, exchange outage and model failure",
    ]


SPANS = {"90s": 90, "30m": 1800, "12h": 43_200, "7d": 604_800}


@pytest.mark.parametrize(("span", "seconds"), SPANS.items())
def test_a_span_says_when_a_word_lapses(requested: Any, span: str, seconds: int) -> None:
    """Counted from now."""
    done = requested.run("attest", "perps", "on-call", "--for", span, user="officer")

    assert done.returncode == 0, done.stderr
    (word,) = words(requested)
    assert parse_time(word["lapseTime"]) - parse_time(word["time"]) == timedelta(seconds=seconds)


@pytest.mark.parametrize("span", ["7", "d", "-1d", "1.5h", "1w", "7days"])
def test_what_is_no_span_is_refused(requested: Any, span: str) -> None:
    """Nothing is guessed, and nothing written."""
    done = requested.run("attest", "perps", "on-call", f"--for={span}", user="officer")

    assert done.returncode == 1
    assert done.stderr == f"error: --for {span} is no span: give a number and s, m, h or d, as 7d\n"
    assert not words(requested)


def test_vouching_anew_takes_the_place_of_an_older_word_and_leaves_the_others(requested: Any) -> None:
    """An item has one word."""
    requested.grant("anna", "golive-attester")
    for user, item in (("officer", "on-call"), ("officer", "runbooks-available"), ("anna", "on-call")):
        assert requested.run("attest", "perps", item, user=user).returncode == 0

    assert {word["item"]: word["user"] for word in words(requested)} == {
        "on-call": "anna",
        "runbooks-available": "officer",
    }


def test_the_list_says_who_vouches_until_when_and_what_is_missing(requested: Any) -> None:
    """An item lapses by its own time or the policy's, whichever is earlier."""
    policy = requested.bound(checklist={"attestationTtlSeconds": 86_400})
    requested.run("attest", "perps", "on-call", user="officer")
    attested = ITEMS[2] | {"state": "Attested", "by": "officer"}
    requested.decide(policies=[policy], preflight={"checklist": [*ITEMS[:2], attested]})

    done = requested.run("attest", "perps", "--list", user="officer")

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["ITEM", "STATE", "REQUIRED", "BY", "LAPSES", "WHAT"]
    assert lines[1][:3] == ["services-healthy", "Passed", "yes"]
    assert lines[2][:3] == ["runbooks-available", "Missing", "yes"]
    assert lines[3][:6] == ["on-call", "Attested", "no", "officer", "in", "23h"]


def test_a_word_can_be_withdrawn(requested: Any) -> None:
    """What it held up falls."""
    requested.run("attest", "perps", "on-call", user="officer")

    done = requested.run("attest", "perps", "--withdraw", "on-call", user="officer")

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "perps: the word of officer for on-call is withdrawn; if it is required, the gate shuts\n"
    )
    assert not words(requested)


REFUSALS = {
    "an item that does not exist": (
        ["attest", "perps", "runbook"],
        "officer",
        "the checklist has no item runbook: see kubectl golive attest perps --list",
    ),
    "somebody without the verb": (
        ["attest", "perps", "on-call"],
        "trader",
        (
            "trader lacks the verb attest on golives in namespace NAMESPACE: "
            "an administrator can bind the role golive-attester"
        ),
    ),
    "withdrawing nothing": (
        ["attest", "perps", "--withdraw", "on-call"],
        "officer",
        "nobody vouches for on-call of perps: nothing to withdraw",
    ),
}


@pytest.mark.parametrize(("arguments", "user", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_are_one_clear_line(requested: Any, arguments: list[str], user: str, message: str) -> None:
    """Nothing is written, and stderr says why."""
    done = requested.run(*arguments, user=user)

    assert done.returncode == 1
    assert done.stderr == f"error: {message.replace('NAMESPACE', requested.namespace)}\n"
    assert not words(requested)


def test_of_a_measured_item_it_is_said_that_a_word_may_not_count(requested: Any) -> None:
    """A machine is there for it."""
    done = requested.run("attest", "perps", "services-healthy", user="officer")

    assert done.returncode == 0
    assert done.stderr.startswith("note: services-healthy is measured (check_health_endpoints): ")


def test_a_word_for_another_object_of_the_name_is_not_added(requested: Any) -> None:
    """The API server holds the word to the object that was read."""
    change = {
        "spec": {
            "attestations": [
                {"item": "on-call", "user": "officer", "uid": "another", "time": render_time(datetime.now(UTC))}
            ]
        }
    }
    with pytest.raises(Exception, match="an attestation must name this object"):
        requested.edit(change, user="officer")
