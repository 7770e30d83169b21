"""Hashers for passwords that are told to do too little: numbers and texts in calls, settings and classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from prodready.finding import Confidence, Location
from prodready.knowledge_form import Effect
from prodready.link.frames import Bound, Frame
from prodready.link.labels import Labels
from prodready.link.password_digests import takers
from prodready.link.password_names import PasswordNames
from prodready.link.program import ClassSymbol
from prodready.link.scope import Scope
from prodready.link.sinks import place, shown_callee
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name
from prodready.read.stored import speaking
from prodready.read.values import Value
from prodready.words import split_words

TRIALS = frozenset({"test", "tests", "testing", "ci", "e2e", "pytest", "tox", "unittest"})
"""Words in the names of modules with settings that no real user's password is hashed by."""

KEYS = frozenset("key encrypt decrypt encryption decryption fernet cipher".split())
"""Words in names of functions that derive a key of a password."""


class Weakness(msgspec.Struct, frozen=True):
    """A setting of a hasher that is too weak. `shown` is what is set, `says` what is wrong with it."""

    location: Location
    shown: str
    says: str
    confidence: Confidence
    context: str
    statement: tuple[int, int]


class HasherSettings:
    """Finds weak settings of hashers in a program."""

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.knowledge = reducer.knowledge
        self.names = PasswordNames(reducer.knowledge)
        self._stems = self.names.stems()
        self._speaking: dict[str, bool] = {}

    def weaknesses(self, paths: list[str], scope: Scope | None = None) -> Iterator[Weakness]:
        """All of them in these files, which are in the scope."""
        wanted = self._called()
        among = frozenset(paths)
        for name in sorted(wanted):
            for path, function, fact in self.program.calls_named(name, scope):
                if path in among and self._speaks(path):
                    yield from self._call(fact, Frame(path, function))
        for path in paths:
            outline = self.program.outlines[path]
            if not TRIALS.isdisjoint(split_words(path)):
                continue
            if {"setitem", "update"} & set(outline.calls):
                yield from self._assigned(path)
            yield from self._in_module(path)

    def _called(self) -> set[str]:
        described = [*self.knowledge.functions.items()]
        for entry in self.knowledge.types.values():
            described += [(n, m) for n, m in entry.methods.items() if isinstance(m, Effect)]
        return {name.rpartition(".")[2] for name, effect in described if effect.least or effect.weak}

    def _speaks(self, path: str) -> bool:
        if path not in self._speaking:
            facts = self.program.facts(path)
            self._speaking[path] = facts is not None and bool(speaking(facts, self._stems))
        return self._speaking[path]

    # Calls

    def _call(self, fact: CallFact, frame: Frame) -> Iterator[Weakness]:
        for callee in self.infer.callees(Bound(fact.value, frame)):
            effect = callee.effect
            if effect is None or not (effect.least or effect.weak):
                continue
            if "password-hash" in effect.labels and not self._takes_password(fact, frame):
                return
            if self._makes_key(frame) or self.names.is_of_random(frame.function.owner) or self._only_checks(frame):
                return
            says = self._too_little(effect, fact.value, frame) or self._too_weak(effect, fact.value, frame)
            if says:
                yield Weakness(
                    place(frame.path, fact.span),
                    f"{shown_callee(fact)}()",
                    says,
                    Confidence.MEDIUM if callee.assumed else Confidence.HIGH,
                    frame.function.qualname,
                    (fact.span.first, fact.span.last),
                )
            return

    def _makes_key(self, frame: Frame) -> bool:
        """Whether a function derives a key to encrypt with, which is kept by nobody, by its name and its class's."""
        words = split_words(frame.function.qualname)
        return not KEYS.isdisjoint(words) and not any(self.names.is_password(word) for word in words)

    def _only_checks(self, frame: Frame) -> bool:
        """Whether all that callers do with what a function returns is to compare it: hashes of old are checked so."""
        taken = list(takers(self.infer, frame))
        return bool(taken) and all(calls and all(map(self._compares, calls)) for calls in taken)

    def _compares(self, call: Bound) -> bool:
        callees = self.infer.callees(call)
        return last_name(call.value) == "eq" or any(
            c.effect is not None and c.effect.keeps == "comparison" for c in callees
        )

    def _takes_password(self, fact: CallFact, frame: Frame) -> bool:
        """Whether what is hashed is a password, as far as names tell."""
        waiting: list[Value] = [*fact.value.args[:2], *(value for _, value in fact.value.keywords)]
        while waiting:
            value = waiting.pop()
            if isinstance(value, (v.Named, v.Param, v.Attr)) and self.names.is_password(value.name):
                return True
            if isinstance(value, v.Const) and isinstance(value.value, str) and self.names.is_password(value.value):
                return True
            waiting.extend(v.children(value))
        name = frame.function.qualname.rpartition(".")[2]
        return any(self.names.is_password(word) for word in split_words(name))

    def _too_little(self, effect: Effect, call: v.Call, frame: Frame) -> str:
        """What is wrong if none of the settings that are good enough is reached."""
        complaints: list[str] = []
        for setting in effect.least:
            complaint = self._below(setting, effect.least[0], call, frame)
            if complaint is None:
                return ""
            if complaint:
                complaints.append(complaint)
        return complaints[0] if complaints else ""

    def _below(
        self, setting: dict[str, int | str], usual: dict[str, int | str], call: v.Call, frame: Frame
    ) -> str | None:
        """Which argument is too small; None where all are large enough, empty where the setting is about something else.

        One that is left out is taken to be as in the `usual` setting.
        """
        found: str | None = None
        for key, least in setting.items():
            names, _, pattern = key.partition("=")
            argument = self._argument(call, names)
            if isinstance(least, str):
                text = self._text(argument, frame)
                if text is None or not fnmatchcase(text.lower(), least):
                    return ""
            elif pattern:
                text = self._text(argument, frame)
                number = _number_in(text, pattern) if text is not None else None
                if number is None:
                    return ""
                if number < least:
                    found = found or f"{number:,} in `{text}`, at least {least:,} is advised"
            else:
                number = self._number(argument, frame) if argument is not None else _as_number(usual.get(key))
                if number is not None and number < least:
                    shown = next((name for name in names.split("|") if not name.isdigit()), names)
                    found = found or f"`{shown}` is {number:,}, at least {least:,} is advised"
        return found

    def _too_weak(self, effect: Effect, call: v.Call, frame: Frame) -> str:
        for names, patterns in effect.weak.items():
            argument = self._argument(call, names)
            first = self._first(argument, frame)
            if first is not None and any(fnmatchcase(first.lower(), pattern) for pattern in patterns):
                return f"`{first}` is too weak for passwords"
        return ""

    def _argument(self, call: v.Call, names: str) -> Value | None:
        """The first of the arguments that is given."""
        for name in names.split("|"):
            found = argument_values(call, int(name) if name.isdigit() else name)
            if found:
                return found[0]
        return None

    def _number(self, value: Value | None, frame: Frame) -> int | None:
        """The largest number that a value may be; None where it is not known."""
        if value is None:
            return None
        numbers: list[int] = []
        for leaf in self.reducer.leaves(Bound(value, frame), 12):
            if not isinstance(leaf.value, v.Const) or not isinstance(leaf.value.value, int):
                return None
            numbers.append(leaf.value.value)
        return max(numbers, default=None)

    def _text(self, value: Value | None, frame: Frame) -> str | None:
        """A text, or the last name of something that stands for one: `sha256` of `hashes.SHA256()`."""
        if value is None:
            return None
        for leaf in self.reducer.leaves(Bound(value, frame), 8):
            if isinstance(leaf.value, v.Const):
                return leaf.value.value if isinstance(leaf.value.value, str) else None
            return last_name(leaf.value) or None
        return None

    def _first(self, value: Value | None, frame: Frame) -> str | None:
        """A text, or the first of a list of them; None where any of several possible ones is not known."""
        found: set[str] = set()
        for leaf in self.reducer.leaves(Bound(value, frame), 8) if value is not None else ():
            inner = leaf.value
            if isinstance(inner, v.Seq) and inner.items:
                inner = v.bare(inner.items[0])
            if not isinstance(inner, v.Const) or not isinstance(inner.value, str):
                name = last_name(inner)
                if not name:
                    return None
                found.add(name)
            else:
                found.add(inner.value)
        return found.pop() if len(found) == 1 else None

    # Settings and classes

    def _in_module(self, path: str) -> Iterator[Weakness]:
        facts = self.program.facts(path)
        if facts is None:
            return
        named = self.knowledge.settings.keys() & facts.values.keys()
        if not named and not any(cls.numbers for cls in facts.classes.values()):
            return
        home = self.infer.module_frame(path)
        for name in named:
            value = facts.values[name]
            if isinstance(value, v.Named):
                for found in self._setting(name, value, home, Location(path, value.line, value.column)):
                    # `if TESTING: PASSWORD_HASHERS = ...`: only tests ask for a quick one on a condition.
                    yield replace(found, confidence=Confidence.LOW) if value.column > 1 else found
        for cls in facts.classes.values():
            for name, (line, column) in cls.numbers.items():
                here = Location(path, line, column, line, column + len(name))
                if name in self.knowledge.settings:
                    yield from self._setting(name, cls.attributes[name], home, here)
                else:
                    yield from self._inherited(ClassSymbol(path, cls), name, home, here)

    def _setting(self, name: str, value: Value, frame: Frame, here: Location) -> Iterator[Weakness]:
        effect = self.knowledge.settings[name]
        call = v.call(v.UNKNOWN, (value,), (), here.line, here.column)
        assert isinstance(call, v.Call)
        says = self._too_little(effect, call, frame) or self._too_weak(effect, call, frame)
        if says:
            says = says.replace("`0` is", "it is")
            lines = (here.line, here.line)
            yield Weakness(here, name, says, Confidence.HIGH, frame.function.qualname, lines)

    def _inherited(self, cls: ClassSymbol, name: str, frame: Frame, here: Location) -> Iterator[Weakness]:
        """A number that a class sets for the hasher it derives from."""
        for base in self.program.lineage(cls):
            effect = self.knowledge.attribute(base, name, exact=True) if isinstance(base, str) else None
            if effect is not None and effect.least:
                call = v.call(v.UNKNOWN, (cls.facts.attributes[name],), (), here.line, here.column)
                assert isinstance(call, v.Call)
                says = self._too_little(effect, call, frame).replace("`0` is", "it is")
                if says:
                    shown = f"{cls.facts.qualname}.{name}"
                    yield Weakness(here, shown, says, Confidence.HIGH, cls.facts.qualname, (here.line, here.line))
                return

    def _assigned(self, path: str) -> Iterator[Weakness]:
        """`app.config["..."] = 6`, `app.config.update(...=6)`."""
        for name in ("setitem", "update"):
            for function, fact in self.program.calls_in(path, name) if self._names_setting(path) else ():
                call = fact.value
                pairs = [(v.Const(key), value) for key, value in call.keywords]
                if name == "setitem" and len(call.args) == 3:
                    pairs = [(v.bare(call.args[1]), call.args[2])]  # type: ignore[list-item]
                for key, value in pairs:
                    if isinstance(key, v.Const) and key.value in self.knowledge.settings:
                        here = place(path, fact.span)
                        yield from self._setting(str(key.value), value, Frame(path, function), here)

    def _names_setting(self, path: str) -> bool:
        facts = self.program.facts(path)
        names = tuple(n.lower().encode() for n, e in self.knowledge.settings.items() if e.least or e.weak)
        return facts is not None and bool(speaking(facts, names))


def _as_number(value: int | str | None) -> int | None:
    return value if isinstance(value, int) else None


def _number_in(text: str, pattern: str) -> int | None:
    """The number at `#` of a pattern that a text fits."""
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\d+)").replace(r"\*", ".*"), text)
    return int(found[1]) if found else None
