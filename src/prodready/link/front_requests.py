"""Which calls and elements of a front end ask the server for something: method, and path or name of the route."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from prodready.knowledge import Knowledge
from prodready.knowledge_form import WebClient
from prodready.link.front_addresses import SCHEME, Address, Addresses, Piece, items, merged
from prodready.link.front_candidates import ATTRIBUTES, METHODS, URLS, asking, spread
from prodready.link.front_clients import Clients
from prodready.link.front_program import Bound, FrontProgram, Meaning, Param
from prodready.read.web.facts import (
    MODULE,
    CallFact,
    CallOf,
    Const,
    Element,
    Expr,
    Fn,
    Member,
    Name,
    Obj,
    Text,
)

_PLAIN = WebClient(method=METHODS, url=URLS)
"""A client of which only the method's name is known."""

_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_REQUEST = re.compile(r"^(?:#|javascript:|mailto:|tel:|data:|blob:)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"^(?:https?:)?//(?!localhost|127\.|0\.0\.0\.0)", re.IGNORECASE)


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
    visits: bool = False


class Requests:
    """Finds requests, by the clients that the knowledge describes and by what the project makes of them."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self.program = program
        self.addresses = Addresses(program, knowledge)
        self._clients = Clients(program, knowledge, self.addresses)
        self._knowledge = knowledge
        self._by_method = {name for client in knowledge.clients.values() for name in client.methods}
        self._attributes = {name: method for key, method in ATTRIBUTES.items() for name in knowledge.front.get(key, ())}

    def all(self, ahead: Callable[[Collection[str]], None]) -> Iterator[Request]:
        """The requests of all files. `ahead` is told which files may make any, before they are read."""
        found = frozenset(asking(self.program.files, self._knowledge))
        ahead(found)
        files = spread(self.program, self._clients, found)
        self._clients.among = set(files)
        for path in files:
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
        if call.new or not isinstance(target, (Name, Member)):
            return None
        if isinstance(target, Name) or target.name not in self._by_method:
            client, base, sure = self._clients.of(path, call.owner, target)
            if client is None or not sure or not client.call:
                return self._request(path, index, call, _PLAIN, (), "*") if self._is_described(call) else None
            return self._request(path, index, call, client, base, "*")
        client, base, sure = self._clients.of(path, call.owner, target.base)
        method = client.methods.get(target.name) if client is not None else None
        if method is None or not sure:
            # By its name alone a method sends a request only if what it is given is plainly a path.
            shape = self._by_shape(target.name, call)
            if shape is None:
                return None
            method = method or shape
        return self._request(path, index, call, client or _PLAIN, base, method)

    def _by_shape(self, name: str, call: CallFact) -> str | None:
        """The method that a call has by its name alone, if its first argument is plainly a path."""
        method = name.upper()
        if method == "DEL":
            method = "DELETE"
        first = call.args[0] if call.args else None
        if isinstance(first, Obj):  # `client.delete({url: "/users/{id}"})`
            first = next((value for key, value in first.items if key in URLS), None)
        if method not in _HTTP or not isinstance(first, Text) or any(isinstance(arg, Fn) for arg in call.args):
            return None
        return method if _is_path(first) else None

    def _is_described(self, call: CallFact) -> bool:
        """Whether a call gives both the method and the path of a request: what generated clients are made of."""
        for arg in call.args[:2]:
            given = dict(arg.items) if isinstance(arg, Obj) else {}
            method, url = (next((given[key] for key in keys if key in given), None) for keys in (METHODS, URLS))
            if isinstance(method, Text) and "".join(map(str, method.parts)).upper() in _HTTP and _is_path(url):
                return True
        return False

    def _request(
        self, path: str, index: int, call: CallFact, client: WebClient, base: tuple[Piece, ...], method: str
    ) -> Request | None:
        args = call.args
        first = args[0] if args else None
        given: str | Param | None = None if method == "*" else method
        options = [self.addresses.options(path, call.owner, arg) for arg in args[1:3]]
        url: Expr = first
        if client is _PLAIN and len(args) > 1 and isinstance(args[1], Obj) and self._is_described(call):
            first = args[1]  # `request(settings, {method: "DELETE", url: "/users/{id}"})`
        where = self.addresses.options(path, call.owner, first)
        if isinstance(where, Bound) and isinstance(where.value, Obj):
            options.append(where)
            url = next((item for key, item in items(where) if key in client.url), None)
            if url is None and method == "*" and client.url:
                return self._made(path, index, call, None, Address(why="the options name no address"))
            address = self.addresses.address(where.path, where.owner, url)
        elif (
            method == "*"
            and isinstance(first, Text)
            and len(args) > 1
            and first.parts
            and str(first.parts[0]).upper() in _HTTP
        ):
            given, url = str(first.parts[0]).upper(), args[1]  # `request("DELETE", url)`
            address = self.addresses.address(path, call.owner, url)
        else:
            address = self.addresses.address(path, call.owner, url)
        if method == "*" and given is None:
            given = self._method(client, options)
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

    def _method(self, client: WebClient, options: list[Meaning | None]) -> str | Param | None:
        unknown = False
        for option in options:
            if isinstance(option, Bound) and isinstance(option.value, (Const, Text)):
                continue
            unknown = unknown or not (isinstance(option, Bound) and isinstance(option.value, Obj))
            if isinstance(option, Bound):
                for key, item in items(option):
                    if key in client.method:
                        return self._verb(option.path, option.owner, item)
                    if key == "...":
                        unknown = unknown or not isinstance(item, (Obj, Const))
        return None if unknown else "GET"

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

    # What only callers know

    def called(self, request: Request, path: str, index: int) -> Request | None:
        """A request whose address a caller gives, as the call `index` of the file `path` makes it."""
        call = self.program.files[path].calls[index]
        leading = self.addresses.lifted(request.address, request.file, request.owner)
        if leading is None:
            return None
        method = request.method
        if isinstance(method, Param):
            value = call.args[method.position] if method.position < len(call.args) else None
            if method.key:
                option = self.addresses.options(path, call.owner, value)
                value = (
                    next((i for k, i in items(option) if k == method.key), None) if isinstance(option, Bound) else None
                )
            method = self._verb(path, call.owner, value) if value is not None else "GET"
        elif method is None and len(call.args) > leading.position + 1:
            options = [self.addresses.options(path, call.owner, arg) for arg in call.args]
            given = any(key in _PLAIN.method for option in options for key, _ in items(option))
            method = self._method(_PLAIN, options) if given else None
        endpoint = ""
        pieces: list[Piece] = []
        for piece in request.address.pieces:
            if isinstance(piece, Param) and (piece.path, piece.function) == (leading.path, leading.function):
                if piece == leading and not piece.key and piece.position < len(call.args):
                    endpoint = self.addresses.endpoint(path, call.owner, call.args[piece.position])
                pieces += self.addresses.argument(path, call, piece)
            else:
                pieces.append(piece if isinstance(piece, str) else None)
        whole = tuple(merged(pieces))
        why = "" if whole and whole != (None,) else "the address is computed"
        return Request(
            path,
            call.owner,
            call.conditions,
            call.line,
            call.column,
            method,
            Address(whole, endpoint, why),
            call=index,
        )

    # Elements

    def _of_element(self, path: str, index: int, element: Element) -> Iterator[Request]:
        kind = self.program.files[path].kind
        for name, value in element.attributes:
            method = self._attributes.get(name)
            if method is None or (value is None and kind == "script"):
                if not name.startswith("on") and kind != "script":
                    endpoint = self.addresses.endpoint(path, element.owner, value)
                    if endpoint and name not in {"src", "srcset"}:
                        yield self._from_element(path, index, element, None, Address(endpoint=endpoint))
                continue
            if name == "href" and element.tag == Name("link"):
                continue
            if method == "FORM":
                method = self._form_method(element)
            if isinstance(value, (Fn, Obj)):
                continue
            if named := self._named(path, value):
                for call, endpoint in named:
                    held = self.program.files[path].calls[call].conditions
                    found = self._from_element(path, index, element, method, Address(endpoint=endpoint))
                    yield replace(found, conditions=held, visits=name == "href")
                continue
            address = self.addresses.address(path, element.owner, value)
            first = address.pieces[0] if address.pieces else ""
            if isinstance(first, str) and (_NO_REQUEST.match(first) or _ELSEWHERE.match(first)):
                continue
            if not address.endpoint and name == "href" and (address.why or not address.is_whole):
                continue
            found = self._from_element(path, index, element, method, address)
            yield replace(found, visits=name == "href" and kind != "script")

    def _named(self, path: str, value: Expr) -> list[tuple[int, str]]:
        """The routes among which conditions inside of an attribute choose, with the calls that name them."""
        if not isinstance(value, Text) or any(isinstance(part, str) and part.strip() for part in value.parts):
            return []
        calls = [part.index for part in value.parts if isinstance(part, CallOf)]
        found = [(call, self.addresses.endpoint(path, MODULE, CallOf(call))) for call in calls]
        return found if len(found) > 1 and all(endpoint for _, endpoint in found) else []

    def _form_method(self, element: Element) -> str:
        for name, value in element.attributes:
            if name in {"method", "formmethod"} and isinstance(value, Text) and len(value.parts) == 1:
                return str(value.parts[0]).upper()
        return "POST" if any(name in {"formaction"} for name, _ in element.attributes) else "GET"

    def _from_element(self, path: str, index: int, element: Element, method: str | None, address: Address) -> Request:
        return Request(
            path, element.owner, element.conditions, element.line, element.column, method, address, element=index
        )


def _is_path(value: Expr) -> bool:
    start = value.parts[0] if isinstance(value, Text) and value.parts else None
    return isinstance(start, str) and (start.startswith("/") or bool(SCHEME.match(start)))


def _is_absolute(piece: Piece) -> bool:
    return isinstance(piece, str) and bool(SCHEME.match(piece))


def _together(base: tuple[Piece, ...], rest: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """A base address with what comes after it, a slash between them."""
    first = rest[0] if rest else ""
    if isinstance(base[-1], str) and isinstance(first, str):
        return tuple(merged([*base[:-1], f"{base[-1].rstrip('/')}/{first.lstrip('/')}", *rest[1:]]))
    return tuple(merged([*base, *([] if isinstance(first, str) and first.startswith("/") else ["/"]), *rest]))
