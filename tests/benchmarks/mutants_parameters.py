"""Mutants that put into the text of a statement what was bound to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst
from mutants_context import Application
from mutants_source import Candidate, Source, descend, dotted, keywords, last_name, positional, spliced, statements
from mutants_writes import ENDS, assigned

KIND = "parameters"
NEEDLE = re.compile(rb"(?i)\.(?:exec|fetch|scalar|raw|read_sql)\w*\(")
"""What a file without candidates has not got in it."""

EXECUTES = frozenset(
    "execute exec exec_driver_sql fetch fetchrow fetchval fetch_all fetch_one fetch_val scalar scalars raw read_sql "
    "read_sql_query".split()
)
SQL = re.compile(
    r"^\s*(?:--.*\n\s*|/\*.*?\*/\s*)*\(?\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE|WITH)\b", re.I | re.S
)
HOLE = re.compile(
    r"%%|%s|%\((?P<percent>\w+)\)s|\?|(?<![:\w\\]):(?P<colon>[A-Za-z_]\w*)|\$(?P<number>\d+)|'(?:[^']|'')*'"
)
UNQUOTED = re.compile(r"\b(?:LIMIT|OFFSET|IN|ANY)\s*\(?\s*$", re.IGNORECASE)
NUMBERS = frozenset(
    {"int", "float", "len", "bool", "round", "sum", "abs", "uuid4", "now", "utcnow", "today", "time", "timedelta"}
)
KEYS = frozenset({"id", "ids", "pk", "rowid"})
NUMBER_MAKERS = re.compile(r"(?:^|_)(?:int|integer|count|number|timestamp)$")
NUMBER_TYPES = re.compile(r"^(?:Optional\[)?(?:\w+\.)*(?:int|float|bool|UUID\w*|datetime|date|timedelta|Decimal)\b")
QUOTES = ('"', "'", '"""', "'''")
UNBOUND = frozenset({"AsIs", "Identifier", "Literal"})
HARMLESS = "the values are numbers or constants"


def candidates(source: Source, app: Application) -> Iterator[Candidate]:
    """Each call that runs a literal statement with values that stand there too."""
    for node in source.nodes:
        if isinstance(node, cst.Call) and last_name(node) in EXECUTES and isinstance(node.func, cst.Attribute):
            found = _candidate(source, node)
            if found is not None:
                yield found


def _candidate(source: Source, call: cst.Call) -> Candidate | None:
    args = positional(call)
    if not args or len(call.args) == 1:
        return None
    literal = _literal(source, args[0], call)
    if literal is None or not SQL.match(literal):
        return None
    values = _values(source, call, literal)
    if values is None:
        return source.skipped(KIND, "the values do not stand at the call", call)
    if any(isinstance(value, cst.Call) and last_name(value) in UNBOUND for value in values.values()):
        return source.skipped(KIND, "a value is no parameter", call)
    filled = _filled(literal, values)
    if filled is None:
        return source.skipped(KIND, "the placeholders do not fit the values", call)
    if all(_is_harmless(source, value, call) for value in filled if not isinstance(value, str)):
        return source.skipped(KIND, HARMLESS, call)
    style, text = _text(source, filled)
    arg = args[0]
    wrapped = positional(arg)[0] if isinstance(arg, cst.Call) else arg
    cuts = [(*source.span(wrapped), text), (source.span(call.args[0])[1], source.span(call.args[-1])[1], "")]
    return source.mutant(KIND, style, call, spliced(source.text, cuts))


def _literal(source: Source, statement: cst.BaseExpression, at: cst.CSTNode) -> str | None:
    """The text of a statement that is one literal, in `text(...)` or not, here or in a constant."""
    if isinstance(statement, cst.Call) and last_name(statement) in {"text", "SQL"} and len(statement.args) == 1:
        return _literal(source, statement.args[0].value, at)
    if isinstance(statement, cst.Name):
        value = assigned(source, statement.value, at)
        return _literal(source, value, at) if isinstance(value, cst.BaseString) else None
    if isinstance(statement, cst.SimpleString | cst.ConcatenatedString):
        text = statement.evaluated_value
        return text if isinstance(text, str) else None
    return None


Values = dict[str, cst.BaseExpression]


def _values(source: Source, call: cst.Call, literal: str) -> Values | None:
    """What is bound, by name or by number; None if it does not stand there one by one."""
    rest, keys = positional(call)[1:], keywords(call)
    if len(rest) + len(keys) + 1 != len(call.args) or (rest and keys):
        return None
    if len(rest) == 1 and "$1" not in literal:
        return _listed(source, rest[0], call)
    if len(keys) == 1 and next(iter(keys)) in {"params", "parameters", "values", "args", "vars"}:
        return _listed(source, next(iter(keys.values())), call)
    return keys or _numbered(rest)


def _listed(source: Source, given: cst.BaseExpression, at: cst.CSTNode) -> Values | None:
    if isinstance(given, cst.Name):
        stands_for = assigned(source, given.value, at)
        return None if stands_for is None or isinstance(stands_for, cst.Name) else _listed(source, stands_for, at)
    if isinstance(given, cst.Tuple | cst.List):
        values = [element.value for element in given.elements if isinstance(element, cst.Element)]
        return _numbered(values) if len(values) == len(given.elements) else None
    if isinstance(given, cst.Dict):
        named: Values = {}
        for element in given.elements:
            if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
                return None
            named[str(element.key.evaluated_value)] = element.value
        return named
    if isinstance(given, cst.Call) and dotted(given.func) == "dict" and len(keywords(given)) == len(given.args):
        return keywords(given)
    return None


def _numbered(values: Sequence[cst.BaseExpression]) -> Values:
    return {str(number): value for number, value in enumerate(values, 1)}


def _filled(literal: str, values: Values) -> list[str | cst.BaseExpression] | None:
    """The text in pieces with a value for each placeholder; None if there are not as many of both."""
    parts: list[str | cst.BaseExpression] = []
    used: set[str] = set()
    start = count = 0
    for hole in HOLE.finditer(literal):
        if hole[0].startswith("'") or hole[0] == "%%":
            continue
        key = hole["percent"] or hole["colon"] or hole["number"]
        if key is None:
            count += 1
            key = str(count)
        elif hole["colon"] and key not in values:
            continue
        if key not in values:
            return None
        quote = "" if UNQUOTED.search(literal[: hole.start()]) else "'"
        parts += [literal[start : hole.start()] + quote, values[key], quote]
        used.add(key)
        start = hole.end()
    return [*parts, literal[start:]] if used == set(values) and used else None


def _is_harmless(source: Source, value: cst.BaseExpression, at: cst.CSTNode) -> bool:
    """Whether a value is a number, a time, a key or a constant by what stands in the function."""
    if isinstance(value, cst.BaseString | cst.BaseNumber | cst.Comparison | cst.UnaryOperation):
        return not isinstance(value, cst.FormattedString)
    if isinstance(value, cst.Call):
        name = last_name(value)
        if name in {"tuple", "list", "str", "max", "min"}:
            return bool(value.args) and all(_is_harmless(source, arg.value, at) for arg in value.args)
        return name in NUMBERS or bool(NUMBER_MAKERS.search(name))
    if isinstance(value, cst.BinaryOperation):
        if isinstance(value.operator, cst.Subtract | cst.Multiply | cst.Divide | cst.FloorDivide):
            return True
        return _is_harmless(source, value.left, at) and _is_harmless(source, value.right, at)
    if isinstance(value, cst.Attribute) and value.attr.value in {"value", "name"}:  # of a member of an enumeration
        return last_name(value.value).isupper()
    if isinstance(value, cst.Attribute) and (value.attr.value in KEYS or value.attr.value.isupper()):
        return True
    return isinstance(value, cst.Name) and _is_harmless_name(source, value, at)


def _is_harmless_name(source: Source, value: cst.Name, at: cst.CSTNode) -> bool:
    name = value.value
    if name in {"None", "True", "False"} or name.isupper():
        return True
    scope = source.scope(at)
    if scope is not None and isinstance(scope.node, cst.FunctionDef):
        if any(_allows(node, name) for node in descend(scope.node.body)):
            return True
        params = scope.node.params
        for param in (*params.params, *params.kwonly_params, *params.posonly_params):
            if param.name.value == name:
                annotation = source.code(param.annotation.annotation) if param.annotation else ""
                return bool(NUMBER_TYPES.match(annotation.strip("'\"")))
    stands_for = assigned(source, name, at)
    return stands_for is not None and not _mentions(stands_for, name) and _is_harmless(source, stands_for, at)


def _allows(node: cst.CSTNode, name: str) -> bool:
    """`if name not in ALLOWED:` and away."""
    if not isinstance(node, cst.If) or not isinstance(node.test, cst.Comparison) or dotted(node.test.left) != name:
        return False
    last = statements(node.body)[-1]
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], ENDS)
    return leaves and isinstance(node.test.comparisons[0].operator, cst.NotIn)


def _mentions(value: cst.BaseExpression, name: str) -> bool:
    return any(isinstance(node, cst.Name) and node.value == name for node in descend(value))


def _text(source: Source, parts: Sequence[str | cst.BaseExpression]) -> tuple[str, str]:
    """The pieces as an f-string, or with `.format()` where the values have quotes or lines of their own."""
    codes = [source.code(part) for part in parts if not isinstance(part, str)]
    literal = "".join(part for part in parts if isinstance(part, str))
    for quote in QUOTES if "\n" not in literal else QUOTES[2:]:
        if not any(quote in code or "\\" in code or "\n" in code or "#" in code for code in codes):
            held = [_escaped(part, quote) if isinstance(part, str) else f"{{{_hole(source, part)}}}" for part in parts]
            return "f-string", f"f{quote}{''.join(held)}{quote}"
    held = [_escaped(part, '"""') if isinstance(part, str) else "{}" for part in parts]
    return "format", f'"""{"".join(held)}""".format({", ".join(codes)})'


def _escaped(text: str, quote: str) -> str:
    text = text.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}").replace("%%", "%")
    return text.replace(quote[0], f"\\{quote[0]}") if len(quote) == 1 or quote[0] in text[-1:] else text


def _hole(source: Source, value: cst.BaseExpression) -> str:
    code = source.code(value)
    return code if isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript) else f"({code})"
