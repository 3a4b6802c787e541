"""How a connection to an AMQP broker is made, and what its failures mean; as the source and the sink use it."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import pika
from pika import exceptions

from afield.connectors.spool.broker import Broker, reason
from afield.errors import AfieldError, DataError, TransientError, UseCaseError

# It logs each error with its traceback besides raising it; without a handler that goes to the terminal.
logging.getLogger("pika").addHandler(logging.NullHandler())

CONNECT_SECONDS = 10.0
HEARTBEAT_SECONDS = 30
NOT_FOUND, NOT_ALLOWED, LOCKED = 404, 403, 405


def parameters(broker: Broker, context: ssl.SSLContext | None, where: str) -> pika.ConnectionParameters:
    """Of a connection.

    Args:
        broker: url and login.
        context: of TLS, or None.
        where: the place in the use case.

    Raises:
        UseCaseError: the password is not where it is said to be.
    """
    login = broker.login(where)
    more: dict[str, Any] = {} if login is None else {"credentials": pika.PlainCredentials(*login)}
    if context is not None:
        more["ssl_options"] = pika.SSLOptions(context, broker.host)
    return pika.ConnectionParameters(
        broker.host,
        broker.port,
        broker.path or "/",
        heartbeat=HEARTBEAT_SECONDS,
        socket_timeout=CONNECT_SECONDS,
        stack_timeout=2 * CONNECT_SECONDS,
        blocked_connection_timeout=None,
        **more,
    )


def failure(error: BaseException, where: str, url: str) -> AfieldError:
    """What an error of the library means to a person.

    Args:
        error: as raised.
        where: the place in the use case.
        url: of the broker.
    """
    error = _innermost(error)
    if isinstance(error, exceptions.AuthenticationError | exceptions.ProbableAuthenticationError):
        return UseCaseError(f"{where}: {url} refuses the connection; check `username` and `password`")
    if isinstance(error, exceptions.ProbableAccessDeniedError):
        return UseCaseError(f"{where}.url: {url} refuses the virtual host: it is not there, or not for this user")
    if isinstance(error, exceptions.ConnectionClosedByBroker) and error.reply_code == 530:
        return UseCaseError(f"{where}.url: {url} refuses the virtual host: {error.reply_text}")
    if isinstance(error, exceptions.ChannelClosedByBroker):
        kinds = {NOT_FOUND: DataError, NOT_ALLOWED: UseCaseError, LOCKED: UseCaseError}
        return kinds.get(error.reply_code, TransientError)(f"{where}: {url}: {error.reply_text}")
    return TransientError(f"{where}: {url} is out of reach: {_reason(error)}")


def _innermost(error: BaseException) -> BaseException:
    """What happened, out of the errors that the library wraps it in, one for each stage of connecting."""
    while not isinstance(error, OSError):
        wrapped: list[Any] = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args]
        inner = [each for each in wrapped if isinstance(each, BaseException)]
        if not inner:
            break
        error = inner[-1]
    return error


def _reason(error: BaseException) -> str:
    return reason(error) if isinstance(error, OSError) else str(error) or type(error).__name__
