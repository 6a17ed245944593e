"""Tokens that webhooks are asked with, from Secrets in the operator's own namespace."""

import base64
import binascii

from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError
from golive_operator.preflight_questions import SecretReader

KEY = "token"
"""Which key of the Secret holds it."""


def secret_reader(cluster: Cluster, namespace: str) -> SecretReader:
    """A function that reads the token of a Secret by name; None where there is none that can be read."""

    async def read(name: str) -> str | None:
        try:
            secret = await cluster.get(paths.core(namespace, "secrets", name))
            return base64.b64decode((secret.get("data") or {})[KEY], validate=True).decode()
        except (ClusterError, KeyError, TypeError, binascii.Error, UnicodeDecodeError):
            return None

    return read
