"""Who holds a transaction around whom: callers, frameworks, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain

from prodready.link.deeds import Deeds
from prodready.link.dispatch import Dispatch
from prodready.link.frames import Bound, CallSite, Frame
from prodready.link.infer import Inference
from prodready.link.labels import Labels
from prodready.link.openings import Key
from prodready.link.preparing import prepares
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, Symbol, ValueSymbol
from prodready.link.signals import Signals, each_of
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name, position
from prodready.read.handed import is_apart
from prodready.read.values import Value

MOST_CALLERS = 300
"""Callers of callers that are asked for a transaction."""

FAR = 4
"""Callers of callers that are looked at for a request."""

PLAIN = frozenset({"object", "abc", "typing", "typing_extensions", "enum", "dataclasses", "collections", "builtins"})
"""Where bases come from that call nothing."""

WORKS_WITH = ("form", "formset", "add_form")
"""Attributes by which such a class names the forms that it saves."""


class Holders:
    """Looks from functions to those who call them."""

    def __init__(self, labels: Labels, outside: frozenset[str]) -> None:
        """`outside` are the files whose calls count for nothing, such as tests."""
        self.infer: Inference = labels.infer
        self.program = labels.program
        self.knowledge = labels.knowledge
        self.labels = labels
        self.deeds = Deeds(labels)
        self.dispatch = Dispatch(labels.infer, outside)
        self.signals = Signals(labels.infer, outside)
        self.outside = outside
        self._covered: dict[Key, bool] = {}
        self._held: dict[Key, bool] = {}
        self._sites: dict[Key, list[tuple[Frame, int, bool]]] = {}
        self._signals: list[ValueSymbol] = []
        """Those that are asked about just now: who sends one may receive another."""
        self._requests: bool | None = None
        self._below: dict[Key, list[CallSite]] = {}
        self._runs_of: dict[str, list[tuple[Frame, CallFact, frozenset[Key]]]] = {}

    def held(self, frame: Frame) -> bool:
        """Whether all of a function runs in a transaction: its own, or one that every caller holds."""
        if frame.key not in self._held:
            self._held[frame.key] = self._all_callers(frame, lambda one: False, self._is_run_by_unknown, surely=True)
        return self._held[frame.key]

    def _is_run_by_unknown(self, frame: Frame) -> bool:
        """Whether a library of which nothing is known may call a method: it may stand in place of one of its own."""
        cls = self.program.owner(frame.path, frame.function)
        return cls is not None and any(
            isinstance(base, str) and not self.infer.is_described(base) and base.partition(".")[0] not in PLAIN
            for base in self.program.lineage(cls)
        )

    def covered(self, frame: Frame) -> bool:
        """Whether whoever calls a function holds a transaction around the call, or makes each request one."""
        if frame.key not in self._covered:
            self._covered[frame.key] = self._all_callers(
                frame,
                lambda one: self._is_called_within(one) or self._in_request(one),
                lambda one: self.is_entry(one) and not self._in_request(one),
            )
        return self._covered[frame.key]

    def _all_callers(
        self, frame: Frame, uncalled: Callable[[Frame], bool], spoils: Callable[[Frame], bool], *, surely: bool = False
    ) -> bool:
        """Whether every way up from a function comes to a transaction.

        `uncalled` decides on those that nobody in the project calls; `spoils` says that somebody else calls one, too. Of
        functions that call one another somebody outside decides.
        """
        waiting, seen = [frame], {frame.key}
        while waiting:
            one = waiting.pop()
            if self.deeds.is_transaction(one):
                continue
            called = self.sites(one)
            sites = called or self._perhaps(one, surely)
            bare = spoils(one) if called else not sites and not uncalled(one)
            if len(seen) > MOST_CALLERS or bare or self.is_left(one):
                return False
            for caller, index, held in sites:
                if held or caller.key in seen or (not surely and index in self.deeds.chosen(caller)):
                    continue
                seen.add(caller.key)
                waiting.append(caller)
        return True

    def sites(self, frame: Frame) -> list[tuple[Frame, int, bool]]:
        """The calls of a function outside of tests: the caller, which of its calls, and whether in a transaction."""
        if frame.key not in self._sites:
            self._sites[frame.key] = self._look_for_sites(frame)
        return self._sites[frame.key]

    def _look_for_sites(self, frame: Frame) -> list[tuple[Frame, int, bool]]:
        found: dict[tuple[Key, int], tuple[Frame, int, bool]] = {}
        for caller, fact, between in self._calls_of(frame):
            if caller.path in self.outside or caller.key == frame.key:
                continue
            index = position(caller.function, fact)
            if is_apart(caller.function.calls, index):
                continue
            held = between or self.deeds.is_transaction(caller) or index in self.deeds.inside(caller)
            before = found.get((caller.key, index))
            found[caller.key, index] = (caller, index, held and (before is None or before[2]))
        # What fills a database to play with says nothing of how the application calls a function.
        used = [site for site in found.values() if not prepares(site[0], self.program) or self.is_entry(site[0])]
        return used or list(found.values())

    def _calls_of(self, frame: Frame) -> Iterator[tuple[Frame, CallFact, bool]]:
        """The calls that run a function: of itself, of what it overrides, of a library's method that runs it.

        Third is whether what stands between the two holds a transaction.
        """
        simple = frame.function.qualname.rpartition(".")[2]
        for site in self.infer.callers(frame.path, frame.function.qualname):
            yield site.frame, site.fact, False
        cls = self.program.owner(frame.path, frame.function)
        bases = self.program.lineage(cls)[1:] if cls is not None else ()
        for site in self._calls_above(cls, simple) if cls is not None else ():
            if cls is not None and self._may_be_on(cls, site):
                yield site.frame, site.fact, False
        libraries = [base for base in bases if isinstance(base, str)]
        names = {name for base in libraries for name in self.knowledge.callers_of(base, simple)}
        if any(map(self.knowledge.is_row, libraries)):
            names |= self.knowledge.makers_of(simple)
        elif any(self.knowledge.method(library, simple) is not None for library in libraries):
            names |= self.knowledge.assemblers_of(simple)
        for name in sorted(names):
            for caller, fact, targets in self._running(name):
                if frame.key in targets:
                    yield caller, fact, False
        for use in self.dispatch.uses(cls, frame.function) if cls is not None else ():
            yield use.frame, use.fact, use.made != cls and self._holds(use.made, use.fact.name)

    def _perhaps(self, frame: Frame, surely: bool) -> list[tuple[Frame, int, bool]]:
        """What may call a function that nothing is seen to call, as `sites` has it; `surely` leaves out what names tell."""
        found = list(self.dispatch.handed_on(frame))
        if not surely:
            found += chain(self.dispatch.called_after(frame), self.dispatch.called_by_prefix(frame))
        return [
            (caller, index, self.deeds.is_transaction(caller) or index in self.deeds.inside(caller))
            for caller, index in found
        ]

    def _calls_above(self, cls: ClassSymbol, name: str) -> Iterator[CallSite]:
        """The calls of a method on objects of the classes above one, which declare it or leave it to those below."""
        for base in dict.fromkeys((*self.program.lineage(cls)[1:], *self._behind(cls))):
            if not isinstance(base, ClassSymbol):
                continue
            overridden = f"{base.facts.qualname}.{name}"
            if self.program.function(base.path, overridden) is not None:
                yield from self.infer.callers(base.path, overridden)
            elif self.program.member(base, name) is None:
                yield from self._calls_below(base, name)

    def _behind(self, cls: ClassSymbol) -> Iterator[ClassSymbol]:
        """The classes that a mixin comes before in the classes that it is mixed into."""
        for one in self.program.descendants(cls):
            lineage = self.program.lineage(one)
            behind = lineage[lineage.index(cls) + 1 :] if cls in lineage else ()
            yield from (base for base in behind if isinstance(base, ClassSymbol))

    def _calls_below(self, base: ClassSymbol, name: str) -> list[CallSite]:
        """The calls of a method on objects of a class that leaves it to its subclasses, a few of which they reach."""
        key = (base.path, f"{base.facts.qualname}.{name}")
        if key not in self._below:
            some = [
                m
                for sub in self.program.subclasses(base)
                if isinstance(m := self.program.member(sub, name), FunctionSymbol)
            ]
            sites = self.infer.callers(some[0].path, some[0].facts.qualname) if some else []
            self._below[key] = [site for site in sites if self._object_of(site) == base]
        return self._below[key]

    def _object_of(self, site: CallSite) -> ClassSymbol | None:
        """The class of the object that a method is called on, as far as it is known."""
        target = site.fact.value.target
        kind = self.infer.type_of(Bound(target.base, site.frame)) if isinstance(target, v.Attr) else None
        return kind.cls if kind is not None else None

    def is_left(self, frame: Frame) -> bool:
        """Whether a library calls a method of an object that elsewhere the project calls itself."""
        cls = self.program.owner(frame.path, frame.function)
        uses = self.dispatch.uses(cls, frame.function) if cls is not None else []
        return bool(uses) and cls is not None and self.dispatch.is_left_to_library(cls, frame.function, uses)

    def _may_be_on(self, cls: ClassSymbol, site: CallSite) -> bool:
        """Whether the object that a method is called on may be one of a class, as far as its type is known."""
        target = site.fact.value.target
        receiver = v.bare(target.base) if isinstance(target, v.Attr) else None
        behind = isinstance(receiver, v.Op) and receiver.kind == "super"
        above = self._object_of(site)
        if receiver is None or above is None:
            return True
        if not behind and above in self.program.lineage(cls):
            return self._is_run_on(cls, site.frame, receiver)
        for one in self.program.descendants(above):
            lineage = self.program.lineage(one)
            if cls in lineage and not (behind and lineage.index(cls) <= lineage.index(above)):
                return True
        return False

    def _is_run_on(self, cls: ClassSymbol, caller: Frame, receiver: Value) -> bool:
        """Whether a method that calls one of its own is run on objects of a class, or has another one in its place."""
        params, home = caller.function.params, self.program.owner(caller.path, caller.function)
        on_itself = isinstance(receiver, v.Param) and bool(params) and params[0].name == receiver.name
        if home is None or not on_itself:
            return True
        return any(self._comes_to(home, one, caller) for one in self.program.descendants(cls))

    def _comes_to(self, home: ClassSymbol, cls: ClassSymbol, method: Frame) -> bool:
        """Whether the method of a base is what an object of a class has, or what its own methods of that name call."""
        simple = method.function.qualname.rpartition(".")[2]
        for one in self.program.lineage(cls):
            if one == home:
                break
            name = f"{one.facts.qualname}.{simple}" if isinstance(one, ClassSymbol) else ""
            own = self.program.function(one.path, name) if isinstance(one, ClassSymbol) else None
            if own is not None and all(fact.name != simple for fact in own.calls):
                return False
        return True

    def _running(self, name: str) -> list[tuple[Frame, CallFact, frozenset[Key]]]:
        """The calls of this name by which a library runs methods of the project, and which those are."""
        if name not in self._runs_of:
            found = []
            for path, function, fact in self.program.calls_named(name):
                caller = Frame(path, function)
                deed = self.deeds.deed(fact, caller) if path not in self.outside else None
                if deed is not None and deed.targets:
                    found.append((caller, fact, frozenset((s.path, s.facts.qualname) for s, _ in deed.targets)))
            self._runs_of[name] = found
        return self._runs_of[name]

    def is_entry(self, frame: Frame) -> bool:
        """Whether a request, a queue or a signal calls a function."""
        return self.labels.is_handler(frame) or self._is_run_apart(frame)

    def _is_run_apart(self, frame: Frame) -> bool:
        """Whether decorators make a task or a receiver of signals of a function."""
        return not self.deeds.decorations(frame).isdisjoint({"task", "queue", "receiver"})

    def _is_called_within(self, frame: Frame) -> bool:
        """Whether the framework calls a method inside of a transaction, its own or one that the class opens."""
        cls = self.program.owner(frame.path, frame.function)
        simple = frame.function.qualname.rpartition(".")[2]
        bases = self.program.lineage(cls) if cls is not None else ()
        libraries = [base for base in bases if isinstance(base, str)]
        if any(self.knowledge.is_within(library, simple) for library in libraries):
            return True
        if any(self._holds(cls, name) for library in libraries for name in self.knowledge.callers_of(library, simple)):
            return True
        if cls is None:
            return self._is_signalled_within(frame)
        users = self.dispatch.users_of(cls)
        if users and all(self._holds(user, "dispatch") for user in users):
            return True
        overrides = any(self.knowledge.method(library, simple) is not None for library in libraries)
        return cls.facts.qualname in self._used_within or (
            overrides and (cls.path, cls.facts.qualname) in self._managed - self._filled
        )

    def _is_signalled_within(self, frame: Frame) -> bool:
        """Whether a function receives signals, all of which are sent inside of a transaction."""
        signals = list(self.signals.received(frame))
        return bool(signals) and all(map(self._is_sent_within, signals))

    def _is_sent_within(self, signal: Symbol | None) -> bool:
        """Whether a signal is sent inside of transactions only: by the library, or wherever the project sends it."""
        if isinstance(signal, LibrarySymbol):
            effect = self.knowledge.object(signal.name)
            return effect is not None and effect.does == "transaction"
        if not isinstance(signal, ValueSymbol) or signal in self._signals:
            return False
        self._signals.append(signal)
        found = [
            self.deeds.is_transaction(frame) or index in self.deeds.inside(frame) or self.covered(frame)
            for frame, index in self.signals.sent(signal)
        ]
        self._signals.remove(signal)
        return bool(found) and all(found)

    @cached_property
    def _managed(self) -> frozenset[Key]:
        """The classes of rows that the framework was told to show and change, in transactions of its own."""
        names = {
            name.rpartition(".")[2] for name, effect in self.knowledge.functions.items() if effect.does == "manages"
        }
        found = set()
        for name in sorted(names):
            for path, function, fact in self.program.calls_named(name):
                frame = Frame(path, function)
                for callee in self.infer.callees(Bound(fact.value, frame)):
                    if callee.effect is not None and callee.effect.does == "manages":
                        given = [value for at in callee.effect.at for value in argument_values(fact.value, at)]
                        symbols = [self.infer.symbol_of(value, frame) for one in given for value in each_of(one)]
                        found |= {(s.path, s.facts.qualname) for s in symbols if isinstance(s, ClassSymbol)}
        return frozenset(found)

    @cached_property
    def _filled(self) -> frozenset[Key]:
        """The classes of rows that forms and serializers fill which the framework's transactions do not use."""
        found = set()
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if any(name.endswith(".Meta") for name in outline.defines) else None
            for name, facts_of_class in facts.classes.items() if facts and path not in self.outside else ():
                cls = ClassSymbol(path, facts_of_class)
                row = self.infer.filled_by(cls) if name not in self._used_within else None
                if row is not None:
                    found.add((row.path, row.facts.qualname))
        return frozenset(found)

    @cached_property
    def _used_within(self) -> frozenset[str]:
        """Names of the classes that classes with methods run in the framework's transactions say they work with."""
        described = self.knowledge.types.items()
        names = {n.rpartition(".")[2] for name, entry in described if entry.within for n in (name, *entry.aliases)}
        for outline in self.program.outlines.values():
            names |= {name for name, base in outline.derived if base in names}
        found = set()
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if not names.isdisjoint(outline.bases) else None
            for cls in facts.classes.values() if facts else ():
                if not names.isdisjoint(last_name(base) for base in cls.bases):
                    found |= {last_name(cls.attributes[key]) for key in WORKS_WITH if key in cls.attributes}
        return frozenset(found - {""})

    def _holds(self, cls: ClassSymbol | None, name: str) -> bool:
        """Whether the class runs its method of this name in a transaction."""
        method = self.program.member(cls, name) if cls is not None else None
        if not isinstance(method, FunctionSymbol):
            return False
        frame = Frame(method.path, method.facts)
        inside = (frame.function.calls[i].name for i in self.deeds.inside(frame))
        return self.deeds.is_transaction(frame) or name in inside or name in self.deeds.wrapped(frame)

    def is_waited_for(self, frame: Frame, depth: int = 0) -> bool:
        """Whether somebody waits for all that a function does: a request leads to it, or nobody in the project calls it.

        Nor does anybody where only commands come to it without a transaction.
        """
        if self.labels.is_handler(frame):
            return True
        callers = [caller for caller, _, _ in self.sites(frame)] if depth < FAR else []
        cls, simple = self.program.owner(frame.path, frame.function), frame.function.qualname.rpartition(".")[2]
        bases = self.program.lineage(cls)[1:] if cls is not None else ()
        libraries = [base for base in bases if isinstance(base, str)]
        if self._is_command(frame):
            return False
        if any(self._runs(base, simple) for base in libraries):
            return True
        if callers:
            without = self._without(frame)
            if 0 < len(without) < len(callers) and all(self._is_for_commands(caller, depth + 1) for caller in without):
                return False
            return any(self.is_waited_for(caller, depth + 1) for caller in callers)
        if depth or not {"queue", "task"}.isdisjoint(self.deeds.decorations(frame)):
            return False
        return not bases or any(map(self.knowledge.is_row, libraries))

    def _without(self, frame: Frame) -> list[Frame]:
        """Those who call a function outside of every transaction."""
        return [
            caller
            for caller, index, held in self.sites(frame)
            if not held and index not in self.deeds.chosen(caller) and not self.covered(caller)
        ]

    def _is_command(self, frame: Frame) -> bool:
        cls = self.program.owner(frame.path, frame.function)
        bases = self.program.lineage(cls) if cls is not None else ()
        return any("command" in self.knowledge.label(base) for base in bases if isinstance(base, str))

    def _is_for_commands(self, frame: Frame, depth: int) -> bool:
        """Whether nobody but commands comes to a function without a transaction."""
        if self._is_command(frame):
            return True
        callers = self._without(frame) if depth < FAR and not self.is_entry(frame) else []
        return bool(callers) and all(self._is_for_commands(caller, depth + 1) for caller in callers)

    def is_asked_for(self, frame: Frame, depth: int = 0) -> bool:
        """Whether a request leads to a function."""
        if self.labels.is_handler(frame):
            return True
        return depth < FAR and any(self.is_asked_for(caller, depth + 1) for caller, _, _ in self.sites(frame))

    def is_answer(self, frame: Frame) -> bool:
        """Whether a function answers a request, and is no action that the framework offers for many rows at once."""
        cls = self.program.owner(frame.path, frame.function)
        bases = self.program.lineage(cls) if cls is not None else ()
        libraries = {kind for base in bases if isinstance(base, str) for kind in self.knowledge.lineage(base)}
        offered = any(self.knowledge.types[kind].within for kind in libraries)
        return self.labels.is_handler(frame) and not offered

    def _runs(self, library: str, name: str) -> bool:
        """Whether others call this method of a subclass: the library itself, or whoever uses what it overrides."""
        return bool(self.knowledge.callers_of(library, name)) or self.knowledge.method(library, name) is not None

    def is_test(self, frame: Frame) -> bool:
        """Whether a function is a method of a test, wherever that lies."""
        cls = self.program.owner(frame.path, frame.function)
        bases = self.program.lineage(cls) if cls is not None else ()
        return any(isinstance(base, str) and base.endswith(("TestCase", "TestSuite")) for base in bases)

    def _in_request(self, frame: Frame) -> bool:
        """Whether a function is reached from requests only, each of which is a transaction by the settings."""
        if not self._requests_are_transactions() or self._is_run_apart(frame):
            return False
        return not self._is_command(frame) and (bool(frame.function.owner) or self.labels.is_handler(frame))

    def _requests_are_transactions(self) -> bool:
        if self._requests is None:
            self._requests = any(
                self._is_on(path, name, key)
                for name, effect in self.knowledge.settings.items()
                if effect.does == "request-transaction"
                for key in effect.at
                for path, outline in self.program.outlines.items()
                if path not in self.outside and is_settings(path)
            )
        return self._requests

    def _is_on(self, path: str, name: str, key: object) -> bool:
        facts = self.program.facts(path)
        if facts is None:
            return False
        value = facts.values.get(name)
        # `DATABASES["default"]["ATOMIC_REQUESTS"] = True`
        set_later = (fact.value.args for fact in facts.functions["<module>"].calls if fact.name == "setitem")
        return (value is not None and _holds_true(value, key)) or any(
            len(args) == 3 and args[1] == v.Const(key) and v.bare(args[2]) == v.Const(True)  # type: ignore[arg-type]
            for args in set_later
        )


def is_settings(path: str) -> bool:
    """Whether a module has, by its path, the settings of an application that is in use."""
    *folders, name = path.removesuffix(".py").lower().split("/")
    words = set("_".join((*folders, name)).replace("-", "_").split("_"))
    # An application may be called after tests (`online_test`); a folder with the settings for tests is called just that.
    apart = {*folders, *name.replace("-", "_").split("_")}
    return not words.isdisjoint({"settings", "config", "conf"}) and apart.isdisjoint(
        {"test", "tests", "testing", "sandbox", "example", "examples", "demo", "ci"}
    )


def _holds_true(value: Value, key: object) -> bool:
    """Whether a mapping, or one inside of it, has the key set to true."""
    return any(
        isinstance(one, v.Map)
        and any(name == v.Const(key) and v.bare(inner) == v.Const(True) for name, inner in one.items)  # type: ignore[arg-type]
        for one in v.walk(value)
    )
