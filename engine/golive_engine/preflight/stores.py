"""The engine's stores: the journal, the cache, and the stress runs that are written down."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from golive_api.preflight_report import Finding
from golive_engine.cache import Cache, StoreError
from golive_engine.clock import Clock
from golive_engine.journal import Journal, JournalError
from golive_engine.preflight.findings import NotTriedError, failed, passed, tried, verdict
from golive_engine.stress.names import SCENARIOS

STORE_SECONDS = 6.0
"""How long a store has for each step."""

NOTHING_WRITTEN = "nothing was written that could be read back"
"""Why reading was not tried."""


async def database(journal: Journal, clock: Clock) -> list[Finding]:
    """Write a row, read it back, take it away again; and whether the tables are of this version."""
    key, value = f"probe-{secrets.token_hex(8)}", secrets.token_hex(16)
    written = False

    async def write(name: str) -> Finding:
        nonlocal written
        began = clock.monotonic()
        await asyncio.to_thread(journal.write_probe, key, value)
        written = True
        return passed(name, seconds=f"{clock.monotonic() - began:.3f}")

    async def read_back(name: str) -> Finding:
        if not written:
            raise NotTriedError(NOTHING_WRITTEN)
        began = clock.monotonic()
        found = await asyncio.to_thread(journal.read_probe, key)
        await asyncio.to_thread(journal.forget_probe, key)
        wrong = "" if found == value else "the journal did not return what was written to it"
        return verdict(name, wrong, seconds=f"{clock.monotonic() - began:.3f}")

    async def migrations(name: str) -> Finding:
        current, newest = await asyncio.to_thread(journal.revisions)
        wrong = "" if current == newest else "the journal's tables are not those of this version"
        return verdict(name, wrong, revision=current or "none", newest=newest or "none")

    async def kept() -> list[Finding]:
        return [
            await tried("write", STORE_SECONDS, _failing(JournalError, write)),
            await tried("read-back", STORE_SECONDS, _failing(JournalError, read_back)),
        ]

    both, version = await asyncio.gather(
        kept(), tried("migrations", STORE_SECONDS, _failing(JournalError, migrations))
    )
    return [*both, version]


async def cache(store: Cache, clock: Clock) -> list[Finding]:
    """Write a value and read it back."""
    value: bytes | None = None

    async def write(name: str) -> Finding:
        nonlocal value
        began = clock.monotonic()
        value = await store.write_probe()
        return passed(name, seconds=f"{clock.monotonic() - began:.3f}")

    async def read_back(name: str) -> Finding:
        if value is None:
            raise NotTriedError(NOTHING_WRITTEN)
        wrong = "" if await store.read_probe() == value else "the cache did not return what was written to it"
        return verdict(name, wrong)

    return [
        await tried("write", STORE_SECONDS, _failing(StoreError, write)),
        await tried("read-back", STORE_SECONDS, _failing(StoreError, read_back)),
    ]


async def stress(journal: Journal, now: float, most_hours: float) -> list[Finding]:
    """Whether the last run of each scenario passed, and is young enough.

    Args:
        journal: Where runs are written down.
        now: Wall clock.
        most_hours: Oldest that a run may be.
    """
    rows = asyncio.ensure_future(asyncio.to_thread(journal.stress_runs))

    async def judge(name: str) -> Finding:
        last = {run.scenario: run for run in await asyncio.shield(rows)}.get(name)
        if last is None:
            return failed(name, "it has never run")
        hours = (now - last.time) / 3600
        values = {"result": last.result, "ageHours": f"{hours:.1f}", "boundHours": f"{most_hours:g}"}
        if last.result != "passed":
            return failed(name, f"its last run ended as {last.result}", **values)
        wrong = "" if 0 <= hours <= most_hours else "its last run is too old, or from the future"
        return verdict(name, wrong, **values)

    try:
        return await asyncio.gather(*(tried(name, STORE_SECONDS, judge) for name in SCENARIOS))
    finally:
        rows.cancel()
        await asyncio.gather(rows, return_exceptions=True)


def _failing(
    kind: type[Exception], probe: Callable[[str], Awaitable[Finding]]
) -> Callable[[str], Awaitable[Finding]]:
    """A probe whose store may say no: that was tried, and is a failure."""

    async def trying(name: str) -> Finding:
        try:
            return await probe(name)
        except kind as problem:
            return failed(name, str(problem))

    return trying
