"""Items of the checklist that only the engine can see: what each passes for, and what it never passes for."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from golive_api.checklist import ITEMS, Machine
from golive_api.preflight_report import CheckResult, Finding
from golive_engine import riskgate
from golive_engine.clock import FakeClock
from golive_engine.error_log import ErrorLog
from golive_engine.journal import Journal
from golive_engine.preflight.checklist import Seen, checklist
from golive_engine.settings import Settings

PASSED, FAILED, ERROR = CheckResult.PASSED, CheckResult.FAILED, CheckResult.ERROR
SEATS = [{"venue": name, "api_key_env": "K", "secret_env": "S"} for name in ("binanceusdm", "bybit")]


def account(name: str = "main", environment: str = "production", **changes: Any) -> dict[str, Any]:
    """An account's settings."""
    own = {"name": name, "environment": environment, "profile": "micro", "venues": SEATS}
    return own | changes


PAPER = account("paper", "testnet")
READ = [Finding(name="paper/binanceusdm/credentials", result=PASSED)]


@pytest.fixture
def errors(tmp_path: Path) -> Iterator[ErrorLog]:
    """Lines of errors: none yet."""
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", "perps-engine")
    yield ErrorLog(journal, FakeClock(), "engine-0")
    journal.close()


async def found(
    errors: ErrorLog,
    *accounts: dict[str, Any],
    exchange: Sequence[Finding] = (),
    gate_profile: str | None = None,
) -> dict[str, Finding]:
    """Every item of an engine with these settings, whose accounts nobody has looked at."""
    told = Settings(engine="perps-engine", golive="perps", accounts=list(accounts or [account(), PAPER]))
    seen = Seen(told, (), exchange, gate_profile, errors, FakeClock().wall())
    return {finding.name: finding for finding in await checklist(seen)}


async def test_every_item_that_is_asked_of_the_engine_is_there(errors: ErrorLog) -> None:
    """By the ids of the checklist itself."""
    wanted = {item.finding for item in ITEMS if item.machine is Machine.ENGINE}
    assert wanted <= set(await found(errors))


async def test_errors_in_the_log_fail(errors: ErrorLog) -> None:
    """With how many, and the last one."""
    assert (await found(errors))["no-error-logs"].result is PASSED
    errors.handle(logging.LogRecord("golive_engine.desk", logging.ERROR, "", 0, "lost %s", ("gl1",), None))
    item = (await found(errors))["no-error-logs"]
    assert (item.result, item.values["errorLines"]) == (FAILED, "1")
    assert "golive_engine.desk: lost gl1" in item.message


async def test_profiles_and_mappings_of_settings_that_load_pass(errors: ErrorLog) -> None:
    """All five rungs are there."""
    items = await found(errors)
    assert (items["profiles-loaded"].result, items["profiles-loaded"].values["profiles"]) == (PASSED, "5")
    assert items["account-mappings-valid"].result is PASSED


CASES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any], CheckResult]] = {
    "two venues are a failover": ("failover-chain", [account()], {}, PASSED),
    "one venue is none": ("failover-chain", [account(), account("second", venues=SEATS[:1])], {}, FAILED),
    "without real money nothing fails over": ("failover-chain", [PAPER], {}, ERROR),
    "a testnet key that reads is valid": ("credentials-testnet", [PAPER], {"exchange": READ}, PASSED),
    "a testnet key that nobody tried is not": ("credentials-testnet", [PAPER], {}, FAILED),
    "one that does not read is not": (
        "credentials-testnet",
        [PAPER],
        {"exchange": [*READ, Finding(name="paper/bybit/credentials", result=ERROR)]},
        FAILED,
    ),
    "one of two is not enough": (
        "credentials-testnet",
        [PAPER, account("second", "testnet")],
        {"exchange": READ},
        FAILED,
    ),
    "without testnet there is no key": ("credentials-testnet", [account()], {}, ERROR),
    "a profile of its own is enforced": ("micro-enforced", [account()], {}, PASSED),
    "the gate's profile is enforced": (
        "micro-enforced",
        [account(profile=None)],
        {"gate_profile": "micro"},
        PASSED,
    ),
    "its own outweighs the gate's": ("micro-enforced", [account()], {"gate_profile": "low"}, PASSED),
    "another profile is not micro": (
        "micro-enforced",
        [account(profile="low")],
        {"gate_profile": "low"},
        FAILED,
    ),
    "no profile at all is not micro": ("micro-enforced", [account(profile=None)], {}, FAILED),
    "one account of two is not enough": (
        "micro-enforced",
        [account(), account("second", profile="low")],
        {},
        FAILED,
    ),
    "without real money nothing is enforced": ("micro-enforced", [PAPER], {}, ERROR),
    "an engine without accounts judges nothing": ("riskgate-operational", [account()], {}, ERROR),
}


@pytest.mark.parametrize(("item", "accounts", "seen", "expected"), CASES.values(), ids=CASES)
async def test_an_item(
    errors: ErrorLog, item: str, accounts: list[dict[str, Any]], seen: dict[str, Any], expected: CheckResult
) -> None:
    """What is not known is no pass."""
    assert (await found(errors, *accounts, **seen))[item].result is expected


async def test_market_data_of_accounts_that_nobody_has_read_is_not_stable(errors: ErrorLog) -> None:
    """A standby has none, and one that has just started has none yet; without any seat it is an error."""
    told = Settings(engine="perps-engine", golive="perps", accounts=[account()])
    market = SimpleNamespace(ages=lambda: {"BTCUSDT": 1.0})
    seat = SimpleNamespace(name="okx", snapshot=None, symbols=("BTCUSDT",), market=market)
    seen = Seen(told, [SimpleNamespace(name="main", seats=[seat])], (), None, errors, 0.0)  # type: ignore[list-item]  # no more of it is looked at

    async def result() -> tuple[CheckResult, str]:
        item = {finding.name: finding for finding in await checklist(seen)}["market-data-stable"]
        return item.result, item.message

    assert await result() == (FAILED, "main/okx: it was not read in the last turn")
    seat.snapshot = object()
    assert (await result())[0] is PASSED
    market.ages = lambda: {"BTCUSDT": 31.0}
    assert await result() == (FAILED, "main/okx: a price is too old")
    market.ages = dict
    assert await result() == (FAILED, "main/okx: no price of BTCUSDT")
    empty = replace(seen, accounts=())
    items = {finding.name: finding.result for finding in await checklist(empty)}
    assert items["market-data-stable"] is ERROR


def test_the_riskgate_has_its_checks() -> None:
    """The item counts them."""
    assert len(riskgate.CHECKS) == 40
