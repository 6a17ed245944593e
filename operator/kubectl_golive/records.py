"""`kubectl golive records`: shows, exports and verifies the history of a GoLive."""

from pathlib import Path

import click

from kubectl_golive.options import Connect, target


@click.group(name="records", short_help="Show, export and verify the history of a GoLive.")
def command() -> None:
    """Show, export and verify what was done to a GoLive: who, when, on what evidence.

    Each record carries the hash of the one before it, so whoever edits, removes or reorders one can be found.
    """


@command.command(name="list", short_help="Show the latest records.")
@click.argument("name")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="How many, at most.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@target
def list_records(name: str, last: int, output: str, connect: Connect) -> int:
    """Show the latest records of the GoLive NAME, the newest last; also of one that is gone."""
    from kubectl_golive.record_showing import show  # noqa: PLC0415  slow to import, and --help needs none

    return show(connect(), name, last, output)


@command.command(name="export", short_help="Write all records as JSON Lines.")
@click.argument("name")
@click.option("-f", "--file", type=click.Path(path_type=Path), help="Where to; default: standard output.")
@target
def export(name: str, file: Path | None, connect: Connect) -> int:
    """Write all records of the GoLive NAME as JSON Lines: a header, then one record a line.

    Keep the file elsewhere, and the last record's hash, which is printed, somewhere else again: with it
    `verify` also finds a chain that was cut off at its end, or replaced as a whole.
    """
    from kubectl_golive.record_showing import export_to  # noqa: PLC0415  slow to import, and --help needs none

    return export_to(connect(), name, file)


@command.command(name="verify", short_help="Find edits, gaps and reorderings.")
@click.argument("name", required=False)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Verify an exported file, without any cluster; - reads standard input.",
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="SEQUENCE:HASH",
    help="A record that you wrote down earlier; may be given again.",
)
@target
def verify(
    name: str | None,
    file: Path | None,
    heads: tuple[str, ...],
    connect: Connect,
) -> int:
    """Verify the records of the GoLive NAME in the cluster, or those of an exported file.

    Exit codes: 0 the chain is whole, 1 it is not, or can't be read.
    """
    if (name is None) == (file is None):
        raise click.UsageError("either NAME or --file")
    from kubectl_golive.record_showing import verify_cluster, verify_file  # noqa: PLC0415  same

    if file is not None:
        return verify_file(file, heads)
    return verify_cluster(connect(), str(name), heads)
