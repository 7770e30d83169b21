"""The files of a front end: each is read when somebody asks for what is in it, which few of them are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from prodready.discover import WEB_SETTINGS
from prodready.read.web.facts import WebFacts
from prodready.read.web.reader import is_script
from prodready.read.web.skim import modules, places, words

_BEFORE_ATTRIBUTES = frozenset({".", "{", ",", "\n", "*/", '"', "'", "`"})
"""What stands before an attribute."""
_PASSING_ON = re.compile(r"\bexport\s*\*")
_PART = re.compile(r"[\w$]+")


class Pages:
    """Files by path, in order. `texts` are their contents; `read` gives the facts of one."""

    def __init__(self, texts: Mapping[str, str], read: Callable[[str], WebFacts]) -> None:
        self._texts = {path: text for path, text in texts.items() if path.rpartition("/")[2] not in WEB_SETTINGS}
        self.settings = [path for path in texts if path not in self._texts]
        self._read = read
        self._facts: dict[str, WebFacts] = {}
        self._words: dict[str, set[str]] = {}
        self._modules: dict[str, list[str]] = {}
        self._having: dict[str, list[str]] = {}

    def __getitem__(self, path: str) -> WebFacts:
        found = self._facts.get(path)
        if found is None:
            found = self._facts[path] = self._read(path)
        return found

    def __contains__(self, path: object) -> bool:
        return path in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def setting(self, path: str) -> WebFacts:
        """What a file of settings says."""
        return self._read(path)

    @property
    def markup(self) -> list[str]:
        """The files that are no scripts."""
        return [path for path in self._texts if not is_script(path)]

    def words(self, path: str) -> set[str]:
        """The words in a file."""
        if path not in self._words:
            self._words[path] = words(self._texts[path])
        return self._words[path]

    def text(self, path: str) -> str:
        """A file as it is."""
        return self._texts[path]

    def modules(self, path: str) -> list[str]:
        """What a file imports."""
        if path not in self._modules:
            self._modules[path] = modules(self._texts[path])
        return self._modules[path]

    def having(self, name: str) -> list[str]:
        """The files in which a name may be that of an attribute: after a dot, in braces, or as a key."""
        if name not in self._having:
            self._having[name] = [
                path
                for path in self.mentioning(name)
                if any(before in _BEFORE_ATTRIBUTES for before, _ in places(self._texts[path], name))
            ]
        return self._having[name]

    def passes_on(self, path: str) -> bool:
        """Whether a file may export all of another."""
        return _PASSING_ON.search(self._texts[path]) is not None

    def mentioning(self, name: str) -> list[str]:
        """The files in which a name stands, by itself or as a part of another that is no word."""
        first, *others = _PART.findall(name) or [""]
        return [path for path in self._index.get(first, ()) if all(part in self.words(path) for part in others)]

    @cached_property
    def _index(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._texts:
            for word in self.words(path):
                found.setdefault(word, []).append(path)
        return found
