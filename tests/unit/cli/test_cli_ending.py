"""How commands end: one message, the right exit code, never a traceback."""

from __future__ import annotations

import errno

import click
import pytest
from pydantic import BaseModel, model_serializer

from afield.cli.ending import run
from afield.errors import DataError, UseCaseError


def ending_of(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    @click.command()
    def command() -> None:
        raise error

    code = run(command, [])
    printed = capsys.readouterr()
    assert printed.out == ""
    return code, printed.err


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (UseCaseError("usecase.yaml:1:1: no"), 2, "afield: error: usecase.yaml:1:1: no"),
        (DataError("data: empty"), 1, "afield: error: data: empty"),
        (click.UsageError("No such option: --x"), 2, "afield: error: No such option: --x; see afield --help"),
        (click.ClickException("stale"), 1, "afield: error: stale"),
        (KeyboardInterrupt(), 130, "afield: interrupted"),
        (
            OSError(errno.ENOSPC, "No space left on device", "answers/1.jsonl"),
            1,
            "afield: error: answers/1.jsonl: the disk is full; free some space and run the command again",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/etc/shadow"),
            1,
            "afield: error: /etc/shadow: no permission; change the permissions, or choose another folder",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
            1,
            "afield: error: x: No such file or directory",
        ),
        (
            KeyError("epochs"),
            1,
            "afield: error: this is a fault of afield: KeyError: 'epochs'; AFIELD_DEBUG=1 shows where",
        ),
    ],
)
def test_an_error(
    error: BaseException, code: int, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFIELD_DEBUG", raising=False)
    got, text = ending_of(error, capsys)
    assert (got, text.strip()) == (code, expected)


def test_the_traceback_is_there_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFIELD_DEBUG", "1")
    with pytest.raises(KeyError):
        ending_of(KeyError("epochs"), capsys)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (2, 2)])
def test_a_command_that_returns(returned: int | None, code: int) -> None:
    @click.command()
    def command() -> int | None:
        return returned

    assert run(command, []) == code


def test_an_interruption_while_values_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(BaseModel):
        @model_serializer
        def written(self) -> dict[str, int]:
            raise KeyboardInterrupt

    @click.command()
    def command() -> None:
        Interrupted().model_dump()

    assert run(command, []) == 130
    assert capsys.readouterr().err == "afield: interrupted\n"
