"""What each peer's script tells: how long its gate takes, and what it does with the bad orders, as JSON."""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping

SENT = "sends"
"""The order left as it was asked for."""

CORRECTED = "corrects"
"""Another order left in its place, told after a colon."""

SILENT = "does not send"
"""No order left, and no reason was given."""

MARKER = "marker file"
"""The contender that only looks for a file."""

Case = Callable[[], str]
"""Builds a world, gives the bad order to the peer; returns SENT or what stopped it."""


def durations(call: Callable[..., object], arguments: Iterable[object]) -> list[float]:
    """Microseconds of each call with one of the arguments, the timer's own cost included."""
    clock, values = time.perf_counter_ns, []
    gc.disable()
    for argument in arguments:
        began = clock()
        call(argument)
        values.append((clock() - began) / 1000)
    gc.enable()
    return values


def verdicts(cases: Mapping[str, Case]) -> dict[str, str]:
    """What became of each bad order; what a peer raises has stopped it, a mistake in its script ends all."""
    found = {}
    for name, case in cases.items():
        try:
            found[name] = case()
        except (AttributeError, NameError, TypeError):
            raise
        except Exception as error:  # noqa: BLE001  # each peer has its own
            found[name] = f"raises {type(error).__name__}: {error}"
    return found


def tell(samples: Mapping[str, list[float]], found: Mapping[str, str]) -> None:
    """Print everything as the last line, whatever the peer has logged before."""
    sys.stdout.write("\n" + json.dumps({"samples": samples, "verdicts": found}) + "\n")
