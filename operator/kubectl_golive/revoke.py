"""`kubectl golive revoke`: takes the caller's own approval back."""

import click

from kubectl_golive.options import Connect, patience, target


@click.command(name="revoke", short_help="Take your approval back.")
@click.argument("name")
@click.option("-w", "--wait", is_flag=True, help="Wait until the engine says that it has stopped.")
@patience(20, "the engine, with --wait")
@target
def command(
    name: str,
    wait: bool,  # noqa: FBT001  click hands options over so
    timeout: float,
    connect: Connect,
) -> int:
    """Take your approval of the GoLive NAME back: the gate shuts unless enough others have approved.

    Asks nothing. It is the operator that shuts the gate then; `close` needs none. Exit codes: 0 revoked, and
    with --wait the engine has stopped or none runs, 1 not revoked, 3 revoked, but the engine has not answered.
    """
    from kubectl_golive.refusing import revoke  # noqa: PLC0415  slow to import, and --help needs none

    return revoke(connect(), name, timeout if wait else None)
