"""NATS JetStream, from and to real servers."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import brokers
import nats
import pytest
from nats.js.api import StreamConfig

from afield.checks.sink import COMMON_CHECKS, IDEMPOTENT_CHECKS, SinkCase, answers, expected
from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches, records_of
from afield.connectors.sinks.nats.sink import NatsSink
from afield.connectors.sinks.nats.spec import Nats as NatsOut
from afield.connectors.sources.nats.source import NatsSource
from afield.connectors.sources.nats.spec import Nats
from afield.errors import DataError, StateError, TransientError, UseCaseError

SERVER = "nats://localhost:4222"


def on_server(work: Callable[[Any, Any], Coroutine[Any, Any, Any]], url: str = SERVER) -> Any:
    async def connected() -> Any:
        client = await nats.connect(url)
        try:
            return await work(client, client.jetstream())
        finally:
            await client.close()

    return asyncio.run(connected())


def created(name: str, url: str = SERVER, **config: Any) -> None:
    async def work(_: Any, streams: Any) -> None:
        await streams.add_stream(StreamConfig(name=name, subjects=[f"{name}.>"], **config))

    on_server(work, url)


def deleted(name: str) -> None:
    async def work(_: Any, streams: Any) -> None:
        await streams.delete_stream(name)

    on_server(work)


def filled(name: str, count: int, first: int = 0, url: str = SERVER, subject: str = "a") -> None:
    async def work(client: Any, streams: Any) -> None:
        for number in range(first, first + count - 1):
            await client.publish(f"{name}.{subject}", message(number))
        await streams.publish(f"{name}.{subject}", message(first + count - 1))

    on_server(work, url)


def message(number: int) -> bytes:
    return json.dumps({"number": number, "line": f"line {number} é", "kind": f"k{number % 3}"}).encode()


def purged(name: str, **options: Any) -> None:
    async def work(_: Any, streams: Any) -> None:
        await streams.purge_stream(name, **options)

    on_server(work)


@pytest.fixture
def stream() -> Iterator[str]:
    name = f"afield-{uuid.uuid4().hex}"
    created(name)
    yield name
    deleted(name)


def opened(
    stream: str, *, follow: bool = False, labelled: bool = False, url: str = SERVER, **fields: Any
) -> NatsSource:
    spec = Nats(url=url, stream=stream, **fields)
    assert not spec.lint()
    return spec.open(base=Path(), follow=follow, labelled=labelled, poll=0.05)


KINDS: dict[str, dict[str, Any]] = {
    "text": {},
    "json": {"format": "json"},
    "labelled": {"format": "json", "label": "kind", "columns": ["line"], "labelled": True},
    "subject": {"subject": "STREAM.a"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_source(check: Callable[[Open], None], kind: str, stream: str) -> None:
    filled(stream, 5, subject="b")
    filled(stream, 30)
    filled(stream, 5, subject="b")
    filled(stream, 9)
    fields = {name: value.replace("STREAM", stream) for name, value in KINDS[kind].items() if isinstance(value, str)}
    check(lambda: opened(stream, batch=8, **{**KINDS[kind], **fields}))


def test_it_waits(stream: str) -> None:
    filled(stream, 3)
    check_waits_with_empty_batches(lambda: opened(stream, follow=True))


def test_records_are_named_by_their_sequence(stream: str) -> None:
    filled(stream, 2, subject="b")
    filled(stream, 2)
    (batch,) = opened(stream, subject=f"{stream}.a").batches({})
    assert batch.records.to_pylist() == [
        {"text": message(0).decode(), "_stream": stream, "_offset": 3},
        {"text": message(1).decode(), "_stream": stream, "_offset": 4},
    ]
    assert batch.position[stream].split()[0] == "4"


def test_what_is_no_record_is_refused(stream: str) -> None:
    async def work(_: Any, streams: Any) -> None:
        for content in (b"\xff", message(0), b"", b"x" * 2000):
            await streams.publish(f"{stream}.a", content)

    on_server(work)
    (batch,) = opened(stream, format="json", max_record_bytes=1000).batches({})
    assert batch.records.column("number").to_pylist() == [0]
    assert [(one.offset, one.reason.split(":")[0]) for one in batch.refused] == [
        (1, "expected JSON"),
        (3, "expected JSON"),
        (4, "expected at most 1000 bytes, found 2000; raise max_record_bytes of the source to take it"),
    ]


def test_what_follows_comes_as_it_arrives(stream: str) -> None:
    source = opened(stream, follow=True, format="json")
    reading = source.batches({})
    got: list[int] = []
    for start in range(0, 60, 20):
        filled(stream, 20, first=start)
        while len(got) < start + 20:
            batch = next(reading)
            got += batch.records.column("number").to_pylist() if batch.records.num_rows else []
    assert got == list(range(60))
    source.close()
    assert list(reading) == []


def test_a_reading_that_does_not_follow_ends_with_what_was_there(stream: str) -> None:
    filled(stream, 10)
    reading = opened(stream, batch=3).batches({})
    first = next(reading)
    filled(stream, 10)
    assert len(records_of(iter([first, *reading]))) == 10


def test_what_was_purged_before_it_was_read_is_said(stream: str) -> None:
    filled(stream, 10)
    reading = opened(stream, batch=4).batches({})
    position = dict(next(reading).position)
    purged(stream, seq=8)
    message = (
        f"source.nats: stream '{stream}' after 4: 3 messages were removed before they were read; they cannot be "
        "read any more. Let the server keep messages longer, and set lost: skip to go on with what is left"
    )
    for source in (reading, opened(stream).batches(position)):
        with pytest.raises(DataError) as error:
            list(source)
        assert str(error.value) == message
    source = opened(stream, lost="skip")
    assert [name["_offset"] for name in records_of(source.batches(position))] == [8, 9, 10]
    assert source.report.damaged == {f"stream '{stream}' after 4": "3 messages were removed before they were read"}
    purged(stream)
    with pytest.raises(DataError, match="after 4: 6 messages were removed"):
        list(opened(stream).batches(position))
    with pytest.raises(DataError, match=r"after 4: up to 6 messages, some of other subjects, were removed"):
        list(opened(stream, subject=f"{stream}.a").batches(position))


def test_a_message_that_is_deleted_before_it_is_read_is_said(stream: str) -> None:
    filled(stream, 10)
    position = dict(next(opened(stream, batch=4).batches({})).position)

    async def work(_: Any, streams: Any) -> None:
        await streams.delete_msg(stream, 7)

    on_server(work)
    with pytest.raises(DataError, match="after 6: 1 messages were removed before they were read"):
        list(opened(stream).batches(position))
    assert len(records_of(opened(stream, subject=f"{stream}.a").batches(position))) == 5


def test_what_was_read_and_then_purged_is_not_lost(stream: str) -> None:
    filled(stream, 10)
    (batch,) = opened(stream).batches({})
    purged(stream)
    assert list(opened(stream).batches(batch.position)) == []
    filled(stream, 2)
    for fields in ({}, {"subject": f"{stream}.a"}):
        assert len(records_of(opened(stream, **fields).batches(batch.position))) == 2
        assert len(records_of(opened(stream, **fields).batches({}))) == 2


def test_a_stream_that_was_made_anew_is_said(stream: str) -> None:
    filled(stream, 10)
    (batch,) = opened(stream).batches({})
    deleted(stream)
    created(stream)
    with pytest.raises(DataError, match=rf"source\.nats: stream '{stream}' was made anew at \S+ after it was read up"):
        list(opened(stream, lost="skip").batches(batch.position))


def test_no_stream() -> None:
    with pytest.raises(DataError) as error:
        list(opened("nothing-here").batches({}))
    assert str(error.value) == (
        "source.nats: expected a stream 'nothing-here', found none; correct stream:, or create it: "
        "`nats stream add nothing-here`"
    )
    with pytest.raises(DataError) as error:
        NatsOut(subject="nothing.here").open(Path()).restore(None)
    assert str(error.value) == (
        "sink.nats: expected a stream that takes the subject 'nothing.here', found none; correct subject:, or create "
        "one: `nats stream add --subjects nothing.here`"
    )


def test_no_server() -> None:
    url = f"nats://localhost:{brokers.free_port()}"
    with pytest.raises(TransientError, match=rf"source\.nats: {url}: no connection to the server: .*refused|Connect"):
        list(opened("x", url=url).batches({}))
    with pytest.raises(TransientError, match=rf"sink\.nats: {url}: no connection to the server"):
        NatsOut(url=url, subject="x").open(Path()).restore(None)


def test_a_position_of_another_source(stream: str) -> None:
    with pytest.raises(StateError, match="expected a position of a JetStream stream, found '17' of another source"):
        list(opened(stream).batches({stream: "17"}))


@pytest.mark.parametrize(
    ("options", "who"),
    [
        (["--user", "u", "--pass", "s3cret"], {"user": "u", "password": {"env": "NATS_SECRET"}}),
        (["--auth", "s3cret"], {"token": {"env": "NATS_SECRET"}}),
    ],
)
def test_passwords(options: list[str], who: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = brokers.nats_server(tmp_path, *options)
    server.start()
    url = f"nats://localhost:{server.port}"
    try:
        monkeypatch.setenv("NATS_SECRET", "wrong-one")
        for given in ({}, who):
            with pytest.raises(UseCaseError, match=rf"source\.nats: {url}: the server refuses the user") as error:
                list(opened("x", url=url, **given).batches({}))
            assert "wrong-one" not in str(error.value)
            with pytest.raises(UseCaseError, match=rf"sink\.nats: {url}: the server refuses the user"):
                NatsOut(url=url, subject="x", **given).open(Path()).restore(None)
        monkeypatch.setenv("NATS_SECRET", "s3cret")
        with pytest.raises(DataError, match="expected a stream 'x', found none"):
            list(opened("x", url=url, **who).batches({}))
    finally:
        server.stop()


def read(source: NatsSource, position: dict[str, str], got: list[int], then: Any = None) -> None:
    """Reads on, moves the position, and does something in the middle."""
    for number, batch in enumerate(source.batches(position)):
        got += batch.records.column("number").to_pylist() if batch.records.num_rows else []
        position |= batch.position
        if then and number == 5:
            then()


def test_a_server_that_dies_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = brokers.nats_server(tmp_path)
    server.start()
    url = f"nats://localhost:{server.port}"
    position: dict[str, str] = {}
    got: list[int] = []
    try:
        created("x", url)
        filled("x", 300, url=url)
        for life in range(3):
            source = opened("x", url=url, follow=True, batch=16, format="json")
            with pytest.raises(TransientError, match=f"{url}: no connection to the server"):
                read(source, position, got, then=server.stop)
            server.start()
            filled("x", 50, first=300 + 50 * life, url=url)
        read(opened("x", url=url, format="json"), position, got)
        assert got == list(range(450))
    finally:
        server.stop()


def test_a_server_that_dies_is_noticed_while_waiting(tmp_path: Path) -> None:
    server = brokers.nats_server(tmp_path)
    server.start()
    url = f"nats://localhost:{server.port}"
    try:
        created("x", url)
        reading = opened("x", url=url, follow=True).batches({})
        next(reading)
        threading.Timer(0.2, server.stop).start()
        started = time.monotonic()
        with pytest.raises(TransientError, match="no connection to the server"):
            list(reading)
        assert time.monotonic() - started < 5
    finally:
        server.stop()


def test_close_ends_a_reading_that_waits(stream: str) -> None:
    source = opened(stream, follow=True)
    thread = threading.Thread(target=lambda: list(source.batches({})))
    thread.start()
    time.sleep(0.3)
    source.close()
    thread.join(1)
    assert not thread.is_alive()


def stored(stream: str, url: str = SERVER) -> list[dict[str, Any]]:
    source = opened(stream, url=url)
    return [json.loads(str(record["text"])) for record in records_of(source.batches({}))]


def sink_case(stream: str) -> SinkCase:
    return SinkCase(lambda: NatsOut(subject=f"{stream}.out").open(Path()), lambda: stored(stream))


@pytest.mark.parametrize("check", [*COMMON_CHECKS, *IDEMPOTENT_CHECKS])
def test_sink(check: Callable[[SinkCase], None], stream: str) -> None:
    check(sink_case(stream))


def written_anew(stream: str, mark: str | None, *parts: tuple[int, int]) -> str | None:
    sink = NatsOut(subject=f"{stream}.out").open(Path())
    sink.restore(mark)
    for part in parts:
        mark = sink.write(answers(*part))
    sink.close()
    return mark


def test_answers_are_written_once_also_after_the_duplicate_window() -> None:
    stream = f"afield-{uuid.uuid4().hex}"
    created(stream, duplicate_window=0.1)
    try:
        written_anew(stream, None, (0, 4), (4, 3))
        time.sleep(0.3)
        mark = written_anew(stream, None, (0, 5))
        time.sleep(0.3)
        mark = written_anew(stream, mark, (5, 1))
        mark = written_anew(stream, mark, (6, 3), (9, 1))
        time.sleep(0.3)
        written_anew(stream, mark, (9, 3))
        assert stored(stream) == expected(0, 12)
    finally:
        deleted(stream)


def test_a_write_that_another_process_repeats_is_stored_once(stream: str) -> None:
    dying, heir = (NatsOut(subject=f"{stream}.out").open(Path()) for _ in range(2))
    dying.restore(None)
    heir.restore(None)
    dying.write(answers(0, 6))
    heir.write(answers(0, 2))
    heir.write(answers(2, 6))
    dying.write(answers(6, 3))
    dying.close()
    heir.close()
    assert stored(stream) == expected(0, 9)


def test_a_sink_goes_on_after_its_server_died(tmp_path: Path) -> None:
    server = brokers.nats_server(tmp_path)
    server.start()
    url = f"nats://localhost:{server.port}"
    try:
        created("x", url)
        sink: NatsSink = NatsOut(url=url, subject="x.out").open(Path())
        sink.restore(None)
        sink.write(answers(0, 5))
        server.stop()
        for _ in range(2):
            with pytest.raises(TransientError, match=f"{url}: no connection to the server"):
                sink.write(answers(5, 5))
        server.start()
        sink.write(answers(5, 5))
        sink.write(answers(3, 9))
        sink.close()
        assert stored("x", url) == expected(0, 12)
    finally:
        server.stop()


def test_a_full_stream_is_trouble_that_may_pass() -> None:
    stream = f"afield-{uuid.uuid4().hex}"
    created(stream, max_msgs=3, discard="new")
    try:
        sink = NatsOut(subject=f"{stream}.out").open(Path())
        sink.restore(None)
        sink.write(answers(0, 3))
        with pytest.raises(TransientError, match=r"it takes nothing now: maximum messages exceeded"):
            sink.write(answers(3, 1))
        purged(stream)
        sink.write(answers(3, 1))
        sink.close()
    finally:
        deleted(stream)


def test_a_stream_that_is_deleted_under_way(stream: str) -> None:
    sink = NatsOut(subject=f"{stream}.out").open(Path())
    sink.restore(None)
    deleted(stream)
    try:
        with pytest.raises(DataError, match="the server refuses: no stream takes this subject"):
            sink.write(answers(0, 1))
    finally:
        sink.close()
        created(stream)
