"""The writer of the gallery: a text of its own, the same for the same seed, and a use case that reads it."""

from __future__ import annotations

from pathlib import Path

from afield.gallery.copying import start
from afield.gallery.writer.simulator import simulate
from afield.usecase.load import check, load


def test_the_same_seed_writes_the_same_text(tmp_path: Path) -> None:
    made = [simulate(tmp_path / str(place), seed=seed, characters=3_000) for place, seed in enumerate((0, 0, 1))]
    texts = [one.files[0].read_text() for one in made]
    assert texts[0] == texts[1] != texts[2]
    assert 3_000 <= len(texts[0]) < 4_000
    assert made[0].note == f"a simulated text of {len(texts[0]):,} characters"
    assert not set(texts[0]) & set("{}")
    assert all(line[0].isupper() or line[0] == '"' for line in texts[0].splitlines())


def test_the_use_case_is_sound(tmp_path: Path) -> None:
    started = start("writer", tmp_path / "my-writer")
    assert check(started.file) == []
    loaded = load(started.file)
    assert loaded.model.question.kind == "write"
    assert loaded.model.train.split.by == "time"
