"""What all tests share: marks by folder, real data, and the flag for long tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# A test says what is right, not how fast: a busy machine must not fail it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        folder = Path(item.fspath).relative_to(ROOT / "tests").parts[0]
        if folder in {"unit", "contract", "e2e"}:
            item.add_marker(folder)
        if "long" in item.keywords and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --long"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data sets; skips where it is missing, fails where AFIELD_REQUIRE_DATA=1."""
    folder = Path(os.environ.get("AFIELD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        reason = f"no data sets at {folder}; set AFIELD_DATA to their folder"
        if os.environ.get("AFIELD_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
