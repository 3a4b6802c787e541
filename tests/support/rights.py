"""Root as anybody else: without the right to write where the mode of a file forbids it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

VERSION_3 = 0x20080522
OVERRIDE = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by their numbers in capabilities(7)."""

Header = ctypes.c_uint32 * 2
Sets = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable, of the lower 32 capabilities and then of the upper."""


@contextmanager
def bound_by_modes() -> Iterator[None]:
    """Lets the modes of files hold for this thread, also where it is root's."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, held = Header(VERSION_3, 0), Sets()
    _done(libc.capget(header, held))
    fewer = Sets(*held)
    fewer[0] &= ~OVERRIDE
    _done(libc.capset(header, fewer))
    try:
        yield
    finally:
        _done(libc.capset(header, held))


def _done(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
