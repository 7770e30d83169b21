"""Which functions speak of something is found in their bytes, without decoding them."""

from __future__ import annotations

import itertools

import pytest

from prodready.read.python import read_python
from prodready.read.stored import pack, speaking, unpack

PIECES = (
    "pass",
    "_pass",
    "password",
    "bypassed",
    "pin",
    "spin",
    "pin_code",
    "pincode",
    "pw",
    "pwd",
    "mot_de_passe",
    "clave",
    "x",
)


@pytest.mark.parametrize(
    "stems", list(itertools.combinations(("_pass", "passw", "pin", "_pin", "pin_code", "pwd", "mot_de", "clave"), 3))
)
def test_a_function_speaks_if_one_of_the_stems_stands_in_it(stems: tuple[str, ...]) -> None:
    names = [f"{first}_{second}" for first in PIECES for second in PIECES]
    source = "".join(f"def f{number}(row):\n    return row.{name}\n" for number, name in enumerate(names))
    facts = unpack(pack(read_python(source.encode())))
    expected = [f"f{number}" for number, name in enumerate(names) if any(stem in name for stem in stems)]
    assert speaking(facts, tuple(stem.encode() for stem in stems)) == expected


def test_only_the_functions_asked_about_are_told() -> None:
    facts = unpack(pack(read_python(b"def one(password):\n    pass\n\n\ndef two(password):\n    pass\n")))
    assert speaking(facts, (b"passw",)) == ["one", "two"]
    assert speaking(facts, (b"passw",), {"two", "three"}) == ["two"]
