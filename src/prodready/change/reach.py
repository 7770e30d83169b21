"""Which files may gain or lose a finding by a change: those that changed, and those near to them by calls.

The functions in which something changed are followed to what calls them, up to FAR calls away, and to what they call, by
names alone: too many files rather than too few. Names that half the project uses lead nowhere and are not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from prodready.change.patch import FileChange
from prodready.link.infer import COMMON_METHODS
from prodready.read.facts import FileFacts
from prodready.state import Loader, State

FAR = 2
"""Calls between a change and the function in which it shows."""

COMMON = 12
"""Files that may define a name, or call it, for it to be followed."""

MODULE = "<module>"


def affected(
    new: State, load_new: Loader, old: State, load_old: Loader, files: Iterable[FileChange], skip: Set[str]
) -> frozenset[str]:
    """The files in which findings may come or go. Those of `skip` are not looked into unless they changed themselves."""
    changed: set[str] = set()
    names: set[str] = set()
    called: set[str] = set()
    for file in files:
        for path, state, load, side in ((file.path, new, load_new, True), (file.old, old, load_old, False)):
            if path not in state.entries:
                continue
            changed.add(path)
            facts = load(path)
            if facts is not None and path not in skip:
                for qualname in _functions(facts, file, side):
                    names.update(_names(qualname))
                    called.update(facts.called.get(qualname, ()))
    around = _Around(new, load_new, skip)
    return frozenset((changed & new.entries.keys()) | around.callers(names) | around.definers(called))


class _Around:
    def __init__(self, state: State, load: Loader, skip: Set[str]) -> None:
        self.load = load
        self.outlines = {path: entry.outline for path, entry in state.entries.items() if path not in skip}

    def callers(self, names: Set[str]) -> set[str]:
        found: set[str] = set()
        seen: set[str] = set()
        for _ in range(FAR):
            names = self._telling(names - seen, {path: outline.calls for path, outline in self.outlines.items()})
            seen |= names
            layer: set[str] = set()
            for path, outline in self.outlines.items():
                if not names.isdisjoint(outline.calls):
                    found.add(path)
                    facts = self.load(path)
                    layer |= set(_calling(facts, names)) if facts else set()
            names = layer
        return found

    def definers(self, names: Set[str]) -> set[str]:
        defined = {path: frozenset(map(_last, outline.defines)) for path, outline in self.outlines.items()}
        names = self._telling(names, defined)
        return {path for path, own in defined.items() if not names.isdisjoint(own)}

    def _telling(self, names: Set[str], where: Mapping[str, Iterable[str]]) -> set[str]:
        """The names that not half the project has."""
        left = {name for name in names if name not in COMMON_METHODS and not name.startswith("__")}
        count = dict.fromkeys(left, 0)
        for own in where.values():
            for name in left.intersection(own):
                count[name] += 1
        return {name for name in left if count[name] <= COMMON}


def _functions(facts: FileFacts, file: FileChange, new: bool) -> Iterator[str]:
    """The functions in which one side of the change stands; a function ends where the next definition starts."""
    starts = sorted([(f.line, name) for name, f in facts.functions.items() if name != MODULE])
    spans = []
    for hunk in file.hunks:
        first, count = (hunk.start, len(hunk.added)) if new else (hunk.old_start, len(hunk.removed))
        spans.append((first, first + max(count, 1) - 1))
    ends = [*(line - 1 for line, _ in starts[1:]), facts.lines]
    for (start, name), end in zip(starts, ends[: len(starts)], strict=True):
        # Decorators stand above the line of `def`.
        if any(first <= end and start - 3 <= last for first, last in spans):
            yield name
    yield MODULE


def _names(qualname: str) -> Iterator[str]:
    """What a function may be called by: its name, and for a constructor that of its class."""
    outer, _, name = qualname.rpartition(".")
    if qualname != MODULE:
        yield _last(outer) if name == "__init__" else name


def _calling(facts: FileFacts, names: Set[str]) -> Iterator[str]:
    for qualname, called in facts.called.items():
        if not names.isdisjoint(called):
            yield from _names(qualname)


def _last(qualname: str) -> str:
    return qualname.rpartition(".")[2]
