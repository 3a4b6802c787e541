"""Compiles numeric kernels once a machine, also where the package itself cannot be written to."""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., Any])

# Numba's annotations know neither its settings nor its options.
_settings: Any = config
_njit: Callable[..., Any] = numba.njit


def _writable(folder: Path) -> bool:
    """Whether the folder stands, is writable, and is nobody else's: what lies in it is run."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
        found = folder.lstat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not found.st_mode & 0o022 and not folder.is_symlink()


@cache
def cache_folder() -> Path:
    """Where compiled kernels lie: in the user's cache folder, else in the user's own under the temporary folder."""
    given = os.environ.get("XDG_CACHE_HOME")
    # A container's user may have no home at all.
    with suppress(RuntimeError):
        home = Path(given or Path.home() / ".cache") / "afield" / "numba"
        if _writable(home):
            return home
    shared = Path(tempfile.gettempdir()) / f"afield-numba-{os.getuid()}"
    return shared if _writable(shared) else Path(tempfile.mkdtemp(prefix="afield-numba-"))


@cache
def _fingerprint(folder: Path) -> str:
    """A name for the sources beside a kernel: Numba looks at the kernel's own file, not at what that file imports."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def kernel(*signature: numba.types.Type) -> Callable[[Function], Function]:
    """Compiles a function for exactly these argument types, without the interpreter lock, and keeps the machine code.

    `NUMBA_CACHE_DIR`, where set, says where to keep it.

    Args:
        signature: types of the arguments.
    """

    def compiled(function: Function) -> Function:
        before = _settings.CACHE_DIR
        if not before:
            sources = Path(inspect.getfile(function)).parent
            _settings.CACHE_DIR = str(cache_folder() / _fingerprint(sources))
        try:
            return _njit(signature, cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
        except OSError:
            # On a full disk the machine code cannot be kept: it is compiled again at each start.
            return _njit(signature, nogil=True, boundscheck=False, error_model="numpy")(function)
        finally:
            _settings.CACHE_DIR = before

    return compiled


def helper(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function as part of the kernels that call it: compiled into them, never alone.

    It makes no arrays, so that none of its arguments needs to be counted in and out at every call. Python cannot call
    it, which saves a third of the time to compile.
    """
    return _njit(
        nogil=True,
        boundscheck=False,
        error_model="numpy",
        _nrt=False,
        forceinline=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )(function)


def maker(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a helper that makes arrays."""
    return _njit(nogil=True, boundscheck=False, error_model="numpy")(function)
