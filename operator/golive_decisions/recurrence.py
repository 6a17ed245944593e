"""Recurrence rules of RFC 5545, section 3.3.10, asked one day at a time.

Reading a rule, and the local times at which it starts something on a day, belong here.
Time zones, durations and what is started do not.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

# No iterator from start on: where a rule matches nothing, such a search ends in the year 9999, minutes later.

SEARCHED_DAYS = 18_263
"""Fifty years: a rule has to start something, and a COUNT to be used up, within them."""

MOST_STARTS = 24
"""Of one rule on one day: as many as there are hours."""

YEARS = range(1970, 2200)
"""Years in which a rule may begin."""

_ONE_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""As rules write them, in the order in which Python counts them."""
_WEEKDAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_UNTIL = re.compile(r"([0-9]{8}T[0-9]{6})(Z?)")


class RuleError(ValueError):
    """A rule that can't be read, or that this reader refuses."""


class Frequency(StrEnum):
    """The period that a rule repeats; anything shorter than an hour is refused."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"


_LIMITS = {
    "INTERVAL": (1, 100_000),
    "COUNT": (1, 20_000),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
    "BYSETPOS": (-366, 366),
}
"""Lowest and highest number of each part; where the lowest is negative, 0 is refused."""

_KNOWN = {"FREQ", "UNTIL", "BYDAY", "WKST", *_LIMITS}

_REFUSED = {
    "BYWEEKNO": set(Frequency) - {Frequency.YEARLY},
    "BYYEARDAY": {Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY},
    "BYMONTHDAY": {Frequency.WEEKLY},
    "BYSETPOS": {Frequency.HOURLY},
}
"""Where RFC 5545 forbids a part; BYSETPOS within an hour is refused here."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When something starts, in local time of no particular zone.

    An empty set lets every day pass. What a rule names, it names for the whole period, whatever start is.
    """

    start: datetime
    """Nothing starts earlier; what the rule leaves out is taken from here."""
    frequency: Frequency
    times: tuple[time, ...]
    """Times of day, ascending."""
    interval: int = 1
    """Every how many periods, counted from start's."""
    months: frozenset[int] = frozenset()
    """1 for January."""
    month_days: frozenset[int] = frozenset()
    """Counted from the month's end where negative."""
    year_days: frozenset[int] = frozenset()
    """Counted from the year's end where negative."""
    weeks: frozenset[int] = frozenset()
    """Numbers within the year, counted from its end where negative."""
    weekdays: frozenset[tuple[int, int]] = frozenset()
    """Ordinal within the month or year, 0 for each one, and weekday, 0 for Monday."""
    positions: frozenset[int] = frozenset()
    """Which of a period's starts count; empty means all."""
    week_start: int = 0
    """The weekday with which a week begins: it matters for every other week, and for numbered ones."""
    last: datetime | None = None
    """The last start of all, where COUNT or a local UNTIL sets one."""
    until: datetime | None = None
    """UNTIL as an instant: left to whoever knows the zone."""


@lru_cache(maxsize=4096)
def read_rule(text: str, start: datetime) -> Rule | str:
    """The rule, once without text; or what is wrong with it, kept like a rule so that it costs only once."""
    if start.year not in YEARS:
        return f"start lies outside of the years {YEARS[0]} to {YEARS[-1]}"
    try:
        return _checked(text, start) if text else _once(start)
    except RuleError as error:
        return str(error)


def starts_on(rule: Rule, day: date) -> list[datetime]:
    """The local times at which it starts something that day, ascending; UNTIL in UTC is not looked at."""
    if day < rule.start.date() or (rule.last is not None and day > rule.last.date()):
        return []
    found = _chosen(rule, *_period(rule, day)) if rule.positions else _expanded(rule, day)
    return [
        start
        for start in found
        if start.date() == day and rule.start <= start and (rule.last is None or start <= rule.last)
    ]


def _once(start: datetime) -> Rule:
    """A rule that starts something exactly once."""
    return Rule(start=start, frequency=Frequency.DAILY, times=(start.time(),), last=start)


def _checked(text: str, start: datetime) -> Rule:
    """A rule that is known to start something, its COUNT turned into the last start of all."""
    parts = _split(text)
    rule = _assembled(parts, start)
    if _nth(rule, 1) is None:  # a slip of the pen: a Deny window that never comes would protect nobody
        raise RuleError("the rule starts nothing within 50 years")
    if "COUNT" in parts:
        last = _nth(rule, _number(parts, "COUNT", 1))
        if last is None:
            raise RuleError("COUNT is not used up within 50 years; leave it out")
        return replace(rule, last=last)
    local, until = _end(parts)
    return replace(rule, last=local, until=until)


def _split(text: str) -> dict[str, str]:
    """The rule's parts by name. What is not known is refused: ignoring it would mean something else."""
    pairs = [part.partition("=") for part in text.split(";")]
    parts = {key: value for key, _, value in pairs}
    if len(parts) < len(pairs):
        raise RuleError("the rule has a part twice")
    if unknown := sorted(set(parts) - _KNOWN):
        raise RuleError(f"{unknown[0]} is no part of a rule that is known here")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("the rule has COUNT and UNTIL; RFC 5545 allows one of them")
    return parts


def _assembled(parts: dict[str, str], start: datetime) -> Rule:
    """Everything but the end."""
    frequency = _frequency(parts)
    rule = Rule(
        start=start,
        frequency=frequency,
        times=_times(parts, start, frequency),
        interval=_number(parts, "INTERVAL", 1),
        months=frozenset(_numbers(parts, "BYMONTH")),
        month_days=frozenset(_numbers(parts, "BYMONTHDAY")),
        year_days=frozenset(_numbers(parts, "BYYEARDAY")),
        weeks=frozenset(_numbers(parts, "BYWEEKNO")),
        weekdays=frozenset(_weekdays(parts, frequency)),
        positions=frozenset(_numbers(parts, "BYSETPOS")),
        week_start=_week_start(parts),
    )
    if rule.weeks and not rule.weekdays:
        raise RuleError("BYWEEKNO needs BYDAY")
    if rule.weeks and rule.interval > 1:
        raise RuleError("BYWEEKNO and INTERVAL don't go together")
    return _with_days_of(start, rule)


def _with_days_of(start: datetime, rule: Rule) -> Rule:
    """A rule that names no day means start's."""
    if rule.month_days or rule.year_days or rule.weeks or rule.weekdays:
        return rule
    match rule.frequency:
        case Frequency.YEARLY:
            months = rule.months or frozenset({start.month})
            return replace(rule, months=months, month_days=frozenset({start.day}))
        case Frequency.MONTHLY:
            return replace(rule, month_days=frozenset({start.day}))
        case Frequency.WEEKLY:
            return replace(rule, weekdays=frozenset({(0, start.weekday())}))
    return rule


def _frequency(parts: dict[str, str]) -> Frequency:
    """FREQ, once it is clear that the other parts go with it."""
    name = parts.get("FREQ", "")
    if name not in set(Frequency):
        raise RuleError(f"FREQ has to be one of {', '.join(Frequency)}")
    frequency = Frequency(name)
    for part, refused in _REFUSED.items():
        if part in parts and frequency in refused:
            raise RuleError(f"{part} does not go with FREQ={frequency}")
    if "BYSETPOS" in parts and not any(key.startswith("BY") for key in parts if key != "BYSETPOS"):
        raise RuleError("BYSETPOS needs another BY part")
    return frequency


def _numbers(parts: dict[str, str], key: str) -> list[int]:
    """The numbers of one part, each within its limits; none where the rule lacks it."""
    if key not in parts:
        return []
    lowest, highest = _LIMITS[key]
    words = parts[key].split(",")
    numbers = [int(word) for word in words if _NUMBER.fullmatch(word)]
    wrong = len(numbers) < len(words) or any(not lowest <= number <= highest for number in numbers)
    if wrong or (lowest < 0 and 0 in numbers):
        raise RuleError(f"{key} has to lie between {lowest} and {highest}{', without 0' * (lowest < 0)}")
    return numbers


def _number(parts: dict[str, str], key: str, otherwise: int) -> int:
    """The one number of a part that takes no list."""
    numbers = _numbers(parts, key) or [otherwise]
    if len(numbers) > 1:
        raise RuleError(f"{key} has to be one number")
    return numbers[0]


def _times(parts: dict[str, str], start: datetime, frequency: Frequency) -> tuple[time, ...]:
    """Times of day at which something may start; INTERVAL thins them out later."""
    usual = list(range(24)) if frequency is Frequency.HOURLY else [start.hour]
    hours = set(_numbers(parts, "BYHOUR") or usual)
    minutes = set(_numbers(parts, "BYMINUTE") or [start.minute])
    second = _number(parts, "BYSECOND", start.second)
    if len(hours) * len(minutes) > MOST_STARTS:
        raise RuleError(f"the rule starts more than {MOST_STARTS} times a day")
    return tuple(time(hour, minute, second) for hour in sorted(hours) for minute in sorted(minutes))


def _weekdays(parts: dict[str, str], frequency: Frequency) -> Iterator[tuple[int, int]]:
    """BYDAY; an ordinal says which of its month's or year's, so only a rule with such a period may have one."""
    most = 5 if frequency is Frequency.MONTHLY or "BYMONTH" in parts else 53
    ordinals = frequency in {Frequency.YEARLY, Frequency.MONTHLY} and "BYWEEKNO" not in parts
    for word in parts["BYDAY"].split(",") if "BYDAY" in parts else []:
        found = _WEEKDAY.fullmatch(word)
        ordinal = int(found[1] or 0) if found else 0
        if found is None or abs(ordinal) > most or (ordinal and not ordinals):
            raise RuleError(f"BYDAY={word} can't be read or does not go with the rest")
        yield ordinal, _WEEKDAYS.index(found[2])


def _week_start(parts: dict[str, str]) -> int:
    """WKST, Monday by default."""
    name = parts.get("WKST", "MO")
    if name not in _WEEKDAYS:
        raise RuleError(f"WKST has to be one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(name)


def _end(parts: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """UNTIL as local time or as instant. A bare date is refused: whether that day counts is anybody's guess."""
    if "UNTIL" not in parts:
        return None, None
    found = _UNTIL.fullmatch(parts["UNTIL"])
    try:
        moment = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        moment = None
    if found is None or moment is None:
        raise RuleError("UNTIL has to look like 20261224T225959Z, or without Z for local time")
    return (None, moment.replace(tzinfo=UTC)) if found[2] else (moment, None)


def _nth(rule: Rule, number: int) -> datetime | None:
    """The start with that number, counted from 1; None where it takes too long."""
    seen = 0
    for days in range(SEARCHED_DAYS):
        for start in starts_on(rule, rule.start.date() + days * _ONE_DAY):
            seen += 1
            if seen == number:
                return start
    return None


def _period(rule: Rule, day: date) -> tuple[date, int]:
    """First day and length of the period around a day."""
    match rule.frequency:
        case Frequency.YEARLY:
            return day.replace(month=1, day=1), 365 + isleap(day.year)
        case Frequency.MONTHLY:
            return day.replace(day=1), monthrange(day.year, day.month)[1]
        case Frequency.WEEKLY:
            return _week(day, rule.week_start), 7
    return day, 1


def _week(day: date, week_start: int) -> date:
    """First day of the week around a day."""
    return day - (day.weekday() - week_start) % 7 * _ONE_DAY


@lru_cache(maxsize=1024)
def _chosen(rule: Rule, first: date, length: int) -> tuple[datetime, ...]:
    """A period's starts at the positions that count."""
    everything = [start for days in range(length) for start in _expanded(rule, first + days * _ONE_DAY)]
    many = len(everything)
    picked = {position - 1 if position > 0 else many + position for position in rule.positions}
    return tuple(everything[index] for index in sorted(picked) if 0 <= index < many)


def _expanded(rule: Rule, day: date) -> list[datetime]:
    """A day's starts by everything but positions, first and last."""
    if not _fits(rule, day):
        return []
    if rule.frequency is not Frequency.HOURLY or rule.interval == 1:
        return [datetime.combine(day, at) for at in rule.times]
    hours = (day - rule.start.date()).days * 24 - rule.start.hour  # from start's hour to the day's first
    return [datetime.combine(day, at) for at in rule.times if (hours + at.hour) % rule.interval == 0]


def _fits(rule: Rule, day: date) -> bool:
    """Whether every part of the rule that speaks of days lets this one pass."""
    return (
        (rule.interval == 1 or _in_turn(rule, day))
        and (not rule.months or day.month in rule.months)
        and (not rule.month_days or not rule.month_days.isdisjoint(_either_end(day.day, _month_length(day))))
        and (not rule.year_days or not rule.year_days.isdisjoint(_either_end(*_in_year(day))))
        and (not rule.weekdays or not rule.weekdays.isdisjoint(_as_weekday(rule, day)))
        and (not rule.weeks or not rule.weeks.isdisjoint(_as_week(rule, day)))
    )


def _in_turn(rule: Rule, day: date) -> bool:
    """Whether INTERVAL lets the day's period pass; hours are counted elsewhere."""
    first = rule.start.date()
    match rule.frequency:
        case Frequency.YEARLY:
            periods = day.year - first.year
        case Frequency.MONTHLY:
            periods = (day.year - first.year) * 12 + day.month - first.month
        case Frequency.WEEKLY:
            periods = (_week(day, rule.week_start) - _week(first, rule.week_start)).days // 7
        case Frequency.DAILY:
            periods = (day - first).days
        case Frequency.HOURLY:
            return True
    return periods % rule.interval == 0


def _either_end(number: int, length: int) -> tuple[int, int]:
    """A number counted from the beginning, and the same from the end."""
    return number, number - length - 1


def _month_length(day: date) -> int:
    """Days of the day's month."""
    return monthrange(day.year, day.month)[1]


def _in_year(day: date) -> tuple[int, int]:
    """Number of the day, and days of its year."""
    return day.timetuple().tm_yday, 365 + isleap(day.year)


def _as_weekday(rule: Rule, day: date) -> tuple[tuple[int, int], ...]:
    """Every way in which BYDAY can mean this day."""
    weekday = day.weekday()
    if rule.frequency is Frequency.MONTHLY or rule.months:
        number, length = day.day, _month_length(day)
    else:
        number, length = _in_year(day)
    return (0, weekday), ((number - 1) // 7 + 1, weekday), (-((length - number) // 7) - 1, weekday)


def _as_week(rule: Rule, day: date) -> tuple[int, int]:
    """Number of the day's week: a year's first one has at least four of its days."""
    middle = _week(day, rule.week_start) + 3 * _ONE_DAY
    number, _ = _in_year(middle)
    december = date(middle.year, 12, 28)  # lies in the last week, wherever weeks start
    last, _ = _in_year(_week(december, rule.week_start) + 3 * _ONE_DAY)
    return _either_end((number - 1) // 7 + 1, (last - 1) // 7 + 1)
