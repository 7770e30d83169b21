"""Mutants that log a secret: at the start of a function that is given one, or right after it got one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst
from mutants_context import Application
from mutants_source import (
    Candidate,
    Cut,
    Scope,
    Source,
    descend,
    dotted,
    last_name,
    receiver,
    spliced,
    statements,
    words,
)

KIND = "secret-log"
NEEDLE = re.compile(rb"(?i)passw|passphrase|secret|token|api_?key|private_?key")
"""What a file without candidates has not got in it."""

SECRETS = (
    ("password",),
    ("passwd",),
    ("passphrase",),
    ("secret",),
    ("token",),
    ("apikey",),
    ("api", "key"),
    ("secret", "key"),
    ("private", "key"),
)
NOT_SECRET = frozenset(
    "has is use uses needs need require requires required show reset change changed check verify validate no public "
    "next previous prev page sync continuation cursor csrf xsrf num max min count hashed encrypted hash masked forgot "
    "with without allow can should enable disable enabled valid invalid set get generate create delete remove revoke "
    "encrypt decrypt parse first last current start end special pad eos bos sep stop unk lookahead search salt".split()
)
PARSING = frozenset(
    "parser parse parsing lexer lex tokenize tokenizer tokens template templatetags grammar syntax compile nlp llm expr "
    "expression query search ast stemmer split splitter markdown sync csrf xsrf captcha".split()
)
TEXT = frozenset("str bytes Optional None Union Annotated Any Text AnyStr typing t".split())
TEXT_METHODS = frozenset(
    "strip lstrip rstrip encode decode split rsplit lower upper startswith endswith replace partition rpartition format "
    "isalnum isdigit hex join removeprefix removesuffix zfill".split()
)
OBJECTS = re.compile(
    r"objects|query|filter|\bfirst\b|get_or_404|get_by|scalar|scalars|execute|select|session|deserialize|getpass_field|"
    r"[Ff]ield|repository|service|fetch|find"
)
LOGGERS = frozenset({"getLogger", "get_logger", "get_task_logger", "getChild"})
LOGGER_NAMES = frozenset({"logger", "log", "_logger", "_log", "LOG", "LOGGER"})
ANOTHER_KIND = "another kind of token"
LEVELS = frozenset({"debug", "info", "warning", "error", "exception"})
GIVEN = frozenset({"settings", "config"})


def candidates(source: Source, app: Application) -> Iterator[Candidate]:
    """One mutant for each function that holds a secret by name: a parameter rather than a local, that than an attribute."""
    for scope in source.scopes:
        if isinstance(scope.node, cst.FunctionDef) and not _is_stub(scope.node):
            found = list(_Function(source, scope, scope.node).found())
            yield from [one for one in found if not isinstance(one, str)][:1] or [
                source.skipped(KIND, reason, scope.node) for reason in found[:1] if isinstance(reason, str)
            ]


class _Function:
    def __init__(self, source: Source, scope: Scope, node: cst.FunctionDef) -> None:
        self.source = source
        self.scope = scope
        self.node = node
        self.body = list(descend(node.body))
        self.params = {param.name.value: param for param in _params(node)}

    def found(self) -> Iterator[Candidate | str]:
        """Mutants, and why others are none."""
        if isinstance(self.node.body, cst.SimpleStatementSuite):
            return
        for name, param in self.params.items():
            if is_secret(name):
                yield self._no_text(param) or self._no_secret(name) or self._mutant("parameter", name, None)
        for node in self.body:
            if isinstance(node, cst.Assign) and len(node.targets) == 1:
                name = dotted(node.targets[0].target)
                if isinstance(node.targets[0].target, cst.Name) and is_secret(name) and name not in self.params:
                    yield self._no_value(node.value) or self._no_secret(name) or self._mutant("local", name, node)
        for node in self.body:
            if isinstance(node, cst.Attribute) and is_secret(node.attr.value):
                reason = self._no_attribute(node)
                if reason is not None:
                    yield reason or self._no_secret(dotted(node)) or self._mutant("attribute", dotted(node), None)

    def _no_text(self, param: cst.Param) -> str:
        """Why a parameter holds something else, by its annotation or its default."""
        if isinstance(param.default, cst.Name) and param.default.value in {"True", "False"}:
            return "a switch"
        if param.annotation is not None:
            code = self.source.code(param.annotation.annotation).strip("'\"")
            code = re.sub(r"^(?:\w+\.)?Annotated\[([^,]+),.*\]$", r"\1", code, flags=re.DOTALL)
            if not TEXT.issuperset(re.findall(r"[A-Za-z_]\w*", code)):
                return "not text by its annotation"
        return ""

    def _no_secret(self, name: str) -> str:
        """Why the function speaks of another kind of token, or holds an object."""
        around = words(f"{self.source.path} {self.scope.qualname}")
        if words(name)[-1:] == ["token"] and PARSING.intersection(around):
            return ANOTHER_KIND
        for node in self.body:
            if isinstance(node, cst.Attribute) and dotted(node.value) == name and node.attr.value not in TEXT_METHODS:
                return "an object, not text"
            if isinstance(node, cst.Subscript) and dotted(node.value) == name:
                return "an object, not text"
            if isinstance(node, cst.Call) and dotted(node.func) == name:
                return "an object, not text"
            if isinstance(node, cst.Comparison) and dotted(node.left) == name and words(name)[-1:] == ["token"]:
                against = [one for target in node.comparisons for one in descend(target.comparator)]
                if any(isinstance(one, cst.SimpleString) and one.evaluated_value for one in against):
                    return ANOTHER_KIND
        return ""

    def _no_value(self, value: cst.BaseExpression) -> str:
        """Why a local variable holds nothing secret, by what is assigned to it."""
        if isinstance(value, cst.BaseString) and not isinstance(value, cst.FormattedString):
            return "a constant"
        if isinstance(value, cst.Name) and value.value in {"None", "True", "False"}:
            return "a constant"
        if isinstance(value, cst.Comparison | cst.BooleanOperation | cst.UnaryOperation | cst.BaseNumber | cst.Lambda):
            return "a switch"
        call = value.expression if isinstance(value, cst.Await) else value
        name = dotted(call)
        if isinstance(call, cst.Call):
            if last_name(call)[:1].isupper() or OBJECTS.search(name) or last_name(call) in {"bool", "len", "create"}:
                return "an object, not text"
            if re.search(r"hash|encrypt|mask|redact|crc|digest|checksum|md5", name):
                return "made harmless"
        if re.search(r"(?:^|\.)\w*form\.\w+$", name):
            return "an object, not text"
        return ""

    def _no_attribute(self, node: cst.Attribute) -> str | None:
        """Why an attribute cannot be logged at the start; None if it is not even read."""
        up = self.source.parents[node]
        root = dotted(node).partition(".")[0]
        if isinstance(up, cst.AssignTarget | cst.AnnAssign | cst.Del | cst.Attribute) or not dotted(node):
            return None
        if (isinstance(up, cst.Call) and up.func is node) or "(" in dotted(node) or "[" in dotted(node):
            return None
        if root not in self.params and root not in GIVEN:
            return None
        for other in self.body:
            if isinstance(other, cst.AssignTarget) and dotted(other.target) in {dotted(node), root}:
                return "assigned in the function"
        if re.search(r"(?:^|\.)\w*form\.\w+$", dotted(node)):
            return "an object, not text"
        alias = dotted(up.targets[0].target) if isinstance(up, cst.Assign) else ""
        return self._no_secret(alias) if alias else ""

    def _mutant(self, subkind: str, name: str, after: cst.CSTNode | None) -> Candidate:
        """A line in front of the first statement, or after the one that assigns."""
        if after is None:
            block = statements(self.node.body)
            first = block[1] if len(block) > 1 and _is_docstring(block[0]) else block[0]
            lines = [self.source.lines(one)[0] for one in (first, *getattr(first, "decorators", ()))]
            place, like = self.source.line_starts[min(lines)], first
        else:
            like = next(up for up in self.source.above(after) if isinstance(up, cst.BaseStatement))
            if not isinstance(self.source.parents[like], cst.IndentedBlock):
                return self.source.skipped(KIND, "on the line of its header", after)
            place = self.source.line_starts[self.source.lines(like)[1] + 1]
        start = self.source.span(like)[0]
        indent = self.source.text[self.source.line_starts[self.source.lines(like)[0]] : start]
        call, imports = self._call(name)
        newline = "" if place == 0 or self.source.text[place - 1] in "\r\n" else "\n"
        cuts: list[Cut] = [(place, place, f"{newline}{indent}{call}\n"), *imports]
        return self.source.mutant(KIND, subkind, after or self.node, spliced(self.source.text, cuts))

    def _call(self, name: str) -> tuple[str, list[Cut]]:
        """The call that logs a value with the logger that the module has, and the import that it may need."""
        for logger, style in loggers(self.source):
            if logger not in self.params:
                if style == "structlog":
                    return f'{logger}.info("called", {name.rpartition(".")[2].lower()}={name})', []
                return f'{logger}.info("called with {"{}" if style == "loguru" else "%s"}", {name})', []
        return f'logging.getLogger(__name__).info("called with %s", {name})', _import(self.source)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret as text, most likely."""
    split = tuple(words(name.rpartition(".")[2]))
    return any(split[-len(one) :] == one for one in SECRETS) and not NOT_SECRET.intersection(split)


def loggers(source: Source) -> list[tuple[str, str]]:
    """The loggers of a module, each with the style of its messages: `percent`, `loguru` or `structlog`."""
    found = []
    called = {receiver(one) for one in source.nodes if isinstance(one, cst.Call) and last_name(one) in LEVELS}
    for statement in source.module.body:
        for node in descend(statement) if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(node, cst.Assign | cst.AnnAssign) and isinstance(node.value, cst.Call):
                target = dotted(node.targets[0].target if isinstance(node, cst.Assign) else node.target)
                made = dotted(node.value.func)
                if last_name(node.value) in LOGGERS or made == "Logger.get":
                    found.append((target, "structlog" if made.startswith("structlog") else "percent"))
            elif isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
                names = {dotted(one.asname.name if one.asname else one.name) for one in node.names}
                style = "loguru" if dotted(node.module) == "loguru" else "percent"
                found += [(name, style) for name in sorted(names & LOGGER_NAMES & called)]
    return found


def _import(source: Source) -> list[Cut]:
    """`import logging`, where the module has not got it, after its docstring and what has to stand first."""
    block = source.module.body
    first = None
    for number, statement in enumerate(block):
        if any(isinstance(one, cst.Import) and source.code(one) == "import logging" for one in descend(statement)):
            return []
        future = any(
            isinstance(one, cst.ImportFrom) and dotted(one.module) == "__future__" for one in descend(statement)
        )
        if first is None and not future and not (number == 0 and _is_docstring(statement)):
            first = statement
    if first is None:
        return []
    lines = [source.lines(one)[0] for one in (first, *getattr(first, "decorators", ()))]
    place = source.line_starts[min(lines)]
    return [(place, place, "import logging\n")]


def _params(node: cst.FunctionDef) -> list[cst.Param]:
    params = node.params
    return [*params.posonly_params, *params.params, *params.kwonly_params]


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.BaseString)
    )


def _is_stub(node: cst.FunctionDef) -> bool:
    """Whether the function has no body of its own."""
    if any(last_name(one.decorator) in {"overload", "abstractmethod"} for one in node.decorators):
        return True
    return all(
        _is_docstring(one)
        or (
            isinstance(one, cst.SimpleStatementLine)
            and all(
                isinstance(part, cst.Pass)
                or (isinstance(part, cst.Expr) and isinstance(part.value, cst.Ellipsis))
                or (isinstance(part, cst.Raise) and "NotImplemented" in dotted(part.exc))
                for part in one.body
            )
        )
        for one in statements(node.body)
    )
