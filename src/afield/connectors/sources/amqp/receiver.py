"""Receives from a queue of an AMQP broker: a message is acknowledged once it is in the spool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from afield.connectors.sources.amqp.client import exceptions, failure, parameters, pika
from afield.connectors.spool.base import Inbox, Message
from afield.errors import TransientError

if TYPE_CHECKING:
    from afield.connectors.sources.amqp.spec import Amqp

WHERE = "source.amqp"
WAIT_SECONDS = 0.25


class AmqpReceiver:
    """One consumer of a queue.

    Args:
        declared: the source.
        base: the folder of the use case.

    Raises:
        UseCaseError: a certificate cannot be read.
    """

    def __init__(self, declared: Amqp, base: Path) -> None:
        self._declared = declared
        self._context = declared.context(WHERE, base)

    def receive(self, inbox: Inbox) -> None:
        """As of `Receiver`."""
        declared = self._declared
        connection = None
        try:
            connection = pika.BlockingConnection(parameters(declared, self._context, WHERE))
            self._consume(connection, inbox)
        except (exceptions.AMQPError, OSError) as error:
            raise failure(error, WHERE, declared.url) from None
        finally:
            if connection is not None and connection.is_open:
                connection.close()

    def _consume(self, connection: pika.BlockingConnection, inbox: Inbox) -> None:
        queue = self._declared.queue
        waiting: list[Message] = []
        last = 0
        cancelled: list[Any] = []

        def arrived(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            nonlocal last
            waiting.append(Message(body, queue, properties.message_id))
            last = method.delivery_tag

        channel = connection.channel()
        channel.basic_qos(prefetch_count=self._declared.prefetch)
        channel.add_on_cancel_callback(cancelled.append)
        channel.basic_consume(queue, arrived)
        inbox.connected()
        while not inbox.stopped.is_set():
            connection.process_data_events(WAIT_SECONDS)  # pyright: ignore[reportArgumentType]
            if waiting and inbox.offer(waiting):
                channel.basic_ack(last, multiple=True)
                waiting.clear()
            if cancelled:
                raise TransientError(f"{WHERE}: {self._declared.url}: the queue {queue!r} was deleted or moved")
