"""A real Prometheus on a free port, which scrapes what it is told and keeps nothing for long."""

import json
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from golive_dev.binaries import find_binary
from golive_dev.linux import die_with_parent
from golive_dev.ports import free_ports
from golive_dev.waiting import eventually

START_SECONDS = 60.0
"""Longest wait for a server to answer; a second is usual."""

HOST = "127.0.0.1"
"""Where it listens, and nowhere else."""


@dataclass(frozen=True)
class Target:
    """What is scraped, and what its series are labelled with."""

    address: str
    """Host and port."""
    labels: Mapping[str, str]
    """As relabelling sets them in a cluster: namespace and pod."""
    interval: str = "1s"
    """Time between two scrapes."""


class PrometheusServer:
    """A server that ends with this object, and with this process at the latest.

    Args:
        targets: What is scraped.
        rules: Alert rules by name: PromQL that is true while the alert fires.
    """

    def __init__(self, targets: Sequence[Target], rules: Mapping[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="golive-prometheus-"))
        self._program = find_binary("prometheus")
        alerts = [{"alert": name, "expr": expression} for name, expression in (rules or {}).items()]
        self.rules_file = self._write("rules.yml", {"groups": [{"name": "golive", "rules": alerts}]})
        self.config_file = self._write("prometheus.yml", self._config(targets))
        self.port = free_ports(1)[0]
        self.start()

    def _write(self, name: str, content: object) -> Path:
        """Write a file; JSON is YAML."""
        path = self._folder / name
        path.write_text(json.dumps(content))
        return path

    def _config(self, targets: Sequence[Target]) -> dict[str, object]:
        return {
            "global": {"evaluation_interval": "1s"},
            "rule_files": [str(self.rules_file)],
            "scrape_configs": [
                {
                    "job_name": f"engine-{place}",
                    "scrape_interval": target.interval,
                    "scrape_timeout": "1s",
                    "static_configs": [{"targets": [target.address], "labels": dict(target.labels)}],
                }
                for place, target in enumerate(targets)
            ],
        }

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers. Raises TimeoutError."""
        self.process = self._run()

        def answers() -> bool:
            if self.process.poll() is not None:  # somebody else took the port for a moment
                self.process = self._run()
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:  # noqa: S310  # ours
                return bool(answer.status == 200)  # noqa: PLR2004  # ready

        eventually(answers, START_SECONDS)

    def _run(self) -> subprocess.Popen[bytes]:
        """One process of it."""
        flags = {
            "config.file": self.config_file,
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"{HOST}:{self.port}",
            "log.level": "error",
        }
        return subprocess.Popen(  # noqa: S603  # our own choice of program
            [self._program, *(f"--{name}={value}" for name, value in flags.items())],
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one system call, no lock taken
        )

    def freeze(self) -> None:
        """Let it accept connections and answer nothing, as a server does that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
