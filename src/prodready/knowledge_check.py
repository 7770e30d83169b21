"""What can be wrong with a knowledge file, in words for the person who wrote it, with the line where it stands."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from prodready.config_values import nearest, type_name
from prodready.knowledge_form import (
    DECORATIONS,
    DEEDS,
    FRONT,
    GUARDS,
    LABELS,
    SETTLES,
    SINKS,
    STORES,
    STYLES,
    WORDS,
    Effect,
    KnowledgeFile,
    RouteForm,
    TypeEntry,
    WebClient,
    effect,
)

_KEYS = {form: form.__struct_fields__ for form in (KnowledgeFile, TypeEntry, WebClient)}
_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*"})
_MEMBERS = ("methods", "attributes")
_SLOTS = ("item", "call", "enter", "each")
_ONE_OF = {
    "sink": ("sink", SINKS),
    "decorates": ("decoration", DECORATIONS),
    "does": ("deed", DEEDS),
    "guards": ("guard", GUARDS),
    "settles": ("purpose", SETTLES),
    "keeps": ("store", STORES),
    "style": ("style", STYLES),
}
"""Keys whose value is one of a few words, and what such a word is called."""

_GLOBALS = frozenset({"*", *dir(builtins), "__file__", "__path__"})
"""Names without a module: of built-ins, of what every module has, of any type."""


def malformed(text: str, raw: Mapping[str, Any], error: msgspec.ValidationError) -> tuple[int, str]:
    """The line where `raw`, read from `text`, is not of the form of a knowledge file, and why."""
    for name, value, form in _pieces(raw):
        try:
            msgspec.convert(value, form)
        except msgspec.ValidationError as inner:
            what, key = _plain(inner, value, form)
            return line_of(
                text, f"{name}.{key}" if key and name else key or name
            ), f"{name!r}: {what}" if name else what
    return 1, str(error)


def mistakes(entry: KnowledgeFile) -> Iterator[tuple[str, str]]:
    """What a file of the right form says that cannot be meant: the key it stands at, and why."""
    for name in (*entry.functions, *entry.objects, *entry.types):
        if "." not in name and name not in _GLOBALS:
            yield name, f"{name!r} is not a qualified name: write `module.{name}`"
    described: list[tuple[str, Effect | TypeEntry]] = [*_effects(entry), *entry.types.items()]
    for name, told in described:
        yield from ((name, why) for why in _wrong_words(name, told))
        if told.route is not None:
            yield from ((name, f"{name!r}: {why}") for why in _route_mistakes(told.route))
    for name, what in _effects(entry):
        yield from ((name, f"{name!r} {why}") for why in _effect_mistakes(what))
        for place in (*what.at, *what.passes, *what.kept):
            if isinstance(place, int) and place < 0:
                yield name, f"{name!r}: {place} is no position of an argument: they count from 0"
    for name, words in entry.words.items():
        if name not in WORDS:
            yield name, _unknown("words", "list", name, WORDS)
        for word in words:
            if word != word.lower():
                yield word, f"{name!r}: words are written in lower case: {word.lower()!r}"
    for name in entry.front.keys() - FRONT:
        yield name, _unknown("front", "list", name, FRONT)
    for name, client in entry.clients.items():
        for method in {*client.methods.values()} - _HTTP:
            yield name, _unknown(name, "HTTP method", method, _HTTP)
        if not (client.modules or client.globals or client.names):
            yield name, f"{name!r} can never be met: give `modules`, `globals` or `names`"


def _wrong_words(name: str, what: Effect | TypeEntry) -> Iterator[str]:
    """The words of a call or a type that stand for nothing."""
    for label in what.labels - LABELS:
        yield _unknown(name, "label", label, LABELS)
    for key, (says, known) in _ONE_OF.items():
        value = getattr(what, key, "")
        if value and value not in known:
            yield _unknown(name, says, value, known)


def _effect_mistakes(what: Effect) -> Iterator[str]:
    if what.keeps and not what.kept:
        yield "keeps something but `kept` names no argument"
    if what.does == "write-sql" and not what.at:
        yield "runs a statement but `at` does not say which argument it is"
    if what.sink and what.sink != "none" and not what.at:
        yield "is a sink but `at` names no argument"


def _route_mistakes(form: RouteForm) -> Iterator[str]:
    for verb in form.verbs:
        if verb != verb.upper():
            yield f"a method is written in capitals: {verb.upper()!r}"
    for action, route in form.actions.items():
        if not re.fullmatch(r"[A-Z]+ [^ ]*", route):
            yield f"the route of the action {action!r} must be a method and a path, as in 'GET {{pk}}'"
    for key in ("path", "handler", "methods", "name", "child", "prefix", "before", "guards", "detail"):
        for place in getattr(form, key):
            if isinstance(place, int) and place < 0:
                yield f"{place} in `{key}` is no position of an argument: they count from 0"


def unknown_types(entry: KnowledgeFile, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Types that the file refers to and that no file describes: the key where it does, and what is wrong."""
    known = frozenset(known)
    references = [(name, what.returns) for name, what in _effects(entry)]
    references += [(name, base) for name, kind in entry.types.items() for base in kind.bases]
    references += entry.parameters.items()
    for name, reference in references:
        if reference and reference not in known:
            hint = nearest(reference, known) or "; describe it under `[types]`"
            yield name, f"{name!r} speaks of a type that no knowledge file describes: {reference!r}{hint}"


def line_of(text: str, name: str) -> int:
    """The line that most likely holds the key `name`; a member is looked for below the header of its type."""
    lines = text.splitlines()
    kind, _, member = name.rpartition(".")
    start = next((n for n, line in enumerate(lines) if kind and f'"{kind}"' in line), 0)
    for part, first in ((name, 0), (member, start)):
        after = r"[\w.-]" if "." in part else r"[\w-]"
        key = re.compile(rf'(?<![\w.-])(?:\w+\.)?"?{re.escape(part)}"?(?!{after})')
        for number, line in enumerate(lines[first:], first + 1):
            if part and key.search(line.partition("#")[0]):
                return number
    return 1


def _effects(entry: KnowledgeFile) -> Iterator[tuple[str, Effect]]:
    for table in (entry.functions, entry.objects, entry.settings):
        yield from ((name, effect(value)) for name, value in table.items())
    for name, kind in entry.types.items():
        for members in (kind.methods, kind.attributes):
            yield from ((f"{name}.{member}", effect(value)) for member, value in members.items())
        yield from ((f"{name}.{slot}", effect(getattr(kind, slot))) for slot in _SLOTS)


def _pieces(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The parts of a file from small to large, each with its name and the form it must have."""
    for table in ("functions", "objects", "settings"):
        if isinstance(raw.get(table), dict):
            yield from ((name, value, Effect | str) for name, value in raw[table].items())
    if isinstance(raw.get("types"), dict):
        for name, kind in raw["types"].items():
            for table in _MEMBERS if isinstance(kind, dict) else ():
                if isinstance(kind.get(table), dict):
                    yield from ((f"{name}.{member}", value, Effect | str) for member, value in kind[table].items())
            yield name, kind, TypeEntry
    if isinstance(raw.get("clients"), dict):
        yield from ((name, value, WebClient) for name, value in raw["clients"].items())
    yield "", raw, KnowledgeFile


def _plain(error: msgspec.ValidationError, value: Any, form: Any) -> tuple[str, str]:
    """What is wrong, and the key it is wrong with if the error names one."""
    message, _, where = str(error).partition(" - at ")
    if found := re.search(r"unknown field `([^`]*)`", message):
        keys = _KEYS.get(form, Effect.__struct_fields__)
        return f"unknown key {found[1]!r}{nearest(found[1], keys) or '; the keys are ' + ', '.join(keys)}", found[1]
    if found := re.search(r"missing required field `([^`]*)`", message):
        return f"the key `{found[1]}` is missing", ""
    key = re.match(r"`?\$\.(\w+)", where)
    if key is None:
        return f"must be text or a table, not {type_name(value)}", ""
    wanted = re.search(r"[Ee]xpected `([^`]*)`", message)
    plain = {"array": "a list", "str": "text", "object": "a table", "int": "a whole number"}
    words = [plain.get(word, word) for word in wanted[1].split(" | ")] if wanted else []
    return f"`{key[1]}` must be {' or '.join(words)}" if words else message, key[1]


def _unknown(name: str, kind: str, value: str, known: Iterable[str]) -> str:
    known = sorted(known)
    return f"{name!r} has unknown {kind} {value!r}{nearest(value, known) or '; known: ' + ', '.join(known)}"
