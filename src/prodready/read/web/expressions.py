"""Expressions of JavaScript and TypeScript as facts; what must hold around their parts is kept on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from prodready.read.web.base import LABELS, Reader, joined, texts, trimmed
from prodready.read.web.facts import (
    Both,
    CallFact,
    CallOf,
    Choose,
    Compare,
    Const,
    Either,
    Element,
    ElementOf,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Not,
    Obj,
    Text,
)
from prodready.read.web.grammar import grammar

if TYPE_CHECKING:
    from tree_sitter import Node

EACH = frozenset(
    {"map", "forEach", "filter", "flatMap", "some", "every", "find", "findIndex", "reduce", "sort", "each", "from"}
)
"""What calls a function with one element after another."""

_TRANSPARENT = frozenset(
    {
        "parenthesized_expression", "await_expression", "non_null_expression", "as_expression", "satisfies_expression",
        "type_assertion", "expression_statement", "spread_element", "yield_expression",
    }
)  # fmt: skip
_CONSTS = frozenset({"number", "true", "false", "null", "undefined"})
_COMPARISONS = {
    "==": "==", "===": "==", "!=": "!=", "!==": "!=", "<": "<", "<=": "<", ">": ">", ">=": ">", "in": "in",
}  # fmt: skip


class Expressions(Reader):
    """The part of a reader that knows expressions and elements."""

    def value(self, node: Node) -> Expr:
        """An expression as a fact; the calls, elements and functions in it are recorded."""
        return self._values.get(node.kind_id, Expressions._parts)(self, node)

    _values: Mapping[int, Handler]

    def _parsed(self, text: bytes, dialect: str) -> Node:
        self._values = _handlers(dialect)
        return super()._parsed(text, dialect)

    def _inside(self, node: Node) -> Expr:
        """The value of what something stands around that does not change it."""
        handler: Handler = Expressions._inside
        while handler is Expressions._inside:
            children = node.named_children
            if not children:
                return None
            node = children[-1 if node.type == "type_assertion" else 0]
            handler = self._values.get(node.kind_id, Expressions._parts)
        return handler(self, node)

    def _constant(self, node: Node) -> Expr:
        return Const(self._text(node))

    def _nothing(self, node: Node) -> Expr:
        return None

    def _parts(self, node: Node) -> Expr:
        for child in node.named_children:
            self.value(child)
        return None

    def _name(self, node: Node) -> Expr:
        if self._holes and (filled := self._filled(node)) is not None:
            return filled.parts[0] if len(filled.parts) == 1 and not isinstance(filled.parts[0], str) else filled
        return Name(self._text(node))

    def _this(self, node: Node) -> Expr:
        return Name("this")

    def _string_value(self, node: Node) -> Expr:
        if self._holes and (filled := self._filled(node)) is not None:
            return trimmed(filled)
        return Text((self._string(node),)) if (node.text or b"")[1:-1] else Text(())

    def _template_string(self, node: Node) -> Expr:
        found: list[str | Expr] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                found.append(self.value(child.named_children[0]) if child.named_children else None)
            elif self._holes and (filled := self._filled(child)) is not None:
                found += filled.parts
            else:
                found.append(self._text(child))
        return Text(tuple(found))

    def _member(self, node: Node) -> Expr:
        base, name = node.child_by_field_id(self._fields.object), node.child_by_field_id(self._fields.property)
        value = self.value(base) if base is not None else None
        return self._attribute(value, self._text(name).lstrip("#") if name is not None else "")

    def _subscript(self, node: Node) -> Expr:
        base, index = node.child_by_field_id(self._fields.object), node.child_by_field_id(self._fields.index)
        value = self.value(base) if base is not None else None
        key = self.value(index) if index is not None else None
        if isinstance(key, Text) and len(key.parts) == 1 and isinstance(key.parts[0], str):
            return self._attribute(value, key.parts[0])
        return self._attribute(value, key.text if isinstance(key, Const) else "[]")

    def _binary(self, node: Node) -> Expr:
        left_node, right_node = node.child_by_field_id(self._fields.left), node.child_by_field_id(self._fields.right)
        operator = node.child_by_field_id(self._fields.operator)
        if left_node is None or right_node is None or operator is None:
            return None
        op = operator.type
        left = self.value(left_node)
        if op in {"&&", "||", "??"}:
            before = self.conditions
            if op != "??":
                self._push(left_node, left, op == "||")
            right = self.value(right_node)
            self.conditions = before
            return Both(left, right) if op == "&&" else Either(left, right)
        right = self.value(right_node)
        if op == "+":
            return joined(left, right)
        return Compare(_COMPARISONS[op], left, right) if op in _COMPARISONS else None

    def _ternary(self, node: Node) -> Expr:
        test_node = node.child_by_field_id(self._fields.condition)
        test = self.value(test_node) if test_node is not None else None
        arms: list[Expr] = []
        for field, negated in ((self._fields.consequence, False), (self._fields.alternative, True)):
            before = self.conditions
            self._push(test_node, test, negated)
            arm = node.child_by_field_id(field)
            arms.append(self.value(arm) if arm is not None else None)
            self.conditions = before
        return Choose(test, *arms)

    def _unary(self, node: Node) -> Expr:
        argument = node.child_by_field_id(self._fields.argument)
        value = self.value(argument) if argument is not None else None
        operator = node.child_by_field_id(self._fields.operator)
        if operator is not None and operator.type == "!":
            return value.value if isinstance(value, Not) else Not(value) if value is not None else None
        return Const(self._text(node)) if isinstance(value, Const) else None

    def _assignment(self, node: Node) -> Expr:
        left, right = node.child_by_field_id(self._fields.left), node.child_by_field_id(self._fields.right)
        value = self.value(right) if right is not None else None
        if left is None:
            return value
        if left.type == "identifier":
            name = self._text(left)
            holder = self._holder(name)
            holder.bind(name, value)
        elif left.type in {"object_pattern", "array_pattern"}:
            self._bind(left, value)
        else:
            target = self.value(left)
            if isinstance(target, Member) and target.base == Name("this") and self.cls:
                if self.members.get(target.name) is None:
                    self.members[target.name] = value
                self.sets.append((target.name, self.owner, value))
            elif value is not None and not isinstance(value, (Const, CallOf)):
                to = self._text(left)
                if to == "module.exports":
                    self.out.exports["default"] = ("", value)
                else:
                    self._keep(value, node, to[:80])
        return value

    members: dict[str, Expr] = {}  # noqa: RUF012, replaced for each class
    sets: list[tuple[str, int, Expr]] = []  # noqa: RUF012, replaced for each class

    def _augmented(self, node: Node) -> Expr:
        """`x += y`: what `x` holds is not known any more, unless only a query was put behind an address."""
        left, right = node.child_by_field_id(self._fields.left), node.child_by_field_id(self._fields.right)
        added = self.value(right) if right is not None else None
        if left is not None and left.type == "identifier":
            first = added.parts[0] if isinstance(added, Text) and added.parts else None
            if not (isinstance(first, str) and first.startswith(("?", "&"))):
                name = self._text(left)
                self._holder(name).binds[name] = None
        return None

    def _call(self, node: Node) -> Expr:
        function = node.child_by_field_id(self._fields.function) or node.child_by_field_id(self._fields.constructor)
        arguments = node.child_by_field_id(self._fields.arguments)
        index = len(self.out.calls)
        self.out.calls.append(None)
        if function is not None and function.type == "import":
            target: Expr = Name("import")
        elif function is not None and function.type == "super":
            target = Name("super")
        else:
            target = self.value(function) if function is not None else None
        args: list[Expr] = []
        if arguments is not None and arguments.type == "arguments":
            for child in arguments.named_children:
                if child.type == "comment":
                    continue
                value = self.value(child)
                if isinstance(value, Fn) and isinstance(target, Member) and target.name in EACH:
                    self.out.functions[value.index].each = True
                args.append(value)
        elif arguments is not None:
            args.append(self.value(arguments))
        self.out.calls[index] = CallFact(
            target, tuple(args), self.owner, self._now(node), *self._place(node), node.type == "new_expression"
        )
        name = target.name if isinstance(target, Name) and args else ""
        if name == "inject" and isinstance(args[0], Name):
            # A container makes what is asked for by its class.
            self.out.calls[index] = CallFact(args[0], (), self.owner, self._now(node), *self._place(node), True)
        if name == "require" and isinstance(args[0], Text):
            return self._attribute(CallOf(index), "*")
        return CallOf(index)

    def _object(self, node: Node) -> Expr:
        items: list[tuple[str, Expr]] = []
        for child in node.named_children:
            kind = child.type
            if kind == "pair":
                key, value_node = child.child_by_field_id(self._fields.key), child.child_by_field_id(self._fields.value)
                name = self._text(key).strip("'\"") if key is not None else ""
                value = self.value(value_node) if value_node is not None else None
                if isinstance(value, Fn) and not self.out.functions[value.index].name:
                    self.out.functions[value.index].name = name
                items.append((name, value))
            elif kind == "shorthand_property_identifier":
                items.append((self._text(child), Name(self._text(child))))
            elif kind == "method_definition":
                name_node = child.child_by_field_id(self._fields.name)
                name = self._text(name_node) if name_node is not None else ""
                items.append((name, self._function(child)))
            elif kind == "spread_element":
                items.append(("...", self.value(child)))
        return Obj(tuple(items))

    def _array(self, node: Node) -> Expr:
        return Many(tuple(self.value(child) for child in node.named_children if child.type != "comment"))

    # Elements

    def _jsx(self, node: Node) -> Expr:
        opening = node.child_by_field_id(self._fields.open_tag) or node
        name = opening.child_by_field_id(self._fields.name)
        tag = self.value(name) if name is not None else None
        index = len(self.out.elements)
        line, column = self._place(node)
        now = self._now(node)
        self.out.elements.append(Element(tag, (), self.owner, now, line, column, self.parent))
        around = self.parent, self.conditions
        self.parent = index
        component = isinstance(tag, Member) or (isinstance(tag, Name) and tag.name[:1].isupper())
        attributes: list[tuple[str, Expr]] = []
        for child in opening.named_children:
            if child.type == "jsx_attribute":
                parts = child.named_children
                value = self._given(parts[1]) if len(parts) > 1 else Const("true")
                attributes.append((self._text(parts[0]), value))
            elif child.type == "jsx_expression" and child.named_children:
                attributes.append(("...", self.value(child.named_children[0])))
        label: list[str] = []
        if opening is not node:
            if component:
                self.conditions += (self.out.condition(ElementOf(index), False, self._text(opening), line, column),)
            inner: list[Expr] = []
            for child in node.named_children:
                kind = child.type
                if kind in {"jsx_element", "jsx_self_closing_element"}:
                    value = self._jsx(child)
                    if isinstance(value, ElementOf) and self.out.elements[value.index].label:
                        label.append(self.out.elements[value.index].label)
                elif kind == "jsx_text":
                    label.append(self._text(child).strip())
                elif kind == "jsx_expression" and child.named_children:
                    value = self.value(child.named_children[0])
                    label += texts(value, self.out.calls)
                    if value is not None and not isinstance(value, (Text, Const, CallOf, ElementOf)):
                        inner.append(value)
            if inner:
                attributes.append(("children", Many(tuple(inner))))
        self.parent, self.conditions = around
        if isinstance(tag, Name) and tag.name.lower() == "form":
            label = self.out.submit(index)
        if not any(label):
            label = [text for key, value in attributes if key in LABELS for text in texts(value, self.out.calls)]
        self.out.elements[index] = Element(
            tag, tuple(attributes), self.owner, now, line, column, self.parent, " ".join(" ".join(label).split())[:60]
        )
        return ElementOf(index)

    def _given(self, node: Node) -> Expr:
        if node.type == "jsx_expression":
            return self.value(node.named_children[0]) if node.named_children else None
        return self.value(node)


def _a_function(reader: Expressions, node: Node) -> Expr:
    return reader._function(node)


def _a_class(reader: Expressions, node: Node) -> Expr:
    return reader._class(node)


Handler = Callable[[Expressions, "Node"], Expr]

_EXPRESSIONS: dict[str, Handler] = {
    "identifier": Expressions._name,
    "this": Expressions._this,
    "string": Expressions._string_value,
    "template_string": Expressions._template_string,
    "member_expression": Expressions._member,
    "subscript_expression": Expressions._subscript,
    "binary_expression": Expressions._binary,
    "ternary_expression": Expressions._ternary,
    "unary_expression": Expressions._unary,
    "assignment_expression": Expressions._assignment,
    "augmented_assignment_expression": Expressions._augmented,
    "call_expression": Expressions._call,
    "new_expression": Expressions._call,
    "object": Expressions._object,
    "array": Expressions._array,
    "arrow_function": _a_function,
    "function_expression": _a_function,
    "function": _a_function,
    "generator_function": _a_function,
    "class": _a_class,
    "jsx_element": Expressions._jsx,
    "jsx_self_closing_element": Expressions._jsx,
    "jsx_fragment": Expressions._jsx,
}


@cache
def _handlers(dialect: str) -> Mapping[int, Handler]:
    """What reads which kind of expression, by the numbers of a grammar."""
    known = grammar(dialect)
    found: dict[int, Handler] = dict.fromkeys(known.ignored, Expressions._nothing)
    found |= dict.fromkeys(known.numbers(*_CONSTS), Expressions._constant)
    found |= dict.fromkeys(known.numbers(*_TRANSPARENT), Expressions._inside)
    for kind, handler in _EXPRESSIONS.items():
        found |= dict.fromkeys(known.numbers(kind), handler)
    return found
