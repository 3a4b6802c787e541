"""Messages published to brokers, all of them confirmed; also run as a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import paho.mqtt.client as mqtt
import pika


def to_topic(port: int, topic: str, payloads: Iterable[bytes]) -> None:
    """Publishes with QoS 1."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(topic, payload, 1) for payload in payloads]
    for message in sent:
        message.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def to_queue(queue: str, payloads: Iterable[tuple[str | None, bytes]]) -> None:
    """Publishes persistent messages in a transaction, each with its id."""
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        channel = connection.channel()
        channel.tx_select()
        for name, payload in payloads:
            channel.basic_publish("", queue, payload, pika.BasicProperties(message_id=name, delivery_mode=2))
        channel.tx_commit()


def numbered(first: int, count: int) -> list[tuple[str | None, bytes]]:
    """Messages with their number as id and in their text."""
    return [(f"m{number}", f"message {number} é".encode()) for number in range(first, first + count)]


if __name__ == "__main__":
    kind, place, where, count = sys.argv[1:]
    for start in range(0, int(count), 100):
        if kind == "mqtt":
            to_topic(int(place), where, [payload for _, payload in numbered(start, 100)])
        else:
            to_queue(where, numbered(start, 100))
        time.sleep(0.08)
