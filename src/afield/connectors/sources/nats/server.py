"""Which NATS server is meant, and the connection to it; for the source and the sink."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError as Cancelled
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field

from afield.connectors.logs import address_of, driver, url_problems
from afield.errors import AfieldError, DataError, TransientError, UseCaseError
from afield.usecase.base import Declared, Problem
from afield.usecase.secret import Secret

SECONDS = 10.0
"""Without an answer of the server, until the connection counts as lost."""

Result = TypeVar("Result")


class Server(Declared):
    """Fields that say which server, and who asks."""

    url: str = Field(
        default="nats://localhost:4222",
        description="Address of the server: `nats://`, or `tls://` for TLS.",
        examples=["nats://localhost:4222"],
    )
    user: str | None = Field(default=None, min_length=1, description="Name of the user.", examples=["afield"])
    password: Secret | None = Field(
        default=None, description="Where the user's password is kept.", examples=[{"env": "NATS_PASSWORD"}]
    )
    token: Secret | None = Field(
        default=None, description="Where the token is kept, of a server that asks for one.", examples=[{"env": "TOKEN"}]
    )

    def lint_server(self) -> Sequence[Problem]:
        """What is wrong with the address, and with who asks."""
        problems = list(url_problems(self.url, ["nats", "tls"]))
        if not problems and urlsplit(self.url).username:
            problems.append(
                Problem(("url",), "expected no user or token in the address; set user: and password:, or token:")
            )
        if (self.user is None) != (self.password is None):
            problems.append(Problem(("user",), "expected user: and password: together, found one of them"))
        if self.token is not None and self.user is not None:
            problems.append(Problem(("token",), "expected user: and password:, or token:, found both"))
        return problems


class Connection:
    """A connection whose event loop runs in a thread of its own; it is not mended when it breaks.

    Args:
        server: which.
        where: the place in the use case.

    Raises:
        StateError: the driver is not installed.
        UseCaseError: a secret is not where it should be, or the server refuses who asks.
        TransientError: the server is not there.
    """

    def __init__(self, server: Server, where: str) -> None:
        nats = driver("nats", where, "nats")
        self._address = f"{where}: {address_of(server.url)}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        who = {
            "user": server.user,
            "password": server.password.read(f"{where}.password") if server.password else None,
            "token": server.token.read(f"{where}.token") if server.token else None,
        }
        self.client: Any = None
        self.ended: asyncio.Event = asyncio.Event()
        try:
            self.call(self._connected(nats, server.url, who))
        except BaseException:
            self.close()
            raise
        self.streams: Any = self.client.jetstream(timeout=SECONDS)

    def trouble(self, why: str) -> TransientError:
        """What to raise where the server is not there, or not now."""
        return TransientError(f"{self._address}: no connection to the server: {why}")

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Does the work in the thread of the connection, and waits for it.

        Raises:
            UseCaseError: the server refuses who asks.
            DataError: it refuses what is asked.
            TransientError: it is not there, or not now.
        """
        from nats import errors
        from nats.js import errors as streams

        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except AfieldError:
            raise
        except streams.ServiceUnavailableError as error:
            raise TransientError(f"{self._address}: JetStream is not there, or not now: {error}") from None
        except streams.APIError as error:
            raise DataError(f"{self._address}: the server refuses: {error.description}") from None
        except errors.MaxPayloadError as error:
            raise DataError(f"{self._address}: a message is longer than the server allows: {error}") from None
        except (errors.AuthorizationError, errors.InvalidUserCredentialsError) as error:
            raise self._refused(error) from None
        except (errors.Error, OSError, TimeoutError, Cancelled) as error:
            if "authorization" in str(error).lower():
                raise self._refused(error) from None
            raise self.trouble(str(error) or type(error).__name__) from None

    def close(self) -> None:
        """Ends the connection and its thread; it may be called twice."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _refused(self, error: BaseException) -> UseCaseError:
        return UseCaseError(
            f"{self._address}: the server refuses the user, the password or the token: {error}; "
            "correct url:, user:, password: or token:"
        )

    async def _connected(self, nats: Any, url: str, who: dict[str, str | None]) -> None:
        errors: list[Exception] = []

        async def noted(error: Exception) -> None:
            errors.append(error)

        async def ended() -> None:
            self.ended.set()

        # Of 0 attempts the driver makes no end.
        once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "connect_timeout": SECONDS}
        self.client = nats.NATS()
        try:
            await self.client.connect(url, **who, **once, error_cb=noted, closed_cb=ended, pending_size=2**24)
        except Exception as error:
            # The first says why; what follows says that no server is left to try.
            raise errors[0] if errors else error from None

    async def _end(self) -> None:
        if self.client is not None:
            if not self.client.is_closed:
                await self.client.close()
            # Where it was refused, or lost, the driver has left its socket open.
            if transport := self.client._transport:
                transport.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)
