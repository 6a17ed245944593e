"""What the gate should be, given what is known: frozen facts in, a frozen plan out.

Checks, the chain that orders them, conditions and the gate record belong here.
Reading, writing, clocks and logging do not.
"""
