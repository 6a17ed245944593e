"""The operator's settings: flags for what an administrator chooses, environment for who this pod is."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from golive_operator.notices import FILE_VARIABLE


@dataclass(frozen=True, slots=True)
class Settings:
    """One operator process."""

    namespace: str
    """Where the operator and its Lease live."""
    pod: str
    """This pod's name: the Lease's holder identity."""
    host: str
    """Address to serve health and metrics on."""
    port: int
    """Port to serve health and metrics on; 0 takes a free one."""
    lease: str
    """Name of the leadership Lease."""
    resync_seconds: float
    """Longest time between two looks at an object."""
    watch_namespaces: tuple[str, ...]
    """Namespaces to work in; empty means all."""
    records_keep: int
    """Most records that are kept of each GoLive."""
    records_days: int
    """Older records are removed."""
    notices_file: Path | None
    """File with the addresses of whom to tell, one a line; None where nobody is told."""
    log_level: str
    """Lowest level that is logged."""


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, is {number}")
    return number


def _interval(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 60:  # noqa: PLR2004  # bounds named in the message
        raise argparse.ArgumentTypeError(f"must be between 0.1 and 60 seconds, is {text}")
    return seconds


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Read flags and environment; a bad one ends the process with a message and status 2."""
    parser = argparse.ArgumentParser(prog="golive_operator", description="Decides whether engines may trade.")
    parser.add_argument("--records-keep", type=_positive, default=10_000, help="records kept of each GoLive")
    parser.add_argument("--records-days", type=_positive, default=400, help="days for which records are kept")
    parser.add_argument("--resync-seconds", type=_interval, default=15.0, help="longest time between two looks")
    parser.add_argument("--http-port", type=int, default=8080, help="port for health and metrics")
    parser.add_argument("--lease-name", default="golive-operator", help="name of the leadership Lease")
    parser.add_argument("--watch-namespaces", default="", help="comma-separated; empty means all")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    flags = parser.parse_args(arguments)
    missing = [name for name in ("POD_NAME", "POD_NAMESPACE") if not environment.get(name)]
    if missing:
        parser.error(f"environment lacks {', '.join(missing)} (set them by the downward API)")
    return Settings(
        namespace=environment["POD_NAMESPACE"],
        pod=environment["POD_NAME"],
        host=environment.get("POD_IP", "127.0.0.1"),
        port=flags.http_port,
        lease=flags.lease_name,
        resync_seconds=flags.resync_seconds,
        watch_namespaces=tuple(name for name in flags.watch_namespaces.split(",") if name),
        records_keep=flags.records_keep,
        records_days=flags.records_days,
        notices_file=Path(notices) if (notices := environment.get(FILE_VARIABLE)) else None,
        log_level=flags.log_level,
    )
