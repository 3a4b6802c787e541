"""Publishes answers to an AMQP broker, and waits until it has confirmed them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import pika
import pyarrow as pa
from pika.spec import Basic

from afield.connectors.sinks.amqp.spec import Amqp
from afield.connectors.sinks.jsonl import written
from afield.connectors.sources.amqp.client import failure, parameters
from afield.errors import AfieldError, DataError, TransientError

WHERE = "sink.amqp"


class AmqpSink:
    """Persistent messages; one that is given again has the same message id and the same bytes.

    Args:
        declared: the sink.
        base: the folder of the use case.

    Raises:
        UseCaseError: a certificate cannot be read.
    """

    idempotent: ClassVar[bool] = False

    def __init__(self, declared: Amqp, base: Path) -> None:
        self._declared = declared
        self._context = declared.context(WHERE, base)
        self._publisher: _Publisher | None = None

    def restore(self, mark: str | None) -> None:
        """Takes nothing back: what is published is published."""

    def write(self, answers: pa.RecordBatch) -> str:
        """Publishes the answers, and returns when the broker has confirmed all of them.

        Raises:
            TransientError: the broker is out of reach, refused some, or did not confirm them in time.
            UseCaseError: it refuses the login.
            DataError: there is no such exchange, or no queue gets what is published.
        """
        if answers.num_rows:
            if self._publisher is None:
                self._publisher = _Publisher(self._declared, parameters(self._declared, self._context, WHERE))
            try:
                self._publisher.publish(*written(answers))
            except BaseException:
                self.close()
                raise
        return ""

    def close(self) -> None:
        """Closes the connection; may be called twice."""
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None


class _Publisher:
    """One connection, in a thread of its own, which also answers the broker's heartbeats between two batches."""

    def __init__(self, declared: Amqp, settings: pika.ConnectionParameters) -> None:
        self._declared = declared
        self._changed = threading.Condition()
        self._ready = False
        self._published = 0
        # Numbers of the messages that are not confirmed, oldest first; of the batch in hand alone.
        self._unconfirmed = OrderedDict[int, None]()
        self._error: AfieldError | None = None
        self._channel: Any = None
        self._connection: Any = pika.SelectConnection(
            settings,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_open_error_callback=lambda _connection, error: self._failed(error),
            on_close_callback=lambda _connection, error: self._failed(error),
        )
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        self._thread.start()

    def publish(self, ids: list[str], payloads: list[bytes]) -> None:
        """Publishes messages, and returns when all are confirmed."""
        self._wait(lambda: self._ready)
        first = self._published + 1
        self._published += len(ids)
        self._unconfirmed.update(dict.fromkeys(range(first, self._published + 1)))
        self._connection.ioloop.add_callback_threadsafe(lambda: self._send(ids, payloads))
        self._wait(lambda: not self._unconfirmed)

    def close(self) -> None:
        """Ends the thread."""
        if self._thread.is_alive():
            self._connection.ioloop.add_callback_threadsafe(self._end)
            self._thread.join()

    def _run(self) -> None:
        self._connection.ioloop.start()
        self._connection.ioloop.close()

    def _wait(self, done: Any) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error or done(), self._declared.timeout)
            if self._error:
                raise self._error
            if not done():
                raise TransientError(
                    f"{WHERE}: {self._declared.url} did not confirm the answers in {self._declared.timeout:g} s"
                )

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, error: self._failed(error))
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._answered, callback=lambda _frame: self._tell(ready=True))

    def _send(self, ids: list[str], payloads: list[bytes]) -> None:
        if not self._channel.is_open:
            return
        for name, payload in zip(ids, payloads, strict=True):
            properties = pika.BasicProperties(
                message_id=name, delivery_mode=2, content_type="application/json", app_id="afield"
            )
            self._channel.basic_publish(
                self._declared.exchange, self._declared.routing_key, payload, properties, mandatory=True
            )

    def _answered(self, frame: Any) -> None:
        if isinstance(frame.method, Basic.Nack):
            self._tell(error=TransientError(f"{WHERE}: {self._declared.url} could not take an answer"))
            return
        number = frame.method.delivery_tag
        with self._changed:
            if frame.method.multiple:
                while self._unconfirmed and next(iter(self._unconfirmed)) <= number:
                    self._unconfirmed.popitem(last=False)
            else:
                self._unconfirmed.pop(number, None)
            self._changed.notify_all()

    def _returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        place = f"exchange {self._declared.exchange!r}, routing key {self._declared.routing_key!r}"
        self._tell(
            error=DataError(
                f"{WHERE}: {self._declared.url}: no queue gets what is published ({place}): "
                f"{method.reply_text}; declare and bind the queue first"
            )
        )

    def _failed(self, error: BaseException) -> None:
        self._tell(error=failure(error, WHERE, self._declared.url))

    def _tell(self, *, ready: bool = False, error: AfieldError | None = None) -> None:
        with self._changed:
            self._ready = self._ready or ready
            self._error = self._error or error
            self._changed.notify_all()

    def _end(self) -> None:
        if self._connection.is_open:
            self._connection.add_on_close_callback(lambda _connection, _error: self._connection.ioloop.stop())
            self._connection.close()
        else:
            self._connection.ioloop.stop()
