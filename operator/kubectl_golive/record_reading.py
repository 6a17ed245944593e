"""Reads a chain of records from the cluster, with what status says about its beginning and its end."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from pydantic import ValidationError

from golive_api.golive import Recorded
from golive_api.record import RECORD_LABEL, GoLiveRecordSpec
from golive_api.record_file import Header, Link
from golive_api.values import render_time
from kubectl_golive.cluster import Cluster, golive_path, record_path
from kubectl_golive.connection import Document
from kubectl_golive.problems import Problem, RefusedError

PAGE = 500
"""Records that are asked for at one time."""

ATTEMPTS = 3
"""How often a chain is read anew because retention removed its beginning meanwhile."""

_NOT_FOUND = 404


def read_chain(cluster: Cluster, name: str) -> tuple[Header, list[GoLiveRecordSpec]]:
    """All records of a GoLive's name, and a header as an export has it.

    Raises:
        Problem: The API server did not answer, or a record can't be read.
    """
    for _ in range(ATTEMPTS):
        recorded = _recorded(cluster, name)  # first: what is recorded after this is no fault
        records = _records(cluster, name)
        anchor = recorded.anchor_sequence if recorded else 0
        chain = [record for record in records if record.sequence > anchor]
        if not chain or chain[0].sequence == anchor + 1:
            break
    known = recorded or Recorded()
    header = Header(
        namespace=cluster.namespace,
        golive=name,
        export_time=render_time(datetime.now(UTC)),
        count=len(chain),
        anchor=Link(sequence=known.anchor_sequence, hash=known.anchor_hash),
        head=Link(sequence=known.sequence, hash=known.hash) if recorded else None,
    )
    return header, chain


def _recorded(cluster: Cluster, name: str) -> Recorded | None:
    """What status says; None where the GoLive is gone, or its operator has recorded nothing."""
    try:
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
    except RefusedError as refused:
        if refused.code == _NOT_FOUND:
            return None
        raise
    said = golive.get("status", {}).get("recorded")
    try:
        return Recorded.model_validate(said) if said else None
    except ValidationError as error:
        raise Problem(f"status.recorded can't be read: {error.errors()[0]['msg']}") from error


def _records(cluster: Cluster, name: str) -> list[GoLiveRecordSpec]:
    found: list[Document] = []
    query = {"labelSelector": f"{RECORD_LABEL}={name}", "limit": str(PAGE)}
    while True:
        page = cluster.call("GET", f"{record_path(cluster.namespace)}?{urlencode(query)}")
        found += page["items"]
        token = page.get("metadata", {}).get("continue")
        if not token:
            return sorted(map(_read, found), key=lambda record: record.sequence)
        query["continue"] = token


def _read(found: Document) -> GoLiveRecordSpec:
    try:
        return GoLiveRecordSpec.model_validate(found["spec"])
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise Problem(f"record {found['metadata']['name']}: {where}: {detail['msg']}") from error
