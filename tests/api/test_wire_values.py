"""Times, digests, limits, reasons, conditions and acknowledgements, as they cross between processes."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from golive_api.acknowledgement import Acknowledgement, lease_name, read_acknowledgement
from golive_api.conditions import Condition, carry_times
from golive_api.digest import canonical, combined, differing_parts, sha256
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import parse_time, percent_of, render_time

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(  # noqa: DTZ001  # Hypothesis wants naive bounds
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(moment=moments)
def test_a_time_comes_back_as_it_was(moment: datetime) -> None:
    """To the microsecond, which a Lease insists on."""
    assert parse_time(render_time(moment)) == moment


TIMES = {
    "2026-11-20T12:00:00Z": NOON,
    "2026-11-20T12:00:00.5Z": NOON + timedelta(milliseconds=500),
    "2026-11-20T12:00:00.000001Z": NOON + timedelta(microseconds=1),
    "2026-11-20T12:00:00.123456789Z": NOON + timedelta(microseconds=123456),
}


@pytest.mark.parametrize("written", TIMES)
def test_a_time_is_read_with_any_precision(written: str) -> None:
    """Other clients write seconds or nanoseconds."""
    assert parse_time(written) == TIMES[written]


@pytest.mark.parametrize("written", [
    "", "now", "2026-11-20", "2026-11-20T12:00:00", "2026-11-20T12:00:00+00:00", "2026-11-20T13:00:00+01:00",
    "2026-11-20t12:00:00z", "2026-11-20 12:00:00Z", "2026-11-20T12:00Z", "2026-13-01T00:00:00Z",
    "2026-02-29T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T12:00:60Z", "2026-11-20T12:00:00.Z",
    "2026-11-20T12:00:00.1234567890Z", "2026-11-20T12:00:00Z\n", " 2026-11-20T12:00:00Z",
    "-2026-11-20T12:00:00Z",
    "２０２６-11-20T12:00:00Z",  # noqa: RUF001  # the full-width digits are the point
])  # fmt: skip
def test_anything_but_rfc_3339_in_utc_is_refused(written: str) -> None:
    """A time that is guessed at would be a gate that is open for the wrong reason."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(written)


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    """The moment is what counts."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert render_time(elsewhere) == "2026-11-20T12:00:00.000000Z"


def test_equal_values_have_equal_digests() -> None:
    """Order and spacing are no content; type and nesting are."""
    assert canonical({"b": 1, "a": ["ü", None]}) == '{"a":["\\u00fc",null],"b":1}'
    assert sha256({"a": 1, "b": 2}) == sha256({"b": 2, "a": 1})
    different: list[object] = [{}, [], "", None, 0, "0", False, {"a": None}]
    assert len({sha256(value) for value in different}) == 8


PARTS = {
    ("r", "p", "e"): (),
    ("x", "p", "e"): ("request",),
    ("r", "x", "e"): ("profile",),
    ("r", "p", "x"): ("engine",),
    ("x", "p", "x"): ("request", "engine"),
    ("x", "x", "x"): ("request", "profile", "engine"),
}


@pytest.mark.parametrize("parts", PARTS)
def test_a_combined_digest_tells_which_part_differs(parts: tuple[str, str, str]) -> None:
    """So that people know what to look at again."""
    assert differing_parts(combined("r", "p", "e"), combined(*parts)) == PARTS[parts]


decimals = st.decimals(0, 10**6, places=8).map(lambda value: f"{value:f}")
COUNTS = dict.fromkeys(("max_positions", "max_daily_trades", "max_orders_per_minute", "max_repeated_orders"), 1)
"""Limits that are counts, not decimal text."""

limits = st.fixed_dictionaries(
    {
        "max_position_notional": decimals,
        "max_positions": st.integers(1, 1000),
        "max_leverage": decimals,
        "max_exposure_percent": decimals,
        "max_margin_percent": decimals,
        "max_daily_loss_percent": decimals,
        "max_weekly_loss_percent": decimals,
        "max_drawdown_percent": decimals,
        "max_trade_risk_percent": decimals,
        "max_correlated_exposure_percent": decimals,
        "max_price_deviation_percent": decimals,
        "max_price_move_percent": decimals,
        "max_daily_trades": st.integers(1, 1_000_000),
        "max_orders_per_minute": st.integers(1, 10_000),
        "max_repeated_orders": st.integers(1, 10_000),
    }
).map(Limits.model_validate)


def figures(some: Limits) -> list[Decimal]:
    """Every limit as a number."""
    return [Decimal(getattr(some, name)) for name in Limits.model_fields]


@given(one=limits, other=limits)
def test_the_stricter_limits_are_never_looser_than_either(one: Limits, other: Limits) -> None:
    """Each limit is the smaller of the two, by value and not by spelling, whichever side is asked."""
    strict = one.stricter(other)
    assert figures(strict) == [min(pair) for pair in zip(figures(one), figures(other), strict=True)]
    assert figures(strict) == figures(other.stricter(one))
    assert strict.stricter(one) == strict.stricter(other) == strict
    assert one.stricter(one) == one


def test_limits_are_compared_as_numbers() -> None:
    """As text, 9 would be more than 10."""
    ten = Limits.model_validate(dict.fromkeys(Limits.model_fields, "10") | COUNTS)
    nine = ten.model_copy(update={"max_leverage": "9"})
    assert ten.stricter(nine).max_leverage == nine.stricter(ten).max_leverage == "9"


@pytest.mark.parametrize(
    "value", ["-1", "+1", "1e3", ".5", "1.", "NaN", "Infinity", "", " 1", "1,5", "0.123456789", "1\n", "\u0661"]
)
def test_money_is_plain_decimal_text(value: str) -> None:
    """No sign, no exponent, no other script, at most eight places."""
    plain = dict.fromkeys(Limits.model_fields, "10") | COUNTS
    with pytest.raises(ValidationError):
        Limits.model_validate(plain | {"max_leverage": value})


def test_percent_of_an_amount_is_exact() -> None:
    """No float rounds it."""
    assert percent_of(Decimal("1.1"), Decimal(300)) == Decimal("3.3")


def test_every_reason_has_a_sentence() -> None:
    """One code each, usable in a condition, explained to a person in a sentence of its own."""
    for reason in Reason:
        assert re.fullmatch(r"[A-Z][A-Za-z]{1,63}", reason.value)
        assert re.fullmatch(r"[A-Z/s].+\.", reason.sentence)
    assert len({reason.sentence for reason in Reason}) == len(Reason)


def condition(kind: str, status: str, at: datetime, reason: str = "Some") -> Condition:
    """A condition that changed at a time."""
    return Condition(type=kind, status=status, last_transition_time=render_time(at), reason=reason, message="")


@pytest.mark.parametrize(("before", "after", "kept"), [
    ([("Ready", "True")], ("Ready", "True"), True),
    ([("Ready", "True")], ("Ready", "False"), False),
    ([("Ready", "Unknown")], ("Ready", "False"), False),
    ([("Other", "True")], ("Ready", "True"), False),
    ([], ("Ready", "True"), False),
])  # fmt: skip
def test_a_transition_time_is_kept_while_the_value_stands(
    before: list[tuple[str, str]], after: tuple[str, str], *, kept: bool
) -> None:
    """A change of reason or message alone is no transition."""
    old = [condition(kind, status, NOON) for kind, status in before]
    (carried,) = carry_times(old, [condition(*after, NOON + timedelta(hours=1), "Other")])
    assert carried.last_transition_time == render_time(NOON if kept else NOON + timedelta(hours=1))
    assert carried.reason == "Other"


ACKNOWLEDGED = {
    "golive.dev/state": "Open",
    "golive.dev/reason": "GateOpen",
    "golive.dev/uid": "uid-1",
    "golive.dev/epoch": "3",
    "golive.dev/serial": "7",
    "golive.dev/acknowledgedTime": "2026-11-20T12:00:00.000000Z",
}


@given(state=st.sampled_from(["Open", "ReduceOnly", "Closed"]), uid=st.text(max_size=64),
       epoch=st.integers(0, 10**15),        serial=st.integers(0, 10**15), moment=moments)  # fmt: skip
def test_an_acknowledgement_comes_back_from_its_annotations(
    state: str, uid: str, epoch: int, serial: int, moment: datetime
) -> None:
    """Text in both directions, with other annotations around it."""
    said = Acknowledgement(
        state=state,
        reason="GateOpen",
        uid=uid,
        epoch=epoch,
        serial=serial,
        acknowledged_time=render_time(moment),
    )
    assert read_acknowledgement(said.annotations() | {"other.dev/state": "x"}) == said


@pytest.mark.parametrize(("key", "value"), [
    ("state", "S" * 17), ("reason", "R" * 65), ("uid", "u" * 65), ("epoch", "-1"), ("epoch", "three"),
    ("serial", ""), ("acknowledgedTime", "yesterday"), ("mood", "good"),
])  # fmt: skip
def test_an_acknowledgement_that_can_not_be_read_is_none(key: str, value: str) -> None:
    """An engine can write anything there; what is no acknowledgement counts as silence."""
    assert read_acknowledgement(ACKNOWLEDGED) is not None
    assert read_acknowledgement(ACKNOWLEDGED | {f"golive.dev/{key}": value}) is None


@pytest.mark.parametrize("missing", ["state", "reason", "acknowledgedTime"])
def test_an_acknowledgement_is_whole_or_none(missing: str) -> None:
    """Half of one says nothing."""
    assert (
        read_acknowledgement({k: v for k, v in ACKNOWLEDGED.items() if not k.endswith(f"/{missing}")}) is None
    )
    assert read_acknowledgement({}) is None


def test_an_engines_lease_is_named_after_its_deployment() -> None:
    """Operator, engine and plugin find it by this name."""
    assert lease_name("perps-engine") == "golive-engine-perps-engine"
