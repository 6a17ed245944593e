"""An exchange on one machine, for clients that must believe it is the venue.

Belongs here: prices, books, matching, accounts, the venues' dialects, faults on request.
Does not belong here: anything that decides what to trade, or that knows of a gate.
"""
