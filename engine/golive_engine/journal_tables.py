"""The journal's tables as the code believes in them; the revisions make them."""

import sqlalchemy as sa

_integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = sa.MetaData()
"""Every table."""


def _number() -> sa.Column[int]:
    """A row's own number."""
    return sa.Column("sequence", _integer, primary_key=True, autoincrement=True)


meta = sa.Table("meta", TABLES, sa.Column("key", sa.String, primary_key=True), sa.Column("value", sa.String))
orders = sa.Table(
    "orders",
    TABLES,
    _number(),
    sa.Column("client_order_id", sa.String(36), nullable=False, unique=True),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reduce_only", sa.Boolean, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("filled", sa.String(40), nullable=False),
    sa.Column("average_price", sa.String(60), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("number", _integer),
    sa.Column("venue", sa.String(16), nullable=False),
    sa.Column("venue_order_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("price", sa.String(40)),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("strategy", sa.String(63), nullable=False),
)
fills = sa.Table(
    "fills",
    TABLES,
    _number(),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("client_order_id", sa.String(36)),
    sa.Column("signed_quantity", sa.String(40), nullable=False),
    sa.Column("price", sa.String(60), nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("venue", sa.String(16), nullable=False),
    sa.Column("trade_id", sa.String(64)),
    sa.Index("ix_fills_trade", "account", "venue", "symbol", "trade_id", unique=True),
)
order_changes = sa.Table(
    "order_changes",
    TABLES,
    _number(),
    sa.Column("client_order_id", sa.String(36), nullable=False, index=True),
    sa.Column("time", sa.Float),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("filled", sa.String(40), nullable=False),
    sa.Column("average_price", sa.String(60), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
decisions = sa.Table(
    "decisions",
    TABLES,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reduce_only", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("venue", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("strategy", sa.String(63), nullable=False),
)
denials = sa.Table(
    "denials",
    TABLES,
    _number(),
    sa.Column("account", sa.String(63), nullable=False),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("first_time", sa.Float, nullable=False),
    sa.Column("last_time", sa.Float, nullable=False),
    sa.Column("times", _integer, nullable=False),
    sa.Column("venue", sa.String(16), nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
)
days = sa.Table(
    "days",
    TABLES,
    sa.Column("account", sa.String(63), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("start_equity", sa.String(40), nullable=False),
    sa.Column("peak_equity", sa.String(40), nullable=False),
)
weeks = sa.Table(
    "weeks",
    TABLES,
    sa.Column("account", sa.String(63), primary_key=True),
    sa.Column("week", sa.String(10), primary_key=True),
    sa.Column("start_equity", sa.String(40), nullable=False),
)
stops = sa.Table(
    "emergency_stops",
    TABLES,
    _number(),
    sa.Column("scope", sa.String(63), nullable=False),
    sa.Column("trigger", sa.String(32), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("released_time", sa.Float),
    sa.Column("released_by", sa.String),
    sa.Column("cause", sa.String),
)
locks = sa.Table(
    "symbol_locks",
    TABLES,
    _number(),
    sa.Column("account", sa.String(63), nullable=False),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("released_time", sa.Float),
    sa.Column("released_by", sa.String),
    sa.Column("cause", sa.String),
)
gate_changes = sa.Table(
    "gate_changes",
    TABLES,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("epoch", _integer, nullable=False),
    sa.Column("serial", _integer, nullable=False),
)
state_changes = sa.Table(
    "state_changes",
    TABLES,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False, index=True),
    sa.Column("scope", sa.String(128), nullable=False),
    sa.Column("value", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
)
stress_runs = sa.Table(
    "stress_runs",
    TABLES,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("scenario", sa.String(63), nullable=False, index=True),
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)
