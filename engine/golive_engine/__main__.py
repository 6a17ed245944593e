"""``python -m golive_engine --config FILE``."""

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

from golive_engine import VERSION
from golive_engine.clock import SystemClock
from golive_engine.logs import start_logging
from golive_engine.settings import Identity, Loaded, SettingsError, load

STARTED = time.monotonic()  # before the slow imports, to tell how long a start takes
_COMMANDS = ("run", "check", "release-emergency-stop")
_log = logging.getLogger("golive_engine")


def main(arguments: list[str] | None = None) -> int:
    """Parse and act; 2 for settings that can't be used, 1 for everything else that went wrong."""
    parser = argparse.ArgumentParser(prog="golive_engine", description="Trades, and obeys the GoLive gate.")
    parser.add_argument("command", nargs="?", choices=_COMMANDS, default="run", help="default: run")
    parser.add_argument("--config", required=True, type=Path, metavar="FILE", help="settings, YAML")
    parser.add_argument("--by", metavar="NAME", help="who releases the emergency stop")
    parser.add_argument("--cause", metavar="TEXT", help="what the cause was, and what was done about it")
    options = parser.parse_args(arguments)
    try:
        loaded = load(options.config)
        if options.command == "check":
            print(f"{options.config}: valid")  # noqa: T201  # the answer of a command
            return 0
        if options.command == "run":
            return _run(loaded)
        if not options.by or not options.cause:
            parser.error("release-emergency-stop needs --by and --cause")
        return _release(loaded, options.by, options.cause)
    except SettingsError as error:
        print(f"golive-engine: {error}", file=sys.stderr)  # noqa: T201  # same
        return 2


def _run(loaded: Loaded) -> int:
    """Run the engine until it is told to stop."""
    start_logging()
    from golive_engine.engine import Engine  # noqa: PLC0415  # a wrong file is reported before the slow imports
    from golive_engine.journal import JournalError  # noqa: PLC0415  # same

    async def run() -> None:
        engine = Engine(loaded, Identity(), SystemClock())
        seconds = round(time.monotonic() - STARTED, 3)
        _log.info("starting", extra={"version": VERSION, "seconds": seconds, "config": loaded.digest})
        await engine.run()

    try:
        asyncio.run(run())
    except SettingsError:
        raise
    except JournalError as error:
        _log.error("journal can't be used: %s", error)  # without the traceback: its words are enough
        return 1
    except Exception:  # noqa: BLE001  # told as JSON, then the process ends
        _log.exception("engine failed")
        return 1
    return 0


def _release(loaded: Loaded, name: str, cause: str) -> int:
    """Release every emergency stop in the journal; a running engine sees it in its next cycle."""
    from golive_engine.journal import Journal, JournalError  # noqa: PLC0415  # same

    try:
        journal = Journal(loaded.settings.journal.url)
        released = journal.release_stops(name, cause, SystemClock().wall())
        journal.close()
    except JournalError as error:
        print(f"golive-engine: {error}", file=sys.stderr)  # noqa: T201  # the answer of a command
        return 1
    print(f"{released} emergency stops released by {name}")  # noqa: T201  # same
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
