"""The grammars, and the numbers that they give to kinds of nodes and to fields: asking by number takes half the time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node

IGNORED = frozenset(
    {
        "comment", "interface_declaration", "type_alias_declaration", "import_alias", "ambient_declaration",
        "empty_statement", "type_annotation", "type_arguments", "debugger_statement", "regex", "hash_bang_line",
    }
)  # fmt: skip


class Fields:
    """The numbers of the fields of a grammar of scripts; 0, which no field has, for one that it does not know."""

    def __init__(self, language: Language) -> None:
        def number(name: str) -> int:
            return language.field_id_for_name(name) or 0

        self.alias = number("alias")
        self.alternative = number("alternative")
        self.argument = number("argument")
        self.arguments = number("arguments")
        self.body = number("body")
        self.condition = number("condition")
        self.consequence = number("consequence")
        self.constructor = number("constructor")
        self.declaration = number("declaration")
        self.function = number("function")
        self.index = number("index")
        self.key = number("key")
        self.left = number("left")
        self.name = number("name")
        self.object = number("object")
        self.open_tag = number("open_tag")
        self.operator = number("operator")
        self.parameter = number("parameter")
        self.parameters = number("parameters")
        self.pattern = number("pattern")
        self.property = number("property")
        self.right = number("right")
        self.source = number("source")
        self.type = number("type")
        self.value = number("value")


class Grammar:
    """A grammar. `kinds` maps the name of a kind of nodes to its numbers: one with several aliases has several."""

    def __init__(self, dialect: str) -> None:
        import tree_sitter

        self.dialect = dialect
        self.language = _language(dialect)
        self._parser = tree_sitter.Parser(self.language)
        self.fields = Fields(self.language)
        self.kinds: dict[str, list[int]] = {}
        for number in range(self.language.node_kind_count):
            self.kinds.setdefault(self.language.node_kind_for_id(number) or "", []).append(number)
        self.ignored = self.numbers(*IGNORED)
        self.function_declaration = self.kinds.get("function_declaration", [0])[0]
        self.if_statement = self.kinds.get("if_statement", [0])[0]

    def parse(self, data: bytes) -> Node:
        """The tree of a text; one that is broken has nodes that say so."""
        return self._parser.parse(data).root_node

    def numbers(self, *kinds: str) -> frozenset[int]:
        """The numbers of these kinds of nodes."""
        return frozenset(number for kind in kinds for number in self.kinds.get(kind, ()))


@cache
def grammar(dialect: str) -> Grammar:
    """The grammar of `js`, `ts`, `tsx` or `html`; imported when a file needs it."""
    return Grammar(dialect)


def _language(dialect: str) -> Language:
    import tree_sitter

    if dialect == "html":
        import tree_sitter_html as module

        return tree_sitter.Language(module.language())
    if dialect in {"ts", "tsx"}:
        import tree_sitter_typescript as typescript

        return tree_sitter.Language(typescript.language_tsx() if dialect == "tsx" else typescript.language_typescript())
    import tree_sitter_javascript as javascript

    return tree_sitter.Language(javascript.language())
