"""Which functions speak of something is found in their bytes, without decoding them."""

from __future__ import annotations

import itertools

import pytest

from prodready.read import stored
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
    facts = unpack(pack(read_python(source.encode()))[0])
    expected = [f"f{number}" for number, name in enumerate(names) if any(stem in name for stem in stems)]
    assert speaking(facts, tuple(stem.encode() for stem in stems)) == expected


TWO = read_python(b"def one(password):\n    pass\n\n\ndef two(pin):\n    pass\n\n\ndef three(password):\n    pass\n")


def test_only_the_functions_asked_about_are_told() -> None:
    facts = unpack(pack(TWO)[0])
    assert speaking(facts, (b"passw",)) == ["one", "three"]
    assert speaking(facts, (b"passw",), {"two", "three"}) == ["three"]


def test_what_is_searched_for_while_facts_are_made_is_not_searched_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body, said = pack(TWO, (b"passw",))
    facts = unpack(body, said)
    monkeypatch.delattr(stored._Functions, "_search")
    assert speaking(facts, (b"passw",)) == ["one", "three"]
