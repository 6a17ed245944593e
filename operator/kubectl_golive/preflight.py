"""`kubectl golive preflight`: has preflight run at once, and shows what it finds."""

import click

from kubectl_golive.options import Connect, patience, target


@click.command(name="preflight", short_help="Run preflight now.")
@click.argument("name")
@click.option("--wait/--no-wait", default=True, help="Wait for the result; the default.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@patience(30, "the result")
@target
def command(
    name: str,
    wait: bool,  # noqa: FBT001  click hands options over so
    output: str,
    timeout: float,
    connect: Connect,
) -> int:
    """Have every preflight check of the GoLive NAME run now, and show what it finds. Voids no approval.

    Exit codes: 0 every check has passed, 2 one has not, 3 there was no result in time.
    """
    from kubectl_golive.preflight_run import run  # noqa: PLC0415  slow to import, and --help needs none

    return run(connect(), name, timeout if wait else None, output)
