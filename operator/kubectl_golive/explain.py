"""`kubectl golive explain`: everything that keeps one gate closed, not only the first thing."""

import click

from kubectl_golive.options import Connect, target


@click.command(name="explain", short_help="Show everything in the way.")
@click.argument("name")
@target
def command(name: str, connect: Connect) -> int:
    """Show everything that stands between the GoLive NAME and an open gate, each with what to do about it.

    Exit codes: 0 the gate is open, 2 it is not, 3 unknown.
    """
    from kubectl_golive.showing import show_why  # noqa: PLC0415  slow to import, and --help needs none

    return show_why(connect(), name)
