"""Reads the folder of a published competition: route faults of an IP core network, one row a minute, in many files.

The data set is that of problem statement 032 (KDDI) of the ITU AI/ML in 5G Challenge of 2020, as prepared by the team
naist-lsm: tab-separated files whose rows stand in one order.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from afield.errors import DataError

_STATES: Final = {
    0: "normal",
    1: "bgp_hijacking",
    2: "bgp_injection",
    3: "node_down",
    4: "interface_down",
    5: "packet_loss",
    6: "packet_delay",
}
_MERGED: Final = "packet_loss_or_delay"
_PARTS: Final = ("train", "eval")
_ANSWERS: Final = ("failure", "label")
_SUFFIX: Final = ".tsv.gz"


def prepare(data: Path, folder: Path, *, merge: bool = True) -> str | None:
    """Writes `train.parquet` and `eval.parquet` from the folder of the competition.

    Args:
        data: what a person gave.
        folder: where to write; made if it is not there.
        merge: whether packet loss and packet delay are one state, as they are in published results.

    Returns:
        One line for people; None where `data` is no such folder, and nothing is written.

    Raises:
        DataError: a file is damaged, or its rows are not those of the others.
    """
    if not all((data / part / f"label{_SUFFIX}").is_file() for part in _PARTS):
        return None
    tables = {part: joined(data / part, merge=merge) for part in _PARTS}
    names = [set(table.column_names) for table in tables.values()]
    if differing := sorted(names[0] ^ names[1]):
        raise DataError(f"{data}: train and eval have different columns, such as '{differing[0]}'; expected the same")
    folder.mkdir(parents=True, exist_ok=True)
    for part, table in tables.items():
        pq.write_table(table, folder / f"{part}.parquet", compression="zstd")
    train, evaluation = (table.num_rows for table in tables.values())
    features = tables["train"].num_columns - 2
    return (
        f"{train:,} minutes to train and {evaluation:,} to test, {features} counters each; "
        "single minutes, so use minutes.yaml"
    )


def joined(part: Path, *, merge: bool) -> pa.Table:
    """Joins the files of one part.

    Args:
        part: the folder `train` or `eval`.
        merge: whether packet loss and packet delay are one state.

    Returns:
        `time`, the counters as `FILE/COLUMN`, sorted by name, and `label`.

    Raises:
        DataError: a file is damaged, or its rows are not those of the others.
    """
    answers = _read(part / f"label{_SUFFIX}")
    stamps = answers["timestamp"]
    columns: dict[str, pa.ChunkedArray] = {}
    for file in sorted(part.glob(f"*{_SUFFIX}")):
        name = file.name.removesuffix(_SUFFIX)
        if name.startswith(_ANSWERS):
            continue
        table = _read(file)
        if not table["timestamp"].equals(stamps):
            raise DataError(
                f"{file}: its rows are not those of label{_SUFFIX}; expected the same times in the same order"
            )
        for column in table.column_names:
            if column not in ("", "timestamp"):
                columns[f"{name}/{column}"] = _numbers(table[column], f"{file}, column '{column}'")
    states = {**_STATES, 5: _MERGED, 6: _MERGED} if merge else _STATES
    found = pc.cast(answers["status"], pa.int64()).to_pylist()
    if unknown := sorted(set(found) - set(states)):
        raise DataError(f"{part / ('label' + _SUFFIX)}: expected a status from 0 to 6, found {unknown[0]}")
    text = pc.cast(stamps, pa.string())
    time = pc.call_function("strptime", [text], pc.StrptimeOptions("%Y%m%d%H%M%S", "s"))
    ordered = {column: columns[column] for column in sorted(columns)}
    return pa.table({"time": time, **ordered, "label": pa.array([states[status] for status in found])})


def _read(file: Path) -> pa.Table:
    try:
        with gzip.open(file) as opened:
            table = pacsv.read_csv(opened, parse_options=pacsv.ParseOptions(delimiter="\t"))
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise DataError(f"{file}: is no table of tab-separated text in gzip: {error}") from error
    if "timestamp" not in table.column_names:
        raise DataError(f"{file}: expected a column 'timestamp', found {', '.join(table.column_names[:5])}")
    return table


def _numbers(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    try:
        return pc.cast(column, pa.float32(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{where}: expected numbers: {error}") from error
