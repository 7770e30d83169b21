"""Reading JavaScript and TypeScript: one pass that turns expressions into facts and keeps what has to hold around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from prodready.read.web.build import Builder, Conditions, Draft, Params
from prodready.read.web.facts import (
    Both,
    CallFact,
    CallOf,
    Choose,
    ClassFact,
    Compare,
    Const,
    Either,
    Element,
    ElementOf,
    Expr,
    Fn,
    Loose,
    Many,
    Member,
    Name,
    Not,
    Obj,
    Text,
)

if TYPE_CHECKING:
    from tree_sitter import Language, Node

EACH = frozenset(
    {"map", "forEach", "filter", "flatMap", "some", "every", "find", "findIndex", "reduce", "sort", "each", "from"}
)
"""What calls a function with one element after another."""

_EXITS = frozenset({"return_statement", "throw_statement", "continue_statement", "break_statement"})
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
_IGNORED = frozenset(
    {
        "comment", "interface_declaration", "type_alias_declaration", "import_alias", "ambient_declaration",
        "empty_statement", "type_annotation", "type_arguments", "debugger_statement", "regex", "hash_bang_line",
    }
)  # fmt: skip

Hole = tuple[int, int, Expr]
"""A stretch of the text, from one byte to another, that a template engine fills."""


@cache
def language(dialect: str) -> Language:
    """A grammar; imported when a file needs it."""
    import tree_sitter

    if dialect == "html":
        import tree_sitter_html as grammar

        return tree_sitter.Language(grammar.language())
    if dialect in {"ts", "tsx"}:
        import tree_sitter_typescript as typescript

        return tree_sitter.Language(typescript.language_tsx() if dialect == "tsx" else typescript.language_typescript())
    import tree_sitter_javascript as javascript

    return tree_sitter.Language(javascript.language())


def parse(data: bytes, dialect: str) -> Node:
    """The tree of a text; one that is broken has nodes that say so."""
    import tree_sitter

    return tree_sitter.Parser(language(dialect)).parse(data).root_node


class Script:
    """Reads one stretch of script into a builder. `data` is the whole file, `start` where the stretch begins.

    `holes` are what a template engine fills in, `masked` is the file without its signs, `around` tells what it holds where.
    """

    def __init__(
        self,
        builder: Builder,
        data: bytes,
        start: int = 0,
        line: int = 0,
        holes: tuple[Hole, ...] = (),
        around: Callable[[int], Conditions] | None = None,
        masked: bytes = b"",
    ) -> None:
        self.out = builder
        self._data = data
        self._masked = masked or data
        self._start = start
        self._line = line
        self._holes = holes
        self._around = around
        self._ascii = data.isascii()
        self.owner = 0
        self.conditions: Conditions = ()
        self.parent = -1
        self.cls = ""

    # Running

    def run(self, root: Node) -> None:
        """Read a program."""
        if root.has_error and not self.out.broken:
            self.out.broken = _first_error(root) + self._line
        self._block(root.named_children)

    def expression(self, root: Node) -> Expr:
        """Read a program that is one expression."""
        children = [child for child in root.named_children if child.type not in _IGNORED]
        return self.value(children[0]) if len(children) == 1 else self._sequence(children)

    def _sequence(self, nodes: Iterable[Node]) -> Expr:
        values = tuple(value for node in nodes if (value := self._statement_value(node)) is not None)
        return Many(values) if values else None

    def _statement_value(self, node: Node) -> Expr:
        if node.type == "expression_statement":
            return self.value(node)
        self._statement(node)
        return None

    # Places

    def _text(self, node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    def _place(self, node: Node) -> tuple[int, int]:
        row, column = node.start_point
        if not self._ascii and column:
            end = self._start + node.start_byte
            column = len(self._data[end - column : end].decode("utf-8", "replace"))
        if row == 0 and self._start:
            begin = self._data.rfind(b"\n", 0, self._start) + 1
            column += len(self._data[begin : self._start].decode("utf-8", "replace"))
        return row + 1 + self._line, column + 1

    def _now(self, node: Node) -> Conditions:
        if self._around is None:
            return self.conditions
        return self._around(self._start + node.start_byte) + self.conditions

    @property
    def _draft(self) -> Draft:
        return self.out.functions[self.owner]

    # Statements

    def _block(self, nodes: Iterable[Node]) -> None:
        """Statements in a row: what comes after one that may leave happens only if it did not."""
        before = self.conditions
        nodes = list(nodes)
        for node in nodes:
            if node.type == "function_declaration":
                self._draft.binds.setdefault(self._text(node.child_by_field_name("name") or node), None)
        for node in nodes:
            kind = node.type
            if kind in _IGNORED:
                continue
            self._statement(node)
            if kind == "if_statement" and node.child_by_field_name("alternative") is None:
                then = node.child_by_field_name("consequence")
                if then is not None and _leaves(then):
                    self._push(node.child_by_field_name("condition"), self._last_test, True)
        self.conditions = before

    _last_test: Expr = None

    def _push(self, node: Node | None, test: Expr, negated: bool) -> None:
        if node is None or test is None or isinstance(test, (Const, Text)):
            return
        inner = node.named_children
        if node.type == "parenthesized_expression" and len(inner) == 1:
            node = inner[0]
        self.conditions += (self.out.condition(test, negated, self._text(node), *self._place(node)),)

    def _statement(self, node: Node) -> None:
        handler = _STATEMENTS.get(node.type)
        if handler is not None:
            handler(self, node)
        elif node.type == "statement_block":
            self._block(node.named_children)
        elif node.type not in _IGNORED:
            self._other(node)

    def _other(self, node: Node) -> None:
        """A statement of which only the parts matter: loops, `try`, `switch`, labels."""
        for child in node.named_children:
            kind = child.type
            if kind in _IGNORED:
                continue
            if kind == "statement_block":
                self._block(child.named_children)
            elif kind.endswith(("_statement", "_declaration", "_clause", "_body", "_case", "_default")):
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

    def _keep(self, value: Expr, node: Node, to: str = "") -> None:
        self.out.loose.append(Loose(value, self.owner, self._now(node), node.start_point[0] + 1 + self._line, to))

    def _if(self, node: Node) -> None:
        test_node = node.child_by_field_name("condition")
        test = self.value(test_node) if test_node is not None else None
        then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        for arm, negated in ((then, False), (other, True)):
            if arm is not None:
                before = self.conditions
                self._push(test_node, test, negated)
                self._statement(arm)
                self.conditions = before
        self._last_test = test

    def _return(self, node: Node) -> None:
        for child in node.named_children:
            if child.type not in _IGNORED:
                self._draft.returns.append((self.value(child), self.conditions))

    def _declaration(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "variable_declarator":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
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
                    draft.bind(name, Member(value, name))
                elif child.type == "pair_pattern":
                    key, inner = child.child_by_field_name("key"), child.child_by_field_name("value")
                    if key is not None and inner is not None:
                        self._bind(inner, Member(value, self._text(key)))
                elif child.type == "object_assignment_pattern":
                    left = child.child_by_field_name("left")
                    if left is not None:
                        draft.bind(self._text(left), Member(value, self._text(left)))
                elif child.type == "rest_pattern" and child.named_children:
                    self._bind(child.named_children[0], value)
        elif kind == "array_pattern":
            for number, child in enumerate(pattern.named_children):
                self._bind(child, Member(value, str(number)))
        elif kind == "assignment_pattern":
            left = pattern.child_by_field_name("left")
            if left is not None:
                self._bind(left, value)

    def _for_in(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        value = self.value(right) if right is not None else None
        if left is not None:
            self._bind(left, Member(value, "[]"))
        body = node.child_by_field_name("body")
        if body is not None:
            self._statement(body)

    def _function_statement(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        value = self._function(node)
        if name is not None:
            self._draft.binds[self._text(name)] = value

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
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
                        real, alias = name.child_by_field_name("name"), name.child_by_field_name("alias")
                        if real is not None:
                            self.out.imports[self._text(alias or real)] = (module, self._text(real).strip("'\""))

    def _export(self, node: Node) -> None:
        source, declaration = node.child_by_field_name("source"), node.child_by_field_name("declaration")
        module = self._string(source) if source is not None else ""
        clause = next((child for child in node.named_children if child.type == "export_clause"), None)
        if clause is not None:
            for name in clause.named_children:
                real, alias = name.child_by_field_name("name"), name.child_by_field_name("alias")
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
            name = declaration.child_by_field_name("name")
            if name is not None:
                self.out.exports["default" if default else self._text(name)] = ("", Name(self._text(name)))
            elif declaration.type in {"lexical_declaration", "variable_declaration"}:
                for bound in set(self.out.module.binds) - before:
                    self.out.exports[bound] = ("", Name(bound))
            return
        value = node.child_by_field_name("value")
        if value is not None:
            found = self.value(value)
            if isinstance(found, Fn) and not self.out.functions[found.index].name:
                self.out.functions[found.index].name = "default"
            self.out.exports["default"] = ("", found)

    def _class(self, node: Node) -> Expr:
        name = node.child_by_field_name("name")
        around = self.cls
        self.cls = self._text(name) if name is not None else f"<class {node.start_point[0] + 1}>"
        base: Expr = None
        members: dict[str, Expr] = {}
        self.members = members
        template = ""
        for child in node.named_children:
            if child.type == "class_heritage":
                inner = child.named_children[0] if child.named_children else None
                if inner is not None and inner.type == "extends_clause":
                    inner = inner.child_by_field_name("value")
                base = self.value(inner) if inner is not None else None
            elif child.type == "decorator":
                template = template or self._template(child)
            elif child.type == "class_body":
                self._members(child, members)
        if not template and node.parent is not None and node.parent.type == "export_statement":
            decorators = [child for child in node.parent.named_children if child.type == "decorator"]
            template = next(filter(None, map(self._template, decorators)), "")
        self.out.classes.append(ClassFact(self.cls, base, self.owner, members, template))
        self._draft.bind(self.cls, None)
        value = Name(self.cls)
        self.cls = around
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
            name_node = child.child_by_field_name("name") or child.child_by_field_name("property")
            if name_node is None:
                continue
            name = self._text(name_node).lstrip("#")
            if child.type == "method_definition":
                value = self._function(child, cls=self.cls)
                members[name] = value
                if name == "constructor":
                    self._injected(child, members)
            elif child.type in {"public_field_definition", "field_definition"}:
                value_node = child.child_by_field_name("value")
                value = self.value(value_node) if value_node is not None else None
                if isinstance(value, Fn):
                    draft = self.out.functions[value.index]
                    draft.name, draft.cls = draft.name or name, self.cls
                if members.get(name) is None:
                    members[name] = value

    def _injected(self, constructor: Node, members: dict[str, Expr]) -> None:
        """Parameters of a constructor that become attributes: what they are, their type says."""
        parameters = constructor.child_by_field_name("parameters")
        for child in parameters.named_children if parameters is not None else ():
            if any(part.type == "accessibility_modifier" or part.type == "readonly" for part in child.children):
                pattern, kind = child.child_by_field_name("pattern"), child.child_by_field_name("type")
                if pattern is not None and kind is not None and kind.named_children:
                    made = Name(self._text(kind.named_children[0]))
                    self.out.calls.append(CallFact(made, (), self.owner, (), *self._place(child), True))
                    members.setdefault(self._text(pattern), CallOf(len(self.out.calls) - 1))

    def _enum(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        items: list[tuple[str, Expr]] = []
        for child in body.named_children if body is not None else ():
            if child.type == "enum_assignment":
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    items.append((self._text(key).strip("'\""), self.value(value)))
        if name is not None:
            self._draft.bind(self._text(name), Obj(tuple(items)))

    # Expressions

    def value(self, node: Node) -> Expr:
        """An expression as a fact; the calls, elements and functions in it are recorded."""
        kind = node.type
        while kind in _TRANSPARENT:
            children = node.named_children
            if not children:
                return None
            node = children[-1 if kind == "type_assertion" else 0]
            kind = node.type
        handler = _EXPRESSIONS.get(kind)
        if handler is not None:
            return handler(self, node)
        if kind in _CONSTS:
            return Const(self._text(node))
        if kind in _IGNORED:
            return None
        for child in node.named_children:
            self.value(child)
        return None

    def _name(self, node: Node) -> Expr:
        if self._holes and (filled := self._filled(node)) is not None:
            return filled.parts[0] if len(filled.parts) == 1 and not isinstance(filled.parts[0], str) else filled
        return Name(self._text(node))

    def _this(self, node: Node) -> Expr:
        return Name("this")

    def _string(self, node: Node) -> str:
        return self._text(node)[1:-1]

    def _string_value(self, node: Node) -> Expr:
        if self._holes and (filled := self._filled(node)) is not None:
            return _trimmed(filled)
        return Text((self._string(node),)) if (node.text or b"")[1:-1] else Text(())

    def _filled(self, node: Node) -> Text | None:
        first, last = self._start + node.start_byte, self._start + node.end_byte
        return pieces(self._masked, self._holes, first, last)

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
        base, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        value = self.value(base) if base is not None else None
        return Member(value, self._text(name).lstrip("#") if name is not None else "")

    def _subscript(self, node: Node) -> Expr:
        base, index = node.child_by_field_name("object"), node.child_by_field_name("index")
        value = self.value(base) if base is not None else None
        key = self.value(index) if index is not None else None
        if isinstance(key, Text) and len(key.parts) == 1 and isinstance(key.parts[0], str):
            return Member(value, key.parts[0])
        return Member(value, key.text if isinstance(key, Const) else "[]")

    def _binary(self, node: Node) -> Expr:
        left_node, right_node = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
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
        test_node = node.child_by_field_name("condition")
        test = self.value(test_node) if test_node is not None else None
        arms: list[Expr] = []
        for field, negated in (("consequence", False), ("alternative", True)):
            before = self.conditions
            self._push(test_node, test, negated)
            arm = node.child_by_field_name(field)
            arms.append(self.value(arm) if arm is not None else None)
            self.conditions = before
        return Choose(test, *arms)

    def _unary(self, node: Node) -> Expr:
        argument = node.child_by_field_name("argument")
        value = self.value(argument) if argument is not None else None
        operator = node.child_by_field_name("operator")
        if operator is not None and operator.type == "!":
            return value.value if isinstance(value, Not) else Not(value) if value is not None else None
        return Const(self._text(node)) if isinstance(value, Const) else None

    def _assignment(self, node: Node) -> Expr:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
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
            elif value is not None and not isinstance(value, (Const, CallOf)):
                to = self._text(left)
                if to == "module.exports":
                    self.out.exports["default"] = ("", value)
                else:
                    self._keep(value, node, to[:80])
        return value

    members: dict[str, Expr] = {}  # noqa: RUF012, replaced for each class

    def _holder(self, name: str) -> Draft:
        """The function whose variable a name is."""
        index = self.owner
        while index > 0 and name not in self.out.functions[index].binds:
            index = self.out.functions[index].owner
        return self.out.functions[max(index, 0)]

    def _call(self, node: Node) -> Expr:
        function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        arguments = node.child_by_field_name("arguments")
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
        if target == Name("require") and args and isinstance(args[0], Text):
            return Member(CallOf(index), "*")
        return CallOf(index)

    def _object(self, node: Node) -> Expr:
        items: list[tuple[str, Expr]] = []
        for child in node.named_children:
            kind = child.type
            if kind == "pair":
                key, value_node = child.child_by_field_name("key"), child.child_by_field_name("value")
                name = self._text(key).strip("'\"") if key is not None else ""
                value = self.value(value_node) if value_node is not None else None
                if isinstance(value, Fn) and not self.out.functions[value.index].name:
                    self.out.functions[value.index].name = name
                items.append((name, value))
            elif kind == "shorthand_property_identifier":
                items.append((self._text(child), Name(self._text(child))))
            elif kind == "method_definition":
                name_node = child.child_by_field_name("name")
                name = self._text(name_node) if name_node is not None else ""
                items.append((name, self._function(child)))
            elif kind == "spread_element":
                items.append(("...", self.value(child)))
        return Obj(tuple(items))

    def _array(self, node: Node) -> Expr:
        return Many(tuple(self.value(child) for child in node.named_children if child.type != "comment"))

    def _function(self, node: Node, cls: str = "") -> Expr:
        name = node.child_by_field_name("name")
        index = len(self.out.functions)
        draft = Draft(
            self._text(name) if name is not None else "", self.owner, self._now(node), *self._place(node), cls=cls
        )
        self.out.functions.append(draft)
        around = self.owner, self.conditions, self.parent
        self.owner, self.conditions, self.parent = index, (), -1
        single = node.child_by_field_name("parameter")
        parameters = node.child_by_field_name("parameters")
        if single is not None:
            draft.params.append(self._text(single))
        elif parameters is not None:
            self._parameters(parameters, draft.params)
        body = node.child_by_field_name("body")
        if body is not None and body.type == "statement_block":
            self._block(body.named_children)
        elif body is not None:
            draft.returns.append((self.value(body), ()))
        self.owner, self.conditions, self.parent = around
        return Fn(index)

    def _parameters(self, node: Node, params: Params) -> None:
        for child in node.named_children:
            pattern = child
            if child.type in {"required_parameter", "optional_parameter"}:
                pattern = child.child_by_field_name("pattern") or child
            if pattern.type == "assignment_pattern":
                pattern = pattern.child_by_field_name("left") or pattern
            if pattern.type == "object_pattern":
                params.append(tuple(self._keys(pattern)))
            elif pattern.type == "identifier":
                params.append(self._text(pattern))
            elif child.type != "comment":
                params.append("")

    def _keys(self, pattern: Node) -> Iterable[tuple[str, str]]:
        for child in pattern.named_children:
            if child.type == "shorthand_property_identifier_pattern":
                yield self._text(child), self._text(child)
            elif child.type == "object_assignment_pattern":
                left = child.child_by_field_name("left")
                if left is not None:
                    yield self._text(left), self._text(left)
            elif child.type == "pair_pattern":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if value is not None and value.type == "assignment_pattern":
                    value = value.child_by_field_name("left")
                if key is not None and value is not None:
                    yield self._text(key), self._text(value)
            elif child.type == "rest_pattern" and child.named_children:
                yield "...", self._text(child.named_children[0])

    # Elements

    def _jsx(self, node: Node) -> Expr:
        opening = node.child_by_field_name("open_tag") or node
        name = opening.child_by_field_name("name")
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
                value = self._attribute(parts[1]) if len(parts) > 1 else Const("true")
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

    def _attribute(self, node: Node) -> Expr:
        if node.type == "jsx_expression":
            return self.value(node.named_children[0]) if node.named_children else None
        return self.value(node)


LABELS = ("label", "title", "aria-label", "text", "tooltip", "alt", "value")
"""Attributes that tell what an element is for, the best first."""


def texts(value: Expr, calls: list[CallFact | None]) -> list[str]:
    """The words that a person may see for a value."""
    if isinstance(value, Text):
        words = "".join(part if isinstance(part, str) else "…" for part in value.parts).strip()
        return [words] if words.strip("…") else []
    if isinstance(value, CallOf):
        call = calls[value.index]
        return texts(call.args[0], calls) if call is not None and call.args else []
    return []


def joined(left: Expr, right: Expr) -> Expr:
    """`left + right`, if one of them is text."""
    if not isinstance(left, Text) and not isinstance(right, Text):
        if left is None or right is None:
            return None
        return Text((left, right)) if isinstance(left, (Name, Member, CallOf)) else None
    first = left.parts if isinstance(left, Text) else (left,)
    return Text(first + (right.parts if isinstance(right, Text) else (right,)))


def pieces(data: bytes, holes: Iterable[Hole], first: int, last: int) -> Text | None:
    """The text between two places of a file with what a template engine fills in; None if that is nothing."""
    found: list[str | Expr] = []
    at = first
    for start, end, value in holes:
        if first <= start and end <= last:
            if start > at:
                found.append(data[at:start].decode("utf-8", "replace"))
            found.append(value)
            at = end
    if not found:
        return None
    if at < last:
        found.append(data[at:last].decode("utf-8", "replace"))
    return Text(tuple(found))


def _trimmed(text: Text) -> Text:
    """Text without the quotes at its ends."""
    parts = list(text.parts)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0][1:]
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1][:-1]
    return Text(tuple(part for part in parts if part != ""))


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


_STATEMENTS: dict[str, Callable[[Script, Node], None]] = {
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
_EXPRESSIONS: dict[str, Callable[[Script, Node], Expr]] = {
    "identifier": Script._name,
    "this": Script._this,
    "string": Script._string_value,
    "template_string": Script._template_string,
    "member_expression": Script._member,
    "subscript_expression": Script._subscript,
    "binary_expression": Script._binary,
    "ternary_expression": Script._ternary,
    "unary_expression": Script._unary,
    "assignment_expression": Script._assignment,
    "call_expression": Script._call,
    "new_expression": Script._call,
    "object": Script._object,
    "array": Script._array,
    "arrow_function": Script._function,
    "function_expression": Script._function,
    "function": Script._function,
    "generator_function": Script._function,
    "class": Script._class,
    "jsx_element": Script._jsx,
    "jsx_self_closing_element": Script._jsx,
    "jsx_fragment": Script._jsx,
}
