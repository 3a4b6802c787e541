"""What the logs that can be read again have in common: Redis streams, NATS JetStream, Kafka."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from afield.connectors.messages import Messages
from afield.connectors.report import SourceReport
from afield.errors import DataError, StateError
from afield.usecase.base import Problem

IDLE_SECONDS = 1.0
"""After which a source that waits yields a batch without records."""


class Log(Messages):
    """Fields of a source that reads a log."""

    batch: int = Field(
        default=1000, ge=1, le=100_000, description="Messages that are read at once, at most.", examples=[5000]
    )
    lost: Literal["stop", "skip"] = Field(
        default="stop",
        description="What to do where the server has removed messages that were not read yet, by its limits or by "
        "hand. `stop`: end with an error that says how many. `skip`: say it once, and go on with what is left.",
        examples=["skip"],
    )


class LossReport(SourceReport):
    """The account a log gives of itself: `damaged` says where messages are missing, how many, and why."""

    def lose(self, declared: Log, where: str, place: str, what: str) -> None:
        """Takes note of messages that are gone.

        Args:
            declared: what to do about it.
            where: the place of the source in the use case.
            place: the stream and how far it was read.
            what: how many are gone, and how.

        Raises:
            DataError: the use case wants to stop.
        """
        if declared.lost == "stop":
            raise DataError(
                f"{where}: {place}: {what}; they cannot be read any more. Let the server keep messages longer, and "
                "set lost: skip to go on with what is left"
            )
        self.damaged[place] = what


def url_problems(url: str, schemes: Sequence[str], path: str = "url") -> Iterator[Problem]:
    """What is wrong with the address of a server."""
    try:
        parts = urlsplit(url)
        secret, _ = parts.password, parts.port
    except ValueError as error:
        yield Problem((path,), f"expected an address such as {schemes[0]}://localhost: {error}")
        return
    if parts.scheme not in schemes:
        yield Problem(
            (path,),
            f"expected an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}, "
            f"found {parts.scheme + '://' if parts.scheme else 'none'}",
        )
    elif not parts.hostname and parts.scheme != "unix":
        yield Problem((path,), f"expected a host, as in {parts.scheme}://localhost, found none")
    if secret:
        yield Problem((path,), "expected no password in the address; set password: {env: NAME} or {file: PATH}")


def address_of(url: str) -> str:
    """The address for messages: never with what stands before the @."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def driver(module: str, where: str, extra: str) -> Any:
    """The client library of a server.

    Args:
        module: its name.
        where: the place in the use case that needs it.
        extra: the extra of afield that brings it.

    Raises:
        StateError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise StateError(
            f"{where}: needs {missing.name}, which is not installed: run `pip install 'afield[{extra}]'`"
        ) from None
