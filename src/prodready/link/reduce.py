"""Values over all files: one step of looking behind a name, a call, an attribute or an element.

Every flow rule follows values through `Reducer.step`; what a leaf means is for the rule to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Location, Step
from prodready.link.frames import Bound, Frame, is_property
from prodready.link.given import bound_to, options
from prodready.link.infer import Inference
from prodready.link.injected import injected
from prodready.link.program import ClassSymbol, ValueSymbol
from prodready.read import values as v
from prodready.read.facts import ClassFacts
from prodready.read.values import Value

Reduced = tuple[Bound, "Step | None"]

MAX_NESTED = 8
"""Unpacked lists inside one another that are opened."""

WRAPPERS = {"list", "tuple", "set", "sorted", "reversed", "frozenset", "iter", "filter", "dict.fromkeys"}
SAFE_ATTRIBUTES = frozenset(
    {"__tablename__", "__name__", "__class__", "__module__", "__table__", "_meta", "__qualname__"}
)


class Reducer:
    """Follows values through a program. `Labels` adds what is known of them."""

    def __init__(self, infer: Inference) -> None:
        self.infer = infer
        self.program = infer.program
        self.knowledge = infer.knowledge
        self._given: dict[tuple[str, str], dict[str, Bound]] = {}

    def given(self, frame: Frame) -> dict[str, Bound]:
        """What decorators of the project give the parameters of a function."""
        if not frame.function.decorators:
            return {}
        if frame.key not in self._given:
            self._given[frame.key] = {}
            self._given[frame.key] = injected(self.infer, frame)
        return self._given[frame.key]

    def step(self, bound: Bound) -> list[Reduced] | None:
        """What the value may be, one step nearer to where it was made; None for a leaf."""
        value, frame = bound.value, bound.frame
        match value:
            case v.Named():
                return [(bound.sub(value.value), _step(frame, value.line, value.column, f"assigned to `{value.name}`"))]
            case v.Choice():
                return [(option, None) for option in options(bound)]
            case v.Free():
                outer = self.program.function(frame.path, value.owner)
                return [(Bound(value.value, Frame(frame.path, outer)), None)] if outer else None
            case v.Param():
                if frame.binding(value.name) is not None:
                    return [(argument, None) for argument in bound_to(frame, value.name)]
                if (argument := self.given(frame).get(value.name)) is not None:
                    says = f"`{value.name}` is given to `{frame.function.qualname}()` by a decorator"
                    return [(argument, _step(frame, frame.function.line, 1, says))]
                return None
            case v.Ref():
                return self._symbol(bound)
            case v.Attr():
                return self._symbol(bound) or self._attribute(bound, value)
            case v.Item():
                return self._item(bound, value)
            case v.Call():
                return self._call(bound)
            case v.Op(kind="each"):
                found = self.elements(bound.sub(value.subject))
                return [(element, None) for element in found] if found else None
            case v.Op(kind="enter"):
                return self._entered(bound, value)
            case v.Op(kind="without"):
                return self._without(bound, value)
            case v.Op(kind="typed"):
                return [(bound.sub(value.subject), None)]
        return None

    def leaves(self, bound: Bound, limit: int = 40) -> Iterator[Bound]:
        """The leaves that a value reduces to."""
        waiting = [bound]
        while waiting and limit:
            limit -= 1
            current = waiting.pop(0)
            reduced = self.step(current)
            if reduced is None and isinstance(current.value, v.Mark):
                reduced = [(current.sub(current.value.value), None)]
            if reduced is None and isinstance(current.value, v.Op) and current.value.kind in {"after", "if"}:
                reduced = [(current.sub(current.value.subject), None)]
            if reduced is None:
                yield current
            else:
                waiting.extend(inner for inner, _ in reduced)

    def _symbol(self, bound: Bound) -> list[Reduced] | None:
        symbol = self.infer.symbol_of(bound.value, bound.frame)
        if isinstance(symbol, ValueSymbol):
            if v.bare(symbol.value) == bound.value:
                return None
            module = self.infer.module_frame(symbol.path)
            if isinstance(symbol.value, v.Attr) and symbol.value == bound.value:
                return None
            return [(Bound(symbol.value, module), None)]
        return None

    def _attribute(self, bound: Bound, value: v.Attr) -> list[Reduced] | None:
        if value.name == "value" and (member := self._enum_member(bound.sub(value.base))):
            return [(member, None)]
        kind = self.infer.type_of(bound.sub(value.base))
        if kind is None or kind.cls is None:
            return None
        found: list[Reduced] = []
        for cls in self.program.lineage(kind.cls):
            if not isinstance(cls, ClassSymbol):
                continue
            method = self.program.function(cls.path, f"{cls.facts.qualname}.{value.name}")
            if method is not None:
                if is_property(method) and method.returns is not None:
                    frame = Frame(cls.path, method, depth=bound.frame.depth + 1, entered=True)
                    return [(Bound(method.returns, frame), None)] if frame.depth < 7 else None
                return None
            found += [
                (inner, None)
                for inner in self.infer.attribute_values(cls, value.name)
                if not _mentions(inner.value, value.name)
            ]
        if not found:  # what a base class leaves to its subclasses
            found = [
                (inner, None)
                for sub in self.program.subclasses(kind.cls)
                for inner in self.infer.attribute_values(sub, value.name)
                if not _mentions(inner.value, value.name)
            ]
        if found and self._is_field(kind.cls, value.name) and all(isinstance(b.value, v.Const) for b, _ in found):
            return None  # a default of a dataclass or model field is not what an instance holds
        return found or None

    def _is_field(self, cls: ClassSymbol, name: str) -> bool:
        bases = [base for base in self.program.lineage(cls) if isinstance(base, ClassSymbol)]
        return any(name in base.facts.annotations and not _is_class_variable(base.facts, name) for base in bases)

    def _enum_member(self, bound: Bound) -> Bound | None:
        name = v.dotted(v.bare(bound.value))
        symbol = self.program.resolve(name, bound.frame.path) if name else None
        if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), v.Const):
            return Bound(symbol.value, self.infer.module_frame(symbol.path))
        return None

    def _item(self, bound: Bound, value: v.Item) -> list[Reduced] | None:
        found: list[Reduced] = []
        for base in self.leaves(bound.sub(value.base), 12):
            inner = base.value
            if isinstance(inner, v.Map):
                hits = [x for k, x in inner.items if k == value.key or (k is not None and not isinstance(k, v.Const))]
                if not hits and not isinstance(v.bare(value.key), v.Const):
                    hits = [x for k, x in inner.items if k is not None]
                # What a `defaultdict` gives for all other keys.
                hits = hits or [x for k, x in inner.items if k is None and isinstance(x, v.Const)]
                found += [(base.sub(hit), None) for hit in hits]
            elif isinstance(inner, v.Seq):
                key = value.key
                if not inner.open and isinstance(key, v.Const) and _is_index(key.value, inner.items):
                    found.append((base.sub(inner.items[int(key.value or 0)]), None))
                else:
                    found += [(base.sub(x), None) for x in inner.items]
            else:
                return None
        return found or None

    def _call(self, bound: Bound) -> list[Reduced] | None:
        call = bound.value
        assert isinstance(call, v.Call)
        if isinstance(call.target, v.Attr) and call.target.name in {"get", "pop", "setdefault"} and call.args:
            found = self._item(bound, v.Item(call.target.base, call.args[0], 1))
            if found is not None:
                return found + [(bound.sub(default), None) for default in call.args[1:2]]
        for callee in self.infer.callees(bound):
            function = callee.function
            if function is None or callee.cls is not None:
                continue
            frame = self.infer.enter(callee, bound)
            if frame is None or function.facts.returns is None or function.facts.yields is not None:
                return None
            step = _step(bound.frame, call.line, call.column, f"result of `{callee.name}()`")
            return [(Bound(function.facts.returns, frame), step)]
        return None

    def _entered(self, bound: Bound, value: v.Op) -> list[Reduced] | None:
        for inner in self.leaves(bound.sub(value.subject), 6):
            if isinstance(inner.value, v.Call):
                for callee in self.infer.callees(inner):
                    frame = self.infer.enter(callee, inner)
                    if frame is not None and callee.function is not None and callee.function.facts.yields is not None:
                        return [(Bound(callee.function.facts.yields, frame), None)]
        return None

    def _without(self, bound: Bound, value: v.Op) -> list[Reduced] | None:
        found: list[Reduced] = []
        for base in self.leaves(bound.sub(value.subject), 6):
            if isinstance(base.value, v.Map):
                kept = [(k, x) for k, x in base.value.items if k != value.args[0]]
                found.append((base.sub(v.mapping(kept)), None))
        return found or None

    def elements(self, bound: Bound, depth: int = 0) -> list[Bound]:
        """What iterating a value gives; empty where nothing is known."""
        found: list[Bound] = []
        if depth > MAX_NESTED:
            return found  # `self.rows = [*self.rows, row]`
        for inner in self.leaves(bound, 16):
            value = inner.value
            if isinstance(value, v.Param):
                found += self._keyword_names(inner, value)
            elif isinstance(value, v.Seq):
                for one in value.items:
                    if isinstance(one, v.Op) and one.kind == "star":
                        found += self.elements(inner.sub(one.subject), depth + 1) or [
                            inner.sub(v.op("each", v.UNKNOWN))
                        ]
                    else:
                        found.append(inner.sub(one))
            elif isinstance(value, v.Map):
                found += [inner.sub(k) for k, _ in value.items if k is not None]
            elif isinstance(value, v.Const) and isinstance(value.value, str):
                found.append(inner)
            elif isinstance(value, v.Call):
                found += self._iterated_call(inner, value)
            elif isinstance(value, v.Op) and value.kind in {"repeat", "slice"}:
                found += self.elements(inner.sub(value.subject), depth + 1)
        return found

    def _keyword_names(self, bound: Bound, value: v.Param) -> list[Bound]:
        """What iterating `**options` gives, where every caller spells the names out."""
        param = bound.frame.param(value.name)
        if param is None or param.kind != "**" or bound.frame.entered:
            return []
        found: list[Bound] = []
        for site in self.infer.callers(*bound.frame.key):
            given = site.arguments.get(value.name)
            if given is None or not isinstance(given.value, v.Map) or any(k is None for k, _ in given.value.items):
                return []
            found += [given.sub(key) for key, _ in given.value.items if key is not None]
        return found

    def _iterated_call(self, bound: Bound, call: v.Call) -> list[Bound]:
        name = v.dotted(call.target) or ""
        if name in WRAPPERS and call.args:
            return self.elements(bound.sub(call.args[-1] if name == "filter" else call.args[0]))
        if name == "map" and len(call.args) == 2:
            mapped = [
                e.sub(v.call(call.args[0], (e.value,), (), call.line, call.column))
                for e in self.elements(bound.sub(call.args[1]))
                if e.frame is bound.frame
            ]
            fallback = v.call(call.args[0], (v.op("each", call.args[1]),), (), call.line, call.column)
            return mapped or [bound.sub(fallback)]
        if name == "range":
            return [bound.sub(v.NUMBER)]
        if name == "enumerate" and call.args:
            return [bound.sub(v.seq([v.NUMBER, v.op("each", call.args[0])]))]
        if name == "zip":
            return [bound.sub(v.seq([v.op("each", a) for a in call.args]))]
        if isinstance(call.target, v.Attr) and call.target.name in {"keys", "values", "items"}:
            found = []
            for base in self.leaves(bound.sub(call.target.base), 8):
                if isinstance(base.value, v.Map):
                    for key, value in base.value.items:
                        pair = {"keys": key, "values": value, "items": v.seq([key or v.UNKNOWN, value])}
                        chosen = pair[call.target.name]
                        found.append(base.sub(chosen if chosen is not None else v.UNKNOWN))
            return found
        if isinstance(call.target, v.Attr) and call.target.name == "copy":
            return self.elements(bound.sub(call.target.base))
        for callee in self.infer.callees(bound):
            frame = self.infer.enter(callee, bound)
            if frame is not None and callee.function is not None and callee.function.facts.yields is not None:
                return [Bound(callee.function.facts.yields, frame)]
        return []


def _is_class_variable(cls: ClassFacts, name: str) -> bool:
    annotation = v.bare(cls.annotations[name])
    wrapper = annotation.base if isinstance(annotation, v.Item) else annotation
    return (v.dotted(wrapper) or "").rpartition(".")[2] in {"ClassVar", "Final"}


def _is_index(key: object, items: tuple[Value, ...]) -> bool:
    return isinstance(key, int) and -len(items) <= key < len(items)


def _mentions(value: Value, attribute: str) -> bool:
    """Whether an attribute's value is made of its own former value (`self.sql = self.sql + ...`)."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, v.Attr) and current.name == attribute and current.base == v.Param("self"):
            return True
        waiting.extend(v.children(current))
    return False


def _step(frame: Frame, line: int, column: int, message: str) -> Step:
    return Step(Location(frame.path, line, column), message)


def describe(value: Value, depth: int = 0) -> str:
    """The value in the words of the source, shortened: `request.args['q']`, `name`, `load(...)`."""
    if depth > 4:
        return "…"
    match value:
        case v.Named() | v.Param():
            return value.name
        case v.Const():
            return repr(value.value)
        case v.Ref():
            return value.name.rpartition(".")[2].lstrip(":.")
        case v.Free() | v.Mark():
            return describe(value.value, depth)
        case v.Attr():
            return f"{describe(value.base, depth + 1)}.{value.name}"
        case v.Item():
            return f"{describe(value.base, depth + 1)}[{describe(value.key, depth + 1)}]"
        case v.Call():
            first = value.args[0] if value.args else v.UNKNOWN
            simple = isinstance(first, v.Const) or (len(value.args) == 1 and not value.keywords)
            shown = describe(first, depth + 2) if simple else "…"
            return f"{describe(value.target, depth + 1)}({shown if value.args or value.keywords else ''})"
        case v.Op():
            if value.kind in {"each", "enter", "after", "if", "without", "slice"}:
                prefix = "an element of " if value.kind == "each" else ""
                return prefix + describe(value.subject, depth)
            return "text" if value.kind in {"%", "format", "join", "replace"} else "a value"
        case v.Choice():
            return describe(value.options[-1], depth)
        case v.Text():
            return "text"
    return "a value"
