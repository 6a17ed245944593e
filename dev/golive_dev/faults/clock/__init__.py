"""A folder for PYTHONPATH that gives an operator a wall clock which can be set wrong while it runs.

Only that belongs here; it is imported by programs that know nothing of it.
"""
