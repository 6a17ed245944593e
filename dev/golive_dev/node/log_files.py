"""Reading a container's output back: all of it, its last lines, or as it grows.

The command writes straight into the file, so output needs no help of the node and is never cut. Files are
not rotated, and lines carry no time of their own.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

FOLLOW_SECONDS = 0.1
"""How often a followed file is looked at."""

_BLOCK_BYTES = 64 * 1024


def tail_offset(path: Path, lines: int) -> int:
    """Where the last `lines` lines of a file begin; the file is read from its end."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        if lines <= 0:
            return end
        position = end - 1  # a newline at the very end begins no line
        while position > 0:
            start = max(0, position - _BLOCK_BYTES)
            file.seek(start)
            block = file.read(position - start)
            at = len(block)
            while (at := block.rfind(b"\n", 0, at)) >= 0:
                lines -= 1
                if lines == 0:
                    return start + at + 1
            position = start
    return 0


async def read_log(
    path: Path, *, tail_lines: int | None = None, over: Callable[[], bool] | None = None
) -> AsyncIterator[bytes]:
    """Yield the file's content, from its last lines if so wished.

    Args:
        path: The file.
        tail_lines: How many lines from the end to begin with.
        over: Follow the file until this says that nothing more will come; None doesn't follow.
    """
    offset = 0 if tail_lines is None else tail_offset(path, tail_lines)
    with path.open("rb") as file:
        file.seek(offset)
        while True:
            # Asked before reading, so that what was written up to the end is still read.
            last_look = over is None or over()
            while block := file.read(_BLOCK_BYTES):
                yield block
            if last_look:
                return
            await asyncio.sleep(FOLLOW_SECONDS)
