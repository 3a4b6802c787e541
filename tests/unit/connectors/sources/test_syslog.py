"""Syslog: both formats, both framings, all transports, and what is wrong."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from brokers import free_port
from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.base import OFFSET, STREAM, TEXT
from afield.connectors.sources.syslog.framing import Frames
from afield.connectors.sources.syslog.messages import parsed
from afield.connectors.sources.syslog.spec import Syslog
from afield.errors import UseCaseError

ARRIVED = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


def of(text: str) -> Any:
    from afield.connectors.spool.base import Stored

    return parsed(Stored(1, int(ARRIVED.timestamp() * 1e6), "10.0.0.9", text.encode()), 1000)


def row(text: str, host: str | None, app: str | None, severity: str, facility: str, time: datetime | None) -> Any:
    return {TEXT: text, "host": host, "app": app, "severity": severity, "facility": facility, "time": time}


def test_rfc_5424() -> None:
    at = datetime(2003, 10, 11, 22, 14, 15, 3000, tzinfo=UTC)
    assert of("<34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 - \ufeff'su root' failed") == row(
        "'su root' failed", "mymachine", "su", "crit", "auth", at
    )
    data = '[a@1 x="1\\]" y="é"][b]'
    assert of(f"<165>1 - - - - - {data} text") == row("text", None, None, "notice", "local4", None)
    assert of("<0>1 - h a - - -") == row("", "h", "a", "emerg", "kern", None)
    assert "expected a time of RFC 3339 with its zone, found '2003-10-11'" in of("<34>1 2003-10-11 h a - - - x")
    assert "expected TIME HOST APP PROCESS ID DATA of RFC 5424" in of("<34>1 - h a - - x")


def test_rfc_3164() -> None:
    at = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert of("<13>Dec 31 23:59:59 web sshd[12]: hello: you\n") == row(
        "hello: you", "web", "sshd", "notice", "user", at
    )
    assert of("<13>no time: here") == row("no time: here", "10.0.0.9", None, "notice", "user", ARRIVED)
    assert of("<191>Feb 31 00:00:00 x") == row("Feb 31 00:00:00 x", "10.0.0.9", None, "debug", "local7", ARRIVED)


@pytest.mark.parametrize("text", ["", "hello", "<192>x", "<01>x", "<>x", "< 1>x", "<1x"])
def test_malformed(text: str) -> None:
    assert of(text).startswith("expected <PRIORITY> of 0 to 191 at the start, found ")


def test_too_long() -> None:
    assert of("<1>" + "x" * 1000) == (
        "expected at most 1000 bytes, found more; raise max_record_bytes of the source to take it"
    )


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=30)), max_size=12), st.integers(1, 40))
def test_frames_are_found_wherever_they_are_cut(parts: list[tuple[bool, bytes]], size: int) -> None:
    wanted: list[bytes] = []
    data = b""
    for counted, body in parts:
        message = b"<1>" + (body if counted else body.replace(b"\n", b"").rstrip(b"\r"))
        data += b"%d %s" % (len(message), message) if counted else message + b"\n"
        wanted.append(message[:17])
    frames = Frames(16)
    found = [frame for start in range(0, len(data), size) for frame in frames.feed(data[start : start + size])]
    assert found == wanted
    assert frames.finish() is None


def received(spec: Syslog, folder: Path, send: Any) -> tuple[list[dict[str, Any]], list[str]]:
    source = spec.open(base=folder, follow=True, labelled=False)
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    sender: threading.Thread | None = None
    for batch in source.batches({}):
        if sender is None:
            sender = threading.Thread(target=send)
            sender.start()
        rows += batch.records.to_pylist()
        refused += [each.reason for each in batch.refused]
        if batch.position and len(rows) + len(refused) >= 3:
            break
    source.close()
    assert sender
    sender.join()
    return rows, refused


MESSAGES = [b"<13>1 - h a - - - one", b"nothing", b"<13>Dec 31 23:59:59 web app: two"]


def check(rows: list[dict[str, Any]], refused: list[str]) -> None:
    assert [row[TEXT] for row in rows] == ["one", "two"]
    assert [row[OFFSET] for row in rows] == [1, 3]
    assert rows[0][STREAM].startswith("syslog-")
    assert refused == ["expected <PRIORITY> of 0 to 191 at the start, found 'nothing'"]


def test_udp(tmp_path: Path) -> None:
    port = free_port()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for message in MESSAGES:
                sender.sendto(message, ("127.0.0.1", port))

    check(*received(Syslog(port=port), tmp_path, send))


@pytest.mark.parametrize("counted", [True, False])
def test_tcp(counted: bool, tmp_path: Path) -> None:
    port = free_port()
    framed = [b"%d %s" % (len(message), message) if counted else message + b"\n" for message in MESSAGES]

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"".join(framed))

    check(*received(Syslog(transport="tcp", port=port), tmp_path, send))


def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    port = free_port()
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def send() -> None:
        plain = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(plain, server_hostname="localhost") as sender:
            sender.sendall(b"\n".join(MESSAGES))
            sender.unwrap()

    check(*received(Syslog(transport="tls", port=port, certificate="server.pem"), tmp_path, send))


def test_a_wrong_certificate_file(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("nothing")
    for name in ("server.pem", "missing.pem"):
        with pytest.raises(UseCaseError, match=rf"source.syslog.certificate: .*{name}: .*expected a certificate and"):
            Syslog(transport="tls", certificate=name).open(base=tmp_path, follow=True, labelled=False)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_in_use(transport: Any, tmp_path: Path) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if transport == "tcp":
            other.listen()
        port = other.getsockname()[1]
        source = Syslog(transport=transport, port=port).open(base=tmp_path, follow=True, labelled=False)
        with pytest.raises(UseCaseError, match=rf"source.syslog.port: {transport} port {port} of 127.0.0.1 cannot be "):
            list(source.batches({}))
        source.close()


def test_a_full_spool_holds_tcp_back(tmp_path: Path) -> None:
    port = free_port()
    count = 20_000
    spec = Syslog.model_validate({"transport": "tcp", "port": port, "spool": {"limit": 1_000_000}})
    source = spec.open(base=tmp_path, follow=True, labelled=False)
    done = threading.Event()

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port)) as sender:
            for number in range(count):
                sender.sendall(b"<13>number %d %s\n" % (number, b"x" * 1000))
        done.set()

    batches = source.batches({})
    next(batches)
    sender = threading.Thread(target=send)
    sender.start()
    assert not done.wait(2)
    rows = 0
    while rows < count:
        batch = next(batches)
        rows += batch.records.num_rows
        source.acknowledge(batch.position)
    sender.join()
    source.close()
    assert rows == count


def test_datagrams_that_are_dropped_are_counted_and_said(tmp_path: Path) -> None:
    port, count = free_port(), 20_000
    spec = Syslog.model_validate({"port": port, "spool": {"limit": 1_000_000}})
    source = spec.open(base=tmp_path, follow=True, labelled=False)
    batches = source.batches({})
    next(batches)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(b"<13>number %d %s" % (number, b"x" * 1000), ("127.0.0.1", port))
    rows, idle = 0, 0
    while idle < 2:
        batch = next(batches)
        rows += batch.records.num_rows
        source.acknowledge(batch.position)
        idle = 0 if batch.records.num_rows else idle + 1
    source.close()
    assert 0 < rows < count
    said = source.report.damaged[f"udp port {port}"]
    assert said == f"{count - rows} datagrams were dropped; use tcp, or raise `spool.limit`"
