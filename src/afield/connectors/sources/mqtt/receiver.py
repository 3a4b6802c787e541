"""Receives from an MQTT broker: a message is acknowledged once it is in the spool."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from afield.connectors.sources.mqtt.client import AT_ONCE, CONNECT_SECONDS, Subscription, connect, turn
from afield.connectors.spool.base import Inbox, Message
from afield.errors import TransientError

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

    from afield.connectors.sources.mqtt.spec import Mqtt

WHERE = "source.mqtt"
WAIT_SECONDS = 0.25


class MqttReceiver:
    """One session of a broker.

    Args:
        declared: the source.
        base: the folder of the use case.

    Raises:
        UseCaseError: a certificate cannot be read.
    """

    def __init__(self, declared: Mqtt, base: Path) -> None:
        self._declared = declared
        self._context = declared.context(WHERE, base)

    def receive(self, inbox: Inbox) -> None:
        """As of `Receiver`."""
        declared = self._declared
        client = connect(
            declared,
            self._context,
            WHERE,
            client_id=declared.client_id or f"afield-{inbox.stream}",
            version=declared.version,
            session=declared.session,
        )
        waiting: list[MQTTMessage] = []
        # Set before the subscription: the broker sends what it has kept as soon as it has accepted the session.
        client.on_message = lambda _client, _data, message: waiting.append(message)
        try:
            subscription = Subscription(client, declared.topics, WHERE)
            accepted, until = False, time.monotonic() + CONNECT_SECONDS
            while not inbox.stopped.is_set():
                self._collect(client, waiting)
                if waiting and inbox.offer([Message(bytes(message.payload), message.topic) for message in waiting]):
                    for message in waiting:
                        client.ack(message.mid, message.qos)
                    waiting.clear()
                    until = time.monotonic() + CONNECT_SECONDS
                if not accepted and subscription.accepted:
                    accepted = True
                    inbox.connected()
                if not accepted and time.monotonic() > until:
                    raise TransientError(f"{WHERE}: {declared.url} does not answer the subscription")
        finally:
            client.disconnect()

    def _collect(self, client: Client, waiting: list[MQTTMessage]) -> None:
        """Takes what has arrived; where messages wait for room in the spool, only a moment's worth."""
        if len(waiting) >= 2 * AT_ONCE:
            # A broker that does not heed how many it may send ahead is not read; it keeps what it cannot send.
            time.sleep(WAIT_SECONDS)
            return
        before = len(waiting)
        turn(client, WAIT_SECONDS, f"{WHERE}: {self._declared.url}")
        while before < len(waiting) < AT_ONCE:
            before = len(waiting)
            turn(client, 0.0, f"{WHERE}: {self._declared.url}")
