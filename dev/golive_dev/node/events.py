"""Events: what `kubectl describe pod` shows of a node's doings."""

import asyncio
import itertools
import logging
from datetime import UTC, datetime
from typing import Literal

from golive_dev.node.api_client import ApiClient, ApiError, Json
from golive_dev.node.status import timestamp

log = logging.getLogger(__name__)

Severity = Literal["Normal", "Warning"]


class EventWriter:
    """Writes events in the background; a lost event is only logged."""

    def __init__(self, client: ApiClient, node_name: str) -> None:
        self._client = client
        self._node_name = node_name
        self._numbers = itertools.count()
        self._last: dict[str, tuple[str, str]] = {}
        self._pending: set[asyncio.Task[None]] = set()

    def write(self, pod: Json, severity: Severity, reason: str, message: str) -> None:
        """Note an event about a pod; the same as the one before it is left out."""
        log.info("%s/%s: %s: %s", pod["metadata"]["namespace"], pod["metadata"]["name"], reason, message)
        uid = pod["metadata"]["uid"]
        if self._last.get(uid) == (reason, message):
            return
        self._last[uid] = (reason, message)
        task = asyncio.create_task(self._send(pod, severity, reason, message))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        self._last.pop(uid, None)

    async def _send(self, pod: Json, severity: Severity, reason: str, message: str) -> None:
        """Write one event as the kubelet would."""
        metadata = pod["metadata"]
        now = datetime.now(UTC)
        name = f"{metadata['name'][:200]}.{int(now.timestamp() * 1e6):x}{next(self._numbers):x}"
        about = {field: metadata[field] for field in ("namespace", "name", "uid")}
        body = {
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "reason": reason,
            "message": message[:1000],
            "type": severity,
            "source": {"component": "kubelet", "host": self._node_name},
            "reportingComponent": "kubelet",
            "reportingInstance": self._node_name,
            "firstTimestamp": timestamp(now),
            "lastTimestamp": timestamp(now),
            "count": 1,
        }
        try:
            await self._client.create(f"/api/v1/namespaces/{metadata['namespace']}/events", body)
        except ApiError as error:
            log.warning("event lost: %s: %s", reason, error)
