"""Simulates a ship's passengers with the columns of seaborn's table `titanic`, missing values among them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from afield.gallery.simulated import Simulated

_CLASSES: Final = ("First", "Second", "Third")
_TOWNS: Final = {"S": "Southampton", "C": "Cherbourg", "Q": "Queenstown"}


def simulate(folder: Path, *, seed: int, passengers: int = 900) -> Simulated:
    """Writes `titanic.csv`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        passengers: how many.
    """
    rng = np.random.default_rng(seed)
    travels = rng.choice(3, size=passengers, p=[0.24, 0.21, 0.55])
    female = rng.random(passengers) < 0.36
    age = np.maximum(np.round(rng.normal(38 - 6 * travels, 13), 0), 0.5)
    siblings = rng.choice(5, size=passengers, p=[0.68, 0.23, 0.05, 0.02, 0.02])
    parents = rng.choice(4, size=passengers, p=[0.76, 0.13, 0.09, 0.02])
    odds = -0.4 + 2.6 * female - 0.95 * travels + 1.4 * (age < 12) - 0.02 * (age - 30) - 0.3 * siblings + 0.6
    survived = rng.random(passengers) < 1 / (1 + np.exp(-odds))
    port = rng.choice(list(_TOWNS), size=passengers, p=[0.72, 0.19, 0.09])
    columns = {
        "survived": survived.astype(int),
        "pclass": travels + 1,
        "sex": np.where(female, "female", "male"),
        "age": pa.array(age, mask=rng.random(passengers) < 0.2),
        "sibsp": siblings,
        "parch": parents,
        "fare": np.round(np.exp(rng.normal(4.0 - 0.8 * travels, 0.5)) * (1 + 0.4 * (siblings + parents)), 4),
        "embarked": port,
        "class": [_CLASSES[place] for place in travels],
        "who": np.where(age < 16, "child", np.where(female, "woman", "man")),
        "adult_male": np.where(~female & (age >= 16), "True", "False"),
        "deck": pa.array(
            rng.choice(list("ABCDE"), size=passengers), mask=rng.random(passengers) < 0.1 + 0.42 * travels
        ),
        "embark_town": [_TOWNS[letter] for letter in port],
        "alive": np.where(survived, "yes", "no"),
        "alone": np.where(siblings + parents == 0, "True", "False"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "titanic.csv"
    pacsv.write_csv(pa.table(columns), file, pacsv.WriteOptions(quoting_style="none"))
    return Simulated(f"{passengers:,} simulated passengers, {int(survived.sum())} of whom survive", files=(file,))
