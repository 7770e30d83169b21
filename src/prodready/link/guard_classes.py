"""What guards the methods of a class: its bases, the guards that it lists, decorators, methods that run first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from prodready.finding import Location
from prodready.link.frames import Bound, Frame
from prodready.link.guard_checks import options_of, strongest
from prodready.link.guard_values import GuardValues, place_of
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import Guard, Handler
from prodready.read import values as v
from prodready.read.facts import RETURN, Exit
from prodready.read.values import Value


class GuardClasses(GuardValues):
    """Tells the guards of classes."""

    def of_class(self, cls: ClassSymbol, handler: Handler) -> Iterator[Guard]:
        """The guards of a handler that is a method of a class."""
        lineage = self.program.lineage(cls)
        own = handler.frame.function.qualname if handler.frame is not None else ""
        listed = {m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "guarded_by")}
        action = handler.name.rpartition(".")[2]
        for attribute in sorted(listed):
            yield from self._listed(cls, attribute, action)
        for base in lineage:
            if isinstance(base, ClassSymbol):
                home = self.values.module(base.path)
                for decorator in base.facts.decorators:
                    value = v.bare(decorator)
                    effect = self.values.effect(Bound(decorator, home))
                    if effect is None or effect.route is None:
                        where = "class"
                        yield from (g for g in self.of_value(Bound(value, home), where) if _applies(value, action))
            else:
                kind = self.knowledge.guards(base)
                if kind:
                    yield Guard(kind, base.rpartition(".")[2], Location(cls.path, cls.facts.line), "base")
        for base in lineage:
            if isinstance(base, ClassSymbol):  # dependencies that a class declares for all of its handlers
                for name, annotation in base.facts.annotations.items():
                    given = v.bare(base.facts.attributes.get(name, annotation))
                    value = given.subject if isinstance(given, v.Op) and given.kind == "typed" else given
                    if not name.startswith("_"):
                        yield from self.in_parameter(Bound(value, self.values.module(base.path)))
        yield from self._hooks_of_class(cls, own, action)
        yield from self._row_of_class(cls, action)

    def _row_of_class(self, cls: ClassSymbol, action: str) -> Iterator[Guard]:
        """A method that finds the row for all handlers of a class and refuses it to some."""
        if action in {"list", "create"} or not any(isinstance(base, str) for base in self.program.lineage(cls)):
            return
        member = self.program.member(cls, "get_object")
        if isinstance(member, FunctionSymbol):
            found = [c for c in self.checks(member) if c.raises and c.kind in {"permission", "ownership", "role"}]
            if found:
                best = strongest(found)
                yield Guard(best.kind, "get_object", Location(member.path, member.facts.line), "dispatch", best.partial)

    def _listed(self, cls: ClassSymbol, attribute: str, action: str) -> Iterator[Guard]:
        """The guards that an attribute of the class lists; of the nearest class that has it."""
        name = f"get_{attribute.removesuffix('_classes')}s"
        for base in self.program.lineage(cls):  # each may leave some actions to the next
            getter = (
                self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if isinstance(base, ClassSymbol) and name in base.facts.methods
                else None
            )
            if getter is not None and isinstance(base, ClassSymbol):
                found = self._got(FunctionSymbol(base.path, getter), cls, action)
                if found is not None:
                    yield from found
                    return
        member = self.program.member(cls, attribute)
        if not isinstance(member, ValueSymbol):
            return
        bound = Bound(member.value, self.values.module(member.path))
        inner = v.bare(member.value)
        here = Location(member.path, getattr(member.value, "line", cls.facts.line))
        if isinstance(inner, v.Seq) and not inner.items:
            yield Guard("open", f"{attribute} = []", here, "class")
        if isinstance(inner, v.Map):  # by method: `{"get": [...], "post": [...]}`
            for key, value in inner.items:
                if isinstance(v.bare(key or v.UNKNOWN), v.Const) and v.bare(key or v.UNKNOWN).value == action:  # type: ignore[union-attr]
                    yield from self.of_value(bound.sub(value), "class")
            return
        for one in self.values.elements(bound):
            yield from (replace(g, location=here) for g in self.of_value(one, "class"))

    def _got(self, getter: FunctionSymbol, cls: ClassSymbol, action: str) -> list[Guard] | None:
        """What `get_permissions` gives for an action; None where that is what the attribute lists."""
        frame = Frame(getter.path, getter.facts)
        here = Location(getter.path, getter.facts.line)
        options: list[Bound] = []
        for way in getter.facts.exits:
            if way.kind == RETURN and _holds(way, action) is True:
                options = [Bound(way.value, frame)]
                break
        if not options and getter.facts.returns is not None:
            options = [Bound(x, frame) for x in options_of(getter.facts.returns)]
            tried = [w for w in getter.facts.exits if w.kind == RETURN and _holds(w, action) is False]
            options = [o for o in options if not any(_same(o.value, w.value) for w in tried)] or options
        found: list[Guard] = []
        if options and all(isinstance(s := v.bare(o.value), v.Seq) and not s.items for o in options):
            return [Guard("open", f"{getter.facts.qualname.rpartition('.')[2]} gives []", here, "class")]
        for option in options:
            value = v.bare(option.value)
            target = v.bare(value.target) if isinstance(value, v.Call) else None
            if isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Op):
                return found or None  # super().get_permissions()
            if not isinstance(value, v.Seq):
                found.append(Guard("unknown", getter.facts.qualname, here, "class"))
                continue
            for item in value.items:
                inner = v.bare(item)
                if isinstance(inner, v.Call) and isinstance(
                    v.bare(inner.target), v.Op
                ):  # permission() for permission in ...
                    found += self._each_made(option.sub(v.bare(inner.target)), action, getter)
                else:
                    found += self.of_value(option.sub(inner), "class")
        return (
            [replace(g, location=here) for g in found]
            if found
            else [Guard("unknown", getter.facts.qualname, here, "class")]
        )

    def _each_made(self, bound: Bound, action: str, getter: FunctionSymbol) -> list[Guard]:
        op = bound.value
        if not isinstance(op, v.Op) or op.kind != "each":
            return []
        subject = v.bare(op.subject)
        options = options_of(subject)
        found: list[list[Guard]] = []
        for option in options:
            inner = v.bare(option)
            if isinstance(inner, v.Attr) and isinstance(v.bare(inner.base), v.Param):
                continue
            found.append([g for one in self.values.elements(bound.sub(inner)) for g in self.of_value(one, "class")])
        if not found:
            return [Guard("unknown", getter.facts.qualname, place_of(bound), "class")]
        weakest = min(found, key=lambda guards: max((g.strength for g in guards), default=0))
        return [replace(g, partial=len(found) > 1 or g.partial) for g in weakest] or [
            Guard("unknown", getter.facts.qualname, place_of(bound), "class")
        ]

    def _hooks_of_class(self, cls: ClassSymbol, own: str, action: str) -> Iterator[Guard]:
        """Methods that run before a handler of the class: known ones, and those that are called like a check."""
        lineage = self.program.lineage(cls)
        known = {m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "before")}
        seen: set[str] = set()
        for base in lineage:
            for name in base.facts.methods if isinstance(base, ClassSymbol) else ():
                if name in seen:
                    continue
                seen.add(name)
                qualname = f"{base.facts.qualname}.{name}"  # type: ignore[union-attr]
                checks_by_name = name.startswith("_") and not name.startswith("__") and self.words.has("guard", name)
                if qualname == own or not (name in known or (checks_by_name and self._is_run(lineage, name))):
                    continue
                function = self.program.function(base.path, qualname)  # type: ignore[union-attr]
                if function is None:
                    continue
                symbol = FunctionSymbol(base.path, function)  # type: ignore[union-attr]
                found = list(self.checks(symbol))
                if not found and name in known and function.returns is not None and name.startswith(("test", "has")):
                    found = self.decides(symbol)
                for decorator in function.decorators:
                    yield from self.of_value(
                        Bound(decorator, self.infer.home(Frame(symbol.path, function))), "dispatch"
                    )
                if found:
                    best = strongest(found)
                    yield Guard(best.kind, name, Location(symbol.path, function.line), "dispatch", best.partial)

    def _is_run(self, lineage: tuple[ClassSymbol | str, ...], name: str) -> bool:
        """Whether the part of a class that handles requests runs a method, and not only another check."""
        for base in lineage:
            facts = self.program.facts(base.path) if isinstance(base, ClassSymbol) else None
            if facts is None or not isinstance(base, ClassSymbol):
                continue
            for method in base.facts.methods:
                called = facts.called.get(f"{base.facts.qualname}.{method}", ())
                if name in called and method != name and not self.words.has("guard", method):
                    return True
        return False


def _same(one: Value, other: Value) -> bool:
    return v.bare(one) == v.bare(other)


def _holds(way: Exit, action: str) -> bool | None:
    """Whether a way out is taken for an action of a class, by conditions such as `self.action in ("list", "retrieve")`."""
    verdict: bool | None = None
    for value, truth in way.conditions:
        inner = v.bare(value)
        if not (isinstance(inner, v.Op) and inner.kind in {"test", "in"} and inner.args):
            return None
        subject = v.bare(inner.subject)
        if not (isinstance(subject, v.Attr) and subject.name in {"action", "method"}):
            return None
        other = v.bare(inner.args[0])
        texts = [v.bare(x) for x in other.items] if isinstance(other, v.Seq) else [other]
        known = {str(x.value).lower() for x in texts if isinstance(x, v.Const)}
        if (action.lower() in known) != truth:
            return False
        verdict = True
    return verdict


def _applies(value: Value, action: str) -> bool:
    """Whether a decorator of a class is for one of its methods only, and not for this one."""
    if not isinstance(value, v.Call):
        return True
    named = v.bare(dict(value.keywords).get("name", v.UNKNOWN))
    return not isinstance(named, v.Const) or named.value in {"dispatch", action}
