"""Preflight of venues: what unmodified ccxt and the simulator show of each account, and what must not pass."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from golive_api.engine_report import Breaker
from golive_api.preflight_report import EXCHANGE_FINDINGS, CheckResult, Finding
from golive_api.reasons import Reason
from golive_engine.account import Account, Permissions
from golive_engine.assembly import Workshop
from golive_engine.cache import open_cache
from golive_engine.clock import SystemClock
from golive_engine.journal import Journal
from golive_engine.metrics import Metrics
from golive_engine.preflight import seats
from golive_engine.preflight.seats import exchange, works
from golive_engine.safety import Safety
from golive_engine.sentiment import open_sentiment
from golive_engine.settings import Settings
from golive_engine.skips import Skips
from golive_engine.trader import Shared
from golive_engine.trading import KeyRights, VenueName
from golive_engine.venues import Credentials
from golive_simulator.client import Admin

VENUES: tuple[VenueName, ...] = ("binanceusdm", "bybit", "okx")
SIMULATED = {"binanceusdm": "production", "bybit": "bybit-production", "okx": "okx-production"}
PASSED, FAILED, ERROR = CheckResult.PASSED, CheckResult.FAILED, CheckResult.ERROR
SKEW = 2.0


class Shop:
    """Makes accounts of an engine whose cycle never runs."""

    def __init__(self, settings: dict[str, Any], key: str, folder: Path) -> None:
        self._settings = settings
        self._key = key
        self._journal = Journal(f"sqlite:///{folder}/preflight.db", "perps-engine")
        self._opened: list[Account] = []

    def account(
        self, *venues: VenueName, environment: str = "production", secret: str | None = None, **changes: Any
    ) -> Account:
        """An account on some venues; changes are of the venues' settings."""
        rows = [{"venue": name, "api_key_env": "K", "secret_env": "S"} for name in venues]
        for row in rows:
            if row["venue"] == "okx":
                row["passphrase_env"] = "P"
        own = {"name": "main", "environment": environment, "profile": "wide", "venues": rows}
        told = Settings(**self._settings | {"accounts": [own], "venue": self._settings["venue"] | changes})
        keys = {("main", name): Credentials(self._key, secret or self._key, "passphrase") for name in venues}
        clock, metrics = SystemClock(), Metrics({"main": environment})
        cache = open_cache(told.cache, told.engine, clock, metrics.cache)
        safety = Safety({"main": environment}, self._journal, clock, metrics.trigger, lambda *_: None)
        sentiment, skips = open_sentiment(told.sentiment, cache, clock), Skips(self._journal, clock)
        shared = Shared(self._journal, safety, metrics, skips, sentiment, clock, lambda *_: None, lambda: None)
        nobody = Permissions(lambda: Reason.GATE_CLOSED, lambda: False, lambda: None, lambda: None)
        account = Workshop(told, keys, shared, cache, lambda _: nobody).trader(told.accounts[0]).account
        self._opened.append(account)
        return account

    async def close(self) -> None:
        """Let go of everything."""
        for account in self._opened:
            for seat in account.seats:
                await seat.market.close()
        self._journal.close()


@pytest.fixture
async def shop(settings: dict[str, Any], api_key: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """Accounts of the test's customer."""
    made = Shop(settings, api_key, tmp_path)
    yield made
    await made.close()


async def asked(account: Account) -> dict[str, Finding]:
    """Findings by their names without the account's."""
    found = await exchange([account], SystemClock(), SKEW)
    assert all(finding.name.startswith("main/") for finding in found)
    return {finding.name.removeprefix("main/"): finding for finding in found}


def bad(findings: dict[str, Finding]) -> dict[str, CheckResult]:
    """What did not pass."""
    return {name: finding.result for name, finding in findings.items() if finding.result is not PASSED}


@pytest.mark.parametrize("environment", ["production", "testnet"])
async def test_a_good_account_passes_on_every_venue(shop: Shop, environment: str) -> None:
    """Each finding of the contract is there, with its measured values."""
    found = await asked(shop.account(*VENUES, environment=environment))
    assert set(found) == {f"{venue}/{name}" for venue in VENUES for name in EXCHANGE_FINDINGS}
    assert bad(found) == {}
    assert abs(float(found["okx/clock-skew"].values["clockSkewSeconds"])) < SKEW
    assert float(found["bybit/balance"].values["equity"]) == 10_000
    rights = found["binanceusdm/permissions"]
    told = {"trade": "yes", "withdraw": "no" if environment == "production" else "untold"}
    assert rights.values == told
    assert ("does not tell" in rights.message) is (environment == "testnet")


async def test_the_demo_exchange_that_tells_nothing_says_so(shop: Shop) -> None:
    """A play-money key whose rights nobody tells passes only for that it reads."""
    account = shop.account("bybit", environment="testnet", bybit_testnet="demo")
    found = (await asked(account))["bybit/permissions"]
    assert (found.result, found.values) == (PASSED, {"trade": "untold", "withdraw": "untold"})
    assert found.message.count("does not tell") == 2


Trouble = Callable[[Admin, str, str], Any]


def key_that(**rights: bool) -> Trouble:
    """A customer's key with other rights."""

    async def let_in(admin: Admin, environment: str, key: str) -> None:
        await admin.add_account(environment, key, key, passphrase="passphrase", **rights)

    return let_in


async def poor(admin: Admin, environment: str, key: str) -> None:
    """A customer without money."""
    await admin.add_account(environment, key, key, passphrase="passphrase", balance=0)


async def stranger(_admin: Admin, _environment: str, _key: str) -> None:
    """A key that the venue does not know."""


BAD: dict[str, tuple[Trouble, dict[str, CheckResult]]] = {
    "a key that may withdraw": (key_that(may_withdraw=True), {"permissions": FAILED}),
    "a key that may not trade": (key_that(may_trade=False), {"permissions": FAILED}),
    "no money": (poor, {"balance": FAILED}),
    "an unknown key": (stranger, {"credentials": FAILED, "permissions": FAILED, "balance": FAILED}),
}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(("trouble", "expected"), BAD.values(), ids=BAD)
async def test_an_account_does_not_pass_with(
    settings: dict[str, Any],
    admin: Admin,
    api_key: str,
    tmp_path: Path,
    venue: VenueName,
    trouble: Trouble,
    expected: dict[str, CheckResult],
) -> None:
    """It fails by what is wrong, and by nothing else."""
    key = f"{api_key}-{venue}"
    await trouble(admin, SIMULATED[venue], key)
    shop = Shop(settings, key, tmp_path)
    found = await asked(shop.account(venue))
    await shop.close()
    assert bad(found) == {f"{venue}/{name}": result for name, result in expected.items()}
    assert not [finding for finding in found.values() if key in finding.message], "no keys in messages"


@pytest.mark.parametrize("venue", VENUES)
async def test_a_clock_that_differs_fails_as_such(shop: Shop, admin: Admin, venue: VenueName) -> None:
    """With how much it is; what is signed then is refused by the venue itself, or not."""
    await admin.add_fault("clock-skew", skew_ms=5000)
    found = await asked(shop.account(venue, recv_window_ms=60_000))
    assert found[f"{venue}/time"].result is PASSED
    assert found[f"{venue}/clock-skew"].result is FAILED
    assert 4 < float(found[f"{venue}/clock-skew"].values["clockSkewSeconds"]) < 6


async def test_a_symbol_that_is_not_listed_fails_by_name(
    settings: dict[str, Any], api_key: str, tmp_path: Path
) -> None:
    """What strategies trade has to be there on each venue."""
    shop = Shop(
        settings | {"symbols": ["BTCUSDT", "NOSUCHUSDT"], "strategies": [{"notional": "50"}]}, api_key, tmp_path
    )
    found = await asked(shop.account(*VENUES))
    await shop.close()
    assert bad(found) == {f"{venue}/markets": FAILED for venue in VENUES}
    assert "NOSUCHUSDT" in found["okx/markets"].message
    assert "BTCUSDT" not in found["okx/markets"].message


async def test_a_wrong_secret_fails(shop: Shop) -> None:
    """The key alone proves nothing."""
    found = await asked(shop.account(*VENUES, secret="wrong"))
    assert {name.partition("/")[2] for name in bad(found)} == {"credentials", "permissions", "balance"}
    assert set(bad(found).values()) == {FAILED}


async def test_a_venue_that_is_out_is_an_error_and_stays_as_it_was(shop: Shop, admin: Admin) -> None:
    """No answer is no pass; and what preflight hears does not open the circuit breaker."""
    account = shop.account(*VENUES)
    await admin.add_fault("answer-before-accept", environment="bybit-production", status=503)
    found = await asked(account)
    assert bad(found) == {f"bybit/{name}": ERROR for name in EXCHANGE_FINDINGS}
    assert {seat.venue.state for seat in account.seats} == {Breaker.CLOSED}


async def test_an_open_breaker_is_an_error_and_nothing_is_asked(shop: Shop, admin: Admin) -> None:
    """The venue is left alone; the others are asked."""
    account = shop.account(*VENUES)
    await admin.add_fault("answer-before-accept", environment="okx-production", status=503)
    for _ in range(3):
        with pytest.raises(Exception, match="503"):
            await account.seats[2].venue.server_time()
    await admin.clear_faults()
    before = [row for row in await admin.requests() if row["environment"] == "okx-production"]
    found = await asked(account)
    assert bad(found) == {f"okx/{name}": ERROR for name in EXCHANGE_FINDINGS}
    assert "circuit breaker is open" in found["okx/time"].message
    after = [row for row in await admin.requests() if row["environment"] == "okx-production"]
    assert after == before
    assert account.seats[2].venue.state is Breaker.OPEN


async def test_a_venue_that_hangs_is_an_error_in_time(
    shop: Shop, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up neither the others nor the run."""
    monkeypatch.setattr(seats, "SEAT_SECONDS", 4.0)
    await admin.add_fault("delay", environment="bybit-production", delay_ms=20_000)
    began = time.monotonic()
    found = await asked(shop.account(*VENUES, timeout_seconds=30))
    assert time.monotonic() - began < 15
    assert bad(found) == {f"bybit/{name}": ERROR for name in EXCHANGE_FINDINGS}
    assert found["bybit/time"].message == "not done within 4 s"


async def test_no_question_outlives_the_run(shop: Shop, admin: Admin) -> None:
    """Whoever ends it ends all of it."""
    await admin.add_fault("delay", delay_ms=2500)
    run = asyncio.ensure_future(asked(shop.account(*VENUES)))
    await asyncio.sleep(0.3)
    others = asyncio.all_tasks() - {asyncio.current_task(), run}
    assert others
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert not [task for task in others if not task.done() and "_if_closed" in repr(task)]


@pytest.mark.parametrize(("trade", "withdraw"), [(None, False), (True, None), (None, None)])
async def test_rights_that_nobody_tells_are_an_error_with_real_money(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, trade: bool | None, withdraw: bool | None
) -> None:
    """What is not known is no pass; with play money it is one, and says so."""

    async def untold() -> KeyRights:
        return KeyRights(trade, withdraw)

    for environment, expected in (("production", ERROR), ("testnet", PASSED)):
        account = shop.account("okx", environment=environment)
        monkeypatch.setattr(account.seats[0].venue.inner, "rights", untold)
        found = (await asked(account))["okx/permissions"]
        assert found.result is expected
        assert "does not tell" in found.message


def test_an_account_works_only_if_each_of_its_signed_reads_did() -> None:
    """And there was one."""
    good = Finding(name="paper/okx/credentials", result=PASSED)
    other = Finding(name="paper/bybit/credentials", result=ERROR)
    assert works([good], "paper")
    assert not works([good, other], "paper")
    assert not works([good], "main")
    assert not works([Finding(name="paper/okx/time", result=PASSED)], "paper")
