"""The scenarios' names, for whoever must not wait until all of them are imported."""

from golive_api.preflight_report import STRESS_SCENARIOS

SCENARIOS = STRESS_SCENARIOS
"""Every registered scenario, in the order in which they run."""
