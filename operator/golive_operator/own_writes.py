"""What this process has written itself: its echoes wake nobody, and the last gate need not be read again."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from golive_api.golive import GateState
from golive_operator.cluster import Object

KEPT_VERSIONS = 4
"""Own versions of an object that are remembered: a watch may be that many writes behind."""


class Echoes:
    """What a watch will tell of our own writes: nothing that has to be looked at.

    Each of these writes was guarded by the version that was read, so what it made is known to the last field.
    """

    def __init__(self) -> None:
        self._versions: dict[str, tuple[str, ...]] = {}
        self._under_way: dict[str, list[tuple[str, Callable[[], None]]]] = {}

    def expect(self, written: Object) -> None:
        """Remember the version that an object got by our own write."""
        metadata = written["metadata"]
        known = (*self._versions.get(metadata["uid"], ()), metadata["resourceVersion"])
        self._versions[metadata["uid"]] = known[-KEPT_VERSIONS:]

    @contextmanager
    def writing(self, uid: str) -> Iterator[None]:
        """A watch may tell of a write before it is answered: what is heard meanwhile is judged afterwards."""
        heard = self._under_way.setdefault(uid, [])
        try:
            yield
        finally:
            self._under_way.pop(uid, None)
            for version, wake in heard:
                if not self._is_own(uid, version):
                    wake()

    def heard(self, metadata: Mapping[str, Any], wake: Callable[[], None]) -> None:
        """Have the object looked at, unless a watch only tells of our own write."""
        uid, version = metadata.get("uid", ""), metadata.get("resourceVersion", "")
        if self._is_own(uid, version):
            return
        if uid in self._under_way:
            self._under_way[uid].append((version, wake))
        else:
            wake()

    def is_one(self, metadata: Mapping[str, Any]) -> bool:
        """Whether an object, as a watch or a list tells of it, is as we have left it."""
        return self._is_own(metadata.get("uid", ""), metadata.get("resourceVersion", ""))

    def _is_own(self, uid: str, version: str) -> bool:
        return version in self._versions.get(uid, ())

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._versions.pop(uid, None)


class Gates:
    """Each gate as our last write has left it. Good for a renewal: that is refused if the gate has changed."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, Object]] = {}

    def remember(self, namespace: str, name: str, gate: Object) -> None:
        """A gate has been written."""
        self._last[namespace, name] = time.monotonic(), gate

    def last(self, namespace: str, name: str, heard: float, oldest: float) -> Object | None:
        """The gate as written after that was heard, and not before the oldest moment; None if there is none."""
        written, gate = self._last.get((namespace, name), (0.0, None))
        return gate if gate is not None and written > max(heard, oldest) else None

    def left_open(self, namespace: str, name: str) -> bool:
        """Whether our last write has left it open, as far as that is known."""
        _, gate = self._last.get((namespace, name), (0.0, None))
        return gate is not None and gate["data"]["state"] != GateState.CLOSED.value

    def forget(self, namespace: str, name: str) -> None:
        """A write was refused, or the object is gone: read it anew."""
        self._last.pop((namespace, name), None)
