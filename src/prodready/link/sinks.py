"""Calls that take a value somewhere: into a library's sink, or into a function of the project that leads there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from prodready.finding import Location, Step
from prodready.knowledge import Knowledge
from prodready.knowledge_form import Effect
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.given import from_call
from prodready.link.infer import Inference
from prodready.link.scope import MAX_CHAIN, Scope
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import CallFact, Span, last_name
from prodready.read.values import Value


class SinkCall(msgspec.Struct, frozen=True):
    """A call whose callee the knowledge calls a sink."""

    frame: Frame
    fact: CallFact
    callee: Callee
    effect: Effect

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return place(self.frame.path, self.fact.span)

    def arguments(self) -> Iterator[tuple[str, Bound]]:
        """The arguments that flow into the sink, with the keyword they are given under."""
        seen: list[Value] = []
        for position in self.effect.at:
            if position == "**":
                for key, value in self.fact.value.keywords:
                    yield key, Bound(value, self.frame)
                continue
            for value in argument_values(self.fact.value, position):
                if not any(value is other for other in seen):
                    seen.append(value)
                    yield position if isinstance(position, str) and position != "*" else "", Bound(value, self.frame)


class Arrival(msgspec.Struct, frozen=True):
    """A value on its way into a sink: at the sink itself, or at a call that hands it to a helper which leads there.

    `onward` are the steps from this call to the sink; `assumed` says that one of them was concluded from a name.
    """

    bound: Bound
    frame: Frame
    fact: CallFact
    sink: SinkCall
    onward: tuple[Step, ...]
    assumed: bool
    keyword: str = ""

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return place(self.frame.path, self.fact.span)


def place(path: str, span: Span) -> Location:
    """A span as a location."""
    return Location(path, span.line, span.column, span.end_line, span.end_column)


def trace(
    source: Bound, says: str, trail: Sequence[Step], location: Location, onward: Sequence[Step]
) -> tuple[Step, ...]:
    """The way from a source to a sink: where the source stands, what it went through on its way to `location`, the rest.

    `says` is the text for the source, `trail` its steps, the last one first.
    """
    value = source.value
    if isinstance(value, v.Call) and value.line:
        location = Location(source.frame.path, value.line, value.column)
    elif trail:
        return (*reversed(trail), *onward)
    return (Step(location, says), *reversed(trail), *onward)


def shown_callee(fact: CallFact) -> str:
    """The callee in the words of the source, shortened: `self.db.execute`, `order.lines.filter(…).delete`."""
    return shown_value(fact.value.target) or fact.name


def shown_value(value: Value) -> str:
    """A name, an attribute, an element or a call in the words of the source, shortened; empty for what has no name."""
    parts: list[str] = []
    called = ""
    while True:
        if isinstance(value, v.Attr):
            parts.append(f".{value.name}{called}")
            value, called = value.base, ""
        elif isinstance(value, v.Item):
            key = v.bare(value.key)
            parts.append(f"[{key.value!r}]{called}" if isinstance(key, v.Const) else f"[…]{called}")
            value, called = value.base, ""
        elif isinstance(value, v.Call):
            called = "(…)" if value.args or value.keywords else "()"
            value = value.target
        elif isinstance(value, (v.Named, v.Param, v.Ref)):
            parts.append(value.name.lstrip(":.") + called)
            break
        else:
            break
    return "".join(reversed(parts)).lstrip(".")


def sink_names(knowledge: Knowledge, kinds: Iterable[str]) -> frozenset[str]:
    """The last names of all calls that may be a sink of one of `kinds`."""
    wanted = frozenset(kinds)
    found: set[str] = set()
    for name, effect in knowledge.functions.items():
        if effect.sink in wanted:
            found.add(name.rpartition(".")[2])
    for entry in knowledge.types.values():
        for name, member in entry.methods.items():
            if isinstance(member, Effect) and member.sink in wanted:
                found.add(name)
    return frozenset(found)


def sink_calls(infer: Inference, kinds: frozenset[str], scope: Scope | None) -> Iterator[SinkCall]:
    """All calls in the project that are sinks of one of `kinds`, file by file; in a scope, those that can matter there."""
    names = sink_names(infer.knowledge, kinds)
    for path, outline in infer.program.outlines.items():
        if scope is not None and not scope.has_file(path):
            continue
        if names.isdisjoint(outline.calls) and names.isdisjoint(outline.aliases):
            continue
        facts = infer.program.facts(path)
        if facts is None:
            continue
        # A method may be bound under a name of its own: `say = logger.info`.
        here = names | {name for name, value in facts.values.items() if _is_alias(value, names)}
        for qualname, called in facts.called.items():
            if here.isdisjoint(called) or (scope is not None and not scope.hands_on(path, qualname, here)):
                continue
            function = facts.functions[qualname]
            frame = Frame(path, function)
            for fact in function.calls:
                if fact.name not in here:
                    continue
                for callee in infer.callees(Bound(fact.value, frame)):
                    if callee.effect is not None and callee.effect.sink in kinds:
                        yield SinkCall(infer.at(frame, fact) or frame, fact, callee, callee.effect)
                        break


def _is_alias(value: Value, names: frozenset[str]) -> bool:
    value = v.bare(value)
    if isinstance(value, v.Call):
        return last_name(value) == "partial" and bool(value.args) and last_name(value.args[0]) in names
    return isinstance(value, (v.Attr, v.Ref)) and last_name(value) in names


def arrivals(sink: SinkCall) -> Iterator[Arrival]:
    """The values that go into a sink at the sink itself."""
    onward = (Step(sink.location, f"`{shown_callee(sink.fact)}()` is the sink"),)
    for keyword, bound in sink.arguments():
        for part in _fragments(bound) if sink.effect.sink == "sql-fragment" else (bound,):
            yield Arrival(part, sink.frame, sink.fact, sink, onward, sink.callee.assumed, keyword)


def _fragments(bound: Bound) -> Iterator[Bound]:
    """The texts in a list or dictionary of fragments of SQL."""
    value = v.bare(bound.value)
    if isinstance(value, v.Seq):
        yield from map(bound.sub, value.items)
    elif isinstance(value, v.Map):
        yield from (bound.sub(inner) for _, inner in value.items)
    else:
        yield bound


def callers_of(infer: Inference, arrival: Arrival, parameter: str, scope: Scope | None) -> Iterator[Arrival]:
    """The same value one call earlier: at the calls that pass it as `parameter` of the function `arrival` stands in."""
    frame = arrival.frame
    if len(arrival.onward) > MAX_CHAIN:
        return
    for site in infer.callers(frame.path, frame.function.qualname, scope):
        argument = site.arguments.get(parameter)
        if argument is None or argument.frame.key != site.frame.key:
            continue
        argument = from_call(frame, argument, site.arguments)
        if argument is None:
            continue
        here = place(site.frame.path, site.fact.span)
        step = Step(here, f"passed as `{parameter}` to `{frame.function.qualname}()`")
        yield Arrival(
            argument,
            site.frame,
            site.fact,
            arrival.sink,
            (step, *arrival.onward),
            arrival.assumed or site.assumed,
            parameter,
        )
