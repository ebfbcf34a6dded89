"""The ``grader`` command: its group, its error messages and exit codes.

Exit codes: 0 all is well, 1 a finding (a failed check, a refused upload), 2 the command could
not do what it was asked.
"""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from grader import __version__
from grader.cli.cache import cache_command
from grader.cli.calibrate import calibrate
from grader.cli.check import check
from grader.cli.doctor import doctor
from grader.cli.draw import draw_command
from grader.cli.explain import explain
from grader.cli.list import list_labs
from grader.cli.new import new
from grader.cli.rank import rank_command
from grader.cli.release import release
from grader.cli.rerun import rerun_command
from grader.cli.rescore import rescore
from grader.cli.run import run
from grader.cli.show import show
from grader.cli.validate import validate_command
from grader.errors import ProctorError

COMMANDS: tuple[click.Command, ...] = (
    list_labs,
    show,
    check,
    run,
    rescore,
    draw_command,
    rank_command,
    rerun_command,
    explain,
    new,
    release,
    validate_command,
    calibrate,
    cache_command,
    doctor,
)
EXIT_USAGE = 2


class _Refusal(click.ClickException):
    """A message of one line or a few, without a traceback."""

    exit_code = EXIT_USAGE


class _Group(click.Group):
    """A group that keeps its commands in the order given and shows no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ProctorError as error:
            raise _Refusal(str(error)) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # the last place that can still say something helpful
            raise _Refusal(_unexpected(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Grade deep-learning assignments: hidden tests outside, student code in a sandbox."""


for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the grader's command line."""
    cli()


def _unexpected(error: Exception) -> str:
    """Note the traceback in the log and return what to tell the person."""
    state = os.environ.get("XDG_STATE_HOME")
    log = (Path(state) if state else Path.home() / ".local" / "state") / "proctor" / "grader.log"
    message = f"Something went wrong inside grader: {type(error).__name__}: {error}"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as out:
            out.write(f"{datetime.now(UTC).isoformat()}\n{traceback.format_exc()}\n")
    except OSError:
        return f"{message}\n{traceback.format_exc()}"
    return f"{message}\nThe details are in {log}"
