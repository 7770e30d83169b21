"""Files beside the source that the program names itself, such as an OpenAPI file: read when somebody asks for them."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prodready.config import is_ours
from prodready.finding import Problem


@dataclass
class Documents:
    """The files of the project at `root`; `given` stands for the content of some, None for one to be taken for absent.

    `asked` has the digest of all that were asked for, empty for those that are not there: what was found out rests on them.
    `problems` tells of those that could not be used.
    """

    root: Path | None = None
    given: Mapping[str, bytes | None] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        """The content of a file by its path below the root; None for one that is not there, or not in the repository."""
        data = self._content(posixpath.normpath(path))
        self.asked[path] = hashlib.sha256(data).hexdigest() if data is not None else ""
        return data

    def are_as(self, asked: Mapping[str, str]) -> bool:
        """Whether files that were asked for in an earlier run still have the digests they had."""
        for path in asked:
            self.read(path)
        return all(self.asked[path] == digest for path, digest in asked.items())

    def complain(self, problem: Problem) -> None:
        """Note what is wrong with a file, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _content(self, path: str) -> bytes | None:
        if path in self.given:
            return self.given[path]
        place = self.root / path if self.root is not None and not path.startswith(("/", "..")) else None
        if place is None or self.root is None or not place.is_file() or not is_ours(self.root, place):
            return None
        try:
            return place.read_bytes()
        except OSError:
            return None
