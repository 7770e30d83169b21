"""What is known of a value: by the knowledge of libraries, by annotations, and by the project's own checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from prodready.knowledge_form import NOTHING, Effect
from prodready.link.frames import Bound, CallSite, Frame, Type
from prodready.link.infer import Inference
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ValueSymbol
from prodready.link.reduce import Reducer
from prodready.read import values as v
from prodready.read.values import Value

ENUMERATIONS = frozenset({"Enum", "StrEnum", "IntEnum", "TextChoices", "IntegerChoices", "Flag", "IntFlag"})
NEGATED_CLASS = re.compile(r"\(?(?:\[\^(?:[\w\s.-]|\\[wdsWDS.\-])+\]|\\W)[+*]?\)?")
"""A pattern for all characters but letters, digits and what is as harmless in SQL."""

HOLDERS = frozenset({"tuple", "list", "set", "frozenset", "sequence", "iterable", "collection"})
PROVED = frozenset({"allowed", "number", "boolean", "quoted", "constant", "hashed", "placeholders"})
"""Labels of values that cannot hold text of somebody's choice."""


OF_TYPES = frozenset({"row", "fills-row", "command", "commits-alone"})
"""Labels that say what a class is, and nothing of what its instances hold."""

WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Mapped", "Required", "NotRequired", "ReadOnly"})
"""What stands around the type of a value and says something else of it."""


class Labels(Reducer):
    """Tells what is true of a value."""

    def __init__(self, infer: Inference) -> None:
        super().__init__(infer)
        self._handlers: dict[tuple[str, str], bool] = {}
        known = self.knowledge
        brought = (kind for kind in known.parameters.values() if not known.is_row(kind))
        self._requests = {name for kind in brought for name in known.lineage(kind)}
        self._validators: dict[tuple[str, str], frozenset[str]] = {}

    def effect(self, bound: Bound) -> Effect:
        """What the knowledge says of a call, an attribute or an object."""
        value = bound.value
        if isinstance(value, v.Call):
            return next((c.effect for c in self.infer.callees(bound) if c.effect is not None), NOTHING)
        if isinstance(value, (v.Attr, v.Ref)):
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, LibrarySymbol) and (effect := self.knowledge.object(symbol.name)) is not None:
                return effect
            if isinstance(value, v.Attr):
                kind = self.infer.type_of(bound.sub(value.base))
                for library in self.infer.library_types(kind):
                    found = self.knowledge.attribute(library, value.name)
                    if found is not None:
                        return found
                if kind is None or kind.assumed:
                    return self.knowledge.attribute("*", value.name) or NOTHING
        return NOTHING

    def labels(self, bound: Bound, depth: int = 0) -> frozenset[str]:
        """What is true of a value by knowledge; request data stays request data in its parts and methods' results."""
        value = bound.value
        if depth > 12:
            return frozenset()
        match value:
            case v.Unknown():
                return frozenset(value.labels)
            case v.Mark():
                return frozenset(value.labels) | self.labels(bound.sub(value.value), depth + 1)
            case v.Op(kind="test") | v.Op(kind="in"):
                return frozenset({"boolean"})
            case v.Param() if bound.frame.binding(value.name) is None:
                return self._param_labels(bound, value, depth)
            case v.Call() if self._is_stripped(bound, value):
                return frozenset({"allowed"})
            case v.Call() | v.Attr() | v.Ref():
                own = self.effect(bound).labels
                if own:
                    return own
                if isinstance(value, v.Call) and v.dotted(value.target) in {"min", "max"}:
                    # Nothing but a number compares with one.
                    numbers = any(self._is_number(bound.sub(argument), depth) for argument in value.args)
                    return frozenset({"number"} if numbers else ())
                if (
                    isinstance(value, v.Attr)
                    and value.name in {"value", "name"}
                    and self._is_enum(bound.sub(value.base))
                ):
                    return frozenset({"constant"})
                kind = self.infer.type_of(bound)
                if kind is not None and (typed := self._type_labels(kind)):
                    return typed
                if isinstance(value, v.Attr) and (declared := self._declared_labels(bound, value)):
                    return declared
                inherited = value.target if isinstance(value, v.Call) else value
                if isinstance(inherited, v.Attr):
                    return self.labels(bound.sub(inherited.base), depth + 1) & {"request", "number"}
                return frozenset()
            case v.Item():
                kind = self.infer.type_of(bound.sub(value.base))
                for library in self.infer.library_types(kind):
                    effect = self.knowledge.slot(library, "item")
                    if effect is not None and effect.labels:
                        return effect.labels
                return self._element_labels(bound.sub(value.base)) | self.labels(bound.sub(value.base), depth + 1) & {
                    "request"
                }
            case v.Op(kind="each") | v.Op(kind="enter") | v.Op(kind="slice") | v.Op(kind="without"):
                return self.labels(bound.sub(value.subject), depth + 1) & {"request"}
        reduced = self.step(bound)
        if reduced:
            return frozenset().union(*(self.labels(inner, depth + 1) for inner, _ in reduced))
        return frozenset()

    def _declared_labels(self, bound: Bound, value: v.Attr) -> frozenset[str]:
        """What the annotation of a field promises, in the body of its class or where a method binds it."""
        kind = self.infer.type_of(bound.sub(value.base))
        for base in self.program.lineage(kind.cls) if kind is not None and kind.cls is not None else ():
            if isinstance(base, ClassSymbol):
                annotation = base.facts.annotations.get(value.name) or base.facts.declared.get(value.name)
                if annotation is not None:
                    return self.annotation_labels(Bound(annotation, self.infer.module_frame(base.path)))
        return frozenset()

    def _is_number(self, bound: Bound, depth: int) -> bool:
        leaves = list(self.leaves(bound, 2))
        constant = all(isinstance(x.value, v.Const) and isinstance(x.value.value, (int, float)) for x in leaves)
        return (bool(leaves) and constant) or bool(self.labels(bound, depth + 1) & {"number", "count"})

    def _element_labels(self, bound: Bound) -> frozenset[str]:
        """What the annotation of a parameter says of what is in it: `tuple[int, int]`."""
        value = v.bare(bound.value)
        param = bound.frame.param(value.name) if isinstance(value, v.Param) and not bound.frame.entered else None
        annotation = v.bare(param.annotation) if param is not None and param.annotation is not None else None
        if (
            not isinstance(annotation, v.Item)
            or (v.dotted(annotation.base) or "").rpartition(".")[2].lower() not in HOLDERS
        ):
            return frozenset()
        inner = v.bare(annotation.key)
        of = [x for x in (inner.items if isinstance(inner, v.Seq) else (inner,)) if not _is_ellipsis(x)]
        return frozenset.intersection(*(self.annotation_labels(bound.sub(x)) for x in of)) if of else frozenset()

    def _type_labels(self, kind: Type | None) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for library in self.infer.library_types(kind):
            found |= self.knowledge.label(library)
        return found - OF_TYPES

    def _param_labels(self, bound: Bound, value: v.Param, depth: int) -> frozenset[str]:
        param = bound.frame.param(value.name)
        if param is None:
            return frozenset()
        if param.annotation is not None:
            labels = self.annotation_labels(bound.sub(param.annotation))
            if labels:
                return labels
        if isinstance(param.default, v.Call) and (labels := self.effect(bound.sub(param.default)).labels):
            return labels  # `x_role: str = Header()`, also of a function that is no handler itself
        if value.name in {"self", "cls"} or self.infer.type_of(bound) is not None:
            kind = self.infer.type_of(bound)
            if kind is not None and kind.cls is None:
                return self._type_labels(kind)
            if value.name in {"self", "cls"}:
                return frozenset()
        if isinstance(param.default, v.Call):  # a dependency, not something sent
            return frozenset()
        given = self.given(bound.frame).get(value.name)
        if given is not None:
            return self.labels(given, depth + 1)
        if not self.is_handler(bound.frame):
            return frozenset()
        return frozenset({"number"} if self._is_converted(bound.frame, value.name) else {"request"})

    def _is_converted(self, frame: Frame, name: str) -> bool:
        """Whether the route makes the parameter a number: `<int:page>`, `{page:int}`."""
        pattern = re.compile(
            rf"<(?:int|float|uuid)\b[^:>]*:{re.escape(name)}>|\{{{re.escape(name)}:(?:int|float|uuid)\}}"
        )
        return any(
            isinstance(argument, v.Const)
            and isinstance(argument.value, str)
            and pattern.search(argument.value) is not None
            for decorator in frame.function.decorators
            if isinstance(decorator, v.Call)
            for argument in (*decorator.args, *(inner for _, inner in decorator.keywords))
        )

    def annotation_labels(self, bound: Bound) -> frozenset[str]:
        """What an annotation promises: `int`, a UUID, an enumeration, a Literal hold no text of somebody's choice."""
        value = v.bare(bound.value)
        if isinstance(value, v.Const) and isinstance(value.value, str):
            value = v.Ref(value.value)
        if isinstance(value, v.Choice):
            parts = [
                self.annotation_labels(bound.sub(option))
                for option in value.options
                if not (isinstance(option, v.Const) and option.value is None)
            ]
            return frozenset.intersection(*parts) if parts else frozenset()
        if isinstance(value, v.Item):
            name = (v.dotted(value.base) or "").rpartition(".")[2].lstrip(":")
            if name == "Literal":
                return frozenset({"constant"})
            inner = v.bare(value.key)
            first = inner.items[0] if isinstance(inner, v.Seq) and inner.items else inner
            if name in WRAPPERS:
                return self.annotation_labels(bound.sub(first)) or self._marked(bound, inner)
            return frozenset()
        name_ = v.dotted(value)
        symbol = self.program.resolve(name_, bound.frame.path) if name_ else None
        if isinstance(symbol, LibrarySymbol):
            effect = self.knowledge.function(symbol.name)
            return (effect.labels if effect else frozenset()) & (PROVED | {"redacted"})
        if isinstance(symbol, ClassSymbol):
            bases = self.program.lineage(symbol)
            if _enumerates(bases):
                return frozenset({"constant"})
        if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), (v.Item, v.Choice)):
            return self.annotation_labels(Bound(symbol.value, self.infer.module_frame(symbol.path)))
        return frozenset()

    def _marked(self, bound: Bound, inner: Value) -> frozenset[str]:
        """What stands behind the type says of it: `Annotated[str, Header()]`."""
        marks = [v.bare(one) for one in inner.items[1:]] if isinstance(inner, v.Seq) else []
        found = [self.effect(bound.sub(mark)).labels & {"request"} for mark in marks if isinstance(mark, v.Call)]
        return frozenset().union(*found)

    def _is_stripped(self, bound: Bound, call: v.Call) -> bool:
        """`re.sub(r"[^a-z0-9_]+", "_", name)`: whatever is not harmless was taken out."""
        target = v.bare(call.target)
        if not isinstance(target, v.Attr) or target.name != "sub" or not call.args:
            return False
        pattern: Value = call.args[0] if v.dotted(target) == "re.sub" else target.base
        for leaf in self.leaves(bound.sub(pattern), 4):
            value = leaf.value
            if isinstance(value, v.Call) and value.args:
                value = v.bare(value.args[0])
            if not isinstance(value, v.Const) or not NEGATED_CLASS.fullmatch(str(value.value)):
                return False
        return True

    def _is_enum(self, bound: Bound) -> bool:
        kind = self.infer.type_of(bound)
        return kind is not None and kind.cls is not None and _enumerates(self.program.lineage(kind.cls))

    def is_handler(self, frame: Frame) -> bool:
        """Whether a framework calls this function with what a request brought."""
        if frame.key not in self._handlers:
            self._handlers[frame.key] = False
            self._handlers[frame.key] = self._look_for_handler(frame)
        return self._handlers[frame.key]

    def _look_for_handler(self, frame: Frame) -> bool:
        function, home = frame.function, self.infer.home(frame)
        for decorator in function.decorators:
            call = decorator if isinstance(decorator, v.Call) else v.call(decorator, (), (), 0, 0)
            for callee in self.infer.callees(Bound(call, home)):
                if callee.effect is not None and callee.effect.decorates == "handler":
                    return True
        name = function.qualname.rpartition(".")[2]
        owner = self.program.owner(frame.path, function)
        if not name.startswith("_") and self._takes_request(frame) and not self.infer.is_used(*frame.key):
            if owner is None or not self._stands_in(owner, name):
                return True
        return any(
            isinstance(base, str) and self.knowledge.handles(base, name)
            for base in (self.program.lineage(owner) if owner is not None else ())
        )

    def _stands_in(self, cls: ClassSymbol, name: str) -> bool:
        """Whether a method stands in for one that the project calls itself: of a base, or of what a mixin comes before."""
        beside = (base for one in self.program.descendants(cls) for base in self.program.lineage(one) if base != cls)
        for base in dict.fromkeys((*self.program.lineage(cls)[1:], *beside)):
            above = f"{base.facts.qualname}.{name}" if isinstance(base, ClassSymbol) else ""
            if isinstance(base, ClassSymbol) and self.program.function(base.path, above) is not None:
                sites = self.infer.some_callers(base.path, above)
                if any(self.infer.is_use(site, base.path) and not _is_on_super(site) for site in sites):
                    return True
        return False

    def _takes_request(self, frame: Frame) -> bool:
        """Whether a request comes first, as in the views of most frameworks: `view(request, slug)`, `(self, req, resp)`.

        Functions that calls in the project reach are none of these, but for those that its tests alone call.
        """
        params = [
            p for p in frame.function.params if p.name not in {"self", "cls", "root", "parent", "obj", "_", "source"}
        ]
        if not params or params[0].default is not None:
            return False
        if any(self.infer.is_use(site, frame.path) for site in self.infer.some_callers(*frame.key)):
            return False  # what is called is found out sooner than what it is given
        kind = self.infer.type_of(Bound(v.Param(params[0].name), Frame(frame.path, frame.function)))
        return kind is not None and kind.cls is None and not kind.assumed and kind.name in self._requests

    def is_proved(self, bound: Bound) -> bool:
        """Whether a check has shown the value to be one of the allowed ones: known, or the project's own."""
        value = bound.value
        if isinstance(value, v.Mark):
            return not PROVED.isdisjoint(value.labels)
        if isinstance(value, v.Op) and value.kind in {"after", "if"}:
            call = value.args[0]
            if isinstance(call, v.Call) and self._check_proves(bound.sub(call), value.subject, value.kind):
                return True
            return self.is_proved(bound.sub(value.subject))
        return False

    def _check_proves(self, call: Bound, subject: Value, kind: str) -> bool:
        for callee in self.infer.callees(call):
            function = callee.function
            if function is None:
                continue
            proved = frozenset(function.facts.ensures) if kind == "after" else self._tests(function)
            for name, argument in self.infer.bind(callee, call):
                if name in proved and v.bare(argument.value) == v.bare(subject):
                    return True
        return False

    def _tests(self, function: FunctionSymbol) -> frozenset[str]:
        """The parameters of which a function that returns true has shown that they are allowed."""
        key = (function.path, function.facts.qualname)
        if key not in self._validators:
            found: set[str] = set()
            waiting = [function.facts.returns] if function.facts.returns is not None else []
            while waiting:
                value = v.bare(waiting.pop())
                if isinstance(value, v.Choice):
                    waiting.extend(value.options)
                elif isinstance(value, v.Op) and value.kind == "in":
                    found.update(_params(value.subject))
                elif isinstance(value, v.Op) and value.kind == "test":
                    waiting.append(value.subject)
                elif isinstance(value, v.Call):
                    name = value.target.name if isinstance(value.target, v.Attr) else v.dotted(value.target) or ""
                    if name in {"match", "fullmatch"} and value.args:
                        found.update(_params(value.args[-1] if len(value.args) < 3 else value.args[1]))
                    elif name in {"isdigit", "isidentifier", "isalnum"} and isinstance(value.target, v.Attr):
                        found.update(_params(value.target.base))
                    elif name == "bool" and value.args:
                        waiting.append(value.args[0])
            self._validators[key] = frozenset(found)
        return self._validators[key]


def _is_on_super(site: CallSite) -> bool:
    target = site.fact.value.target
    base = v.bare(target.base) if isinstance(target, v.Attr) else None
    return isinstance(base, v.Op) and base.kind == "super"


def _is_ellipsis(value: Value) -> bool:
    return v.bare(value) in (v.UNKNOWN, v.Ref("Ellipsis"))


def _enumerates(bases: Sequence[object]) -> bool:
    return any(isinstance(base, str) and base.rpartition(".")[2] in ENUMERATIONS for base in bases)


def _params(value: Value) -> Iterator[str]:
    value = v.bare(value)
    if isinstance(value, v.Param):
        yield value.name
    elif isinstance(value, v.Call) and isinstance(value.target, v.Attr):
        yield from _params(value.target.base)
    elif isinstance(value, v.Mark):
        yield from _params(value.value)
