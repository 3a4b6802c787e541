"""The rows that travel in a bundle with the answers the network must give to them."""

from __future__ import annotations

import pyarrow as pa

from afield.errors import BundleError

EXPECTED = "_expected"
"""string: the answer at the time of packing."""
FIGURE = "_figure"
"""float32: the number beside that answer: a probability, a value, a score or a distance."""
EXAMPLE = "_example"
"""int32, where a window of several rows is one example: which; the answer stands in its last row alone."""

_COLUMNS = {EXPECTED: pa.string(), FIGURE: pa.float32()}


def check_examples(table: pa.Table) -> None:
    """Refuses examples without a row or without their answers.

    Raises:
        BundleError: no row, a column missing or of another type, or a null in it.
    """
    if not table.num_rows:
        raise BundleError("examples.arrow holds no rows; at least one example with its answer is needed")
    for name, kind in _COLUMNS.items():
        found = table.schema.field(name).type if name in table.schema.names else "nothing"
        if found != kind:
            raise BundleError(f"examples.arrow: expected a column {name!r} of type {kind}, found {found}")
        answered = table.filter(table[EXPECTED].is_valid()) if EXAMPLE in table.schema.names else table
        missing = answered[name].null_count if answered.num_rows else table.num_rows
        if missing:
            raise BundleError(f"examples.arrow: {missing} rows have no {name!r}")


def read_examples(content: bytes) -> pa.Table:
    """Reads an Arrow file that is not trusted.

    Raises:
        BundleError: not an Arrow file, values that do not fit together, or no examples with answers.
    """
    try:
        table = pa.ipc.open_file(pa.py_buffer(content)).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise BundleError(f"examples.arrow is not an Arrow file: {error}") from None
    check_examples(table)
    return table
