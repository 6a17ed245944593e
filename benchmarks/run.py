"""Every benchmark, one after the other; a peer that is absent is reported, not hidden."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    *("gate_question.py", "risk_gate.py", "order_overhead.py", "cycle_time.py", "memory.py"),
    *("close_latency.py", "stop_latency.py", "whole_system.py", "peer_risk.py"),
    *("failover.py", "thousand.py"),
)


def main() -> int:
    """Run each script; returns the number of those that failed."""
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    failed = 0
    for script in SCRIPTS:
        sys.stdout.write(f"== {script}\n")
        sys.stdout.flush()
        done = subprocess.run([sys.executable, "-P", HERE / script], env=environment, check=False)  # noqa: S603  # listed above
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
