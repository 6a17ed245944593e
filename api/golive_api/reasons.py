"""Why a decision was taken: one enumeration for conditions, events, metrics, journal rows and the docs."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A CamelCase state with the sentence that explains it to a person."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        """Attach the sentence to the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    # The gate as the operator decides it, in the order of the chain.
    OPEN = "Open", "Every check holds: real orders may be sent until validUntil."
    SPEC_UNREADABLE = "SpecUnreadable", "The object holds a value that this version does not know."
    BEING_DELETED = "BeingDeleted", "The GoLive object is being deleted."
    ACTIVATION_DISABLED = "ActivationDisabled", "spec.activation is Disabled."
    GATE_LAPSED = (
        "GateLapsed",
        "Nobody renewed the open gate for longer than maxGapSeconds: this revision is burned.",
    )
    GATE_REMOVED = "GateRemoved", "A person deleted the gate: this revision is burned."
    GATE_CLOSED_BY_PERSON = "GateClosedByPerson", "A person set the gate to Closed: this revision is burned."
    REVISION_BURNED = (
        "RevisionBurned",
        "This revision was shut for good; set activation Disabled, then Enabled.",
    )
    ADMISSION_UNGUARDED = "AdmissionUnguarded", "The API server does not refuse forged approvals or gates."
    POLICY_MISSING = "PolicyMissing", "No ActivationPolicy applies to this namespace."
    POLICY_UNREADABLE = "PolicyUnreadable", "An ActivationPolicy holds a value that this version does not know."
    PROFILE_NOT_ALLOWED = "ProfileNotAllowed", "No policy lets a request of this namespace name this profile."
    LADDER_NOT_CLIMBED = (
        "LadderNotClimbed",
        "The gate has not been open long enough with the profile that comes before this one.",
    )
    WINDOW_CLOSED = "WindowClosed", "No Allow window is open, or a Deny window is: see status.window."
    WINDOW_UNREADABLE = "WindowUnreadable", "A window's time zone or recurrence rule can't be read."
    EMERGENCY_STOP_APPLIED = (
        "EmergencyStopApplied",
        "An EmergencyStop selects the engine: this revision is burned.",
    )
    REQUEST_EXPIRED = (
        "RequestExpired",
        "The revision has not been open for pendingTtlSeconds: it is burned.",
    )
    REJECTED = "Rejected", "A person rejected the request: this revision is burned."
    ENGINE_CONTESTED = "EngineContested", "Another enabled GoLive names the same engine."
    PROFILE_MISSING = "ProfileMissing", "The requested CapitalProfile does not exist."
    PROFILE_UNREADABLE = "ProfileUnreadable", "The requested CapitalProfile can't be read."
    ENGINE_MISSING = "EngineMissing", "The Deployment named in engineRef does not exist."
    ENGINE_CONFIG_MISSING = (
        "EngineConfigMissing",
        "A ConfigMap or Secret that the engine mounts does not exist.",
    )
    APPROVALS_MISSING = "ApprovalsMissing", "Fewer people than needed have approved this revision."
    APPROVER_GROUP_MISSING = (
        "ApproverGroupMissing",
        "No approver speaks for a group that the policy requires.",
    )
    ENGINE_CHANGED = (
        "EngineChanged",
        "The engine's pod template or mounted configuration differs from the approved.",
    )
    PROFILE_CHANGED = "ProfileChanged", "The profile's limits differ from the approved ones."
    REQUEST_CHANGED = "RequestChanged", "The request differs from the approved one."
    ENGINE_NOT_RUNNING = "EngineNotRunning", "No pod of the engine holds its Lease."
    ENGINE_ROLLING_OUT = "EngineRollingOut", "A pod of the engine runs another template than the approved."
    ENGINE_POD_DIFFERS = "EnginePodDiffers", "A running container differs from the approved template."
    ENGINE_CONFIG_STALE = (
        "EngineConfigStale",
        "The engine runs with another configuration than the mounted one.",
    )
    ENGINE_UNREACHABLE = "EngineUnreachable", "The engine's pod did not answer in time."
    ENGINE_REPORT_UNREADABLE = (
        "EngineReportUnreadable",
        "The engine's /status is not a report of this version.",
    )
    HEALTH_LIVE_FAILED = "HealthLiveFailed", "/health/live did not answer 200."
    HEALTH_READY_FAILED = "HealthReadyFailed", "/health/ready did not answer 200."
    METRICS_MISSING = "MetricsMissing", "A required series is missing from /metrics, or not scraped lately."
    EXCHANGE_UNCONNECTED = (
        "ExchangeUnconnected",
        "An account can't trade on one of its venues, or nobody knows.",
    )
    DATABASE_FAILED = "DatabaseFailed", "The journal or the cache does not keep what is written to it."
    STRESS_SCENARIOS_FAILED = (
        "StressScenariosFailed",
        "A stress scenario is not registered, failed, or has not passed lately.",
    )
    WEBHOOK_FAILED = "WebhookFailed", "An address that the policy names did not answer as expected."
    QUERY_FAILED = "QueryFailed", "A Prometheus query of the policy did not meet its threshold."
    CHECK_ERROR = "CheckError", "A check could not be tried, or not in time: that is never a pass."
    CHECKLIST_INCOMPLETE = (
        "ChecklistIncomplete",
        "A required item of the checklist is neither checked nor attested.",
    )
    PREFLIGHT_PENDING = "PreflightPending", "Preflight has not run yet for what stands there now."
    PREFLIGHT_STALE = "PreflightStale", "The preflight result is older than maxAgeSeconds."
    ACCOUNT_NOT_TRADED = (
        "AccountNotTraded",
        "The engine has no reconciled production account of a requested name.",
    )
    RISK_NOT_ACCEPTABLE = "RiskNotAcceptable", "Global Risk is worse than the request accepts."
    EMERGENCY_STOP_ACTIVE = "EmergencyStopActive", "The engine's emergency stop is active."
    TESTNET_HISTORY_SHORT = "TestnetHistoryShort", "Too few trades were filled on testnet."

    # Conditions that hold.
    APPROVED = "Approved", "Enough people have approved exactly this configuration."
    PREFLIGHT_PASSED = "PreflightPassed", "Every preflight check passed."
    IN_WINDOW = "InWindow", "The policies' windows let the gate be open now."
    SAFETY_CLEAR = "SafetyClear", "Risk state, emergency stop and testnet history are as requested."
    GUARDED = "Guarded", "The API server refused a forged approval, a forged gate and a stale epoch."
    ENGINE_OBEYS = "EngineObeys", "The trading pod has acknowledged the gate as it stands."
    ENGINE_SILENT = "EngineSilent", "The trading pod has not acknowledged the gate as it stands."
    RECONCILED = "Reconciled", "Status describes this generation."
    WAITING = "Waiting", "Something outside the operator has to change first."
    NOT_EVALUATED = "NotEvaluated", "An earlier check failed, so this one was not reached."

    # The operator's own failures.
    READ_FAILED = "ReadFailed", "The API server did not answer a read; nothing was decided."
    WRITE_CONFLICT = "WriteConflict", "The object changed while it was being decided; it is read again."

    # The gate as the engine sees it.
    GATE_OPEN = "GateOpen", "The gate is open for this account."
    GATE_MISSING = "GateMissing", "There is no gate, or it can't be read: GO-LIVE not activated."
    GATE_UNREADABLE = "GateUnreadable", "The gate holds a value that this engine does not know."
    GATE_CLOSED = "GateClosed", "The gate is closed: GO-LIVE not activated."
    GATE_UNPROVEN = (
        "GateUnproven",
        "The gate was found, not seen to be renewed: waiting for the next renewal.",
    )
    GATE_EXPIRED = "GateExpired", "The gate was not renewed in time."
    GATE_FOREIGN = "GateForeign", "The gate is meant for another engine, environment or account."
    GATE_REDUCE_ONLY = "GateReduceOnly", "Only orders that shrink a position may pass."

    # Orders, as the RiskGate judges them.
    ORDER_ALLOWED = "OrderAllowed", "Every check of the RiskGate passed."
    EMERGENCY_STOP_UNKNOWN = (
        "EmergencyStopUnknown",
        "Whether an EmergencyStop applies is not known: the API server does not say.",
    )
    STANDBY = "Standby", "Another pod holds the engine's Lease."
    NOT_RECONCILED = "NotReconciled", "The account has not been reconciled with its venue."
    RISK_CRITICAL = "RiskCritical", "Global Risk is CRITICAL."
    ACCOUNT_UNKNOWN = "AccountUnknown", "No balance of the account is known."
    INSTRUMENT_UNKNOWN = "InstrumentUnknown", "The venue does not list the instrument."
    PRICE_MISSING = "PriceMissing", "No market price is known."
    PRICE_STALE = "PriceStale", "The market price is too old."
    QUANTITY_INVALID = "QuantityInvalid", "The quantity is not positive, or not on the lot size."
    PRICE_INVALID = "PriceInvalid", "The price is not positive, or not on the tick size."
    QUANTITY_OUT_OF_RANGE = "QuantityOutOfRange", "The quantity is outside the instrument's range."
    NOTIONAL_TOO_SMALL = "NotionalTooSmall", "The notional is below the venue's minimum."
    LIMITS_MISSING = "LimitsMissing", "No profile limits are known for the account."
    POSITION_NOTIONAL_EXCEEDED = "PositionNotionalExceeded", "The position would exceed maxPositionNotional."
    POSITION_COUNT_EXCEEDED = "PositionCountExceeded", "There would be more than maxPositions positions."
    EXPOSURE_EXCEEDED = (
        "ExposureExceeded",
        "All positions together would exceed maxExposurePercent of equity.",
    )
    LEVERAGE_EXCEEDED = "LeverageExceeded", "The account's leverage on the symbol exceeds maxLeverage."
    MARGIN_EXCEEDED = "MarginExceeded", "The margin in use would exceed maxMarginPercent of equity."
    DAILY_LOSS_EXCEEDED = "DailyLossExceeded", "Today's loss has reached maxDailyLossPercent."
    DAILY_TRADES_EXCEEDED = "DailyTradesExceeded", "Today's orders have reached maxDailyTrades."
    WEEKLY_LOSS_EXCEEDED = "WeeklyLossExceeded", "This week's loss has reached maxWeeklyLossPercent."
    DRAWDOWN_EXCEEDED = "DrawdownExceeded", "Equity has fallen from its peak by maxDrawdownPercent."
    TRADE_RISK_EXCEEDED = (
        "TradeRiskExceeded",
        "Until its stop loss the order could lose more than maxTradeRiskPercent of equity.",
    )
    CORRELATED_EXPOSURE_EXCEEDED = (
        "CorrelatedExposureExceeded",
        "Symbols that move together would exceed maxCorrelatedExposurePercent of equity.",
    )
    PRICE_OFF_MARKET = "PriceOffMarket", "The order's price is too far off the market."
    MARKET_MOVED_TOO_FAR = "MarketMovedTooFar", "The market is too far off its median of the last ten minutes."
    LIQUIDITY_TOO_THIN = "LiquidityTooThin", "The book does not hold enough for the order, or nobody knows."
    ORDER_RATE_EXCEEDED = "OrderRateExceeded", "Orders of the last minute have reached maxOrdersPerMinute."
    SYMBOL_LOCKED = "SymbolLocked", "Repeated orders have locked the symbol until a person re-arms it."
    VENUE_UNAVAILABLE = "VenueUnavailable", "The venue's circuit breaker is open."
    VENUE_POSITION_UNKNOWN = (
        "VenuePositionUnknown",
        "The symbol's position on another venue of the account is not known.",
    )
    CLOCK_SKEWED = "ClockSkewed", "The venue's clock and ours differ too much, or nobody knows by how much."
    STRATEGY_NOT_LISTED = "StrategyNotListed", "The account's settings don't list the strategy."
    DRY_RUN = "DryRun", "The engine runs dry: every check passed, and nothing is sent."
    ORDER_DUPLICATE = "OrderDuplicate", "An order with this client order id was sent before."
    OUTCOME_UNKNOWN = "OutcomeUnknown", "An earlier order on the symbol has an unknown outcome."
    REDUCE_ONLY_VIOLATED = (
        "ReduceOnlyViolated",
        "The order would open or turn a position while only reducing is allowed.",
    )
