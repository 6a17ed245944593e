"""Timing short calls side by side: interleaved runs, medians and p99 in microseconds."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds per call, the timer's own cost included."""

    median: float
    p99: float


def time_each(calls_by_name: Mapping[str, Callable[[], object]], *, calls: int, runs: int) -> dict[str, Timing]:
    """Time every callable in turn, several times over, so that a busy moment meets all of them."""
    medians: dict[str, list[float]] = {name: [] for name in calls_by_name}
    tails: dict[str, list[float]] = {name: [] for name in calls_by_name}
    for _ in range(runs):
        for name, call in calls_by_name.items():
            samples = _samples(call, calls)
            medians[name].append(samples[len(samples) // 2])
            tails[name].append(samples[len(samples) * 99 // 100])
    return {
        name: Timing(statistics.median(medians[name]), statistics.median(tails[name])) for name in calls_by_name
    }


def _samples(call: Callable[[], object], calls: int) -> list[float]:
    """Sorted durations in microseconds, without the garbage collector."""
    clock, samples = time.perf_counter_ns, []
    gc.collect()
    gc.disable()
    try:
        for _ in range(calls):
            began = clock()
            call()
            samples.append((clock() - began) / 1000)
    finally:
        gc.enable()
    return sorted(samples)


def report(timed: Mapping[str, Timing], bounds: Mapping[str, float]) -> int:
    """Print a table; returns 1 if a median is above its bound, else 0."""
    failed = False
    for name, timing in timed.items():
        bound = bounds.get(name)
        verdict = "" if bound is None else f"  (bound {bound:g} µs median)"
        failed |= bound is not None and timing.median > bound
        print(f"{name:45s} median {timing.median:8.3f} µs   p99 {timing.p99:8.3f} µs{verdict}")  # noqa: T201  # the answer
    return int(failed)


def machine() -> str:
    """What this was measured on."""
    return f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
