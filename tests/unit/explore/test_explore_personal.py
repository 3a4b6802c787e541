"""Personal data is told by its check digits, its form or its column's name, and never shown."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest
from stdnum import luhn

from afield.explore import columns
from afield.explore.exploring import explore
from afield.explore.hiding import Curtain
from afield.explore.personal import kind_of

DRAW = random.Random(0)


def digits(count: int) -> str:
    return "".join(DRAW.choice("123456789") for _ in range(count))


def checked(number: str) -> str:
    return number + luhn.calc_check_digit(number)


VALUES = {
    "e-mail addresses": [f"ann{n}@example.com" for n in range(20)],
    "IP addresses": [f"10.1.2.{n}" for n in range(10)] + [f"2001:db8::{n + 1:x}" for n in range(10)],
    "MAC addresses": [f"00:1b:63:84:45:{n:02x}" for n in range(20)],
    "IBANs": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "FR1420041010050500013M02606"],
    "phone numbers": ["+49 30 901820", "+44 20 7031 3000", "+1 650-253-0000", "0043 1 588000"],
    "IMSIs": [f"26201{digits(10)}" for _ in range(20)],
    "IMEIs": [checked(f"35693803{digits(6)}") for _ in range(20)],
    "card numbers": [checked(f"4{digits(14)}") for _ in range(20)],
}


@pytest.mark.parametrize("kind", VALUES)
def test_kinds_by_their_values(kind: str) -> None:
    found = kind_of(columns.read("x", pa.chunked_array([pa.array(VALUES[kind])])))
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize("kind", ["IMSIs", "IMEIs", "card numbers"])
def test_numbers_may_be_numbers(kind: str) -> None:
    found = kind_of(columns.read("x", pa.chunked_array([pa.array(list(map(int, VALUES[kind])))])))
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("first_name", ["Ann", "Bob"], "names of persons"),
        ("LastName", ["Lee", "Ray"], "names of persons"),
        ("name", ["Ann Lee", "Bob Ray"], "names of persons"),
        ("name", ["bolt M4", "nut"], None),
        ("file_name", ["a.log", "b.log"], None),
        ("msisdn", ["4930901820", "442070313000", "16502530000"], "phone numbers"),
        ("x", ["4930901820", "442070313000", "16502530000"], None),
    ],
)
def test_kinds_by_the_name_of_the_column(name: str, values: list[str], kind: str | None) -> None:
    found = kind_of(columns.read(name, pa.chunked_array([pa.array(values)])))
    assert (found.name if found else None) == kind


def test_random_numbers_are_nobodys() -> None:
    for length in (13, 14, 15, 16):
        values = [str(DRAW.randrange(10 ** (length - 1), 10**length)) for _ in range(200)]
        assert kind_of(columns.read("x", pa.chunked_array([pa.array(values)]))) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to ann.lee@example.com now", "mail to <e-mail> now"),
        ("from 10.0.0.7:80 at 12:30:45", "from <IP>:80 at 12:30:45"),
        ("from fe80::1 and 2001:db8:0:0:0:0:0:1", "from <IP> and <IP>"),
        ("dev 00:1b:63:84:45:e6", "dev <MAC>"),
        ("call +49 30 901820 today", "call <phone> today"),
        ("card 4111 1111 1111 1111", "card <number>"),
        ("imsi=262011234567890", "imsi=<number>"),
        ("0.1234567890123456 of 2011-01-01 00:00:00", "0.1234567890123456 of 2011-01-01 00:00:00"),
    ],
)
def test_free_text_is_shown_without_it(text: str, shown: str) -> None:
    assert Curtain({}).text(text) == shown


def test_nothing_personal_is_in_the_document(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    names = [kind.split()[0] for kind in VALUES]
    rows = [",".join(VALUES[kind][n % len(VALUES[kind])] for kind in VALUES) for n in range(60)]
    text = [f"wrote to ben{n}@example.org from 10.9.8.{n} about the offer we had" for n in range(60)]
    lines = [f"{row},{said},{n % 2}" for n, (row, said) in enumerate(zip(rows, text, strict=True))]
    path.write_text("\n".join([",".join([*names, "said", "y"]), *lines]) + "\n")
    found = explore(path, "y").document
    whole = found.model_dump_json()
    leaked = [value for values in VALUES.values() for value in values if value in whole]
    assert leaked == []
    assert "ben1@" not in whole
    assert "10.9.8." not in whole
    assert found.mask.splitlines() == [
        "preprocess:",
        "  - mask:",
        "      columns: {e-mail: hash, IP: truncate, MAC: hash, IBANs: hash, phone: hash, IMSIs: hash, IMEIs: hash, "
        "card: drop}",
        "  - text:",
        "      column: said",
        "      mask: [number, hex, ip, uuid, email]",
    ]
    kinds = [(finding.columns, finding.kind) for finding in found.findings if finding.kind == "personal data"]
    assert len(kinds) == len(VALUES) + 2
