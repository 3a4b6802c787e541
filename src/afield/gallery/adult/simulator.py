"""Simulates census records with the columns and the oddities of the UCI set "Adult"."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from afield.gallery.simulated import Simulated

_EDUCATION: Final = {
    "9th": (5, 0.05),
    "11th": (7, 0.06),
    "HS-grad": (9, 0.35),
    "Some-college": (10, 0.24),
    "Assoc-voc": (11, 0.07),
    "Bachelors": (13, 0.16),
    "Masters": (14, 0.05),
    "Doctorate": (16, 0.02),
}
"""Education -> its years, and how many in a hundred have it."""

_OCCUPATION: Final = {
    "Exec-managerial": 1.0,
    "Prof-specialty": 0.8,
    "Tech-support": 0.4,
    "Sales": 0.2,
    "Craft-repair": 0.1,
    "Adm-clerical": -0.2,
    "Machine-op-inspct": -0.4,
    "Other-service": -1.2,
    "Handlers-cleaners": -1.0,
    "?": -0.6,
}
"""Occupation -> how much more it pays."""

_WORK: Final = ("Private", "Private", "Private", "Self-emp-not-inc", "Local-gov", "State-gov", "?")
_SINGLE: Final = ("Never-married", "Divorced", "Widowed", "Separated")
_COUNTRY: Final = ("United-States",) * 9 + ("Mexico", "Philippines", "Germany", "?")
_RACE: Final = ("White",) * 8 + ("Black", "Asian-Pac-Islander")


def simulate(folder: Path, *, seed: int, training: int = 6000, test: int = 2000) -> Simulated:
    """Writes `adult-train.csv` and `adult-test.csv`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        training: records to train on.
        test: records to test on; their classes end in a point.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files: list[Path] = []
    for name, number, end in (("adult-train.csv", training, ""), ("adult-test.csv", test, ".")):
        lines = [", ".join(_record(rng)) + end for _ in range(number)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        files.append(folder / name)
    return Simulated(f"{training:,} simulated records to train and {test:,} to test", files=tuple(files))


def _record(rng: np.random.Generator) -> list[str]:
    age = int(np.clip(17 + rng.gamma(2.2, 10), 17, 90))
    education = str(rng.choice(list(_EDUCATION), p=[share for _, share in _EDUCATION.values()]))
    years = _EDUCATION[education][0]
    occupation = str(rng.choice(list(_OCCUPATION)))
    male = rng.random() < 0.67
    married = rng.random() < 1 / (1 + np.exp(-(age - 33) / 6))
    hours = int(np.clip(rng.normal(41, 11), 1, 99))
    gain = int(np.exp(rng.normal(8.6, 0.9))) if rng.random() < 0.06 + 0.008 * max(years - 9, 0) else 0
    loss = int(rng.normal(1900, 200)) if rng.random() < 0.045 else 0
    worth = (
        -4.2
        + 1.9 * married
        + 0.32 * (years - 9)
        + 0.9 * _OCCUPATION[occupation]
        + 0.03 * (hours - 40)
        + 1.1 * np.tanh((age - 36) / 12)
        + 4.0 * (gain > 6000)
        + 0.8 * (loss > 1800)
        + rng.logistic(0, 0.7)
    )
    relationship = ("Husband" if male else "Wife") if married else str(rng.choice(["Not-in-family", "Unmarried"]))
    return [
        str(age),
        str(rng.choice(_WORK)),
        str(int(np.exp(rng.normal(12, 0.5)))),
        education,
        str(years),
        "Married-civ-spouse" if married else str(rng.choice(_SINGLE)),
        occupation,
        relationship,
        str(rng.choice(_RACE)),
        "Male" if male else "Female",
        str(gain),
        str(loss),
        str(hours),
        str(rng.choice(_COUNTRY)),
        ">50K" if worth > 0 else "<=50K",
    ]
