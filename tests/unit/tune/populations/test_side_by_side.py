"""Programs of populations run side by side, each on a processor of its own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os
from afield.train.backend import prepare
print(prepare("cpu", side_by_side=True).split(":")[0])
import jax
print(jax.config.jax_compilation_cache_dir.rpartition("-")[2])
print(os.environ.get("NPROC"))
prepare("cpu")
print(jax.config.jax_compilation_cache_dir.rpartition("-")[2])
"""


def test_their_programs_are_kept_apart_from_those_with_more_threads() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["cpu", "1", "None", "1"]
