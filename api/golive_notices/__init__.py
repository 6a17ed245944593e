"""Notices to people, wherever they want to be told: delivered in the background, again and again, for a while.

Reaching a person belongs here: addresses, attempts, repeats, and keeping secrets out of the log. When to
tell, and what, does not: whoever has something to say decides that, and goes on without waiting.
"""
