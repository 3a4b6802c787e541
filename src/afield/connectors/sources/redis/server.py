"""Which Redis server is meant, and the connection to it; for the source and the sink."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from afield.connectors.logs import address_of, driver, url_problems
from afield.errors import DataError, TransientError, UseCaseError
from afield.usecase.base import Declared, Problem
from afield.usecase.secret import Secret

SECONDS = 10.0
"""Without an answer of the server, until the connection counts as lost."""


class Server(Declared):
    """Fields that say which server, and who asks."""

    url: str = Field(
        default="redis://localhost:6379",
        description="Address of the server: `redis://`, `rediss://` (TLS) or `unix://`, with the user before an @ and "
        "the number of the database as its path.",
        examples=["redis://localhost:6379/0", "rediss://afield@redis.example:6380"],
    )
    password: Secret | None = Field(
        default=None, description="Where the password is kept.", examples=[{"env": "REDIS_PASSWORD"}]
    )

    def lint_url(self) -> Sequence[Problem]:
        """What is wrong with the address."""
        return list(url_problems(self.url, ["redis", "rediss", "unix"]))


def connect(server: Server, where: str) -> Any:
    """A client of the server; the first command connects.

    Args:
        server: which.
        where: the place in the use case.

    Raises:
        StateError: the driver is not installed.
        UseCaseError: the password is not where it should be.
    """
    redis = driver("redis", where, "redis")
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        server.url,
        password=server.password.read(f"{where}.password") if server.password else None,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        # What fails is said, and tried again by the runtime.
        retry=Retry(NoBackoff(), 0),
    )


@contextmanager
def telling(server: Server, where: str) -> Generator[None]:
    """Turns errors of the driver into ours.

    Raises:
        UseCaseError: the server refuses who asks.
        DataError: it refuses what is asked.
        TransientError: it is not there, or not now.
    """
    from redis import exceptions as errors

    address = f"{where}: {address_of(server.url)}"
    try:
        yield
    except (errors.AuthenticationError, errors.NoPermissionError) as error:
        raise UseCaseError(
            f"{address}: the server refuses the user or the password: {error}; correct url: and password:"
        ) from None
    except (errors.ConnectionError, errors.TimeoutError, OSError) as error:
        raise TransientError(f"{address}: no connection to the server: {error}") from None
    except (errors.ReadOnlyError, errors.OutOfMemoryError, errors.ClusterDownError, errors.TryAgainError) as error:
        raise TransientError(f"{address}: the server takes nothing now: {error}") from None
    except errors.ResponseError as error:
        # A script carries the error of its command.
        for word, kind in (("NOAUTH", UseCaseError), ("NOPERM", UseCaseError), ("OOM", TransientError)):
            if word in str(error):
                raise kind(f"{address}: the server refuses: {error}") from None
        raise DataError(f"{address}: the server refuses: {error}") from None
