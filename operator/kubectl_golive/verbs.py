"""The verbs, each imported only when it is called: `--help` and the emergency brake start fast."""

from importlib import import_module

import click

VERBS = {
    "status": "Show one gate and why it is as it is, or list all.",
    "explain": "Show everything that keeps a gate closed, each with what to do about it.",
    "preflight": "Run preflight now, and show what it finds.",
    "attest": "Vouch for an item of the checklist, in your own name; list them all.",
    "approve": "Consent to exactly what is shown, in your own name.",
    "reject": "Say no in your own name; that outweighs every yes.",
    "revoke": "Take your own approval back; the gate shuts.",
    "close": "Stop real trading now; works without the operator and never asks.",
    "stop": "Stop engines, testnet too, until a person releases them; never asks.",
    "release": "Lift such a stop, with a root cause and in your own name.",
    "records": "Show, export and verify what was done, by whom, on what evidence.",
    "test-notice": "Have a notice sent, to see that it arrives.",
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
        command: click.Command = import_module(f"kubectl_golive.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))
