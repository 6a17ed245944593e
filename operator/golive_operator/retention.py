"""Removes the oldest records of a chain, and keeps in status what the rest of it continues."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from golive_api.golive import Recorded
from golive_decisions import chaining
from golive_operator.cluster import Object
from golive_operator.record_store import RecordStore

EVERY_SECONDS = 3600.0
"""How often the oldest records of each chain are looked at."""

MOST_REMOVED = 50
"""Records that one look removes; the next look goes on."""

MOST_UIDS = 10_000
"""GoLives of which is known when theirs were looked at; what is forgotten is looked at again."""

Remember = Callable[[Object, Recorded], Awaitable[Object]]
"""Writes status.recorded of a GoLive as it was read, and returns the GoLive as it is then."""


@dataclass
class Retention:
    """How many records of each GoLive stay, and for how long."""

    keep: int
    """Most records of each GoLive."""
    days: int
    """Their greatest age."""
    _looked: dict[str, float] = field(default_factory=dict)

    def due(self, uid: str, now: float) -> bool:
        """Whether a chain's oldest records have not been looked at lately; `now` is monotonic."""
        return now - self._looked.get(uid, now - EVERY_SECONDS) >= EVERY_SECONDS

    async def apply(
        self, golive: Object, recorded: Recorded, store: RecordStore, remember: Remember
    ) -> Recorded:
        """Remove what is too much or too old, some at a time. Raises ClusterError.

        Status is written first: a crash then leaves records that are no part of the chain any more, and the
        next look removes them; the other way round it would leave a chain that continues nothing.
        """
        metadata, now = golive["metadata"], time.monotonic()
        surplus = recorded.sequence - recorded.anchor_sequence - self.keep
        if not self.due(metadata["uid"], now) and surplus < MOST_REMOVED:
            return recorded
        namespace, name = metadata["namespace"], metadata["name"]
        oldest = await store.oldest(namespace, name, MOST_REMOVED)
        left_over = [record for record in oldest if record.sequence <= recorded.anchor_sequence]
        chain = oldest[len(left_over) :]
        removed = chaining.outdated(chain, recorded, datetime.now(UTC), self.keep, self.days)
        if removed:
            recorded = chaining.anchored(recorded, removed[-1])
            await remember(golive, recorded)
        for record in (*left_over, *removed):
            await store.delete(namespace, record)
        if len(left_over) + len(removed) < MOST_REMOVED:  # else there is more to remove
            self._looked = dict(list(self._looked.items())[-MOST_UIDS:]) | {metadata["uid"]: now}
        return recorded
