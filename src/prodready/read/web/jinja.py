"""Expressions of Jinja and Django templates, as far as they decide what is shown or name what is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from prodready.read.web.base import joined
from prodready.read.web.facts import Both, Choose, Compare, Const, Either, Expr, Many, Member, Name, Not, Obj, Text

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>\d[\d.]*)|(?P<name>[^\W\d]\w*)
    |(?P<op>==|!=|<=|>=|//|\*\*|[<>()\[\]{}.,|:+~\-*/%=]))""",
    re.VERBOSE,
)
_COMPARISONS = {"==": "==", "!=": "!=", "<": "<", "<=": "<", ">": ">", ">=": ">"}
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "as"})

Calls = Callable[[Expr, tuple[Expr, ...]], Expr]
"""Records a call and gives its result."""


class _Stop(Exception):  # noqa: N818
    """The text is no expression that we know."""


def expression(text: str, env: Mapping[str, Expr], calls: Calls) -> Expr:
    """The value of an expression, with the names of `env` replaced by what they stand for; None if it is not understood."""
    try:
        reader = Expression(text, env, calls)
        value = reader.ternary()
        return value if reader.at_end() else None
    except (_Stop, RecursionError):
        return None


def words(text: str, env: Mapping[str, Expr], calls: Calls) -> list[tuple[str, Expr]]:
    """The arguments of a Django tag: values in a row, some with a name before them, up to `as`."""
    found: list[tuple[str, Expr]] = []
    try:
        reader = Expression(text, env, calls)
        while not reader.at_end() and not reader.keyword("as"):
            name = reader.named()
            found.append((name, reader.filtered()))
    except (_Stop, RecursionError):
        pass
    return found


class Expression:
    """A reader by recursive descent."""

    def __init__(self, text: str, env: Mapping[str, Expr], calls: Calls) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._env = env
        self._calls = calls
        self._at = 0
        place = 0
        text = text.strip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise _Stop
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()

    def at_end(self) -> bool:
        """Whether all was read."""
        return self._at >= len(self._tokens)

    def _next(self, ahead: int = 0) -> tuple[str, str]:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._next()
        if not token[0]:
            raise _Stop
        self._at += 1
        return token

    def keyword(self, word: str) -> bool:
        """Take a word if it comes next."""
        if self._next() == ("name", word):
            self._at += 1
            return True
        return False

    def _op(self, *ops: str) -> str:
        kind, text = self._next()
        if kind == "op" and text in ops:
            self._at += 1
            return text
        return ""

    def _need(self, op: str) -> None:
        if not self._op(op):
            raise _Stop

    def named(self) -> str:
        """The name before a `=`, if there is one."""
        if self._next()[0] == "name" and self._next(1) == ("op", "="):
            name = self._take()[1]
            self._at += 1
            return name
        return ""

    def ternary(self) -> Expr:
        """`a if b else c` and what binds closer."""
        value = self._or()
        if self.keyword("if"):
            test = self._or()
            other = self.ternary() if self.keyword("else") else Const("null")
            return Choose(test, value, other)
        return value

    def _or(self) -> Expr:
        value = self._and()
        while self.keyword("or"):
            value = Either(value, self._and())
        return value

    def _and(self) -> Expr:
        value = self._not()
        while self.keyword("and"):
            value = Both(value, self._not())
        return value

    def _not(self) -> Expr:
        if self.keyword("not"):
            value = self._not()
            return Not(value) if value is not None else None
        return self._comparison()

    def _comparison(self) -> Expr:
        value = self._sum()
        while True:
            if op := self._op(*_COMPARISONS):
                value = Compare(_COMPARISONS[op], value, self._sum())
            elif self.keyword("in"):
                value = Compare("in", value, self._sum())
            elif self._next() == ("name", "not") and self._next(1) == ("name", "in"):
                self._at += 2
                value = Not(Compare("in", value, self._sum()))
            elif self.keyword("is"):
                negated = self.keyword("not")
                test = self._sum()
                what: Expr = value if test in {Name("defined"), Name("none"), Name("None")} else None
                what = Compare("==", value, test) if what is None else Compare("==", value, Const("null"))
                value = Not(what) if negated else what
            else:
                return value

    def _sum(self) -> Expr:
        value = self.filtered()
        while op := self._op("+", "~", "-", "*", "/", "%", "//", "**"):
            other = self.filtered()
            value = joined(value, other) if op in "+~" else None
        return value

    def filtered(self) -> Expr:
        """A value with the filters after it."""
        value = self._primary()
        while self._op("|"):
            name = self._take()[1]
            args: list[Expr] = [value]
            if self._op(":"):
                args.append(self._primary())
            elif self._op("("):
                args += self._arguments()
            value = value if name in _HARMLESS else self._calls(Name(name), tuple(args))
        return value

    def _primary(self) -> Expr:
        kind, text = self._take()
        value: Expr
        if kind == "text":
            value = Text((text[1:-1],)) if len(text) > 2 else Text(())
        elif kind == "number":
            value = Const(text)
        elif kind == "name" and text not in _KEYWORDS:
            value = self._env[text] if text in self._env else _name(text)
        elif text == "(":
            value = self.ternary()
            rest = [value]
            while self._op(","):
                if self._next() != ("op", ")"):
                    rest.append(self.ternary())
            self._need(")")
            value = Many(tuple(rest)) if len(rest) > 1 else value
        elif text == "[":
            value = Many(tuple(self._items("]")))
        elif text == "{":
            value = self._mapping()
        elif text == "-":
            self._primary()
            value = Const("-")
        else:
            raise _Stop
        while True:
            if self._op("."):
                value = Member(value, self._take()[1])
            elif self._op("["):
                key = self.ternary()
                if self._op(":"):
                    key = None
                    if self._next() != ("op", "]"):
                        self.ternary()
                self._need("]")
                literal = isinstance(key, Text) and len(key.parts) == 1 and isinstance(key.parts[0], str)
                value = Member(value, str(key.parts[0]) if literal and isinstance(key, Text) else "[]")
            elif self._op("("):
                value = self._calls(value, tuple(self._arguments()))
            else:
                return value

    def _items(self, end: str) -> list[Expr]:
        found: list[Expr] = []
        while not self._op(end):
            found.append(self.ternary())
            self._op(",")
        return found

    def _mapping(self) -> Expr:
        items: list[tuple[str, Expr]] = []
        while not self._op("}"):
            key = self.ternary()
            self._need(":")
            name = key.parts[0] if isinstance(key, Text) and key.parts else ""
            items.append((name if isinstance(name, str) else "", self.ternary()))
            self._op(",")
        return Obj(tuple(items))

    def _arguments(self) -> list[Expr]:
        """Up to the closing bracket; those with a name go into one mapping at the end."""
        found: list[Expr] = []
        named: list[tuple[str, Expr]] = []
        while not self._op(")"):
            if self._op("*", "**"):
                named.append(("...", self.ternary()))
            elif name := self.named():
                named.append((name, self.ternary()))
            else:
                found.append(self.ternary())
            self._op(",")
        return [*found, Obj(tuple(named))] if named else found


_HARMLESS = frozenset({"safe", "escape", "e", "urlencode", "tojson", "lower", "upper", "string", "int", "trim"})


def _name(text: str) -> Expr:
    return Const(text.lower()) if text.lower() in {"true", "false", "none"} else Name(text)
