"""What failures mean, as pure functions of what was seen on the wire."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.settings import VenueSettings
from golive_engine.trading import OutcomeUnknownError, RefusedError, UnavailableError, VenueName
from golive_engine.transport import Attempt
from golive_engine.venues import binance, bybit, okx, settle_seconds
from golive_engine.venues.hold_off import HoldOff
from golive_engine.venues.verdicts import Codes, SaidNoError, codes_of, order_error, read_error, wait_seconds

CODES = {"binanceusdm": binance.CODES, "bybit": bybit.CODES, "okx": okx.CODES}


def body_of(venue: str, code: int) -> dict[str, Any]:
    """A refusal in a venue's envelope."""
    bodies: dict[str, dict[str, Any]] = {
        "binanceusdm": {"code": code, "msg": "no"},
        "bybit": {"retCode": code, "retMsg": "no", "result": {}},
        "okx": {"code": "1", "data": [{"sCode": str(code), "sMsg": "no"}], "msg": ""},
    }
    return bodies[venue]


def attempt_of(status: int = 200, body: object = b"", **more: Any) -> Attempt:
    """A request that was written, and what came back."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Attempt(check=lambda: None, sent=True, status=status, body=raw, **more)


CERTAIN: dict[str, tuple[str, int, int]] = {
    "too little margin on Binance": ("binanceusdm", 400, -2019),
    "a reduce-only order without a position on Binance": ("binanceusdm", 400, -2022),
    "a stop that would trigger at once on Binance": ("binanceusdm", 400, -2021),
    "a revoked key on Binance": ("binanceusdm", 401, -2015),
    "a stale timestamp on Binance": ("binanceusdm", 400, -1021),
    "too many orders on Binance": ("binanceusdm", 429, -1015),
    "a ban on Binance": ("binanceusdm", 418, -1003),
    "too little margin on Bybit": ("bybit", 200, 110007),
    "bad parameters on Bybit": ("bybit", 200, 10001),
    "a past trigger on Bybit": ("bybit", 200, 110092),
    "too many visits on Bybit": ("bybit", 200, 10006),
    "an address that asks too much of Bybit": ("bybit", 403, 10018),
    "a stale timestamp on Bybit": ("bybit", 200, 10002),
    "too little margin on OKX": ("okx", 200, 51008),
    "a lot that does not fit on OKX": ("okx", 200, 51121),
    "bad parameters on OKX": ("okx", 400, 51000),
    "a stale timestamp on OKX": ("okx", 401, 50102),
    "too many requests on OKX": ("okx", 429, 50011),
}

OPEN: dict[str, tuple[str, int, int]] = {
    "a known id on Binance": ("binanceusdm", 400, -4116),
    "Binance's own timeout": ("binanceusdm", 408, -1007),
    "Binance's own timeout with another status": ("binanceusdm", 400, -1007),
    "an answer of Binance that it did not understand itself": ("binanceusdm", 400, -1006),
    "a server error of Binance that reads like a refusal": ("binanceusdm", 503, -2019),
    "a timeout of Binance that reads like a refusal": ("binanceusdm", 408, -2019),
    "a known id on Bybit": ("bybit", 200, 110072),
    "a known order on Bybit": ("bybit", 200, 110030),
    "an order in progress on Bybit": ("bybit", 200, 110079),
    "Bybit's own timeout": ("bybit", 200, 10000),
    "Bybit's own trouble": ("bybit", 200, 10016),
    "a code of Bybit that nobody knows": ("bybit", 200, 987654),
    "a server error of Bybit that reads like a refusal": ("bybit", 500, 110007),
    "a known id on OKX": ("okx", 200, 51016),
    "a known id of a stop on OKX": ("okx", 200, 51065),
    "an order that timed out on OKX": ("okx", 200, 51149),
    "OKX's own timeout": ("okx", 200, 50004),
    "OKX's own trouble": ("okx", 200, 50026),
    "a code of OKX that nobody knows": ("okx", 200, 98765),
    "a server error of OKX that reads like a refusal": ("okx", 503, 51008),
}


@pytest.mark.parametrize(("venue", "status", "code"), CERTAIN.values(), ids=CERTAIN)
def test_there_is_no_order_after(venue: str, status: int, code: int) -> None:
    """The venue itself said a code that means it."""
    verdict = order_error(ValueError(), attempt_of(status, body_of(venue, code)), CODES[venue])
    assert type(verdict) is RefusedError


@pytest.mark.parametrize(("venue", "status", "code"), OPEN.values(), ids=OPEN)
def test_there_may_be_an_order_after(venue: str, status: int, code: int) -> None:
    """Anything else is asked about, never sent again."""
    verdict = order_error(ValueError(), attempt_of(status, body_of(venue, code)), CODES[venue])
    assert type(verdict) is OutcomeUnknownError


venues = st.sampled_from(sorted(CODES))
statuses = st.integers(min_value=0, max_value=599)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "data", "retCode"]), inner)
    ),
    max_leaves=6,
)
bodies = st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())


@given(venues, st.integers(min_value=500, max_value=599), st.integers(-99_999, 999_999))
def test_no_server_error_is_ever_certain(venue: str, status: int, code: int) -> None:
    """Whatever code it carries."""
    verdict = order_error(ValueError(), attempt_of(status, body_of(venue, code)), CODES[venue])
    assert isinstance(verdict, OutcomeUnknownError)


@given(venues, statuses, bodies)
def test_any_answer_gets_a_verdict(venue: str, status: int, body: bytes) -> None:
    """Nothing that comes over the wire breaks the judge, and without a code nothing is certain."""
    attempt, codes = attempt_of(status, body), CODES[venue]
    verdict = order_error(ValueError(), attempt, codes)
    assert isinstance(verdict, RefusedError | OutcomeUnknownError)
    assert isinstance(verdict, OutcomeUnknownError) or codes_of(attempt, codes)
    assert isinstance(read_error(ValueError(), attempt, codes), UnavailableError)


@given(venues, statuses, bodies)
def test_what_was_never_written_was_never_sent(venue: str, status: int, body: bytes) -> None:
    """Certain, whatever was read before."""
    attempt = attempt_of(status, body)
    attempt.sent = False
    verdict = order_error(ValueError("why"), attempt, CODES[venue])
    assert type(verdict) is RefusedError
    assert str(verdict) == "never sent: ValueError: why"


def test_a_batch_is_refused_only_if_every_row_is() -> None:
    """One row of which nothing is certain leaves all open."""
    rows = [{"sCode": "51008"}, {"sCode": "51149"}]
    attempt = attempt_of(200, {"code": "1", "data": rows, "msg": ""})
    assert codes_of(attempt, okx.CODES) == (51008, 51149)
    assert type(order_error(ValueError(), attempt, okx.CODES)) is OutcomeUnknownError


WAITS: dict[str, tuple[str, int, object, float | None, float | None]] = {
    "the header decides": ("binanceusdm", 429, body_of("binanceusdm", -1003), 7.0, 7.0),
    "else the code": ("binanceusdm", 429, body_of("binanceusdm", -1015), None, 10.0),
    "else a minute": ("okx", 429, b"<html>", None, 60.0),
    "a limit told with a success status": ("bybit", 200, body_of("bybit", 10006), None, 1.0),
    "a limit of OKX": ("okx", 429, {"code": "50011", "data": [], "msg": ""}, None, 2.0),
    "a ban": ("binanceusdm", 418, b"", 120.0, 120.0),
    "a refusal is no limit": ("bybit", 200, body_of("bybit", 110007), None, None),
    "a server error is no limit": ("okx", 503, b"", 5.0, None),
}


@pytest.mark.parametrize(("venue", "status", "body", "header", "expected"), WAITS.values(), ids=WAITS)
def test_how_long_to_stay_away(
    venue: str, status: int, body: object, header: float | None, expected: float | None
) -> None:
    """Retry-After, or what the venue's limits are known to be."""
    assert wait_seconds(attempt_of(status, body, retry_after=header), CODES[venue]) == expected


OUTAGES: dict[str, tuple[str, int, int, bool]] = {
    "a bad symbol": ("binanceusdm", 400, -1121, False),
    "a wrong parameter": ("bybit", 200, 10001, False),
    "an unknown instrument": ("okx", 200, 51001, False),
    "a revoked key": ("binanceusdm", 401, -2014, True),
    "a key that was banned": ("bybit", 200, 10003, True),
    "a wrong passphrase": ("okx", 401, 50105, True),
    "trouble": ("okx", 200, 50013, True),
    "a rate limit": ("bybit", 200, 10006, True),
    "a server error": ("binanceusdm", 500, -1121, True),
}


@pytest.mark.parametrize(("venue", "status", "code", "expected"), OUTAGES.values(), ids=OUTAGES)
def test_which_failures_count_for_the_breaker(venue: str, status: int, code: int, *, expected: bool) -> None:
    """The venue's trouble does, our bad requests don't."""
    error = read_error(ValueError(), attempt_of(status, body_of(venue, code)), CODES[venue])
    assert error.is_outage is expected


def test_codes_reach_those_who_can_tell_them_apart() -> None:
    """An adapter knows which codes mean that nothing was left to do."""
    error = read_error(ValueError(), attempt_of(400, body_of("binanceusdm", -2011)), binance.CODES)
    assert isinstance(error, SaidNoError)
    assert error.codes == (-2011,)


def test_a_message_tells_the_cause_and_no_signature() -> None:
    """It goes into logs and into the journal."""
    error = ValueError("binanceusdm GET https://fapi.binance.com/fapi/v3/account?timestamp=1&signature=ab12")
    error.__cause__ = OSError("connection reset")
    told = str(read_error(error, attempt_of(0), binance.CODES))
    assert told == "ValueError: binanceusdm GET https://fapi.binance.com/fapi/v3/account (connection reset)"


def test_an_order_is_given_up_only_when_its_request_is_too_old() -> None:
    """OKX takes requests for half a minute, whatever the receive window."""
    settings = VenueSettings(recv_window_ms=1000, timeout_seconds=2.0, max_clock_skew_seconds=1.0)
    found = {venue: settle_seconds(venue, settings) for venue in get_args(VenueName)}
    assert found == {"binanceusdm": 5.0, "bybit": 5.0, "okx": 33.0}


def test_a_hold_off_is_never_shortened() -> None:
    """Two answers may ask for different times; the later end counts."""
    hold_off = HoldOff()
    assert hold_off.left(0.0) == 0
    hold_off.extend(100.0, 60.0)
    hold_off.extend(110.0, 1.0)
    assert [hold_off.left(now) for now in (120.0, 159.0, 160.0, 200.0)] == [40.0, 1.0, 0.0, 0.0]


def test_codes_are_read_as_numbers_wherever_they_stand() -> None:
    """The library turns numbers into texts; some venues write texts themselves."""
    reads: list[tuple[Codes, object, tuple[int, ...]]] = [
        (binance.CODES, {"code": "-2011"}, (-2011,)),
        (binance.CODES, {"code": 200, "msg": "done"}, ()),
        (bybit.CODES, {"retCode": "110001"}, (110001,)),
        (bybit.CODES, {"retCode": 0}, ()),
        (okx.CODES, {"code": "2", "data": [{"sCode": "0"}, {"sCode": "51400"}]}, (51400,)),
        (okx.CODES, {"code": "50011", "data": []}, (50011,)),
        (okx.CODES, {"code": "0", "data": []}, ()),
    ]
    assert [codes.read(answer) for codes, answer, _ in reads] == [expected for *_, expected in reads]
