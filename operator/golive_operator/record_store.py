"""Records as objects of the API server: created once, read, deleted by retention, never changed."""

from pydantic import ValidationError

from golive_api import API_VERSION
from golive_api.record import RECORD_LABEL, GoLiveRecordSpec, record_name
from golive_operator import paths
from golive_operator.cluster import Cluster, MissingError, Object, RejectedError

PAGE = 500
"""Records that are read at one time."""


class RecordStore:
    """The chains of one cluster. Raises ClusterError when the API server does not do what it is asked."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def create(self, namespace: str, record: GoLiveRecordSpec) -> None:
        """Write a record; raises ConflictError where one stands in its place already."""
        await self._cluster.create(paths.records(namespace), record_object(record))

    async def at(self, namespace: str, golive: str, sequence: int) -> GoLiveRecordSpec | None:
        """The record in one place of a chain, None if there is none."""
        try:
            return read_record(await self._cluster.get(paths.records(namespace, record_name(golive, sequence))))
        except MissingError:
            return None

    async def chain(self, namespace: str, golive: str) -> list[GoLiveRecordSpec]:
        """Every record of a GoLive's name, in their order."""
        selector = f"{RECORD_LABEL}={golive}"
        pages = self._cluster.pages(paths.records(namespace), PAGE, labelSelector=selector)
        return _ordered([each async for page in pages for each in page])

    async def oldest(self, namespace: str, golive: str, count: int) -> list[GoLiveRecordSpec]:
        """The first records of a chain: names are in the chain's order, and so is a list."""
        selector = f"{RECORD_LABEL}={golive}"
        path = paths.records(namespace)
        return _ordered(await self._cluster.list(path, labelSelector=selector, limit=str(count)))

    async def delete(self, namespace: str, record: GoLiveRecordSpec) -> None:
        """Remove a record; one that is gone already is no error."""
        try:
            await self._cluster.delete(paths.records(namespace, record_name(record.golive, record.sequence)))
        except MissingError:
            return


def record_object(record: GoLiveRecordSpec) -> Object:
    """The object that holds a record; owned by nothing, for it outlives what it speaks of."""
    return {
        "apiVersion": API_VERSION,
        "kind": "GoLiveRecord",
        "metadata": {
            "name": record_name(record.golive, record.sequence),
            "labels": {RECORD_LABEL: record.golive},
        },
        "spec": record.wire(),
    }


def read_record(found: Object) -> GoLiveRecordSpec:
    """The record in an object; raises RejectedError where this version can't read it."""
    try:
        return GoLiveRecordSpec.model_validate(found.get("spec"))
    except ValidationError as error:
        raise RejectedError(f"record {found['metadata']['name']} can't be read: {error.errors()[0]}") from error


def _ordered(found: list[Object]) -> list[GoLiveRecordSpec]:
    return sorted(map(read_record, found), key=lambda record: record.sequence)
