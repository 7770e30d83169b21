"""The ways on which the code of a front end comes to run: from the button back to the request, gates collected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from prodready.finding import Location, Step
from prodready.knowledge import Knowledge
from prodready.link.front_gates import KINDS, Gate, Gates
from prodready.link.front_index import Index, Use
from prodready.link.front_program import Bound, Class, FrontProgram, Outside
from prodready.read.web.facts import (
    MODULE,
    SCOPE,
    Both,
    CallOf,
    Compare,
    Const,
    Either,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Not,
    Obj,
    Text,
)
from prodready.words import split_words

MOST = 60
"""Ways kept for one function."""
DEEPEST = 14
"""Functions followed one into the other."""


@dataclass(frozen=True)
class Way:
    """How something comes to run: what holds on the way, the element that a person uses, if any, and the steps."""

    gates: tuple[Gate, ...] = ()
    file: str = ""
    element: int = -1
    call: int = -1
    steps: tuple[Step, ...] = ()


class Ways:
    """Follows uses upwards. `reach` gives the ways to a function, `held` what holds on each way to it."""

    def __init__(self, program: FrontProgram, gates: Gates, knowledge: Knowledge) -> None:
        self.program = program
        self._gates = gates
        front = knowledge.front
        self._wrappers = front.get("wrappers", frozenset())
        self._mutations = front.get("mutations", frozenset())
        self._lifecycle = front.get("lifecycle", frozenset())
        self._keys = {True: front.get("show-keys", frozenset()), False: front.get("hide-keys", frozenset())}
        self._attributes = {
            True: front.get("show-attributes", frozenset()),
            False: front.get("hide-attributes", frozenset()),
        }
        self._indexes: dict[str, Index] = {}
        self._held: dict[tuple[str, int], tuple[Gate, ...] | None] = {}
        self._reached: dict[tuple[str, int], tuple[Way, ...]] = {}
        self._members: dict[str, list[Use]] | None = None
        self._templates: dict[str, list[tuple[str, int]]] | None = None
        self._slots: dict[str, list[tuple[str, tuple[int, ...]]]] | None = None

    def index(self, path: str) -> Index:
        """Who uses what in a file."""
        if path not in self._indexes:
            self._indexes[path] = Index(path, self.program.files[path])
        return self._indexes[path]

    # Ways

    def to_call(self, path: str, owner: int, conditions: tuple[int, ...], call: int) -> tuple[Way, ...]:
        """The ways to a call in a function."""
        gates = self._given(path, owner, conditions)
        here = Way(gates, path, call=call)
        return tuple(self._up(path, owner, here, 0))

    def to_element(self, path: str, element: int) -> tuple[Way, ...]:
        """The one way to an element."""
        return (Way(self.around(path, element), path, element),)

    def around(self, path: str, element: int) -> tuple[Gate, ...]:
        """All that holds where an element can be used."""
        fact = self.program.files[path].elements[element]
        gates = self._given(path, fact.owner, fact.conditions) + self._attribute_gates(path, element)
        return _unique(gates + (self.held(path, fact.owner) or ()))

    def _up(self, path: str, owner: int, way: Way, depth: int) -> Iterator[Way]:
        """The ways on which a function that holds `way` is come to; nothing if nobody runs it."""
        for way_up in self.reach(path, owner, depth):
            element = way.element if way.element >= 0 else way_up.element
            file, call = (way.file, way.call) if way.element >= 0 or way_up.element < 0 else (way_up.file, way_up.call)
            if way.element < 0 and way_up.element < 0 and way_up.call >= 0:
                file, call = way_up.file, way_up.call
            yield Way(_unique(way.gates + way_up.gates), file, element, call, (way.steps + way_up.steps)[:8])

    def reach(self, path: str, function: int, depth: int = 0) -> tuple[Way, ...]:
        """The ways to a function."""
        key = (path, function)
        if key in self._reached:
            return self._reached[key]
        if depth > DEEPEST:
            return (Way(),)
        self._reached[key] = ()  # a function that calls itself adds no way
        found: dict[tuple[object, ...], Way] = {}
        for way in self._reach(path, function, depth):
            found.setdefault((way.file, way.element, way.call, tuple(gate.key for gate in way.gates)), way)
            if len(found) >= MOST:
                break
        self._reached[key] = tuple(found.values())
        return self._reached[key]

    def _reach(self, path: str, function: int, depth: int) -> Iterator[Way]:
        facts = self.program.files[path]
        if function == MODULE:
            yield Way(self.held(path, MODULE) or ())
            return
        fact = facts.functions[function]
        if fact.name == SCOPE:
            here = Way(self._given(path, fact.owner, fact.conditions))
            yield from self._up(path, fact.owner, here, depth + 1)
            return
        if self._is_shown(path, function):
            yield Way(self.held(path, function) or ())
            return
        for use in self._uses(path, function):
            yield from self._by_use(path, function, use, depth)

    def _by_use(self, path: str, function: int, use: Use, depth: int) -> Iterator[Way]:
        gates = self._given(
            path,
            self.program.files[path].functions[function].owner,
            self.program.files[path].functions[function].conditions,
        )
        gates = gates if use.file == path else ()
        gates += self._of_use(use)
        facts = self.program.files[use.file]
        if use.role == "attr":
            inner = list(self._through_component(use, depth))
            if inner:
                said = facts.elements[use.at].label
                for way in inner:
                    held = _unique(gates + way.gates + self.around(use.file, use.at))
                    deeper = self.program.files[way.file].elements[way.element].label if way.element >= 0 else ""
                    if deeper and not said:
                        yield Way(held, way.file, way.element, way.call, way.steps)
                    else:
                        yield Way(held, use.file, use.at, steps=way.steps)
                return
            yield Way(_unique(gates + self.around(use.file, use.at)), use.file, use.at)
            return
        name = self.program.files[path].functions[function].name
        step: tuple[Step, ...] = ()
        if use.role == "target" and name:
            call = facts.calls[use.at]
            step = (Step(Location(use.file, call.line, call.column), f"`{name}` is called"),)
        here = Way(gates, use.file, call=use.at if use.role in {"target", "arg"} else -1, steps=step)
        for way in self._up(use.file, use.owner, here, depth + 1):
            yield way

    def _through_component(self, use: Use, depth: int) -> Iterator[Way]:
        """A function that a component of the project is given: where that one uses it."""
        element = self.program.files[use.file].elements[use.at]
        found = self.program.meaning(use.file, element.owner, element.tag)
        if not isinstance(found, Bound) or not isinstance(found.value, Fn) or not found.value.index or depth > 6:
            return
        path, function = found.path, found.value.index
        for inner in self._prop(path, function, use.name):
            gates = self._of_use(inner)
            if inner.role == "attr":
                deeper = list(self._through_component(inner, depth + 1))
                own = gates + self._inside(path, function, inner)
                if deeper:
                    for way in deeper:
                        yield Way(_unique(own + way.gates), way.file, way.element, way.call, way.steps)
                else:
                    yield Way(_unique(own), inner.file, inner.at)
            elif inner.role in {"target", "arg"}:
                yield from self._within(path, function, inner, gates, depth)

    def _inside(self, path: str, component: int, use: Use) -> tuple[Gate, ...]:
        """What holds at a use inside of a component, without what holds for the component itself."""
        fact = self.program.files[path].elements[use.at]
        return self._given(path, fact.owner, fact.conditions) + self._attribute_gates(path, use.at)

    def _within(self, path: str, component: int, use: Use, gates: tuple[Gate, ...], depth: int) -> Iterator[Way]:
        """A prop that a function inside of the component calls: where that one is used."""
        if use.owner == component or depth > 6:
            yield Way(gates, use.file, call=use.at)
            return
        seen = False
        for outer in self._uses(path, use.owner):
            own = gates + self._of_use(outer)
            if outer.file == path and outer.role == "attr":
                seen = True
                yield Way(_unique(own + self._inside(path, component, outer)), path, outer.at)
            elif outer.file == path and outer.role in {"target", "arg"}:
                seen = True
                yield from self._within(path, component, outer, own, depth + 1)
        if not seen:
            yield Way(gates, use.file, call=use.at)

    def _prop(self, path: str, function: int, name: str) -> Iterator[Use]:
        """The uses of a prop inside of a component."""
        fact = self.program.files[path].functions[function]
        if not fact.params:
            return
        first = fact.params[0]
        if isinstance(first, str):
            for use in self.index(path).names.get(first, ()):
                if use.tail[:1] == (name,) and self._sees(path, use.owner, first, function):
                    yield use
            for bound, value in fact.binds.items():
                if value == Member(Name(first), name):
                    yield from self._named(path, function, bound)
            return
        for key, local in first:
            if key == name:
                yield from self._named(path, function, local)

    # What holds on every way

    def held(self, path: str, function: int) -> tuple[Gate, ...] | None:
        """What holds wherever a component or the code of a file is shown; None if nothing shows it."""
        key = (path, function)
        if key not in self._held:
            self._held[key] = ()  # inside of itself nothing more holds
            self._held[key] = self._hold(path, function)
        return self._held[key]

    def _hold(self, path: str, function: int) -> tuple[Gate, ...] | None:
        facts = self.program.files[path]
        fact = facts.functions[function]
        if function == MODULE:
            return self._file_held(path)
        if fact.name == SCOPE or not self._is_shown(path, function):
            if fact.name == SCOPE:
                return _unique(self._given(path, fact.owner, fact.conditions) + (self.held(path, fact.owner) or ()))
            ways = self.reach(path, function)
            return every([way.gates for way in ways]) if ways else ()
        gates = [self._shown_by(use) for use in self._shows(path, function)]
        own = self._given(path, fact.owner, fact.conditions)
        return _unique(own + every(gates)) if gates else own

    def _shown_by(self, use: Use) -> tuple[Gate, ...]:
        if use.role in {"tag", "attr"}:
            return _unique(self._of_use(use) + self.around(use.file, use.at))
        return _unique(self._of_use(use) + (self.held(use.file, use.owner) or ()))

    def _file_held(self, path: str) -> tuple[Gate, ...]:
        """What holds for the code of a file itself: a component in a file of its own, a template that others put in."""
        facts = self.program.files[path]
        if facts.kind in {"vue", "svelte"}:
            uses = [
                use
                for use in self._imported(path, "default", ())
                if use.role in {"tag", "attr", "arg", "bind", "export", "loose"}
            ]
            return every([self._shown_by(use) for use in uses]) if uses else ()
        if facts.kind in {"html", "angular"}:
            gates = []
            for other, conditions in self._including(path):
                gates.append(_unique(self._given(other, MODULE, conditions) + (self.held(other, MODULE) or ())))
            return every(gates) if gates else ()
        return ()

    def _including(self, path: str) -> list[tuple[str, tuple[int, ...]]]:
        if self._slots is None:
            self._slots = {}
            templates = [name for name, facts in self.program.files.items() if facts.kind == "html"]
            for other in templates:
                for slot in self.program.files[other].slots:
                    for name in templates:
                        if name == slot.path or name.endswith("/" + slot.path.removeprefix("./")):
                            self._slots.setdefault(name, []).append((other, slot.conditions))
        return self._slots.get(path, [])

    def _is_shown(self, path: str, function: int) -> bool:
        """Whether a function is a component: what it gives is shown, and nobody calls it."""
        fact = self.program.files[path].functions[function]
        if fact.cls and fact.name in self._lifecycle:
            return True
        return bool(fact.name[:1].isupper() or fact.name == "default") and not fact.cls

    def _shows(self, path: str, function: int) -> list[Use]:
        fact = self.program.files[path].functions[function]
        if fact.cls:
            facts = self.program.files[path]
            if facts.kind in {"vue", "svelte"} and fact.cls == "default":
                uses = self._imported(path, "default", ())
            else:
                uses = self._named(path, self._class_owner(path, fact.cls), fact.cls)
        else:
            uses = self._uses(path, function)
        return [use for use in uses if use.role not in {"export", "base", "test"}]

    def _class_owner(self, path: str, name: str) -> int:
        cls = self.program.cls(Class(path, name))
        return cls.owner if cls is not None else MODULE

    # Uses

    def _uses(self, path: str, function: int) -> list[Use]:
        """The places where a function runs, is shown or is given away."""
        found: list[Use] = []
        seen: set[tuple[object, ...]] = set()
        for use in self.index(path).functions.get(function, ()):
            self._follow(use, found, seen, function, 0)
        fact = self.program.files[path].functions[function]
        if not found and fact.cls and fact.name not in self._lifecycle:
            return self._of_member(path, fact.cls, fact.name)
        return found[:MOST]

    def _follow(self, use: Use, found: list[Use], seen: set[tuple[object, ...]], function: int, depth: int) -> None:
        """Where a value goes that stands at `use`: on, or to one of the `found`."""
        key = (use.file, use.owner, use.role, use.at, use.name, use.path, use.tail, use.conditions)
        if key in seen or depth > DEEPEST or len(found) >= MOST:
            return
        seen.add(key)
        role = use.role
        if role == "bind":
            for other in self._named(use.file, use.at, use.name):
                self._carry(use, other, found, seen, function, depth)
        elif role == "export":
            for other in self._imported(use.file, use.name, ()):
                self._carry(use, other, found, seen, function, depth)
        elif role == "member":
            cls = self.program.files[use.file].classes[use.at]
            for other in self._of_member(use.file, cls.name, use.name):
                self._carry(use, other, found, seen, function, depth)
        elif role == "return":
            for other in self._results(use):
                self._carry(use, other, found, seen, function, depth)
        elif role == "arg" and self._hands_on(use):
            for other in self.index(use.file).calls.get(use.at, ()):
                tail = other.tail
                self._follow(
                    _placed(other, use, () if self._last(use) in self._mutations else use.path, tail),
                    found,
                    seen,
                    function,
                    depth + 1,
                )
        elif role == "loose" and use.name:
            last = use.name.rpartition(".")[2]
            others = (
                [other for other in self._all_members().get(last, ()) if other.role != "test"]
                if "." in use.name
                else []
            )
            if not others:
                found.append(use)
            for other in others:
                self._carry(use, other, found, seen, function, depth)
        elif role not in {"test", "base"}:
            found.append(use)

    def _carry(
        self, use: Use, other: Use, found: list[Use], seen: set[tuple[object, ...]], function: int, depth: int
    ) -> None:
        """The value that `use` holds under some keys, at a place where its holder stands."""
        path, tail = use.path, other.tail
        while path and tail and (tail[0] == path[0] or (path[0] == "[]")):
            path, tail = path[1:], tail[1:]
        if path and tail:
            return  # another of its attributes
        self._follow(
            _placed(other, use, other.path + path if path else other.path, tail), found, seen, function, depth + 1
        )

    def _last(self, use: Use) -> str:
        chain = self._gates.chain(use.file, self.program.files[use.file].calls[use.at].target)
        return chain[-1] if chain else ""

    def _hands_on(self, use: Use) -> bool:
        """Whether a call's result stands for what it was given."""
        name = self._last(use)
        return (
            name in self._wrappers
            or name in self._mutations
            or bool(name.startswith("with") and name[4:5].isupper() and not use.path)
        )

    def _named(self, path: str, owner: int, name: str) -> list[Use]:
        """The uses of a variable of a function, in it and in the functions inside; of a file's, also by those who import it."""
        found = [use for use in self.index(path).names.get(name, ()) if self._sees(path, use.owner, name, owner)]
        if owner == MODULE:
            for exported, (module, value) in self.program.files[path].exports.items():
                if not module and value == Name(name):
                    found += self._imported(path, exported, ())
        return [use for use in found if use.role != "export"]

    def _sees(self, path: str, owner: int, name: str, holder: int) -> bool:
        """Whether a name in the function `owner` is the variable of the function `holder`."""
        for index, function in self.program.around(path, owner):
            if index == holder:
                return True
            if name in function.binds or any(
                name == param if isinstance(param, str) else any(name == local for _, local in param)
                for param in function.params
            ):
                return False
        return False

    def _imported(self, path: str, name: str, hops: tuple[str, ...]) -> list[Use]:
        """The uses of what a file exports, in the files that import it, also by way of others."""
        if path in hops or len(hops) > 6:
            return []
        found: list[Use] = []
        for other, local, real in self.program.importers(path):
            if real == name:
                found += [
                    use for use in self.index(other).names.get(local, ()) if self._sees(other, use.owner, local, MODULE)
                ]
                for exported, (module, value) in self.program.files[other].exports.items():
                    if not module and value == Name(local):
                        found += self._imported(other, exported, (*hops, path))
            elif real == "*":
                for use in self.index(other).names.get(local, ()):
                    if use.tail[:1] == (name,):
                        found.append(_placed(use, use, use.path, use.tail[1:]))
        for other in self._passing_on.get(path, ()):
            facts = self.program.files[other]
            for exported, (module, value) in facts.exports.items():
                if module and value == Name(name) and self.program.module(other, module) == path:
                    found += self._imported(other, exported, (*hops, path))
            if any(self.program.module(other, star) == path for star in facts.stars):
                found += self._imported(other, name, (*hops, path))
        found += self._dynamic(path) if name == "default" else []
        return [use for use in found if use.role != "export"]

    @cached_property
    def _passing_on(self) -> dict[str, list[str]]:
        """For each file those that export something of it as their own."""
        found: dict[str, list[str]] = {}
        for other, facts in self.program.files.items():
            modules = {module for module, _ in facts.exports.values() if module} | set(facts.stars)
            for target in {self.program.module(other, module) for module in modules} - {""}:
                found.setdefault(target, []).append(other)
        return found

    @cached_property
    def _imports(self) -> dict[str, list[tuple[str, int]]]:
        """For each file the calls that import it when they run: `import("./Page")`."""
        found: dict[str, list[tuple[str, int]]] = {}
        for other, facts in self.program.files.items():
            for call in facts.calls:
                first = call.args[0] if call.target == Name("import") and call.args else None
                target = (
                    self.program.module(other, str(first.parts[0])) if isinstance(first, Text) and first.parts else ""
                )
                if target:
                    found.setdefault(target, []).append((other, call.owner))
        return found

    def _dynamic(self, path: str) -> list[Use]:
        """`lazy(() => import("./Page"))`: where the function that imports stands."""
        places = self._imports.get(path, ())
        return [use for other, owner in places if owner for use in self._uses(other, owner)]

    def _results(self, use: Use) -> list[Use]:
        """The uses of what a function gives: those of the calls of it."""
        found: list[Use] = []
        for called in self._uses(use.file, use.at):
            if called.role == "target":
                found += self.index(called.file).calls.get(called.at, ())
            elif called.role in {"attr", "tag"}:
                found.append(called)
            elif called.role == "arg":
                found.append(called)
        return found

    # Members

    def _all_members(self) -> dict[str, list[Use]]:
        if self._members is None:
            self._members = {}
            for path in self.program.files:
                for name, uses in self.index(path).members.items():
                    self._members.setdefault(name, []).extend(uses)
        return self._members

    def _of_member(self, path: str, cls: str, name: str) -> list[Use]:
        """The uses of a method: by its name, wherever the receiver may be one of the class."""
        found: list[Use] = []
        if self.program.files[path].kind in {"vue", "svelte"} and cls == "default":
            found += [use for use in self.index(path).names.get(name, ()) if self._sees(path, use.owner, name, MODULE)]
            found += [use for use in self.index(path).members.get(name, ()) if self._is_this(use, name)]
            return [use for use in found if use.role != "test"]
        for template in self._templates_of(path, cls):
            found += self.index(template).names.get(name, ())
        mine = Class(path, cls)
        for use in self._all_members().get(name, ()):
            if use.role not in {"test", "base"} and self._may_be(use, name, mine):
                found.append(use)
        return found

    def _templates_of(self, path: str, cls: str) -> list[str]:
        fact = self.program.cls(Class(path, cls))
        if fact is None or not fact.template:
            return []
        folder = path.rpartition("/")[0]
        target = f"{folder}/{fact.template.removeprefix('./')}".lstrip("/")
        return [target] if target in self.program.files else []

    def _is_this(self, use: Use, name: str) -> bool:
        base = self._receiver(use, name)
        return base is None or base == Name("this")

    def _receiver(self, use: Use, name: str) -> Expr:
        """What stands before the `.name` of a use, as far as the facts still tell."""
        facts = self.program.files[use.file]
        value: Expr = None
        if use.role == "target":
            value = facts.calls[use.at].target
        elif use.role == "arg":
            value = facts.calls[use.at].args[int(use.name)]
        elif use.role == "attr":
            value = next((v for key, v in facts.elements[use.at].attributes if key == use.name), None)
        elif use.role == "bind":
            value = facts.functions[use.at].binds.get(use.name)
        while isinstance(value, Member) and value.name != name:
            value = value.base
        return value.base if isinstance(value, Member) else None

    def _may_be(self, use: Use, name: str, cls: Class) -> bool:
        base = self._receiver(use, name)
        if base is None:
            return self._means(name, (), cls)
        found = self.program.meaning(use.file, use.owner, base)
        if isinstance(found, Bound) and isinstance(found.value, CallOf):
            call = self.program.files[found.path].calls[found.value.index]
            if call.new:
                found = self.program.meaning(found.path, call.owner, call.target)
        if isinstance(found, Class):
            return found == cls or self.program.attribute(found, name) == self.program.attribute(cls, name)
        if isinstance(found, Outside) and found.package:
            return False
        if isinstance(found, Bound) and isinstance(found.value, (Obj, Many, Text, Fn)):
            return False
        return self._means(name, self._gates.chain(use.file, base), cls)

    def _means(self, name: str, receiver: tuple[str, ...], cls: Class) -> bool:
        """Whether a method called on something unknown is that of a class.

        Its name has to be more than one word that everybody uses, or the receiver the class's namesake.
        """
        words, wanted = split_words(receiver[-1] if receiver else ""), split_words(cls.name)
        if words and (words == wanted or words == wanted[-len(words) :]) and len(words) > 1:
            return True
        return self._defined[name] == 1 and len(split_words(name)) > 1

    @cached_property
    def _defined(self) -> Counter[str]:
        """How many functions, members of classes and entries of objects have a name."""
        found: Counter[str] = Counter()
        for facts in self.program.files.values():
            named = {(function.cls, function.name) for function in facts.functions if function.name}
            named |= {(cls.name, member) for cls in facts.classes for member in cls.members}
            found.update(name for _, name in named)
        return found

    # Gates

    def _given(self, path: str, owner: int, conditions: Iterable[int]) -> tuple[Gate, ...]:
        return tuple(gate for number in conditions for gate in self._gates.of(path, owner, number))

    def _of_use(self, use: Use) -> tuple[Gate, ...]:
        """The gates of a use: its conditions, those in the expression, and what an object says of its entry."""
        gates = self._given(use.file, use.owner, use.conditions)
        for test, holds in use.tests:
            gates += self._as_gates(use, test, holds)
        for obj in use.objects:
            for key, value in obj.items:
                if key in self._keys[True]:
                    gates += self._entry(use, key, value)
                elif key in self._keys[False]:
                    gates += self._as_gates(use, value, False)
        if use.role == "arg":
            call = self.program.files[use.file].calls[use.at]
            words = (
                self._gates.kinds(use.file, use.owner, CallOf(use.at), True)
                if self._last(use).startswith(("with", "require"))
                else frozenset()
            )
            gates += tuple(
                Gate(kind, f"{self._last(use)}(...)", Location(use.file, call.line, call.column)) for kind in words
            )
        return gates

    def _entry(self, use: Use, key: str, value: Expr) -> tuple[Gate, ...]:
        """What an entry of a menu or a router says of who gets it."""
        if isinstance(value, Obj):
            return tuple(
                gate
                for inner, item in value.items
                if inner in self._keys[True] or inner.startswith("requires")
                for gate in self._entry(use, inner, item)
            )
        if isinstance(value, Const):
            if value.text != "true":
                return ()
            kinds = self._gates.kinds(use.file, use.owner, Name(key.replace("requires", "is")), True)
            return self._made(use, kinds, key)
        if isinstance(value, (Text, Many)) and key.lower().endswith(
            ("role", "roles", "permission", "permissions", "access")
        ):
            return (
                self._made(use, frozenset(["role" if "role" in key.lower() else "permission"]), key)
                if value != Many(())
                else ()
            )
        if isinstance(value, Many):
            return tuple(gate for item in value.items for gate in self._guard(use, item))
        return self._as_gates(use, value, True) or self._guard(use, value)

    def _guard(self, use: Use, value: Expr) -> tuple[Gate, ...]:
        """A route's guard: by its name."""
        chain = self._gates.chain(use.file, value)
        name = chain[-1] if chain else ""
        if "guard" not in name.lower() and not name.startswith("require"):
            return ()
        lowered = name.lower()
        kind = next(
            (
                kind
                for word, kind in (("admin", "staff"), ("staff", "staff"), ("role", "role"), ("perm", "permission"))
                if word in lowered
            ),
            "login",
        )
        return self._made(use, frozenset([kind]), name)

    def _made(self, use: Use, kinds: frozenset[str], text: str) -> tuple[Gate, ...]:
        return tuple(Gate(kind, text, self._location(use)) for kind in kinds)

    def _as_gates(self, use: Use, test: Expr, holds: bool) -> tuple[Gate, ...]:
        kinds = self._gates.kinds(use.file, use.owner, test, holds)
        if not kinds:
            return ()
        kind = min(kinds, key=KINDS.index)
        return (Gate(kind, self.said(use.file, test, holds), self._location(use)),)

    def _location(self, use: Use) -> Location:
        facts = self.program.files[use.file]
        if use.role in {"target", "arg"}:
            return Location(use.file, facts.calls[use.at].line, facts.calls[use.at].column)
        if use.role in {"tag", "attr"}:
            return Location(use.file, facts.elements[use.at].line, facts.elements[use.at].column)
        fact = facts.functions[use.owner]
        return Location(use.file, fact.line, fact.column)

    def said(self, path: str, test: Expr, holds: bool) -> str:
        """A condition in words, where its text is not kept."""
        if isinstance(test, Not):
            return self.said(path, test.value, not holds)
        if isinstance(test, (Both, Either)):
            op = "&&" if isinstance(test, Both) else "||"
            text = f"{self.said(path, test.left, True)} {op} {self.said(path, test.right, True)}"
            return text if holds else f"!({text})"
        if isinstance(test, Compare):
            text = f"{self.said(path, test.left, True)} {test.op} {self.said(path, test.right, True)}"
        elif isinstance(test, Text):
            text = repr("".join(part if isinstance(part, str) else "…" for part in test.parts))
        elif isinstance(test, Const):
            text = test.text
        else:
            text = ".".join(self._gates.chain(path, test)) or "…"
            text += "()" if isinstance(test, CallOf) else ""
        return text if holds else f"!{text}"

    def _attribute_gates(self, path: str, element: int) -> tuple[Gate, ...]:
        """What an element and those around it need to be used: not disabled, not hidden."""
        facts = self.program.files[path]
        found: tuple[Gate, ...] = ()
        hops = 0
        while element >= 0 and hops < 40:
            hops += 1
            fact = facts.elements[element]
            for name, value in fact.attributes:
                holds = name in self._attributes[True]
                if not holds and name not in self._attributes[False]:
                    continue
                kinds = self._gates.kinds(path, fact.owner, value, holds)
                if kinds:
                    text = self.said(path, value, holds)
                    found += (Gate(min(kinds, key=KINDS.index), text, Location(path, fact.line, fact.column)),)
            element = fact.parent
        return found


def _placed(other: Use, use: Use, path: tuple[str, ...], tail: tuple[str, ...]) -> Use:
    """A place where a value stands by way of its holder: what held at the holder holds here too."""
    tests = other.tests if use is other or use.file != other.file else other.tests + use.tests
    return Use(
        other.file, other.owner, other.conditions, other.role, other.at, other.name, path, tail, tests, other.objects
    )


def _unique(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    found: dict[tuple[str, str], Gate] = {}
    for gate in gates:
        found.setdefault(gate.key, gate)
    return tuple(found.values())


def every(ways: list[tuple[Gate, ...]]) -> tuple[Gate, ...]:
    """What holds on each of some ways: the gates they share, or one that stands for the weakest of theirs."""
    if not ways or not all(ways):
        return ()
    if len(ways) == 1:
        return ways[0]
    shared = set.intersection(*({gate.key for gate in gates} for gates in ways))
    if shared:
        return tuple(gate for gate in ways[0] if gate.key in shared)
    strictest = [min(gates, key=lambda gate: KINDS.index(gate.kind)) for gates in ways]
    weak = max(strictest, key=lambda gate: KINDS.index(gate.kind))
    texts = dict.fromkeys(gate.text for gate in strictest)
    return (Gate(weak.kind, " or ".join(list(texts)[:3]), weak.location),)
