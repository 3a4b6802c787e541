"""`afield new`, `check` and `schema` as a person runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"keras", "jax", "numba", "numpy", "pyarrow", "pydantic", "ruamel", "sklearn", "onnxruntime", "plotly", "rich"}


def afield(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "AFIELD_DEBUG"}
    return subprocess.run(
        [sys.executable, "-c", "from afield.cli import main; main()", *arguments],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def case(tmp_path: Path) -> Path:
    assert afield("new", "logs", "my-logs", cwd=tmp_path).returncode == 0
    return tmp_path / "my-logs"


def test_new_then_check(tmp_path: Path) -> None:
    new = afield("new", "logs", "my-logs", cwd=tmp_path)
    assert (new.returncode, new.stderr) == (0, "")
    assert new.stdout.splitlines() == [
        "my-logs/data: 2000 simulated lines of each of 7 kinds; the best possible accuracy is 0.9929, "
        "as two kinds share some of their lines",
        "my-logs/usecase.yaml: ready to edit; next: afield check my-logs, then afield train my-logs",
    ]
    check = afield("check", "my-logs", cwd=tmp_path)
    assert (check.returncode, check.stdout, check.stderr) == (0, "my-logs/usecase.yaml: no problems found\n", "")


def test_check_says_where(case: Path) -> None:
    file = case / "usecase.yaml"
    file.write_text(file.read_text().replace("epochs: 5", "epocs: 5"))
    check = afield("check", "my-logs", "--set", "train.seed=x", cwd=case.parent)
    line = file.read_text().splitlines().index("  epocs: 5") + 1
    assert (check.returncode, check.stderr) == (2, "")
    assert check.stdout.splitlines() == [
        "--set train.seed=x: train.seed: expected a whole number of at least 0 and below 4294967296, "
        "found the text 'x'",
        f"my-logs/usecase.yaml:{line}:3: train.epocs: unknown key; did you mean 'epochs'?",
        "my-logs/usecase.yaml: 2 problems, no warnings",
    ]


def test_check_for_machines(case: Path) -> None:
    check = afield("check", "my-logs", "--json", "--set", "train.epochs=0", cwd=case.parent)
    assert check.returncode == 2
    assert json.loads(check.stdout) == [
        {
            "origin": "--set train.epochs=0",
            "line": None,
            "column": None,
            "path": "train.epochs",
            "message": "expected a whole number of at least 1, found 0",
            "severity": "error",
        }
    ]
    assert json.loads(afield("check", "my-logs", "--json", cwd=case.parent).stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("check", "nowhere"), 2, "nowhere: no such folder or file; `afield new logs nowhere` makes a use case there"),
        (("new", "logs", "my-logs"), 2, "my-logs: is not empty; name another folder, or add --force to write into it"),
        (("new", "lags", "other"), 2, "the gallery has no use case 'lags'; did you mean 'logs'?"),
        (("chek", "my-logs"), 2, "no command 'chek'; did you mean 'check'?; see afield --help"),
        (("check",), 2, "Missing argument 'FOLDER'; see afield check --help"),
        (("schema", "-o", "/no/such/file"), 1, "/no/such/file: No such file or directory"),
    ],
)
def test_wrong_arguments(case: Path, arguments: tuple[str, ...], code: int, expected: str) -> None:
    ran = afield(*arguments, cwd=case.parent)
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", f"afield: error: {expected}\n")


def test_a_wrong_option(case: Path) -> None:
    ran = afield("check", "my-logs", "--jsn", cwd=case.parent)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("afield: error: No such option")
    assert "--json" in ran.stderr


def test_no_permission_to_write(case: Path) -> None:
    # Root may write anywhere, unless it gives that right up.
    bound = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    command = [*bound, sys.executable, "-m", "afield", "new", "logs", "my-logs/inner"]
    case.chmod(0o500)
    ran = subprocess.run(command, cwd=case.parent, capture_output=True, text=True, check=False)
    case.chmod(0o700)
    assert (ran.returncode, ran.stderr) == (
        1,
        "afield: error: my-logs/inner: no permission; change the permissions, or choose another folder\n",
    )


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    ran = afield("schema", "-o", "/dev/full", cwd=Path("/"))
    assert ran.returncode == 1
    assert ran.stderr == "afield: error: the disk is full; free some space and run the command again\n"


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    piped = f"'{sys.executable}' -c 'from afield.cli import main; main()' schema | head -c 10"
    ran = subprocess.run(piped, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ('{\n  "$sche', "")


def test_schema(tmp_path: Path) -> None:
    printed = afield("schema", cwd=tmp_path)
    assert printed.returncode == 0
    assert json.loads(printed.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    written = afield("schema", "-o", "usecase.schema.json", cwd=tmp_path)
    assert (written.returncode, written.stdout) == (0, "wrote usecase.schema.json\n")
    assert (tmp_path / "usecase.schema.json").read_text() == printed.stdout


@pytest.mark.parametrize("verb", ["new", "check", "schema"])
def test_help_has_an_example(tmp_path: Path, verb: str) -> None:
    ran = afield(verb, "--help", cwd=tmp_path)
    assert ran.returncode == 0
    assert f"Example: afield {verb} " in ran.stdout


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom afield.cli import main\n"
        "sys.argv = ['afield', '--help']\n"
        "os._exit = lambda code: print(code, ' '.join(sys.modules), sep='\\n')\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    *_, code, modules = ran.stdout.splitlines()
    assert code == "0"
    assert not HEAVY & set(modules.split())
    assert not [
        module for module in modules.split() if module.startswith("afield.cli.") and module != "afield.cli.ending"
    ]
