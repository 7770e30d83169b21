"""What sends the requests of a front end: known clients, those made of them, and what only has the name of one."""

from __future__ import annotations

from prodready.knowledge import Knowledge
from prodready.knowledge_form import WebClient
from prodready.link.front_addresses import Addresses, Piece, items
from prodready.link.front_program import Bound, Class, FrontProgram, Meaning, Outside
from prodready.read.web.facts import (
    CallOf,
    Choose,
    Either,
    Expr,
    Fn,
    Member,
    Name,
    Obj,
)
from prodready.words import split_words

_DEPTH = 10

Found = tuple[WebClient | None, tuple[Piece, ...], bool]
"""A client, what all its addresses begin with, and whether it is surely one."""


class Clients:
    """Tells which expressions are clients."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge, addresses: Addresses) -> None:
        self.program = program
        self._addresses = addresses
        self._clients = knowledge.clients
        self._named: dict[str, WebClient | None] = {}
        self._given: dict[str, set[str]] = {}
        self.among: set[str] | None = None
        """The files that may have a client to give away, once these are known."""
        self._globals = {name: client for client in self._clients.values() for name in client.globals}

    def of(self, path: str, owner: int, value: Expr, depth: int = 0) -> Found:
        """The client that an expression is, what its addresses begin with, and whether that is sure."""
        if depth > _DEPTH or value is None:
            return None, (), False
        if self.among is not None and isinstance(value, Name):
            source = self.program.source(path, owner, value.name)
            if source and source not in self.among:
                return self._by_name(value)
        found = self._known(self.program.meaning(path, owner, value), depth)
        return self._by_name(value) if found is None else found

    def given_away(self, path: str) -> set[str]:
        """The names under which a file exports what sends requests when it is called, or what has or gives such a thing."""
        if path not in self._given:
            facts = self.program.files[path]
            found = [(name, self.program.exported(path, name)) for name in facts.exports]
            self._given[path] = {name for name, meaning in found if meaning is not None and self._sends(meaning)}
            for other in filter(None, (self.program.module(path, module) for module in facts.stars)):
                self._given[path] |= self.given_away(other)
        return self._given[path]

    def _sends(self, found: Meaning) -> bool:
        client, _, sure = self._known(found, 0) or (None, (), False)
        if client is not None and sure and client.call:
            return True
        values: list[tuple[int, Expr]] = []
        if isinstance(found, Bound) and isinstance(found.value, Fn):
            index = found.value.index
            values = [(index, value) for value, _ in self.program.files[found.path].functions[index].returns]
        elif isinstance(found, Bound) and isinstance(found.value, Obj):
            values = [(found.owner, value) for _, value in found.value.items]
        elif isinstance(found, Class) and (cls := self.program.cls(found)) is not None:
            values = [(cls.owner, value) for value in cls.members.values()]
        for owner, value in values:
            if isinstance(value, (Name, Member, CallOf, Either, Choose)) and isinstance(found, (Bound, Class)):
                client, _, sure = self.of(found.path, owner, value)
                if client is not None and sure and client.call:
                    return True
        return False

    def _known(self, found: Meaning, depth: int) -> Found | None:
        """The client that something is; None if nothing is known of it."""
        if isinstance(found, Outside):
            for client in self._clients.values():
                if found.package and found.package in client.modules:
                    if found.name in {"default", "*", *client.exports, *client.globals}:
                        return client, (), True
            if not found.package and found.name in self._globals:
                return self._globals[found.name], (), True
        elif isinstance(found, Bound):
            if isinstance(found.value, CallOf):
                return self._created(found, depth)
            if isinstance(found.value, Member) and isinstance(found.value.base, Name):
                # `window.fetch`, `this.$http`: a name of everybody's, by way of something that nobody made.
                base = self.program.meaning(found.path, found.owner, found.value.base)
                if found.value.name in self._globals and isinstance(base, (Outside, Class)):
                    return self._globals[found.value.name], (), True
            if isinstance(found.value, (Either, Choose)):
                arms = (
                    (found.value.left, found.value.right)
                    if isinstance(found.value, Either)
                    else (found.value.then, found.value.other)
                )
                for arm in arms:
                    inner = self.of(found.path, found.owner, arm, depth + 1)
                    if inner[0] is not None:
                        return inner
        elif isinstance(found, Class):
            return None, (), False
        return None

    def _by_name(self, value: Expr) -> Found:
        last = value.name if isinstance(value, (Name, Member)) else ""
        if last not in self._named:
            names = {*split_words(last)[-1:], last.lower()}
            self._named[last] = next(
                (client for client in self._clients.values() if not names.isdisjoint(client.names)), None
            )
        return self._named[last], (), False

    def _created(self, found: Bound, depth: int) -> Found:
        assert isinstance(found.value, CallOf)
        call = self.program.files[found.path].calls[found.value.index]
        target = call.target
        made: WebClient | None = None
        before: tuple[Piece, ...] = ()
        if isinstance(target, Member):
            client, before, sure = self.of(found.path, call.owner, target.base, depth + 1)
            if client is not None and sure and target.name in client.create:
                made = client
        elif isinstance(target, Name):
            what = self.program.meaning(found.path, call.owner, target)
            if isinstance(what, Outside) and what.package:
                made = next(
                    (
                        client
                        for client in self._clients.values()
                        if what.package in client.modules and what.name in client.create
                    ),
                    None,
                )
            elif isinstance(what, Bound) and isinstance(what.value, Fn) and what.value.index:
                # A function of the project that makes a client.
                for value, _ in self.program.files[what.path].functions[what.value.index].returns:
                    client, base, sure = self.of(what.path, what.value.index, value, depth + 1)
                    if client is not None and sure:
                        return client, base, sure
            if made is None and isinstance(what, Bound) and isinstance(what.value, Fn):
                return None, (), False
        if made is None:
            return None, (), False
        for arg in call.args:
            options = self._addresses.options(found.path, call.owner, arg)
            for key, item in items(options) if isinstance(options, Bound) else ():
                if key in made.base and isinstance(options, Bound):
                    return made, self._addresses.address(options.path, options.owner, item).pieces, True
        return made, before, True
