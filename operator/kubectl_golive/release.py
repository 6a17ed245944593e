"""`kubectl golive release`: lifts an EmergencyStop, with a root cause and in the caller's own name."""

import click

from kubectl_golive.options import Connect, target


@click.command(name="release", short_help="Lift an emergency stop.")
@click.argument("stop")
@click.option("--root-cause", metavar="TEXT", required=True, help="What happened, and what was done about it.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask; needed where there is no terminal.")
@target
def command(
    stop: str,
    root_cause: str,
    yes: bool,  # noqa: FBT001  click hands options over so
    connect: Connect,
) -> int:
    """Release the EmergencyStop STOP, in your own name and for good.

    Its engines may send orders again; gates that it shut stay shut until a new revision is approved.
    Exit codes: 0 released, 1 not released.
    """
    from kubectl_golive.releasing import release  # noqa: PLC0415  slow to import, and --help needs none

    return release(connect(), stop, root_cause, assume_yes=yes)
