"""Entry point of `kubectl golive` and of `python -m kubectl_golive`."""

import sys

import click

from kubectl_golive.exits import Exit
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem
from kubectl_golive.verbs import Verbs

VERBS = Verbs(
    name="kubectl golive",
    help="The switch between paper and real money.",
    epilog="Exit codes: 0 open or done, 1 error, 2 closed, 3 unknown.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""What kubectl calls this program, wherever it was started from."""


def _obey(arguments: list[str] | None) -> int:
    """Run one verb and return its exit code; click's own code 2 would read as a closed gate."""
    try:
        return int(VERBS.main(args=arguments, prog_name=VERBS.name, standalone_mode=False) or Exit.OK)
    except Problem as problem:
        click.echo(f"error: {printable(str(problem))}", err=True)
        return problem.exit_code
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt):
        click.echo("error: interrupted, nothing more was done", err=True)
    return Exit.ERROR


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with a stable exit code."""
    sys.exit(_obey(arguments))


if __name__ == "__main__":
    main()
