"""The series without which trading can't be watched: where they must be, and how young."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from golive_api.engine_report import REQUIRED_DECISIONS, REQUIRED_SERIES
from golive_decisions.answered import number, text_of
from golive_decisions.preflight_run import Answer
from golive_decisions.prometheus import Subject, Track, tracks

MOST_AGE_SECONDS = 60
"""A required series without a sample younger than this is not being scraped."""

MOST_LEAD_SECONDS = 10
"""A sample further in the future proves only that two clocks differ."""

UP = "up"
"""What Prometheus itself says of a target: 1 after a scrape that went well."""

_DECISIONS = "risk_gate_decisions_total"
_SAMPLE = re.compile(
    r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$", re.MULTILINE | re.ASCII
)
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', re.ASCII)


@dataclass(frozen=True, slots=True)
class Series:
    """One required series."""

    name: str
    label: tuple[str, str] | None = None
    """A label that it must have."""

    @property
    def names(self) -> tuple[str, str]:
        """What it may be called: a histogram shows itself by its count."""
        return self.name, f"{self.name}_count"

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a sample belongs to it."""
        return name in self.names and (self.label is None or labels.get(self.label[0]) == self.label[1])

    def __str__(self) -> str:
        return self.name if self.label is None else f'{self.name}{{{self.label[0]}="{self.label[1]}"}}'


def _series() -> Iterator[Series]:
    for name in REQUIRED_SERIES:
        if name == _DECISIONS:
            yield from (Series(name, ("decision", value)) for value in REQUIRED_DECISIONS)
        else:
            yield Series(name)


REQUIRED = tuple(_series())
"""Every required series."""


def scraped_query(subject: Subject) -> str:
    """PromQL for the newest samples of every required series and of the target itself.

    A range selector, because an instant one answers with the time of the question, not of the sample.
    """
    names = "|".join([UP, *(name for series in REQUIRED for name in series.names)])
    query = f'{{__name__=~"{names}",namespace="$namespace",pod="$pod"}}[{MOST_AGE_SECONDS}s]'
    return subject.fill(query)


def relevant(text: str) -> str:
    """The lines of Prometheus' text format that speak of required series: a run need not keep the others."""
    names = {name for series in REQUIRED for name in series.names}
    return "\n".join(found[0] for found in _SAMPLE.finditer(text) if found[1] in names)


@lru_cache(maxsize=64)  # a look asks for it a dozen times
def missing_in_metrics(answer: Answer) -> tuple[str, ...]:
    """Required series without a finite value in Prometheus' text format. Raises UnusableError."""
    found = [
        (name, dict(_LABEL.findall(labels)))
        for name, labels, value in _SAMPLE.findall(text_of(answer))
        if number(value) is not None
    ]
    return tuple(str(series) for series in REQUIRED if not any(series.matches(*sample) for sample in found))


@lru_cache(maxsize=64)  # the same
def missing_in_prometheus(answer: Answer, pod: str, began: datetime, ended: datetime) -> tuple[str, ...]:
    """Required series without a young, finite sample of a pod in Prometheus. Raises UnusableError."""
    found = [
        (track.metric.get("__name__", ""), track.metric)
        for track in tracks(answer)
        if track.metric.get("pod") == pod and is_young(track, began, ended)
    ]
    return tuple(str(series) for series in REQUIRED if not any(series.matches(*sample) for sample in found))


def is_young(track: Track, began: datetime, ended: datetime) -> bool:
    """Whether the newest sample is a number, and of the minute before it was asked for."""
    if not track.values:
        return False
    time, value = track.values[-1]
    in_time = began.timestamp() - MOST_AGE_SECONDS <= time <= ended.timestamp() + MOST_LEAD_SECONDS
    return in_time and number(value) is not None
