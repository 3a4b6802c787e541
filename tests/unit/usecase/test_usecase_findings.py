"""Every form of finding, word for word, at its line and column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afield.errors import UseCaseError
from afield.usecase.load import check, load

Found = Callable[..., list[str]]


def test_a_valid_use_case_has_no_findings(found: Found) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs: 3", "epocs: 3", "11:3: train.epocs: unknown key; did you mean 'epochs'?"),
        ("train:", "trian:", "10:1: trian: unknown key; did you mean 'train'?"),
        (
            "  epochs: 3",
            "  colour: 3",
            "11:3: train.colour: unknown key; expected 'split', 'batch_size', 'epochs', 'loss', 'metrics', "
            "'standardize_target', 'optimizer', 'learning_rate_schedule', 'early_stopping', 'class_weight', 'exact', "
            "'seed', 'precision', 'device' or 'baseline_rows'",
        ),
        ("train:\n  epochs", "epochs", "10:1: epochs: unknown key; it stands under 'train'"),
        ("files:", "fles:", "3:3: source.fles: unknown source; did you mean 'files'?"),
        ("files:", "kafka:", "3:3: source.kafka: unknown source; expected 'files'"),
        ("- text:", "- txt:", "5:5: preprocess.0.txt: unknown step; did you mean 'text'?"),
        (
            "epochs: 3",
            "epochs: ten",
            "11:11: train.epochs: expected a whole number of at least 1, found the text 'ten'",
        ),
        ("epochs: 3", "epochs: 0", "11:11: train.epochs: expected a whole number of at least 1, found 0"),
        ("epochs: 3", "epochs: true", "11:11: train.epochs: expected a whole number of at least 1, found true"),
        ("epochs: 3", "epochs: 1.5", "11:11: train.epochs: expected a whole number of at least 1, found 1.5"),
        ("epochs: 3", "epochs:", "11:3: train.epochs: expected a whole number of at least 1, found nothing"),
        ("epochs: 3", "epochs: [3]", "11:3: train.epochs: expected a whole number of at least 1, found a list"),
        (
            "epochs: 3",
            "seed: -1",
            "11:9: train.seed: expected a whole number of at least 0 and below 4294967296, found -1",
        ),
        ("epochs: 3", "exact: 1", "11:10: train.exact: expected true or false, found 1"),
        ("epochs: 3", "device: tpu", "11:11: train.device: expected 'auto', 'cpu' or 'gpu', found the text 'tpu'"),
        (
            "epochs: 3",
            "split: {test: .nan}",
            "11:17: train.split.test: expected a number above 0 and below 1, found nan",
        ),
        ("epochs: 3", "split: 0.3", "11:10: train.split: expected a mapping, found 0.3"),
        (
            "epochs: 3",
            "class_weight: 3",
            "11:17: train.class_weight: expected 'none', 'balanced' or a mapping from names to a number above "
            "0, found 3",
        ),
        (
            "epochs: 3",
            "class_weight: {a: 1, b: x}",
            "11:27: train.class_weight.b: expected a number above 0, found the text 'x'",
        ),
        ("epochs: 3", "optimizer: {adm: {}}", "11:15: train.optimizer.adm: unknown optimizer; did you mean 'adam'?"),
        (
            "epochs: 3",
            "optimizer: {adam: {lerning_rate: 1}}",
            "11:22: train.optimizer.adam.lerning_rate: unknown key; did you mean 'learning_rate'?",
        ),
        (
            "epochs: 3",
            "optimizer: {adam: {learning_rate: 0}}",
            "11:37: train.optimizer.adam.learning_rate: expected a number above 0, found 0",
        ),
        (
            "epochs: 3",
            "optimizer: {adam: {}, sgd: {}}",
            "11:3: train.optimizer: expected one optimizer, found 2: 'adam', 'sgd'",
        ),
        ("{path: data, label: file_name}", "{}", "3:3: source.files.path: missing; expected text"),
        (
            "{path: data, label: file_name}",
            "{paht: data}",
            "3:11: source.files.paht: unknown key; did you mean 'path'?",
        ),
        (
            "label: file_name",
            "label: filename",
            "3:30: source.files.label: expected 'file_name' or 'folder', found the text 'filename'",
        ),
        (
            "label: file_name",
            "label: {merged: true}",
            "3:23: source.files.label.origin: missing; expected 'file_name' or 'folder'",
        ),
        (
            "source:\n  files: {path: data, label: file_name}\n",
            "",
            "1:1: source: missing; expected one source ('files')",
        ),
        (
            "source:\n  files: {path: data, label: file_name}",
            "source: 3",
            "2:9: source: expected one source ('files'), found 3",
        ),
        (
            "files: {path: data, label: file_name}",
            "{}",
            "2:1: source: expected one source, found none; there are 'files'",
        ),
        (
            "preprocess:\n  - text: {min_df: 2, mask: [number]}",
            "preprocess: []",
            "4:1: preprocess: expected a list of at least 1, each item one step ('text'), found an empty list",
        ),
        (
            "  - text: {min_df: 2, mask: [number]}",
            "  - text\n  - text: {min_df: 0}",
            "6:20: preprocess.1.text.min_df: expected a whole number of at least 1, found 0",
        ),
        (
            "mask: [number]",
            "mask: [number, ip]",
            "5:38: preprocess.0.text.mask.1: expected 'number' or 'hex', found the text 'ip'",
        ),
        ("min_df: 2", "column: a b", "5:20: preprocess.0.text.column: a column's name has no blank, found 'a b'"),
        ("units: 2", "units: 0", "9:22: model.network.1.dense.units: expected at least 1, found 0"),
        ("units: 2", "units: 1", "9:22: warning: model.network.1.dense.units: one unit is few"),
        (
            "train:",
            "trigger: on_arrival\ntrain:",
            "10:10: trigger: expected a list of at least 1, each item one trigger ('on_arrival'), found the "
            "text 'on_arrival'",
        ),
        (
            "train:",
            "trigger: [on_arival]\ntrain:",
            "10:11: trigger.0.on_arival: unknown trigger; did you mean 'on_arrival'?",
        ),
        (
            "name: lines",
            "name: my lines",
            "1:7: name: expected text of the form ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$, such as 'my-logs', found "
            "the text 'my lines'",
        ),
        (
            "name: lines",
            "question: {kind: regres}",
            "1:18: question.kind: expected 'classify', 'tag', 'regress', 'abnormal', 'group' or 'write', found the "
            "text 'regres'",
        ),
        (
            "name: lines",
            "question: {cut: 1}",
            "1:17: question.cut: expected 'half', 'best_f1' or a number above 0 and below 1, found 1",
        ),
        (
            "name: lines",
            "question: {alarms: 0}",
            "1:20: question.alarms: expected a number above 0 and below 1, found 0",
        ),
        (
            "name: lines",
            "question: {separator: ''}",
            "1:23: question.separator: expected text, found the text ''",
        ),
        (
            "name: lines",
            "question: {min_rows: 1}",
            "1:22: question.min_rows: expected a whole number of at least 2, found 1",
        ),
        (
            "name: lines",
            "monitor: {}",
            "1:1: monitor: unknown key; expected 'name', 'question', 'source', 'preprocess', 'model', 'models', "
            "'train', 'trigger', 'max_refused' or 'sink'",
        ),
        (
            "epochs: 3",
            "split: {by: group}",
            "11:15: train.split.by: `by: group` needs `group: masked_text` or `group:` with a column's name",
        ),
        (
            "epochs: 3",
            "split: {group: masked_text}",
            "11:18: train.split.group: has no effect with `by: random`; write `by: group` or remove it",
        ),
        (
            "epochs: 3",
            "split: {by: file}",
            "11:15: train.split.by: `by: file` needs `test_files:` with a glob such as `*-test.csv`",
        ),
        (
            "epochs: 3",
            "split: {test_files: '*-test.csv'}",
            "11:23: train.split.test_files: has no effect with `by: random`; write `by: file` or remove it",
        ),
        (
            "epochs: 3",
            "metrics: [auc, acuracy]",
            "11:18: train.metrics.1: expected 'accuracy', 'auc', 'mean_absolute_error', 'mean_squared_error' or 'r2', "
            "found the text 'acuracy'",
        ),
        (
            "epochs: 3",
            "loss: mae",
            "11:9: train.loss: expected 'auto', 'cross_entropy', 'mean_squared_error', 'mean_absolute_error' or "
            "'huber', found the text 'mae'",
        ),
        (
            "epochs: 3",
            "early_stopping: {monitor: loss}",
            "11:29: train.early_stopping.monitor: expected text of the form ^validation_[a-z0-9_]+$, such as "
            "'validation_accuracy', found the text 'loss'",
        ),
        (
            "train:",
            "models: {forest: {netwrk: []}}\ntrain:",
            "10:19: models.forest.netwrk: unknown model; did you mean 'network'?",
        ),
        (
            "train:",
            "models: {my forest: {network: []}}\ntrain:",
            "10:10: models.my forest: expected a name of the form ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$; choose another",
        ),
        (
            "train:",
            "models: {small: {network: [{dense: {units: 0}}]}}\ntrain:",
            "10:44: models.small.network.0.dense.units: expected at least 1, found 0",
        ),
        (
            "train:",
            "models: [network]\ntrain:",
            "10:1: models: expected a mapping from names to one model ('network'), found a list",
        ),
        (
            "- dense: {units: 2}",
            "- dense: {units: 3}",
            "9:22: model.network.1.dense.units: three units suit no 'classify'",
        ),
        (
            "train:",
            "models: {odd: {network: [{dense: {units: 3}}]}}\ntrain:",
            "10:42: models.odd.network.0.dense.units: three units suit no 'classify'",
        ),
        (
            "epochs: 3",
            "split: {time: when}",
            "11:17: train.split.time: has no effect with `by: random`; write `by: time` or remove it",
        ),
        (
            "min_df: 2",
            "min_df: true",
            "5:20: preprocess.0.text.min_df: expected a whole number of at least 1, found true",
        ),
        (
            "epochs: 3",
            "early_stopping: {patience: 2}\n  split: {validation: 0}",
            "11:3: train.early_stopping: watches the validation part, and train.split.validation is 0; "
            "give it a share such as 0.1",
        ),
        (
            "epochs: 3",
            "learning_rate_schedule: reduce_on_plateau\n  split: {validation: 0}",
            "11:27: train.learning_rate_schedule: watches the validation part, and train.split.validation is 0; "
            "give it a share such as 0.1",
        ),
        (
            "epochs: 3",
            "split: {test: 0.6, validation: 0.4}",
            "11:3: train.split: test and validation leave nothing to train on: 0.6 + 0.4 >= 1",
        ),
    ],
)
def test_one_finding(found: Found, old: str, new: str, expected: str) -> None:
    assert found(old, new) == [expected]


def test_a_misspelt_key_hides_no_other_finding(found: Found) -> None:
    assert found("epochs: 3", "epochs: 0\n  epocs: 3") == [
        "11:11: train.epochs: expected a whole number of at least 1, found 0",
        "12:3: train.epocs: unknown key; did you mean 'epochs'?",
    ]


def test_all_findings_at_once_in_the_order_of_the_file(found: Found) -> None:
    assert found("train:\n  epochs: 3", "trian: {}\ntrain:\n  epochs: 0\n  sed: 1") == [
        "10:1: trian: unknown key; did you mean 'train'?",
        "12:11: train.epochs: expected a whole number of at least 1, found 0",
        "13:3: train.sed: unknown key; did you mean 'seed'?",
    ]


def test_a_file_too_large(written: Callable[[str], Path]) -> None:
    with pytest.raises(UseCaseError) as raised:
        check(written("#" * 300_000))
    assert str(raised.value) == (
        "my-logs/usecase.yaml: 300000 bytes is too large for a use case, at most 262144; is it another file?"
    )


def test_no_folder(fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UseCaseError) as raised:
        check("nowhere")
    assert str(raised.value) == "nowhere: no such folder or file; `afield new logs nowhere` makes a use case there"


def test_a_folder_without_a_use_case(fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(UseCaseError) as raised:
        check("empty")
    assert str(raised.value) == (
        "empty: no usecase.yaml in this folder; `afield new logs NEW_FOLDER` makes one to start from"
    )


def test_the_error_lists_every_finding(written: Callable[[str], Path]) -> None:
    with pytest.raises(UseCaseError) as raised:
        load(written("source: 1\n"))
    assert str(raised.value).splitlines() == [
        "3 problems:",
        "  my-logs/usecase.yaml:1:1: preprocess: missing; expected a list of at least 1, each item one step ('text')",
        "  my-logs/usecase.yaml:1:1: model: missing; expected one model ('network')",
        "  my-logs/usecase.yaml:1:9: source: expected one source ('files'), found 1",
    ]


def test_a_folder_whose_name_is_no_name(written: Callable[[str], Path], tmp_path: Path) -> None:
    folder = written("source: {files: {path: data}}\npreprocess: [text]\nmodel: {network: [{dense: {}}]}\n")
    folder.rename("my logs")
    assert [str(finding) for finding in check("my logs")] == [
        "my logs/usecase.yaml:1:1: name: the folder's name 'my logs' cannot name a use case; "
        "add a name of letters, digits, '_', '.' and '-'"
    ]
