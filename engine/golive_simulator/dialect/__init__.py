"""How a venue speaks: one package per dialect, behind one seam.

Belongs here: wire formats, signatures, rate limits, error wording.
Does not belong here: matching, money, prices.
"""

from golive_simulator.dialect.seam import Answer, Asked, Dialect

__all__ = ["Answer", "Asked", "Dialect"]
