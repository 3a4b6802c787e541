"""The one place where Keras and JAX are set up, before either is imported."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from afield.errors import StateError, UseCaseError


def prepare(device: str = "auto", *, side_by_side: bool = False) -> str:
    """Sets Keras to its JAX backend, keeps compiled programs on disk, and picks the device.

    Args:
        device: "auto" takes an accelerator where there is one; "cpu", "gpu" and "tpu" name it.
        side_by_side: on the CPU, each program has one processor to itself, and as many run at a time as there are
            processors: for populations of small networks. No effect once the process has run a program.

    Returns:
        What was picked, for the report.

    Raises:
        StateError: the training part is not installed, or Keras already runs on another backend.
        UseCaseError: the named device is not there.
    """
    require(threads=1 if side_by_side else None)
    import jax

    try:
        found: Any = jax.devices() if device == "auto" else jax.devices(device)
    except RuntimeError:
        there = sorted({d.platform for d in jax.devices()})
        raise UseCaseError(f"train.device: no {device!r} here; expected one of {', '.join(there)}, or auto") from None
    jax.config.update("jax_default_device", found[0])
    return f"{found[0].platform}: {found[0].device_kind}"


def require(threads: int | None = None) -> None:
    """Sets Keras to its JAX backend and keeps compiled programs on disk; the device stays as it is.

    Args:
        threads: of a program on the CPU; None takes one a processor.

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
    if threads is None or _started():
        _cache_programs(jax, processors())
    else:
        _start(jax, threads)
        _cache_programs(jax, threads)


def processors() -> int:
    """Processors that this process may use; fewer where OMP_NUM_THREADS says so, as schedulers set it."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(told)) if told.isdigit() and int(told) else there


def _started() -> bool:
    from jax._src import xla_bridge  # no public name tells

    return xla_bridge.backends_are_initialized()


def _start(jax: Any, threads: int) -> None:
    # XLA divides a program among its threads, which costs a small step a third of its time; it asks this variable how
    # many to make, once. Without the dispatch to them, programs that are called in several threads run in these.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    before = os.environ.get("NPROC")
    os.environ["NPROC"] = str(threads)
    try:
        jax.devices()
    finally:
        if before is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = before


def _cache_programs(jax: Any, threads: int) -> None:
    if jax.config.jax_compilation_cache_dir:
        return  # a folder of the user's own, or an earlier call
    # A program is made for a number of threads, which its key in the cache does not tell.
    folder = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "afield" / f"jax-{threads}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return  # a home that cannot be written costs compile time, nothing else
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
