"""Packing and opening: what goes in comes out, and equal content is equal bytes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import bundles
import numpy as np
import pyarrow as pa
import pytest
from bundles import FACTS, examples, model, network, packed, steps

from afield.bundle import open_bundle
from afield.errors import BundleError, StateError
from afield.preprocess.base import Frozen


def of_windows() -> pa.Table:
    """Two windows of two rows and one: the answer of each stands in its last row."""
    columns = {
        "text": ["a", "b", "c"],
        "_expected": pa.array([None, "app", "kernel"], pa.string()),
        "_figure": pa.array([0, 0.5, 0.75], pa.float32()),
        "_example": pa.array([0, 0, 1], pa.int32()),
    }
    return pa.table(columns)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    manifest = packed(tmp_path / "logs.afield")
    bundle = open_bundle(tmp_path / "logs.afield")
    assert bundle.manifest == manifest
    assert bundle.manifest.classes == FACTS["classes"]
    assert bundle.usecase == "question: {kind: classify}\n"
    assert bundle.network == network()
    assert bundle.report == '{"accuracy": 0.5}'
    assert bundle.examples.equals(examples())
    assert bundle.decision == ("classes", Frozen({"classes": ["app", "kernel"], "cut": None}))
    assert [name for name, _ in bundle.steps] == ["text", "scale"]
    for (_, found), (_, expected) in zip(bundle.steps, steps(), strict=True):
        assert found.config == expected.config
        assert found.arrays.keys() == expected.arrays.keys()
        for name, array in expected.arrays.items():
            assert found.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(found.arrays[name], array)


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    packed(tmp_path / "a.afield")
    batched = pa.Table.from_batches(examples().to_batches(max_chunksize=1))
    backwards = Frozen(steps()[0][1].config, dict(reversed(steps()[0][1].arrays.items())))
    packed(tmp_path / "b.afield", examples=batched, steps=[("text", backwards), steps()[1]])
    assert (tmp_path / "a.afield").read_bytes() == (tmp_path / "b.afield").read_bytes()


def test_any_zip_tool_opens_it(tmp_path: Path) -> None:
    packed(tmp_path / "logs.afield")
    with zipfile.ZipFile(tmp_path / "logs.afield") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "manifest.json",
            "usecase.yaml",
            "preprocess/0-text.json",
            "preprocess/0-text.idf.npy",
            "preprocess/0-text.one.npy",
            "preprocess/0-text.words.npy",
            "preprocess/1-scale.json",
            "decision/0-classes.json",
            "examples.arrow",
            "report.json",
            "network.onnx",
        ]
        assert archive.read("network.onnx") == network()


def test_examples_of_windows(tmp_path: Path) -> None:
    packed(tmp_path / "logs.afield", examples=of_windows())
    assert open_bundle(tmp_path / "logs.afield").examples.equals(of_windows())


def test_a_decision_with_arrays(tmp_path: Path) -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    packed(tmp_path / "logs.afield", decision=("nearest", Frozen({"names": ["a"]}, {"references": vectors})))
    kind, found = open_bundle(tmp_path / "logs.afield").decision
    assert (kind, found.config) == ("nearest", {"names": ["a"]})
    np.testing.assert_array_equal(found.arrays["references"], vectors)
    # Steps and decisions are kept apart.
    assert [name for name, _ in open_bundle(tmp_path / "logs.afield").steps] == ["text", "scale"]


def test_order_of_many_steps_is_kept(tmp_path: Path) -> None:
    many = [(f"step_{index}", Frozen({"index": index})) for index in range(12)]
    packed(tmp_path / "logs.afield", steps=many)
    assert open_bundle(tmp_path / "logs.afield").steps == many


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6)[::2],
        np.array([True, False]),
        np.array([b"x", b"yz"]),
        np.arange(3, dtype=">i4"),
    ],
)
def test_arrays_keep_their_values(tmp_path: Path, array: np.ndarray) -> None:
    packed(tmp_path / "logs.afield", steps=[("s", Frozen({}, {"a": array}))])
    found = open_bundle(tmp_path / "logs.afield").steps[0][1].arrays["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"steps": [("s", Frozen({}, {"a": np.array([{}], object)}))]},
            "member 'preprocess/0-s.a.npy' would hold object values; only numbers, truth values and text can",
        ),
        (
            {"steps": [("../s", Frozen({}))]},
            "a step and its arrays are named by letters, digits and _, found '../s'",
        ),
        (
            {"steps": [("s", Frozen({"a": {1}}))]},
            "the config of step 's' is not JSON: Type is not JSON serializable: set",
        ),
        (
            {"examples": examples().slice(0, 0)},
            "examples.arrow holds no rows; at least one example with its answer is needed",
        ),
        (
            {"examples": examples().drop(["_expected"])},
            "examples.arrow: expected a column '_expected' of type string, found nothing",
        ),
        (
            {"examples": examples().set_column(2, "_figure", pa.array([0.5, 0.5]))},
            "examples.arrow: expected a column '_figure' of type float, found double",
        ),
        (
            {"examples": examples().set_column(1, "_expected", pa.array(["app", None]))},
            "examples.arrow: 1 rows have no '_expected'",
        ),
        (
            {"examples": of_windows().set_column(1, "_expected", pa.array([None, None, None], pa.string()))},
            "examples.arrow: 3 rows have no '_expected'",
        ),
        (
            {"examples": of_windows().set_column(2, "_figure", pa.array([None, 0.5, None], pa.float32()))},
            "examples.arrow: 1 rows have no '_figure'",
        ),
        (
            {"decision": ("a/b", Frozen({}))},
            "a step and its arrays are named by letters, digits and _, found 'a/b'",
        ),
        ({"network": b""}, "network.onnx is not an ONNX model: it holds 0 graphs instead of one"),
    ],
)
def test_a_part_that_could_not_be_opened_is_not_packed(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(BundleError) as error:
        packed(tmp_path / "logs.afield", **changes)
    assert str(error.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StateError) as error:
        packed(tmp_path / "none" / "logs.afield")
    assert str(error.value) == f"{tmp_path}/none/logs.afield: cannot be written: No such file or directory"


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bundles import packed
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    packed(Path(sys.argv[2]), version="v2")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_leaves_the_old_bundle_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "logs.afield"
    packed(path)
    before = path.read_bytes()
    command = [sys.executable, "-c", FULL, str(Path(bundles.__file__).parent), str(path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith(f"TransientError {path}: the disk is full; ")
    assert " bytes are needed, " in printed
    assert printed.endswith("; make room and run again\n")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_large_network_is_one_read(tmp_path: Path) -> None:
    large = model()
    large.graph.initializer[0].raw_data = bytes(20_000_000)
    packed(tmp_path / "logs.afield", network=large.SerializeToString())
    assert len(open_bundle(tmp_path / "logs.afield").network) > 20_000_000
