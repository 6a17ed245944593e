"""What every pod of a node has to do with: settings, the API server, addresses, events."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import aiohttp

from golive_dev.node.addresses import PodAddresses
from golive_dev.node.api_client import ApiClient, ApiError, Json
from golive_dev.node.environment import ObjectKey
from golive_dev.node.events import EventWriter
from golive_dev.node.settings import NodeSettings


class ObjectReader:
    """Reads ConfigMaps and Secrets, each at most once in a while for all pods together."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._seen: dict[tuple[str, ObjectKey], tuple[float, Json | None]] = {}

    async def read(
        self, namespace: str, keys: Iterable[ObjectKey], *, max_age_seconds: float = 0.0
    ) -> dict[ObjectKey, Json | None]:
        """The objects named, None for each that isn't there; as last seen while the server is away.

        Raises:
            ApiError: Not allowed (yet: the authorizer learns of a new pod a moment later), or never reached.
        """
        return {key: await self._read_one(namespace, key, max_age_seconds) for key in set(keys)}

    async def _read_one(self, namespace: str, key: ObjectKey, max_age_seconds: float) -> Json | None:
        """From memory if it is recent enough, otherwise from the server."""
        seen_at, found = self._seen.get((namespace, key), (0.0, None))
        now = time.monotonic()
        if seen_at and now - seen_at <= max_age_seconds:
            return found
        plural, name = key
        try:
            found = await self._client.get(f"/api/v1/namespaces/{namespace}/{plural}/{name}")
        except ApiError as error:
            if error.status == 0 and seen_at:
                return found
            if error.status != 404:  # noqa: PLR2004  # Not Found
                raise
            found = None
        self._seen[namespace, key] = (now, found)
        return found


@dataclass(frozen=True)
class NodeContext:
    """Shared by all pods of a node."""

    settings: NodeSettings
    """As given at the start."""

    client: ApiClient
    """Signed in as the node."""

    addresses: PodAddresses
    """The node's share of loopback addresses."""

    objects: ObjectReader
    """ConfigMaps and Secrets."""

    events: EventWriter
    """For `kubectl describe`."""

    probes: aiohttp.ClientSession
    """For HTTP probes and hooks."""

    filesystem: Literal["namespace", "rewrite"]
    """How containers get their files on this machine."""

    allocatable: Mapping[str, str]
    """The node's resources."""

    def service_environment(self) -> dict[str, str]:
        """Where the API server is, as every container is told."""
        address = urlsplit(self.client.server.url)
        host, port = address.hostname or "", str(address.port or 443)
        return {
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "KUBERNETES_SERVICE_PORT_HTTPS": port,
            "KUBERNETES_PORT": f"tcp://{host}:{port}",
        }
