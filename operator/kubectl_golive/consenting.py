"""Shows what an approval is about, asks, and adds the approval to the object as it was shown."""

import sys
from functools import partial
from typing import Any

import click

from golive_api import API_VERSION
from kubectl_golive.approvals import matches, own_approval, same_person, short, why_void
from kubectl_golive.cluster import Cluster, golive_path, profile_path
from kubectl_golive.consent import Consent, show
from kubectl_golive.exits import Exit
from kubectl_golive.problems import Problem, RefusedError
from kubectl_golive.terminal import page

CONFLICTS = 10
"""How often somebody else may write the object between reading and approving it."""

_CONFLICT = 409

Document = dict[str, Any]


def approve(cluster: Cluster, name: str, comment: str, digest_prefix: str | None, *, assume_yes: bool) -> int:
    """Read, show, ask, write; start over when somebody else wrote in between."""
    user = whoami(cluster)
    shown: Consent | None = None
    for _ in range(CONFLICTS):
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
        if _already(golive, user):
            click.echo(f"{name} is already approved by {user}, revision {golive['spec']['revision']}")
            return Exit.OK
        consent = gather(cluster, golive, user, digest_prefix)
        if consent != shown:
            if shown is not None and assume_yes:
                raise Problem(f"{name} changed while it was being approved: look at it and approve again")
            page(partial(show, name=name, namespace=cluster.namespace, consent=consent, user=user))
            ask(assume_yes=assume_yes)
            cluster.close()  # whoever reads carefully outlives an idle connection
            shown = consent
        if _write(cluster, golive, own(consent, user, comment)):
            click.echo(
                f"{name} approved by {user}, revision {consent.revision}, digest {short(consent.digest)}"
            )
            return Exit.OK
    raise Problem(f"{name} is being written all the time: not approved, try again")


def whoami(cluster: Cluster) -> str:
    """The caller's name as the API server knows it."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = cluster.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    user: str = answer["status"]["userInfo"]["username"]
    return user


def gather(cluster: Cluster, golive: Document, user: str, digest_prefix: str | None) -> Consent:
    """Collect what is approved.

    Raises:
        Problem: It can't be approved, or not by this person, or what would be shown is not what the
            digest stands for.
    """
    _approvable(golive, user)
    _permitted(cluster, golive, user)
    digest: str = golive["status"]["digest"]
    if digest_prefix is not None and not matches(digest, digest_prefix):
        raise Problem(f"the digest is {short(digest)}, not {digest_prefix}: not approved")
    consent = Consent.read(golive, _limits(cluster, golive["spec"]["request"]["profile"]))
    if consent.stale:
        parts = " and ".join(consent.stale)
        raise Problem(f"status.digest is not yet about the {parts} as they are: try again in a moment")
    return consent


def _approvable(golive: Document, user: str) -> None:
    name, spec = golive["metadata"]["name"], golive["spec"]
    if golive["metadata"].get("deletionTimestamp"):
        raise Problem(f"{name} is being deleted")
    if same_person(user, spec["requestedBy"]):
        raise Problem(f"{name} is your own request, {user}: another person has to approve it")
    if spec["activation"] != "Enabled":
        raise Problem(f"{name} is Disabled: enabling it starts a new revision, approve that one")
    if not golive.get("status", {}).get("digest"):
        raise Problem(f"{name} has no status.digest yet: the operator has not seen what would be approved")


def _already(golive: Document, user: str) -> bool:
    approval = own_approval(golive, user)
    return approval is not None and why_void(approval, golive) is None


def _permitted(cluster: Cluster, golive: Document, user: str) -> None:
    """Ask for the verb first, because the policy's refusal can't name the role that is missing."""
    where = {"group": "golive.dev", "resource": "golives", "verb": "approve", "namespace": cluster.namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": where | {"name": golive["metadata"]["name"]}},
    }
    answer = cluster.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    if not answer["status"].get("allowed"):
        raise Problem(
            f"{user} lacks the verb approve on golives in namespace {cluster.namespace}: "
            "an administrator can bind the role golive-approver"
        )


def _limits(cluster: Cluster, profile: str) -> Document:
    try:
        limits: Document = cluster.call("GET", profile_path(profile))["spec"]["limits"]
    except RefusedError as refused:
        raise Problem(f"the limits of profile {profile} can't be shown: {refused}") from refused
    return limits


def ask(*, assume_yes: bool) -> None:
    """Let the person say yes.

    Raises:
        Problem: They did not.
    """
    if assume_yes:
        return
    if not sys.stdin.isatty():
        raise Problem("not approved: there is no terminal to ask at, give --yes")
    if not click.confirm("Approve real orders within these limits?"):
        raise Problem("not approved")


def own(consent: Consent, user: str, comment: str) -> Document:
    """The approval to add."""
    approval = {"user": user, "revision": consent.revision, "uid": consent.uid, "digest": consent.digest}
    return approval | ({"comment": comment} if comment else {})


def _write(cluster: Cluster, golive: Document, approval: Document) -> bool:
    """Add the approval to the list as it was read; False if somebody else wrote meanwhile."""
    metadata, others = golive["metadata"], golive["spec"].get("approvals") or []
    others = [other for other in others if not same_person(other["user"], approval["user"])]
    patch = {
        "apiVersion": API_VERSION,
        "kind": "GoLive",
        "metadata": {"resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"]},
        "spec": {"approvals": [*others, approval]},
    }
    path = golive_path(cluster.namespace, metadata["name"])
    try:
        cluster.call("PATCH", path, patch, kind="merge-patch+json")
    except RefusedError as refused:
        if refused.code == _CONFLICT:
            return False
        raise
    return True
