"""Exit codes, so that scripts need not read the output."""

from enum import IntEnum


class Exit(IntEnum):
    """What a verb says to the shell."""

    OK = 0
    """The gate is open, or what was asked for is done."""
    ERROR = 1
    """It could not be done."""
    CLOSED = 2
    """The gate is not open."""
    UNKNOWN = 3
    """Nobody could say; treat it as the worse case."""
