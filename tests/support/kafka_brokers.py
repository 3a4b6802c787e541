"""Kafka brokers as librdkafka has them for tests: they live in a process that holds a producer."""

from __future__ import annotations

import sys
import time

from confluent_kafka import Producer


def started() -> tuple[Producer, str]:
    """A producer that holds one broker, and the address of it; each topic has 4 partitions."""
    producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock"})
    (broker,) = producer.list_topics(timeout=10).brokers.values()
    return producer, f"{broker.host}:{broker.port}"


if __name__ == "__main__":
    held, address = started()
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    time.sleep(600)
