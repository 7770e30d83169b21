"""What fills a database for somebody to play with, and is no part of the application: told by its names."""

from __future__ import annotations

from prodready.link.frames import Frame
from prodready.words import split_words

PREPARING = frozenset(
    """
    seed seeds seeder seeding populate factory factories fixture fixtures demo sample samples sampledata testdata dummy fake
    sandbox loaddata
    """.split()
)
"""Words in names of files and functions that do so."""


def prepares(frame: Frame) -> bool:
    """Whether a function does so, by its name and place."""
    return not PREPARING.isdisjoint(words_of(frame))


def words_of(frame: Frame) -> set[str]:
    """The words in the names of a function, its file and the folder of that."""
    near = "/".join(frame.path.removesuffix(".py").split("/")[-2:])
    return {*split_words(near), *split_words(frame.function.qualname)}
