"""Reading JavaScript and TypeScript: one pass over the statements that keeps what has to hold around each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from prodready.read.web.build import Draft, Params
from prodready.read.web.expressions import Expressions
from prodready.read.web.facts import (
    SCOPE,
    CallFact,
    CallOf,
    ClassFact,
    Const,
    Expr,
    Fn,
    Many,
    Name,
    Obj,
    Text,
)
from prodready.read.web.grammar import grammar

if TYPE_CHECKING:
    from tree_sitter import Node

_EXITS = frozenset({"return_statement", "throw_statement", "continue_statement", "break_statement"})


class Script(Expressions):
    """Reads statements: what is defined, imported and exported, and which conditions the rest depends on."""

    # Running

    def read(self, dialect: str) -> None:
        """Read the whole file."""
        self._chars = self._data.decode("ascii") if self._ascii else ""
        self.run(self._data, dialect)

    def run(self, text: bytes, dialect: str) -> None:
        """Read a program."""
        self._program(self._parsed(text, dialect))

    def _program(self, root: Node) -> None:
        if root.has_error and not self.out.broken:
            self.out.broken = _first_error(root) + self._line
        self._block(root.named_children)

    def expression(self, text: bytes, dialect: str = "ts") -> Expr:
        """Read a program that is one expression."""
        root = self._parsed(b"(" + text + b")", dialect)
        children = [child for child in root.named_children if child.kind_id not in self._grammar.ignored]
        return self.value(children[0]) if len(children) == 1 else self._sequence(children)

    def handler(self, text: bytes) -> tuple[Expr, bool]:
        """Read what runs when something happens to an element. Its value, if it is one expression, and whether it is one."""
        root = self._parsed(text, "ts")
        statements = [child for child in root.named_children if child.type == "expression_statement"]
        if len(statements) == 1 and statements[0].named_children:
            return self.value(statements[0]), True
        broken = self.out.broken
        self._program(root)
        self.out.broken = broken
        return None, False

    def _sequence(self, nodes: Iterable[Node]) -> Expr:
        values = tuple(value for node in nodes if (value := self._statement_value(node)) is not None)
        return Many(values) if values else None

    def _statement_value(self, node: Node) -> Expr:
        if node.type == "expression_statement":
            return self.value(node)
        self._statement(node)
        return None

    # Statements

    def _block(self, nodes: Sequence[Node]) -> None:
        """Statements in a row: what comes after one that may leave happens only if it did not."""
        before = self.conditions
        functions, tests = self._grammar.function_declaration, self._grammar.if_statement
        kinds = [node.kind_id for node in nodes]
        if functions in kinds:
            for node, kind in zip(nodes, kinds, strict=True):
                if kind == functions:
                    self._draft.binds.setdefault(self._text(node.child_by_field_id(self._fields.name) or node), None)
        for node, kind in zip(nodes, kinds, strict=True):
            self._statements.get(kind, Script._other)(self, node)
            if kind == tests and node.child_by_field_id(self._fields.alternative) is None:
                then = node.child_by_field_id(self._fields.consequence)
                if then is not None and _leaves(then):
                    self._push(node.child_by_field_id(self._fields.condition), self._last_test, True)
        self._at_end = self.conditions
        self.conditions = before

    _at_end: tuple[int, ...] = ()

    _last_test: Expr = None

    def _statement(self, node: Node) -> None:
        self._statements.get(node.kind_id, Script._other)(self, node)

    _statements: Mapping[int, Handler]

    def _parsed(self, text: bytes, dialect: str) -> Node:
        self._statements = _handlers(dialect)
        return super()._parsed(text, dialect)

    def _braces(self, node: Node) -> None:
        self._block(node.named_children)

    def _nothing(self, node: Node) -> None:
        return None

    def _other(self, node: Node) -> None:
        """A statement of which only the parts matter: loops, `try`, `switch`, labels."""
        for child in node.named_children:
            kind = child.type
            if kind == "statement_block" or kind.endswith(
                ("_statement", "_declaration", "_clause", "_body", "_case", "_default")
            ):
                self._statement(child)
            else:
                self.value(child)

    def _expression_statement(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "assignment_expression":
                self._assignment(child)
            else:
                value = self.value(child)
                if value is not None and not isinstance(value, (CallOf, Const, Text, Name)):
                    self._keep(value, child)

    def _if(self, node: Node) -> None:
        test_node = node.child_by_field_id(self._fields.condition)
        test = self.value(test_node) if test_node is not None else None
        then, other = node.child_by_field_id(self._fields.consequence), node.child_by_field_id(self._fields.alternative)
        for arm, negated in ((then, False), (other, True)):
            if arm is not None:
                before = self.conditions
                self._push(test_node, test, negated)
                self._statement(arm)
                self.conditions = before
        self._last_test = test

    def _return(self, node: Node) -> None:
        for child in node.named_children:
            if child.kind_id not in self._grammar.ignored:
                self._draft.returns.append((self.value(child), self.conditions))

    def _declaration(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "variable_declarator":
                name, value = child.child_by_field_id(self._fields.name), child.child_by_field_id(self._fields.value)
                found = self.value(value) if value is not None else None
                if isinstance(found, Fn) and name is not None and not self.out.functions[found.index].name:
                    self.out.functions[found.index].name = self._text(name)
                if name is not None:
                    self._bind(name, found)

    def _bind(self, pattern: Node, value: Expr) -> None:
        kind = pattern.type
        draft = self._draft
        if kind in {"identifier", "shorthand_property_identifier_pattern"}:
            draft.bind(self._text(pattern), value)
        elif kind == "object_pattern":
            for child in pattern.named_children:
                if child.type == "shorthand_property_identifier_pattern":
                    name = self._text(child)
                    draft.bind(name, self._attribute(value, name))
                elif child.type == "pair_pattern":
                    key, inner = child.child_by_field_id(self._fields.key), child.child_by_field_id(self._fields.value)
                    if key is not None and inner is not None:
                        self._bind(inner, self._attribute(value, self._text(key)))
                elif child.type == "object_assignment_pattern":
                    left = child.child_by_field_id(self._fields.left)
                    if left is not None:
                        draft.bind(self._text(left), self._attribute(value, self._text(left)))
                elif child.type == "rest_pattern" and child.named_children:
                    self._bind(child.named_children[0], value)
        elif kind == "array_pattern":
            for number, child in enumerate(pattern.named_children):
                self._bind(child, self._attribute(value, str(number)))
        elif kind == "assignment_pattern":
            left = pattern.child_by_field_id(self._fields.left)
            if left is not None:
                self._bind(left, value)

    def _for_in(self, node: Node) -> None:
        left, right = node.child_by_field_id(self._fields.left), node.child_by_field_id(self._fields.right)
        value = self.value(right) if right is not None else None
        if left is not None:
            self._bind(left, self._attribute(value, "[]"))
        body = node.child_by_field_id(self._fields.body)
        if body is not None:
            self._statement(body)

    def _function_statement(self, node: Node) -> None:
        name = node.child_by_field_id(self._fields.name)
        value = self._function(node)
        if name is not None:
            self._draft.binds[self._text(name)] = value

    def _import(self, node: Node) -> None:
        source = node.child_by_field_id(self._fields.source)
        if source is None:
            return
        module = self._string(source)
        for clause in node.named_children:
            if clause.type != "import_clause":
                continue
            for child in clause.named_children:
                if child.type == "identifier":
                    self.out.imports[self._text(child)] = (module, "default")
                elif child.type == "namespace_import":
                    self.out.imports[self._text(child.named_children[0])] = (module, "*")
                elif child.type == "named_imports":
                    for name in child.named_children:
                        real, alias = (
                            name.child_by_field_id(self._fields.name),
                            name.child_by_field_id(self._fields.alias),
                        )
                        if real is not None:
                            self.out.imports[self._text(alias or real)] = (module, self._text(real).strip("'\""))

    def _export(self, node: Node) -> None:
        source, declaration = (
            node.child_by_field_id(self._fields.source),
            node.child_by_field_id(self._fields.declaration),
        )
        module = self._string(source) if source is not None else ""
        clause = next((child for child in node.named_children if child.type == "export_clause"), None)
        if clause is not None:
            for name in clause.named_children:
                real, alias = name.child_by_field_id(self._fields.name), name.child_by_field_id(self._fields.alias)
                if real is not None:
                    self.out.exports[self._text(alias or real)] = (module, Name(self._text(real)))
            return
        if module:
            self.out.stars.append(module)
            return
        default = any(child.type == "default" for child in node.children)
        if declaration is not None:
            before = set(self.out.module.binds)
            self._statement(declaration)
            named = declaration.child_by_field_id(self._fields.name)
            if named is not None:
                self.out.exports["default" if default else self._text(named)] = ("", Name(self._text(named)))
            elif declaration.type in {"lexical_declaration", "variable_declaration"}:
                for bound in set(self.out.module.binds) - before:
                    self.out.exports[bound] = ("", Name(bound))
            return
        value = node.child_by_field_id(self._fields.value)
        if value is not None:
            found = self.value(value)
            if isinstance(found, Fn) and not self.out.functions[found.index].name:
                self.out.functions[found.index].name = "default"
            self.out.exports["default"] = ("", found)

    def _class(self, node: Node) -> Expr:
        name = node.child_by_field_id(self._fields.name)
        around = self.cls, self.members, self.sets
        self.cls = self._text(name) if name is not None else f"<class {node.start_point[0] + 1}>"
        base: Expr = None
        members: dict[str, Expr] = {}
        self.members = members
        sets: list[tuple[str, int, Expr]] = []
        self.sets = sets
        template = ""
        for child in node.named_children:
            if child.type == "class_heritage":
                inner: Node | None = child.named_children[0] if child.named_children else None
                if inner is not None and inner.type == "extends_clause":
                    inner = inner.child_by_field_id(self._fields.value)
                base = self.value(inner) if inner is not None else None
            elif child.type == "decorator":
                template = template or self._template(child)
            elif child.type == "class_body":
                self._members(child, members)
        if not template and node.parent is not None and node.parent.type == "export_statement":
            decorators = [child for child in node.parent.named_children if child.type == "decorator"]
            template = next(filter(None, map(self._template, decorators)), "")
        self.out.classes.append(ClassFact(self.cls, base, self.owner, members, template, tuple(sets)))
        self._draft.bind(self.cls, None)
        value = Name(self.cls)
        self.cls, self.members, self.sets = around
        return value

    def _class_statement(self, node: Node) -> None:
        self._class(node)

    def _template(self, decorator: Node) -> str:
        value = self.value(decorator.named_children[0]) if decorator.named_children else None
        if isinstance(value, CallOf):
            call = self.out.calls[value.index]
            options = call.args[0] if call is not None and call.args else None
            if isinstance(options, Obj):
                for key, item in options.items:
                    if key == "templateUrl" and isinstance(item, Text) and len(item.parts) == 1:
                        return str(item.parts[0])
        return ""

    def _members(self, body: Node, members: dict[str, Expr]) -> None:
        for child in body.named_children:
            name_node = child.child_by_field_id(self._fields.name) or child.child_by_field_id(self._fields.property)
            if name_node is None:
                continue
            name = self._text(name_node).lstrip("#")
            if child.type == "method_definition":
                value = self._function(child, cls=self.cls)
                members[name] = value
                if name == "constructor":
                    self._injected(child, members)
            elif child.type in {"public_field_definition", "field_definition"}:
                value_node = child.child_by_field_id(self._fields.value)
                value = self._field_value(value_node) if value_node is not None else None
                if isinstance(value, Fn):
                    draft = self.out.functions[value.index]
                    draft.name, draft.cls = draft.name or name, self.cls
                if members.get(name) is None:
                    members[name] = value

    def _field_value(self, node: Node) -> Expr:
        """What a field is set to; functions inside of an array or an object know `this` by a scope of the class."""
        text = node.text or b""
        if node.type not in {"array", "object"} or b"=>" not in text or b"this." not in text:
            return self.value(node)
        self.out.functions.append(Draft(SCOPE, self.owner, self._now(node), *self._place(node), cls=self.cls))
        around, self.owner = self.owner, len(self.out.functions) - 1
        value = self.value(node)
        self.owner = around
        return value

    def _injected(self, constructor: Node, members: dict[str, Expr]) -> None:
        """Parameters of a constructor that become attributes: what they are, their type says."""
        parameters = constructor.child_by_field_id(self._fields.parameters)
        for child in parameters.named_children if parameters is not None else ():
            if any(part.type == "accessibility_modifier" or part.type == "readonly" for part in child.children):
                pattern, kind = (
                    child.child_by_field_id(self._fields.pattern),
                    child.child_by_field_id(self._fields.type),
                )
                if pattern is not None and kind is not None and kind.named_children:
                    made = Name(self._text(kind.named_children[0]))
                    self.out.calls.append(CallFact(made, (), self.owner, (), *self._place(child), True))
                    members.setdefault(self._text(pattern), CallOf(len(self.out.calls) - 1))

    def _enum(self, node: Node) -> None:
        name, body = node.child_by_field_id(self._fields.name), node.child_by_field_id(self._fields.body)
        items: list[tuple[str, Expr]] = []
        for child in body.named_children if body is not None else ():
            if child.type == "enum_assignment":
                key, value = child.child_by_field_id(self._fields.name), child.child_by_field_id(self._fields.value)
                if key is not None and value is not None:
                    items.append((self._text(key).strip("'\""), self.value(value)))
        if name is not None:
            self._draft.bind(self._text(name), Obj(tuple(items)))

    # Functions

    def _function(self, node: Node, cls: str = "") -> Expr:
        name = node.child_by_field_id(self._fields.name)
        index = len(self.out.functions)
        draft = Draft(
            self._text(name) if name is not None else "", self.owner, self._now(node), *self._place(node), cls=cls
        )
        self.out.functions.append(draft)
        around = self.owner, self.conditions, self.parent
        self.owner, self.conditions, self.parent = index, (), -1
        single = node.child_by_field_id(self._fields.parameter)
        parameters = node.child_by_field_id(self._fields.parameters)
        if single is not None:
            draft.params.append(self._text(single))
        elif parameters is not None:
            self._parameters(parameters, draft.params)
            if cls and draft.name == "constructor":
                self._defaults(parameters)
        body = node.child_by_field_id(self._fields.body)
        if body is not None and body.type == "statement_block":
            self._block(body.named_children)
            draft.after = self._at_end
        elif body is not None:
            draft.returns.append((self.value(body), ()))
        self.owner, self.conditions, self.parent = around
        return Fn(index)

    def _parameters(self, node: Node, params: Params) -> None:
        for child in node.named_children:
            pattern = child
            if child.type in {"required_parameter", "optional_parameter"}:
                pattern = child.child_by_field_id(self._fields.pattern) or child
            if pattern.type == "assignment_pattern":
                pattern = pattern.child_by_field_id(self._fields.left) or pattern
            if pattern.type == "object_pattern":
                params.append(tuple(self._keys(pattern)))
            elif pattern.type == "identifier":
                params.append(self._text(pattern))
            elif child.type != "comment":
                params.append("")

    def _defaults(self, node: Node) -> None:
        """What parameters are where nothing is given for them."""
        for child in node.named_children:
            name = child.child_by_field_id(self._fields.pattern) or child.child_by_field_id(self._fields.left)
            value = child.child_by_field_id(self._fields.value) or child.child_by_field_id(self._fields.right)
            if name is not None and name.type == "identifier" and value is not None:
                self._draft.bind(self._text(name), self.value(value))

    def _keys(self, pattern: Node) -> Iterable[tuple[str, str]]:
        for child in pattern.named_children:
            if child.type == "shorthand_property_identifier_pattern":
                yield self._text(child), self._text(child)
            elif child.type == "object_assignment_pattern":
                left = child.child_by_field_id(self._fields.left)
                if left is not None:
                    yield self._text(left), self._text(left)
            elif child.type == "pair_pattern":
                key, value = child.child_by_field_id(self._fields.key), child.child_by_field_id(self._fields.value)
                if value is not None and value.type == "assignment_pattern":
                    value = value.child_by_field_id(self._fields.left)
                if key is not None and value is not None:
                    yield self._text(key), self._text(value)
            elif child.type == "rest_pattern" and child.named_children:
                yield "...", self._text(child.named_children[0])


def _leaves(node: Node) -> bool:
    """Whether a statement ends with leaving the block that it is in."""
    if node.type in _EXITS:
        return True
    if node.type == "statement_block":
        statements = [child for child in node.named_children if child.type != "comment"]
        return bool(statements) and _leaves(statements[-1])
    return False


def _first_error(root: Node) -> int:
    node = root
    while True:
        if node.is_error or node.is_missing:
            return int(node.start_point[0]) + 1
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if broken is None:
            return int(node.start_point[0]) + 1
        node = broken


Handler = Callable[[Script, "Node"], None]

_STATEMENTS: dict[str, Handler] = {
    "statement_block": Script._braces,
    "expression_statement": Script._expression_statement,
    "if_statement": Script._if,
    "else_clause": Script._other,
    "return_statement": Script._return,
    "lexical_declaration": Script._declaration,
    "variable_declaration": Script._declaration,
    "for_in_statement": Script._for_in,
    "function_declaration": Script._function_statement,
    "generator_function_declaration": Script._function_statement,
    "class_declaration": Script._class_statement,
    "abstract_class_declaration": Script._class_statement,
    "enum_declaration": Script._enum,
    "import_statement": Script._import,
    "export_statement": Script._export,
}


@cache
def _handlers(dialect: str) -> Mapping[int, Handler]:
    """What reads which kind of statement, by the numbers of a grammar."""
    known = grammar(dialect)
    found: dict[int, Handler] = dict.fromkeys(known.ignored, Script._nothing)
    for kind, handler in _STATEMENTS.items():
        found |= dict.fromkeys(known.numbers(kind), handler)
    return found
