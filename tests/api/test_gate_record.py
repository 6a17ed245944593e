"""The gate record as text in a ConfigMap: everything comes back, nothing odd gets through."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from golive_api import API_VERSION
from golive_api.gate import NOTICE, GateRecord, GateUnreadableError, gate_name
from golive_api.golive import Environment, GateState
from golive_api.profiles import Limits
from golive_api.values import render_time

LIMITS: dict[str, Any] = {
    "maxPositionNotional": "100",
    "maxPositions": 2,
    "maxLeverage": "2",
    "maxExposurePercent": "20",
    "maxMarginPercent": "10",
    "maxDailyLossPercent": "1.5",
    "maxWeeklyLossPercent": "10",
    "maxDrawdownPercent": "10",
    "maxTradeRiskPercent": "10",
    "maxCorrelatedExposurePercent": "10",
    "maxPriceDeviationPercent": "10",
    "maxPriceMovePercent": "10",
    "maxDailyTrades": 10,
    "maxOrdersPerMinute": 1000,
    "maxRepeatedOrders": 1000,
}
DIGEST = ".".join(["0" * 64] * 3)
OPEN = {
    "apiVersion": API_VERSION,
    "namespace": "trading",
    "name": "perps",
    "uid": "uid-1",
    "engine": "perps-engine",
    "environment": "production",
    "state": "Open",
    "reason": "Open",
    "message": "every check holds",
    "epoch": "3",
    "serial": "7",
    "revision": "1",
    "digest": DIGEST,
    "profile": "micro",
    "limits": json.dumps(LIMITS),
    "accounts": '["main"]',
    "approvers": '["approver"]',
    "requestedBy": "trader",
    "openedTime": "2026-11-20T11:00:00.000000Z",
    "issuedTime": "2026-11-20T12:00:00.000000Z",
    "validUntil": "2026-11-20T12:00:15.000000Z",
    "ttlSeconds": "15",
    "NOTICE": NOTICE,
}
"""A ConfigMap's data as the operator writes it."""

HAVE_DEFAULTS = {"apiVersion", "message", "approvers", "openedTime", "NOTICE"}
"""Keys that may be missing: none of them lets an engine do anything."""

names = st.text("abcxyz019", min_size=1, max_size=63)
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001  # Hypothesis wants naive bounds
    lambda moment: render_time(moment.replace(tzinfo=UTC))
)
decimals = st.decimals(0, 10**6, places=8).map(lambda value: f"{value:f}")
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
records = st.fixed_dictionaries(
    {
        "api_version": st.just(API_VERSION),
        "namespace": names,
        "name": names,
        "uid": text,
        "engine": names,
        "environment": st.sampled_from(Environment),
        "state": st.sampled_from(GateState),
        "reason": text,
        "message": text,
        "epoch": st.integers(0, 10**18 - 1),
        "serial": st.integers(1, 10**18 - 1),
        "revision": st.integers(1, 10**18 - 1),
        "digest": st.just(DIGEST),
        "profile": names,
        "limits": limits,
        "accounts": st.lists(names, max_size=16),
        "approvers": st.lists(text, max_size=16),
        "requested_by": text,
        "opened_time": st.none() | times,
        "issued_time": times,
        "valid_until": times,
        "ttl_seconds": st.integers(1, 60),
    }
).map(GateRecord.model_validate)


@settings(max_examples=100, deadline=None)
@given(record=records)
def test_a_record_comes_back_from_its_configmap_as_it_was(record: GateRecord) -> None:
    """Flat text in both directions, also for names and messages in any script."""
    data = record.data()
    assert all(isinstance(value, str) for value in data.values())
    assert GateRecord.from_data(data) == record


def test_the_written_keys_are_the_ones_that_policies_read() -> None:
    """What the API server checks, and what an engine reads, is spelled the same in each write."""
    assert GateRecord.from_data(OPEN).data().keys() == OPEN.keys()
    assert GateRecord.from_data(OPEN).expires == datetime(2026, 11, 20, 12, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize("key", sorted(OPEN.keys() - HAVE_DEFAULTS))
def test_an_open_gate_is_unreadable_without(key: str) -> None:
    """An open gate is complete or it is no gate."""
    with pytest.raises(GateUnreadableError):
        GateRecord.from_data({name: value for name, value in OPEN.items() if name != key})


MALFORMED: dict[str, tuple[str, str]] = {
    "another version": ("apiVersion", "golive.dev/v2"),
    "a version with a line after it": ("apiVersion", f"{API_VERSION}\n"),
    "a name with a capital": ("name", "Perps"),
    "a name of 300 characters": ("name", "p" * 300),
    "an engine with a dot": ("engine", "a.b"),
    "an empty uid": ("uid", ""),
    "an unknown environment": ("environment", "moon"),
    "an unknown state": ("state", "Ajar"),
    "a state in other letter case": ("state", "open"),
    "an empty state": ("state", ""),
    "an empty reason": ("reason", ""),
    "a message that is too long": ("message", "m" * 1025),
    "a negative epoch": ("epoch", "-1"),
    "an epoch with a sign": ("epoch", "+3"),
    "an epoch with a fraction": ("epoch", "3.0"),
    "an epoch in other digits": ("epoch", "３"),  # noqa: RUF001  # the full-width digit is the point
    "an epoch with a blank": ("epoch", " 3"),
    "an epoch of nineteen digits": ("epoch", "1" * 19),
    "a serial of nothing": ("serial", ""),
    "a serial of zero": ("serial", "0"),
    "a revision of zero": ("revision", "0"),
    "a digest of one part": ("digest", "0" * 64),
    "a digest in capitals": ("digest", DIGEST.replace("0", "A")),
    "limits that are not JSON": ("limits", "{"),
    "limits that are no object": ("limits", "[]"),
    "limits that are absent in an open gate": ("limits", "null"),
    "limits with an unknown one": ("limits", json.dumps(LIMITS | {"maxLuck": "1"})),
    "limits without one": ("limits", json.dumps({key: LIMITS[key] for key in LIMITS if key != "maxLeverage"})),
    "limits below nothing": ("limits", json.dumps(LIMITS | {"maxLeverage": "-1"})),
    "limits with an exponent": ("limits", json.dumps(LIMITS | {"maxLeverage": "1e9"})),
    "limits without bound": ("limits", json.dumps(LIMITS | {"maxLeverage": "Infinity"})),
    "limits as floats": ("limits", json.dumps(LIMITS | {"maxLeverage": 2.5})),
    "limits that are not a number": ("limits", json.dumps(LIMITS | {"maxPositions": float("nan")})),
    "limits nested without end": ("limits", "[" * 100_000),
    "limits with a number without end": ("limits", "1" * 5000),
    "accounts that are no list": ("accounts", '"main"'),
    "accounts with a number": ("accounts", "[1]"),
    "approvers that are null": ("approvers", "null"),
    "nobody's request": ("requestedBy", ""),
    "an opening time that is none": ("openedTime", "yesterday"),
    "a reading time in another zone": ("issuedTime", "2026-11-20T12:00:00+01:00"),
    "an end that is no time": ("validUntil", "never"),
    "an end on no calendar": ("validUntil", "2026-02-30T00:00:00Z"),
    "no time to live": ("ttlSeconds", "0"),
    "a time to live of an hour": ("ttlSeconds", "3600"),
    "a key that this version does not know": ("override", "yes"),
    "a key that differs in letter case": ("State", "Open"),
}


@pytest.mark.parametrize("sentence", MALFORMED)
def test_a_gate_is_unreadable_with(sentence: str) -> None:
    """One value that does not belong there makes all of it unreadable, with one kind of error."""
    key, value = MALFORMED[sentence]
    with pytest.raises(GateUnreadableError):
        GateRecord.from_data(OPEN | {key: value})


@pytest.mark.parametrize(
    ("wire", "python"),
    [("validUntil", "valid_until"), ("requestedBy", "requested_by"), ("issuedTime", "issued_time")],
)
def test_a_key_in_another_spelling_is_not_that_key(wire: str, python: str) -> None:
    """The API server's policies check one spelling, so the engine must obey no other."""
    data = {key: value for key, value in OPEN.items() if key != wire}
    with pytest.raises(GateUnreadableError):
        GateRecord.from_data(data | {python: OPEN[wire]})


@settings(max_examples=100, deadline=None)
@given(
    data=st.dictionaries(st.sampled_from(sorted(OPEN)) | text, text | st.just("{}") | st.just("9"), max_size=30)
)
def test_any_text_is_a_record_or_unreadable(data: dict[str, str]) -> None:
    """There is no third outcome, so a reader needs to catch one error only."""
    try:
        record = GateRecord.from_data(data)
    except GateUnreadableError:
        return
    assert GateRecord.from_data(record.data()) == record


@pytest.mark.parametrize("state", ["Open", "ReduceOnly"])
@pytest.mark.parametrize("missing", ["limits", "digest"])
def test_a_gate_that_lets_orders_through_has_limits_and_digest(state: str, missing: str) -> None:
    """Also when the record is made, not only when it is read."""
    whole = GateRecord.from_data(OPEN | {"state": state}).model_dump()
    with pytest.raises(ValidationError):
        GateRecord.model_validate(whole | {missing: None})


def test_a_closed_gate_needs_neither_limits_nor_digest() -> None:
    """Closing is never held up by what is not known."""
    data = {key: value for key, value in OPEN.items() if key not in {"limits", "digest"}}
    assert GateRecord.from_data(data | {"state": "Closed"}).state is GateState.CLOSED


def test_a_record_is_immutable() -> None:
    """Nobody turns a record that was read as Closed into an open one."""
    record = GateRecord.from_data(OPEN | {"state": "Closed"})
    with pytest.raises(ValidationError):
        record.state = GateState.OPEN  # type: ignore[misc]  # what the test is about


def test_a_gate_is_named_after_its_golive() -> None:
    """Policies and engines find it by this name."""
    assert gate_name("perps") == "golive-gate-perps"
