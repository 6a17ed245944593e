"""Every scenario, in the order in which they run."""

from golive_engine.stress import (
    correlation_break,
    exchange_outage,
    flash_crash,
    liquidity_drought,
    rejected_stops,
    stale_data,
    volatility_spike,
)

CATALOGUE = {
    module.SCENARIO.name: module.SCENARIO
    for module in (
        flash_crash,
        volatility_spike,
        exchange_outage,
        liquidity_drought,
        correlation_break,
        stale_data,
        rejected_stops,
    )
}
"""Scenarios by name."""
