"""Orders, fills, denials, days, emergency stops, gate changes.

Journals older than revisions have exactly these tables: for them, nothing is created.
"""

from golive_engine.migrations.words import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what is not there."""
    run(
        "CREATE TABLE IF NOT EXISTS meta (key VARCHAR NOT NULL PRIMARY KEY, value VARCHAR)",
        "CREATE TABLE IF NOT EXISTS orders (sequence {number}, client_order_id VARCHAR(36) NOT NULL, "
        "account VARCHAR(63) NOT NULL, symbol VARCHAR(32) NOT NULL, side VARCHAR(4) NOT NULL, "
        "quantity VARCHAR(40) NOT NULL, reduce_only BOOLEAN NOT NULL, created FLOAT NOT NULL, "
        "state VARCHAR(16) NOT NULL, filled VARCHAR(40) NOT NULL, average_price VARCHAR(60) NOT NULL, "
        "reason VARCHAR NOT NULL, UNIQUE (client_order_id))",
        "CREATE INDEX IF NOT EXISTS ix_orders_account ON orders (account)",
        "CREATE INDEX IF NOT EXISTS ix_orders_state ON orders (state)",
        "CREATE TABLE IF NOT EXISTS fills (sequence {number}, account VARCHAR(63) NOT NULL, "
        "symbol VARCHAR(32) NOT NULL, client_order_id VARCHAR(36), signed_quantity VARCHAR(40) NOT NULL, "
        "price VARCHAR(60) NOT NULL, time FLOAT NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_fills_account ON fills (account)",
        "CREATE TABLE IF NOT EXISTS denials (sequence {number}, account VARCHAR(63) NOT NULL, "
        "symbol VARCHAR(32) NOT NULL, side VARCHAR(4) NOT NULL, quantity VARCHAR(40) NOT NULL, "
        "reason VARCHAR(64) NOT NULL, details VARCHAR NOT NULL, first_time FLOAT NOT NULL, "
        "last_time FLOAT NOT NULL, times {integer} NOT NULL)",
        "CREATE TABLE IF NOT EXISTS days (account VARCHAR(63) NOT NULL, day VARCHAR(10) NOT NULL, "
        "start_equity VARCHAR(40) NOT NULL, peak_equity VARCHAR(40) NOT NULL, PRIMARY KEY (account, day))",
        "CREATE TABLE IF NOT EXISTS emergency_stops (sequence {number}, scope VARCHAR(63) NOT NULL, "
        '"trigger" VARCHAR(32) NOT NULL, details VARCHAR NOT NULL, time FLOAT NOT NULL, '
        "released_time FLOAT, released_by VARCHAR, cause VARCHAR)",
        "CREATE TABLE IF NOT EXISTS gate_changes (sequence {number}, time FLOAT NOT NULL, "
        "state VARCHAR(16) NOT NULL, reason VARCHAR(64) NOT NULL, uid VARCHAR(64) NOT NULL, "
        "epoch {integer} NOT NULL, serial {integer} NOT NULL)",
    )
