"""Publishes answers to an MQTT topic, and waits until the broker has confirmed them."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from paho.mqtt.client import Client

from afield.connectors.sinks.jsonl import written
from afield.connectors.sinks.mqtt.spec import Mqtt
from afield.connectors.sources.mqtt.client import connect
from afield.errors import TransientError

WHERE = "sink.mqtt"


class MqttSink:
    """Messages of one topic, QoS 1; one that is given again has the same id and the same bytes.

    Args:
        declared: the sink.
        base: the folder of the use case.

    Raises:
        UseCaseError: a certificate cannot be read.
    """

    idempotent: ClassVar[bool] = False

    def __init__(self, declared: Mqtt, base: Path) -> None:
        self._declared = declared
        self._context = declared.context(WHERE, base)
        self._client: Client | None = None

    def restore(self, mark: str | None) -> None:
        """Takes nothing back: what is published is published."""

    def write(self, answers: pa.RecordBatch) -> str:
        """Publishes the answers, and returns when the broker has confirmed all of them.

        Raises:
            TransientError: the broker is out of reach, or did not confirm them in time.
            UseCaseError: it refuses the login.
        """
        if answers.num_rows:
            client = self._connected()
            _, payloads = written(answers)
            sent = [client.publish(self._declared.topic, payload, qos=1) for payload in payloads]
            until = time.monotonic() + self._declared.timeout
            while not all(message.is_published() for message in reversed(sent)):
                if time.monotonic() > until or not client.is_connected():
                    self.close()
                    confirmed = sum(message.is_published() for message in sent)
                    raise TransientError(
                        f"{WHERE}: {self._declared.url} confirmed {confirmed} of {len(sent)} answers and then none for "
                        f"{self._declared.timeout:g} s, or the connection was lost"
                    )
                time.sleep(0.001)
        return ""

    def _connected(self) -> Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self.close()
        self._client = connect(
            self._declared,
            self._context,
            WHERE,
            client_id=f"afield-{secrets.token_hex(8)}",
            version=self._declared.version,
            session=None,
            background=True,
        )
        return self._client

    def close(self) -> None:
        """Disconnects; may be called twice."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
