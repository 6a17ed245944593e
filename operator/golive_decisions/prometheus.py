"""What Prometheus is asked for, and what its answers say; a value without a time is none."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from golive_decisions.answered import model_of, number
from golive_decisions.preflight_run import Answer
from golive_decisions.verdicts import UnusableError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_VARIABLE = re.compile(r"\$(namespace|engine|pod)\b")

Moment = Annotated[float, Field(allow_inf_nan=False)]
"""Seconds since 1970 by Prometheus' clock."""

Value = tuple[Moment, str]
"""Time and value of a sample."""


class _Part(BaseModel):
    """Fields that nobody reads are not minded, so that a newer Prometheus can be asked, too."""

    model_config = ConfigDict(frozen=True, strict=True)


class Point(_Part):
    """One series at one time."""

    metric: dict[str, str]
    value: Value


class Track(_Part):
    """One series over a span of time, oldest first."""

    metric: dict[str, str]
    values: list[Value] = []


class _Vector(_Part):
    result_type: Literal["vector"] = Field(alias="resultType")
    result: list[Point]


class _Scalar(_Part):
    result_type: Literal["scalar"] = Field(alias="resultType")
    result: Value


class _Matrix(_Part):
    result_type: Literal["matrix"] = Field(alias="resultType")
    result: list[Track]


class _Answer(_Part):
    status: Literal["success"]
    warnings: list[str] = []
    """A part of the data is missing, or the query means something else than it says."""


Kind = TypeVar("Kind", bound=_Answer)


class _Instant(_Answer):
    data: _Vector | _Scalar = Field(discriminator="result_type")


class _Range(_Answer):
    data: _Matrix


class Rule(_Part):
    """One loaded alert rule."""

    name: str
    health: str = "unknown"
    """Whether its last evaluation went well: ok, err or unknown."""
    last_error: str = Field(default="", alias="lastError")


class _Group(_Part):
    rules: list[Rule]


class _Groups(_Part):
    groups: list[_Group]


class _Rules(_Answer):
    data: _Groups


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a query is about."""

    namespace: str
    engine: str
    pod: str

    def fill(self, query: str) -> str:
        """The query with $namespace, $engine and $pod replaced. Raises UnusableError for a name that is none.

        Names of the API server hold nothing that could end a quoted string of PromQL.
        """
        values = {"namespace": self.namespace, "engine": self.engine, "pod": self.pod}
        for name, value in values.items():
            if not _NAME.fullmatch(value):
                raise UnusableError(f"{value[:80]!r} is no name of a {name}")
        return _VARIABLE.sub(lambda found: values[found[1]], query)


def instant(answer: Answer) -> list[Point]:
    """The values of an instant query. Raises UnusableError for anything but numbers that are all there."""
    data = _unwarned(model_of(_Instant, answer)).data
    points = data.result if isinstance(data, _Vector) else [Point(metric={}, value=data.result)]
    if not points:
        raise UnusableError("answered with no value")
    return points


def tracks(answer: Answer) -> list[Track]:
    """The samples of a range selector. Raises UnusableError."""
    return _unwarned(model_of(_Range, answer)).data.result


def rules(answer: Answer) -> list[Rule]:
    """The loaded alert rules. Raises UnusableError."""
    return [rule for group in _unwarned(model_of(_Rules, answer)).data.groups for rule in group.rules]


def value_of(point: Point) -> Decimal:
    """A finite value. Raises UnusableError for NaN and infinities."""
    value = number(point.value[1])
    if value is None:
        raise UnusableError(f"answered {point.value[1][:40]}, which is no number")
    return value


def _unwarned(answer: Kind) -> Kind:
    if answer.warnings:
        raise UnusableError(f"answered with a warning: {answer.warnings[0]}"[:300])
    return answer
