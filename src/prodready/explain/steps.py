"""What a value is at each step of a finding's trace."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from prodready.explain.words import Words, in_words, is_text, shown_text
from prodready.finding import Step
from prodready.link.frames import Bound, Frame
from prodready.link.reduce import describe
from prodready.link.sinks import SinkCall
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts

QUOTED = re.compile(r"`(\w+)`")


@dataclass
class _Places:
    """What stands where in a file, by line and column."""

    named: dict[tuple[int, int], Bound] = field(default_factory=dict)
    calls: dict[tuple[int, int], list[tuple[Frame, CallFact]]] = field(default_factory=dict)
    functions: dict[int, Frame] = field(default_factory=dict)


class Steps:
    """Describes the steps of traces through one program. `asking` are the kinds of sink that rules ask for."""

    def __init__(self, words: Words, asking: Collection[str]) -> None:
        self.speech = words
        self.linked = words.linked
        self.asking = asking
        self._places: dict[str, _Places] = {}

    def words_of(self, bound: Bound) -> str:
        """A value with what is known of it, a text with what it is put together of."""
        value = v.bare(bound.value)
        if is_text(value):
            return f"text: {shown_text(bound, self.linked.texts().alternatives(bound)[0])}"
        return self.speech.value(bound)

    def words(self, step: Step) -> tuple[str, ...]:
        """What the value is at a step, as far as something stands there that the program knows."""
        found = self._found(step.location.path)
        at = (step.location.line, step.location.column)
        names = QUOTED.findall(step.message)
        named = found.named.get(at)
        if named is not None and isinstance(named.value, v.Named):
            inner = named.sub(named.value.value)
            shown = self.words_of(inner)
            labels = in_words(self.linked.reducer.labels(inner))
            if shown.startswith("`a value`"):
                return (f"`{named.value.name}`: {labels}",) if labels else ()
            return (f"`{named.value.name}` = {shown}",)
        said = [line for frame, fact in found.calls.get(at, ()) for line in self._of_call(frame, fact, names)]
        frame = found.functions.get(step.location.line)
        if not said and frame is not None:
            said = [self.speech.parameter(frame, name).message for name in names if frame.param(name) is not None]
        return tuple(dict.fromkeys(said))

    def _of_call(self, frame: Frame, fact: CallFact, names: Collection[str]) -> Iterator[str]:
        bound = Bound(fact.value, frame)
        labels = in_words(self.linked.reducer.effect(bound).labels)
        if labels:
            yield f"`{describe(fact.value)}`: {labels}"
        for callee in self.linked.infer.callees(bound):
            if callee.effect is not None and (callee.effect.sink in self.asking or callee.effect.keeps):
                sink = SinkCall(frame, fact, callee, callee.effect)
                shown = [self.words_of(given) for _, given in sink.arguments() if not isinstance(given.value, v.Const)]
                yield from (text for text in shown if ": " in text)
            elif callee.function is not None:
                given = dict(self.linked.infer.bind(callee, bound))
                for name in names:
                    if name in given:
                        value = self.words_of(given[name])
                        yield value if value.startswith(f"`{name}`") else f"`{name}` = {value}"

    def _found(self, path: str) -> _Places:
        if path not in self._places:
            self._places[path] = _Places()
            facts = self.linked.program.facts(path)
            for function in facts.functions.values() if facts else ():
                self._note(Frame(path, function), function, self._places[path])
        return self._places[path]

    def _note(self, frame: Frame, function: FunctionFacts, places: _Places) -> None:
        places.functions.setdefault(function.line, frame)
        waiting: list[v.Value] = [text.value for text in function.texts]
        waiting += [value for value in (function.returns, function.yields) if value is not None]
        for fact in function.calls:
            places.calls.setdefault((fact.span.line, fact.span.column), []).append((frame, fact))
            waiting.append(fact.value)
        seen: set[int] = set()
        while waiting:
            value = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, v.Named):
                places.named.setdefault((value.line, value.column), Bound(value, frame))
            waiting.extend(v.children(value))
