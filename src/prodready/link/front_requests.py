"""Which calls and elements of a front end ask the server for something: method, and path or name of the route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from prodready.knowledge import Knowledge
from prodready.knowledge_form import WebClient
from prodready.link.front_program import Bound, Class, FrontProgram, Meaning, Outside, Param
from prodready.read.web.facts import (
    CallFact,
    CallOf,
    Choose,
    Const,
    Either,
    Element,
    Expr,
    Fn,
    Member,
    Name,
    Obj,
    Text,
)
from prodready.words import split_words

HOLE = "{}"
_PLAIN = WebClient(method=("method",), url=("url",))
"""A client of which only the method's name is known."""

_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEPTH = 10
_PATH_WORDS = frozenset({"path", "url", "uri", "endpoint", "route", "href", "resource"})
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*", re.IGNORECASE)
_NO_REQUEST = re.compile(r"^(?:#|javascript:|mailto:|tel:|data:|blob:)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"^(?:https?:)?//(?!localhost|127\.|0\.0\.0\.0)", re.IGNORECASE)

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
        """Whether it starts where the path does: with a slash or a server's name."""
        first = self.pieces[0] if self.pieces else None
        return isinstance(first, str) and (first.startswith("/") or bool(_SCHEME.match(first)))

    def segments(self) -> tuple[str, ...]:
        """The path between its slashes, with `{}` for what is filled in; what is asked behind a `?` is left out."""
        text = "".join(piece if isinstance(piece, str) else HOLE for piece in self.pieces)
        text = _SCHEME.sub("", text)
        if not self.is_whole and text.startswith(HOLE):
            text = text[len(HOLE) :]
        text = re.split(r"[?#]", text)[0]
        # What is glued to the end of a word is a query more often than not.
        text = re.sub(r"(?<=[^/{}])\{\}$", "", text)
        return tuple(part for part in text.split("/") if part)


@dataclass(frozen=True)
class Request:
    """A request as it stands in a file. `method` is None where it is not known, a parameter where a caller gives it."""

    file: str
    owner: int
    conditions: tuple[int, ...]
    line: int
    column: int
    method: str | Param | None
    address: Address
    element: int = -1
    call: int = -1


class Requests:
    """Finds requests, by the clients that the knowledge describes and by what the project makes of them."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self.program = program
        self._clients = knowledge.clients
        self._front = knowledge.front
        self._by_method = {name for client in self._clients.values() for name in client.methods}
        self._globals = {name: client for client in self._clients.values() for name in client.globals}
        self._endpoints = knowledge.front.get("endpoint", frozenset())
        self._modules = knowledge.front.get("endpoint-modules", frozenset())
        self._attributes = {
            name: method
            for method in ("get", "post", "put", "patch", "delete", "form")
            for name in knowledge.front.get(f"{method}-attributes", ())
            for method in (method.upper(),)
        }

    def all(self) -> Iterator[Request]:
        """The requests of all files."""
        for path in self.program.files:
            yield from self.of_file(path)

    def of_file(self, path: str) -> Iterator[Request]:
        """The requests of one file."""
        facts = self.program.files[path]
        for index, call in enumerate(facts.calls):
            found = self._of_call(path, index, call)
            if found is not None:
                yield found
        for index, element in enumerate(facts.elements):
            yield from self._of_element(path, index, element)

    # Calls

    def _of_call(self, path: str, index: int, call: CallFact) -> Request | None:
        target = call.target
        if call.new:
            return None
        if isinstance(target, Member):
            if target.name not in self._by_method:
                client, base, sure = self._client(path, call.owner, target)  # `window.fetch(...)`
                if client is None or not sure or not client.call:
                    return None
                return self._request(path, index, call, client, base, "*")
            client, base, sure = self._client(path, call.owner, target.base)
            shape = self._by_shape(target.name, call)
            method = client.methods.get(target.name) if client is not None else None
            if method is None or not sure:
                if shape is None:
                    return None
                client, method = client or _PLAIN, method or shape
        elif isinstance(target, Name):
            client, base, _ = self._client(path, call.owner, target)
            if client is None or not client.call:
                return None
            method = "*"
        else:
            return None
        return self._request(path, index, call, client, base, method)

    def _by_shape(self, name: str, call: CallFact) -> str | None:
        """The method that a call has by its name alone, if its first argument is plainly a path."""
        method = name.upper()
        if method == "DEL":
            method = "DELETE"
        first = call.args[0] if call.args else None
        if method not in _HTTP or not isinstance(first, Text) or any(isinstance(arg, Fn) for arg in call.args):
            return None
        start = first.parts[0] if first.parts else ""
        return method if isinstance(start, str) and (start.startswith("/") or bool(_SCHEME.match(start))) else None

    def _request(
        self, path: str, index: int, call: CallFact, client: WebClient, base: tuple[Piece, ...], method: str
    ) -> Request | None:
        args = call.args
        first = args[0] if args else None
        given: str | Param | None = None if method == "*" else method
        options = [self._options(path, call.owner, arg) for arg in args[:3]]
        url: Expr = first
        if options and isinstance(options[0], Bound) and isinstance(options[0].value, Obj):
            where = options[0]
            url = next((item for key, item in _items(where) if key in client.url), None)
            if url is None and method == "*" and client.url:
                return self._made(path, index, call, None, Address(why="the options name no address"))
            address = self.address(where.path, where.owner, url)
        elif (
            method == "*"
            and isinstance(first, Text)
            and len(args) > 1
            and first.parts
            and str(first.parts[0]).upper() in _HTTP
        ):
            given, url = str(first.parts[0]).upper(), args[1]  # `request("DELETE", url)`
            address = self.address(path, call.owner, url)
        else:
            address = self.address(path, call.owner, url)
        if method == "*" and given is None:
            given = self._method(client, options, has_body=False)
        if isinstance(given, str) and given.lower() == "form":
            given = None
        if base and not address.endpoint and not (address.pieces and _is_absolute(address.pieces[0])):
            address = replace(address, pieces=_together(base, address.pieces))
        return self._made(path, index, call, given, address)

    def _made(
        self, path: str, index: int, call: CallFact, method: str | Param | None, address: Address
    ) -> Request | None:
        first = address.pieces[0] if address.pieces else None
        if isinstance(first, str) and (_NO_REQUEST.match(first)):
            return None
        return Request(path, call.owner, call.conditions, call.line, call.column, method, address, call=index)

    def _options(self, path: str, owner: int, value: Expr) -> Meaning | None:
        if isinstance(value, (Name, Member)):
            found = self.program.meaning(path, owner, value)
            return found if isinstance(found, (Bound, Param)) else None
        return Bound(path, owner, value)

    def _method(self, client: WebClient, options: list[Meaning | None], has_body: bool) -> str | Param | None:
        unknown = False
        for option in options:
            if isinstance(option, Param):
                unknown = True
            if isinstance(option, Bound) and isinstance(option.value, Obj):
                for key, item in _items(option):
                    if key in client.method:
                        return self._verb(option.path, option.owner, item)
                    if key == "...":
                        unknown = unknown or not isinstance(item, (Obj, Const))
        return None if unknown or has_body else "GET"

    def _verb(self, path: str, owner: int, value: Expr) -> str | Param | None:
        found = (
            self.program.meaning(path, owner, value) if isinstance(value, (Name, Member)) else Bound(path, owner, value)
        )
        if isinstance(found, Param):
            return found
        if isinstance(found, Bound) and isinstance(found.value, Text) and len(found.value.parts) == 1:
            said = str(found.value.parts[0]).upper()
            return said if said in _HTTP else None
        return None

    # Clients

    def _client(
        self, path: str, owner: int, value: Expr, depth: int = 0
    ) -> tuple[WebClient | None, tuple[Piece, ...], bool]:
        """The client that an expression is, what its addresses begin with, and whether that is sure."""
        if depth > _DEPTH or value is None:
            return None, (), False
        found = self.program.meaning(path, owner, value)
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
                    client, base_url, sure = self._client(found.path, found.owner, arm, depth + 1)
                    if client is not None:
                        return client, base_url, sure
        elif isinstance(found, Class):
            return None, (), False
        return self._by_name(value)

    def _by_name(self, value: Expr) -> tuple[WebClient | None, tuple[Piece, ...], bool]:
        last = value.name if isinstance(value, (Name, Member)) else ""
        words = split_words(last)
        for client in self._clients.values():
            if words and (words[-1] in client.names or last.lower() in client.names):
                return client, (), False
        return None, (), False

    def _created(self, found: Bound, depth: int) -> tuple[WebClient | None, tuple[Piece, ...], bool]:
        assert isinstance(found.value, CallOf)
        call = self.program.files[found.path].calls[found.value.index]
        target = call.target
        made: WebClient | None = None
        before: tuple[Piece, ...] = ()
        if isinstance(target, Member):
            client, before, sure = self._client(found.path, call.owner, target.base, depth + 1)
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
                    client, base, sure = self._client(what.path, what.value.index, value, depth + 1)
                    if client is not None and sure:
                        return client, base, sure
            if made is None and isinstance(what, Bound) and isinstance(what.value, Fn):
                return None, (), False
        if made is None:
            return None, (), False
        for arg in call.args:
            options = self._options(found.path, call.owner, arg)
            for key, item in _items(options) if isinstance(options, Bound) else ():
                if key in made.base and isinstance(options, Bound):
                    return made, self.address(options.path, options.owner, item).pieces, True
        return made, before, True

    # Addresses

    def address(self, path: str, owner: int, value: Expr) -> Address:
        """What an expression names."""
        if value is None:
            return Address(why="the address is computed")
        endpoint = self._endpoint(path, owner, value)
        if endpoint:
            return Address(endpoint=endpoint)
        pieces = tuple(_merged(self.pieces(path, owner, value)))
        if not pieces or (len(pieces) == 1 and pieces[0] is None):
            said = value.name if isinstance(value, (Name, Member)) else ""
            return Address(pieces, why=f"what `{said}` holds is not known" if said else "the address is computed")
        return Address(pieces)

    def _endpoint(self, path: str, owner: int, value: Expr, depth: int = 0) -> str:
        """The name of the route whose address an expression gives."""
        if depth > _DEPTH:
            return ""
        if isinstance(value, Text):
            holes = [part for part in value.parts if not isinstance(part, str)]
            said = "".join(part for part in value.parts if isinstance(part, str)).strip()
            if len(holes) == 1 and (not said or said.startswith(("?", "#"))):
                return self._endpoint(path, owner, holes[0], depth + 1)
            if len(holes) and isinstance(value.parts[0], CallOf):
                return self._endpoint(path, owner, value.parts[0], depth + 1)
            return ""
        if isinstance(value, CallOf):
            call = self.program.files[path].calls[value.index]
            chain_end = call.target.name if isinstance(call.target, (Name, Member)) else ""
            if chain_end in self._endpoints and call.args and isinstance(call.args[0], Text):
                first = call.args[0].parts
                if len(first) == 1 and isinstance(first[0], str) and not first[0].startswith("/"):
                    return first[0]
            return self._endpoint(path, call.owner, call.target, depth + 1) if isinstance(call.target, Name) else ""
        if isinstance(value, (Name, Member)):
            found = self.program.meaning(path, owner, value)
            if isinstance(found, Outside) and any(fnmatchcase(found.package, p) for p in self._modules):
                return found.package.partition(":")[2]
            if isinstance(found, Bound) and isinstance(found.value, (CallOf, Text)):
                return self._endpoint(found.path, found.owner, found.value, depth + 1)
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
                yield found
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

    def _returned(self, path: str, value: CallOf, depth: int) -> Iterator[Piece]:
        """The text that a call gives: a function of the project that builds addresses, or one that passes text on."""
        call = self.program.files[path].calls[value.index]
        found = self.program.meaning(path, call.owner, call.target)
        if isinstance(found, Bound) and isinstance(found.value, Fn) and found.value.index:
            function = self.program.files[found.path].functions[found.value.index]
            if len(function.returns) == 1:
                for piece in self.pieces(found.path, found.value.index, function.returns[0][0], depth + 1):
                    if isinstance(piece, Param) and piece.function == found.value.index and piece.path == found.path:
                        yield from self._argument(path, call, piece, depth)
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

    def _argument(self, path: str, call: CallFact, param: Param, depth: int = 0) -> Iterator[Piece]:
        if param.position < len(call.args):
            value = call.args[param.position]
            if param.key:
                option = self._options(path, call.owner, value)
                value = (
                    next((i for k, i in _items(option) if k == param.key), None) if isinstance(option, Bound) else None
                )
                path = option.path if isinstance(option, Bound) else path
            yield from self.pieces(path, call.owner, value, depth + 1)
        else:
            yield None

    def lifted(self, address: Address) -> Param | None:
        """The parameter that holds the path itself, so that only the callers know what is asked for."""
        before = ""
        for piece in address.pieces:
            if isinstance(piece, Param):
                param = self.program.files[piece.path].functions[piece.function].params[piece.position]
                said = split_words(piece.key or (param if isinstance(param, str) else ""))
                if not before or not before.endswith(("/", "=", "&", "?")) or _PATH_WORDS.intersection(said):
                    return piece
            before = piece if isinstance(piece, str) else ""
            if isinstance(piece, str) and "?" in piece:
                break
        return None

    def called(self, request: Request, path: str, index: int) -> Request | None:
        """A request whose address a caller gives, as the call `index` of the file `path` makes it."""
        call = self.program.files[path].calls[index]
        leading = self.lifted(request.address)
        if leading is None:
            return None
        method = request.method
        if isinstance(method, Param):
            value = call.args[method.position] if method.position < len(call.args) else None
            if method.key:
                option = self._options(path, call.owner, value)
                value = (
                    next((i for k, i in _items(option) if k == method.key), None) if isinstance(option, Bound) else None
                )
            method = self._verb(path, call.owner, value) if value is not None else "GET"
        elif method is None and len(call.args) > leading.position + 1:
            options = [self._options(path, call.owner, arg) for arg in call.args]
            method = self._method(_PLAIN, options, has_body=True)
        endpoint = ""
        pieces: list[Piece] = []
        for piece in request.address.pieces:
            if isinstance(piece, Param) and (piece.path, piece.function) == (leading.path, leading.function):
                if piece == leading and not piece.key and piece.position < len(call.args):
                    endpoint = self._endpoint(path, call.owner, call.args[piece.position])
                pieces += self._argument(path, call, piece)
            else:
                pieces.append(piece)
        merged = tuple(_merged(pieces))
        why = "" if merged and merged != (None,) else "the address is computed"
        return Request(
            path,
            call.owner,
            call.conditions,
            call.line,
            call.column,
            method,
            Address(merged, endpoint, why),
            call=index,
        )

    # Elements

    def _of_element(self, path: str, index: int, element: Element) -> Iterator[Request]:
        kind = self.program.files[path].kind
        for name, value in element.attributes:
            method = self._attributes.get(name)
            if method is None or (value is None and kind == "script"):
                if not name.startswith("on") and kind != "script":
                    endpoint = self._endpoint(path, element.owner, value)
                    if endpoint and name not in {"src", "srcset"}:
                        yield self._from_element(path, index, element, None, Address(endpoint=endpoint))
                continue
            if name == "href" and element.tag == Name("link"):
                continue
            if method == "FORM":
                method = self._form_method(element)
            if isinstance(value, (Fn, Obj)):
                continue
            address = self.address(path, element.owner, value)
            first = address.pieces[0] if address.pieces else ""
            if isinstance(first, str) and (_NO_REQUEST.match(first) or _ELSEWHERE.match(first)):
                continue
            if not address.endpoint and name == "href" and (address.why or not address.is_whole):
                continue
            yield self._from_element(path, index, element, method, address)

    def _form_method(self, element: Element) -> str:
        for name, value in element.attributes:
            if name in {"method", "formmethod"} and isinstance(value, Text) and len(value.parts) == 1:
                return str(value.parts[0]).upper()
        return "POST" if any(name in {"formaction"} for name, _ in element.attributes) else "GET"

    def _from_element(self, path: str, index: int, element: Element, method: str | None, address: Address) -> Request:
        return Request(
            path, element.owner, element.conditions, element.line, element.column, method, address, element=index
        )


def _items(found: Meaning | None) -> tuple[tuple[str, Expr], ...]:
    return found.value.items if isinstance(found, Bound) and isinstance(found.value, Obj) else ()


def _is_absolute(piece: Piece) -> bool:
    return isinstance(piece, str) and bool(_SCHEME.match(piece))


def _together(base: tuple[Piece, ...], rest: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """A base address with what comes after it, a slash between them."""
    first = rest[0] if rest else ""
    if isinstance(base[-1], str) and isinstance(first, str):
        return tuple(_merged([*base[:-1], f"{base[-1].rstrip('/')}/{first.lstrip('/')}", *rest[1:]]))
    return tuple(_merged([*base, *([] if isinstance(first, str) and first.startswith("/") else ["/"]), *rest]))


def _merged(pieces: Iterator[Piece] | list[Piece]) -> Iterator[Piece]:
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
