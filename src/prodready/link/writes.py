"""The writes on one path through a function, and how much speaks against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from prodready.finding import Location
from prodready.link.program import ClassSymbol
from prodready.link.rebuilding import plain
from prodready.read import values as v
from prodready.read.values import Value

Conditions = tuple[tuple[Value, Value], ...]
"""Values, and what each has turned out to be."""

NOTHING = (v.Const(None), v.Const(False))
"""What a look-up gives that finds nothing, and what tells whether something is there."""

MOST = 40
"""Writes kept of one path: nobody reads more."""


class Write(msgspec.Struct, frozen=True):
    """One write on a path.

    `root` is the object that is written, None where it is another one each time. `repeated` says that it stands in a
    loop, `looped` that this loop is in the function itself, `tolerated` that it goes on to the next round when one
    fails, or without end. `via` are the calls that lead to it, the outermost first; `units` are functions that have
    writes to keep together of their own, of which this is one. `makes`: it is a new row. `expired`: what is removed was
    picked by being below a limit, as what is too old is. `call` is the outermost of the calls. `needs` is what the
    function's parameters have to be for it; `rows` are those that a commit writes, None for one that is not known.
    `bare`: a commit before which nothing was done on the path that it could write; what the function's caller has done
    it may. `sent`: it notes what was sent before. `missing` is what was looked for, not found, and is made here; `under`
    all that was looked for and not found on the way. `table` is the class of the rows that are removed; `turn` the calls
    of a loop and the row that each of its rounds has of its own. `own`: `via` are methods of the row itself, `save` for
    instance. `handed` is the parameter whose row it writes, if that is all: who calls the function knows the table.
    """

    label: str
    kind: str
    place: Location
    root: Value | None = None
    repeated: bool = False
    looped: bool = False
    tolerated: bool = False
    assumed: bool = False
    via: tuple[tuple[str, Location], ...] = ()
    units: frozenset[tuple[str, str]] = frozenset()
    store: str = ""
    makes: bool = False
    removes: bool = False
    expired: bool = False
    call: v.Call | None = None
    needs: tuple[tuple[str, Value], ...] = ()
    rows: tuple[Value | None, ...] = ()
    table: ClassSymbol | None = None
    turn: tuple[frozenset[tuple[int, int]], Value] | None = None
    own: bool = False
    bare: bool = False
    sent: bool = False
    missing: Value | None = None
    under: tuple[Value, ...] = ()
    handed: str = ""

    @property
    def helped(self) -> bool:
        """Whether it is done by a helper, and not by the row itself."""
        return bool(self.via) and not self.own

    @property
    def line(self) -> int:
        """The line in the function that the path goes through."""
        return (self.via[0][1] if self.via else self.place).line


class Waiting(msgspec.Struct, frozen=True):
    """A change that waits for a commit: of which object, None for one that is not known.

    `slight`: it says when the object was last changed, or that it refers to nothing any more. `missing` is what was looked
    for in place of a new object, and not found. `handed` is the parameter that was put into the session, if it was one.
    """

    root: Value | None
    slight: bool = False
    missing: Value | None = None
    handed: str = ""


class Path(msgspec.Struct, frozen=True):
    """What has been written on the way; `open` inside of a transaction begun by hand; `pending` awaits a
    commit, `made` says that there is a new row in it.

    `alone` are statements that commit themselves unless a commit follows; `known` is what the conditions passed have
    shown, `given` what they would; `clean` are objects that a helper was given that commits, and that nothing has changed
    since. `stirred`: something was called that may have changed rows unseen; `sent`: something was sent, that nobody takes
    back; `nested`: inside of a savepoint made by hand, which the next commit ends. `needed` is what has to turn out so for
    what follows to be done; `not_found` is what was looked for, in what is done if it is not there.
    """

    writes: tuple[Write, ...] = ()
    open: bool = False
    made: bool = False
    pending: tuple[Waiting, ...] = ()
    labels: tuple[str, ...] = ()
    alone: tuple[Write, ...] = ()
    known: Conditions = ()
    given: Conditions = ()
    clean: tuple[Value, ...] = ()
    stirred: bool = False
    sent: bool = False
    nested: bool = False
    needed: Conditions = ()
    not_found: tuple[Value, ...] = ()

    @property
    def needs(self) -> tuple[tuple[str, Value], ...]:
        """What the parameters have to be to come here."""
        return tuple((name, value) for subject, value in self.needed if (name := _param(subject)))

    @property
    def weight(self) -> tuple[int, int, int, int]:
        """How much speaks against the path, to tell the worst of several."""
        alone = [write for write in self.writes if not write.units]
        counted = sum(write.kind != "ensure" for write in self.writes)
        several = (strength((*alone, *self.alone)), counted + len(self.alone), len(self.writes))
        return (*several, len(self.pending))

    def add(self, writes: Iterable[Write]) -> Path:
        """The path with more writes on it."""
        known = {(write.place, write.via) for write in self.writes}
        new = tuple(write for write in writes if (write.place, write.via) not in known)
        return replace(self, writes=(*self.writes, *new)[:MOST])


EMPTY = Path()


def strength(writes: Iterable[Write]) -> int:
    """How many writes a path has that leave a partial state between them.

    Only writes to one database can be in one transaction. Writes of one object count once, a repeated one twice; what only
    makes sure that a row exists does no harm alone.
    """
    by_store: dict[str, list[Write]] = {}
    for write in unless_missing(writes):
        by_store.setdefault(write.store, []).append(write)
    # Of a session that is only known as such nobody can tell that it is another one.
    return max(
        (_together([w for s in by_store if _same(s, store) for w in by_store[s]]) for store in by_store), default=0
    )


def unless_missing(writes: Iterable[Write]) -> list[Write]:
    """The writes, those left out that only make what was looked for and not found, and nothing else with it.

    The next try finds it, and goes on: `order = find() or make()`, written out. What else is written because it was not
    found would not come again.
    """
    found = list(writes)
    alone = Counter(subject for write in found if write.kind != "ensure" for subject in write.under)
    return [write for write in found if write.missing is None or alone[write.missing] > 1]


def _same(store: str, other: str) -> bool:
    return (
        not store
        or not other
        or (
            store.partition(" ")[0] == other.partition(" ")[0]
            and (store == other or not (" " in store and " " in other))
        )
    )


def _together(writes: Iterable[Write]) -> int:
    roots: set[Value] = set()
    committed: set[Value | None] = set()
    count = 0
    for write in writes:
        if write.kind == "ensure" or write.bare or (write.rows and committed.issuperset(write.rows)):
            continue
        committed.update(row for row in write.rows if row is not None)
        if len(write.rows) > 1:
            count += 2 if write.repeated else 1
        elif write.root is not None:
            may_be = set(write.root.options) if isinstance(write.root, v.Choice) else {write.root}
            may_be = {plain(one) for one in may_be}
            count += may_be.isdisjoint(roots)
            roots |= may_be
        else:
            count += 2 if write.repeated else 1
    return count


def worst(paths: Iterable[Path | None]) -> Path | None:
    """The path on which most is written."""
    live = [path for path in paths if path is not None]
    return max(live, key=lambda path: path.weight) if live else None


def _param(value: Value) -> str:
    inner = v.bare(value)
    return inner.name if isinstance(inner, v.Param) else ""
