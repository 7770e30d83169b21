"""The trees that are measured: copies of an application's Python files without its tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from prodready import config, discover


@dataclass(frozen=True)
class Tree:
    """A copied project."""

    root: Path
    files: int
    lines: int


def copy(source: Path, target: Path) -> Tree:
    """The files of `source` that prodready would read, tests left out: the same input for every tool."""
    return _write(target, _files(source), 10**12)


def grown(source: Path, target: Path, lines: int) -> Tree:
    """A project of about so many lines: as many files of `source`, or as many copies of it, as that takes.

    The files of each copy get a line of their own, so that no two have the same content.
    """
    files = _files(source)

    def copies() -> Iterator[tuple[str, bytes]]:
        for number in count(1):
            for path, data in files:
                yield f"copy_{number}/{path}", data + b"\n# copy %d\n" % number

    return _write(target, copies(), lines)


def _files(source: Path) -> list[tuple[str, bytes]]:
    root = source.resolve()
    settings = config.load(root, isolated=True)
    files = discover.walk(settings, [root]).files
    found = [(file.path, (root / file.path).read_bytes()) for file in files if "tests" not in file.kinds]
    if not found:
        raise SystemExit(f"{source}: there are no Python files but tests")
    return found


def _write(target: Path, files: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]], lines: int) -> Tree:
    target.mkdir(parents=True)
    (target / config.FILE_NAME).touch()  # so that the copy is a project of its own wherever it lies
    written = seen = 0
    for path, data in files:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        written += 1
        seen += data.count(b"\n")
        if seen >= lines:
            break
    return Tree(target, written, seen)
