"""What an expression of a front end names: a route by its name, or an address piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from prodready.knowledge import Knowledge
from prodready.link.front_program import Bound, Class, FrontProgram, Meaning, Outside, Param
from prodready.read.web.facts import (
    CallFact,
    CallOf,
    Choose,
    Const,
    Either,
    Expr,
    Fn,
    Member,
    Name,
    Obj,
    Text,
)
from prodready.words import split_words

HOLE = "{}"
_DEPTH = 10
_PATH_WORDS = frozenset({"path", "url", "uri", "endpoint", "route", "href", "resource"})
SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*", re.IGNORECASE)

Piece = str | Param | None
"""Of an address: text, what a parameter will give, or what is not known."""


@dataclass(frozen=True)
class Address:
    """What a request asks for: the name of a route, or the pieces of an address. `why` tells why there is neither."""

    pieces: tuple[Piece, ...] = ()
    endpoint: str = ""
    why: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it surely starts with the path on our own server; another may have been named."""
        first = self.pieces[0] if self.pieces else None
        return isinstance(first, str) and first.startswith("/") and not first.startswith("//")

    def segments(self) -> tuple[str, ...]:
        """The path between its slashes, with `{}` for what is filled in; what is asked behind a `?` is left out."""
        text = "".join(piece if isinstance(piece, str) else HOLE for piece in self.pieces)
        text = SCHEME.sub("", text)
        if not self.is_whole and text.startswith(HOLE):
            text = text[len(HOLE) :]
        text = re.split(r"[?#]", text)[0]
        # What is glued to the end of a word is a query more often than not.
        text = re.sub(r"(?<=[^/{}])\{\}$", "", text)
        return tuple(part for part in text.split("/") if part)


class Addresses:
    """Follows the names in addresses through the modules of a program."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self.program = program
        self._endpoints = knowledge.front.get("endpoint", frozenset())
        self._modules = knowledge.front.get("endpoint-modules", frozenset())

    def address(self, path: str, owner: int, value: Expr) -> Address:
        """What an expression names."""
        if value is None:
            return Address(why="the address is computed")
        endpoint = self.endpoint(path, owner, value)
        if endpoint:
            return Address(endpoint=endpoint)
        pieces = tuple(merged(self.pieces(path, owner, value)))
        if not pieces or (len(pieces) == 1 and pieces[0] is None):
            said = value.name if isinstance(value, (Name, Member)) else ""
            return Address(pieces, why=f"what `{said}` holds is not known" if said else "the address is computed")
        return Address(pieces)

    def endpoint(self, path: str, owner: int, value: Expr, depth: int = 0) -> str:
        """The name of the route whose address an expression gives."""
        if depth > _DEPTH:
            return ""
        if isinstance(value, Text):
            holes = [part for part in value.parts if not isinstance(part, str)]
            said = "".join(part for part in value.parts if isinstance(part, str)).strip()
            if len(holes) == 1 and (not said or said.startswith(("?", "#"))):
                return self.endpoint(path, owner, holes[0], depth + 1)
            if len(holes) and isinstance(value.parts[0], CallOf):
                return self.endpoint(path, owner, value.parts[0], depth + 1)
            return ""
        if isinstance(value, CallOf):
            call = self.program.files[path].calls[value.index]
            chain_end = call.target.name if isinstance(call.target, (Name, Member)) else ""
            if chain_end in self._endpoints and call.args and isinstance(call.args[0], Text):
                first = call.args[0].parts
                if len(first) == 1 and isinstance(first[0], str) and not first[0].startswith("/"):
                    return first[0]
            return self.endpoint(path, call.owner, call.target, depth + 1) if isinstance(call.target, Name) else ""
        if isinstance(value, (Name, Member)):
            found = self.program.meaning(path, owner, value)
            if isinstance(found, Outside) and any(fnmatchcase(found.package, p) for p in self._modules):
                return found.package.partition(":")[2]
            if isinstance(found, Bound) and isinstance(found.value, (CallOf, Text)):
                return self.endpoint(found.path, found.owner, found.value, depth + 1)
        return ""

    def pieces(self, path: str, owner: int, value: Expr, depth: int = 0) -> Iterator[Piece]:
        """The text of an expression, piece by piece."""
        if depth > _DEPTH:
            yield None
        elif isinstance(value, Text):
            for part in value.parts:
                if isinstance(part, str):
                    yield part
                else:
                    yield from self.pieces(path, owner, part, depth + 1)
        elif isinstance(value, (Name, Member)):
            found = self.program.meaning(path, owner, value)
            if isinstance(found, Param):
                default = self._default(found)
                yield from (found,) if default is None else self.pieces(found.path, found.function, default, depth + 1)
            elif isinstance(found, Bound) and not isinstance(found.value, (Name, Member)):
                yield from self.pieces(found.path, found.owner, found.value, depth + 1)
            else:
                yield None
        elif isinstance(value, (Either, Choose)):
            arms = (value.left, value.right) if isinstance(value, Either) else (value.then, value.other)
            told = [tuple(self.pieces(path, owner, arm, depth + 1)) for arm in arms]
            known = [pieces for pieces in told if pieces and all(isinstance(piece, str) for piece in pieces)]
            both = [pieces for pieces in told if pieces and pieces != (None,)]
            yield from known[0] if known else both[0] if both else (None,)
        elif isinstance(value, CallOf):
            yield from self._returned(path, value, depth)
        elif isinstance(value, Const) and value.text.isdigit():
            yield value.text
        else:
            yield None

    def _default(self, param: Param) -> Expr:
        """What a parameter of a constructor is where nothing is given for it, if no object is made with something else."""
        fact = self.program.files[param.path].functions[param.function]
        name = fact.params[param.position] if fact.cls and fact.name == "constructor" else ""
        default = fact.binds.get(name) if isinstance(name, str) else None
        return (
            None if default is None or self._is_given_another(Class(param.path, fact.cls), param.position) else default
        )

    def _is_given_another(self, cls: Class, position: int) -> bool:
        """Whether a constructor is given something, by `new` or by `super` in a class derived from it."""
        for path in self.program.files.mentioning(cls.name):
            for call in self.program.files[path].calls:
                given = call.args[position] if position < len(call.args) else None
                if given is None or not (call.new or call.target == Name("super")):
                    continue
                if isinstance(self.program.meaning(path, call.owner, given), Param):
                    continue  # that may be nothing as well
                if call.new and self.program.meaning(path, call.owner, call.target) == cls:
                    return True
                if not call.new and self._base(path, call.owner) == cls:
                    return True
        return False

    def _base(self, path: str, owner: int) -> Meaning | None:
        """The base of the class that a function belongs to."""
        name = next((one.cls for _, one in self.program.around(path, owner) if one.cls), "")
        fact = self.program.cls(Class(path, name)) if name else None
        return self.program.meaning(path, fact.owner, fact.base) if fact is not None and fact.base is not None else None

    def _returned(self, path: str, value: CallOf, depth: int) -> Iterator[Piece]:
        """The text that a call gives: a function of the project that builds addresses, or one that passes text on."""
        call = self.program.files[path].calls[value.index]
        found = self.program.meaning(path, call.owner, call.target)
        if isinstance(found, Bound) and isinstance(found.value, Fn) and found.value.index:
            function = self.program.files[found.path].functions[found.value.index]
            if len(function.returns) == 1:
                for piece in self.pieces(found.path, found.value.index, function.returns[0][0], depth + 1):
                    if isinstance(piece, Param) and piece.function == found.value.index and piece.path == found.path:
                        yield from self.argument(path, call, piece, depth)
                    else:
                        yield piece
                return
        name = call.target.name if isinstance(call.target, (Name, Member)) else ""
        if name in {"String", "encodeURI", "URL", "trim", "toString", "concat", "replace"} and (
            call.args or isinstance(call.target, Member)
        ):
            inner: Expr = call.target.base if isinstance(call.target, Member) and name != "URL" else call.args[0]
            yield from self.pieces(path, call.owner, inner, depth + 1)
            return
        yield None

    def argument(self, path: str, call: CallFact, param: Param, depth: int = 0) -> Iterator[Piece]:
        """What a call gives for a parameter."""
        if param.position < len(call.args):
            value = call.args[param.position]
            if param.key:
                option = self.options(path, call.owner, value)
                value = (
                    next((i for k, i in items(option) if k == param.key), None) if isinstance(option, Bound) else None
                )
                path = option.path if isinstance(option, Bound) else path
            yield from self.pieces(path, call.owner, value, depth + 1)
        else:
            yield None

    def lifted(self, address: Address, path: str, owner: int) -> Param | None:
        """The parameter of a function around a request that holds the path itself, so that only its callers know it."""
        around = {index for index, _ in self.program.around(path, owner)}
        before = ""
        for piece in address.pieces:
            if isinstance(piece, Param) and piece.path == path and piece.function in around:
                param = self.program.files[piece.path].functions[piece.function].params[piece.position]
                said = split_words(piece.key or (param if isinstance(param, str) else ""))
                if not before or not before.endswith(("/", "=", "&", "?")) or _PATH_WORDS.intersection(said):
                    return piece
            before = piece if isinstance(piece, str) else ""
            if isinstance(piece, str) and "?" in piece:
                break
        return None

    def options(self, path: str, owner: int, value: Expr) -> Meaning | None:
        """An argument that may be an object of options."""
        if isinstance(value, (Name, Member)):
            found = self.program.meaning(path, owner, value)
            return found if isinstance(found, (Bound, Param)) else None
        return Bound(path, owner, value)


def items(found: Meaning | None) -> tuple[tuple[str, Expr], ...]:
    """The entries of an object literal."""
    return found.value.items if isinstance(found, Bound) and isinstance(found.value, Obj) else ()


def merged(pieces: Iterator[Piece] | list[Piece]) -> Iterator[Piece]:
    """Neighbouring texts as one."""
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
            text = ""
        yield piece
    if text:
        yield text
