"""What the trainers of other libraries share: they keep no checkpoint, and run a file of the use case with care."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from afield.errors import AfieldError, UseCaseError


class Whole:
    """A trainer that fits in one go: there is nothing to resume."""

    def forget(self) -> None:
        """There is nothing to forget."""

    def done(self) -> None:
        """There is nothing to clear."""

    @property
    def trouble(self) -> None:
        """Nothing is kept, so nothing can go wrong with it."""
        return None


def made(folder: Path, file: str, name: str, given: Mapping[str, Any]) -> Any:
    """What a function or class of a person's file makes.

    Args:
        folder: of the use case.
        file: relative to it.
        name: of the function or class.
        given: arguments by name.

    Raises:
        UseCaseError: the file or the name is not there, or the code fails.
    """
    path = folder / file
    if not path.is_file():
        raise UseCaseError(f"model: {path}: no such file; `{file}:{name}` names a file of the use case")
    spec = importlib.util.spec_from_file_location(f"afield_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
        maker = getattr(module, name, None)
        if maker is None:
            raise UseCaseError(f"model: {path} has no function or class '{name}'")
        return maker(**given)
    except AfieldError:
        raise
    except Exception as failed:  # whatever a person's code raises
        raise UseCaseError(f"model: {path}: {name} fails: {type(failed).__name__}: {failed}") from failed
    finally:
        sys.path.remove(str(folder))
