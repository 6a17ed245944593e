"""When the policies' windows let a gate open: by zone, by calendar, by effect, to the microsecond."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from golive_api.golive import GateState, WindowStatus
from golive_api.policy import ActivationPolicySpec, Effect, Window
from golive_api.values import parse_time
from golive_decisions.windows import WindowUnreadableError, judge, until_next

Windows = tuple[tuple[Window, ...], ...]

TICK = timedelta(microseconds=1)


def window(
    start: str,
    minutes: int,
    recurrence: str = "",
    zone: str = "UTC",
    effect: Effect = Effect.ALLOW,
    name: str = "office-hours",
) -> Window:
    """A window as an administrator writes it; start to the minute."""
    return Window(
        name=name,
        effect=effect,
        start=f"{start}:00",
        duration_seconds=minutes * 60,
        time_zone=zone,
        recurrence=recurrence,
    )


def deny(start: str, minutes: int, recurrence: str = "", zone: str = "UTC", name: str = "freeze") -> Window:
    """A window in which nothing may be open."""
    return window(start, minutes, recurrence, zone, Effect.DENY, name)


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changes(windows: Windows, since: datetime, until: datetime) -> Iterator[str]:
    """Each change of the verdict, as the verdict before it foretells."""
    now = since
    while (change := next_change(judge(windows, now))) and (now := parse_time(change)) < until:
        yield f"{now:%m-%d %H:%M}"


def next_change(status: WindowStatus) -> str | None:
    """The one change that status foretells; never both."""
    assert None in (status.next_open, status.next_close)
    return status.next_close if status.state is GateState.OPEN else status.next_open


BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"

CLOCKS: dict[str, tuple[Window, str, str]] = {
    "Berlin, nine o'clock over the spring of 2026": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", BERLIN),
        "2026-03-28",
        "03-28 08:00, 03-28 09:00, 03-29 07:00, 03-29 08:00, 03-30 07:00, 03-30 08:00",
    ),
    "Berlin, nine o'clock over the autumn of 2026": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", BERLIN),
        "2026-10-24",
        "10-24 07:00, 10-24 08:00, 10-25 08:00, 10-25 09:00, 10-26 08:00, 10-26 09:00",
    ),
    "Berlin, nine o'clock over the spring of 2027": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", BERLIN),
        "2027-03-27",
        "03-27 08:00, 03-27 09:00, 03-28 07:00, 03-28 08:00, 03-29 07:00, 03-29 08:00",
    ),
    "Berlin, nine o'clock over the autumn of 2027": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", BERLIN),
        "2027-10-30",
        "10-30 07:00, 10-30 08:00, 10-31 08:00, 10-31 09:00, 11-01 08:00, 11-01 09:00",
    ),
    "Berlin, half past two, which the spring's clocks skip": (
        window("2026-01-05T02:30", 60, "FREQ=DAILY", BERLIN),
        "2026-03-28",
        "03-28 01:30, 03-28 02:30, 03-29 01:30, 03-29 02:30, 03-30 00:30, 03-30 01:30",
    ),
    "Berlin, half past two, which the autumn's clocks show twice": (
        window("2026-01-05T02:30", 60, "FREQ=DAILY", BERLIN),
        "2026-10-24",
        "10-24 00:30, 10-24 01:30, 10-25 00:30, 10-25 01:30, 10-26 01:30, 10-26 02:30",
    ),
    "Berlin, eight hours of the night in which clocks go forward end an hour later by the clock": (
        window("2026-01-05T22:00", 8 * 60, "FREQ=DAILY", BERLIN),
        "2026-03-28T12:00",
        "03-28 21:00, 03-29 05:00, 03-29 20:00, 03-30 04:00, 03-30 20:00, 03-31 04:00",
    ),
    "Berlin, eight hours of the night in which clocks go back end an hour earlier by the clock": (
        window("2026-01-05T22:00", 8 * 60, "FREQ=DAILY", BERLIN),
        "2026-10-24T12:00",
        "10-24 20:00, 10-25 04:00, 10-25 21:00, 10-26 05:00, 10-26 21:00, 10-27 05:00",
    ),
    "Berlin, whole days leave a gap on the day that has 25 hours": (
        window("2026-01-05T00:00", 24 * 60, "FREQ=DAILY", BERLIN),
        "2026-10-24",
        "10-25 22:00, 10-25 23:00",
    ),
    "Berlin, whole days of 25 hours leave none": (
        window("2026-01-05T00:00", 25 * 60, "FREQ=DAILY", BERLIN),
        "2026-10-24",
        "",
    ),
    "Berlin, every hour, of which the autumn has one that starts nothing": (
        window("2026-01-05T00:00", 60, "FREQ=HOURLY", BERLIN),
        "2026-10-24",
        "10-25 01:00, 10-25 02:00",
    ),
    "Berlin, until seven in UTC, which is nine in summer": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY;UNTIL=20260602T070000Z", BERLIN),
        "2026-06-01",
        "06-01 07:00, 06-01 08:00, 06-02 07:00, 06-02 08:00",
    ),
    "Berlin, until a second before": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY;UNTIL=20260602T065959Z", BERLIN),
        "2026-06-01",
        "06-01 07:00, 06-01 08:00",
    ),
    "Berlin, until seven by its own clocks": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY;UNTIL=20260602T070000", BERLIN),
        "2026-06-01",
        "06-01 07:00, 06-01 08:00",
    ),
    "New York, nine o'clock over the spring of 2026": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", NEW_YORK),
        "2026-03-07",
        "03-07 14:00, 03-07 15:00, 03-08 13:00, 03-08 14:00, 03-09 13:00, 03-09 14:00",
    ),
    "New York, nine o'clock over the autumn of 2026": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", NEW_YORK),
        "2026-10-31",
        "10-31 13:00, 10-31 14:00, 11-01 14:00, 11-01 15:00, 11-02 14:00, 11-02 15:00",
    ),
    "New York, half past two, which the spring's clocks skip": (
        window("2026-03-08T02:30", 60, "", NEW_YORK),
        "2026-03-07",
        "03-08 07:30, 03-08 08:30",
    ),
    "New York, half past one, which the autumn's clocks show twice": (
        window("2026-11-01T01:30", 60, "", NEW_YORK),
        "2026-10-31",
        "11-01 05:30, 11-01 06:30",
    ),
    "Lord Howe, nine o'clock while clocks go half an hour back": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", LORD_HOWE),
        "2026-04-03T12:00",
        "04-03 22:00, 04-03 23:00, 04-04 22:30, 04-04 23:30, 04-05 22:30, 04-05 23:30",
    ),
    "Lord Howe, nine o'clock while clocks go half an hour forward": (
        window("2026-01-05T09:00", 60, "FREQ=DAILY", LORD_HOWE),
        "2026-10-02T12:00",
        "10-02 22:30, 10-02 23:30, 10-03 22:00, 10-03 23:00, 10-04 22:00, 10-04 23:00",
    ),
    "Lord Howe, a quarter to two, which clocks show twice": (
        window("2026-04-05T01:45", 60, "", LORD_HOWE),
        "2026-04-03",
        "04-04 14:45, 04-04 15:45",
    ),
    "Lord Howe, a quarter past two, which clocks skip": (
        window("2026-10-04T02:15", 60, "", LORD_HOWE),
        "2026-10-02",
        "10-03 15:45, 10-03 16:45",
    ),
    "Kolkata, which has half an hour and no summer time": (
        window("2026-01-05T09:00", 60, "FREQ=WEEKLY;BYDAY=SU", "Asia/Kolkata"),
        "2026-03-28",
        "03-29 03:30, 03-29 04:30",
    ),
    "UTC": (
        window("2026-01-05T09:00", 60, "FREQ=WEEKLY;BYDAY=SU"),
        "2026-03-28",
        "03-29 09:00, 03-29 10:00",
    ),
    "Cairo, whose clocks skip midnight": (
        window("2026-01-05T00:00", 60, "FREQ=DAILY", "Africa/Cairo"),
        "2026-04-22T12:00",
        "04-22 22:00, 04-22 23:00, 04-23 22:00, 04-23 23:00, 04-24 21:00, 04-24 22:00",
    ),
    "Apia, where a Friday was skipped: its nine o'clock is Saturday's": (
        window("2011-12-01T09:00", 60, "FREQ=DAILY", "Pacific/Apia"),
        "2011-12-29",
        "12-29 19:00, 12-29 20:00, 12-30 19:00, 12-30 20:00, 12-31 19:00, 12-31 20:00",
    ),
    "Apia, where starts of the skipped Friday come after some of Saturday's": (
        window("2011-12-30T07:00", 60, "FREQ=HOURLY;INTERVAL=13;COUNT=3", "Pacific/Apia"),
        "2011-12-28T08:30",
        "12-30 17:00, 12-30 18:00, 12-30 19:00, 12-30 20:00, 12-31 06:00, 12-31 07:00",
    ),
}
"""A window, and what it does in the three days from there on, in UTC: opens, closes, opens …"""


@pytest.mark.parametrize("sentence", CLOCKS)
def test_by_the_clocks_of(sentence: str) -> None:
    """Starts follow the clock on the wall, lengths the time that passes."""
    allowed, since, listed = CLOCKS[sentence]
    begin = utc(since)
    assert ", ".join(changes(((allowed,),), begin, begin + timedelta(days=3))) == listed


WEEKDAYS = window("2026-01-05T09:00", 8 * 60, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", BERLIN)
NIGHT = window("2026-01-05T22:00", 8 * 60, "FREQ=DAILY", name="night")
FREEZE = deny("2026-12-24T00:00", 3 * 24 * 60)
CHRISTMAS = deny("2020-12-24T12:00", 14 * 24 * 60, "FREQ=YEARLY", name="christmas")
LEAP_DAY = window("2024-02-29T00:00", 24 * 60, "FREQ=YEARLY", name="leap-day")
UNTIL = window("2026-01-05T09:00", 60, "FREQ=DAILY;UNTIL=20260107T090000Z", name="three-days")
COUNTED = window("2026-01-05T09:00", 60, "FREQ=DAILY;COUNT=3", name="three-days")
ONCE = window("2026-06-01T09:00", 60, name="launch")
MORNING = window("2026-01-05T08:00", 4 * 60, "FREQ=DAILY", name="morning")
AFTERNOON = window("2026-01-05T12:00", 4 * 60, "FREQ=DAILY", name="afternoon")
FUNDING = deny("2026-01-05T00:00", 10, "FREQ=DAILY;BYHOUR=0,8,16", name="funding")

OPEN, CLOSED = GateState.OPEN, GateState.CLOSED

VERDICTS: dict[str, tuple[Windows, str, GateState, str, str | None]] = {
    "no policy has windows": ((), "2026-06-01T09:00", OPEN, "no windows", None),
    "inside a weekday": (((WEEKDAYS,),), "2026-06-01T12:00", OPEN, "inside office-hours", "2026-06-01T15:00"),
    "on Friday evening, until Monday": (
        ((WEEKDAYS,),),
        "2026-06-05T15:00",
        CLOSED,
        "outside every Allow window: office-hours",
        "2026-06-08T07:00",
    ),
    "past midnight, in a window from the evening before": (
        ((NIGHT,),),
        "2026-06-02T03:00",
        OPEN,
        "inside night",
        "2026-06-02T06:00",
    ),
    "on New Year's Eve, in a night that ends next year": (
        ((NIGHT,),),
        "2026-12-31T23:59",
        OPEN,
        "inside night",
        "2027-01-01T06:00",
    ),
    "on New Year's Day, in a freeze from the year before": (
        ((CHRISTMAS,),),
        "2027-01-01T00:00",
        CLOSED,
        "Deny christmas until 2027-01-07T12:00:00Z",
        "2027-01-07T12:00",
    ),
    "before the first start": (
        ((ONCE,),),
        "2026-05-31T09:00",
        CLOSED,
        "outside every Allow window: launch",
        "2026-06-01T09:00",
    ),
    "inside a window that comes once": (
        ((ONCE,),),
        "2026-06-01T09:30",
        OPEN,
        "inside launch",
        "2026-06-01T10:00",
    ),
    "after a window that comes once": (
        ((ONCE,),),
        "2026-06-02T09:30",
        CLOSED,
        "outside every Allow window: launch",
        None,
    ),
    "on a leap day": (((LEAP_DAY,),), "2028-02-29T12:00", OPEN, "inside leap-day", "2028-03-01T00:00"),
    "on the first of March of a year without": (
        ((LEAP_DAY,),),
        "2027-03-01T00:00",
        CLOSED,
        "outside every Allow window: leap-day",
        "2028-02-29T00:00",
    ),
    "further before a leap day than is looked": (
        ((LEAP_DAY,),),
        "2026-03-01T00:00",
        CLOSED,
        "outside every Allow window: leap-day",
        None,
    ),
    "at the last start before UNTIL, which is UNTIL itself": (
        ((UNTIL,),),
        "2026-01-07T09:00",
        OPEN,
        "inside three-days",
        "2026-01-07T10:00",
    ),
    "the day after UNTIL": (
        ((UNTIL,),),
        "2026-01-08T09:00",
        CLOSED,
        "outside every Allow window: three-days",
        None,
    ),
    "at the last of COUNT": (((COUNTED,),), "2026-01-07T09:00", OPEN, "inside three-days", "2026-01-07T10:00"),
    "the day after the last of COUNT": (
        ((COUNTED,),),
        "2026-01-08T09:00",
        CLOSED,
        "outside every Allow window: three-days",
        None,
    ),
    "in a Deny window inside an Allow window": (
        ((WEEKDAYS, FREEZE),),
        "2026-12-24T10:00",
        CLOSED,
        "Deny freeze until 2026-12-27T00:00:00Z",
        "2026-12-28T08:00",
    ),
    "in a Deny window and outside every Allow window": (
        ((WEEKDAYS, FREEZE),),
        "2026-12-26T10:00",
        CLOSED,
        "Deny freeze until 2026-12-27T00:00:00Z; outside every Allow window: office-hours",
        "2026-12-28T08:00",
    ),
    "before a Deny window that cuts an Allow window short": (
        ((WEEKDAYS, FUNDING),),
        "2026-06-01T15:00",
        CLOSED,
        "outside every Allow window: office-hours",
        "2026-06-02T07:00",
    ),
    "in an Allow window that a Deny window will interrupt": (
        ((WEEKDAYS, FUNDING),),
        "2026-06-01T07:30",
        OPEN,
        "inside office-hours",
        "2026-06-01T08:00",
    ),
    "where one Allow window takes over from another": (
        ((MORNING, AFTERNOON),),
        "2026-06-01T11:59",
        OPEN,
        "inside morning",
        "2026-06-01T16:00",
    ),
    "after the one has taken over": (
        ((MORNING, AFTERNOON),),
        "2026-06-01T12:00",
        OPEN,
        "inside afternoon",
        "2026-06-01T16:00",
    ),
    "with only Deny windows, outside them": (
        ((FREEZE,),),
        "2026-12-23T10:00",
        OPEN,
        "outside every Deny window",
        "2026-12-24T00:00",
    ),
    "with only Deny windows, inside one": (
        ((FREEZE,),),
        "2026-12-24T10:00",
        CLOSED,
        "Deny freeze until 2026-12-27T00:00:00Z",
        "2026-12-27T00:00",
    ),
    "inside the Allow windows of two policies, until the first ends": (
        ((WEEKDAYS,), (MORNING,)),
        "2026-06-01T10:00",
        OPEN,
        "inside office-hours; inside morning",
        "2026-06-01T12:00",
    ),
    "inside the Allow window of one policy only": (
        ((WEEKDAYS,), (MORNING,)),
        "2026-06-01T13:00",
        CLOSED,
        "outside every Allow window: morning",
        "2026-06-02T08:00",
    ),
    "inside one policy's Allow window and another one's Deny window": (
        ((MORNING,), (FREEZE,)),
        "2026-12-24T10:00",
        CLOSED,
        "Deny freeze until 2026-12-27T00:00:00Z",
        "2026-12-27T08:00",
    ),
    "where Allow and Deny begin together": (
        ((MORNING, deny("2026-06-01T08:00", 60)),),
        "2026-06-01T08:00",
        CLOSED,
        "Deny freeze until 2026-06-01T09:00:00Z",
        "2026-06-01T09:00",
    ),
    "where two Deny windows follow each other": (
        ((MORNING, deny("2026-06-01T08:00", 60), deny("2026-06-01T09:00", 60, name="funding")),),
        "2026-06-01T08:30",
        CLOSED,
        "Deny freeze until 2026-06-01T09:00:00Z",
        "2026-06-01T10:00",
    ),
    "in a window longer than its period": (
        ((window("2026-01-05T00:00", 36 * 60, "FREQ=DAILY;COUNT=3", name="overlapping"),),),
        "2026-01-05T06:00",
        OPEN,
        "inside overlapping",
        "2026-01-08T12:00",
    ),
    "in a window that never pauses": (
        ((window("2026-01-05T00:00", 36 * 60, "FREQ=DAILY", name="overlapping"),),),
        "2026-06-01T06:00",
        OPEN,
        "inside overlapping",
        None,
    ),
    "in hours that meet, one after the other, where the day begins first": (
        ((window("2026-01-05T00:00", 60, "FREQ=HOURLY", "Pacific/Kiritimati"),),),
        "2026-06-01T06:00",
        OPEN,
        "inside office-hours",
        None,
    ),
    "in Deny windows that meet, day after day": (
        ((deny("2026-06-01T00:00", 24 * 60, "FREQ=DAILY;COUNT=5"),),),
        "2026-06-02T06:00",
        CLOSED,
        "Deny freeze until 2026-06-06T00:00:00Z",
        "2026-06-06T00:00",
    ),
    "in a Deny window without an end in sight": (
        ((deny("2026-01-05T00:00", 36 * 60, "FREQ=DAILY"),),),
        "2026-06-01T06:00",
        CLOSED,
        "Deny freeze",
        None,
    ),
    "outside an hourly window that a freeze covers for half a year": (
        ((window("2026-01-05T00:00", 30, "FREQ=HOURLY"), deny("2026-06-01T00:00", 180 * 24 * 60)),),
        "2026-06-01T00:45",
        CLOSED,
        "Deny freeze until 2026-11-28T00:00:00Z; outside every Allow window: office-hours",
        "2026-11-28T00:00",
    ),
}
"""Windows, a moment in UTC, the verdict and its reason, and when it changes next."""


@pytest.mark.parametrize("sentence", VERDICTS)
def test_the_verdict(sentence: str) -> None:
    """State, reason, and the one moment at which it changes."""
    windows, now, state, reason, change = VERDICTS[sentence]
    status = judge(windows, utc(now))
    assert (state, reason) == (status.state, status.reason)
    assert next_change(status) == (f"{change}:00.000000Z" if change else None)
    assert None in (status.next_open, status.next_close)


EDGES = {
    "the tick before an Allow window begins": (((ONCE,),), "2026-06-01T09:00", -TICK, CLOSED),
    "the moment at which an Allow window begins": (((ONCE,),), "2026-06-01T09:00", timedelta(), OPEN),
    "the tick before an Allow window ends": (((ONCE,),), "2026-06-01T10:00", -TICK, OPEN),
    "the moment at which an Allow window ends": (((ONCE,),), "2026-06-01T10:00", timedelta(), CLOSED),
    "the tick before a Deny window begins": (((FREEZE,),), "2026-12-24T00:00", -TICK, OPEN),
    "the moment at which a Deny window begins": (((FREEZE,),), "2026-12-24T00:00", timedelta(), CLOSED),
    "the tick before a Deny window ends": (((FREEZE,),), "2026-12-27T00:00", -TICK, CLOSED),
    "the moment at which a Deny window ends": (((FREEZE,),), "2026-12-27T00:00", timedelta(), OPEN),
    "the tick before two windows meet": (((MORNING, AFTERNOON),), "2026-06-01T12:00", -TICK, OPEN),
    "the moment at which two windows meet": (((MORNING, AFTERNOON),), "2026-06-01T12:00", timedelta(), OPEN),
}


@pytest.mark.parametrize("sentence", EDGES)
def test_to_the_microsecond_at(sentence: str) -> None:
    """A start is inside, an end is outside."""
    windows, moment, offset, state = EDGES[sentence]
    assert judge(windows, utc(moment) + offset).state is state


def test_a_change_inside_the_day_s_last_hour_is_seen_from_any_day_before() -> None:
    """Answers are kept by day; no day's answers end with the day."""
    windows = ((window("2026-06-01T23:00", 120),),)
    days = [utc("2026-06-01") - timedelta(days=number) for number in range(400)]
    assert {judge(windows, day).next_open for day in days} == {"2026-06-01T23:00:00.000000Z"}


def test_a_moment_in_any_zone_is_the_same_moment() -> None:
    """The clock that asks need not be in UTC."""
    now = utc("2026-06-01T12:00")
    assert judge(((WEEKDAYS,),), now) == judge(((WEEKDAYS,),), datetime.fromisoformat("2026-06-02T02:00+14:00"))


def test_a_reason_fits_into_status_however_many_windows_decide() -> None:
    """256 characters, and no window's name is lost without a sign."""
    many = tuple(
        deny("2026-06-01T08:00", 60, name=f"{'a-very-long-name-' * 3}{number}") for number in range(32)
    )
    reason = judge((many,), utc("2026-06-01T08:00")).reason
    assert len(reason) == 256
    assert reason.startswith("Deny a-very-long-name-")
    assert reason.endswith("...")


WAKES = {
    "a second before": ("2026-06-01T08:59:59", 1.0),
    "half a minute before the end": ("2026-06-01T09:59:30", 30.0),
    "after everything": ("2026-06-01T10:00:00", None),
}


@pytest.mark.parametrize("sentence", WAKES)
def test_one_wakes_exactly_at_the_change_seen_from(sentence: str) -> None:
    """Neither early, for then nothing has changed, nor late."""
    now, seconds = WAKES[sentence]
    moment = utc(now)
    assert until_next(judge(((ONCE,),), moment), moment) == seconds


def test_a_change_that_is_overdue_is_due_now() -> None:
    """A look that took too long does not wait for ever."""
    status = judge(((ONCE,),), utc("2026-06-01T08:59:59"))
    assert until_next(status, utc("2026-06-01T09:00:05")) == 0.0


UNREADABLE: dict[str, tuple[dict[str, object], str]] = {
    "a zone that does not exist": ({"time_zone": "Mars/Olympus"}, "unknown time zone: Mars/Olympus"),
    "a zone by absolute path": ({"time_zone": "/etc/localtime"}, "unknown time zone: /etc/localtime"),
    "a zone that climbs out of its folder": ({"time_zone": "../../etc/passwd"}, "unknown time zone"),
    "a zone that is a folder": ({"time_zone": "America"}, "unknown time zone: America"),
    "an empty zone": ({"time_zone": ""}, "unknown time zone: "),
    "a zone with a zero byte": ({"time_zone": "UTC\0"}, "unknown time zone"),
    "the machine's own zone": ({"time_zone": "localtime"}, "unknown time zone: localtime"),
    "a zone that counts leap seconds": ({"time_zone": "right/UTC"}, "unknown time zone: right/UTC"),
    "a day that does not exist": ({"start": "2026-02-30T09:00:00"}, "no such time: 2026-02-30T09:00:00"),
    "an hour that does not exist": ({"start": "2026-02-20T25:00:00"}, "no such time: 2026-02-20T25:00:00"),
    "a year before calendars agree": (
        {"start": "0001-01-01T00:00:00", "recurrence": ""},
        "start lies outside of the years 1970 to 2199",
    ),
    "the last second of all": (
        {"start": "9999-12-31T23:59:59", "recurrence": ""},
        "start lies outside of the years 1970 to 2199",
    ),
    "a rule from a year before calendars agree": (
        {"start": "1492-10-12T00:00:00"},
        "start lies outside of the years 1970 to 2199",
    ),
    "a rule for every second": ({"recurrence": "FREQ=SECONDLY"}, "FREQ has to be one of"),
    "a rule for no day at all": (
        {"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"},
        "the rule starts nothing within 50 years",
    ),
}


@pytest.mark.parametrize("sentence", UNREADABLE)
def test_nothing_is_judged_by(sentence: str) -> None:
    """Not even beside windows that can be read; and the message names the window, however often one asks."""
    update, words = UNREADABLE[sentence]
    windows = ((WEEKDAYS,), (NIGHT, WEEKDAYS.model_copy(update={**update, "name": "odd"})))
    for _ in range(2):
        with pytest.raises(WindowUnreadableError, match=r"^window odd: ") as raised:
            judge(windows, utc("2026-06-01T12:00"))
        assert words in str(raised.value)


ALL_HOURS = ",".join(map(str, range(24)))

COSTLY: dict[str, tuple[Window, ...]] = {
    "every day for ten years": (window("2016-01-05T09:00", 60, "FREQ=DAILY", BERLIN),),
    "ten years of days by COUNT": (window("2016-01-05T09:00", 60, "FREQ=DAILY;COUNT=10000", BERLIN),),
    "every hour for ten years": (window("2016-01-05T09:00", 30, "FREQ=HOURLY", BERLIN),),
    "every hour, each a year long": (window("2016-01-05T09:00", 527_040, "FREQ=HOURLY", BERLIN),),
    "every hour under a freeze of a year": (
        window("2016-01-05T09:00", 30, "FREQ=HOURLY", BERLIN),
        deny("2026-06-01T00:00", 527_040),
    ),
    "32 windows every hour under a freeze": (
        *(window("2016-01-05T09:00", 30 + n, "FREQ=HOURLY", BERLIN, name=f"w{n}") for n in range(31)),
        deny("2026-06-01T00:00", 527_040),
    ),
    "every hour of every 11th year": (window("2016-01-05T09:00", 60, "FREQ=HOURLY;INTERVAL=99999"),),
    "a position in a year of hours": (
        window("2016-01-05T09:00", 60, f"FREQ=YEARLY;BYMONTHDAY=1,2,3;BYHOUR={ALL_HOURS};BYSETPOS=366"),
    ),
}


@pytest.mark.parametrize("sentence", COSTLY)
def test_a_verdict_is_bounded_in_time_for(sentence: str) -> None:
    """The operator renews other gates meanwhile; measured at under half a second for the worst."""
    began = time.thread_time()
    judge((COSTLY[sentence],), utc("2026-06-01T12:00"))
    assert time.thread_time() - began < 5


def test_what_lies_behind_20_000_beginnings_and_ends_is_not_foretold() -> None:
    """Else 31 hourly windows under a freeze would cost seconds, once a day; the verdict itself is right."""
    windows = (COSTLY["32 windows every hour under a freeze"],)
    assert judge(windows, utc("2026-06-01T12:00")).next_open is None
    assert judge(windows, utc("2027-06-01T12:00")).state is CLOSED
    assert judge(windows, utc("2027-06-02T00:00")).state is OPEN


def test_a_verdict_asked_again_costs_less_than_50_microseconds() -> None:
    """A thousand GoLives ask every few seconds, each with windows read anew."""
    now, rounds = utc("2026-06-01T12:00"), 1000
    best = 1.0
    for _ in range(5):
        copies = [((WEEKDAYS.model_copy(), FREEZE.model_copy(), FUNDING.model_copy()),) for _ in range(rounds)]
        began = time.thread_time()
        for windows in copies:
            judge(windows, now)
        best = min(best, (time.thread_time() - began) / rounds)
    assert best < 50e-6


PAGE = Path(__file__).parents[2] / "docs/how-to/set-activation-windows.md"

EXPLAINED = {
    "Monday, half past nine in winter": ("2026-01-12T08:30", "inside office-hours"),
    "Monday, nine o'clock in summer": ("2026-07-13T07:00", "inside office-hours"),
    "five to four, when funding is near": ("2026-01-12T15:55", "Deny funding until 2026-01-12T16:05:00Z"),
    "before the settlement at eight": ("2026-07-13T07:55", "Deny funding until 2026-07-13T08:05:00Z"),
    "Christmas, three years later": ("2029-12-24T10:00", "Deny christmas until 2030-01-05T23:00:00Z"),
    "the upgrade, on a Saturday": (
        "2026-09-12T06:30",
        "Deny upgrade until 2026-09-12T08:00:00Z; outside every Allow window: office-hours",
    ),
}


@pytest.mark.parametrize("sentence", EXPLAINED)
def test_the_page_s_example_does_what_the_page_says_on(sentence: str) -> None:
    """Administrators copy it."""
    now, reason = EXPLAINED[sentence]
    example = PAGE.read_text().partition("```yaml\n")[2].partition("```")[0]
    policy = ActivationPolicySpec.model_validate(yaml.safe_load(example)["spec"])
    assert judge((tuple(policy.windows),), utc(now)).reason == reason
