"""Finds the best values for what is left open: search spaces, populations, halving. `afield.tune(...)` calls `tune`."""

from __future__ import annotations

import sys
from types import ModuleType

from afield.tune.builds import BestModel, Range, tune

__all__ = ["BestModel", "Range", "tune"]


class _Callable(ModuleType):
    # Python gives `afield` this module as its attribute `tune`, in place of the function of that name.
    __call__ = staticmethod(tune)


sys.modules[__name__].__class__ = _Callable
