"""Sees every version of a GoLive and of its gate, live, with its own eyes."""

import asyncio
import json
import ssl
import time
from typing import Any

import aiohttp

from golive_dev.control_plane import ControlPlane
from golive_dev.faults.background import Background
from golive_dev.faults.judging import Seen

RETRY_SECONDS = 0.05
"""Pause before an API server that is away is asked again."""

Json = dict[str, Any]


class Witness(Background):
    """Follows two objects by watches of its own, over all that happens to the API server."""

    def __init__(self, plane: ControlPlane, namespace: str, name: str) -> None:
        super().__init__("witness")
        self._url = plane.url
        self._context = ssl.create_default_context(cafile=str(plane.ca_file))
        self._context.load_cert_chain(*plane.authority.issue("witness", "witness", ["system:masters"]))
        self._golive = (f"/apis/golive.dev/v1alpha1/namespaces/{namespace}/golives", name)
        self._gate = (f"/api/v1/namespaces/{namespace}/configmaps", f"golive-gate-{name}")
        self._listed = 0
        self.requests: list[Seen] = []
        """Versions of the GoLive."""
        self.gates: list[Seen] = []
        """Versions of the gate."""

    async def main(self) -> None:
        """Follow both until cancelled."""
        connector = aiohttp.TCPConnector(ssl=self._context)
        async with (
            aiohttp.ClientSession(
                self._url, connector=connector, timeout=aiohttp.ClientTimeout(total=None)
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._follow(session, *self._golive, self.requests))
            tasks.create_task(self._follow(session, *self._gate, self.gates))

    async def _follow(self, session: aiohttp.ClientSession, path: str, name: str, versions: list[Seen]) -> None:
        query, version = {"fieldSelector": f"metadata.name={name}"}, ""
        while True:
            try:
                if not version:
                    version = await self._list(session, path, query, versions)
                async with session.get(
                    path, params={**query, "watch": "true", "resourceVersion": version}
                ) as news:
                    version = await self._read(news, version, versions)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(
        self, session: aiohttp.ClientSession, path: str, query: dict[str, str], versions: list[Seen]
    ) -> str:
        async with session.get(path, params=query) as answer:
            found = await answer.json()
        if "items" not in found:
            raise aiohttp.ClientPayloadError(str(found)[:200])
        for item in found["items"]:
            _add(versions, Seen(int(item["metadata"]["resourceVersion"]), time.time(), item, listed=True))
        version = str(found["metadata"]["resourceVersion"])
        if not found["items"]:
            _add(versions, Seen(int(version), time.time(), None))
        self._listed += 1
        if self._listed == len((self._golive, self._gate)):
            self.ready()
        return version

    async def _read(self, news: aiohttp.ClientResponse, version: str, versions: list[Seen]) -> str:
        """Take in what a watch tells until it ends; where to watch on from, empty where only a list helps."""
        if news.status != 200:  # noqa: PLR2004  # OK
            return ""
        while line := await news.content.readline():
            event: Json = json.loads(line)
            if event["type"] == "ERROR":
                return ""
            version = event["object"]["metadata"]["resourceVersion"]
            there = event["type"] != "DELETED"
            _add(versions, Seen(int(version), time.time(), event["object"] if there else None))
        return version


def _add(versions: list[Seen], seen: Seen) -> None:
    if not versions or seen.version > versions[-1].version:
        versions.append(seen)
