"""`kubectl golive attest`: vouches for an item of the checklist, in the caller's own name."""

import click

from kubectl_golive.options import Connect, target


@click.command(name="attest", short_help="Vouch for an item of the checklist.")
@click.argument("name")
@click.argument("item", required=False)
@click.option("--comment", metavar="TEXT", default="", help="What you looked at, kept with the attestation.")
@click.option(
    "--for", "span", metavar="SPAN", help="How long it holds: 30m, 12h, 7d; default: as the policy has it."
)
@click.option("--list", "listing", is_flag=True, help="List the items and do nothing.")
@click.option("--withdraw", metavar="ITEM", help="Take the word for this item back.")
@target
def command(
    name: str,
    item: str | None,
    comment: str,
    span: str | None,
    listing: bool,  # noqa: FBT001  click hands options over so
    withdraw: str | None,
    connect: Connect,
) -> int:
    """Vouch, in your own name, for one ITEM of the checklist of the GoLive NAME; list all with --list.

    Exit codes: 0 done, 1 not done.
    """
    if sum((bool(item), listing, bool(withdraw))) != 1:
        raise click.UsageError("give one of ITEM, --list and --withdraw")
    from kubectl_golive import attesting  # noqa: PLC0415  slow to import, and --help needs none

    cluster = connect()
    if listing:
        return attesting.show_items(cluster, name)
    if withdraw:
        return attesting.withdraw(cluster, name, withdraw)
    return attesting.attest(cluster, name, item or "", comment, span)
