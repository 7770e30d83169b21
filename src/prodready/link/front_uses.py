"""Where a function of a front end runs, is shown or is given away: its uses, by way of names, modules and members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prodready.knowledge import Knowledge
from prodready.link.front_gates import Gates
from prodready.link.front_index import Index, Use
from prodready.link.front_program import Bound, Class, FrontProgram, Outside
from prodready.read.web.facts import (
    MODULE,
    CallFact,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Obj,
    Text,
)
from prodready.words import split_words

MOST = 60
"""Uses kept of one function."""
DEEPEST = 14
"""Holders of a value followed one into the other."""

HANDED = 8
"""Functions that hand on, one to the other, what they are given."""

_GIVEN_THIS = frozenset({"bind", "call", "apply"})
"""Methods of functions whose first argument is only what `this` stands for in them."""

Seen = set[tuple[object, ...]]
Parameter = str | tuple[tuple[str, str], ...]


class Uses:
    """Follows values forwards: from where they are made to where they are called, shown or handed to what is unknown."""

    def __init__(self, program: FrontProgram, gates: Gates, knowledge: Knowledge) -> None:
        self.program = program
        self._gates = gates
        self._wrappers = knowledge.front.get("wrappers", frozenset())
        self._mutations = knowledge.front.get("mutations", frozenset())
        self._lifecycle = knowledge.front.get("lifecycle", frozenset())
        self._indexes: dict[str, Index] = {}
        self._asked: set[tuple[str, int]] = set()
        self._counts: dict[str, int] = {}

    def index(self, path: str) -> Index:
        """Who uses what in a file."""
        if path not in self._indexes:
            self._indexes[path] = Index(path, self.program.files[path])
        return self._indexes[path]

    def of(self, path: str, function: int) -> list[Use]:
        """The places where a function runs, is shown or is given away."""
        if (path, function) in self._asked:
            return []  # it gives itself back, or the ways of several lead round
        self._asked.add((path, function))
        try:
            return self._of(path, function)
        finally:
            self._asked.remove((path, function))

    def _of(self, path: str, function: int) -> list[Use]:
        found: list[Use] = []
        seen: Seen = set()
        fact = self.program.files[path].functions[function]
        for use in self.index(path).functions.get(function, ()):
            if use.role == "export" and fact.cls and self.program.files[path].kind == "vue":
                continue  # who shows a component does not run its methods
            self._follow(use, found, seen, 0)
        if not found and fact.cls and fact.name not in self._lifecycle:
            return self._of_member(path, fact.cls, fact.name)
        return found[:MOST]

    def of_variable(self, path: str, owner: int, name: str) -> list[Use]:
        """The places where what a variable of a function holds is used."""
        return [found for use in self.named(path, owner, name) for found in self.followed(use)][:MOST]

    def followed(self, use: Use) -> list[Use]:
        """The places that a value gets to which stands at `use`."""
        found: list[Use] = []
        self._follow(use, found, set(), 0)
        return found

    def _follow(self, use: Use, found: list[Use], seen: Seen, depth: int) -> None:
        """Where a value goes that stands at `use`: on, or to one of the `found`."""
        key = (use.file, use.owner, use.role, use.at, use.name, use.path, use.tail, use.conditions)
        if key in seen or depth > DEEPEST or len(found) >= MOST:
            return
        seen.add(key)
        role = use.role
        if role == "bind":
            for other in self.named(use.file, use.at, use.name):
                self._carry(use, other, found, seen, depth)
        elif role == "export":
            for other in self.imported(use.file, use.name, ()):
                self._carry(use, other, found, seen, depth)
        elif role == "member":
            cls = self.program.files[use.file].classes[use.at]
            for other in self._of_member(use.file, cls.name, use.name):
                self._carry(use, other, found, seen, depth)
        elif role == "return":
            for other in self._results(use):
                self._carry(use, other, found, seen, depth)
        elif role == "arg" and use.path and not use.objects and self.called(use) in _GIVEN_THIS:
            return
        elif self.is_dependency(use):
            return
        elif role == "arg" and self._hands_on(use):
            for other in self.index(use.file).calls.get(use.at, ()):
                tail = other.tail
                self._follow(
                    _placed(other, use, () if self.called(use) in self._mutations else use.path, tail),
                    found,
                    seen,
                    depth + 1,
                )
        elif role == "arg" and (taken := list(self._taken(use, 0))):
            found += taken
        elif role == "loose" and use.name:
            last = use.name.rpartition(".")[2]
            others = [other for other in self._members(last) if other.role != "test"] if "." in use.name else []
            if not others:
                found.append(use)
            for other in others:
                self._carry(use, other, found, seen, depth)
        elif role not in {"test", "base"}:
            found.append(use)

    def _carry(self, use: Use, other: Use, found: list[Use], seen: Seen, depth: int) -> None:
        """Follow the value that `use` holds to a place where its holder stands."""
        carried = carried_at(use, other)
        if carried is not None:
            self._follow(carried, found, seen, depth + 1)

    def _taken(self, use: Use, depth: int) -> Iterator[Use]:
        """A function handed to one of the project: once for each thing that one does with it, and under which gates."""
        call = self.program.files[use.file].calls[use.at]
        callee = self.program.meaning(use.file, call.owner, call.target)
        if (
            depth > HANDED
            or not isinstance(callee, Bound)
            or not isinstance(callee.value, Fn)
            or not callee.value.index
        ):
            return
        path, function = callee.path, callee.value.index
        params = self.program.files[path].functions[function].params
        position = int(use.name)
        for key, local in _locals(params[position]) if position < len(params) else ():
            if key and use.path[:1] != (key,):
                continue
            inside = use._replace(path=use.path[1:] if key else use.path, objects=())
            for other in self.index(path).names.get(local, ()):
                if self.sees(path, other.owner, local, function) and (carried := carried_at(inside, other)) is not None:
                    for put in self._put(carried, depth + 1):
                        objects = tuple(_filled(obj, params, call.args) for obj in put.objects)
                        yield use._replace(holders=(*use.holders, put), objects=objects)

    def _put(self, use: Use, depth: int) -> Iterator[Use]:
        """What a function does with something that it is given, as far as that is not only to keep it."""
        if use.role == "bind":
            for other in self.named(use.file, use.at, use.name):
                if depth <= DEEPEST and (carried := carried_at(use, other)) is not None:
                    yield from self._put(carried, depth + 1)
        elif use.role == "arg":
            yield from list(self._taken(use, depth + 1)) or [use]
        elif use.role not in {"test", "base"}:
            yield use

    def called(self, use: Use) -> str:
        """The last name of the function that a use is an argument of."""
        chain = self._gates.chain(use.file, self.program.files[use.file].calls[use.at].target)
        return chain[-1] if chain else ""

    def wraps(self, path: str, call: CallFact) -> bool:
        """Whether a call gives the component back that it is given, with something around it."""
        chain = self._gates.chain(path, call.target)
        return bool(chain) and (chain[-1] in self._wrappers or ".".join(chain) in self._wrappers)

    def is_dependency(self, use: Use) -> bool:
        """Whether a value is only listed for a hook to look whether it has changed: `useMemo(() => ..., [value])`."""
        if use.role != "arg" or use.path[:1] != ("[]",) or use.objects:
            return False
        call = self.program.files[use.file].calls[use.at]
        last = len(call.args) - 1
        if int(use.name) != last or last < 1 or not isinstance(call.args[0], Fn):
            return False
        return self.called(use).startswith("use") and isinstance(
            self.program.meaning(use.file, call.owner, call.target), Outside
        )

    def _hands_on(self, use: Use) -> bool:
        """Whether a call's result stands for what it was given."""
        name = self.called(use)
        return (
            name in self._wrappers
            or name in self._mutations
            or bool(name.startswith("with") and name[4:5].isupper() and not use.path)
        )

    def named(self, path: str, owner: int, name: str) -> list[Use]:
        """The uses of a variable of a function, and of a file's those by the files that import it."""
        found = [use for use in self.index(path).names.get(name, ()) if self.sees(path, use.owner, name, owner)]
        if owner == MODULE:
            for exported, (module, value) in self.program.files[path].exports.items():
                if not module and value == Name(name):
                    found += self.imported(path, exported, ())
        return [use for use in found if use.role != "export"]

    def sees(self, path: str, owner: int, name: str, holder: int) -> bool:
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

    def imported(self, path: str, name: str, hops: tuple[str, ...]) -> list[Use]:
        """The uses of what a file exports, in the files that import it, also by way of others."""
        if path in hops or len(hops) > 6:
            return []
        found: list[Use] = []
        for other, local, real in self.program.importers(path, name):
            if real == name:
                found += [
                    use for use in self.index(other).names.get(local, ()) if self.sees(other, use.owner, local, MODULE)
                ]
                for exported, (module, value) in self.program.files[other].exports.items():
                    if not module and value == Name(local):
                        found += self.imported(other, exported, (*hops, path))
            elif real == "*":
                for use in self.index(other).names.get(local, ()):
                    if use.tail[:1] == (name,):
                        found.append(_placed(use, use, use.path, use.tail[1:]))
        for other in self.program.naming(path, name):
            facts = self.program.files[other]
            for exported, (module, value) in facts.exports.items():
                if module and value == Name(name) and self.program.module(other, module) == path:
                    found += self.imported(other, exported, (*hops, path))
            if any(self.program.module(other, star) == path for star in facts.stars):
                found += self.imported(other, name, (*hops, path))
        found += self._dynamic(path) if name == "default" else []
        return [use for use in found if use.role != "export"]

    def _dynamic(self, path: str) -> list[Use]:
        """`lazy(() => import("./Page"))`: where the function that imports stands."""
        return [
            use
            for other in self.program.naming(path)
            for call in self.program.files[other].calls
            if call.owner and self._imports(other, call) == path
            for use in self.of(other, call.owner)
        ]

    def _imports(self, path: str, call: CallFact) -> str:
        """The file that a call imports."""
        first = call.args[0] if call.target == Name("import") and call.args else None
        return self.program.module(path, str(first.parts[0])) if isinstance(first, Text) and first.parts else ""

    def _results(self, use: Use) -> list[Use]:
        """The uses of what a function gives: those of the calls of it."""
        found: list[Use] = []
        for called in self.of(use.file, use.at):
            if called.role == "target":
                found += self.index(called.file).calls.get(called.at, ())
            elif called.role in {"attr", "tag"}:
                found.append(called)
            elif called.role == "arg":
                found.append(called)
        return found

    def _members(self, name: str) -> list[Use]:
        """The uses of attributes of this name in all files."""
        return [
            use
            for path in self.program.files.having(name)
            if (attributes := self.program.files[path].attributes) is None or name in attributes
            for use in self.index(path).members.get(name, ())
        ]

    def _of_member(self, path: str, cls: str, name: str) -> list[Use]:
        """The uses of a method: by its name, wherever the receiver may be one of the class."""
        found: list[Use] = []
        if self.program.files[path].kind in {"vue", "svelte"} and cls == "default":
            found += [use for use in self.index(path).names.get(name, ()) if self.sees(path, use.owner, name, MODULE)]
            found += [use for use in self.index(path).members.get(name, ()) if self._is_this(use, name)]
            return [use for use in found if use.role != "test"]
        for template in self._templates_of(path, cls):
            found += self.index(template).names.get(name, ())
        mine = Class(path, cls)
        for use in self._members(name):
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
        made = self.program.made(found)
        found = made if isinstance(made, (Class, Outside)) else found
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
        if words and (words == wanted or (len(words) > 1 and words == wanted[-len(words) :])):
            return True
        if any(_is_hook_of(part, wanted) for part in receiver):
            return True
        return len(split_words(name)) > 1 and self.defined(name) == 1

    def defined(self, name: str) -> int:
        """How many functions, members of classes and entries of objects have a name."""
        if name not in self._counts:
            self._counts[name] = 0
            for facts in map(self.program.files.__getitem__, self.program.files.mentioning(name)):
                classes = {function.cls for function in facts.functions if function.name == name}
                self._counts[name] += len(classes | {cls.name for cls in facts.classes if name in cls.members})
        return self._counts[name]


def _is_hook_of(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether `useProject` is by its name what gives a `ProjectStore`."""
    words = split_words(name)
    asked = words[1:] if words[:1] == ("use",) else ()
    return bool(asked) and wanted[: len(asked)] == asked and set(wanted[len(asked) :]) <= {"store", "root", "context"}


def carried_at(use: Use, other: Use) -> Use | None:
    """The value that `use` holds under some keys, at a place where its holder stands; None for another of its attributes."""
    path, tail = use.path, other.tail
    while path and tail and (tail[0] == path[0] or (path[0] == "[]")):
        path, tail = path[1:], tail[1:]
    if path and tail:
        return None
    return _placed(other, use, other.path + path if path else other.path, tail)


def _locals(param: Parameter) -> Iterator[tuple[str, str]]:
    """The names of a parameter inside of its function, with the key of the argument under which each stands."""
    if isinstance(param, str):
        yield "", param
        return
    for key, local in param:
        yield "" if key == "..." else key, local


def _filled(obj: Obj, params: Sequence[Parameter], args: Sequence[Expr]) -> Obj:
    """What an object that a function makes has of the function's parameters, with the arguments in their place."""
    given = {local: _under(arg, key) for param, arg in zip(params, args, strict=False) for key, local in _locals(param)}
    items = [(key, _given(value, given)) for key, value in obj.items]
    return Obj(tuple((key, value) for key, value in items if value is not None))


def _given(value: Expr, given: Mapping[str, Expr]) -> Expr:
    if isinstance(value, Name):
        return given.get(value.name)
    if isinstance(value, Member):
        return _under(_given(value.base, given), value.name)
    return None


def _under(value: Expr, key: str) -> Expr:
    """What an expression has under a key."""
    if not key or value is None:
        return value
    if isinstance(value, Obj):
        return next((item for name, item in value.items if name == key), None)
    return Member(value, key)


def _placed(other: Use, use: Use, path: tuple[str, ...], tail: tuple[str, ...]) -> Use:
    """A place where a value stands by way of its holder, which stood at `use`."""
    holders = use.holders if use is other else (*use.holders, use._replace(holders=()), *other.holders)
    return other._replace(path=path, tail=tail, holders=holders)
