"""What a recurrence rule means: the standard's own examples, and another implementation's word on any other."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from golive_decisions.recurrence import Rule, read_rule, starts_on

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def local(text: str) -> datetime:
    """A time of day on a wall somewhere."""
    return datetime.fromisoformat(text)


def readable(text: str, start: datetime) -> Rule:
    """A rule that has to be read."""
    rule = read_rule(text, start)
    assert isinstance(rule, Rule), rule
    return rule


def starts(rule: Rule, days: int) -> Iterator[datetime]:
    """What it starts within so many days."""
    for number in range(days):
        yield from starts_on(rule, rule.start.date() + timedelta(days=number))


EXAMPLES = {
    "daily for 10 occurrences": (
        "1997-09-02",
        "FREQ=DAILY;COUNT=10",
        "1997-09-02 09-03 09-04 09-05 09-06 09-07 09-08 09-09 09-10 09-11 END",
    ),
    "every 10 days, 5 occurrences": (
        "1997-09-02",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "1997-09-02 09-12 09-22 10-02 10-12 END",
    ),
    "every day in January": (
        "1998-01-01",
        "FREQ=YEARLY;UNTIL=20000131T140000;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "1998-01-01 01-02 01-03 01-04 01-05",
    ),
    "every other week on Monday, Wednesday and Friday": (
        "1997-09-01",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01 09-03 09-05 09-15 09-17 09-19 09-29 10-01 10-03 10-13",
    ),
    "every other week, weeks from Monday": (
        "1997-08-05",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05 08-10 08-19 08-24 END",
    ),
    "every other week, weeks from Sunday": (
        "1997-08-05",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05 08-17 08-19 08-31 END",
    ),
    "monthly on the first Friday": (
        "1997-09-05",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05 END",
    ),
    "every other month on the first and last Sunday": (
        "1997-09-07",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07 09-28 11-02 11-30 1998-01-04 01-25 03-01 03-29 05-03 05-31 END",
    ),
    "monthly on the second-to-last Monday": (
        "1997-09-22",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22 10-20 11-17 12-22 1998-01-19 02-16 END",
    ),
    "monthly on the third-to-last day": (
        "1997-09-28",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28 10-29 11-28 12-29 1998-01-29 02-26",
    ),
    "monthly on the first and last day": (
        "1997-09-30",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30 10-01 10-31 11-01 11-30 12-01 12-31 1998-01-01 01-31 02-01 END",
    ),
    "every 18 months on the 10th to 15th": (
        "1997-09-10",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10 09-11 09-12 09-13 09-14 09-15 1999-03-10 03-11 03-12 03-13 END",
    ),
    "every 3rd year on the 1st, 100th and 200th day": (
        "1997-01-01",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01 04-10 07-19 2000-01-01 04-09 07-18 2003-01-01 04-10 07-19 2006-01-01 END",
    ),
    "every 20th Monday of the year": (
        "1997-05-19",
        "FREQ=YEARLY;BYDAY=20MO",
        "1997-05-19 1998-05-18 1999-05-17",
    ),
    "Monday of week 20": (
        "1997-05-12",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12 1998-05-11 1999-05-17",
    ),
    "every Friday the 13th": (
        "1997-09-02",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1998-02-13 03-13 11-13 1999-08-13 2000-10-13",
    ),
    "every 4 years, the first Tuesday after a Monday in November": (
        "1996-11-05",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05 2000-11-07 2004-11-02",
    ),
    "the third Tuesday, Wednesday or Thursday of a month": (
        "1997-09-04",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04 10-07 11-06 END",
    ),
    "the second-to-last weekday of a month": (
        "1997-09-29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30",
    ),
    "the last Sunday of October": (
        "1997-09-01",
        "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "1997-10-26 1998-10-25 1999-10-31",
    ),
    "the fifth Friday from the end, where there is one": (
        "1997-09-01",
        "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-5",
        "1997-10-03 1998-01-02 05-01 07-03",
    ),
    "Thursdays, and the month's first Tuesday": (
        "1997-09-02",
        "FREQ=MONTHLY;BYDAY=TH,1TU",
        "1997-09-02 09-04 09-11 09-18 09-25 10-02 10-07 10-09",
    ),
    "the 15th and 30th, where there is one": (
        "2007-01-15",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15 01-30 02-15 03-15 03-30 END",
    ),
}
"""Section 3.8.5.3, and three more: first day, rule, days. A year stands where it changes, END after all."""


@pytest.mark.parametrize("sentence", EXAMPLES)
def test_the_standard_s_example(sentence: str) -> None:
    """Days as the standard lists them, all at nine o'clock."""
    first, text, listed = EXAMPLES[sentence]
    words = listed.removesuffix(" END").split()
    year, expected = "", []
    for word in words:
        year = word[:4] if len(word) > 5 else year
        expected.append(datetime.fromisoformat(f"{year}-{word[-5:]}T09:00:00"))
    more = 0 if words == listed.split() else 1
    rule = readable(text, datetime.fromisoformat(f"{first}T09:00:00"))
    assert expected == list(islice(starts(rule, 4000), len(expected) + more))


TIMES = {
    "every three hours, until five o'clock": (
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000",
        "02T09:00 02T12:00 02T15:00",
    ),
    "every twenty minutes from nine to ten, two days": (
        "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40;UNTIL=19970903T092000",
        "02T09:00 02T09:20 02T09:40 02T10:00 02T10:20 02T10:40 03T09:00 03T09:20",
    ),
    "every five hours, over midnight": (
        "FREQ=HOURLY;INTERVAL=5;COUNT=5",
        "02T09:00 02T14:00 02T19:00 03T00:00 03T05:00",
    ),
    "every hour, but in the afternoon only": (
        "FREQ=HOURLY;BYHOUR=14,15;COUNT=3",
        "02T14:00 02T15:00 03T14:00",
    ),
    "the last of a day's three": (
        "FREQ=DAILY;BYHOUR=9,12,15;BYSETPOS=-1;COUNT=2",
        "02T15:00 03T15:00",
    ),
    "an UNTIL that is a start": ("FREQ=DAILY;UNTIL=19970903T090000", "02T09:00 03T09:00"),
    "an UNTIL before every start": ("FREQ=DAILY;UNTIL=19970101T000000", ""),
}
"""From the second of September 1997, nine o'clock."""


@pytest.mark.parametrize("sentence", TIMES)
def test_times_of_day_of(sentence: str) -> None:
    """Hours and minutes, and exactly when it ends."""
    text, listed = TIMES[sentence]
    expected = [datetime.fromisoformat(f"1997-09-{word}:00") for word in listed.split()]
    rule = readable(text, local("1997-09-02T09:00:00"))
    assert expected == list(starts(rule, 60))


def test_an_until_in_utc_is_kept_for_whoever_knows_the_zone() -> None:
    """Local time alone can't say when it is reached."""
    rule = readable("FREQ=DAILY;UNTIL=19970903T070000Z", local("1997-09-02T09:00:00"))
    assert rule.until == datetime(1997, 9, 3, 7, tzinfo=UTC)
    assert len(list(starts(rule, 10))) == 10


def test_once_is_once() -> None:
    """Without a rule there is one start."""
    start = local("2026-01-05T09:00:00")
    assert list(starts(readable("", start), 1000)) == [start]


def test_weeks_are_those_of_the_calendar_on_people_s_walls() -> None:
    """ISO 8601 weeks from 2015 to 2035, counted from either end of the year."""
    for week in (1, 2, 52, 53, -1, -53):
        rule = readable(f"FREQ=YEARLY;BYWEEKNO={week};BYDAY=WE,SU", local("2015-01-01"))
        for start in starts(rule, 20 * 365):
            year, number, _ = start.isocalendar()
            last = date(year, 12, 28).isocalendar().week
            assert week in (number, number - last - 1)


TEXTS = st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"])


def listed(numbers: st.SearchStrategy[int], most: int = 4) -> st.SearchStrategy[str]:
    """Some numbers, as a rule writes them."""
    return st.lists(numbers, min_size=1, max_size=most, unique=True).map(lambda some: ",".join(map(str, some)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that the standard allows, most of which start something."""
    frequency = draw(TEXTS)
    parts = {"FREQ": frequency, "INTERVAL": draw(st.sampled_from(["1", "1", "2", "3", "5", "11"]))}
    names = draw(
        st.sets(st.sampled_from(["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYHOUR", "BYMINUTE"]))
    )
    forbidden = {
        "WEEKLY": {"BYMONTHDAY", "BYYEARDAY"},
        "MONTHLY": {"BYYEARDAY"},
        "DAILY": {"BYYEARDAY"},
    }
    values = {
        "BYMONTH": listed(st.integers(1, 12), 8),
        "BYMONTHDAY": listed(st.integers(1, 31) | st.integers(-31, -1), 8),
        "BYYEARDAY": listed(st.integers(1, 366) | st.integers(-366, -1), 8),
        "BYDAY": listed_weekdays(frequency, "BYMONTH" in names),
        "BYHOUR": listed(st.integers(0, 23)),
        "BYMINUTE": listed(st.integers(0, 59), 1 if frequency == "HOURLY" else 4),
    }
    parts |= {name: draw(values[name]) for name in sorted(names - forbidden.get(frequency, set()))}
    if frequency != "HOURLY" and len(parts) > 2 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(listed(st.sampled_from([1, 2, 3, -1, -2])))
    if frequency == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts |= {"INTERVAL": "1", "BYWEEKNO": draw(listed(st.integers(1, 53))), "BYDAY": "MO,SU"}
    parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    end: st.SearchStrategy[dict[str, str]] = st.just({}) | st.integers(1, 40).map(
        lambda count: {"COUNT": str(count)}
    )
    parts |= draw(end | st.just({"UNTIL": "20270704T120000"}))
    return ";".join(f"{key}={value}" for key, value in parts.items())


def listed_weekdays(frequency: str, months: bool) -> st.SearchStrategy[str]:  # noqa: FBT001 (data, not a switch)
    """Weekdays, or some of a month's or year's; of both kinds together dateutil takes none."""
    most = {"MONTHLY": 5, "YEARLY": 5 if months else 53}.get(frequency, 0)
    plain = listed_words(st.sampled_from(WEEKDAYS))
    if not most:
        return plain
    ordinals = (st.integers(1, most) | st.integers(-most, -1)).map(str)
    return plain | listed_words(st.tuples(ordinals, st.sampled_from(WEEKDAYS)).map("".join))


def listed_words(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Some of them, as a rule writes them."""
    return st.lists(words, min_size=1, max_size=4, unique=True).map(",".join)


BEGINNINGS = st.datetimes(local("2023-01-01"), local("2026-12-31")).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(rules(), BEGINNINGS)
def test_every_rule_means_what_dateutil_takes_it_for(text: str, start: datetime) -> None:
    """Three years of starts, of every combination of parts."""
    rule = read_rule(text, start)
    assume(isinstance(rule, Rule))  # the other way round dateutil would search on until the year 9999
    assert isinstance(rule, Rule)
    limit = start + timedelta(days=3 * 366)
    assume(rule.last is not None or any(s > limit for s in starts(rule, 366 * 12)))
    since = start
    if rule.positions and text.startswith("FREQ=WEEKLY"):
        assume("COUNT" not in text)
        since += timedelta(days=7)  # dateutil counts the first week's positions from its start, not the week's
    mine = [s for s in starts(rule, 3 * 366 + 1) if since <= s <= limit]
    theirs = [s for s in takewhile(lambda s: s <= limit, rrulestr(text, dtstart=start)) if s >= since]
    assert mine == theirs


REFUSED = {
    "no frequency": ("INTERVAL=2", "FREQ has to be one of"),
    "every second": ("FREQ=SECONDLY", "FREQ has to be one of"),
    "every minute": ("FREQ=MINUTELY;INTERVAL=30", "FREQ has to be one of"),
    "an unknown frequency": ("FREQ=FORTNIGHTLY", "FREQ has to be one of"),
    "more often than hourly": ("FREQ=HOURLY;BYMINUTE=0,30", "the rule starts more than 24 times a day"),
    "every minute of two hours": (
        "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=" + ",".join(map(str, range(60))),
        "the rule starts more than 24 times a day",
    ),
    "several seconds": ("FREQ=DAILY;BYSECOND=0,30", "BYSECOND has to be one number"),
    "an unknown part": ("FREQ=DAILY;BYEASTER=1", "BYEASTER is no part"),
    "a part twice": ("FREQ=DAILY;COUNT=1;COUNT=5", "the rule has a part twice"),
    "COUNT and UNTIL": ("FREQ=DAILY;COUNT=5;UNTIL=20300101T000000Z", "the rule has COUNT and UNTIL"),
    "COUNT=0": ("FREQ=DAILY;COUNT=0", "COUNT has to lie between"),
    "a huge COUNT": ("FREQ=DAILY;COUNT=999999", "COUNT has to lie between"),
    "a COUNT of more digits than a number has": (f"FREQ=DAILY;COUNT={'9' * 400}", "COUNT has to lie between"),
    "a COUNT that takes a century": ("FREQ=YEARLY;COUNT=100", "COUNT is not used up within 50 years"),
    "INTERVAL=0": ("FREQ=DAILY;INTERVAL=0", "INTERVAL has to lie between"),
    "a negative INTERVAL": ("FREQ=DAILY;INTERVAL=-1", "INTERVAL has to lie between"),
    "two intervals": ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL has to be one number"),
    "UNTIL without time": ("FREQ=DAILY;UNTIL=20261224", "UNTIL has to look like"),
    "UNTIL on no day": ("FREQ=DAILY;UNTIL=20260230T000000Z", "UNTIL has to look like"),
    "month 13": ("FREQ=DAILY;BYMONTH=13", "BYMONTH has to lie between 1 and 12"),
    "day 0": ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY has to lie between -31 and 31, without 0"),
    "a word for a number": ("FREQ=DAILY;BYHOUR=NOON", "BYHOUR has to lie between"),
    "an empty list": ("FREQ=DAILY;BYHOUR=,", "BYHOUR has to lie between"),
    "an unknown weekday": ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX"),
    "the second Monday of a week": ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO"),
    "the sixth Monday of a month": ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY=6MO"),
    "the sixth Monday of some months": ("FREQ=YEARLY;BYMONTH=3;BYDAY=6MO", "BYDAY=6MO"),
    "the second Monday of a numbered week": ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=2MO", "BYDAY=2MO"),
    "an unknown first weekday": ("FREQ=WEEKLY;WKST=XX", "WKST has to be one of"),
    "days of the month in a week": ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
    "numbered weeks of a month": ("FREQ=MONTHLY;BYWEEKNO=1;BYDAY=MO", "BYWEEKNO does not go with FREQ=MONTHLY"),
    "a numbered week without weekday": ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO needs BYDAY"),
    "numbered weeks of every other year": (
        "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO",
        "BYWEEKNO and INTERVAL don't go together",
    ),
    "days of the year in a month": ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY does not go with FREQ=MONTHLY"),
    "positions within an hour": ("FREQ=HOURLY;BYHOUR=9;BYSETPOS=1", "BYSETPOS does not go with FREQ=HOURLY"),
    "positions among nothing": ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs another BY part"),
    "the 30th of February": ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "the rule starts nothing within 50 years"),
    "the 30th of February, asked hourly": (
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "the rule starts nothing within 50 years",
    ),
    "Tuesdays, counted in weeks from a Monday": (
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "the rule starts nothing within 50 years",
    ),
    "the sixth of five Mondays": (
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "the rule starts nothing within 50 years",
    ),
}
"""From Monday, 5 January 2026."""


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_rule_is_refused_and_says_so_with(sentence: str) -> None:
    """Quickly, also where a search would go on until the year 9999."""
    text, words = REFUSED[sentence]
    began = time.thread_time()
    answer = read_rule(text, local("2026-01-05T09:00:00"))
    assert isinstance(answer, str)
    assert words in answer
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_a_rule_begins_in_years_that_calendars_and_clocks_agree_on(year: int) -> None:
    """Far off years are typing mistakes."""
    start = local(f"{year:04}-01-01")
    for text in ("", "FREQ=DAILY"):
        assert read_rule(text, start) == "start lies outside of the years 1970 to 2199"
