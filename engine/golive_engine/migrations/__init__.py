"""How a journal came to its present shape, one revision after another.

Frozen SQL belongs here: a released revision never changes, and only adds, because an engine of the version
before may still be writing. Reading and writing rows does not.
"""
