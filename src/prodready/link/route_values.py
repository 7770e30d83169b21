"""Arguments of calls that declare routes: texts, lists of methods, and the forms that the knowledge gives to calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product

from msgspec.structs import replace

from prodready.knowledge_form import Effect, Places, RouteForm
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.holders import is_settings
from prodready.link.labels import Labels
from prodready.link.program import ClassSymbol, LibrarySymbol, Symbol
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value

MAX_DEPTH = 12
HOLE = "{_}"
MANY_TEXTS = 60


class RouteValues:
    """Reads arguments."""

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.knowledge = reducer.knowledge

    def form(self, bound: Bound) -> tuple[RouteForm, Callee] | None:
        """What a call does to the routes, by the knowledge."""
        for callee in self.infer.callees(bound):
            if callee.effect is not None and callee.effect.route is not None:
                return self._by_shape(bound, callee) if callee.assumed else (callee.effect.route, callee)
            names = [callee.name] if callee.effect is not None else []
            if callee.cls is not None:
                names = [base for base in self.program.lineage(callee.cls) if isinstance(base, str)]
            for name in names:
                found = self.knowledge.route(name)
                if found is not None:
                    return found, callee
            effect = self._overridden(callee, bound)
            if effect is not None and effect.route is not None:
                return effect.route, replace(callee, effect=effect, function=None)
        return None

    def _by_shape(self, bound: Bound, callee: Callee) -> tuple[RouteForm, Callee]:
        """The form of a method whose receiver is known by its name only: of the library that has paths where one stands."""
        call, effect = bound.value, callee.effect
        assert isinstance(call, v.Call)
        assert effect is not None
        assert effect.route is not None
        target = v.bare(call.target)
        if self._is_path(call, effect.route) is not False or not isinstance(target, v.Attr):
            return effect.route, callee
        for entry in self.knowledge.types.values():
            other = entry.methods.get(target.name)
            if isinstance(other, Effect) and other.route is not None and self._is_path(call, other.route):
                return other.route, replace(callee, effect=other)
        return effect.route, callee

    def _is_path(self, call: v.Call, form: RouteForm) -> bool | None:
        """Whether what a call gives as a path begins like one; None where it is no constant."""
        given = self.argument(call, form.path)
        text = v.bare(given) if given is not None else None
        return text.value.startswith("/") if isinstance(text, v.Const) and isinstance(text.value, str) else None

    def _overridden(self, callee: Callee, bound: Bound) -> Effect | None:
        """What the knowledge says of the method that a method of the project stands in place of."""
        call = bound.value
        target = v.bare(call.target) if isinstance(call, v.Call) else None
        if callee.function is None or callee.type is None or not isinstance(target, v.Attr):
            return None
        base = v.bare(target.base)
        if isinstance(base, v.Op) and base.kind == "super":
            return None
        for library in self.infer.library_types(callee.type):
            effect = self.knowledge.method(library, target.name)
            if effect is not None:
                return effect
        return None

    def overrides(self, frame: Frame) -> bool:
        """Whether a function is a method in place of one that declares routes, so that its callers declare them."""
        cls = self.program.owner(frame.path, frame.function)
        name = frame.function.qualname.rpartition(".")[2]
        for base in self.program.lineage(cls) if cls is not None else ():
            if isinstance(base, str) and (effect := self.knowledge.method(base, name)) is not None:
                return effect.route is not None
        return False

    def effect(self, bound: Bound) -> Effect | None:
        """What the knowledge says of the function that a call reaches, or that a name stands for."""
        value = v.bare(bound.value)
        if isinstance(value, v.Call):
            return next((c.effect for c in self.infer.callees(bound.sub(value)) if c.effect is not None), None)
        symbol = self.infer.symbol_of(value, bound.frame)
        if isinstance(symbol, LibrarySymbol):
            return self.knowledge.function(symbol.name) or self.knowledge.object(symbol.name)
        if isinstance(value, v.Attr):
            kind = self.infer.type_of(bound.sub(value.base))
            for library in self.infer.library_types(kind):
                found = self.knowledge.method(library, value.name)
                if found is not None:
                    return found
        return None

    @staticmethod
    def argument(call: v.Call, places: Places, receiver: Value | None = None) -> Value | None:
        """The first argument that is given of those at `places`."""
        keywords = dict(call.keywords)
        for place in places:
            if place == "self" and receiver is not None:
                return receiver
            if isinstance(place, str) and place.endswith("*"):
                given = call.args[int(place[:-1] or 0) :]
                if given:
                    return v.seq(list(given), limit=v.MAX_TABLE)
            elif isinstance(place, str) and place in keywords:
                return keywords[place]
            elif isinstance(place, int) and place < len(call.args) and not any(map(v.is_star, call.args[: place + 1])):
                return call.args[place]
        return None

    def texts(self, bound: Bound, depth: int = 0) -> list[str]:
        """What a text may be, `{_}` in place of what is not known; empty for what is no text."""
        value = bound.value
        if depth > MAX_DEPTH:
            return [HOLE]
        match value:
            case v.Const():
                return [value.value] if isinstance(value.value, str) else []
            case v.Text():
                found = [""]
                for part in value.parts:
                    options = self.texts(bound.sub(part), depth + 1) or [HOLE]
                    found = [text + option for text in found for option in options][:MANY_TEXTS]
                return found
            case v.Op(kind="format") | v.Op(kind="%") | v.Op(kind="join") | v.Op(kind="replace"):
                return self._formatted(bound, value, depth)
            case v.Choice():
                return list(dict.fromkeys(t for o in value.options for t in self.texts(bound.sub(o), depth + 1)))
        reduced = self.reducer.step(bound)
        if reduced is None:
            known = self._default(bound)
            return known if known else [HOLE] if not isinstance(value, (v.Seq, v.Map)) else []
        return list(dict.fromkeys(t for inner, _ in reduced for t in self.texts(inner, depth + 1)))

    def _formatted(self, bound: Bound, value: v.Op, depth: int) -> list[str]:
        templates = self.texts(bound.sub(value.subject), depth + 1)
        if value.kind in {"format", "%"}:
            holes = r"\{[^{}]*\}" if value.kind == "format" else r"%[sdr]|%\(\w+\)s"
            given = [self.texts(bound.sub(a), depth + 1) or [HOLE] for a in value.args]
            out = []
            for template in templates:
                pieces = re.split(holes, template)
                for choice in islice(product(*given), MANY_TEXTS):
                    filled = (*choice, *[HOLE] * len(pieces))[: len(pieces) - 1]
                    out.append("".join(part for pair in zip(pieces, (*filled, ""), strict=True) for part in pair))
            return out
        return [HOLE]

    def _default(self, bound: Bound) -> list[str]:
        """The default of a setting: `settings.API_PREFIX` where it is a field with a default."""
        value = bound.value
        if not isinstance(value, v.Attr):
            return []
        if value.name.isupper() and last_name(value.base) == "settings":
            return self._setting(value.name)
        kind = self.infer.type_of(bound.sub(value.base))
        for cls in self.program.lineage(kind.cls) if kind is not None and kind.cls is not None else ():
            if isinstance(cls, ClassSymbol):
                for inner in self.infer.attribute_values(cls, value.name):
                    if isinstance(inner.value, v.Const) and isinstance(inner.value.value, str):
                        return [inner.value.value]
        return []

    def _setting(self, name: str) -> list[str]:
        """The texts that modules of settings bind to a name."""
        found: list[str] = []
        for path in self.program.outlines:
            facts = self.program.facts(path) if is_settings(path) else None
            if facts is not None and name in facts.values:
                found += self.texts(Bound(facts.values[name], self.module(path)), MAX_DEPTH - 2)
        return [text for text in dict.fromkeys(found) if HOLE not in text]

    def words(self, bound: Bound, depth: int = 0) -> list[str]:
        """The texts in a list, a tuple or a set, or the text that stands in its place."""
        found: list[str] = []
        if depth > MAX_DEPTH:
            return found
        for leaf in self.reducer.leaves(bound):
            if isinstance(leaf.value, v.Seq):
                for item in leaf.value.items:
                    inner = item.subject if isinstance(item, v.Op) and item.kind == "star" else item
                    found += self.words(leaf.sub(inner), depth + 1)
            elif isinstance(leaf.value, v.Const) and isinstance(leaf.value.value, str):
                found.append(leaf.value.value)
            elif isinstance(leaf.value, v.Attr):  # http.HTTPMethod.GET, HttpMethod.POST
                found.append(leaf.value.name)
        return found

    def named(self, text: str, path: str) -> Symbol | None:
        """What a text such as `shop.views.index` names, seen from a file."""
        symbol = self.program.resolve(text.replace(":", "."), path) if text and not text.startswith(".") else None
        return None if isinstance(symbol, LibrarySymbol) else symbol

    def elements(self, bound: Bound, depth: int = 0) -> Iterator[Bound]:
        """The elements of a list, a tuple or a set; what is no such thing by itself."""
        if depth > MAX_DEPTH:
            return
        for leaf in self.reducer.leaves(bound):
            if isinstance(leaf.value, v.Seq):
                for item in leaf.value.items:
                    if isinstance(item, v.Op) and item.kind == "star":
                        yield from self.elements(leaf.sub(item.subject), depth + 1)
                    else:
                        yield leaf.sub(item)
            elif isinstance(leaf.value, v.Mark):
                yield from self.elements(leaf.sub(leaf.value.value), depth + 1)
            else:
                yield leaf

    def module(self, path: str) -> Frame:
        """The frame of a file's module code."""
        return self.infer.module_frame(path)
