"""Redis streams, from and to real servers."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brokers
import pytest
import redis

from afield.checks.sink import COMMON_CHECKS, IDEMPOTENT_CHECKS, SinkCase, answers, expected
from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches, names_of, records_of
from afield.connectors.sinks.redis.sink import RedisSink
from afield.connectors.sinks.redis.spec import Redis as RedisOut
from afield.connectors.sources.redis.source import RedisSource
from afield.connectors.sources.redis.spec import Redis
from afield.errors import DataError, StateError, TransientError, UseCaseError

SERVER = "redis://localhost:6379"


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(SERVER) as client:
        yield client


@pytest.fixture
def key(client: redis.Redis) -> Iterator[str]:
    name = f"afield:{uuid.uuid4().hex}"
    yield name
    client.delete(name, f"{name}:2")


def opened(key: Any, *, follow: bool = False, labelled: bool = False, url: str = SERVER, **fields: Any) -> RedisSource:
    spec = Redis(url=url, stream=key, **fields)
    assert not spec.lint()
    return spec.open(base=Path(), follow=follow, labelled=labelled, poll=0.05)


def filled(client: redis.Redis, key: str, count: int, first: int = 0) -> None:
    pipe = client.pipeline(transaction=False)
    for number in range(first, first + count):
        fields = {"line": f"line {number} é", "json": json.dumps({"number": number, "kind": f"k{number % 3}"})}
        pipe.xadd(key, {**fields, "kind": "ab"[number % 2]})
    pipe.execute()


KINDS: dict[str, dict[str, Any]] = {
    "fields": {},
    "labelled": {"label": "kind", "columns": ["line"], "labelled": True},
    "text": {"field": "line"},
    "json": {"field": "json", "format": "json"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_source(check: Callable[[Open], None], kind: str, client: redis.Redis, key: str) -> None:
    filled(client, key, 50)
    filled(client, f"{key}:2", 20)
    check(lambda: opened([key, f"{key}:2"], batch=8, **KINDS[kind]))


def test_it_waits(client: redis.Redis, key: str) -> None:
    filled(client, key, 3)
    check_waits_with_empty_batches(lambda: opened(key, follow=True))


def test_records_are_named_by_their_ids(client: redis.Redis, key: str) -> None:
    client.xadd(key, {"line": "a"}, id="5-0")
    client.xadd(key, {"line": "b"}, id="5-7")
    (batch,) = opened(key, field="line").batches({})
    assert records_of(iter([batch])) == [
        {"text": "a", "_stream": key, "_offset": 5 << 20},
        {"text": "b", "_stream": key, "_offset": (5 << 20) + 7},
    ]
    assert batch.position == {key: "5-7 2"}


def test_what_is_no_record_is_refused(client: redis.Redis, key: str) -> None:
    for name, fields in {
        "1-0": {"line": "good"},
        "1-1": {"other": "x", b"\xff": "y"},
        "1-2": {"line": b"\xffx"},
        "1-1048576": {"line": "beyond"},
        f"{2**43}-0": {"line": "beyond"},
    }.items():
        client.xadd(key, fields, id=name)
    (batch,) = opened(key, field="line").batches({})
    assert names_of(batch) == [(key, 1 << 20)]
    assert [(one.reason, one.content) for one in batch.refused] == [
        ("expected a field line, found other, \ufffd", '{"other":"x","\ufffd":"y"}'.encode()),
        ("expected UTF-8, found byte 0xff at 0: invalid start byte", b"\xffx"),
        (
            "expected an id of milliseconds under 2^43 and a number under 2^20, found 1-1048576; "
            "let the server give the ids",
            b'{"line":"beyond"}',
        ),
        (
            "expected an id of milliseconds under 2^43 and a number under 2^20, found 8796093022208-0; "
            "let the server give the ids",
            b'{"line":"beyond"}',
        ),
    ]
    assert batch.position == {key: f"{2**43}-0 5"}
    (batch,) = opened(key, max_record_bytes=16).batches({})
    assert batch.refused[1].reason == "expected UTF-8, found byte 0xff in a field: invalid start byte"


def test_a_reading_that_does_not_follow_ends_with_what_was_there(client: redis.Redis, key: str) -> None:
    filled(client, key, 10)
    reading = opened(key, batch=3, field="line").batches({})
    first = next(reading)
    filled(client, key, 10, first=10)
    assert len(records_of(iter([first, *reading]))) == 10
    assert len(records_of(opened(key, field="line").batches({}))) == 20


def test_what_was_read_and_then_trimmed_is_not_lost(client: redis.Redis, key: str) -> None:
    filled(client, key, 10)
    position = dict(list(opened(key).batches({}))[-1].position)
    client.xtrim(key, maxlen=0, approximate=False)
    assert list(opened(key).batches(position)) == []
    filled(client, key, 4)
    assert len(records_of(opened(key).batches(position))) == 4


@pytest.mark.parametrize("batch", [2, 1000])
def test_what_was_trimmed_before_it_was_read_is_said(batch: int, client: redis.Redis, key: str) -> None:
    filled(client, key, 10)
    reading = opened(key, batch=4).batches({})
    position = dict(next(reading).position)
    client.xtrim(key, maxlen=3, approximate=False)
    last = position[key].split()[0]
    message = (
        f"source.redis: stream '{key}' after {last}: 3 entries were removed before they were read; they cannot be "
        "read any more. Let the server keep messages longer, and set lost: skip to go on with what is left"
    )
    for source in (reading, opened(key, batch=batch).batches(position)):
        with pytest.raises(DataError) as error:
            list(source)
        assert str(error.value) == message
    source = opened(key, batch=batch, lost="skip")
    batches = list(source.batches(position))
    assert len(records_of(iter(batches))) == 3
    assert source.report.damaged == {f"stream '{key}' after {last}": "3 entries were removed before they were read"}
    position |= batches[-1].position
    assert list(opened(key, batch=batch).batches(position)) == []


def test_an_unread_entry_that_is_deleted_is_said(client: redis.Redis, key: str) -> None:
    filled(client, key, 10)
    position = dict(next(opened(key, batch=4).batches({})).position)
    client.xdel(key, client.xrange(key)[6][0])
    with pytest.raises(DataError, match="1 entries were removed before they were read"):
        list(opened(key).batches(position))


def test_a_stream_that_was_made_anew_is_said(client: redis.Redis, key: str) -> None:
    filled(client, key, 10)
    position = dict(list(opened(key).batches({}))[-1].position)
    client.delete(key)
    filled(client, key, 4)
    with pytest.raises(DataError, match="the stream was made anew, with entries removed before they were read"):
        list(opened(key).batches(position))
    assert len(records_of(opened(key, lost="skip").batches(position))) == 4


def test_no_stream(client: redis.Redis, key: str) -> None:
    with pytest.raises(DataError) as error:
        list(opened(key).batches({}))
    assert str(error.value) == (
        f"source.redis: expected a stream '{key}', found no such key; correct stream:, or add an entry"
    )
    source = opened(key, follow=True, field="line")
    reading = source.batches({})
    assert next(reading).records.num_rows == 0
    filled(client, key, 2)
    assert next(reading).records.num_rows == 2
    source.close()


def test_a_key_that_is_no_stream(client: redis.Redis, key: str) -> None:
    client.set(key, "x")
    with pytest.raises(DataError, match=r"source\.redis: redis://localhost:6379: the server refuses: .*wrong kind"):
        list(opened(key, follow=True).batches({}))
    sink = RedisOut(stream=key).open(Path())
    with pytest.raises(DataError, match=r"sink\.redis: redis://localhost:6379: the server refuses: .*wrong kind"):
        sink.restore(None)


def test_no_server() -> None:
    url = f"redis://localhost:{brokers.free_port()}"
    with pytest.raises(TransientError, match=rf"source\.redis: {url}: no connection to the server: .*refused"):
        list(opened("x", url=url).batches({}))
    with pytest.raises(TransientError, match=rf"sink\.redis: {url}: no connection to the server: .*refused"):
        RedisOut(url=url, stream="x").open(Path()).restore(None)


def test_a_position_of_another_source(key: str) -> None:
    with pytest.raises(StateError, match="expected a position of a Redis stream, found '17' of another source"):
        list(opened(key).batches({key: "17"}))


def test_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = brokers.redis_server(tmp_path, "--requirepass", "s3cret")
    server.start()
    try:
        url = f"redis://localhost:{server.port}"
        for value in (None, "wrong-one"):
            if value:
                monkeypatch.setenv("REDIS_PASSWORD", value)
            password = {"env": "REDIS_PASSWORD"} if value else None
            with pytest.raises(UseCaseError, match=rf"{url}: the server refuses the user or the password") as error:
                list(opened("x", url=url, password=password).batches({}))
            assert "wrong-one" not in str(error.value)
            with pytest.raises(UseCaseError, match=rf"sink\.redis: {url}: the server refuses the user"):
                RedisOut(url=url, stream="x", password=password).open(Path()).restore(None)
        monkeypatch.setenv("REDIS_PASSWORD", "s3cret")
        client = redis.Redis.from_url(url, password="s3cret")
        filled(client, "x", 3)
        client.execute_command("ACL", "SETUSER", "reader", "on", ">s3cret", "~*", "+@all", "-xrange")
        password = {"env": "REDIS_PASSWORD"}
        assert len(records_of(opened("x", url=url, password=password).batches({}))) == 3
        as_reader = url.replace("//", "//reader@")
        with pytest.raises(UseCaseError, match=f"{url}: the server refuses the user or the password: .*permissions"):
            list(opened("x", url=as_reader, password=password).batches({}))
    finally:
        server.stop()


def read(source: RedisSource, position: dict[str, str], got: list[int], then: Any = None) -> None:
    """Reads on, moves the position, and does something in the middle."""
    for number, batch in enumerate(source.batches(position)):
        got += batch.records.column("number").to_pylist() if batch.records.num_rows else []
        position |= batch.position
        if then and number == 5:
            then()


def test_a_server_that_dies_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = brokers.redis_server(tmp_path)
    server.start()
    url = f"redis://localhost:{server.port}"
    position: dict[str, str] = {}
    got: list[int] = []
    try:
        filled(redis.Redis.from_url(url), "x", 300)
        for life in range(3):
            source = opened("x", url=url, follow=True, batch=16, field="json", format="json")
            with pytest.raises(TransientError, match=f"{url}: no connection to the server"):
                read(source, position, got, then=server.stop)
            server.start()
            filled(redis.Redis.from_url(url), "x", 50, first=300 + 50 * life)
        read(opened("x", url=url, field="json", format="json"), position, got)
        assert got == list(range(450))
    finally:
        server.stop()


def test_close_ends_a_reading_that_waits(client: redis.Redis, key: str) -> None:
    filled(client, key, 1)
    source = opened(key, follow=True)
    thread = threading.Thread(target=lambda: list(source.batches({})))
    thread.start()
    time.sleep(0.3)
    source.close()
    thread.join(1)
    assert not thread.is_alive()


def sink_case(client: redis.Redis, key: str) -> SinkCase:
    def read() -> list[dict[str, Any]]:
        return [json.loads(fields[b"answer"]) for _, fields in client.xrange(key)]

    return SinkCase(lambda: RedisOut(url=SERVER, stream=key).open(Path()), read)


@pytest.mark.parametrize("check", [*COMMON_CHECKS, *IDEMPOTENT_CHECKS])
def test_sink(check: Callable[[SinkCase], None], client: redis.Redis, key: str) -> None:
    check(sink_case(client, key))


def written_anew(key: str, mark: str | None, *parts: tuple[int, int], url: str = SERVER) -> str | None:
    sink = RedisOut(url=url, stream=key).open(Path())
    sink.restore(mark)
    for part in parts:
        mark = sink.write(answers(*part))
    sink.close()
    return mark


def test_answers_after_the_mark_are_written_once(client: redis.Redis, key: str) -> None:
    case = sink_case(client, key)
    assert written_anew(key, None, (0, 4), (4, 3)) is not None
    mark = written_anew(key, None, (0, 5))
    client.xadd(key, {"id": "another", "answer": "1"})
    assert client.xdel(key, client.xrevrange(key, count=1)[0][0]) == 1
    written_anew(key, mark, (5, 3))
    written_anew(key, mark, (5, 9))
    assert case.read() == expected(0, 14)


def test_a_write_that_arrives_late_or_twice_adds_once(client: redis.Redis, key: str) -> None:
    case = sink_case(client, key)
    dying, heir = (RedisOut(url=SERVER, stream=key).open(Path()) for _ in range(2))
    dying.restore(None)
    heir.restore(None)
    dying.write(answers(0, 6))
    heir.write(answers(0, 2))
    heir.write(answers(2, 6))
    dying.write(answers(6, 3))
    assert case.read() == expected(0, 9)


def test_a_write_that_fails_half_way_goes_on_where_it_was(client: redis.Redis, key: str) -> None:
    case = sink_case(client, key)
    sink = RedisOut(url=SERVER, stream=key, password=None).open(Path())
    sink.restore(None)
    script, pages = sink._add, []

    def breaking(**parts: Any) -> Any:
        if len(pages) == 2:
            pages.clear()
            # The server did its part, and its answer was lost.
            script(**parts)
            raise redis.exceptions.ConnectionError("Connection closed by server.")
        pages.append(parts)
        return script(**parts)

    sink._add = breaking
    with pytest.raises(TransientError, match=r"Connection closed by server\."):
        sink.write(answers(0, 2500))
    assert len(case.read()) == 2500
    sink._add = script
    sink.write(answers(0, 2600))
    assert case.read() == expected(0, 2600)


def test_a_crash_before_the_answers_of_an_earlier_crash_came_again(client: redis.Redis, key: str) -> None:
    case = sink_case(client, key)
    written_anew(key, None, (0, 4), (4, 3))
    mark = written_anew(key, None, (0, 5))
    mark = written_anew(key, mark, (5, 1))
    mark = written_anew(key, mark, (6, 3), (9, 1))
    written_anew(key, mark, (10, 1))
    assert case.read() == expected(0, 11)


def test_no_more_than_maxlen(client: redis.Redis, key: str) -> None:
    sink = RedisOut(url=SERVER, stream=key, maxlen=1000).open(Path())
    sink.restore(None)
    for start in range(0, 5000, 2500):
        sink.write(answers(start, 2500))
    sink.close()
    assert 1000 <= client.xlen(key) < 1200


def test_a_sink_goes_on_after_its_server_died(tmp_path: Path) -> None:
    server = brokers.redis_server(tmp_path)
    server.start()
    url = f"redis://localhost:{server.port}"
    try:
        sink: RedisSink = RedisOut(url=url, stream="x").open(Path())
        sink.restore(None)
        sink.write(answers(0, 5))
        server.stop()
        with pytest.raises(TransientError, match=f"{url}: no connection to the server"):
            sink.write(answers(5, 5))
        server.start()
        sink.write(answers(5, 5))
        sink.write(answers(3, 9))
        sink.close()
        found = [json.loads(fields[b"answer"]) for _, fields in redis.Redis.from_url(url).xrange("x")]
        assert found == expected(0, 12)
    finally:
        server.stop()


def test_a_full_server_is_trouble_that_may_pass(tmp_path: Path) -> None:
    server = brokers.redis_server(tmp_path, "--maxmemory", "1mb")
    server.start()
    url = f"redis://localhost:{server.port}"
    try:
        sink = RedisOut(url=url, stream="x").open(Path())
        sink.restore(None)
        with pytest.raises(TransientError, match=f"{url}: the server takes nothing now: .*maxmemory"):
            sink.write(answers(0, 2000))
    finally:
        server.stop()
