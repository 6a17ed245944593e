"""``python -m golive_engine --config FILE``."""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

from golive_engine import VERSION
from golive_engine.clock import SystemClock
from golive_engine.logs import start_logging
from golive_engine.settings import Identity, SettingsError, load
from golive_engine.stress.names import SCENARIOS

STARTED = time.monotonic()  # before the slow imports, to tell how long a start takes
_log = logging.getLogger("golive_engine")


def main(arguments: list[str] | None = None) -> int:
    """Parse and act; 2 for settings that can't be used, 1 for everything else that went wrong."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0].startswith("--config"):
        words = ["run", *words]
    options = _parser().parse_args(words)
    try:
        return int(options.act(options))
    except SettingsError as error:
        print(f"golive-engine: {error}", file=sys.stderr)  # noqa: T201  # the answer of a command
        return 2


def _parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    parser = argparse.ArgumentParser(prog="golive_engine", description="Trades, and obeys the GoLive gate.")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    _verb(verbs, "run", _run, "trade until told to stop (also without a command)")
    _verb(verbs, "check", _check, "check the settings")
    kill = _verb(
        verbs,
        "kill",
        _kill,
        "latch a stop and cancel what may open a position, on every venue",
        by_a_person=True,
    )
    kill.add_argument("--flatten", action="store_true", help="close every position, too")
    _verb(
        verbs,
        "release-emergency-stop",
        _release_stops,
        "let the engine trade again after a stop",
        by_a_person=True,
    )
    locks = _verb(verbs, "release-locks", _release_locks, "re-arm locked symbols", by_a_person=True)
    locks.add_argument("--account", required=True, metavar="NAME", help="whose symbols")
    locks.add_argument("--symbol", metavar="SYMBOL", help="which one; default: every one")
    _stress_verb(verbs)
    return parser


def _stress_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The one command that needs no settings."""
    meaning = "play stress scenarios to a shadow of this engine; its venues, keys and orders are left alone"
    verb = verbs.add_parser("stress", help=meaning, description=meaning)
    verb.set_defaults(act=_stress)
    verb.add_argument(
        "--config", type=Path, metavar="FILE", help="whose limits and strategy to take; default: those of micro"
    )
    verb.add_argument(
        "--scenario", action="append", default=[], choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS)
    )
    verb.add_argument("--json", action="store_true", help="a line of JSON for each scenario as it ends")
    verb.add_argument("--record", action="store_true", help="write results into the journal of the settings")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    act: Callable[[argparse.Namespace], int],
    meaning: str,
    *,
    by_a_person: bool = False,
) -> argparse.ArgumentParser:
    """One command."""
    verb = verbs.add_parser(name, help=meaning, description=meaning)
    verb.set_defaults(act=act)
    verb.add_argument("--config", required=True, type=Path, metavar="FILE", help="settings, YAML")
    if by_a_person:
        verb.add_argument("--by", required=True, metavar="NAME", help="who says so")
        verb.add_argument("--cause", required=True, metavar="TEXT", help="why, and what was done about it")
    return verb


def _check(options: argparse.Namespace) -> int:
    """Check the settings."""
    load(options.config)
    print(f"{options.config}: valid")  # noqa: T201  # the answer of a command
    return 0


def _kill(options: argparse.Namespace) -> int:
    """Stop everything."""
    from golive_engine import commands  # noqa: PLC0415  # a wrong file is reported before the slow imports

    settings = load(options.config).settings
    return commands.kill(settings, SystemClock(), options.by, options.cause, flatten=options.flatten)


def _release_stops(options: argparse.Namespace) -> int:
    """Release the emergency stops."""
    from golive_engine import commands  # noqa: PLC0415  # same

    return commands.release_stops(load(options.config).settings, SystemClock(), options.by, options.cause)


def _release_locks(options: argparse.Namespace) -> int:
    """Re-arm locked symbols."""
    from golive_engine import commands  # noqa: PLC0415  # same

    settings, who = load(options.config).settings, (options.by, options.cause)
    return commands.release_locks(settings, SystemClock(), options.account, options.symbol, *who)


def _stress(options: argparse.Namespace) -> int:
    """Play stress scenarios."""
    if options.record and options.config is None:
        raise SettingsError("stress: --record needs --config")
    settings = load(options.config).settings if options.config else None
    from golive_engine.stress.command import stress  # noqa: PLC0415  # same

    return stress(settings, options.scenario, as_json=options.json, record=options.record)


def _run(options: argparse.Namespace) -> int:
    """Run the engine until it is told to stop."""
    loaded = load(options.config)
    start_logging()
    from golive_engine.engine import Engine  # noqa: PLC0415  # same
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


if __name__ == "__main__":
    raise SystemExit(main())
