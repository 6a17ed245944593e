"""Stress scenarios: events that have cost others money, played to a shadow of the engine.

The shadow is made of the engine's own classes and limits, and trades on a simulated exchange in a process of
its own. It shares nothing with the running engine: no keys, no journal, no venue. Deciding what an order may
do belongs elsewhere; here is only found out whether it is still decided so.
"""
