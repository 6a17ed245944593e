"""Tables for a person at a terminal and for a program behind a pipe."""

import os
import pty
import subprocess
import sys
from datetime import timedelta

import pytest

from kubectl_golive.printable import printable
from kubectl_golive.problems import refusal
from kubectl_golive.terminal import age

AGES = {
    0: "0s",
    119: "119s",
    120: "2m",
    125: "2m5s",
    600: "10m",
    10799: "179m",
    10800: "3h",
    28799: "7h59m",
    28800: "8h",
    172799: "47h",
    172800: "2d",
    176400: "2d1h",
    691200: "8d",
    -5: "0s",
}


@pytest.mark.parametrize(("seconds", "text"), AGES.items())
def test_ages_are_spelled_as_kubectl_does(seconds: int, text: str) -> None:
    """The list looks like `kubectl get golive`."""
    assert age(timedelta(seconds=seconds)) == text


DRAW = """
from kubectl_golive.terminal import cell, page, table
page(lambda out: out.print(table(["GATE", "WHY"], [["Open", "\\x1b[2Jall [bold]clear[/bold]"]])))
"""


def drawn(**environment: str) -> str:
    """What a terminal gets."""
    own, other = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    command = [sys.executable, "-P", "-c", DRAW]
    subprocess.run(command, stdout=other, env=clean | {"TERM": "xterm"} | environment, check=True)
    os.close(other)
    try:
        return os.read(own, 65536).decode()
    finally:
        os.close(own)


def test_a_terminal_gets_colour_unless_it_does_not_want_it() -> None:
    """NO_COLOR means no escape sequence at all."""
    assert "\x1b[1;32mOpen" in drawn()
    assert "\x1b" not in drawn(NO_COLOR="1")


def test_a_pipe_gets_plain_text() -> None:
    """No colour, no wrapping, no trailing spaces."""
    done = subprocess.run([sys.executable, "-P", "-c", DRAW], capture_output=True, text=True, check=True)

    assert done.stdout == "GATE   WHY\nOpen   �[2Jall [bold]clear[/bold]\n"


def test_nothing_from_the_cluster_steers_the_terminal() -> None:
    """An annotation can't clear the screen or forge a line."""
    assert printable("a\x1b[2Jb\nc\u202ed") == "a�[2Jb�c�d"


ANSWERS = {
    "a policy speaks in its own words": (
        403,
        {
            "message": 'golives.golive.dev "perps" is forbidden: ValidatingAdmissionPolicy '
            "'golive-identity' with binding 'golive-identity' denied request: four eyes: not yourself"
        },
        "four eyes: not yourself (policy golive-identity)",
    ),
    "missing rights are told without the object's address": (
        403,
        {"message": 'golives.golive.dev "perps" is forbidden: User "x" cannot patch resource "golives"'},
        'User "x" cannot patch resource "golives"',
    ),
    "a rule of the kind speaks in its own words": (
        422,
        {
            "message": "GoLive is invalid",
            "details": {
                "causes": [
                    {"field": "spec.revision", "message": 'Invalid value: "integer": revision must grow by one'}
                ]
            },
        },
        "spec.revision: revision must grow by one",
    ),
    "a server without the kind is told from a missing object": (
        404,
        {"message": "the server could not find the requested resource", "details": {}},
        "the API server does not know GoLive: is the golive chart installed?",
    ),
    "no words at all": (500, {}, "the API server answered 500"),
}


@pytest.mark.parametrize(("code", "answer", "text"), ANSWERS.values(), ids=ANSWERS)
def test_refusals_are_translated(code: int, answer: dict[str, object], text: str) -> None:
    """One line for a person, never a JSON document."""
    assert str(refusal(code, answer)) == text
