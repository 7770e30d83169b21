"""What the mutators of `tests/benchmarks` make of a file, for their tests."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from textwrap import dedent

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))

import mutation
from mutants_context import Application
from mutants_source import Candidate, Mutant, Skipped

__all__ = ["Application", "Mutant", "Skipped", "candidates", "mutants", "mutated", "mutation", "reasons"]


def candidates(kind: str, code: str, **others: str) -> list[Candidate]:
    """What becomes of `app.py` with this code; the names of other files have no ending."""
    files = {"app.py": code, **{f"{name}.py": text for name, text in others.items()}}
    app = Application({path: dedent(text).encode() for path, text in files.items()})
    return [one for one in mutation.candidates(app, [kind])[kind] if one.path == "app.py"]


def mutants(kind: str, code: str, **others: str) -> list[Mutant]:
    found = [one for one in candidates(kind, code, **others) if isinstance(one, Mutant)]
    for mutant in found:
        ast.parse(mutant.text)
    return found


def mutated(kind: str, code: str, **others: str) -> str:
    """The text of the only mutant."""
    (mutant,) = mutants(kind, code, **others)
    return mutant.text


def reasons(kind: str, code: str, **others: str) -> list[str]:
    """Why places were skipped; there is no mutant."""
    found = candidates(kind, code, **others)
    assert not [one for one in found if isinstance(one, Mutant)]
    return [one.reason for one in found if isinstance(one, Skipped)]
