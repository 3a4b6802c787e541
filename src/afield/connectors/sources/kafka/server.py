"""Which Kafka brokers are meant, and how they are asked; for the source and the sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from afield.errors import AfieldError, TransientError, UseCaseError
from afield.usecase.base import Declared, Problem
from afield.usecase.secret import Secret

SECONDS = 10.0
"""Without an answer of the brokers, until they count as lost."""

Name = Annotated[str, Field(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")]


class Server(Declared):
    """Fields that say which brokers, and who asks."""

    brokers: str = Field(
        default="localhost:9092",
        pattern=r"^[^\s,@/]+:\d+(,[^\s,@/]+:\d+)*$",
        description="Hosts and ports to begin with, with commas between them.",
        examples=["kafka-1:9092,kafka-2:9092"],
    )
    tls: bool = Field(default=False, description="Whether the connection is encrypted.", examples=[True])
    user: str | None = Field(default=None, min_length=1, description="Name of the user.", examples=["afield"])
    password: Secret | None = Field(
        default=None, description="Where the user's password is kept.", examples=[{"env": "KAFKA_PASSWORD"}]
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How user and password are checked.", examples=["PLAIN"]
    )

    def lint_server(self) -> Sequence[Problem]:
        """What is wrong with who asks."""
        if (self.user is None) != (self.password is None):
            return [Problem(("user",), "expected user: and password: together, found one of them")]
        return []


def configuration(server: Server, where: str) -> dict[str, Any]:
    """What the driver is to know of the brokers.

    Raises:
        UseCaseError: the password is not where it should be.
    """
    secure = {(False, False): "PLAINTEXT", (True, False): "SSL", (False, True): "SASL_PLAINTEXT"}
    known: dict[str, Any] = {
        "bootstrap.servers": server.brokers,
        "security.protocol": secure.get((server.tls, server.user is not None), "SASL_SSL"),
        "allow.auto.create.topics": False,
    }
    if server.user is not None and server.password is not None:
        known["sasl.mechanism"] = server.mechanism
        known["sasl.username"] = server.user
        known["sasl.password"] = server.password.read(f"{where}.password")
    return known


def is_final(error: Any) -> bool:
    """Whether the driver gives up, of what it says between messages; else it tries again by itself."""
    from confluent_kafka import KafkaError

    return error.code() in {KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION} or error.fatal()


def said(error: Any, server: Server, where: str) -> AfieldError:
    """Our error for one of the driver."""
    from confluent_kafka import KafkaError

    at = f"{where}: {server.brokers}"
    refused = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
    refused |= {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
    if error.code() in refused:
        return UseCaseError(f"{at}: the brokers refuse the user or the password: {error.str()}")
    return TransientError(f"{at}: no connection to the brokers: {error.str()}")


class Silent:
    """What the driver would write to the terminal is raised, or is of no use."""

    def log(self, *_: Any) -> None:
        """Drops it."""
