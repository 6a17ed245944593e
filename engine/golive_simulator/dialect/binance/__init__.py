"""Binance USD-M futures as ccxt meets it, demo trading beside production.

Belongs here: endpoints, parameters, payloads, error codes, request weights.
Does not belong here: rules of matching or margin.
"""

from golive_simulator.dialect.binance.speaker import BinanceDialect

__all__ = ["BinanceDialect"]
