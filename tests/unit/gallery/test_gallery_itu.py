"""The folder of the ITU challenge's IP core faults: joined by the order of its rows."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from afield.errors import DataError
from afield.gallery.faults.simulator import prepare


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{name}.tsv.gz", "wt") as file:
        file.write(text)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for part in ("train", "eval"):
        folder = tmp_path / "given" / part
        write(folder, "label", "\tstatus\ttimestamp\n0\t5.0\t20200629105300\n1\t6.0\t20200629105400\n")
        write(folder, "rx", "\tb\ta\ttimestamp\n0\t1\t2.5\t20200629105300\n1\t\t3\t20200629105400\n")
        write(folder, "failure-nodes", "\ttimestamp\tn\n0\t20200629105300\t1\n1\t20200629105400\t0\n")
    return tmp_path / "given"


def test_the_published_folder(data: Path, tmp_path: Path) -> None:
    note = prepare(data / "itu_ipcore_faults", tmp_path)
    assert note == "5,969 minutes to train and 5,333 to test, 143 counters each; single minutes, so use minutes.yaml"
    train, test = (pq.read_table(tmp_path / f"{part}.parquet") for part in ("train", "eval"))
    assert (train.num_rows, test.num_rows) == (5969, 5333)
    assert train.column_names == test.column_names
    features = train.column_names[1:-1]
    assert len(features) == 143
    assert features == sorted(features)
    assert not [name for name in features if "failure" in name or "label" in name or "timestamp" in name]
    assert Counter(train["label"].to_pylist()) == {
        "normal": 3870,
        "bgp_hijacking": 95,
        "bgp_injection": 191,
        "node_down": 55,
        "interface_down": 233,
        "packet_loss_or_delay": 762 + 763,
    }


@pytest.mark.parametrize("part", ["train", "eval"])
@pytest.mark.parametrize("name", ["rx-pps", "cpu_util", "admin-status"])
def test_a_column_is_that_of_its_file(data: Path, tmp_path: Path, part: str, name: str) -> None:
    """Read by hand, line by line."""
    prepare(data / "itu_ipcore_faults", tmp_path)
    with gzip.open(data / "itu_ipcore_faults" / part / f"{name}.tsv.gz", "rt") as file:
        header, *lines = (line.rstrip("\n").split("\t") for line in file)
    place = len(header) // 2
    expected = [float(line[place]) if line[place] else None for line in lines]
    found = pq.read_table(tmp_path / f"{part}.parquet")[f"{name}/{header[place]}"].to_pylist()
    assert [value is None for value in found] == [value is None for value in expected]
    assert [value or 0 for value in found] == pytest.approx([value or 0 for value in expected], rel=1e-6)


def test_a_small_folder(small: Path, tmp_path: Path) -> None:
    assert prepare(small, tmp_path / "data") == (
        "2 minutes to train and 2 to test, 2 counters each; single minutes, so use minutes.yaml"
    )
    table = pq.read_table(tmp_path / "data" / "train.parquet")
    assert table.to_pydict() | {"time": None} == {
        "time": None,
        "rx/a": [2.5, 3.0],
        "rx/b": [1.0, None],
        "label": ["packet_loss_or_delay"] * 2,
    }
    assert str(table["time"][0].as_py()) == "2020-06-29 10:53:00"


def test_seven_states(small: Path, tmp_path: Path) -> None:
    prepare(small, tmp_path, merge=False)
    assert pq.read_table(tmp_path / "train.parquet")["label"].to_pylist() == ["packet_loss", "packet_delay"]


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert prepare(tmp_path / "mine", tmp_path / "data") is None
    assert not (tmp_path / "data").exists()


def test_rows_in_another_order(small: Path, tmp_path: Path) -> None:
    write(small / "eval", "rx", "\tb\ta\ttimestamp\n0\t1\t2.5\t20200629105400\n1\t2\t3\t20200629105300\n")
    with pytest.raises(DataError) as raised:
        prepare(small, tmp_path / "data")
    assert str(raised.value) == (
        f"{small}/eval/rx.tsv.gz: its rows are not those of label.tsv.gz; expected the same times in the same order"
    )
    assert not (tmp_path / "data").exists()


def test_other_columns_in_the_test_part(small: Path, tmp_path: Path) -> None:
    write(small / "eval", "rx", "\tb\tc\ttimestamp\n0\t1\t2.5\t20200629105300\n1\t2\t3\t20200629105400\n")
    with pytest.raises(DataError) as raised:
        prepare(small, tmp_path / "data")
    assert str(raised.value) == f"{small}: train and eval have different columns, such as 'rx/a'; expected the same"


def test_an_unknown_status(small: Path, tmp_path: Path) -> None:
    write(small / "train", "label", "\tstatus\ttimestamp\n0\t9.0\t20200629105300\n1\t6.0\t20200629105400\n")
    with pytest.raises(DataError) as raised:
        prepare(small, tmp_path / "data")
    assert str(raised.value) == f"{small}/train/label.tsv.gz: expected a status from 0 to 6, found 9"


def test_no_numbers(small: Path, tmp_path: Path) -> None:
    write(small / "train", "rx", "\tb\ta\ttimestamp\n0\tx\t2.5\t20200629105300\n1\ty\t3\t20200629105400\n")
    with pytest.raises(DataError, match=r"rx\.tsv\.gz, column 'b': expected numbers: .*'[xy]'"):
        prepare(small, tmp_path / "data")


def test_no_gzip(small: Path, tmp_path: Path) -> None:
    (small / "train" / "rx.tsv.gz").write_text("plain")
    with pytest.raises(DataError, match=r"rx\.tsv\.gz: is no table of tab-separated text in gzip: "):
        prepare(small, tmp_path / "data")
