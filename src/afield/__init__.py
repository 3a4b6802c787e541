"""Afield: train at home, run afield."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afield.case import Case, Version, load

__version__ = "0.1.0"
__all__ = ["Case", "Version", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from afield import case

        return getattr(case, name)
    raise AttributeError(f"module 'afield' has no attribute {name!r}")
