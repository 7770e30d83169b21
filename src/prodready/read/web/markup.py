"""Reading markup: elements with their attributes and labels, directives of frameworks, and the scripts inside."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from prodready.read.web.base import LABELS, Hole, pieces, plain, texts
from prodready.read.web.build import Builder, Conditions, Draft
from prodready.read.web.facts import (
    SCOPE,
    CallOf,
    ClassFact,
    Const,
    Element,
    ElementOf,
    Expr,
    Fn,
    Many,
    Name,
    Obj,
    Text,
)
from prodready.read.web.grammar import grammar
from prodready.read.web.script import Script
from prodready.read.web.template import Regions, Scan

if TYPE_CHECKING:
    from tree_sitter import Node

_EACH = re.compile(r"^\s*(?:let\s+)?\(?\s*([^)]*?)\s*\)?\s+(?:in|of)\s+(.*)$", re.DOTALL)
_MODIFIERS = re.compile(r"\..*$")


def read_markup(builder: Builder, data: bytes, kind: str) -> None:
    """Read a whole file of markup. `kind` is `vue`, `svelte`, `angular` or `html`: any template engine's."""
    scan = Scan(builder, data)
    if kind == "svelte":
        scan.svelte()
    elif kind == "angular":
        scan.angular()
    elif kind == "html":
        scan.jinja()
    masked = bytes(scan.masked)
    Markup(builder, masked, scan.regions, tuple(scan.holes), kind, data).run(grammar("html").parse(masked))
    if kind in {"vue", "svelte"}:
        _component(builder)


class Markup:
    """Walks the elements of a file."""

    def __init__(
        self, builder: Builder, masked: bytes, regions: Regions, holes: tuple[Hole, ...], kind: str, data: bytes
    ) -> None:
        self.out = builder
        self._masked = masked
        self._data = data
        self._regions = regions
        self._holes = holes
        self._kind = kind
        self._owner = 0
        self._held: Conditions = ()
        self._parent = -1
        self._lines = _LineIndex(data)

    def run(self, root: Node) -> None:
        """Read the whole tree. Scripts go first: a template speaks of what they define."""
        nodes = list(root.named_children)
        if self._kind in {"vue", "svelte"}:
            for node in nodes:
                if node.type == "script_element":
                    self._script(node)
            nodes = [node for node in nodes if node.type != "script_element"]
        self._children(nodes)

    def _children(self, nodes: Iterable[Node]) -> list[str]:
        """Elements side by side; the words in and between them."""
        label: list[str] = []
        tests: list[tuple[Expr, str, int]] = []
        for node in nodes:
            kind = node.type
            if kind == "element":
                tests = self._element(node, tests, label)
            elif kind == "script_element":
                self._script(node)
            elif kind in {"text", "entity"}:
                label += self._words(node)
            elif kind == "ERROR":
                label += self._children(node.named_children)
        return label

    def _words(self, node: Node) -> list[str]:
        filled = pieces(self._masked, self._holes, node.start_byte, node.end_byte)
        if filled is None:
            return [(node.text or b"").decode("utf-8", "replace").strip()]
        return texts(filled, self.out.calls)

    def _element(
        self, node: Node, before: list[tuple[Expr, str, int]], label: list[str]
    ) -> list[tuple[Expr, str, int]]:
        """One element. `before` are the tests of the elements before it that it may be the `else` of; gives its own."""
        start = next((child for child in node.children if child.type in {"start_tag", "self_closing_tag"}), None)
        if start is None or not start.named_children:
            label += self._children(node.named_children)
            return []
        tag = (start.named_children[0].text or b"").decode("utf-8", "replace")
        if tag == "style":
            return []
        outside = self._owner, self._held, self._parent
        line, column = self._lines.place(node.start_byte)
        pairs = [pair for child in start.named_children if child.type == "attribute" for pair in self._pair(child)]
        names = {name: (value, place) for name, value, place in pairs}
        for name in ("v-for", "*ngFor", "v-slot", "slot-scope"):
            if name in names:
                self._scope(names[name][0], names[name][1], line, column, name)
        for name in list(names):
            if name.startswith(("#", "v-slot:")) and names[name][0]:
                self._scope(names[name][0], names[name][1], line, column, "v-slot")
        tests: list[tuple[Expr, str, int]] = []
        if "v-else" in names or "v-else-if" in names:
            self._hold([(test, True, said, place) for test, said, place in before])
            tests = before
        for name in ("v-if", "v-else-if", "v-show", "*ngIf", "x-if", "x-show"):
            if name in names:
                raw, place = names[name]
                said = raw.split(";")[0] if name == "*ngIf" else raw
                test = self._expression(said, place)
                self._hold([(test, False, said, place)])
                if name in {"v-if", "v-else-if"}:
                    tests = [*tests, (test, said, place)]
        index = len(self.out.elements)
        now = self._regions.at(node.start_byte) + self._held
        name_of = Name(_component_name(tag))
        self.out.elements.append(Element(name_of, (), self._owner, now, line, column, self._parent))
        attributes = tuple(
            (key, value) for name, raw, place in pairs for key, value in self._attribute(name, raw, place)
        )
        self._parent = index
        if "-" in tag or tag[:1].isupper():
            self._held += (self.out.condition(ElementOf(index), False, f"<{tag}>", line, column),)
        inner = self._children(child for child in node.named_children if child is not start)
        words = [word for word in inner if word]
        if not words or tag == "input":
            words = [w for key, value in attributes if key in LABELS for w in texts(value, self.out.calls)][:1]
        if tag == "form":
            words = self.out.submit(index)
        said = " ".join(" ".join(words).split())[:60]
        self.out.elements[index] = Element(
            name_of, attributes, self.out.elements[index].owner, now, line, column, outside[2], said
        )
        label += [said] if tag != "form" else []
        self._owner, self._held, self._parent = outside
        return tests

    def _hold(self, tests: list[tuple[Expr, bool, str, int]]) -> None:
        for test, negated, said, place in tests:
            if test is not None:
                self._held += (self.out.condition(test, negated, said, *self._lines.place(place)),)

    def _scope(self, text: str, place: int, line: int, column: int, directive: str) -> None:
        """A part of the template with variables of its own."""
        match = _EACH.match(text) if directive in {"v-for", "*ngFor"} else None
        names = re.findall(r"[A-Za-z_$][\w$]*", match[1] if match else text)
        draft = Draft(SCOPE, self._owner, self._regions.at(place) + self._held, line, column, each=True)
        draft.params += names
        self.out.functions.append(draft)
        if match is not None:
            self._expression(match[2].split(";")[0], place)
        self._owner, self._held = len(self.out.functions) - 1, ()

    # Attributes

    def _pair(self, node: Node) -> list[tuple[str, str, int]]:
        """An attribute's name, its value as written and where that stands."""
        name = (node.named_children[0].text or b"").decode("utf-8", "replace") if node.named_children else ""
        value = next((child for child in node.named_children[1:]), None)
        if value is not None and value.type == "quoted_attribute_value":
            value = value.named_children[0] if value.named_children else None
        if value is None:
            return [(name, "", node.end_byte)]
        return [(name, self._masked[value.start_byte : value.end_byte].decode("utf-8", "replace"), value.start_byte)]

    def _attribute(self, name: str, raw: str, place: int) -> Iterable[tuple[str, Expr]]:
        """What an attribute gives under the name that a plain one would have."""
        end = place + len(raw.encode())
        filled = pieces(self._masked, self._holes, place, end) if self._holes else None
        if name.startswith(("v-on:", "@", "on:")) or (name.startswith("(") and name.endswith(")")):
            event = _MODIFIERS.sub("", name.removeprefix("v-on:").removeprefix("on:").strip("@()"))
            value = self._only(filled) if filled is not None else self._handler(raw, place)
            yield f"on{event[:1].upper()}{event[1:]}", value
        elif name.startswith((":", "v-bind:")) or (name.startswith("[") and name.endswith("]")):
            yield name.removeprefix("v-bind").strip(":[]"), self._expression(raw, place)
        elif name.startswith("on") and name[2:].isalpha():
            value = self._only(filled) if filled is not None and self._kind == "svelte" else self._handler(raw, place)
            yield f"on{name[2:3].upper()}{name[3:]}", value
        elif filled is not None:
            yield name, self._only(filled)
        elif not name.startswith(("v-", "*", "#")):
            yield name, Text((raw,)) if raw else Const("true")

    def _only(self, filled: Text) -> Expr:
        return filled.parts[0] if len(filled.parts) == 1 and not isinstance(filled.parts[0], str) else filled

    def _reader(self, place: int) -> Script:
        holes = self._holes
        reader = Script(self.out, self._data, place - 1, self._lines.place(place)[0] - 1, holes, masked=self._masked)
        reader.owner = self._owner
        return reader

    def _expression(self, raw: str, place: int) -> Expr:
        if not raw.strip():
            return None
        end = place + len(raw.encode())
        if not self._holes and (value := plain(self._masked[place:end])) is not None:
            return value
        reader = self._reader(place)
        reader.conditions = self._regions.at(place) + self._held
        return reader.expression(self._masked[place:end])

    def _handler(self, raw: str, place: int) -> Expr:
        """Code that runs when something happens to an element: a function's name, or statements."""
        if not raw.strip():
            return None
        source = self._masked[place : place + len(raw.encode())]
        line, column = self._lines.place(place)
        if re.fullmatch(rb"\s*[\w$.]+\s*", source):
            return self._expression(raw, place)
        index = len(self.out.functions)
        self.out.functions.append(Draft("", self._owner, self._regions.at(place) + self._held, line, column))
        reader = self._reader(place)
        reader.owner = index
        value, is_one = reader.handler(b" " + source)
        if isinstance(value, Fn):  # an arrow function stands for itself
            self.out.functions[value.index].owner = index
        if is_one:
            self.out.functions[index].returns.append((value, ()))
        return Fn(index)

    def _script(self, node: Node) -> None:
        raw = next((child for child in node.named_children if child.type == "raw_text"), None)
        start = next((child for child in node.named_children if child.type == "start_tag"), None)
        pairs = {}
        for child in start.named_children[1:] if start is not None else ():
            if child.type == "attribute":
                pairs.update({name: value for name, value, _ in self._pair(child)})
        kind = pairs.get("type", "").lower()
        if raw is None or (kind and "javascript" not in kind and kind not in {"module", "text/babel"}):
            return
        lang = pairs.get("lang", "js")
        begin = raw.start_byte
        around = self._regions.at if self._kind == "html" else None
        reader = Script(self.out, self._data, begin, self._lines.place(begin)[0] - 1, self._holes, around, self._masked)
        broken = self.out.broken
        reader.run(self._masked[begin : raw.end_byte], "tsx" if lang in {"ts", "tsx", "jsx"} else "js")
        if self._kind == "html":
            self.out.broken = broken  # a template engine's script is often no script before it has run


class _LineIndex:
    """Lines and columns of a file by place."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = list(accumulate([len(line) + 1 for line in data.split(b"\n")[:-1]], initial=0))

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of a byte, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, len(self._data[self._starts[line - 1] : offset].decode("utf-8", "replace")) + 1


def _component_name(tag: str) -> str:
    """The name by which a script knows an element: `UserRow` for `user-row`."""
    return "".join(part[:1].upper() + part[1:] for part in tag.split("-")) if "-" in tag else tag


_MEMBERS = ("methods", "computed", "data", "props", "setup", "components")


def _component(builder: Builder) -> None:
    """A single-file component: what its options name is known to its template and to `this`."""
    value = builder.exports.get("default", ("", None))[1]
    if isinstance(value, CallOf):
        call = builder.calls[value.index]
        value = call.args[0] if call is not None and call.args else None
    if not isinstance(value, Obj):
        return
    members: dict[str, Expr] = {}
    for key, item in value.items:
        if key in _MEMBERS:
            members.update(_options(builder, key, item))
    builder.classes.append(ClassFact("default", None, 0, members))
    for draft in builder.functions:
        if draft.owner == 0 and not draft.cls and draft.name != SCOPE:
            draft.cls = draft.cls or "default"


def _options(builder: Builder, key: str, item: Expr) -> Iterable[tuple[str, Expr]]:
    if isinstance(item, Fn):  # data() and setup() give an object
        returned = builder.functions[item.index].returns
        item = returned[-1][0] if returned else None
    if isinstance(item, Obj):
        for name, inner in item.items:
            if name == "..." and isinstance(inner, CallOf):
                call = builder.calls[inner.index]
                for arg in call.args if call is not None else ():
                    for mapped in _mapped(arg):
                        yield mapped, None
            else:
                yield name, inner


def _mapped(arg: Expr) -> Iterable[str]:
    if isinstance(arg, Many):
        yield from (str(i.parts[0]) for i in arg.items if isinstance(i, Text) and len(i.parts) == 1)
    elif isinstance(arg, Obj):
        yield from (name for name, _ in arg.items)
