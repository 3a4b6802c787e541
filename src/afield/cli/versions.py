"""From what a person names on the command line to the bundle of a version."""

from __future__ import annotations

from pathlib import Path

from afield.errors import UseCaseError


def bundle_of(path: Path, version: str | None) -> Path:
    """The bundle that `path` is, or the one of a version of the use case in the folder `path`.

    Raises:
        UseCaseError: there is no such path, or a version is named beside a bundle.
        StateError: the use case has no such version.
    """
    if not path.exists():
        raise UseCaseError(f"{path}: no such folder or bundle")
    if path.is_dir():
        from afield.registry.versions import Registry

        registry = Registry(path)
        try:
            return (registry.get(version) if version else registry.latest()).bundle
        finally:
            registry.close()
    if version:
        raise UseCaseError(f"{path}: is a bundle, which holds one version; name a use case's folder with --version")
    return path
