"""What is read from a use case, and what the command line puts in its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from afield.errors import UseCaseError
from afield.usecase.components import name_of
from afield.usecase.load import load
from afield.usecase.model import UseCase


def test_folder_and_file_are_the_same_use_case(case: Path) -> None:
    by_folder, by_file = load(case), load(case / "usecase.yaml")
    assert by_folder == by_file
    assert by_folder.folder == Path("my-logs")
    assert by_folder.path == Path("my-logs/usecase.yaml")
    assert by_folder.text.startswith("name: lines\n")


def test_components_are_found_by_name(case: Path) -> None:
    model = load(case).model
    assert name_of(model.source) == "files"
    assert model.source.model_dump()["path"] == "data"
    assert [name_of(step) for step in model.preprocess] == ["text"]
    assert model.model.model_dump() == {"layers": [{"dense": {"units": 8}}, {"dense": {"units": 2}}]}


def test_defaults(case: Path) -> None:
    model = load(case).model
    assert [name_of(trigger) for trigger in model.trigger] == ["on_arrival"]
    assert [sink.model_dump() for sink in model.sink] == [{"path": "answers"}]
    assert model.question.kind == "classify"
    assert model.question.min_rows == 2
    assert model.train.epochs == 3
    assert model.train.batch_size == 32
    assert model.train.optimizer == {"adam": {"learning_rate": 0.0005}}
    assert model.train.learning_rate_schedule is None
    assert model.train.early_stopping is None
    assert model.train.class_weight == "none"
    assert (model.train.split.test, model.train.split.validation, model.train.split.by) == (0.25, 0.1, "random")


def test_the_name_is_the_folders_where_none_is_given(written: Callable[[str], Path], case: Path) -> None:
    assert load(case).name == "lines"
    text = (case / "usecase.yaml").read_text().replace("name: lines\n", "")
    assert load(written(text)).name == "my-logs"


def test_what_is_dumped_can_be_read_again(case: Path) -> None:
    model = load(case).model
    assert UseCase.model_validate(model.model_dump(mode="json")) == model
    assert model.model_dump(mode="json", exclude_unset=True)["source"] == {
        "files": {"path": "data", "label": {"origin": "file_name"}}
    }


@pytest.mark.parametrize("written_as", ["text", "text:", "{text: {}}"])
def test_a_component_without_arguments(written: Callable[[str], Path], case: Path, written_as: str) -> None:
    text = (case / "usecase.yaml").read_text().replace("text: {min_df: 2, mask: [number]}", written_as)
    assert load(written(text)).model.preprocess[0].model_dump()["min_df"] == 1


def test_warnings_do_not_stop(written: Callable[[str], Path], case: Path) -> None:
    loaded = load(written((case / "usecase.yaml").read_text().replace("units: 8", "units: 1")))
    assert [str(warning) for warning in loaded.warnings] == [
        "my-logs/usecase.yaml:8:22: warning: model.network.0.dense.units: one unit is few"
    ]


def test_a_key_may_look_like_a_number(case: Path) -> None:
    weights = load(case, ["train.class_weight={404: 2, null: 3, 1e3: 4}"]).model.train.class_weight
    assert weights == {"404": 2, "null": 3, "1e3": 4}


def test_overrides(case: Path) -> None:
    model = load(
        case,
        [
            "train.epochs=10",
            "train.split={test: 0.5}",
            "train.split.validation=0.2",
            "preprocess.0.text.min_df=3",
            "preprocess.text.column=Content",
            "model.network.1.dense.units=5",
            "sink=[parquet]",
            "sink.parquet.path=out",
            "trigger=[on_arrival]",
        ],
    ).model
    assert model.train.epochs == 10
    assert (model.train.split.test, model.train.split.validation) == (0.5, 0.2)
    assert model.preprocess[0].model_dump() == {"min_df": 3, "mask": ("number",), "column": "Content"}
    assert model.model.model_dump()["layers"][1] == {"dense": {"units": 5}}
    assert [sink.model_dump() for sink in model.sink] == [{"path": "out"}]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epochs", "--set train.epochs: expected KEY=VALUE, such as --set train.epochs=10"),
        ("=3", "--set =3: expected KEY=VALUE, such as --set train.epochs=10"),
        ("train..epochs=3", "--set train..epochs=3: expected KEY=VALUE, such as --set train.epochs=10"),
        (
            "train.epochs=ten",
            "--set train.epochs=ten: train.epochs: expected a whole number of at least 1, found the text 'ten'",
        ),
        ("train.epocs=3", "--set train.epocs=3: train.epocs: unknown key; did you mean 'epochs'?"),
        (
            "train.epochs.x=3",
            "--set train.epochs.x=3: train.epochs is 3, which has no 'x' in it; set it as a whole",
        ),
        (
            "preprocess.1.text=x",
            "--set preprocess.1.text=x: preprocess has 1 items, counted from 0; there is no 1",
        ),
        (
            "preprocess.tex.min_df=3",
            "--set preprocess.tex.min_df=3: preprocess has no item 'tex'; name one of its 1 items",
        ),
        (
            "train=[1",
            "--set train=[1: not valid YAML: while parsing a flow sequence, expected ',' or ']', "
            "but got '<stream end>'",
        ),
        (
            "train.split.test=2",
            "--set train.split.test=2: train.split.test: expected a number above 0 and below 1, found 2",
        ),
    ],
)
def test_a_wrong_override(case: Path, override: str, expected: str) -> None:
    with pytest.raises(UseCaseError) as raised:
        load(case, [override])
    assert str(raised.value) == expected


def test_checking_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    program = (
        "import sys\n"
        "from afield.gallery.copying import start\n"
        "from afield.usecase.load import check\n"
        f"start('logs', __import__('pathlib').Path({str(tmp_path / 'case')!r}), data={str(tmp_path / 'data')!r})\n"
        f"print(check({str(tmp_path / 'case')!r}))\n"
        "heavy = {'keras', 'jax', 'numba', 'sklearn', 'onnxruntime', 'plotly', 'torch', 'tensorflow'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout.splitlines(), ran.stderr) == (["[]", "[]"], "")
