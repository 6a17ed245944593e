"""OKX v5 perpetual swaps as ccxt meets them, demo trading beside production on the same host.

Belongs here: endpoints, parameters, payloads, error codes, rate limits, contract sizes.
Does not belong here: rules of matching or margin.
"""

from golive_simulator.dialect.okx.contracts import swaps
from golive_simulator.dialect.okx.speaker import OkxDialect

__all__ = ["OkxDialect", "swaps"]
