"""A thread with an event loop of its own, for what goes on beside the one who waits."""

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

START_SECONDS = 30.0
"""How long a start may take before it counts as failed."""

CLOSING_SECONDS = 0.2
"""What TLS connections take to close once they were told to."""


class Background(ABC):
    """Runs `main` in a thread from entering the context until leaving it; what it raises is raised there."""

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def main(self) -> None:
        """Do the work until cancelled; call `ready` once others may rely on it."""

    def ready(self) -> None:
        """Let whoever entered the context go on."""
        self._ready.set()

    def soon(self, call: Callable[..., object], *arguments: Any) -> None:
        """Call a function in the loop's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call, *arguments)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error is not None:
            raise RuntimeError(f"{self._thread.name} did not start") from self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self.soon(self._task.cancel)
        self._thread.join()
        if self._error is not None and error is None:
            raise RuntimeError(f"{self._thread.name} has failed") from self._error

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            try:
                runner.run(self._main())
            except BaseException as error:  # noqa: BLE001  # raised where the context is left
                self._error = error
            finally:
                self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self.main())
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await asyncio.sleep(CLOSING_SECONDS)
