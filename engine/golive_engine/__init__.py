"""The trading engine: market data, strategies, risk, orders, journal, and obedience to the gate.

What one pod needs to trade one set of accounts belongs here. Deciding whether real money may be traded
does not: that is told from outside, and silence means no.
"""

VERSION = "0.1.0"
"""Version of this engine, as it says at start."""
