"""Each step of an order and each change of a decision as a row that stays."""

from golive_engine.migrations.words import make_append_only, run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both histories; an order that is there already begins its own where it stands, at no known time."""
    run(
        "CREATE TABLE order_changes (sequence {number}, client_order_id VARCHAR(36) NOT NULL, time FLOAT, "
        "state VARCHAR(16) NOT NULL, filled VARCHAR(40) NOT NULL, average_price VARCHAR(60) NOT NULL, "
        "reason VARCHAR NOT NULL)",
        "CREATE INDEX ix_order_changes_client_order_id ON order_changes (client_order_id)",
        "INSERT INTO order_changes (client_order_id, state, filled, average_price, reason) "
        "SELECT client_order_id, state, filled, average_price, reason FROM orders ORDER BY sequence",
        "CREATE TABLE decisions (sequence {number}, time FLOAT NOT NULL, account VARCHAR(63) NOT NULL, "
        "symbol VARCHAR(32) NOT NULL, side VARCHAR(4) NOT NULL, quantity VARCHAR(40) NOT NULL, "
        "reduce_only BOOLEAN NOT NULL, reason VARCHAR(64) NOT NULL, details VARCHAR NOT NULL)",
        "CREATE INDEX ix_decisions_account ON decisions (account)",
    )
    for table in ("fills", "order_changes", "decisions"):
        make_append_only(table)
