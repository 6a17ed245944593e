"""What the operating system knows of this process: memory, CPU, open files, threads, disk and network."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

PROC = Path("/proc/self")
"""Where Linux tells; elsewhere these series are missing."""


def watch_process(registry: CollectorRegistry, folder: Path = PROC) -> None:
    """Add the series of this process to a registry; they are read anew at each scrape."""
    ProcessCollector(registry=registry)
    registry.register(_ProcessCollector(folder))


class _ProcessCollector(Collector):
    """What the client library does not read by itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Read everything; what can't be read is left out, and never spoils the rest of the page."""
        for read in (self._threads, self._disk, self._network):
            try:
                yield from read()
            except (OSError, ValueError, LookupError):
                continue

    def _threads(self) -> list[Metric]:
        """Those of libraries among them, which Python does not count."""
        threads = len(list((self._folder / "task").iterdir()))
        return [GaugeMetricFamily("process_threads", "Threads of every kind.", threads)]

    def _disk(self) -> list[Metric]:
        """What reached a disk, not what a buffer took."""
        figures = dict(line.split(": ") for line in (self._folder / "io").read_text().splitlines())
        return [
            _bytes("disk_read", "Bytes read from disks.", figures["read_bytes"]),
            _bytes("disk_written", "Bytes written to disks.", figures["write_bytes"]),
        ]

    def _network(self) -> list[Metric]:
        """Of the whole pod: its containers share one network."""
        received = sent = 0
        for line in (self._folder / "net" / "dev").read_text().splitlines()[2:]:
            device, _, figures = line.partition(":")
            if device.strip() != "lo":
                fields = figures.split()
                received, sent = received + int(fields[0]), sent + int(fields[8])
        return [
            _bytes("network_received", "Bytes received by the pod, loopback left out.", received),
            _bytes("network_sent", "Bytes sent by the pod, loopback left out.", sent),
        ]


def _bytes(name: str, meaning: str, value: str | int) -> Metric:
    """A count of bytes."""
    return CounterMetricFamily(f"process_{name}_bytes", meaning, float(value))
