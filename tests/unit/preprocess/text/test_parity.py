"""The rows equal scikit-learn's, on arbitrary Unicode and on real logs."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from afield.errors import DataError
from afield.preprocess.rows import SparseRows
from afield.preprocess.text import step
from afield.preprocess.text.spec import Text
from afield.preprocess.text.step import UNICODE_VERSION, vocabulary

SAME_UNICODE = unicodedata.unidata_version == UNICODE_VERSION
SYSTEMS = [
    "Android", "Apache", "BGL", "HDFS", "HPC", "Hadoop", "HealthApp", "Linux", "Mac", "OpenSSH", "OpenStack",
    "Proxifier", "Spark", "Thunderbird", "Windows", "Zookeeper",
]  # fmt: skip

WORDS = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]

any_text = st.text(st.characters(codec="utf-8", max_codepoint=0x10FFFF if SAME_UNICODE else 0x4FF), max_size=60)
wordy = st.text("abAB12_ .,-:'\tİΣσςÀéßаЯ中文\u0345\u00ad\u2019\u3000", max_size=40)
texts = st.lists(any_text | wordy, min_size=1, max_size=12)


def matrix(rows: SparseRows) -> sp.csr_matrix:
    assert rows.indptr.dtype == np.int64
    assert rows.ids.dtype == np.int32
    assert rows.weights.dtype == np.float32
    return sp.csr_matrix((rows.weights, rows.ids, rows.indptr), shape=(len(rows), rows.width))


def compare(train: list[str], test: list[str], declared: Text, **settings: Any) -> None:
    step = declared.open()
    batch = pa.record_batch({"text": train})
    try:
        peer = TfidfVectorizer(**settings).fit(train)
    except ValueError:
        with pytest.raises(DataError, match=r"expected (text with )?terms"):
            step.freeze(step.observe(None, batch))
        return
    frozen = step.freeze(step.observe(None, batch))
    assert vocabulary(frozen).to_pylist() == peer.get_feature_names_out().tolist()
    for lines in (train, test):
        reduced = step.reduce(frozen, pa.record_batch({"text": lines}))
        ours = matrix(reduced.rows)
        theirs = peer.transform(lines)
        theirs.sort_indices()
        assert np.array_equal(ours.indptr, theirs.indptr)
        assert np.array_equal(ours.indices, theirs.indices)
        assert np.allclose(ours.data, theirs.data, rtol=1e-6, atol=1e-6)
        analyse = peer.build_analyzer()
        terms = [analyse(line) for line in lines]
        assert reduced.terms.tolist() == [len(found) for found in terms]
        known = peer.vocabulary_
        assert reduced.unknown.tolist() == [sum(term not in known for term in found) for found in terms]


@given(texts, texts)
@example(["ΑΣ", "ΑΣ'", "ΑΣ'Α", "Σ", "'Σ", "ͅΣ", "ᾼΣ", "ΣΣ ΣΣΣ"], ["İstanbul İİ", "I İ ı"])
@example(["a" * 16, "a" * 17, "a" * 24, "a" * 25, "a" * 64, "b" * 63 + " c" * 70], ["a" * 18, "aa " * 700])
@settings(deadline=None, max_examples=300)
def test_words_equal_scikit_learn(train: list[str], test: list[str]) -> None:
    compare(train, test, Text())


@given(texts, texts, st.integers(1, 3), st.integers(0, 2), st.booleans())
@settings(deadline=None, max_examples=150)
def test_word_ngrams_equal_scikit_learn(
    train: list[str], test: list[str], shortest: int, more: int, lowercase: bool
) -> None:
    ngrams = (shortest, shortest + more)
    compare(train, test, Text(ngrams=ngrams, lowercase=lowercase), ngram_range=ngrams, lowercase=lowercase)


@given(texts, texts, st.integers(1, 3), st.integers(0, 3), st.booleans())
@example(["a \t b\n\nc", " \t", "\t", "a\x00b", "a\x00\x00"], ["  ", "\u2003 x"], 1, 2, True)
@settings(deadline=None, max_examples=150)
def test_character_ngrams_equal_scikit_learn(
    train: list[str], test: list[str], shortest: int, more: int, lowercase: bool
) -> None:
    ngrams = (shortest, shortest + more)
    declared = Text(tokens="characters", ngrams=ngrams, lowercase=lowercase)
    compare(train, test, declared, analyzer="char", ngram_range=ngrams, lowercase=lowercase)


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=3),
    st.sampled_from([1, 2, 0.1, 0.3, 0.0]),
    st.sampled_from([1.0, 0.6, 5, 0.9]),
    st.sampled_from(["l1", "l2", None]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_weights_equal_scikit_learn(
    train: list[str],
    min_df: float,
    max_df: float,
    norm: str | None,
    sublinear_tf: bool,
    use_idf: bool,
    smooth_idf: bool,
) -> None:
    shared: dict[str, Any] = {
        "min_df": min_df,
        "max_df": max_df,
        "sublinear_tf": sublinear_tf,
        "use_idf": use_idf,
        "smooth_idf": smooth_idf,
    }
    compare(train, train, Text(norm=norm or "none", **shared), norm=norm, **shared)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 9])
def test_the_most_frequent_terms_are_kept_as_in_scikit_learn(limit: int) -> None:
    train = [" ".join(["aa"] * 3), "bb bb", "cc cc cc cc", "dd", "ee ee ee ee ee"]
    compare(train, train, Text(max_features=limit), max_features=limit)


def test_of_equally_frequent_terms_the_first_by_code_point_are_kept() -> None:
    step = Text(max_features=2).open()
    frozen = step.freeze(step.observe(None, pa.record_batch({"text": ["dd cc bb aa"]})))
    assert vocabulary(frozen).to_pylist() == ["aa", "bb"]


def test_the_tables_are_of_the_version_that_is_named() -> None:
    path = Path(step.__file__).with_name("unicode.npz")
    with np.load(path) as tables:
        assert ".".join(map(str, tables["version"])) == UNICODE_VERSION


@pytest.mark.skipif(not SAME_UNICODE, reason="this Python follows another Unicode version than the tables")
@pytest.mark.parametrize("lowercase", [True, False])
def test_every_code_point_is_read_as_python_reads_it(lowercase: bool) -> None:
    lines = [f"a{chr(code)}b{chr(code)}" for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    step = Text(lowercase=lowercase).open()
    frozen = step.freeze(step.observe(None, pa.record_batch({"text": lines})))
    word = re.compile(r"(?u)\b\w\w+\b")
    expected = {found for line in lines for found in word.findall(line.lower() if lowercase else line)}
    assert vocabulary(frozen).to_pylist() == sorted(expected)


@pytest.mark.parametrize("system", SYSTEMS)
def test_real_logs_equal_scikit_learn(data: Path, system: str) -> None:
    path = data / "loghub_2k" / system / f"{system}_2k.log"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    compare(lines[::2], lines, Text())
    compare(lines[::8], lines[1::4], Text(ngrams=(1, 2), min_df=2, sublinear_tf=True), ngram_range=(1, 2), min_df=2,
            sublinear_tf=True)  # fmt: skip


def test_long_records_equal_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    words = [f"word{number}" for number in range(3000)]
    lines = [" ".join(rng.choice(words, size)) for size in (1, 511, 512, 513, 2000, 100_000, 0)]
    compare(lines[:4], lines, Text())
    compare(lines, lines[::-1], Text(sublinear_tf=True), sublinear_tf=True)
