"""What fills a database for somebody to play with, and is no part of the application: told by its names and its imports."""

from __future__ import annotations

from prodready.link.frames import Frame
from prodready.link.program import Program
from prodready.words import split_words

PREPARING = frozenset(
    """
    seed seeds seeder seeding populate factory factories fixture fixtures demo sample samples sampledata testdata dummy fake
    sandbox loaddata mock mocks perftest loadtest locust
    """.split()
)
"""Words in names of files and functions that do so."""


def prepares(frame: Frame, program: Program) -> bool:
    """Whether a function does so, by its name and place, or by a library that makes data up."""
    words = words_of(frame)
    of_tests = "data" in words and not {"test", "testing"}.isdisjoint(words)
    return of_tests or not PREPARING.isdisjoint(words) or _makes_up(frame.path, program)


def _makes_up(path: str, program: Program) -> bool:
    facts = program.facts(path)
    imported = {target.partition(".")[0] for target in facts.imports.values()} if facts is not None else set()
    return any(program.find_module(name, path) is None for name in imported & program.making_up)


def words_of(frame: Frame) -> set[str]:
    """The words in the names of a function, its file and the folder of that."""
    near = "/".join(frame.path.removesuffix(".py").split("/")[-2:])
    return {*split_words(near), *split_words(frame.function.qualname)}
