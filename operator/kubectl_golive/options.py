"""Options that every verb takes, spelled as kubectl spells them."""

from collections.abc import Callable
from typing import Any

import click

Decorated = Callable[..., Any]

_TARGET = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace; default: the context's."),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--kubeconfig", metavar="FILE", help="Kubeconfig; default: $KUBECONFIG, ~/.kube/config."),
)


def target(function: Decorated) -> Decorated:
    """Add what says which cluster and namespace are meant."""
    for option in reversed(_TARGET):
        function = option(function)
    return function
