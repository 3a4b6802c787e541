"""Which columns hold data of persons: by check digits and registers where there are any, by form, or by their name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from afield.explore.columns import Column

VALUES = 300
"""Different values of a column that are tested."""
MOST = 0.9
"""Share of them that must pass."""
FEWEST = 5
"""Different numbers that are needed to tell a kind by a check digit, which one in ten passes by chance."""


@dataclass(frozen=True)
class Kind:
    """A kind of personal data.

    Args:
        name: in words.
        called: what a hidden value is called.
        action: what the step `mask` does best with it: hash, truncate or drop.
        pattern: of a whole value.
        valid: whether a value that looks like one is one.
        fewest: different values that are needed to tell.
    """

    name: str
    called: str
    action: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    fewest: int = 1


def _any(text: str) -> bool:
    return True


def _number(module: str) -> Callable[[str], bool]:
    """The check of one of python-stdnum's modules, imported when it is first needed."""

    def valid(text: str) -> bool:
        from importlib import import_module

        checked: Any = import_module(f"stdnum.{module}")
        return bool(checked.is_valid(text))

    return valid


def _phone(text: str) -> bool:
    import phonenumbers

    plus = f"+{text[2:]}" if text.startswith("00") else text
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(plus, None))
    except phonenumbers.NumberParseException:
        return False


def _address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _card(text: str) -> bool:
    # Luhn alone is met by one number in ten; the first digits are those of the card networks.
    digits = re.sub(r"\D", "", text)
    return digits[0] in "3456" and _number("luhn")(digits)


EMAIL = Kind("e-mail addresses", "e-mail", "hash", re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), _any)
IP = Kind(
    "IP addresses",
    "IP",
    "truncate",
    re.compile(r"(\d{1,3}\.){3}\d{1,3}|(?=.*:)[0-9A-Fa-f:.]{3,39}"),
    _address,
)
MAC = Kind("MAC addresses", "MAC", "hash", re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"), _any)
IBAN = Kind("IBANs", "IBAN", "hash", re.compile(r"[A-Z]{2}\d{2}[A-Z0-9 ]{11,34}"), _number("iban"))
PHONE = Kind("phone numbers", "phone", "hash", re.compile(r"(\+|00)[1-9][\d ()/.-]{6,20}"), _phone, 3)
CARD = Kind("card numbers", "card", "drop", re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}"), _card, FEWEST)
IMEI = Kind("IMEIs", "IMEI", "hash", re.compile(r"\d{15}|\d{2}-\d{6}-\d{6}-\d"), _number("imei"), FEWEST)
IMSI = Kind("IMSIs", "IMSI", "hash", re.compile(r"\d{15}"), _number("imsi"), FEWEST)
NAME = Kind("names of persons", "name", "drop", re.compile(r".*"), _any)
SHAPED = (EMAIL, MAC, IP, IBAN, PHONE, IMEI, CARD, IMSI)
"""Kinds that are told by their values; one that has a check digit before one that has none."""

_PERSONS = re.compile(
    "(first|given|fore|last|sur|family|middle|maiden|full|person|customer|client|patient|employee|contact|owner|"
    "subscriber|user|login)_?name|person|vorname|nachname|familienname"
)
_PHONES = re.compile("(tele|cell|mobile)?_?phone(_?number)?|tel|mobile|msisdn|cell|fax|telefon")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PERSON = re.compile(r"[^\W\d_]+(?:[ ,.'-]+[^\W\d_]+){1,4}\.?")


def kind_of(column: Column) -> Kind | None:
    """The kind of personal data that a column holds; None where it holds none."""
    if column.type in ("empty", "other", "truth", "date"):
        return None
    texts = _values(column)
    for kind in SHAPED:
        if _passes(kind, texts):
            return kind
    name = _CAMEL.sub("_", column.name).lower().replace(" ", "_").replace("-", "_")
    if _PHONES.fullmatch(name) and _passes(PHONE, [text if text[:1] == "+" else f"+{text}" for text in texts]):
        return PHONE
    if column.codes is not None:
        if _PERSONS.fullmatch(name):
            return NAME
        if name == "name" and texts and sum(map(bool, map(_PERSON.fullmatch, texts))) >= MOST * len(texts):
            return NAME
    return None


def _passes(kind: Kind, texts: Sequence[str]) -> bool:
    if len(texts) < kind.fewest:
        return False
    # The first values tell most columns apart before all are tested.
    for some in (texts[:10], texts):
        passed = sum(kind.pattern.fullmatch(text) is not None and kind.valid(text) for text in some)
        if passed < MOST * len(some):
            return False
    return bool(texts)


def _values(column: Column) -> list[str]:
    """Some different values, evenly spread, as text."""
    if column.words is not None:
        places = _spread(len(column.words))
        return [str(column.words[place].as_py()).strip() for place in places]
    if column.values is None or column.type != "whole number":
        return []
    rows = np.flatnonzero(~np.isnan(column.values))
    found = (column.text(int(rows[place])) for place in _spread(len(rows)))
    return list(dict.fromkeys(text.removesuffix(".0") for text in found))


def _spread(count: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(count, VALUES)).astype(np.int64)).tolist() if count else []
