"""`afield train` as a whole process on a small table, from its start to the end of its first epoch."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

TABLE = "titanic"
"""A use case of the gallery with some hundred rows."""


def whole_process(rounds: int) -> dict:
    """Measures it with the cache of compiled programs warm, and the import of Keras on JAX apart.

    Args:
        rounds: processes, after the one that fills the cache.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        environment = os.environ | {"KERAS_BACKEND": "jax", "XDG_CACHE_HOME": str(folder / "cache")}
        afield = [sys.executable, "-m", "afield"]
        subprocess.run([*afield, "new", TABLE, folder / "case"], env=environment, check=True, stdout=subprocess.DEVNULL)
        train = [*afield, "train", str(folder / "case"), "--fresh"]
        cold, *warm = (_to_first_epoch(train, environment) for _ in range(rounds + 1))
        imports = [_seconds([sys.executable, "-c", "import keras"], environment) for _ in range(rounds)]
    return {
        "use_case": TABLE,
        "seconds_to_first_epoch": median(first for first, _ in warm),
        "seconds_in_all": median(last for _, last in warm),
        "rounds": [first for first, _ in warm],
        "seconds_to_first_epoch_cold": cold[0],
        "seconds_importing_keras_and_jax": median(imports),
    }


def _to_first_epoch(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds to the line of the first epoch, and to the end."""
    started = time.perf_counter()
    first = None
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if first is None and line.startswith("epoch 1:"):
                first = time.perf_counter() - started
    if process.returncode or first is None:
        raise SystemExit("afield train failed: " + "".join(said[-5:]))
    return first, time.perf_counter() - started


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True)
    return time.perf_counter() - started
