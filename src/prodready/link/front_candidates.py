"""Which files may make requests, told from their words: only these are read for it, and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from prodready.knowledge import Knowledge
from prodready.link.front_clients import Clients
from prodready.link.front_pages import Pages
from prodready.link.front_program import FrontProgram
from prodready.read.web.reader import is_script
from prodready.read.web.skim import places

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


_WORD = re.compile(r"[\w$]+")
_BEFORE_METHODS = frozenset({".", "\n", "*/", '"', "'", "`"})
_CALL = re.compile(r"""["'`]?\s*\]?\s*(?:[<(`]|\?\.)""")
_VALUE = re.compile(r"""["']?\s*:""")
_GIVEN = re.compile(r"""\s*=(?!\s*["'](?:https?://(?!localhost|127\.|0\.0\.0\.0)|mailto:|tel:|\#))""")
_USE = re.compile(r"\s*[.(\[]")
_IN_A_SENTENCE = re.compile(r"[ \t]+(?!as\b|in\b|of\b|instanceof\b)[A-Za-z]")


def asking(pages: Pages, knowledge: Knowledge) -> list[str]:
    """The files that may make a request: all that are no scripts, and scripts by the words in them."""
    signs = _Signs(knowledge)
    return [path for path in pages if not is_script(path) or signs.are_in(pages, path)]


def spread(program: FrontProgram, clients: Clients, found: AbstractSet[str]) -> list[str]:
    """These files in order, with those that import from one of them something to make requests with."""
    pages = program.files
    among = set(found)
    waiting = [path for path in pages if path in found]
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
        self._modules = {module for client in clients for module in client.modules}
        self._names = {name for client in clients for name in client.globals}
        self._after = dict.fromkeys((name for client in clients for name in client.methods), _CALL)
        self._after |= dict.fromkeys(URLS, _VALUE)
        attributes = {name for key in ATTRIBUTES for name in knowledge.front.get(key, ())}
        self._after |= dict.fromkeys(attributes - self._after.keys(), _GIVEN)
        self._by_word: dict[str, list[str]] = {}
        for name in (*self._names, *self._after):
            self._by_word.setdefault(_WORD.findall(name)[-1], []).append(name)

    def are_in(self, pages: Pages, path: str) -> bool:
        """Whether a script may make a request."""
        text = pages.text(path)
        words = pages.words(path)
        names = [name for word in self._by_word.keys() & words for name in self._by_word[word]]
        if words.isdisjoint(METHODS):
            names = [name for name in names if name not in URLS]
        return any(self._is_in(text, name) for name in names) or not self._modules.isdisjoint(pages.modules(path))

    def _is_in(self, text: str, name: str) -> bool:
        after = self._after.get(name)
        for before, end in places(text, name):
            if name in self._names:
                if not _IN_A_SENTENCE.match(text, end) if name[-1].isalnum() else _USE.match(text, end):
                    return True
            if after is not None and after.match(text, end) and (after is not _CALL or before in _BEFORE_METHODS):
                return True
        return False
