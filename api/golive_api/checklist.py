"""The checklist of seed 004 as data: each box with its phase, and what checks it."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """When an item is due."""

    BEFORE = "Before real trading"
    LAUNCH = "GO-LIVE day"
    FIRST_HOUR = "First hour"
    FIRST_DAY = "First day"
    FIRST_WEEK = "First week"
    CHANGE = "Every change"
    AFTER = "After the first week"


class Kind(StrEnum):
    """Who can say whether an item holds."""

    MACHINE = "Machine"
    """It is measured; nobody's word counts while its machine is there."""
    ATTESTED = "Attested"
    """A person vouches for it by name."""


class Machine(StrEnum):
    """What measures an item, as people read it."""

    ALL_CHECKS = "every check of preflight"
    HEALTH = "check_health_endpoints"
    GLOBAL_RISK = "riskState in the engine's report"
    EMERGENCY_STOP = "emergencyStop in the engine's report"
    EXCHANGE = "check_exchange_connectivity"
    DATABASE = "check_database_redis"
    STRESS = "check_stress_scenarios"
    METRICS = "the operator's own scrape of /metrics"
    SCRAPING = "samples of `up` in Prometheus"
    ALERT_RULES = "alert rules that Prometheus has loaded"
    DASHBOARD = "the dashboard that Grafana has"
    TESTNET_TRADES = "testnetTrades in the engine's report"
    ACCOUNTS = "accounts in the engine's report"
    ACTIVATION = "spec.activation"
    FAILOVERS = "failovers in the engine's report"
    ENGINE = "the engine's own finding"


@dataclass(frozen=True, slots=True)
class Item:
    """One box of the checklist."""

    id: str
    """What policies and attestations call it."""
    title: str
    """What has to hold."""
    phase: Phase
    """When it is due."""
    section: str
    """Its heading in the seed."""
    machine: Machine | None = None
    """What measures it; without one, a person vouches for it."""
    finding: str = ""
    """Which of the engine's findings, where the engine measures it."""

    @property
    def kind(self) -> Kind:
        """Who can say whether it holds."""
        return Kind.ATTESTED if self.machine is None else Kind.MACHINE


Row = tuple[str, str] | tuple[str, str, Machine] | tuple[str, str, Machine, str]
"""Id, title, what measures it, and which finding."""

_BEFORE: dict[str, tuple[Row, ...]] = {
    "System health": (
        ("preflight-passes", "Every preflight check passes", Machine.ALL_CHECKS),
        ("services-healthy", "All services answer their health endpoints with 200", Machine.HEALTH),
        ("metrics-endpoint", "/metrics serves the key series", Machine.METRICS),
        ("database-connected", "Database and cache respond", Machine.DATABASE),
        ("no-error-logs", "No CRITICAL or ERROR in the logs of 24 hours", Machine.ENGINE, "no-error-logs"),
    ),
    "Risk system": (
        ("global-risk-not-critical", "Global Risk is not CRITICAL", Machine.GLOBAL_RISK),
        ("emergency-stop-inactive", "The emergency stop is inactive", Machine.EMERGENCY_STOP),
        ("riskgate-operational", "The RiskGate decides", Machine.ENGINE, "riskgate-operational"),
        ("profiles-loaded", "All capital profiles are loaded", Machine.ENGINE, "profiles-loaded"),
        (
            "account-mappings-valid",
            "Each account has its capital profile",
            Machine.ENGINE,
            "account-mappings-valid",
        ),
    ),
    "Exchange connectivity": (
        ("primary-exchange-healthy", "The accounts' exchanges respond", Machine.EXCHANGE),
        ("failover-chain", "Backup exchanges are configured", Machine.ENGINE, "failover-chain"),
        ("credentials-testnet", "API credentials work on testnet", Machine.ENGINE, "credentials-testnet"),
        ("rate-limits-understood", "Rate limits of the production APIs are known"),
        ("market-data-stable", "Market data streams are connected", Machine.ENGINE, "market-data-stable"),
    ),
    "Accounts and configuration": (
        ("testnet-trades", "At least 3 trades have filled on testnet", Machine.TESTNET_TRADES),
        ("account-configs-reviewed", "Exchange, profile and strategies of each account are reviewed"),
        ("micro-enforced", "Real accounts start with profile micro", Machine.ENGINE, "micro-enforced"),
        ("api-keys-secured", "Production API keys are in a secrets manager, not in code"),
        ("ip-allowlist", "Exchange API access is restricted to known addresses"),
    ),
    "Observability and monitoring": (
        ("dashboard-present", "The dashboard is imported into Grafana", Machine.DASHBOARD),
        ("prometheus-scraping", "Prometheus scrapes the engine at least every 15 s", Machine.SCRAPING),
        ("log-aggregation", "Logs flow to where they can be searched"),
        ("alert-rules-loaded", "Prometheus has loaded the alert rules", Machine.ALERT_RULES),
        ("on-call", "The team is notified of critical alerts"),
    ),
    "Documentation and runbooks": (
        ("audit-reviewed", "The audit of the system's architecture is reviewed"),
        ("runbooks-available", "Runbooks exist for emergency stop, exchange outage and model failure"),
        ("change-log-updated", "Changes of the last 7 days are documented"),
        ("team-trained", "Operators know dashboard, alerts and the reset of the emergency stop"),
    ),
}

_LAUNCH: dict[str, tuple[Row, ...]] = {
    "An hour before": (
        ("team-assembled", "All operators are there for the first hour"),
        ("channel-open", "The channel for updates is open"),
        ("dashboards-displayed", "Dashboards are on display"),
        ("alerts-tested", "A test notice has arrived"),
        ("manual-stop-known", "Everybody knows how to trigger the emergency stop"),
    ),
    "Launch sequence": (
        ("accounts-switched", "The requested accounts are production accounts", Machine.ACCOUNTS),
        ("micro-active", "Profile micro is active", Machine.ENGINE, "micro-enforced"),
        ("services-started", "The engine runs with its production configuration", Machine.ACCOUNTS),
        ("health-after-restart", "All services are healthy after the restart", Machine.HEALTH),
        ("trading-enabled", "spec.activation is Enabled", Machine.ACTIVATION),
    ),
}

_FIRST_HOUR: dict[str, tuple[Row, ...]] = {
    "Monitoring": (
        ("first-hour-block-rate", "The RiskGate blocks less than 30 % of all orders"),
        ("first-hour-stop-inactive", "The emergency stop stays inactive", Machine.EMERGENCY_STOP),
        ("first-hour-failovers", "No exchange failover has happened", Machine.FAILOVERS),
        ("first-hour-latency", "Orders take less than 500 ms (p95) and 1000 ms (p99)"),
        ("first-hour-pnl-verified", "Internal PnL agrees with the exchange's balance"),
        ("first-hour-logs", "No CRITICAL or ERROR in the logs", Machine.ENGINE, "no-error-logs"),
    ),
}

_FIRST_DAY: dict[str, tuple[Row, ...]] = {
    "After six hours": (
        ("first-day-pnl", "Total PnL over all accounts is calculated"),
        ("first-day-risk", "Drawdown, leverage and near misses of the emergency stop are reviewed"),
        ("first-day-block-reasons", "The three most frequent reasons of the RiskGate make sense"),
        ("first-day-exchange", "Failovers and order latency are reviewed"),
        ("first-day-incidents", "Issues and how they were resolved are documented"),
    ),
}

_FIRST_WEEK: dict[str, tuple[Row, ...]] = {
    "Daily review": (
        ("daily-pnl", "PnL of each account is tracked"),
        ("daily-drawdown", "Each account's drawdown is below 5 %"),
        ("daily-risk", "Global Risk, emergency stops and the RiskGate's figures are reviewed"),
        ("daily-log", "Manual interventions, changes and incidents are noted"),
    ),
    "Profile advancement": (
        ("advancement-days-1-3", "All accounts stay at micro"),
        ("advancement-days-4-7", "Only profitable accounts are promoted to low"),
        ("advancement-day-8", "Only accounts with 7 profitable days are promoted to medium"),
        ("advancement-manual", "Every promotion is reviewed and approved by people"),
    ),
    "Targets": (
        ("week-stops", "No emergency stop was triggered"),
        ("week-failovers", "Fewer than 5 exchange failovers a day"),
        ("week-block-rate", "The RiskGate blocks 20 to 40 % of all orders"),
        ("week-success-rate", "More than 95 % of all orders succeed"),
        ("week-uptime", "The system was up for more than 99.5 % of the week"),
    ),
    "Configuration stability": (
        ("week-no-hotfixes", "All changes were reviewed before they were merged"),
        ("week-config-as-code", "Profiles, accounts and exchanges are under version control"),
        ("week-preflight", "Preflight passes after every change", Machine.ALL_CHECKS),
        ("week-rollback-plan", "Everybody knows how to go back to the last configuration"),
    ),
}

_CHANGE: dict[str, tuple[Row, ...]] = {
    "Before any change": (
        ("change-proposed", "The change is proposed with a description"),
        ("change-reviewed", "Another person has reviewed it"),
        ("change-on-testnet", "It has been tried on testnet"),
        ("change-preflight", "Preflight passes", Machine.ALL_CHECKS),
        ("change-quiet-market", "It is deployed in a quiet market"),
        ("change-watched", "Dashboards are watched for an hour afterwards"),
    ),
    "After a major change": (
        ("major-stress", "Stress scenarios have run again and passed", Machine.STRESS),
        ("major-block-reasons", "The RiskGate's reasons are as expected"),
        ("major-pnl", "Profitability has not suffered"),
        ("major-documentation", "Runbooks and documents are up to date"),
    ),
}

_AFTER: dict[str, tuple[Row, ...]] = {
    "Weeks 2 to 4": (
        ("weeks-stress-real-data", "All stress scenarios pass with real data"),
        ("weeks-alert-thresholds", "Alert thresholds follow production's baselines"),
        ("weeks-trade-risk", "The risk of a single trade is calculated from real equity"),
        ("weeks-loss-limits", "Daily and weekly loss limits are in the RiskGate"),
        ("weeks-patterns", "Normal and anomalous behaviour is documented"),
    ),
    "Month 2 and later": (
        ("months-promotion", "Profitable accounts are promoted, step by step"),
        ("months-stress-in-ci", "Stress scenarios run in continuous integration"),
        ("months-failover", "There is a second cluster elsewhere"),
        ("months-analysis", "Risk decisions are compared with what came of them"),
        ("months-capacity", "There is capacity for more orders"),
    ),
}

_PHASES = {
    Phase.BEFORE: _BEFORE,
    Phase.LAUNCH: _LAUNCH,
    Phase.FIRST_HOUR: _FIRST_HOUR,
    Phase.FIRST_DAY: _FIRST_DAY,
    Phase.FIRST_WEEK: _FIRST_WEEK,
    Phase.CHANGE: _CHANGE,
    Phase.AFTER: _AFTER,
}


def _item(phase: Phase, section: str, row: Row) -> Item:
    name, title, *measured = row
    machine = measured[0] if measured else None
    finding = measured[1] if len(measured) > 1 else ""
    return Item(name, title, phase, section, Machine(machine) if machine else None, finding)


ITEMS: tuple[Item, ...] = tuple(
    _item(phase, section, row)
    for phase, sections in _PHASES.items()
    for section, rows in sections.items()
    for row in rows
)
"""Every item, in the seed's order."""

BY_ID = {item.id: item for item in ITEMS}
"""Every item by its id."""
