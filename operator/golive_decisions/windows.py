"""Whether the policies' windows let a gate open now, and when that changes next.

Zones, durations, Allow and Deny belong here. What a recurrence rule means, and acting on the verdict, do not.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from golive_api.golive import GateState, WindowStatus
from golive_api.policy import Effect, Window
from golive_api.values import parse_time, render_time
from golive_decisions.recurrence import Rule, read_rule, starts_on

HORIZON = timedelta(days=400)
"""How far ahead a change is looked for: a little more than a year."""

MOST_MOMENTS = 20_000
"""A change is looked for over no more beginnings and ends than this, whatever the horizon."""

_ONE_DAY = timedelta(days=1)
_MOST_REASON = 256
_NOT_IANA = {"localtime", "posixrules", "posix", "right", "Factory"}
"""Names that a system's zone folder holds besides: what they mean differs from machine to machine."""


class WindowUnreadableError(ValueError):
    """A window whose meaning is not known. The message names it, and nothing may open."""


@dataclass(frozen=True, slots=True)
class _Schedule:
    """A window as read."""

    name: str
    denies: bool
    """Deny, not Allow."""
    zone: ZoneInfo
    """Whose clocks the rule follows."""
    rule: Rule
    duration: timedelta
    """Time that passes, whatever clocks do meanwhile."""


class _Edge(NamedTuple):
    """A moment at which a window begins or ends."""

    moment: datetime
    place: tuple[int, int]
    """Which window: the policy's number, and its own within the policy."""
    begins: bool
    end: datetime | None
    """When what begins will end; None where that lies beyond the horizon."""


_NOWHERE = (-1, -1)
"""A place that is no window's."""

_Inside = Mapping[tuple[int, int], datetime | None]
"""The windows in which a moment lies, by place, and when each of them ends."""

_Policies = tuple[tuple[_Schedule, ...], ...]
"""Each policy's windows as read."""


class _Piece(NamedTuple):
    """A verdict, and since when it holds."""

    begin: datetime
    is_open: bool
    reason: str


class _Answer(NamedTuple):
    """What to say from a moment on, until the next answer begins."""

    begin: datetime
    status: WindowStatus


def judge(windows: tuple[tuple[Window, ...], ...], now: datetime) -> WindowStatus:
    """Open while every policy lets it; a start is inside, an end outside.

    One tuple of windows per policy. The changes foretold are those of the whole verdict, up to HORIZON ahead.
    A day's answers are kept: asking again costs about 2 µs, and the first time some milliseconds.

    Raises:
        WindowUnreadableError: where any window can't be understood, also one that would not decide now.
    """
    if not any(windows):
        return WindowStatus(state=GateState.OPEN, reason="no windows")
    answers = _answers(windows, now.astimezone(UTC).date())
    if isinstance(answers, str):
        raise WindowUnreadableError(answers)
    return answers[bisect_right(answers, now, key=lambda answer: answer.begin) - 1].status


def until_next(status: WindowStatus, now: datetime) -> float | None:
    """Seconds until the verdict changes, 0 where that is due; None where no change is in sight."""
    change = status.next_open or status.next_close
    return None if change is None else max(0.0, (parse_time(change) - now).total_seconds())


@lru_cache(maxsize=2048)
def _answers(windows: tuple[tuple[Window, ...], ...], day: date) -> tuple[_Answer, ...] | str:
    """Every answer of one day in UTC, or why there is none."""
    try:
        policies = tuple(tuple(_read(window) for window in policy) for policy in windows)
    except WindowUnreadableError as error:
        return str(error)
    since = datetime.combine(day, time(), UTC)
    pieces = _pieces(policies, since, since + _ONE_DAY)
    answers: list[_Answer] = []
    for number, piece in enumerate(pieces):
        later = (other.begin for other in pieces[number + 1 :] if other.is_open != piece.is_open)
        answers.append(_Answer(piece.begin, _status(piece, next(later, None))))
    return tuple(answers)


def _status(piece: _Piece, change: datetime | None) -> WindowStatus:
    """What people see; of the two changes it has the one that comes next."""
    moment = None if change is None else render_time(change)
    if piece.is_open:
        return WindowStatus(state=GateState.OPEN, reason=piece.reason, next_close=moment)
    return WindowStatus(state=GateState.CLOSED, reason=piece.reason, next_open=moment)


def _pieces(policies: _Policies, since: datetime, end: datetime) -> list[_Piece]:
    """The verdicts between two moments, and after them the first that differs from their last."""
    pieces: list[_Piece] = []
    for looked, (moment, inside) in enumerate(_moments(policies, since)):
        is_open = all(_lets_open(number, policy, inside) for number, policy in enumerate(policies))
        if moment < end:
            pieces.append(_Piece(moment, is_open, _reason(policies, inside)))
        elif is_open != pieces[-1].is_open:
            return [*pieces, _Piece(moment, is_open, "")]
        elif looked > MOST_MOMENTS:  # never before the day is complete
            break
    return pieces


def _moments(policies: _Policies, since: datetime) -> Iterator[tuple[datetime, _Inside]]:
    """`since`, then each moment at which a window begins or ends; with the windows in which it lies."""
    streams = [
        _edges(schedule, (number, position), since)
        for number, policy in enumerate(policies)
        for position, schedule in enumerate(policy)
    ]
    nothing = _Edge(since, _NOWHERE, True, None)  # has the first moment be `since`, whatever begins then
    inside: dict[tuple[int, int], datetime | None] = {}
    for moment, edges in groupby(merge([nothing], *streams), key=lambda edge: edge.moment):
        for edge in edges:
            if edge.begins:
                inside[edge.place] = edge.end
            else:
                del inside[edge.place]
        yield moment, inside


def _edges(schedule: _Schedule, place: tuple[int, int], since: datetime) -> Iterator[_Edge]:
    """A window's beginnings and ends in order; what has begun before counts from `since`."""
    for begin, end in _spans(schedule, since):
        yield _Edge(max(begin, since), place, True, end)
        if end is not None:
            yield _Edge(end, place, False, None)


def _spans(schedule: _Schedule, since: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    """What a window covers after a moment: in order, with nothing between spans that touch or overlap."""
    limit = since + HORIZON
    starts = _instants(schedule, since - schedule.duration, limit)
    begin = next(starts, None)
    if begin is None:
        return
    end = begin + schedule.duration
    for start in starts:
        if start > end:
            yield begin, end
            begin = start
        end = start + schedule.duration
    yield begin, end if end <= limit else None


def _instants(schedule: _Schedule, after: datetime, limit: datetime) -> Iterator[datetime]:
    """When a window starts anew, in order, later than `after` and not later than `limit`.

    Each is held back until the days behind it are known: a zone that skips hours, or a whole day, puts starts
    that no clock shows behind some of those that follow.
    """
    until = schedule.rule.until
    held: list[datetime] = []
    for day in _days(schedule.rule, after.date() - 2 * _ONE_DAY, limit.date() + 2 * _ONE_DAY):
        due = datetime.combine(day, time(), UTC) - _ONE_DAY
        yield from (start for start in held if start < due)
        held = [start for start in held if start >= due]
        for local in starts_on(schedule.rule, day):
            start = _instant(local, schedule.zone)
            if after < start <= limit and (until is None or start <= until):
                held.append(start)
        held.sort()
    yield from held


def _days(rule: Rule, first: date, last: date) -> Iterable[date]:
    """The days between two on which a rule may start something."""
    first = max(first, rule.start.date())
    last = min(last, rule.last.date()) if rule.last is not None else last
    return (first + days * _ONE_DAY for days in range((last - first).days + 1))


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """As RFC 5545 has it: the first of two that clocks show; one that they skip by the offset before."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _lets_open(number: int, policy: tuple[_Schedule, ...], inside: _Inside) -> bool:
    """Outside every Deny window, and inside an Allow window where the policy has any."""
    here = [schedule.denies for position, schedule in enumerate(policy) if (number, position) in inside]
    return not any(here) and (bool(here) or all(schedule.denies for schedule in policy))


def _reason(policies: _Policies, inside: _Inside) -> str:
    """What keeps it shut, every Deny first; or else what lets it open."""
    denied, outside, allowed = [], [], []
    for number, policy in enumerate(policies):
        here = [(each, inside[number, n]) for n, each in enumerate(policy) if (number, n) in inside]
        allows = [each.name for each in policy if not each.denies]
        inside_allow = [each.name for each, _ in here if not each.denies]
        denied += [_denial(each, end) for each, end in here if each.denies]
        allowed += [f"inside {name}" for name in inside_allow]
        if allows and not inside_allow:
            outside.append(f"outside every Allow window: {', '.join(allows)}")
    return _listed([*denied, *outside] or allowed or ["outside every Deny window"])


def _denial(schedule: _Schedule, end: datetime | None) -> str:
    """A Deny window, and when it ends if that is in sight."""
    until = "" if end is None else f" until {end:%Y-%m-%dT%H:%M:%SZ}"
    return f"Deny {schedule.name}{until}"


def _listed(items: Iterable[str]) -> str:
    """Each once, cut to what status takes."""
    text = "; ".join(dict.fromkeys(items))
    return text if len(text) <= _MOST_REASON else f"{text[: _MOST_REASON - 3]}..."


@lru_cache(maxsize=4096)
def _read(window: Window) -> _Schedule:
    """A window's meaning; raises WindowUnreadableError where it has none."""
    try:
        start = datetime.fromisoformat(window.start)
    except ValueError:
        raise WindowUnreadableError(f"window {window.name}: no such time: {window.start}") from None
    rule = read_rule(window.recurrence, start)
    if isinstance(rule, str):
        raise WindowUnreadableError(f"window {window.name}: {rule}")
    return _Schedule(
        name=window.name,
        denies=window.effect is Effect.DENY,
        zone=_zone(window),
        rule=rule,
        duration=timedelta(seconds=window.duration_seconds),
    )


def _zone(window: Window) -> ZoneInfo:
    """The zone, from the system's data or the tzdata package; no path and no folder is one."""
    key = window.time_zone
    try:
        zone = ZoneInfo(key)
    except (KeyError, ValueError, OSError, ImportError):
        zone = None
    if zone is None or key.partition("/")[0] in _NOT_IANA:
        raise WindowUnreadableError(f"window {window.name}: unknown time zone: {key}")
    return zone
