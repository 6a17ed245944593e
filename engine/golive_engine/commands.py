"""What a person tells an engine, or asks it, from the command line."""

import asyncio
import os
import sys
from collections.abc import Callable

from golive_api.reasons import Reason
from golive_engine import killing
from golive_engine.account import Permissions
from golive_engine.assembly import Workshop, credentials, open_alerts, with_keys
from golive_engine.cache import open_cache
from golive_engine.clock import Clock
from golive_engine.journal import Journal, JournalError
from golive_engine.metrics import Metrics
from golive_engine.safety import Safety
from golive_engine.sentiment import open_sentiment
from golive_engine.settings import AccountSettings, Settings, SettingsError
from golive_engine.skips import Skips
from golive_engine.trader import Shared, Trader

KILL_SECONDS = 90.0
"""Longest wait for an engine that has begun to kill."""


def release_stops(settings: Settings, clock: Clock, name: str, cause: str) -> int:
    """Release every emergency stop in the journal; a running engine sees it within a second."""
    return _journalled(
        settings,
        lambda journal: (
            f"{journal.release_stops(name, cause, clock.wall())} emergency stops released by {name}"
        ),
    )


def release_locks(
    settings: Settings, clock: Clock, account: str, symbol: str | None, name: str, cause: str
) -> int:
    """Re-arm an account's locked symbols, or one of them; a running engine sees it in its next cycle.

    Raises:
        SettingsError: There is no such account.
    """
    if account not in {known.name for known in settings.accounts}:
        raise SettingsError(f"no account is called {account}")
    return _journalled(
        settings,
        lambda j: f"{j.release_locks(account, symbol, name, cause, clock.wall())} symbols re-armed by {name}",
    )


def kill(settings: Settings, clock: Clock, name: str, cause: str, *, flatten: bool) -> int:
    """Have everything cancelled on every venue, positions closed if asked for; 1 unless that is seen."""

    def act(journal: Journal) -> tuple[str, bool]:
        return asyncio.run(_kill(settings, journal, clock, name, cause, flatten=flatten))

    try:
        journal = Journal(settings.journal.url, settings.engine)
        text, is_done = act(journal)
        journal.close()
    except JournalError as error:
        return _failed(error)
    print(text)  # noqa: T201  # the answer of a command
    return 0 if is_done else 1


async def _kill(
    settings: Settings, journal: Journal, clock: Clock, name: str, cause: str, *, flatten: bool
) -> tuple[str, bool]:
    """Ask the running engine, or do it here if none answers; returns the report and whether all is done."""
    asked = killing.request(journal, clock, name, cause, flatten=flatten)
    print("stop latched; waiting for the engine that trades", file=sys.stderr)  # noqa: T201  # it takes seconds
    ended = await killing.ended(journal, asked, KILL_SECONDS)
    if ended is not None:
        return ended.details["text"], ended.value == "done"
    print("no engine answers: killing from here", file=sys.stderr)  # noqa: T201  # same
    reachable, missing = with_keys(settings, os.environ)
    traders = _traders(reachable, journal, clock)
    try:
        report = await killing.carry_out(traders, journal, clock, flatten=flatten)
    finally:
        for trader in traders:
            for seat in trader.account.seats:
                await seat.market.close()
    return "\n".join([report.text(), *missing]), report.is_done and not missing


def _traders(settings: Settings, journal: Journal, clock: Clock) -> list[Trader]:
    """Every account, with nothing allowed but what the kill protocol does."""
    environments: dict[str, str] = {account.name: account.environment for account in settings.accounts}
    metrics = Metrics(environments)
    alerts = open_alerts(settings.alerts, os.environ, clock, metrics.alert)
    cache = open_cache(settings.cache.model_copy(update={"url": None}), settings.engine, clock, metrics.cache)
    shared = Shared(
        journal,
        Safety(environments, journal, clock, metrics.trigger, alerts.send),
        metrics,
        Skips(journal, clock),
        open_sentiment(settings.sentiment, cache, clock),
        clock,
        alerts.send,
        lambda: None,
    )
    keys = credentials(settings, os.environ)
    workshop = Workshop(settings, keys, shared, cache, _nothing_but_killing)
    return [workshop.trader(account) for account in settings.accounts]


def _nothing_but_killing(_account: AccountSettings) -> Permissions:
    """A shut gate, no limits, no word of stops; nobody else trades, for nobody has answered."""
    return Permissions(
        gate=lambda: Reason.GATE_CLOSED,
        leading=lambda: True,
        limits=lambda: None,
        stop_applied=lambda: None,
    )


def _journalled(settings: Settings, act: Callable[[Journal], str]) -> int:
    """Do something in the journal and print what it came to."""
    try:
        journal = Journal(settings.journal.url, settings.engine)
        text = act(journal)
        journal.close()
    except JournalError as error:
        return _failed(error)
    print(text)  # noqa: T201  # the answer of a command
    return 0


def _failed(error: JournalError) -> int:
    """Tell that the journal can't be used."""
    print(f"golive-engine: {error}", file=sys.stderr)  # noqa: T201  # the answer of a command
    return 1
