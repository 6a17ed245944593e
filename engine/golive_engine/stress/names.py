"""The scenarios' names, for whoever must not wait until all of them are imported."""

SCENARIOS = (
    "flash-crash",
    "volatility-spike",
    "exchange-outage",
    "liquidity-drought",
    "correlation-break",
    "stale-data",
    "rejected-stops",
)
"""Every registered scenario, in the order in which they run."""
