"""Who calls, what they may do, and whether they mean it."""

import sys
from dataclasses import dataclass

import click

from kubectl_golive.cluster import Cluster
from kubectl_golive.problems import Problem


@dataclass(frozen=True, slots=True)
class Caller:
    """A person as the API server knows them."""

    name: str
    """Their name."""
    groups: frozenset[str]
    """Groups that they are a member of."""


def whoami(cluster: Cluster) -> Caller:
    """Ask the API server who calls: nobody signs with a name that they only claim."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = cluster.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    user = answer["status"]["userInfo"]
    return Caller(user["username"], frozenset(user.get("groups") or []))


def permitted(cluster: Cluster, caller: Caller, verb: str, plural: str, name: str) -> None:
    """Ask for the verb first, because the policy's refusal comes after the person has read and agreed.

    Raises:
        Problem: The caller lacks it; names the role that is missing.
    """
    where = {"group": "golive.dev", "resource": plural, "verb": verb, "namespace": cluster.namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": where | {"name": name}},
    }
    answer = cluster.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    if not answer["status"].get("allowed"):
        raise Problem(
            f"{caller.name} lacks the verb {verb} on {plural} in namespace {cluster.namespace}: "
            f"an administrator can bind the role {_ROLES[verb]}"
        )


_ROLES = {"approve": "golive-approver", "attest": "golive-attester", "release": "golive-releaser"}
"""The chart's role that holds each verb."""


def confirm(question: str, refusal: str, *, assume_yes: bool) -> None:
    """Let the person say yes.

    Args:
        question: What they are asked.
        refusal: What has not happened if they don't.
        assume_yes: They said so on the command line.

    Raises:
        Problem: They did not.
    """
    if assume_yes:
        return
    if not sys.stdin.isatty():
        raise Problem(f"{refusal}: there is no terminal to ask at, give --yes")
    if not click.confirm(question):
        raise Problem(refusal)
