"""Breaks a running system on purpose, and watches meanwhile whether it keeps its promises.

Here belong a proxy that loses and delays, a clock that jumps, witnesses and their judge. What is broken runs as
it is installed; nothing of it is imported but the engine's gate, and the judge has rules of its own.
"""
