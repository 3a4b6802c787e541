"""How a command ends: one message in plain words and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from afield.errors import AfieldError
from afield.files import FORBIDDEN, FULL

USAGE = 2
FAILURE = 1
INTERRUPTED = 130


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        command: what to run.
        arguments: its arguments; those of the process where left out.

    Returns:
        The exit code: 0, 1 for a failure, 2 for a wrong use case or argument, 130 when interrupted.
    """
    try:
        outcome = command.main(arguments, prog_name="afield", standalone_mode=False)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except BrokenPipeError:
        # Whoever read the output has enough; nothing is left to say it to, and the exit must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except Exception as error:
        if interrupts(error):
            return _say("interrupted", INTERRUPTED)
        if os.environ.get("AFIELD_DEBUG") == "1":
            raise
        return _say(*_message(error))


def interrupts(error: BaseException) -> bool:
    """Whether an error is an interruption; Pydantic wraps one that it meets while it writes values."""
    cause = error.__cause__
    return isinstance(error, KeyboardInterrupt) or (cause is not None and interrupts(cause))


def _message(error: Exception) -> tuple[str, int]:
    match error:
        case click.UsageError():
            help_command = f"{error.ctx.command_path} --help" if error.ctx else "afield --help"
            return f"{error.format_message().rstrip('.')}; see {help_command}", USAGE
        case click.ClickException():
            return error.format_message(), FAILURE
        case AfieldError():
            return str(error), error.exit_code
        case OSError():
            return _of_the_system(error), FAILURE
        case _:
            return f"this is a fault of afield: {type(error).__name__}: {error}; AFIELD_DEBUG=1 shows where", FAILURE


def _of_the_system(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    if error.errno in FULL:
        return f"{where}the disk is full; free some space and run the command again"
    if error.errno in FORBIDDEN:
        return f"{where}no permission; change the permissions, or choose another folder"
    return f"{where}{error.strerror or error}"


def _say(message: str, code: int) -> int:
    print("afield: interrupted" if code == INTERRUPTED else f"afield: error: {message}", file=sys.stderr)
    return code
