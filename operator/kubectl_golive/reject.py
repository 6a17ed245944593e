"""`kubectl golive reject`: says no, in the caller's own name, which outweighs every yes."""

import click

from kubectl_golive.options import Connect, target


@click.command(name="reject", short_help="Say no; that outweighs every yes.")
@click.argument("name")
@click.option("--comment", metavar="TEXT", required=True, help="Why, kept with the rejection.")
@target
def command(name: str, comment: str, connect: Connect) -> int:
    """Reject the request of the GoLive NAME, in your own name: its gate shuts, and this revision never opens.

    Asks nothing, and works before the operator has said what would be approved. Exit codes: 0 rejected,
    1 not rejected.
    """
    from kubectl_golive.refusing import reject  # noqa: PLC0415  slow to import, and --help needs none

    return reject(connect(), name, comment)
