"""The ways on which the code of a front end comes to run: from the button back to the request, gates collected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from prodready.finding import Location, Step
from prodready.knowledge import Knowledge
from prodready.link.front_conditions import Conditions, every, unique
from prodready.link.front_gates import Gate, Gates
from prodready.link.front_index import Use
from prodready.link.front_opened import Opened
from prodready.link.front_program import Bound, Class, FrontProgram, Param
from prodready.link.front_selectors import Selectors
from prodready.link.front_uses import DEEPEST, MOST, Uses, carried_at
from prodready.read.web.facts import MODULE, SCOPE, CallOf, Fn, Function, Name
from prodready.words import split_words

TRIES = 3
"""How often the ways to a function that stands in a circle are looked for."""

WRAPPED = 4
"""Wrappers around a component that are looked through."""

MOST_CALLS = 6
"""Functions of a component that are gone through from a call to the element that runs them."""

Prop = tuple[str, int, str, tuple[str, ...]]
"""A component, by its file and its position there, one of its props, and the keys under which that has a function."""


@dataclass(frozen=True)
class Way:
    """How something comes to run: what holds on the way, the element that a person uses, if any, and the steps.

    `unsure`: through a component that nothing of the project shows, or an object of another file that is handed over whole.
    """

    gates: tuple[Gate, ...] = ()
    file: str = ""
    element: int = -1
    call: int = -1
    steps: tuple[Step, ...] = ()
    unsure: bool = False


class Ways:
    """Follows uses upwards. `reach` gives the ways to a function, `held` what holds on each way to it."""

    def __init__(self, program: FrontProgram, gates: Gates, knowledge: Knowledge) -> None:
        self.program = program
        self._conditions = Conditions(program, gates, knowledge)
        self._uses = Uses(program, gates, knowledge)
        self._lifecycle = knowledge.front.get("lifecycle", frozenset())
        self._selectors = Selectors(program, knowledge)
        self._opened = Opened(self, self._uses, self._conditions, knowledge)
        self._held: dict[tuple[str, int], tuple[Gate, ...] | None] = {}
        self._reached: dict[tuple[str, int], tuple[Way, ...]] = {}
        self._open: set[tuple[str, int]] = set()
        self._met: set[tuple[str, int]] = set()
        self._tries: Counter[tuple[str, int]] = Counter()
        self._left_over: dict[tuple[str, int], bool] = {}
        gates.handed = self._handed

    # Ways

    def to_call(self, path: str, owner: int, conditions: tuple[int, ...], call: int) -> tuple[Way, ...]:
        """The ways to a call in a function."""
        gates = self._conditions.given(path, owner, conditions)
        here = Way(gates, path, call=call)
        return tuple(self._up(path, owner, here, 0))

    def to_element(self, path: str, element: int, conditions: tuple[int, ...]) -> tuple[Way, ...]:
        """The one way to an element, and under which conditions it asks for something."""
        owner = self.program.files[path].elements[element].owner
        gates = self._conditions.given(path, owner, conditions)
        return (Way(unique(gates + self.around(path, element)), path, element),)

    def around(self, path: str, element: int, own: bool = True) -> tuple[Gate, ...]:
        """All that holds where an element can be used, or without `own` where it is shown."""
        fact = self.program.files[path].elements[element]
        gates = self._conditions.given(path, fact.owner, fact.conditions)
        gates += self._conditions.of_attributes(path, element, own)
        for use in self._uses.index(path).elements.get(element, ()):
            gates += self._conditions.of_use(use) if use.objects else ()  # an entry of a menu or a router
        return unique(gates + (self.held(path, fact.owner) or ()))

    def _up(self, path: str, owner: int, way: Way, depth: int) -> Iterator[Way]:
        """The ways on which a function that holds `way` is come to; nothing if nobody runs it."""
        for way_up in self.reach(path, owner, depth):
            element = way.element if way.element >= 0 else way_up.element
            file, call = (way.file, way.call) if way.element >= 0 or way_up.element < 0 else (way_up.file, way_up.call)
            if way.element < 0 and way_up.element < 0 and way_up.call >= 0:
                file, call = way_up.file, way_up.call
            steps = (way.steps + way_up.steps)[:8]
            yield Way(unique(way.gates + way_up.gates), file, element, call, steps, way.unsure or way_up.unsure)

    def reach(self, path: str, function: int, depth: int = 0) -> tuple[Way, ...]:
        """The ways to a function."""
        key = (path, function)
        if key in self._reached:
            return self._reached[key]
        if depth > DEEPEST:
            return (Way(),)
        if key in self._open:  # a function that calls itself adds no way
            self._met.add(key)
            return ()
        self._open.add(key)
        found: dict[tuple[object, ...], Way] = {}
        for way in self._reach(path, function, depth):
            found.setdefault((way.file, way.element, way.call, tuple(gate.key for gate in way.gates)), way)
            if len(found) >= MOST:
                break
        self._open.discard(key)
        self._met.discard(key)
        ways = tuple(found.values())
        self._tries[key] += 1
        # What was found on the way round a circle is not all that there is, seen from another place.
        if not self._met or self._tries[key] > TRIES:
            self._reached[key] = ways
        return ways

    def _reach(self, path: str, function: int, depth: int) -> Iterator[Way]:
        facts = self.program.files[path]
        if function == MODULE:
            yield Way(self.held(path, MODULE) or ())
            return
        fact = facts.functions[function]
        if fact.name == SCOPE:
            here = Way(self._conditions.given(path, fact.owner, fact.conditions))
            yield from self._up(path, fact.owner, here, depth + 1)
            return
        if self._is_shown(path, function):
            yield Way(self.held(path, function) or (), unsure=self._is_left_over(path, function))
            return
        for use in self._uses.of(path, function):
            yield from self._by_use(path, function, use, depth)

    def _by_use(self, path: str, function: int, use: Use, depth: int) -> Iterator[Way]:
        gates = self._conditions.given(
            path,
            self.program.files[path].functions[function].owner,
            self.program.files[path].functions[function].conditions,
        )
        gates = gates if use.file == path else ()
        gates += self._conditions.of_use(use)
        facts = self.program.files[use.file]
        if use.role == "attr":
            left = self._is_within_left_over(use.file, facts.elements[use.at].owner)
            gates += self._opened.by(use) or ()
            inner = list(self.through_component(use))
            if inner:
                said = facts.elements[use.at].label
                for way in inner:
                    held = unique(gates + way.gates + self.around(use.file, use.at))
                    deeper = self.program.files[way.file].elements[way.element].label if way.element >= 0 else ""
                    if deeper and not said:
                        yield Way(held, way.file, way.element, way.call, way.steps, left)
                    else:
                        yield Way(held, use.file, use.at, steps=way.steps, unsure=left)
                return
            if not self._takes_other_parts(use):
                yield Way(unique(gates + self.around(use.file, use.at)), use.file, use.at, unsure=left)
            return
        selected = self._selectors.of(use) if use.role == "arg" else []
        if selected:
            for file, element in selected:
                yield Way(unique(gates + self.around(file, element)), file, element)
            return
        name = self.program.files[path].functions[function].name
        step: tuple[Step, ...] = ()
        if use.role == "target" and name:
            call = facts.calls[use.at]
            step = (Step(Location(use.file, call.line, call.column), f"`{name}` is called"),)
        at = use.at if use.role in {"target", "arg"} else -1
        here = Way(gates, use.file, call=at, steps=step, unsure=_is_handed_whole(use))
        yield from self._up(use.file, use.owner, here, depth + 1)

    def through_component(
        self, use: Use, leave: Callable[[Use], bool] = lambda _: False, seen: frozenset[Prop] = frozenset()
    ) -> Iterator[Way]:
        """A function that a component of the project is given: where that one uses it, but for uses to `leave`."""
        shown = self._component(use)
        if shown is None or (prop := (*shown, use.name, use.path)) in seen:
            return
        path, function = shown
        for inner in self._prop(path, function, use):
            if leave(inner):
                continue
            gates = self._conditions.of_use(inner)
            if inner.file != path or not self.program.is_inside(
                path, inner.owner, function
            ):  # it is handed to somebody else
                element = inner.at if inner.role in {"tag", "attr"} else -1
                yield Way((), inner.file, element, inner.at if inner.role in {"target", "arg"} else -1)
            elif inner.role == "attr":
                deeper = list(self.through_component(inner, leave, seen | {prop}))
                own = gates + self._inside(path, inner)
                if deeper:
                    for way in deeper:
                        yield Way(unique(own + way.gates), way.file, way.element, way.call, way.steps)
                elif not self._takes_other_parts(inner):
                    yield Way(unique(own), inner.file, inner.at)
            elif inner.role in {"target", "arg"}:
                yield from self._within(path, function, inner, gates, 0)

    def leaves_all(self, use: Use, leave: Callable[[Use], bool]) -> bool:
        """Whether a component does nothing with what it is given but what is to be left."""
        shown = self._component(use)
        uses = list(self._prop(*shown, use)) if shown is not None else []
        return bool(uses) and all(map(leave, uses))

    def _takes_other_parts(self, use: Use, seen: frozenset[Prop] = frozenset()) -> bool:
        """Whether a component is handed an object with the function, and takes others from it only."""
        shown = self._component(use) if use.path else None
        if shown is None or (prop := (*shown, use.name, use.path)) in seen or self._has_this(use):
            return False
        uses = list(self._of_prop(*shown, use.name))
        return bool(uses) and all(self._takes_another(use, inner, seen | {prop}) for inner in uses)

    def _takes_another(self, use: Use, inner: Use, seen: frozenset[Prop]) -> bool:
        carried = carried_at(use, inner)
        if carried is None:
            return "[]" not in inner.tail  # `operations[which]()` may take any
        if carried.role == "attr":
            return self._takes_other_parts(carried, seen)
        if carried.role != "bind":
            return self._uses.is_dependency(carried)
        held = (carried.file, carried.at, f"{carried.name} =", carried.path)
        uses = self._uses.named(carried.file, carried.at, carried.name) if held not in seen else []
        return bool(uses) and all(self._takes_another(carried, one, seen | {held}) for one in uses)

    def _has_this(self, use: Use) -> bool:
        """Whether a function beside the one in question, in the same object, may run it: `all() { this.remove(); }`."""
        for place in (use, *use.holders):
            for at in {item.index for obj in place.objects for _, item in obj.items if isinstance(item, Fn)}:
                if any(
                    self.program.is_inside(place.file, other.owner, at)
                    for other in self._uses.index(place.file).names.get("this", ())
                ):
                    return True
        return False

    def _component(self, use: Use) -> tuple[str, int] | None:
        """The component of the project that an element shows, also one that is wrapped: `observer(function Menu() {})`."""
        element = self.program.files[use.file].elements[use.at]
        found = self.program.meaning(use.file, element.owner, element.tag)
        for _ in range(WRAPPED):
            if not isinstance(found, Bound):
                return None
            if isinstance(found.value, Fn):
                return (found.path, found.value.index) if found.value.index else None
            call = self.program.files[found.path].calls[found.value.index] if isinstance(found.value, CallOf) else None
            if call is None or not call.args or not self._uses.wraps(found.path, call):
                return None
            found = self.program.meaning(found.path, call.owner, call.args[0])
        return None

    def _inside(self, path: str, use: Use) -> tuple[Gate, ...]:
        """What holds at a use inside of a component, without what holds for the component itself."""
        fact = self.program.files[path].elements[use.at]
        return self._conditions.given(path, fact.owner, fact.conditions) + self._conditions.of_attributes(path, use.at)

    def _within(self, path: str, component: int, use: Use, gates: tuple[Gate, ...], depth: int) -> Iterator[Way]:
        """A prop that a function inside of the component calls: where that one is used."""
        if use.owner == component or depth > MOST_CALLS:
            yield Way(gates, use.file, call=use.at)
            return
        seen = False
        for outer in self._uses.of(path, use.owner):
            own = gates + self._conditions.of_use(outer)
            if outer.file == path and outer.role == "attr":
                seen = True
                yield Way(unique(own + self._inside(path, outer)), path, outer.at)
            elif outer.file == path and outer.role in {"target", "arg"}:
                seen = True
                yield from self._within(path, component, outer, own, depth + 1)
        if not seen:
            yield Way(gates, use.file, call=use.at)

    def _prop(self, path: str, function: int, use: Use) -> Iterator[Use]:
        """Where a component uses what it is given at `use`, or that part of it which is asked about."""
        for inner in self._of_prop(path, function, use.name):
            carried = carried_at(use, inner)
            for one in self._uses.followed(carried) if carried is not None else ():
                if one.role != "target" or not one.path:
                    yield one

    def _of_prop(self, path: str, function: int, name: str) -> Iterator[Use]:
        """The uses of a prop inside of a component."""
        fact = self.program.files[path].functions[function]
        if not fact.params:
            return
        first = fact.params[0]
        if isinstance(first, str):
            for use in self._uses.index(path).names.get(first, ()):
                if not self._uses.sees(path, use.owner, first, function):
                    continue
                if use.tail[:1] == (name,):
                    yield use._replace(tail=use.tail[1:])
                elif not use.tail and use.role == "attr" and use.name == "...":  # `<Menu {...props} />`
                    yield use._replace(name=name)
                elif not use.tail and use.role != "test":
                    yield use._replace(path=(*use.path, name))
            return
        for key, local in first:
            if key == name:
                yield from self._uses.named(path, function, local)

    # What holds on every way

    def users(self, path: str, function: int) -> list[Use]:
        """The uses of a function."""
        return self._uses.of(path, function)

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
                return unique(
                    self._conditions.given(path, fact.owner, fact.conditions) + (self.held(path, fact.owner) or ())
                )
            ways = self.reach(path, function)
            return every([way.gates for way in ways]) if ways else ()
        shows = [(use, self._opened.by(use)) for use in self._shows(path, function)]
        sure = [one for one in shows if one[1] is not None] or shows
        gates = [self._shown_by(use, opened or ()) for use, opened in sure]
        own = self._conditions.given(path, fact.owner, fact.conditions)
        return unique(own + every(gates)) if gates else own

    def _shown_by(self, use: Use, opened: tuple[Gate, ...]) -> tuple[Gate, ...]:
        if use.role in {"tag", "attr"}:
            return unique(self._conditions.of_use(use) + opened + self.around(use.file, use.at, own=False))
        return unique(self._conditions.of_use(use) + (self.held(use.file, use.owner) or ()))

    def _file_held(self, path: str) -> tuple[Gate, ...]:
        """What holds for the code of a file itself: a component in a file of its own, a template that others put in."""
        facts = self.program.files[path]
        if facts.kind in {"vue", "svelte"}:
            uses = [
                use
                for use in self._uses.imported(path, "default", ())
                if use.role in {"tag", "attr", "arg", "bind", "export", "loose"}
            ]
            return every([self._shown_by(use, self._opened.by(use) or ()) for use in uses]) if uses else ()
        if facts.kind in {"html", "angular"}:
            gates = []
            for other, conditions in self._including.get(path, ()):
                gates.append(
                    unique(self._conditions.given(other, MODULE, conditions) + (self.held(other, MODULE) or ()))
                )
            return every(gates) if gates else ()
        return ()

    def including(self) -> dict[str, tuple[str, ...]]:
        """For each template that others put in, or build upon, which they are."""
        return {name: tuple(other for other, _ in found) for name, found in self._including.items()}

    @cached_property
    def _including(self) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
        """For each template those that put it in, and the conditions there."""
        found: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
        tails: dict[str, list[str]] = {}
        for name in self.program.files.markup:
            if self.program.files[name].kind == "html":
                tails.setdefault(name.rpartition("/")[2], []).append(name)
        for other in (name for names in tails.values() for name in names):
            for slot in self.program.files[other].slots:
                wanted = slot.path.removeprefix("./")
                for name in tails.get(wanted.rpartition("/")[2], ()):
                    if name == slot.path or f"/{name}".endswith(f"/{wanted}") or in_theme(name).endswith(f"/{wanted}"):
                        found.setdefault(name, []).append((other, slot.conditions))
        return found

    def _is_shown(self, path: str, function: int) -> bool:
        """Whether a function is a component: what it gives is shown, and nobody calls it."""
        fact = self.program.files[path].functions[function]
        if fact.cls:
            return fact.name in self._lifecycle
        return fact.name == "default" or (fact.name[:1].isupper() and not self._is_handler(path, fact))

    def _is_handler(self, path: str, fact: Function) -> bool:
        """Whether a function inside of a component is run by an element, whatever its name: `onClick={SaveAll}`."""
        uses = self._uses.named(path, fact.owner, fact.name) if fact.owner else ()
        return any(use.role == "attr" and split_words(use.name)[:1] == ("on",) for use in uses)

    def _is_left_over(self, path: str, function: int) -> bool:
        """Whether a component has a name that stands nowhere but where it is defined: nobody sees it."""
        key = (path, function)
        if key not in self._left_over:
            name = self.program.files[path].functions[function].name
            exported = [real for real, (_, value) in self.program.files[path].exports.items() if value == Name(name)]
            named_here_only = exported == [name] and self.program.files.mentioning(name) == [path]
            self._left_over[key] = (
                named_here_only and not self.program.taken_whole(path) and not self._shows(path, function)
            )
        return self._left_over[key]

    def _is_within_left_over(self, path: str, owner: int) -> bool:
        around = self.program.around(path, owner)
        return any(self._is_shown(path, index) and self._is_left_over(path, index) for index, _ in around if index)

    def _handed(self, prop: Param) -> list[Bound]:
        """See `Gates.handed`."""
        if prop.position or not prop.key or not self._is_shown(prop.path, prop.function):
            return []
        found: list[Bound] = []
        for use in self._shows(prop.path, prop.function):
            element = self.program.files[use.file].elements[use.at] if use.role == "tag" else None
            given = dict(element.attributes).get(prop.key) if element is not None else None
            if element is None or given is None:
                return []
            found.append(Bound(use.file, element.owner, given))
        return found

    def _shows(self, path: str, function: int) -> list[Use]:
        fact = self.program.files[path].functions[function]
        if fact.cls:
            facts = self.program.files[path]
            if facts.kind in {"vue", "svelte"} and fact.cls == "default":
                uses = self._uses.imported(path, "default", ())
            else:
                uses = self._uses.named(path, self._class_owner(path, fact.cls), fact.cls)
        else:
            uses = self._uses.of(path, function)
        return [use for use in uses if use.role not in {"export", "base", "test"}]

    def _class_owner(self, path: str, name: str) -> int:
        cls = self.program.cls(Class(path, name))
        return cls.owner if cls is not None else MODULE


def in_theme(path: str) -> str:
    """The path of a template as the loader of a theme names it: `admin/page.html` for `admin/templates/page.html`."""
    return path.replace("/templates/", "/", 1)


def _is_handed_whole(use: Use) -> bool:
    """Whether an object of another file is handed over with all that it has: `load.bind(users)`, where `users` has it."""
    of_another = any(holder.file != use.file for holder in use.holders)
    return use.role == "arg" and bool(use.path) and not use.objects and of_another
