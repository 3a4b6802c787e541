"""A client of an MQTT broker, connected, as the source and the sink use it."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from afield.connectors.spool.broker import Broker, reason
from afield.errors import AfieldError, TransientError, UseCaseError

if TYPE_CHECKING:
    from afield.connectors.sources.mqtt.spec import Version

KEEPALIVE_SECONDS = 30
CONNECT_SECONDS = 10.0
AT_ONCE = 1000
"""Messages that the broker sends ahead of their acknowledgement."""

# Codes of 3.1.1 are turned into those of 5 by the library.
_REFUSED = {"Bad user name or password", "Not authorized", "Client identifier not valid", "Banned"}


def connect(
    broker: Broker,
    context: ssl.SSLContext | None,
    where: str,
    *,
    client_id: str,
    version: Version,
    session: int | None,
    background: bool = False,
) -> Client:
    """A client that the broker has accepted.

    Args:
        broker: url and login.
        context: of TLS, or None.
        where: the place in the use case.
        client_id: name of the session.
        version: of MQTT.
        session: seconds for which the broker keeps the session; None: it ends with the connection.
        background: reads and writes in a thread of the client's own; otherwise `turn` does.

    Raises:
        UseCaseError: the broker refuses the login.
        TransientError: the broker is out of reach.
    """
    five = version == "5"
    keep: dict[str, Any] = {} if five else {"clean_session": session is None}
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
        reconnect_on_failure=False,
        **keep,
    )
    client.max_inflight_messages_set(AT_ONCE)
    client.connect_timeout = CONNECT_SECONDS
    if login := broker.login(where):
        client.username_pw_set(*login)
    if context is not None:
        client.tls_set_context(context)
    answers: list[Any] = []
    client.on_connect = lambda _client, _data, _flags, code, _properties: answers.append(code)
    properties: Any = None
    if five:
        properties = Properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum = AT_ONCE
        properties.SessionExpiryInterval = session or 0
    fresh: dict[str, Any] = {"clean_start": session is None, "properties": properties} if five else {}
    try:
        client.connect(broker.host, broker.port, KEEPALIVE_SECONDS, **fresh)
    except (OSError, socket.gaierror) as error:
        raise TransientError(f"{where}: {broker.url} is out of reach: {reason(error)}") from None
    if background:
        client.loop_start()
    try:
        _await(client, answers, f"{where}: {broker.url} does not answer as an MQTT broker", background)
    except BaseException:
        client.loop_stop()
        raise
    if answers[0].is_failure:
        client.disconnect()
        client.loop_stop()
        raise _refusal(where, broker.url, str(answers[0]))
    return client


def turn(client: Client, seconds: float, lost: str) -> None:
    """Reads and writes what there is, and waits for it at most so long.

    Raises:
        TransientError: the connection is lost.
    """
    code = client.loop(seconds)
    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise TransientError(f"{lost}: the connection is lost: {code.name.removeprefix('MQTT_ERR_').lower()}")


class Subscription:
    """Topics that are asked for, each message at least once; what the broker has kept may come before its answer.

    Args:
        client: connected.
        topics: filters.
        where: the place in the use case.
    """

    def __init__(self, client: Client, topics: list[str], where: str) -> None:
        self._topics = topics
        self._where = where
        self._answers: list[Any] = []
        client.on_subscribe = lambda _client, _data, _mid, codes, _properties: self._answers.append(codes)
        client.subscribe([(topic, 1) for topic in topics])

    @property
    def accepted(self) -> bool:
        """Whether the broker has answered.

        Raises:
            UseCaseError: it refuses one of the topics.
        """
        for topic, code in zip(self._topics, self._answers[0] if self._answers else (), strict=bool(self._answers)):
            if code.is_failure:
                raise UseCaseError(
                    f"{self._where}.topic: the broker refuses {topic!r}: {code}; ask its owner for the right to read it"
                )
        return bool(self._answers)


def _await(client: Client, answers: list[Any], lost: str, background: bool = False) -> None:
    until = time.monotonic() + CONNECT_SECONDS
    while not answers:
        try:
            if background:
                time.sleep(0.01)
            else:
                turn(client, 0.25, lost)
        except TransientError:
            # A refusal comes with its answer.
            if not answers:
                raise
        if time.monotonic() > until:
            raise TransientError(f"{lost}: nothing came in {CONNECT_SECONDS:.0f} s")


def _refusal(where: str, url: str, code: str) -> AfieldError:
    if code in _REFUSED:
        return UseCaseError(f"{where}: {url} refuses the connection: {code}; check `username` and `password`")
    return TransientError(f"{where}: {url} refuses the connection: {code}")
