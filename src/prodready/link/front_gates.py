"""Which conditions of a front end decide who sees something, as opposed to what a page is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prodready.finding import Location
from prodready.knowledge import Knowledge
from prodready.link.front_gate_words import KINDS, LISTS, GateWords
from prodready.link.front_program import Bound, Class, FrontProgram, Outside, Param
from prodready.read.web.facts import (
    Both,
    CallOf,
    Choose,
    Compare,
    Const,
    Either,
    ElementOf,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Not,
    Text,
)
from prodready.words import split_words

_DEPTH = 8
_SAME = frozenset({"Boolean", "unref", "toValue", "$", "computed", "useMemo", "get", "length", "bool"})
_HOLDERS = frozenset({"value", "current", "data"})


@dataclass(frozen=True)
class Gate:
    """A condition about the person who looks: its kind (one of KINDS), its text and where it stands."""

    kind: str
    text: str
    location: Location

    @property
    def key(self) -> tuple[str, str]:
        """By which the same question asked in two places is one."""
        return self.kind, " ".join(self.text.split())


class Gates:
    """Tells gates from other conditions, by the words in them and by what they are bound to."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self.program = program
        self._words = GateWords(knowledge)
        self._memory: dict[tuple[str, int, int], frozenset[str]] = {}
        self._getters: dict[str, Bound | None] = {}
        self._props: dict[tuple[Param, bool], frozenset[str]] = {}
        self.handed: Callable[[Param], list[Bound]] = lambda prop: []
        """What those that show a component hand it as one of its props; nothing if that is not known of all of them."""

    # Conditions

    def of(self, path: str, owner: int, condition: int) -> tuple[Gate, ...]:
        """The gates that a condition of a file is, for code in the function `owner`."""
        key = (path, owner, condition)
        fact = self.program.files[path].conditions[condition]
        if key not in self._memory:
            self._memory[key] = self.kinds(path, owner, fact.test, not fact.negated)
        text = (
            f"not ({fact.text})"
            if fact.negated and " " in fact.text
            else f"!{fact.text}"
            if fact.negated
            else fact.text
        )
        return tuple(Gate(kind, text, Location(path, fact.line, fact.column)) for kind in _sorted(self._memory[key]))

    def kinds(self, path: str, owner: int, test: Expr, holds: bool, depth: int = 0) -> frozenset[str]:
        """What a person must be if `test` holds, or if it does not."""
        if depth > _DEPTH or test is None:
            return frozenset()
        if isinstance(test, Not):
            return self.kinds(path, owner, test.value, not holds, depth + 1)
        if isinstance(test, (Both, Either)):
            left = self.kinds(path, owner, test.left, holds, depth + 1)
            right = self.kinds(path, owner, test.right, holds, depth + 1)
            if isinstance(test, Both) == holds:
                return left | right
            if left and right:
                return frozenset([weakest(left | right)])
            if isinstance(test, Both) and (left or right):
                return left | right if self._is_awaited(path, test.right if left else test.left) else frozenset()
            return frozenset()
        if isinstance(test, Choose):
            if holds and isinstance(test.other, Const):
                found = self.kinds(path, owner, test.then, True, depth + 1)
                return found | self.kinds(path, owner, test.test, True, depth + 1)
            return frozenset()
        if isinstance(test, Compare):
            return self._compared(path, owner, test, holds)
        if isinstance(test, CallOf):
            return self._called(path, owner, test, holds, depth)
        if isinstance(test, ElementOf):
            return self._wrapped(path, test) if holds else frozenset()
        if isinstance(test, (Name, Member)):
            return self._named(path, owner, test, holds, depth)
        return frozenset()

    def _is_awaited(self, path: str, test: Expr) -> bool:
        """Whether a condition only says that it is known by now who looks: `!loading`, `user` in `user && !isAdmin`."""
        if isinstance(test, Not) and isinstance(test.value, Not):
            test = test.value.value
        named = test.value if isinstance(test, Not) else test
        chain = self.chain(path, named) if isinstance(named, (Name, Member)) else ()
        words = split_words(chain[-1]) if chain else ()
        if isinstance(test, Not):
            return self._words.speaks(words, "waiting")
        return self._words.speaks(words, "awaited") or ("is" not in words[:1] and self._words.speaks(words, "viewer"))

    # Names

    def _named(self, path: str, owner: int, test: Name | Member, holds: bool, depth: int) -> frozenset[str]:
        chain = self.chain(path, test)
        said = next((name for name in reversed(chain) if name not in _HOLDERS), "")
        leaf = split_words(said) if not said.isupper() else ()
        around = tuple(word for name in chain[:-1] if not name.startswith("use") for word in split_words(name))
        kind = self._words.kind(leaf, around)
        if kind and self._words.of_settings(chain):
            return frozenset()
        if kind == "permission" and not {"can", "may"}.isdisjoint(leaf):
            computed = self._computed(path, owner, test)
            if computed is not None:
                return self.kinds(computed.path, computed.owner, computed.value, holds, depth + 1)
        if kind:
            if leaf and leaf[-1] == "anonymous":
                holds = not holds
            if not {"not", "non"}.isdisjoint(leaf):
                holds = not holds
            if not holds or (kind in {"staff", "role", "login"} and self.of_others(path, owner, test)):
                return frozenset()
            return frozenset([kind])
        if holds and self._is_viewer(path, owner, chain):
            return frozenset(["login"])
        return self._bound(path, owner, test, holds, depth)

    def chain(self, path: str, value: Expr) -> tuple[str, ...]:
        """The names of a dotted expression from left to right; a call stands for its function."""
        names: list[str] = []
        while True:
            if isinstance(value, Member):
                names.append(value.name)
                value = value.base
            elif isinstance(value, CallOf):
                value = self.program.files[path].calls[value.index].target
            elif isinstance(value, Name):
                return (value.name, *reversed(names))
            else:
                return tuple(reversed(names))

    def of_others(self, path: str, owner: int, value: Expr) -> bool:
        """Whether an expression speaks of somebody whom the page shows, not of who looks at it."""
        chain = self.chain(path, value)
        if "[]" in chain:
            return True
        words = [split_words(name) for name in chain[:-1]]
        if any(self._words.speaks(part, "not-viewer") for part in words):
            return not any("current" in part or "viewer" in part for part in words)
        root = value
        while isinstance(root, Member):
            root = root.base
        if isinstance(root, Name):
            found = self.program.lookup(path, owner, root.name)
            if isinstance(found, Param):
                return self.program.files[found.path].functions[found.function].each
            if isinstance(found, Bound) and isinstance(found.value, Member):
                return "[]" in self.chain(found.path, found.value)
        return False

    def _is_viewer(self, path: str, owner: int, chain: tuple[str, ...]) -> bool:
        """Whether a condition asks only if there is somebody: `user`, `session.user`, `currentUser`."""
        leaf = split_words(chain[-1]) if chain else ()
        if not leaf or leaf[-1] not in {"user", "me", "viewer", "session", "currentuser", "token"}:
            return False
        if leaf[-1] == "token" and leaf not in {("auth", "token"), ("access", "token"), ("jwt",)}:
            return False
        value: Expr = Name(chain[0])
        for name in chain[1:]:
            value = Member(value, name)
        return set(leaf) <= {"user", "me", "viewer", "session", "current", "auth", "logged", "in", "currentuser", "token",
                             "access", "jwt", "is"} and not self.of_others(path, owner, Member(value, ""))  # fmt: skip

    def _bound(self, path: str, owner: int, test: Expr, holds: bool, depth: int) -> frozenset[str]:
        """A name that says nothing: what it is bound to may."""
        found = self.program.meaning(path, owner, test)
        if isinstance(found, Param):
            return self._of_prop(found, holds)
        if isinstance(found, Bound) and found.value is not None and found.value != test:
            if isinstance(found.value, Fn):
                return self._returned(found.path, found.value, holds, depth)
            return self.kinds(found.path, found.owner, found.value, holds, depth + 1)
        return frozenset()

    def _of_prop(self, prop: Param, holds: bool) -> frozenset[str]:
        """What a prop of a component says: what all say that show it, or else nothing."""
        if (prop, holds) not in self._props:
            self._props[prop, holds] = frozenset()  # of a component that hands it on to itself
            kinds = [self.kinds(given.path, given.owner, given.value, holds) for given in self.handed(prop)]
            if kinds and all(kinds):
                self._props[prop, holds] = frozenset([weakest(frozenset().union(*kinds))])
        return self._props[prop, holds]

    def _computed(self, path: str, owner: int, test: Expr) -> Bound | None:
        """The expression that a name such as `canSend` stands for, where it is in sight: it may speak of a form."""
        found = self.program.meaning(path, owner, test)
        if not isinstance(found, Bound) or isinstance(found.value, Member):
            chain = self.chain(found.path, found.value) if isinstance(found, Bound) else self.chain(path, test)
            return self._getter(chain[-1]) if chain else None
        if isinstance(found.value, CallOf):
            call = self.program.files[found.path].calls[found.value.index]
            chain = self.chain(found.path, call.target)
            if not chain or chain[-1] not in _SAME or not call.args:
                return None
            first = call.args[0]
            if isinstance(first, Fn):
                returns = self.program.files[found.path].functions[first.index].returns
                return Bound(found.path, first.index, returns[0][0]) if len(returns) == 1 else None
            found = Bound(found.path, call.owner, first)
        elif isinstance(found.value, Fn) and found.value.index:
            returns = self.program.files[found.path].functions[found.value.index].returns
            found = Bound(found.path, found.value.index, returns[0][0]) if len(returns) == 1 else found
        return found if isinstance(found.value, (Both, Either, Compare, Not, Const, Choose)) else None

    def _getter(self, name: str) -> Bound | None:
        """What a name stands for that only one class of the project has: `get canSend() { return !!this.text }`."""
        if not name.startswith(("can", "may")):
            return None
        if name not in self._getters:
            found = [
                Bound(path, index, fact.returns[0][0])
                for path in self.program.files.mentioning(name)
                for index, fact in enumerate(self.program.files[path].functions)
                if fact.name == name and fact.cls and not fact.params and len(fact.returns) == 1
            ]
            found = [bound for bound in found if bound.value is not None]
            only = found[0] if len(found) == 1 and not isinstance(found[0].value, CallOf) else None
            self._getters[name] = only
        return self._getters[name]

    def _returned(self, path: str, function: Fn, holds: bool, depth: int) -> frozenset[str]:
        """What a function that gives one thing promises."""
        returns = self.program.files[path].functions[function.index].returns
        if len(returns) == 1:
            return self.kinds(path, function.index, returns[0][0], holds, depth + 1)
        return frozenset()

    # Calls

    def passed(self, path: str, call: CallOf) -> Expr:
        """What a call gives as it was given it, as `Boolean(value)` does; None for other calls."""
        fact = self.program.files[path].calls[call.index]
        chain = self.chain(path, fact.target)
        given = fact.args[0] if chain and chain[-1] in _SAME and fact.args else None
        if isinstance(given, Fn):
            returns = self.program.files[path].functions[given.index].returns
            return returns[0][0] if len(returns) == 1 else None
        return given

    def _called(self, path: str, owner: int, test: CallOf, holds: bool, depth: int) -> frozenset[str]:
        call = self.program.files[path].calls[test.index]
        chain = self.chain(path, call.target)
        last = chain[-1] if chain else ""
        leaf = split_words(last)
        if last in _SAME and call.args:
            first = call.args[0]
            if isinstance(first, Fn):
                return self._returned(path, first, holds, depth)
            return self.kinds(path, call.owner, first, holds, depth + 1)
        if last in {"includes", "some", "indexOf", "has", "every", "startsWith", "contains", "intersection"}:
            base = call.target.base if isinstance(call.target, Member) else None
            return self._compared(path, call.owner, Compare("in", call.args[0] if call.args else None, base), holds)
        kind = self._words.kind(leaf, tuple(word for name in chain[:-1] for word in split_words(name)))
        if (
            not kind
            and call.args
            and set(leaf) & {"can", "cannot", "allowed", "authorize", "allow", "permitted", "role", "permission"}
        ):
            kind = "permission"
        if not kind and leaf[:1] == ("has",) and call.args and self._words.speaks(leaf, "gate-role"):
            kind = "role"
        computed = self._computed(path, call.owner, call.target) if kind == "permission" else None
        if computed is not None:
            return self.kinds(computed.path, computed.owner, computed.value, holds, depth + 1)
        if kind:
            if "cannot" in leaf or leaf[:1] == ("not",):
                holds = not holds
            others = kind in {"staff", "role", "login"} and self.of_others(path, call.owner, call.target)
            return frozenset([kind]) if holds and not others else frozenset()
        found = self.program.meaning(path, call.owner, call.target)
        if isinstance(found, Bound) and isinstance(found.value, Fn):
            return self._returned(found.path, found.value, holds, depth)
        return frozenset()

    # Comparisons

    def _compared(self, path: str, owner: int, test: Compare, holds: bool) -> frozenset[str]:
        op, sides = test.op, (test.left, test.right)
        for value, other in (sides, sides[::-1]):
            if isinstance(other, Const) and other.text in {"true", "false", "null", "undefined"}:
                same = (op == "==") == (other.text == "true")
                if op not in {"==", "!="}:
                    return frozenset()
                if other.text in {"true", "false"}:
                    return self.kinds(path, owner, value, holds == same)
                there = holds == same and self._is_viewer(path, owner, self.chain(path, value))
                return frozenset(["login"]) if there else frozenset()
        for value, other in (sides, sides[::-1]):
            words = self._all_words(path, owner, value)
            asks_role = self._words.speaks(words[-2:], "gate-role") or self._words.speaks(words, "gate-permission")
            if not asks_role or self._is_constant(path, owner, value):
                continue
            if self._words.is_state(words) or (
                isinstance(other, Const) and other.text.isdigit() and words[-1:] == ("length",)
            ):
                continue
            if not (op == "in" or self._is_constant(path, owner, other) or self._names_role(path, other)):
                continue
            if self.of_others(path, owner, value):
                return frozenset()
            low = self._is_low(path, other)
            positive = holds == (op in {"==", "in", ">"})
            if op == "<":
                positive = not holds
            return (
                frozenset(["permission" if self._words.speaks(words, "gate-permission") else "role"])
                if positive != (low and op in {"==", "!=", "in"})
                else frozenset()
            )
        if holds == (op in {"==", "in"}) and op in {"==", "!=", "in"}:
            return self._own(path, owner, *sides)
        return frozenset()

    def _own(self, path: str, owner: int, left: Expr, right: Expr) -> frozenset[str]:
        """`post.author_id == user.id`: something belongs to who looks."""
        for mine, theirs in ((left, right), (right, left)):
            ours, others = self._all_words(path, owner, mine), self._all_words(path, owner, theirs)
            if not ours or not others or self._is_constant(path, owner, mine) or self._is_constant(path, owner, theirs):
                continue
            is_viewer = self._words.speaks(ours[:2], "viewer")
            belongs = self._words.speaks(others, "gate-owner") or bool({"user", "created", "by"} & set(others))
            if (
                is_viewer
                and belongs
                and ours != others
                and (
                    ours[-1]
                    in {"id", "user", "username", "email", "uid", "pk", "me", "uuid", "identifier", "login", "sub"}
                )
            ):
                return frozenset(["owner"])
        return frozenset()

    def _all_words(self, path: str, owner: int, value: Expr) -> tuple[str, ...]:
        if isinstance(value, Many):
            return tuple(word for item in value.items for word in self._all_words(path, owner, item))
        return tuple(word for name in self.chain(path, value) for word in split_words(name))

    def _is_constant(self, path: str, owner: int, value: Expr) -> bool:
        if isinstance(value, (Const, Text)):
            return True
        if isinstance(value, Many):
            return all(self._is_constant(path, owner, item) for item in value.items)
        chain = self.chain(path, value)
        return bool(chain) and (chain[-1].isupper() or chain[0][:1].isupper())

    def _names_role(self, path: str, value: Expr) -> bool:
        return self._words.speaks(
            tuple(word for name in self.chain(path, value) for word in split_words(name)), "gate-role"
        )

    def _is_low(self, path: str, value: Expr) -> bool:
        """Whether a role is one that everybody has."""
        words: tuple[str, ...] = ()
        if isinstance(value, Text):
            words = split_words("".join(part for part in value.parts if isinstance(part, str)))
        elif isinstance(value, (Name, Member)):
            words = split_words(self.chain(path, value)[-1])
        return bool(words) and all(self._words.speaks((word,), "low-role") for word in words)

    # Elements that wrap others

    def _wrapped(self, path: str, test: ElementOf) -> frozenset[str]:
        """What an element asks of those who see its content: by its definition, or else by its name."""
        element = self.program.files[path].elements[test.index]
        found = self.program.meaning(path, element.owner, element.tag)
        if isinstance(found, Bound) and isinstance(found.value, Fn) and found.value.index:
            return self._children(found.path, found.value.index)
        if isinstance(found, Class):
            return frozenset()
        chain = self.chain(path, element.tag)
        words = split_words(chain[-1]) if chain else ()
        if isinstance(found, Outside) and words and words[-1] not in {"provider", "context"}:
            if words in {("can",), ("protect",), ("has",)} or set(words) & {"guard", "guarded", "gate"}:
                return frozenset(["permission"])
            if set(words) & {"require", "requires", "only", "protected", "private"}:
                kinds = [kind for kind in KINDS if self._words.speaks(words, LISTS[kind])]
                return frozenset([kinds[0] if kinds else "login"])
        return frozenset()

    def _children(self, path: str, function: int) -> frozenset[str]:
        """What holds wherever a component of the project shows what it is given."""
        found: list[frozenset[str]] = []
        for value, owner, conditions in self._shown(path, function):
            tests = [self._memory_of(path, owner, number) for number in conditions]
            extra = self.given(path, owner, value)
            if extra is not None:
                found.append(frozenset().union(*tests) | extra)
        if not found or not all(found):
            return frozenset()
        return frozenset([weakest(frozenset(min(kinds, key=KINDS.index) for kinds in found))])

    def _memory_of(self, path: str, owner: int, number: int) -> frozenset[str]:
        return frozenset(gate.kind for gate in self.of(path, owner, number))

    def _shown(self, path: str, function: int) -> Iterable[tuple[Expr, int, tuple[int, ...]]]:
        facts = self.program.files[path]
        for element in facts.elements:
            if element.owner == function:
                for key, value in element.attributes:
                    if key == "children":
                        yield value, element.owner, element.conditions
        draft = facts.functions[function]
        for value, conditions in draft.returns:
            yield value, function, conditions

    def given(self, path: str, owner: int, value: Expr) -> frozenset[str] | None:
        """What holds where an expression shows the children that a component is given; None where it does not."""
        if isinstance(value, Many):
            found = [inner for item in value.items if (inner := self.given(path, owner, item)) is not None]
            return found[0] if found else None
        if isinstance(value, Both):
            inner = self.given(path, owner, value.right)
            return inner | self.kinds(path, owner, value.left, True) if inner is not None else None
        if isinstance(value, Choose):
            for arm, holds in ((value.then, True), (value.other, False)):
                inner = self.given(path, owner, arm)
                if inner is not None:
                    return inner | self.kinds(path, owner, value.test, holds)
            return None
        chain = self.chain(path, value) if isinstance(value, (Name, Member)) else ()
        return frozenset() if chain and chain[-1] == "children" else None


def weakest(kinds: frozenset[str]) -> str:
    """The kind that is the easiest to have."""
    return max(kinds, key=KINDS.index)


def _sorted(kinds: frozenset[str]) -> list[str]:
    return sorted(kinds, key=KINDS.index)[:1] if kinds else []
