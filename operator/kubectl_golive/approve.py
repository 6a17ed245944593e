"""`kubectl golive approve`: consents, in the caller's own name, to exactly what was shown."""

import click

from kubectl_golive.options import Connect, patience, target


@click.command(name="approve", short_help="Consent to exactly what is shown.")
@click.argument("name")
@click.option("--comment", metavar="TEXT", default="", help="What you checked, kept with the approval.")
@click.option(
    "--digest-prefix",
    metavar="P",
    help="Refuse unless the digest begins so, part by part as it is shown: 3f2a.77c0.b1d9",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="Speak for this group of yours, too; those that the policies ask for are found by themselves.",
)
@click.option("-y", "--yes", is_flag=True, help="Don't ask; needed where there is no terminal.")
@patience(10, "the operator to see the latest change")
@target
def command(
    name: str,
    comment: str,
    digest_prefix: str | None,
    groups: tuple[str, ...],
    yes: bool,  # noqa: FBT001  click hands options over so
    timeout: float,
    connect: Connect,
) -> int:
    """Approve the request of the GoLive NAME, its limits and its engine as they are shown, in your own name.

    Any later change of one of them voids the approval. Exit codes: 0 approved, 1 not approved.
    """
    from kubectl_golive.consenting import Wish, approve  # noqa: PLC0415  slow to import, and --help needs none

    wish = Wish(
        name=name,
        comment=comment,
        digest_prefix=digest_prefix,
        groups=groups,
        timeout=timeout,
        assume_yes=yes,
    )
    return approve(connect(), wish)
