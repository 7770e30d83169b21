"""Places in functions that turn requests away for who sends them, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from prodready.finding import Location
from prodready.link.client_claims import ClientClaims
from prodready.link.frames import Bound, Frame
from prodready.link.guard_reach import asks_for_route, hangs_on_path, reach
from prodready.link.guard_words import GuardWords, names_in, names_request
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import EVERYWHERE, Reach
from prodready.link.route_values import RouteValues
from prodready.link.sinks import shown_value
from prodready.read import values as v
from prodready.read.facts import RAISE, RETURN, ClassFacts, Exit, FunctionFacts, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAX_DEPTH = 3
"""Calls that are followed from a handler or a decorator to the check."""

MANY_CALLS = 40
MAX_SHOWN = 60
"""Characters of a condition that are shown."""

ORDER = ("role", "permission", "ownership", "membership", "login", "token", "open", "unknown")


class Check(msgspec.Struct, frozen=True):
    """A place that turns requests away: what it asks for, and whether some requests never get there.

    `answers` says that only those get there who send a key or a token, `set` that it hangs on a setting, `reach` for which
    routes it is. `refuses` says that it tells so, by a status or in words.
    """

    kind: str
    text: str
    location: Location
    partial: bool = False
    raises: bool = True
    answers: bool = False
    set: bool = False
    reach: Reach = EVERYWHERE
    refuses: bool = True


class Checks:
    """Finds such places."""

    def __init__(self, values: RouteValues) -> None:
        self.values = values
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.words = GuardWords(values.knowledge)
        self.claims = ClientClaims(values, self.words)
        self._checks: dict[tuple[str, str, bool], tuple[Check, ...]] = {}
        effects = [(name.rpartition(".")[2], effect) for name, effect in self.knowledge.functions.items()]
        effects += [
            (n, e) for t in self.knowledge.types.values() for n, e in t.methods.items() if not isinstance(e, str)
        ]
        self._guarding = frozenset(name for name, effect in effects if effect.guards)

    def checks(self, function: FunctionSymbol, *, factory: bool = False, depth: int = 0) -> tuple[Check, ...]:
        """The places in a function, and in what it calls, that turn requests away for who sends them.

        With `factory` also in the functions inside of it, as decorators have them.
        """
        key = (function.path, function.facts.qualname, factory)
        if key in self._checks:
            return self._checks[key]
        self._checks[key] = ()
        found = list(self._exits(function, sure=factory))
        inner = self.nested(function) if factory else []
        for _, nested in inner:
            symbol = FunctionSymbol(function.path, nested)
            found += self._exits(symbol, sure=True)
        if depth < MAX_DEPTH:
            for facts in (function.facts, *(nested for _, nested in inner)):
                found += self._called(Frame(function.path, facts), depth)
        self._checks[key] = tuple(dict.fromkeys(found))
        return self._checks[key]

    def nested(self, function: FunctionSymbol) -> list[tuple[str, FunctionFacts]]:
        """The functions inside of a function."""
        facts = self.program.facts(function.path)
        prefix = f"{function.facts.qualname}."
        names = [name for name in facts.functions if name.startswith(prefix)] if facts is not None else []
        return [(name, facts.functions[name]) for name in names] if facts is not None else []

    def _called(self, frame: Frame, depth: int) -> Iterator[Check]:
        own = frame.function.qualname.rpartition(".")[2]
        for fact in frame.function.calls[:MANY_CALLS]:
            told = fact.name == own or fact.name in self._guarding
            named = told or any(self.words.has(table, fact.name) for table in ("guard", "user", "key", "check"))
            if not named and not any(map(self.words.speaks_of_user, fact.value.args)):
                continue
            for callee in self.infer.callees(Bound(fact.value, frame)):
                effect = callee.effect
                location = Location(frame.path, fact.span.line, fact.span.column)
                if effect is not None and effect.guards and effect.guards != "open":
                    if not self.is_waived(fact.value, effect.waived, effect.unless):
                        signed = effect.guards == "token"  # who sends nothing may get past it
                        yield Check(effect.guards, fact.name, location, answers=signed)
                elif callee.function is not None and callee.function.facts.qualname != frame.function.qualname:
                    wraps = len(fact.value.args) == 1 and isinstance(v.bare(fact.value.args[0]), (v.Free, v.Param))
                    call = Bound(fact.value, frame)
                    for check in self.checks(callee.function, factory=wraps or fact.name == own, depth=depth + 1):
                        yield replace(check, kind=self.named_role(call, check.kind))

    def named_role(self, call: Bound, kind: str) -> str:
        """The kind of a check that is given a test, or is told which roles to let in: not all of those who are logged in."""
        value = call.value
        if kind == "permission" and isinstance(value, v.Call):
            tests = [
                self.infer.symbol_of(x, call.frame) for x in map(v.bare, value.args) if isinstance(x, (v.Ref, v.Attr))
            ]
            told = [test.facts.returns for test in tests if isinstance(test, FunctionSymbol)]
            kinds = {self.words.kind([(x, False)], certain=True) for x in told if x is not None}
            return kinds.pop() if kinds in ({"role"}, {"login"}) else kind
        for name, given in value.keywords if isinstance(value, v.Call) and kind in {"login", "token"} else ():
            texts = self.values.words(call.sub(given)) if self.words.has("role", name) else []
            if texts and all(self.words.has("role", text) for text in texts):
                return "role"
        return kind

    def _exits(self, function: FunctionSymbol, *, own: bool = False, sure: bool = False) -> Iterator[Check]:
        frame = Frame(function.path, function.facts)
        for exit_ in function.facts.exits:
            way = self._spelled_out(exit_, frame)
            kind = self._of_exit(way, function, own=own) or (self._at_least(way, function) if sure else "")
            if kind in {"role", "permission", "membership"} and self.claims.claim(way, frame) is not None:
                continue  # what the client says of itself guards nothing
            if kind:
                said = self.words.kind(way.conditions, certain=False) if kind == "permission" else ""
                if kind == "permission" and said != "permission" and self.words.is_unknown_person(way):
                    kind = "login"
                location = Location(function.path, way.line, way.column)
                partial = any(hangs_on_path(c) for c, _ in way.conditions)
                answers = any(truth and self._is_sent_key(value) for value, truth in way.conditions)
                is_set = any(truth and self.words.is_setting(value) for value, truth in way.conditions)
                told = reach(way.conditions, frame, self.values, self.words)
                raises, refuses = way.kind == RAISE, self.words.refuses(way) in {"refused", "told"}
                yield Check(kind, _shown_condition(way), location, partial, raises, answers, is_set, told, refuses)
        if sure and (kind := self._of_passing(function.facts)):
            yield Check(kind, function.facts.qualname, Location(function.path, function.facts.line))
        if sure and self._refuses_in_passing(function.facts):
            yield Check("permission", function.facts.qualname, Location(function.path, function.facts.line))

    def _of_passing(self, function: FunctionFacts) -> str:
        """What all must have for whom a function inside of a decorator goes on: `if user: return view(request)`."""
        kinds: list[str] = []
        for way in function.exits:
            target = v.bare(way.value.target) if isinstance(way.value, v.Call) else None
            if isinstance(target, v.Free) and isinstance(v.bare(target.value), v.Param):
                last = way.conditions[-1:] if way.inner == 1 else ()  # of several parts it may be any that failed
                asked = [(value, False) for value, truth in last if truth and not self.words.is_setting(value)]
                kinds.append(self.words.kind(asked, certain=True))
        return max(kinds, key=ORDER.index) if kinds and all(kinds) else ""

    def _refuses_in_passing(self, function: FunctionFacts) -> bool:
        """Whether what is returned is a refusal or not: `return view(request) if may(user) else abort(403)`."""
        ways = options_of(function.returns) if function.returns is not None else ()
        told = [self.words.refuses(Exit(RETURN, value, (), 0, 0, 0)) == "refused" for value in ways]
        asked = (fact for fact in function.calls if self.words.has("permission", fact.name))
        return (
            any(told)
            and not all(told)
            and any(self.words.speaks_of_user(x) for fact in asked for x in _given(fact.value))
        )

    def _spelled_out(self, way: Exit, frame: Frame) -> Exit:
        """The way out with the value of a variable of a module in its place: `raise not_logged_in`."""
        value = v.bare(way.value)
        symbol = self.infer.symbol_of(value, frame) if isinstance(value, (v.Ref, v.Attr)) else None
        if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), v.Call):
            return replace(way, value=symbol.value)
        return way

    def _is_sent_key(self, value: Value) -> bool:
        """Whether a condition is that a key or a token was sent at all."""
        inner = v.bare(value)
        return isinstance(inner, (v.Call, v.Attr, v.Item)) and any(
            self.words.has("key", name) for name in names_in(value)
        )

    def _of_exit(self, way: Exit, function: FunctionSymbol, *, own: bool) -> str:
        how = self.words.refuses(way)
        if how == "hidden" and self._is_refusal_class(way, function):
            how = "refused"
        if how == "refused" and not way.conditions:
            left = (other for other in function.facts.exits if other.kind == RETURN and other.conditions)
            return self._of_the_rest(way, function) if way.kind == RETURN or any(left) else ""
        if way.inner and self.words.is_bad_request(way):
            if any(map(self.words.is_unsigned, way.conditions[-way.inner :])):
                return "token"  # who cannot sign is often told that the request is wrong
        if not how and own and self.words.is_bad_request(way) and way.inner:
            # Told to be wrong, for what belongs to somebody else.
            return "ownership" if self.words.kind(way.conditions[-way.inner :], certain=False) == "ownership" else ""
        if not how or not way.conditions:
            return ""
        way = replace(
            way, conditions=tuple(c if not asks_for_route(c[0]) else (v.UNKNOWN, c[1]) for c in way.conditions)
        )
        atoms = way.conditions[-way.inner :] if way.inner else ()
        if atoms and all(self.words.is_setting(value) for value, _ in atoms):
            # `if may(user): return`, and a setting says only how all others are turned away.
            atoms = tuple((value, truth) for value, truth in way.conditions if not self.words.is_setting(value))
            return self.words.kind(atoms, certain=how == "refused") if self._refuses_anyhow(way, function) else ""
        certain = how == "refused"
        kind = self.words.kind(atoms, certain=certain)
        if own and kind == "login":  # a user who was looked up by what was sent is not the one who asks
            kind = self.words.kind(atoms, certain=False)
        if not kind and certain and any(map(self._is_given_request, atoms)):
            kind = "permission"  # `if not test(request): return refused(request)`
        if not kind and certain and not own:
            kind = self.words.kind([a for a in way.conditions if not a[1]], certain=True)
            if not kind and not self.words.is_about_something_else(atoms):
                kind = self._by_called(atoms, function) or self._by_name(function)
        if not kind and how == "told":
            kind = self.words.kind([a for a in way.conditions if not a[1]], certain=False)
        if not kind and how == "sent" and not own:
            kind = self.words.kind([a for a in way.conditions if not a[1] and self._is_login(a[0])], certain=False)
        if not kind or (how in {"hidden", "sent", "told"} and kind in {"token"}):
            return ""
        if kind == "login" and any(t and self._is_login(c) and not self.words.is_setting(c) for c, t in way.conditions):
            return ""  # who is logged in is turned away: that keeps nobody else out
        if how in {"hidden", "sent"} and kind == "login" and any(t for _, t in atoms) and len(atoms) == 1:
            return "login" if not self.words.has("logged-in", "".join(names_in(atoms[0][0]))) else ""
        if self.words.is_about_something_else(atoms) and kind in {"login", "token", "permission"}:
            own_part = [atom for atom in atoms if not self.words.is_about_something_else([atom])]
            return self.words.kind(own_part, certain=False)
        return kind

    def _refuses_anyhow(self, way: Exit, function: FunctionSymbol) -> bool:
        """Whether those who fail the settings' test of a way out that turns away are turned away, too."""
        before, asked = way.conditions[: -way.inner], way.conditions[-way.inner :]
        return any(
            other.conditions[: len(before)] == before
            and other.conditions[len(before) :] == tuple((value, not truth) for value, truth in asked)
            and self.words.refuses(other)
            for other in function.facts.exits
        )

    def _is_login(self, value: Value) -> bool:
        return any(self.words.has("authenticated", name) for name in names_in(value))

    def _at_least(self, way: Exit, function: FunctionSymbol) -> str:
        """What a guard that turns away without saying why asks for at least."""
        if not way.conditions and way.kind == RETURN and self.words.refuses(way) == "refused":
            # `for check in checks: if check(row, request): return view(request)`, and all others are refused
            passed = [value for other in function.facts.exits for value, truth in other.conditions[-1:] if truth]
            asked = (v.bare(value) for value in passed if not self.words.is_setting(value))
            return "permission" if any(isinstance(value, v.Call) for value in asked) else ""
        if self.words.refuses(way) == "hidden" and any(map(self._is_given_request, way.conditions[-way.inner :])):
            return "permission"  # `if not test(request): raise Http404`
        if (
            way.inner
            and self.words.refuses(way) == "sent"
            and any(map(self._is_own_address, way.conditions[-way.inner :]))
        ):
            return "ownership"
        if (
            not way.conditions
            or all(self.words.is_setting(value) for value, _ in way.conditions)
            or self.words.refuses(way) != "refused"
            or self.words.is_about_something_else(way.conditions)
        ):
            return ""
        return "login" if self.words.is_unknown_person(way) else "permission"

    def _is_given_request(self, atom: tuple[Value, bool]) -> bool:
        """Whether a test that a decorator was handed, and given the request, has failed."""
        call = v.bare(atom[0])
        if atom[1] or not isinstance(call, v.Call) or not isinstance(v.bare(call.target), (v.Free, v.Param)):
            return False
        return any(map(names_request, call.args))

    def _is_own_address(self, atom: tuple[Value, bool]) -> bool:
        """Whether a part of the address was compared with who asks, and was another's."""
        value, truth = atom
        if truth or not isinstance(value, v.Op) or value.kind != "test":
            return False
        sides = (value.subject, *value.args)
        return any(map(self.words.speaks_of_user, sides)) and any(
            self.words.has("address-part", name) for side in sides for name in names_in(side)
        )

    def _of_the_rest(self, way: Exit, function: FunctionSymbol) -> str:
        """What is asked for where all are turned away who have not left before: what those had."""
        passed = [atom for other in function.facts.exits if other is not way for atom in other.conditions if atom[1]]
        return self.words.kind([(value, False) for value, _ in passed], certain=True) or self._by_name(function)

    def _by_called(self, atoms: Iterable[tuple[Value, bool]], function: FunctionSymbol) -> str:
        """The kind by what a function of the project looks at that the condition asks."""
        for value, truth in atoms:
            inner = v.bare(value)
            if truth or not isinstance(inner, v.Call):
                continue
            for callee in self.infer.callees(Bound(inner, Frame(function.path, function.facts))):
                if callee.function is not None and callee.function.facts.returns is not None:
                    found = self.words.kind(
                        [(x, False) for x in options_of(callee.function.facts.returns)], certain=True
                    )
                    if found:
                        return found
        return ""

    def _by_name(self, function: FunctionSymbol) -> str:
        """The kind by the name of a function that turns away without saying why."""
        name = function.facts.qualname
        for kind, table in (("role", "role"), ("permission", "permission"), ("token", "key"), ("login", "logged-in")):
            if any(self.words.has(table, part) for part in name.split(".")):
                return kind
        return ""

    def _is_refusal_class(self, way: Exit, function: FunctionSymbol) -> bool:
        """Whether what is raised is a class of the project whose bases or whose status say that it turns away."""
        value = v.bare(way.value)
        target = value.target if isinstance(value, v.Call) else value
        symbol = self.infer.symbol_of(target, Frame(function.path, function.facts))
        if not isinstance(symbol, ClassSymbol):
            return False
        for base in self.program.lineage(symbol):
            name = base if isinstance(base, str) else base.facts.qualname
            if self.words.has("refusal", name.rpartition(".")[2]):
                return True
            if isinstance(base, ClassSymbol) and _status_of(base.facts) in {401, 403}:
                return True
        return False

    def decides(self, function: FunctionSymbol) -> list[Check]:
        """What a function asks for that tells by its result whether somebody may: `return request.user.is_staff`."""
        returned = function.facts.returns
        if returned is None or v.bare(returned) == v.Const(True):
            return []
        location = Location(function.path, function.facts.line)
        frame = Frame(function.path, function.facts)
        atoms: list[tuple[Value, bool]] = [(x, False) for x in options_of(returned)]
        atoms += [(c, False) for e in function.facts.exits for c, _ in e.conditions]
        atoms += [(x, False) for e in function.facts.exits if e.kind == RETURN for x in options_of(e.value)]
        kind = self.words.kind(atoms, certain=True)
        if not kind:
            for fact in function.facts.calls[:MANY_CALLS]:
                for callee in self.infer.callees(Bound(fact.value, frame)):
                    if callee.function is not None and callee.function.facts.returns is not None:
                        kind = kind or self.words.kind([(callee.function.facts.returns, False)], certain=True)
        return [Check(kind or "permission", function.facts.qualname, location)]

    @staticmethod
    def is_waived(call: v.Call, waived: Iterable[str], unless: Iterable[str]) -> bool:
        """Whether a call says that it turns nobody away: one of `waived` is true, or one of `unless` false."""
        given = dict(call.keywords)
        return any(v.bare(given.get(key, v.UNKNOWN)) == v.Const(True) for key in waived) or any(
            v.bare(given.get(key, v.UNKNOWN)) == v.Const(False) for key in unless
        )


def _given(call: v.Call) -> tuple[Value, ...]:
    return (*call.args, *(value for _, value in call.keywords))


def strongest(checks: Sequence[Check]) -> Check:
    """The check that lets in the fewest; nobody knows what it asks for where all of them hang on settings."""
    best = min(checks, key=lambda check: (ORDER.index(check.kind), check.partial))
    return replace(best, kind="unknown") if all(check.set for check in checks) else best


def weakest(checks: Sequence[Check]) -> Check:
    """The check that lets in the most: what is left of a guard that is told to ask for nothing in particular."""
    return max(checks, key=lambda check: (ORDER.index(check.kind), check.partial))


def options_of(value: Value) -> tuple[Value, ...]:
    """What a value may be."""
    value = v.bare(value)
    return value.options if isinstance(value, v.Choice) else (value,)


def _status_of(cls: ClassFacts) -> int:
    for name in ("status_code", "code", "status", "http_status"):
        value = v.bare(cls.attributes.get(name, v.UNKNOWN))
        if isinstance(value, v.Const) and isinstance(value.value, int):
            return value.value
        if isinstance(value, (v.Attr, v.Ref)):
            words = split_words(last_name(value))
            return (
                403
                if "403" in words or "forbidden" in words
                else 401
                if "401" in words or "unauthorized" in words
                else 0
            )
    return 0


def _shown_condition(way: Exit) -> str:
    """What the condition that turned somebody away asks, as far as it has names."""
    atoms = way.conditions[-way.inner :] if way.inner else way.conditions
    asked = [shown_value(one) for value, _ in atoms for one in _asked(value)]
    return ", ".join(dict.fromkeys(filter(None, asked)))[:MAX_SHOWN] or "refuses"


def _asked(value: Value) -> Iterator[Value]:
    """The values that a condition compares, or the one that it is."""
    if isinstance(value, v.Op):
        for one in (value.subject, *value.args):
            yield from _asked(one)
    else:
        yield value


def by_path(way: Exit) -> bool:
    """Whether a way out hangs on the path that is asked for."""
    return any(hangs_on_path(value) for value, _ in way.conditions)
