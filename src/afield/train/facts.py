"""What a person needs to repeat a training: versions, machine, revision."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from afield import __version__

LIBRARIES = ("jax", "keras", "numpy", "onnx", "pyarrow", "scikit-learn")


def libraries() -> dict[str, str]:
    """Library -> version, of those that decide the result."""
    return {name: version(name) for name in LIBRARIES}


def revision(folder: Path) -> str | None:
    """The git revision of the folder, where it is in a repository."""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def facts(folder: Path, device: str, seed: int, fingerprint: str, seconds: float) -> dict[str, str]:
    """All of it for the report.

    Args:
        folder: the use case.
        device: where it was trained.
        seed: of all randomness.
        fingerprint: of the data.
        seconds: the training took.
    """
    found = {
        "afield": __version__,
        **libraries(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "seed": str(seed),
        "data fingerprint": fingerprint[:16],
        "training seconds": f"{seconds:.1f}",
    }
    at = revision(folder)
    return found | ({"git revision": at} if at else {})
