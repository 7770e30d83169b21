"""What the calls on a line are taken for, which sinks they lead to, and what is known of the values that flow there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prodready.explain.words import DEEDS, STORES, Words, about, in_words, is_text, name_of, origin, shown_text
from prodready.finding import CallNote, Location, Note
from prodready.link.frames import Bound, Frame
from prodready.link.pieces import Hole, Piece, Safe
from prodready.link.reduce import describe
from prodready.link.secret_looks import HARMLESS, Leak
from prodready.link.sinks import SinkCall, place, shown_callee
from prodready.link.slots import is_quoted
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name

DEEPEST = 4
"""Calls of project functions that are entered inside one another to look for sinks."""

BUDGET = 400
"""Calls looked at behind one call."""

TEXTS = 3
"""Alternatives of a text that are shown."""

MOST = 5
"""Sinks that a call leads to which are told."""

NO_CALLS = frozenset({"operator.eq", "operator.setitem", "setattr"})
"""What the reader notes for things that are no calls in the source: comparisons and assignments."""


@dataclass
class _Found:
    """What is found out about one call."""

    sinks: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    safe: dict[Note, None] = field(default_factory=dict)
    open: dict[Note, None] = field(default_factory=dict)
    unresolved: dict[Note, None] = field(default_factory=dict)


class Calls:
    """Explains calls of one program.

    `asking` names the rules that ask for a kind of sink; `source` gives the text that stands at a span of a file.
    """

    def __init__(self, words: Words, asking: Mapping[str, tuple[str, ...]], source: Callable[[Location], str]) -> None:
        self.words = words
        self.linked = words.linked
        self.infer = words.infer
        self.asking = asking
        self.source = source

    def is_call(self, frame: Frame, fact: CallFact) -> bool:
        """Whether it is a call in the source, and not what a comparison or an assignment amounts to."""
        name = v.dotted(fact.value.target)
        return name not in NO_CALLS or self.source(place(frame.path, fact.span)).startswith(f"{name}(")

    def name(self, fact: CallFact) -> str:
        """The call in the words of the source, shortened."""
        return f"{shown_callee(fact)}()"

    def leads_to_sink(self, frame: Frame, fact: CallFact) -> bool:
        """Whether the call is a sink that a rule asks for, or leads to one."""
        return any(True for _ in self._sinks(frame, fact))

    def note(self, frame: Frame, fact: CallFact) -> CallNote:
        """All there is to say of a call."""
        bound = Bound(fact.value, frame)
        found = _Found()
        lacking = self.words.unresolved_callee(bound)
        if lacking is not None:
            found.unresolved[lacking] = None
        effect = self.linked.reducer.effect(bound)
        if effect.sink and effect.sink not in self.asking:
            found.sinks["not a sink" if effect.sink == "none" else f"a sink of kind `{effect.sink}`: no rule asks"] = (
                None
            )
        if effect.does:
            found.sinks[DEEDS.get(effect.does, f"does: {effect.does}")] = None
        if effect.keeps in STORES:
            found.sinks[f"keeps what it is given in {STORES[effect.keeps]}"] = None
        for sink in self._sinks(frame, fact):
            self._sink(sink, direct=sink.fact is fact, found=found)
        if not found.sinks and (gives := in_words(effect.labels)):
            found.open[Note(f"what it gives is {gives}")] = None
        return CallNote(
            self.name(fact),
            place(frame.path, fact.span),
            tuple(self.words.callees(bound)),
            tuple(found.sinks),
            tuple(found.texts),
            tuple(found.safe),
            tuple(found.open),
            tuple(found.unresolved),
        )

    def _sinks(self, frame: Frame, fact: CallFact) -> Iterator[SinkCall]:
        """The sinks that a rule asks for: the call itself, or calls in the functions of the project that it enters."""
        budget = BUDGET
        waiting = [(frame, fact, 0)]
        seen = {frame.key}
        while waiting and budget:
            budget -= 1
            inside, call, depth = waiting.pop(0)
            bound = Bound(call.value, inside)
            for callee in self.infer.callees(bound):
                if callee.effect is not None:
                    if callee.effect.sink in self.asking:
                        yield SinkCall(inside, call, callee, callee.effect)
                        break
                    continue
                function = callee.function
                if function is None or depth >= DEEPEST:
                    continue
                key = (function.path, function.facts.qualname)
                entered = self.infer.enter(callee, bound) if key not in seen else None
                if entered is not None:
                    seen.add(key)
                    waiting += [(entered, inner, depth + 1) for inner in function.facts.calls]

    def _sink(self, sink: SinkCall, *, direct: bool, found: _Found) -> None:
        kind = sink.effect.sink
        asked = ", ".join(self.asking[kind])
        given = list(sink.arguments())
        if direct:
            nothing = "" if given else "; nothing goes in here"
            found.sinks[f"a sink of kind `{kind}`, which {asked} asks for{nothing}"] = None
        else:
            where = f"{sink.location.path}:{sink.location.line}"
            given = [(key, bound) for key, bound in given if _from_outside(bound)]
            if not given or len(found.sinks) >= MOST:
                return
            found.sinks[f"leads to `{shown_callee(sink.fact)}()`, {where}: a sink of kind `{kind}` ({asked})"] = None
        for key, bound in given:
            if kind.startswith("sql"):
                self._sql(bound, found)
            else:
                self._logged(key, bound, found)
        if kind.startswith("sql") and direct:
            self._bound_parameters(sink, found)

    # SQL

    def _sql(self, bound: Bound, found: _Found) -> None:
        reader = self.linked.texts()
        alternatives = reader.alternatives(bound)
        for pieces in alternatives[:TEXTS]:
            shown = shown_text(bound, pieces)
            if shown != "{a value}" and not self._is_judged_elsewhere(pieces):
                found.texts[f"SQL: {shown}"] = None
            for piece in pieces:
                if isinstance(piece, Safe):
                    name = name_of(piece.bound, piece.trail)
                    note = Note(about(name) + self.words.because(piece), origin(piece.bound, piece.trail))
                    found.safe[note] = None
                elif isinstance(piece, Hole):
                    if piece.escaped == "'" or is_quoted(pieces, piece):
                        found.safe[Note(f"`{piece.name}`: its quotes {piece.escaped} are doubled")] = None
                    note, unknown = self.words.hole(piece)
                    (found.unresolved if unknown else found.open)[note] = None
        if len(alternatives) > TEXTS:
            found.texts[f"and {len(alternatives) - TEXTS} more texts, by the path taken"] = None
        if not any(isinstance(piece, (Safe, Hole)) for pieces in alternatives for piece in pieces):
            found.safe[Note("the text is made of constants only")] = None
        self._told_by_callers(reader.asked, alternatives, found)
        if reader.exhausted:
            found.unresolved[Note("the text is too large, or nested too deeply, to be followed to its end")] = None

    def _is_judged_elsewhere(self, pieces: Sequence[Piece]) -> bool:
        """Whether a text is nothing but what another sink gives: `execute(text(...))`."""
        return len(pieces) == 1 and isinstance(pieces[0], Hole) and bool(self.words.judged_call(pieces[0].bound))

    def _told_by_callers(
        self, asked: Iterable[tuple[str, str, str]], texts: Sequence[Sequence[Piece]], found: _Found
    ) -> None:
        """Parameters of which the callers told that they are harmless."""
        open_ = {(*p.bound.frame.key, p.name) for pieces in texts for p in pieces if isinstance(p, Hole)}
        wholes = {p.whole for pieces in texts for p in pieces if isinstance(p, Hole)}
        for path, qualname, name in asked:
            function = self.linked.program.function(path, qualname)
            if function is not None and (path, qualname, name) not in open_ and name not in wholes:
                note = self.words.parameter(Frame(path, function), name)
                found.safe[Note(f"{note.message}; all of that is harmless", note.location)] = None

    def _bound_parameters(self, sink: SinkCall, found: _Found) -> None:
        inside = [bound.value for _, bound in sink.arguments()]
        call = sink.fact.value
        for value in (*call.args, *(inner for _, inner in call.keywords)):
            if any(value is other for other in inside) or isinstance(v.bare(value), v.Const):
                continue
            what = self._contents(Bound(value, sink.frame))
            if what:
                found.safe[Note(f"{what}: given beside the text, bound as a parameter, never a part of it")] = None

    def _contents(self, bound: Bound) -> str:
        value = v.bare(bound.value)
        items: tuple[v.Value, ...] = (bound.value,)
        if isinstance(value, v.Seq):
            items = value.items
        elif isinstance(value, v.Map):
            items = tuple(inner for _, inner in value.items)
        shown = [
            f"`{shown_text(bound.sub(item), self.linked.texts().alternatives(bound.sub(item))[0])}`"
            if is_text(item)
            else self.words.value(bound.sub(item))
            for item in items
            if not isinstance(v.bare(item), v.Const)
        ]
        return "; ".join(dict.fromkeys(shown))

    # Logs

    def _logged(self, key: str, bound: Bound, found: _Found) -> None:
        secrets = self.linked.secrets
        for leak in secrets.given_as(key, bound):
            if isinstance(leak, Leak):
                weak = ", although the name often means something else" if leak.weak else ""
                found.open[Note(f"`{leak.name}`: taken for a secret{weak}", origin(leak.bound, leak.trail))] = None
        parts = list(_parts(bound, 0))
        for part in parts:
            self._logged_part(part, found)
        if not parts and not (found.safe or found.open or found.unresolved):
            found.safe[Note("made of constants only")] = None
        elif parts:
            found.safe.pop(Note("made of constants only"), None)

    def _logged_part(self, bound: Bound, found: _Found) -> None:
        name, where = describe(bound.value), origin(bound, ())
        labels = self.linked.reducer.labels(bound)
        value = v.bare(bound.value)
        if not HARMLESS.isdisjoint(labels):
            found.safe[Note(about(name) + in_words(labels & HARMLESS), where)] = None
        elif isinstance(value, v.Call) and self.linked.secrets.names.is_redactor(last_name(value)):
            found.safe[Note(f"`{name}`: what `{last_name(value)}()` makes of it is redacted, by its name", where)] = (
                None
            )
        elif any(isinstance(leak, Leak) for leak in self.linked.secrets.carried(bound)):
            return
        elif isinstance(value, v.Call) and (lacking := self.words.unresolved_callee(bound.sub(value))) is not None:
            found.unresolved[lacking] = None
        elif isinstance(value, v.Param) and not bound.frame.entered and not labels:
            note = self.words.parameter(bound.frame, value.name)
            found.safe[Note(f"{note.message}; its name is not that of a secret", note.location)] = None
        else:
            says = f" ({in_words(labels)})" if labels else ""
            found.safe[Note(f"`{name}`{says}: nothing says that it is a secret", where)] = None


def _parts(bound: Bound, depth: int) -> Iterator[Bound]:
    """The values that a text or a display is made of."""
    value = v.bare(bound.value)
    if isinstance(value, v.Const):
        return
    if depth < DEEPEST and isinstance(value, (v.Text, v.Seq, v.Map, v.Choice, v.Op)) and not _is_step(value):
        inner = [x for _, x in value.items] if isinstance(value, v.Map) else list(v.children(value))
        for part in inner:
            yield from _parts(bound.sub(part), depth + 1)
    else:
        argument = bound.frame.binding(value.name) if isinstance(value, v.Param) else None
        if argument is not None:
            yield from _parts(argument, depth)
        else:
            yield bound


def _is_step(value: v.Value) -> bool:
    return isinstance(value, v.Op) and value.kind not in {"%", "format", "join", "format_map", "star"}


def _from_outside(bound: Bound) -> bool:
    """Whether a value in an entered function is made of what the call hands over."""
    waiting = [bound.value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, v.Param) and value.name not in {"self", "cls"}:
            return True
        waiting.extend(v.children(value))
    return False
