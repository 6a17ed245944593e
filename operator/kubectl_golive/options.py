"""Options that every verb takes, spelled as kubectl spells them."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import click

from kubectl_golive.cluster import Cluster, sign_in

Decorated = Callable[..., Any]

Connect = Callable[[], Cluster]
"""Reads the kubeconfig; wrong usage is told before that is looked for."""

_TARGET = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace; default: the context's."),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--kubeconfig", metavar="FILE", help="Kubeconfig; default: $KUBECONFIG, ~/.kube/config."),
)


def target(function: Decorated) -> Decorated:
    """Add what says which cluster and namespace are meant, and hand the verb a `connect` made of it."""

    @wraps(function)
    def aimed(
        *args: Any, namespace: str | None, context: str | None, kubeconfig: str | None, **rest: Any
    ) -> Any:
        return function(*args, connect=partial(sign_in, kubeconfig, context, namespace), **rest)

    decorated: Decorated = aimed
    for option in reversed(_TARGET):
        decorated = option(decorated)
    return decorated


def patience(default: float, purpose: str) -> Callable[[Decorated], Decorated]:
    """Add how long the verb waits.

    Args:
        default: Seconds.
        purpose: For what it waits, as the help has it.
    """
    return click.option(
        "--timeout",
        type=click.FloatRange(0, 600),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help=f"How long to wait for {purpose}.",
    )
