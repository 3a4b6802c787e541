"""A Mosquitto of a test's own, that keeps all messages while nobody reads them."""

from __future__ import annotations

from pathlib import Path

from brokers import Broker, free_port


def mosquitto(folder: Path, *lines: str, durable: bool = False) -> Broker:
    """A broker; `lines` are added to its configuration. One that is `durable` writes its disk at each change."""
    port = free_port()
    settings = [
        f"listener {port} 127.0.0.1",
        "persistence true",
        f"persistence_location {folder}/",
        f"autosave_on_changes {str(durable).lower()}",
        f"autosave_interval {1 if durable else 3600}",
        "max_queued_messages 0",
        "max_inflight_messages 0",
        "allow_anonymous true",
        "user root",
        *lines,
    ]
    (folder / "mosquitto.conf").write_text("\n".join(settings))
    return Broker(["mosquitto", "-c", str(folder / "mosquitto.conf")], port)
