"""What every source must do: run over a built-in or a third-party source by its own tests.

Each check takes a callable that opens the same records anew, and raises AssertionError where the source falls short::

    @pytest.mark.parametrize("check", SOURCE_CHECKS)
    def test_my_source(check):
        check(lambda: MySource(...))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pyarrow as pa

from afield.connectors.base import FILE, LABEL, LINE, OFFSET, STREAM, Batch, Position, Source

Open = Callable[[], Source]
Name = tuple[str, int]

_WORDS = pa.dictionary(pa.int32(), pa.string())
_TYPES = {STREAM: _WORDS, OFFSET: pa.int64(), FILE: _WORDS, LINE: pa.int64()}


def check_declares_what_it_can(open_source: Open) -> None:
    """`replayable` and `splittable` are said."""
    source = open_source()
    assert isinstance(source.replayable, bool), "replayable: expected True or False"
    assert isinstance(source.splittable, bool), "splittable: expected True or False"
    source.close()


def check_batches_say_where_they_come_from(open_source: Open) -> None:
    """Every batch has STREAM and OFFSET, FILE and LINE where it has them in the right type; positions are text."""
    for batch in _read(open_source):
        schema = batch.records.schema
        for name in (STREAM, OFFSET):
            assert name in schema.names, f"expected a column {name}, found {schema.names}"
        for name, expected in {**_TYPES, LABEL: _WORDS}.items():
            if name in schema.names:
                found = schema.field(name).type
                assert found == expected, f"column {name}: expected {expected}, found {found}"
        for stream, cursor in batch.position.items():
            assert isinstance(stream, str), f"position: expected text as the stream, found {stream!r}"
            assert isinstance(cursor, str), f"position: expected text as the cursor, found {cursor!r}"


def check_has_records(open_source: Open) -> None:
    """There is something to check: at least two batches with records."""
    batches = [batch for batch in _read(open_source) if batch.records.num_rows]
    assert len(batches) >= 2, f"expected at least two batches with records, found {len(batches)}"


def check_names_are_unique(open_source: Open) -> None:
    """STREAM and OFFSET name one record alone."""
    names = [name for batch in _read(open_source) for name in names_of(batch)]
    assert len(set(names)) == len(names), f"{len(names) - len(set(names))} records share STREAM and OFFSET with another"


def check_position_names_the_streams_of_its_batch(open_source: Open) -> None:
    """A batch with records carries a cursor of each stream they are from."""
    for batch in _read(open_source):
        streams = {stream for stream, _ in names_of(batch)}
        missing = streams - set(batch.position)
        assert not missing, f"expected a cursor of each stream of the batch, found none of {sorted(missing)}"


def check_reads_the_same_again(open_source: Open) -> None:
    """Two readings from the beginning give the same records with the same names."""
    if open_source().replayable:
        assert records_of(_read(open_source)) == records_of(_read(open_source)), "the second reading differs"


def check_resumes_after_any_batch(open_source: Open) -> None:
    """Opened at the position of any batch, it gives exactly the records that came after."""
    if not open_source().replayable:
        return
    batches = list(_read(open_source))
    everything = records_of(iter(batches))
    position: dict[str, str] = {}
    done = 0
    for number, batch in enumerate(batches):
        position.update(batch.position)
        done += batch.records.num_rows
        rest = records_of(_read(open_source, dict(position)))
        assert _sorted(rest) == _sorted(everything[done:]), (
            f"opened after batch {number}: expected the {len(everything) - done} records after it, found {len(rest)}, "
            f"first difference {_difference(rest, everything[done:])}"
        )


def check_close_ends_the_reading(open_source: Open) -> None:
    """`close` may be called in the middle of a reading, and twice."""
    source = open_source()
    batches = source.batches({})
    next(batches)
    source.close()
    source.close()


def check_acknowledge_takes_any_position(open_source: Open) -> None:
    """`acknowledge` takes the positions of its batches, again and again."""
    source = open_source()
    for batch in source.batches({}):
        source.acknowledge(batch.position)
        source.acknowledge(batch.position)
    source.close()


def check_waits_with_empty_batches(open_following: Open, *, most: int = 1000) -> None:
    """A source that follows yields batches without rows while it waits, with the columns of the others."""
    source = open_following()
    schema: pa.Schema | None = None
    try:
        for batch in islice(source.batches({}), most):
            if batch.records.num_rows == 0:
                found = batch.records.schema
                assert schema is None or found == schema, f"expected the columns {schema.names}, found {found.names}"
                return
            schema = batch.records.schema
    finally:
        source.close()
    raise AssertionError(f"expected a batch without rows among {most}, found none")


SOURCE_CHECKS = (
    check_declares_what_it_can,
    check_batches_say_where_they_come_from,
    check_has_records,
    check_names_are_unique,
    check_position_names_the_streams_of_its_batch,
    check_reads_the_same_again,
    check_resumes_after_any_batch,
    check_close_ends_the_reading,
    check_acknowledge_takes_any_position,
)
"""The checks of a source that ends; `check_waits_with_empty_batches` is for one that follows."""


def names_of(batch: Batch) -> list[Name]:
    """STREAM and OFFSET of each record."""
    streams, offsets = batch.records.column(STREAM).to_pylist(), batch.records.column(OFFSET).to_pylist()
    return list(zip(streams, offsets, strict=True))


def records_of(batches: Iterator[Batch]) -> list[dict[str, object]]:
    """All records, one after the other."""
    return [record for batch in batches for record in batch.records.to_pylist()]


def _read(open_source: Open, position: Position | None = None) -> Iterator[Batch]:
    source = open_source()
    yield from source.batches(position or {})
    source.close()


def _sorted(records: list[dict[str, object]]) -> list[dict[str, object]]:
    # The order between two streams is free; within one it is that of the offsets.
    return sorted(records, key=lambda record: (str(record[STREAM]), int(str(record[OFFSET]))))


def _difference(found: list[dict[str, object]], expected: list[dict[str, object]]) -> str:
    for one, other in zip(_sorted(found), _sorted(expected), strict=False):
        if one != other:
            return f"{one} instead of {other}"
    return "in their number"
