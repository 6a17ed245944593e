"""A folder for PYTHONPATH, so that Python programs see volumes where nothing can be mounted.

Only what stands in for a mount belongs here; it is imported by programs that know nothing of it.
"""
