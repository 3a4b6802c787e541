"""A running log classifier: file -> answer -> JSON Lines, and one line in process, beside scikit-learn and Keras.

The network is 50,000 words x 512 on real lines of seven kinds. Both read the same file and write one JSON object a
line with prediction, probability and position. Ours is the whole of `afield run --once` (source, preprocessing,
session, sink with fsync, commit) without the start of the process, which `footprint.py` measures; the peer reads the
lines, calls `TfidfVectorizer.transform` and `model.predict` on batches of the size that serves it best, and
`json.dumps` a line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
from corpus import KINDS, lines

VOCABULARY, UNITS, ROUNDS = 50_000, 512, 3
USE_CASE = f"""
source:
  files: {{path: data, label: file_name}}
preprocess:
  - text: {{max_features: {VOCABULARY}}}
model:
  network:
    - dense: {{units: {UNITS}, activation: relu}}
    - dropout: {{rate: 0.3}}
    - dense: {{units: classes, activation: softmax}}
train: {{epochs: 1}}
"""


def use_case(folder: Path, texts: list[str], targets: np.ndarray):
    """A trained use case on these lines, and its latest version."""
    import afield

    (folder / "data").mkdir(parents=True)
    (folder / "usecase.yaml").write_text(USE_CASE)
    for number, kind in enumerate(KINDS):
        own = [text for text, target in zip(texts, targets, strict=True) if target == number]
        (folder / "data" / f"{kind}.log").write_text("\n".join(own) + "\n")
    case = afield.load(folder)
    return case, case.train()


def ours(case, file: Path, count: int) -> dict:
    from afield.runtime.running import run
    from afield.usecase.load import load

    rates = []
    for _ in range(ROUNDS):
        shutil.rmtree(case.folder / "answers", ignore_errors=True)
        (case.folder / ".afield" / "afield.db").rename(case.folder / "kept.db")
        shutil.copy(case.folder / "kept.db", case.folder / ".afield" / "afield.db")
        loaded = load(case.folder, [f"source.files.path={file}"])
        tally = run(loaded, once=True)
        (case.folder / "kept.db").rename(case.folder / ".afield" / "afield.db")
        for rest in (case.folder / ".afield").glob("afield.db-*"):
            rest.unlink()
        assert tally.answered == count
        written = sum(len(f.read_bytes().splitlines()) for f in (case.folder / "answers").glob("*.jsonl"))
        assert written == count
        rates.append(count / tally.seconds)
    return {"lines_a_second": float(np.median(rates)), "rounds": rates}


def one_line(version, texts: list[str]) -> dict:
    import pyarrow as pa

    predictor = version._predictor
    batches = [pa.RecordBatch.from_pydict({"text": pa.array([text])}) for text in texts]
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        answers = predictor.answer(batch)
        answers.prediction[0].as_py(), answers.probability[0].as_py()
        seconds.append(time.perf_counter() - started)
    return {"p50_ms": float(np.percentile(seconds, 50)) * 1e3, "p99_ms": float(np.percentile(seconds, 99)) * 1e3}


def peer(train: list[str], targets: np.ndarray, file: Path, most: int) -> dict:
    import keras
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=VOCABULARY)
    vectorizer.fit(train)
    columns = len(vectorizer.vocabulary_)
    model = keras.Sequential(
        [
            keras.layers.Input((columns,)),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(len(KINDS), activation="softmax"),
        ]
    )
    names = list(KINDS)
    rates = {}
    for batch in (256, 1024, 4096):
        with tempfile.NamedTemporaryFile("w") as out, file.open() as source:
            texts = [line.rstrip("\n") for _, line in zip(range(most), source, strict=False)]
            model.predict(vectorizer.transform(texts[:batch]).toarray().astype(np.float32), batch_size=batch, verbose=0)
            started = time.perf_counter()
            for start in range(0, len(texts), batch):
                rows = vectorizer.transform(texts[start : start + batch]).toarray().astype(np.float32)
                answers = model.predict(rows, batch_size=batch, verbose=0)
                for i, answer in enumerate(answers):
                    best = int(answer.argmax())
                    entry = {"prediction": names[best], "probability": float(answer[best]), "position": start + i}
                    out.write(json.dumps(entry) + "\n")
            rates[batch] = len(texts) / (time.perf_counter() - started)
    best = max(rates, key=rates.get)
    return {"lines_a_second": rates[best], "batch": best, "lines": most, "vocabulary": columns, "by_batch": rates}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--lines", type=int, default=400_000, help="lines to answer")
    arguments.add_argument("--peer-lines", type=int, default=8_192, help="lines that the peer answers")
    given = arguments.parse_args()
    texts, targets = lines(290_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        case, version = use_case(folder / "case", texts[:200_000], targets[:200_000])
        file = folder / "stream.log"
        count = given.lines
        with file.open("w") as out:
            for i in range(count):
                print(texts[i % len(texts)], file=out)
        found = {
            "lines": count,
            "bytes": file.stat().st_size,
            "vocabulary": version.report.vocabulary.size,
            "afield": ours(case, file, count),
            "one_line_in_process": one_line(version, texts[-2_000:]),
            "sklearn_keras": peer(texts[:200_000], targets[:200_000], file, given.peer_lines),
        }
    found["times"] = found["afield"]["lines_a_second"] / found["sklearn_keras"]["lines_a_second"]
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
