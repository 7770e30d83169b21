"""What is known of values and callees, in words for a person: why a value is harmless, what of it is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prodready.finding import Location, Note, Step
from prodready.knowledge import Knowledge, Sources, described_in
from prodready.link.frames import Bound, Callee, Frame, Type
from prodready.link.linked import Linked
from prodready.link.pieces import Hole, Piece, Safe
from prodready.link.program import LibrarySymbol
from prodready.link.reduce import SAFE_ATTRIBUTES, describe
from prodready.read import values as v
from prodready.read.facts import last_name

LONGEST = 160
"""Characters of a text that are shown."""

MOST = 4
"""Callers that are named one by one."""

LABELS = {
    "request": "request data",
    "headers": "the headers of the request",
    "cookies": "the cookies of the request",
    "body": "the body of the request",
    "environ": "from the environment",
    "settings": "from the settings",
    "number": "a number",
    "count": "a count",
    "boolean": "true or false",
    "constant": "one of a fixed set of constants",
    "allowed": "checked against what is allowed",
    "quoted": "quoted to stand in SQL",
    "placeholders": "a list of parameter markers",
    "hashed": "a hash",
    "redacted": "redacted",
    "secret": "a secret",
    "exception": "an exception",
    "filtered": "what a filter has left",
    "template": "a template string",
    "password-hash": "the hash of a password",
    "digest": "a digest",
    "encrypted": "encrypted",
    "database-error": "an error of the database",
    "not-found": "says that nothing was found",
    "cascade": "goes with what it refers to",
}
"""The labels of `knowledge_form.py`, and those that the reader gives, as a reader of the answer would put it."""

PASSED = re.compile(r"passed as `(?P<name>\w+)`")
DEEDS = {
    "write": "changes the database, at once unless a transaction is open",
    "write-sql": "changes the database if the statement is one that writes, at once unless a transaction is open",
    "ensure": "writes what is not there yet, so that doing it again does no harm",
    "stage": "changes what the next commit will write",
    "commit": "commits",
    "begin": "opens a transaction",
    "end": "ends a transaction",
    "rollback": "takes back what the transaction has done",
    "transaction": "opens a transaction",
    "savepoint": "opens a savepoint, inside of a transaction",
    "manages": "has the framework change the rows of a class in transactions of its own",
    "send": "tells somebody outside, which cannot be taken back",
}
"""The deeds of `knowledge_form.py` in words."""

STORES = {"row": "a row", "document": "a document", "file": "a file", "cookie": "a cookie", "session": "the session"}
"""The stores of `knowledge_form.py` that keep what they are given."""

PLAIN_METHODS = frozenset({*dir(str), *dir(list), *dir(dict), *dir(set)})
TEXT_OPERATIONS = frozenset({"%", "format", "format_map", "join", "replace", "substitute"})
KNOWLEDGE_HINT = "describe it in a knowledge file (docs/knowledge.md)"


def in_words(labels: Iterable[str]) -> str:
    """The labels as a phrase; nothing for none."""
    known = set(labels)
    return ", ".join(LABELS.get(label, label) for label in sorted(known - ({"count"} if "number" in known else set())))


def shown_text(bound: Bound, pieces: Iterable[Piece]) -> str:
    """The text `bound` on one line, given its pieces, each value by its name in braces: `SELECT * FROM {table}`."""
    texts = _named_texts(bound.value)
    shown = [piece if type(piece) is str else "{" + _local_name(piece, texts) + "}" for piece in pieces]
    whole = " ".join("".join(shown).split())
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST * 2 // 3]} … {whole[-LONGEST // 3 :]}"


def _named_texts(value: v.Value) -> set[tuple[int, int]]:
    """Where texts, put together of others, were stored under a name."""
    found: set[tuple[int, int]] = set()
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, v.Named) and any(map(is_text, v.children(current))):
            found.add((current.line, current.column))
        waiting.extend(v.children(current))
    return found


def is_text(value: v.Value) -> bool:
    """Whether a value is text put together of parts, on some path at least."""
    value = v.bare(value)
    if isinstance(value, v.Choice):
        return any(map(is_text, value.options))
    return isinstance(value, v.Text) or (isinstance(value, v.Op) and value.kind in TEXT_OPERATIONS)


def _local_name(piece: Piece, texts: set[tuple[int, int]]) -> str:
    """The name that a value has where the text is put together, or else the value itself."""
    assert isinstance(piece, (Hole, Safe))
    name = ""
    for step in piece.trail:
        if not step.message.startswith("assigned to `"):
            given = PASSED.match(step.message)
            name = name or (given["name"] if given else "")
            break
        if (step.location.line, step.location.column) not in texts:
            name = step.message[13:-1]
    return name or (piece.name if isinstance(piece, Hole) else name_of(piece.bound, piece.trail))


def name_of(bound: Bound, trail: tuple[Step, ...]) -> str:
    """What to call a value: by itself, or by the name it was last stored under."""
    shown = describe(bound.value)
    if shown in {"a value", "text"}:
        named = [step.message[13:-1] for step in trail if step.message.startswith("assigned to `")]
        return named[-1] if named else shown
    return shown


def about(name: str) -> str:
    """What a remark on a value begins with: its name, if it has one."""
    return "" if name in {"a value", "text"} else f"`{name}`: "


def origin(bound: Bound, trail: tuple[Step, ...]) -> Location | None:
    """Where a value comes from: its own place, or the last step of the way to it."""
    value = bound.value
    while isinstance(value, v.Mark):
        value = value.value
    if isinstance(value, (v.Call, v.Named, v.Op, v.Text)) and value.line:
        return Location(bound.frame.path, value.line, value.column)
    return trail[-1].location if trail else None


def is_known(callee: Callee) -> bool:
    """Whether a callee is of the project or described, be it only that its class is and the method is not worth a word."""
    return bool(callee.effect or callee.function or callee.cls or callee.type)


class Words:
    """Speaks of the values of one program. `sources` are the knowledge files that it was linked with."""

    def __init__(self, linked: Linked, sources: Sources) -> None:
        self.linked = linked
        self.infer = linked.infer
        self.reducer = linked.reducer
        self.knowledge: Knowledge = linked.knowledge
        self.sources = sources

    # Callees

    def callees(self, bound: Bound) -> list[str]:
        """What a call was resolved to; nothing where `unresolved_callee` has something to say."""
        call = bound.value
        assert isinstance(call, v.Call)
        found = [self.callee(callee) for callee in self.infer.callees(bound) if is_known(callee)]
        kind = self._described_receiver(bound.sub(call.target))
        if not found and kind is not None:
            found.append(self.callee(Callee(f"{kind.name}.{last_name(call)}", type=kind, assumed=kind.assumed)))
        if not found and self._holder(bound) is not None:
            found.append(f"`{last_name(call)}()` of a text or a collection, by its name")
        return list(dict.fromkeys(found))

    def _holder(self, bound: Bound) -> Bound | None:
        """What a call is made on of which nothing is known but that its method is one of texts and collections."""
        target = v.bare(bound.value.target) if isinstance(bound.value, v.Call) else None
        if not isinstance(target, v.Attr) or target.name not in PLAIN_METHODS or self.infer.callees(bound):
            return None
        base = bound.sub(target.base)
        return base if self.infer.type_of(base) is None and self.infer.symbol_of(target, bound.frame) is None else None

    def _described_receiver(self, bound: Bound) -> Type | None:
        """The type that a method is called on, if a knowledge file describes it."""
        target = v.bare(bound.value)
        kind = self.infer.type_of(bound.sub(target.base)) if isinstance(target, v.Attr) else None
        return kind if kind is not None and kind.cls is None and self.infer.is_described(kind.name) else None

    def callee(self, callee: Callee) -> str:
        """What a call was resolved to, and by which source of knowledge."""
        guess = ", by the name alone" if callee.assumed and not callee.name.startswith("*") else ""
        if callee.cls is not None:
            return f"the class `{callee.name}` of the project, {callee.cls.path}:{callee.cls.facts.line}{guess}"
        if callee.function is not None:
            return f"`{callee.name}()` of the project, {callee.function.path}:{callee.function.facts.line}{guess}"
        if callee.effect is None:
            return f"`{callee.name}()`{guess}, of which the knowledge says nothing: it counts for no source and no sink"
        member = callee.name.rpartition(".")[2]
        where = self._file(callee)
        if callee.name.startswith("*"):
            return f"any `.{member}()`, for want of the receiver's type; described in {where}"
        return f"`{callee.name.removesuffix('()')}()`, described in {where}{guess}"

    def _file(self, callee: Callee) -> str:
        kind, _, member = callee.name.rpartition(".")
        found = described_in(self.sources, callee.name.removesuffix("()"))
        for base in () if found else self.knowledge.lineage(kind) or [kind]:
            found = found or described_in(self.sources, base, member)
        return f"knowledge/{found.rpartition('/')[2]}" if "/knowledge/" in found else found or "the knowledge"

    def unresolved_callee(self, bound: Bound) -> Note | None:
        """Why nothing is known of what a call reaches; None where something is."""
        call = bound.value
        assert isinstance(call, v.Call)
        callees = self.infer.callees(bound)
        name = describe(call.target)
        place = Location(bound.frame.path, call.line, call.column) if call.line else None
        if callees:
            return None if is_known(callees[0]) else self._undescribed(callees[0].name, place)
        target = v.bare(call.target)
        if self._described_receiver(bound.sub(target)) is not None or self._holder(bound) is not None:
            return None
        if isinstance(target, v.Attr):
            owner = v.bare(target.base)
            if isinstance(owner, v.Call) and (first := self.unresolved_callee(bound.sub(owner))) is not None:
                return first  # all that follows in the chain is unknown for the same reason
            return self._unresolved_receiver(bound.sub(target), target, name, place)
        if isinstance(target, v.Param):
            return Note(f"`{name}()`: it is a parameter, whoever calls `{_function(bound.frame)}` decides", place)
        symbol = self.infer.symbol_of(target, bound.frame)
        if isinstance(symbol, LibrarySymbol):
            return self._undescribed(symbol.name, place)
        if name == "a value":
            return Note("what is called here is chosen at run time", place)
        return Note(f"what `{name}()` calls: the project defines nothing of that name that can be seen here", place)

    def _undescribed(self, name: str, place: Location | None) -> Note:
        message = f"`{name}()`: of a library, and no knowledge file describes it: it counts for no source and no sink"
        return Note(message, place, f'if it is one, {KNOWLEDGE_HINT}: `[functions] "{name}" = ...`')

    def _unresolved_receiver(self, bound: Bound, target: v.Attr, name: str, place: Location | None) -> Note:
        owner = describe(target.base)
        kind = self.infer.type_of(bound.sub(target.base))
        if kind is None:
            symbol = self.infer.symbol_of(target.base, bound.frame)
            if isinstance(symbol, LibrarySymbol):
                return self._undescribed(f"{symbol.name}.{target.name}", place)
            hint = f"annotate `{owner}` with its class" if isinstance(target.base, (v.Param, v.Named, v.Attr)) else ""
            return Note(f"`{name}()`: the receiver `{owner}` is of unknown type", place, hint)
        if kind.cls is not None:
            where = f"neither `{kind.cls.facts.qualname}` nor a base of it in the project defines `{target.name}`"
            return Note(f"`{name}()`: {where}", place)
        hint = f'{KNOWLEDGE_HINT}: `[types."{kind.name}"]`, `methods.{target.name} = ...`'
        return Note(f"`{name}()`: no knowledge file describes `{kind.name}`", place, hint)

    # Values

    def value(self, bound: Bound) -> str:
        """A value and what is true of it: `` `request.args['q']`: request data ``."""
        labels = in_words(self.reducer.labels(bound))
        kind = self.infer.type_of(bound)
        known = labels or (f"a `{kind.name}`" if kind is not None and not kind.assumed else "")
        return f"`{describe(bound.value)}`" + (f": {known}" if known else "")

    def because(self, piece: Safe) -> str:
        """Why a value cannot hold text of somebody's choice."""
        bound = piece.bound
        value = v.bare(bound.value)
        if piece == "0":
            return "formatted as a number"
        match value:
            case v.Op(kind="after") | v.Op(kind="if") if isinstance(value.args[0], v.Call):
                return f"checked by `{describe(value.args[0].target)}()`"
            case v.Op(kind="in") | v.Op(kind="test"):
                return "a comparison, no text"
            case v.Seq() | v.Map():
                return "made of constants only"
            case v.Mark():
                if "allowed" in value.labels:
                    return "checked before: it is one of the values that are allowed"
                return f"checked before: {in_words(value.labels)}"
            case v.Attr() if value.name in SAFE_ATTRIBUTES:
                return "a name that stands in the code"
        labels = in_words(self.reducer.labels(bound))
        by = ""
        if isinstance(value, v.Call) and self.reducer.effect(bound).labels:
            callee = self.infer.callees(bound)[0]
            by = f", by {self.callee(callee)}"
        elif isinstance(value, v.Param):
            by = ", by its annotation or its route"
        return f"{labels}{by}" if labels else "a name or a value that stands in the code"

    def hole(self, hole: Hole) -> tuple[Note, bool]:
        """What there is to say of a hole in a text, and whether it is a hole for want of knowledge."""
        name, place = name_of(hole.bound, hole.trail), origin(hole.bound, hole.trail)
        judged = self.judged_call(hole.bound)
        if judged:
            return Note(f"`{name}`: SQL that is judged where `{judged}()` is called", place), False
        if hole.kind == "request" and hole.assumed:
            return Note(f"`{name}`: request data goes into it, and what it makes of that is not known", place), True
        if hole.kind == "request":
            return Note(f"`{name}`: request data", place), False
        return self.open_value(hole.bound, hole.trail)

    def judged_call(self, bound: Bound) -> str:
        """The call of a sink for SQL that a value is the result of, by itself or by methods of it; nothing for others."""
        value = v.bare(bound.value)
        while isinstance(value, v.Call):
            if self.reducer.effect(bound.sub(value)).sink.startswith("sql"):
                return describe(value.target)
            target = v.bare(value.target)
            value = v.bare(target.base) if isinstance(target, v.Attr) else v.UNKNOWN
        return ""

    def open_value(self, bound: Bound, trail: tuple[Step, ...] = ()) -> tuple[Note, bool]:
        """What there is to say of a value that nothing makes harmless, and whether that is for want of knowledge."""
        name, place = name_of(bound, trail), origin(bound, trail)
        labels = self.reducer.labels(bound)
        if labels:
            return Note(f"`{name}`: {in_words(labels)}", place), False
        kind = self.infer.type_of(bound)
        if kind is not None and kind.cls is None and "." in kind.name and not kind.assumed:
            return Note(f"`{name}`: a `{kind.name}`, no text", place), False
        value = v.bare(bound.value)
        match value:
            case v.Call():
                holder = self._holder(bound.sub(value))
                if holder is not None:
                    inside, unknown = self.open_value(holder)
                    return Note(f"`{name}`, made of {inside.message}", inside.location, inside.hint), unknown
                return self.unresolved_callee(bound.sub(value)) or self._result(bound.sub(value), value, name), True
            case v.Param():
                return self.parameter(bound.frame, value.name), True
            case v.Attr():
                return self._attribute(bound, value, name, place), True
            case v.Item():
                inside, unknown = self.open_value(bound.sub(value.base))
                if unknown:
                    return Note(f"`{name}`, an entry of {inside.message}", place or inside.location, inside.hint), True
                return Note(f"`{name}`: which entry it is, and what it holds", place), True
            case v.Op(kind="each") | v.Op(kind="enter"):
                return Note(f"`{name}`: what is in `{describe(value.subject)}`", place), True
            case v.Ref():
                return Note(f"`{name}`: where it gets its value", place), True
        return Note(f"{about(name) or 'a value: '}it is computed in a way that is not followed", place), True

    def _result(self, bound: Bound, call: v.Call, name: str) -> Note:
        callees = self.infer.callees(bound)
        place = Location(bound.frame.path, call.line, call.column) if call.line else None
        message = f"what `{name}` gives: {'; '.join(self.callees(bound))}"
        own = bool(callees) and callees[0].function is not None
        return Note(message, place, "annotate what it returns" if own else "")

    def _attribute(self, bound: Bound, value: v.Attr, name: str, place: Location | None) -> Note:
        kind = self.infer.type_of(bound.sub(value.base))
        if kind is None:
            owner = describe(value.base)
            return Note(f"`{name}`: `{owner}` is of unknown type", place, f"annotate `{owner}` with its class")
        if kind.cls is not None:
            where = f"{kind.cls.path}:{kind.cls.facts.line}"
            return Note(f"`{name}`: what an instance of `{kind.cls.facts.qualname}` ({where}) holds there", place)
        return Note(f"`{name}`: what `{kind.name}` holds there", place)

    def parameter(self, frame: Frame, name: str) -> Note:
        """Who gives a parameter its value."""
        place = Location(frame.path, frame.function.line)
        sites = self.infer.callers(frame.path, frame.function.qualname)
        if not sites:
            hint = "annotate it, if its class makes it harmless"
            return Note(
                f"`{name}`: a parameter of `{_function(frame)}`, which nothing in the project calls", place, hint
            )
        passed = []
        for site in sites[:MOST]:
            argument = site.arguments.get(name)
            what = f"`{describe(argument.value)}`" if argument is not None else "nothing"
            passed.append(f"{site.frame.path}:{site.fact.span.line} passes {what}")
        more = f", and {len(sites) - MOST} more" if len(sites) > MOST else ""
        return Note(f"`{name}`: a parameter of `{_function(frame)}`: {', '.join(passed)}{more}", place)


def _function(frame: Frame) -> str:
    return f"{frame.function.qualname}()" if frame.function.qualname != "<module>" else "the module"
