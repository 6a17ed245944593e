"""Bybit v5 linear contracts as ccxt meets them, testnet and demo trading beside production.

Belongs here: endpoints, parameters, payloads, return codes, request limits.
Does not belong here: rules of matching or margin.
"""

from golive_simulator.dialect.bybit.speaker import BybitDialect

__all__ = ["BybitDialect"]
