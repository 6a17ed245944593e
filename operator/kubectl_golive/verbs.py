"""The verbs, each imported only when it is called: `--help` and the emergency brake start fast."""

from importlib import import_module

import click

VERBS = {
    "status": "Show one gate and why it is as it is, or list all.",
    "approve": "Consent to exactly what is shown, in your own name.",
    "close": "Stop real trading now; works without the operator and never asks.",
}
"""Name of each verb and what the overview says of it; the verb lives in the module of that name."""


class Verbs(click.Group):
    """A group that knows its commands by name and loads one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names in the order of a gate's life."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import the verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"kubectl_golive.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))
