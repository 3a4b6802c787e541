"""YAML that is no use case, refused with the place and the reason; and what may be in one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.usecase.document import parse
from afield.usecase.findings import InvalidUseCaseError
from afield.usecase.load import check, load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: expected a use case, with at least 'source', 'preprocess' and 'model'; the file says nothing"),
        ("- a\n", "1:1: expected keys such as 'source:' and 'model:' at the start of lines"),
        ("a: [1\n", "2:1: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        (
            "a: 1\n\tb: 2\n",
            "2:1: not valid YAML: while scanning for the next token, found character '\\t' that cannot start "
            "any token; indent with spaces, not tabs",
        ),
        ("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed here"),
        ("a: 1\nb: \u0007\n", "2:4: a character that YAML does not allow; remove it or write it as an escape"),
        ("name: a\nname: b\n", "2:1: the key 'name' is already on line 1; keep one of the two"),
        (
            "a: &x 1\n<<: {b: 2}\n",
            "2:1: a key must be a plain name; merge keys and keys of several values are not read",
        ),
        ("? [a, b]\n: 1\n", "1:3: a key must be a plain name; merge keys and keys of several values are not read"),
        (
            "a: !!python/object:os.system {}\n",
            "1:4: the tag tag:yaml.org,2002:python/object:os.system is not read; write the value without it",
        ),
        ("a: &x [*x]\n", "1:4: an alias that stands for the value it is in; write the value out"),
        ("[" * 5000, "1:1: nested too deeply for a use case"),
        (
            "a: 1\n---\nb: 2\n",
            "2:1: not valid YAML: expected a single document in the stream, but found another document",
        ),
    ],
)
def test_text_that_is_no_use_case(written: Callable[[str], Path], text: str, expected: str) -> None:
    assert [str(finding) for finding in check(written(text))] == [f"my-logs/usecase.yaml:{expected}"]


def test_aliases_of_aliases_are_refused(written: Callable[[str], Path]) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    (finding,) = check(written("\n".join(lines)))
    assert finding.message == "more than 20000 values once aliases are written out; shorten it"


def test_an_alias_is_read_as_what_it_stands_for(written: Callable[[str], Path]) -> None:
    folder = written(
        "source: {files: {path: &where data}}\npreprocess: [text]\nmodel: {network: [{dense: {}}]}\n"
        "sink: [{jsonl: {path: *where}}]\n"
    )
    assert load(folder).model.sink[0].model_dump() == {"path": "data"}


def test_a_file_that_is_not_utf_8(written: Callable[[str], Path]) -> None:
    folder = written("")
    (folder / "usecase.yaml").write_bytes(b"name: lines\nask: caf\xe9\n")
    assert [str(finding) for finding in check(folder)] == [
        "my-logs/usecase.yaml:2:9: a byte that is not UTF-8; save the file as UTF-8"
    ]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidUseCaseError):
        document = parse(text, "usecase.yaml")
        assert all(place.line and place.column for place in document.values.values())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_read_as_it_is(value: object) -> None:
    assert parse(json.dumps(value), "usecase.yaml").data == value
