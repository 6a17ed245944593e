"""``python -m golive_simulator``."""

from golive_simulator.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
