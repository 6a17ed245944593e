"""Orders and fills know their venue and kind; weeks, locks, changes of state and stress runs are kept.

Everything from before was a market order on the one venue that there was.
"""

from golive_engine.migrations.words import make_append_only, run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns with defaults, because an engine of the version before does not name them."""
    run(
        "ALTER TABLE orders ADD COLUMN number {integer}",
        "ALTER TABLE orders ADD COLUMN venue VARCHAR(16) NOT NULL DEFAULT 'binanceusdm'",
        "ALTER TABLE orders ADD COLUMN venue_order_id VARCHAR(64) NOT NULL DEFAULT ''",
        "ALTER TABLE orders ADD COLUMN kind VARCHAR(16) NOT NULL DEFAULT 'market'",
        "ALTER TABLE orders ADD COLUMN price VARCHAR(40)",
        "ALTER TABLE orders ADD COLUMN purpose VARCHAR(16) NOT NULL DEFAULT 'trade'",
        "ALTER TABLE orders ADD COLUMN strategy VARCHAR(63) NOT NULL DEFAULT ''",
        "ALTER TABLE fills ADD COLUMN venue VARCHAR(16) NOT NULL DEFAULT 'binanceusdm'",
        "ALTER TABLE fills ADD COLUMN trade_id VARCHAR(64)",
        "CREATE UNIQUE INDEX ix_fills_trade ON fills (account, venue, symbol, trade_id)",
        "ALTER TABLE decisions ADD COLUMN venue VARCHAR(16) NOT NULL DEFAULT 'binanceusdm'",
        "ALTER TABLE decisions ADD COLUMN kind VARCHAR(16) NOT NULL DEFAULT 'market'",
        "ALTER TABLE decisions ADD COLUMN purpose VARCHAR(16) NOT NULL DEFAULT 'trade'",
        "ALTER TABLE decisions ADD COLUMN strategy VARCHAR(63) NOT NULL DEFAULT ''",
        "ALTER TABLE denials ADD COLUMN venue VARCHAR(16) NOT NULL DEFAULT 'binanceusdm'",
        "ALTER TABLE denials ADD COLUMN purpose VARCHAR(16) NOT NULL DEFAULT 'trade'",
        "CREATE TABLE weeks (account VARCHAR(63) NOT NULL, week VARCHAR(10) NOT NULL, "
        "start_equity VARCHAR(40) NOT NULL, PRIMARY KEY (account, week))",
        "CREATE TABLE symbol_locks (sequence {number}, account VARCHAR(63) NOT NULL, "
        "symbol VARCHAR(32) NOT NULL, details VARCHAR NOT NULL, time FLOAT NOT NULL, "
        "released_time FLOAT, released_by VARCHAR, cause VARCHAR)",
        "CREATE TABLE state_changes (sequence {number}, time FLOAT NOT NULL, kind VARCHAR(32) NOT NULL, "
        "scope VARCHAR(128) NOT NULL, value VARCHAR(64) NOT NULL, details VARCHAR NOT NULL)",
        "CREATE INDEX ix_state_changes_kind ON state_changes (kind)",
        "CREATE TABLE stress_runs (sequence {number}, time FLOAT NOT NULL, scenario VARCHAR(63) NOT NULL, "
        "result VARCHAR(16) NOT NULL, details VARCHAR NOT NULL, seconds FLOAT NOT NULL)",
        "CREATE INDEX ix_stress_runs_scenario ON stress_runs (scenario)",
    )
    make_append_only("state_changes")
    make_append_only("stress_runs")
