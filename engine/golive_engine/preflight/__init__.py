"""Preflight of what only the engine can try: with its keys, in its database, of its own state.

Trying, and telling what was seen, belongs here; whether it is good enough to trade is decided by whoever
asked. Nothing here places an order, or changes what trading goes by.
"""
