"""Which files may make requests, told from their words: only these are read for it, and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prodready.knowledge import Knowledge
from prodready.link.front_clients import Clients
from prodready.link.front_pages import Pages
from prodready.link.front_program import FrontProgram
from prodready.read.web.reader import is_script

METHODS, URLS = ("method",), ("url",)
"""The keys of the options of a request that no client is known for."""

ATTRIBUTES = {
    "get-attributes": "GET",
    "post-attributes": "POST",
    "put-attributes": "PUT",
    "patch-attributes": "PATCH",
    "delete-attributes": "DELETE",
    "form-attributes": "FORM",
}
"""The lists of attributes whose value is an address, with the method by which it is asked for."""


def asking(pages: Pages, knowledge: Knowledge) -> list[str]:
    """The files that may make a request: all that are no scripts, and scripts by the words in them."""
    signs = _Signs(knowledge)
    return [path for path in pages if not is_script(path) or signs.are_in(pages, path)]


def spread(program: FrontProgram, clients: Clients, found: Iterable[str]) -> list[str]:
    """These files in order, with those that import from one of them something to make requests with."""
    pages = program.files
    among = set(found)
    waiting = [path for path in pages if path in among]
    while waiting:
        path = waiting.pop()
        names = clients.given_away(path)
        if not names:
            continue
        for other in program.naming(path):
            if other in among:
                continue
            if "default" in names or pages.passes_on(other) or not names.isdisjoint(pages.words(other)):
                among.add(other)
                waiting.append(other)
    return [path for path in pages if path in among]


class _Signs:
    """What of a text says that it may make a request."""

    def __init__(self, knowledge: Knowledge) -> None:
        clients = knowledge.clients.values()
        methods = {name for client in clients for name in client.methods}
        names = {name for client in clients for name in client.globals}
        attributes = {name for key in ATTRIBUTES for name in knowledge.front.get(key, ())}
        self._modules = {module for client in clients for module in client.modules}
        self._words = {word for name in (*methods, *names, *attributes, *URLS) for word in re.findall(r"[\w$]+", name)}
        self._pattern = re.compile(
            rf"""\.\s*(?:{_any(methods)})\s*(?:[<(`]|\?\.)|\[\s*["'`](?:{_any(methods)})["'`]\s*\]"""
            rf"""|(?<![\w$])(?:{_any(name for name in names if name[-1].isalnum())})\b"""
            rf"""|(?<![\w$])(?:{_any(name for name in names if not name[-1].isalnum())})\s*[.(\[]"""
            rf"""|\b(?:{_any(URLS)})\b["']?\s*:|(?<![\w$-])(?:{_any(attributes)})\s*="""
        )

    def are_in(self, pages: Pages, path: str) -> bool:
        """Whether a script may make a request."""
        if not self._words.isdisjoint(pages.words(path)) and self._pattern.search(pages.text(path)):
            return True
        return not self._modules.isdisjoint(pages.modules(path))


def _any(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, names))) or "(?!)"
