"""The one place where Keras and JAX are set up, before either is imported."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from afield.errors import StateError, UseCaseError


def prepare(device: str = "auto") -> str:
    """Sets Keras to its JAX backend, keeps compiled programs on disk, and picks the device.

    Args:
        device: "auto" takes an accelerator where there is one; "cpu", "gpu" and "tpu" name it.

    Returns:
        What was picked, for the report.

    Raises:
        StateError: the training part is not installed, or Keras already runs on another backend.
        UseCaseError: the named device is not there.
    """
    require()
    import jax

    try:
        found: Any = jax.devices() if device == "auto" else jax.devices(device)
    except RuntimeError:
        there = sorted({d.platform for d in jax.devices()})
        raise UseCaseError(f"train.device: no {device!r} here; expected one of {', '.join(there)}, or auto") from None
    jax.config.update("jax_default_device", found[0])
    return f"{found[0].platform}: {found[0].device_kind}"


def require() -> None:
    """Sets Keras to its JAX backend and keeps compiled programs on disk; the device stays as it is.

    Raises:
        StateError: the training part is not installed, or Keras already runs on another backend.
    """
    backend = os.environ.setdefault("KERAS_BACKEND", "jax")
    if backend != "jax":
        raise StateError(
            f"KERAS_BACKEND is {backend!r}: Afield trains on Keras's JAX backend; unset it or set it to 'jax'"
        )
    try:
        import jax
        import keras
    except ImportError as missing:
        raise StateError(
            f"training needs {missing.name}, which is not installed: run `pip install 'afield[train]'`"
        ) from None
    if keras.backend.backend() != "jax":
        raise StateError(
            f"Keras already runs on {keras.backend.backend()}: import afield first, or set KERAS_BACKEND=jax"
        )
    _cache_programs(jax)


def _cache_programs(jax: Any) -> None:
    if jax.config.jax_compilation_cache_dir:
        return  # a folder of the user's own, or an earlier call
    # A program is made for a number of threads, which its key in the cache does not tell.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    folder = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "afield" / f"jax-{cores}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return  # a home that cannot be written costs compile time, nothing else
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
