"""What holds of any windows: an oracle that walks minute by minute agrees, and more rules never open more."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golive_api.golive import GateState, WindowStatus
from golive_api.policy import Effect, Window
from golive_api.values import parse_time
from golive_decisions.windows import WindowUnreadableError, judge, until_next

Windows = tuple[tuple[Window, ...], ...]

MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
LOOKED = 6 * 24 * 60
"""Minutes that the oracle walks from now on."""

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Enough to find most planted defects, in seconds; the tables hold the rest."""

CLOCKS = {
    "UTC": "2026-12-29T12:00",  # the year's end
    "Asia/Kolkata": "2028-02-27T12:00",  # a leap day
    "Europe/Berlin": "2026-03-27T12:00",  # an hour is skipped
    "America/New_York": "2026-10-30T12:00",  # an hour comes twice
    "Australia/Lord_Howe": "2026-10-02T12:00",  # half an hour is skipped
    "Africa/Cairo": "2026-04-22T12:00",  # midnight is skipped
    "Pacific/Apia": "2011-12-28T12:00",  # a whole day is skipped
}
"""Zones, and where their clocks do something."""

RECURRENCES = (
    "",
    "FREQ=HOURLY;INTERVAL=5",
    "FREQ=HOURLY;BYDAY=SA,SU;COUNT=30",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=2;COUNT=2",
    "FREQ=DAILY;BYHOUR=0,2,23;BYMINUTE=0,30",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,FR",
    "FREQ=MONTHLY;BYMONTHDAY=1,-1",
    "FREQ=MONTHLY;BYDAY=-1SA,1SU,-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
    "FREQ=YEARLY",
)


@st.composite
def windows_of(draw: st.DrawFn, zone: str) -> Window:
    """A window that begins a few days before or after something happens to that zone's clocks."""
    hour = draw(st.sampled_from([0, 1, 1, 2, 2, 3, 9, 22]))
    day = datetime.fromisoformat(CLOCKS[zone]).replace(hour=hour) + draw(st.integers(-4, 4)) * timedelta(days=1)
    start = day + draw(st.sampled_from([0, 0, 15, 30, 59])) * MINUTE
    minutes = draw(st.sampled_from([1, 30, 60, 8 * 60, 24 * 60, 25 * 60, 3 * 24 * 60]) | st.integers(1, 3000))
    return Window(
        name=f"w{draw(st.integers(0, 9))}",
        effect=draw(st.sampled_from(Effect)),
        start=f"{start:%Y-%m-%dT%H:%M:%S}",
        duration_seconds=minutes * 60,
        time_zone=zone,
        recurrence=draw(st.sampled_from(RECURRENCES)),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Windows, Window, datetime]:
    """Up to three policies, one more window, and a minute to ask at."""
    zone = draw(st.sampled_from(sorted(CLOCKS)))
    several = st.lists(windows_of(zone), min_size=1, max_size=3).map(tuple)
    now = datetime.fromisoformat(CLOCKS[zone]).replace(tzinfo=UTC) + draw(st.integers(-4000, 4000)) * MINUTE
    return tuple(draw(st.lists(several, max_size=3))), draw(windows_of(zone)), now


@cache
def shown(zone: str) -> tuple[dict[datetime, datetime], list[datetime]]:
    """The first minute at which a zone's clocks show each local minute, and all those minutes in order."""
    begin = datetime.fromisoformat(CLOCKS[zone]).replace(tzinfo=UTC) - timedelta(days=30)
    first: dict[datetime, datetime] = {}
    for minute in range(60 * 24 * 60):
        moment = begin + minute * MINUTE
        first.setdefault(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None), moment)
    return first, sorted(first)


def instant(local: datetime, zone: str) -> datetime:
    """When clocks first show it; one that they never show lies as far behind the last that they do."""
    first, in_order = shown(zone)
    last = in_order[bisect_left(in_order, local + TICK) - 1]
    return first[last] + (local - last)


def covered(window: Window, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Beginnings and ends, from dateutil's local times."""
    start, length = datetime.fromisoformat(window.start), timedelta(seconds=window.duration_seconds)
    rule = rrulestr(window.recurrence or "FREQ=DAILY;COUNT=1", dtstart=start)
    limit = until.replace(tzinfo=None) + timedelta(days=3)
    begins = (instant(local, window.time_zone) for local in takewhile(lambda local: local <= limit, rule))
    return [(begin, begin + length) for begin in begins if begin + length > since]


def oracle(windows: Windows, now: datetime) -> Iterator[bool]:
    """Whether the gate may be open, for each minute from now on."""
    until = now + LOOKED * MINUTE
    policies = [[(each.effect, covered(each, now, until)) for each in policy] for policy in windows]
    for minute in range(LOOKED):
        moment = now + minute * MINUTE
        inside = [
            {effect for effect, spans in policy if any(begin <= moment < end for begin, end in spans)}
            for policy in policies
        ]
        yield all(
            Effect.DENY not in here
            and (Effect.ALLOW in here or all(effect is Effect.DENY for effect, _ in policy))
            for here, policy in zip(inside, policies, strict=True)
        )


def next_change(status: WindowStatus) -> datetime | None:
    """The one change that status foretells."""
    text = status.next_close if status.state is GateState.OPEN else status.next_open
    return parse_time(text) if text else None


def is_open(windows: Windows, now: datetime) -> bool:
    """The verdict alone."""
    return judge(windows, now).state is GateState.OPEN


@SLOW
@given(situations())
def test_verdict_and_next_change_are_those_of_a_walk_minute_by_minute(
    situation: tuple[Windows, Window, datetime],
) -> None:
    """The walk asks each clock what it shows, and knows nothing of offsets."""
    windows, _, now = situation
    walk = oracle(windows, now)
    first = next(walk)
    changed = next((now + number * MINUTE for number, here in enumerate(walk, start=1) if here != first), None)
    status = judge(windows, now)
    foretold = next_change(status)
    assert (status.state is GateState.OPEN) == first
    assert changed == (None if foretold is None or foretold >= now + LOOKED * MINUTE else foretold)


@SLOW
@given(situations(), st.floats(0, 1, exclude_max=True))
def test_a_foretold_change_is_one_and_nothing_changes_before(
    situation: tuple[Windows, Window, datetime], share: float
) -> None:
    """Asked at the change, a tick before it, and anywhere in between."""
    windows, _, now = situation
    status = judge(windows, now)
    change = next_change(status)
    assert None in (status.next_open, status.next_close)
    if change is None:
        return
    assert change > now
    assert judge(windows, change).state is not status.state
    for moment in (change - TICK, now + share * (change - now - TICK)):
        assert judge(windows, moment).state is status.state
        assert next_change(judge(windows, moment)) == change
    assert until_next(status, now) == (change - now).total_seconds()


@SLOW
@given(situations(), st.integers(0, 2), st.integers(0, 3))
def test_a_deny_window_never_opens_anything(
    situation: tuple[Windows, Window, datetime], policy: int, place: int
) -> None:
    """Wherever it is added, also as the only window of a policy."""
    windows, extra, now = situation
    denying = extra.model_copy(update={"effect": Effect.DENY})
    existing = windows[policy] if policy < len(windows) else ()
    changed = (*existing[:place], denying, *existing[place:])
    more = (*windows[:policy], changed, *windows[policy + 1 :])
    assert is_open(windows, now) or not is_open(more, now)


@SLOW
@given(situations(), st.integers(0, 3))
def test_another_policy_never_opens_anything(situation: tuple[Windows, Window, datetime], place: int) -> None:
    """The strictest wins, whatever the order."""
    windows, extra, now = situation
    more = (*windows[:place], (extra,), *windows[place:])
    assert is_open(more, now) == (is_open(windows, now) and is_open(((extra,),), now))


FREQUENCIES = "YEARLY MONTHLY WEEKLY DAILY HOURLY"
PARTS = (
    "FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYHOUR BYMINUTE BYSECOND "
    "BYSETPOS BYEASTER X"
)
VALUES = (
    "0 1 2 5 24 29 30 31 53 59 60 366 99999 100000 -1 -5 -366 +1 5,-5 0,6,12,18 MO FR,SU -1FR 53MO SECONDLY "
    "20270101T000000Z 20260704T120000 20260704 00000000T000000 : , + --1 "
)


@st.composite
def any_window(draw: st.DrawFn) -> Window:
    """Anything that the kind's schema lets pass."""
    values = st.sampled_from([*VALUES.split(), *FREQUENCIES.split()])
    pairs = draw(st.lists(st.tuples(st.sampled_from(PARTS.split()), values), max_size=6))
    often = draw(st.sampled_from(["", *FREQUENCIES.split()]))
    parts = [*([f"FREQ={often}"] if often else []), *(f"{part}={value}" for part, value in pairs)]
    start: Any = draw(st.from_regex(r"\A(19|20|2[0-9])\d{2}-(0[1-9]|1[0-2])-[0-3]\d", fullmatch=True))
    return Window(
        name="odd",
        effect=draw(st.sampled_from(Effect)),
        start=f"{start[-10:]}T{draw(st.integers(0, 25)):02}:00:00",
        duration_seconds=draw(st.sampled_from([60, 3600, 86_400, 31_622_400])),
        time_zone=draw(
            st.sampled_from(["UTC", "Europe/Berlin", "Europe", "/etc/localtime", "+", "a//b", "Etc/GMT+12"])
        ),
        recurrence=";".join(parts),
    )


@settings(SLOW, max_examples=1000)
@given(any_window(), st.integers(0, 3000))
def test_anything_that_can_be_written_is_judged_or_refused_quickly(odd: Window, days: int) -> None:
    """Nothing else is raised, and nothing hangs."""
    began = time.thread_time()
    try:
        judge(((odd,),), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days))
    except WindowUnreadableError as error:
        assert str(error).startswith("window odd: ")  # noqa: PT017 (both outcomes are right)
    assert time.thread_time() - began < 5
