"""What a site pays: size of the run part, time of `afield --help`, time from nothing to the first answer.

The run part is built as a wheel and installed into an empty environment, with no compiled kernel at hand at first; then
the same with the kernels cached, and with site-packages read-only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
ROUNDS = 7


def size(folder: Path) -> int:
    """Bytes of all files, as `du --apparent-size` counts them."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def timed(command: list[str], environment: dict[str, str], rounds: int = ROUNDS) -> float:
    """Median seconds of a whole process."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("bundle", type=Path, help="a bundle to answer with, such as .afield/versions/v1.afield")
    arguments.add_argument("line", help="a line to answer")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "site"], check=True)
        site = next((folder / "site" / "lib").glob("python*")) / "site-packages"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        before = size(site)
        subprocess.run([*pip, "--python", folder / "site" / "bin" / "python", "install", ROOT], check=True)
        installed = size(site) - before
        python = str(folder / "site" / "bin" / "python")
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
        (folder / "home").mkdir()
        text = folder / "line.log"
        text.write_text(given.line + "\n")
        answer = [python, "-m", "afield", "predict", str(given.bundle.absolute()), str(text)]
        subprocess.run([python, "-m", "compileall", "-q", str(site)], check=False)
        cold = timed(answer, environment, 1)
        found = {
            "installed_megabytes": installed / 1e6,
            "largest": sorted(((p.name, round(size(p) / 1e6)) for p in site.iterdir()), key=lambda p: -p[1])[:10],
            "help_seconds": timed([python, "-m", "afield", "--help"], environment),
            "first_answer_cold_kernels_seconds": cold,
            "first_answer_warm_seconds": timed(answer, environment),
        }
        shutil.rmtree(folder / "home" / ".cache")
        for path in site.rglob("*"):
            path.chmod(path.stat().st_mode & ~0o222)
        found["first_answer_cold_read_only_seconds"] = timed(answer, environment, 1)
        found["first_answer_warm_read_only_seconds"] = timed(answer, environment)
        for path in [site, *site.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
