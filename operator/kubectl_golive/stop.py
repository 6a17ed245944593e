"""`kubectl golive stop`: stops engines by an EmergencyStop, which holds until a person releases it."""

import json

import click

from kubectl_golive.halting import Halt, as_json, halt, verdict
from kubectl_golive.options import Connect, patience, target


@click.command(name="stop", short_help="Stop engines until a person releases them.")
@click.argument("name", required=False)
@click.option("--engine", "engines", multiple=True, metavar="NAME", help="Only this engine; may be repeated.")
@click.option("--reason", metavar="TEXT", help="Why trading has to stop.")
@click.option("--list", "listing", is_flag=True, help="List the namespace's stops and do nothing.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@patience(20, "the engines")
@target
def command(
    name: str | None,
    engines: tuple[str, ...],
    reason: str | None,
    listing: bool,  # noqa: FBT001  click hands options over so
    output: str,
    timeout: float,
    connect: Connect,
) -> int:
    """Apply an EmergencyStop, called NAME or by the time, to engines of the namespace; to all without --engine.

    Every order of theirs stops, testnet too. Asks nothing, and needs no operator: engines watch stops
    themselves. Only `release` lifts it. Exit codes: 0 every engine has stopped or none runs, 1 not applied,
    3 applied, but an engine has not answered.
    """
    if listing:
        from kubectl_golive.releasing import show_stops  # noqa: PLC0415  slow to import, and a stop must not wait

        return show_stops(connect())
    if not reason:
        raise click.UsageError("give the --reason why trading has to stop")
    done: Halt = halt(connect(), name, engines, reason, timeout, aloud=output == "text")
    if output == "json":
        click.echo(json.dumps(as_json(done), indent=2))
    return verdict(done, aloud=output == "text")
