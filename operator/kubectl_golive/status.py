"""`kubectl golive status`: shows one gate and why it is as it is, or lists all."""

import click

from kubectl_golive.options import Connect, target


@click.command(name="status", short_help="Show one gate, or list all.")
@click.argument("name", required=False)
@click.option("-A", "--all-namespaces", is_flag=True, help="List the GoLives of every namespace.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml", "name"]),
    default="table",
    show_default=True,
)
@target
def command(
    name: str | None,
    all_namespaces: bool,  # noqa: FBT001  click hands options over so
    output: str,
    connect: Connect,
) -> int:
    """Show the gate of the GoLive NAME and why it is as it is; without NAME, list all.

    What counts is the gate that the engine obeys, now: one that was not renewed in time is shown as
    Closed, whatever status says. Exit codes with NAME: 0 open, 2 not open, 3 unknown.
    """
    if name and all_namespaces:
        raise click.UsageError("a NAME and --all-namespaces exclude each other")
    from kubectl_golive.showing import show_all, show_one  # noqa: PLC0415  slow to import, and --help needs none

    cluster = connect()
    if name:
        return show_one(cluster, name, output)
    return show_all(cluster, None if all_namespaces else cluster.namespace, output)
