"""ServiceAccount tokens bound to one pod, renewed before they end."""

import time
from collections.abc import Callable

from golive_dev.node.api_client import ApiClient, ApiError, Json
from golive_dev.node.payloads import TokenKey

RENEWAL_FRACTION = 0.8
"""Share of a token's life after which a new one is asked for, as the kubelet does."""


class PodTokens:
    """The tokens of one pod, one per audience and lifetime."""

    def __init__(self, client: ApiClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._held: dict[TokenKey, tuple[str, float]] = {}

    async def token(self, pod: Json, key: TokenKey) -> str:
        """A token with most of its life before it; the last one while there is no better.

        Raises:
            ApiError: There is none yet and the server gives none.
        """
        held, renewal_due = self._held.get(key, ("", 0.0))
        if held and self._clock() < renewal_due:
            return held
        audience, lifetime_seconds = key
        try:
            token = await self._request(pod, audience, lifetime_seconds)
        except ApiError:
            if not held:
                raise
            return held
        self._held[key] = (token, self._clock() + RENEWAL_FRACTION * lifetime_seconds)
        return token

    async def _request(self, pod: Json, audience: str, lifetime_seconds: int) -> str:
        """Ask for a token that ends with the pod."""
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName") or "default"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        audiences = [audience] if audience else []
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": audiences, "expirationSeconds": lifetime_seconds, "boundObjectRef": bound},
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = await self._client.create(path, body)
        return str(answer["status"]["token"])
