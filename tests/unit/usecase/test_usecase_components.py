"""Components of a third party: found like those that come with Afield, and no harm where they are broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from afield.usecase import components
from afield.usecase.load import check, load
from afield.usecase.model import UseCase

USE_CASE = """\
source: {tape: {speed: 3}}
preprocess: [text]
model: {network: [{dense: {units: classes, activation: softmax}}]}
"""

TAPE = '''
from pydantic import Field
from afield.usecase.base import Component

class Tape(Component):
    """Records from a tape."""

    speed: int = Field(default=1, description="Metres a second.", examples=[2])
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place where packages are installed."""
    site = tmp_path / "site"
    site.mkdir()
    with monkeypatch.context() as patched:
        patched.syspath_prepend(site)
        yield site
    forget()


def forget() -> None:
    components.offered.cache_clear()
    UseCase.model_rebuild(force=True)


def install(site: Path, package: str, entry_points: str, module: str, source: str) -> None:
    info = site / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entry_points)
    (site / f"{module}.py").write_text(source)
    forget()


def case(folder: Path) -> Path:
    (folder / "usecase.yaml").write_text(USE_CASE)
    return folder / "usecase.yaml"


def test_a_third_partys_source(installed: Path, tmp_path: Path) -> None:
    install(installed, "afield-tape", "[afield.sources]\ntape = tape_one:Tape\n", "tape_one", TAPE)
    assert load(case(tmp_path), ["name=x"]).model.source.model_dump() == {"speed": 3}


def test_a_package_that_cannot_be_imported_is_named_where_it_is_used(installed: Path, tmp_path: Path) -> None:
    install(
        installed, "afield-tape", "[afield.sources]\ntape = tape_two:Tape\n", "tape_two", "import no_such_library\n"
    )
    file = case(tmp_path)
    assert [str(finding) for finding in check(file, ["name=x"])] == [
        f"{file}:1:10: source.tape: comes with afield-tape 1.2, which cannot be loaded (ModuleNotFoundError: No module "
        "named 'no_such_library'); reinstall or remove that package"
    ]


def test_a_package_that_cannot_be_imported_breaks_no_other(installed: Path, tmp_path: Path) -> None:
    install(installed, "afield-tape", "[afield.sources]\ntape = tape_three:Tape\n", "tape_three", "1 / 0\n")
    file = case(tmp_path)
    file.write_text(USE_CASE.replace("tape: {speed: 3}", "files: {path: data, label: file_name}"))
    assert check(file, ["name=x"]) == []


def test_an_entry_point_that_is_no_component(installed: Path, tmp_path: Path) -> None:
    install(installed, "afield-tape", "[afield.sources]\ntape = tape_four:Tape\n", "tape_four", "class Tape: ...\n")
    (finding,) = check(case(tmp_path), ["name=x"])
    assert finding.message == (
        "comes with afield-tape 1.2, which cannot be loaded (TypeError: tape_four:Tape is not a subclass of "
        "afield.usecase.base.Component); reinstall or remove that package"
    )


def test_a_name_that_two_packages_claim(installed: Path, tmp_path: Path) -> None:
    install(installed, "afield-tape", "[afield.sources]\ntape = tape_five:Tape\n", "tape_five", TAPE)
    install(installed, "other-tape", "[afield.sources]\ntape = tape_six:Tape\n", "tape_six", TAPE)
    (finding,) = check(case(tmp_path), ["name=x"])
    assert sorted(finding.message.removeprefix("comes with both ").split("; ")[0].split(" and ")) == [
        "afield-tape 1.2",
        "other-tape 1.2",
    ]
    assert finding.message.endswith("; uninstall one of them")
