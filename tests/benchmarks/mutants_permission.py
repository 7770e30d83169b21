"""Mutants whose route no longer asks who may do something while a page does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst
from mutants_context import Application
from mutants_source import Candidate, Scoping, Source, descend, dotted, last_name, spliced, words
from pages import gated

KIND = "permission"
NEEDLE = re.compile(rb"(?i)permission|admin|staff|superuser|role|forbidden|403|user_passes_test|owner|access|manager")
"""What a file without candidates has not got in it."""

ASKING = frozenset(
    "permission permissions perm perms admin staff superuser role roles owner manager moderator editor maintainer "
    "privilege privileges privileged passes can access allowed".split()
)
DOING = frozenset("add assign clear create delete enter exit grant log remove revoke save set update".split())
"""With which the name of a call begins that does what the handler is for."""

NO_GUARD = frozenset("authenticated login allow any open csrf optional register template inclusion tag".split())
LOGIN = re.compile(r"[\w.]*\bIsAuthenticated\b")
LISTS = frozenset({"permission_classes", "decorators", "method_decorators", "dependencies"})
FORBIDDEN = re.compile(r"403|FORBIDDEN|Forbidden|PermissionDenied|NotPermitted|NotAllowed|Unauthorized|AccessDenied")
NOBODY = re.compile(r"is_anonymous|is_authenticated|user is None|not user\b")
ROUTING = frozenset({"route", "get", "post", "put", "patch", "delete", "api_route", "websocket", "errorhandler"})
CHANGING = frozenset({"post", "put", "patch", "delete", "create", "update", "partial_update", "destroy"})
VERB = re.compile(
    r"""\.(?:post|put|patch|delete)\($|methods\s*=\s*[\[(][^\])]*["'](?:POST|PUT|PATCH|DELETE)""", re.IGNORECASE
)

WRITES = re.compile(
    r"""request\.POST|method\s*==\s*["']POST|\.(?:save|delete|delete_instance|create|bulk_create)\(|\.commit\("""
)
"""What a handler has got in it that changes something, although nothing says which methods it answers."""


def candidates(source: Source, app: Application) -> Iterator[Candidate]:
    """Each handler that changes something and whose address, or name, stands behind a gate of a page.

    All its checks that can be seen go at once: with one of them left nothing would be lost.
    """
    for scope in source.scopes:
        node = scope.node
        cuts = list(_checks(source, node)) if _handles(source, node) else []
        if not cuts:
            continue
        if not (_changes(source, node) or WRITES.search(source.code(node))):
            yield source.skipped(KIND, "it only reads, by its methods", node)
        elif _hands_on(source, node):
            yield source.skipped(KIND, "the handler that it hands on to asks as well", node)
        elif not gated(app, source, node):
            yield source.skipped(KIND, "no page with a gate near its address", node)
        else:
            subkind, at, _ = cuts[0]
            taken = {cut for _, _, cut in cuts} | set(_wrapped_later(source, node))
            yield source.mutant(KIND, subkind, at, spliced(source.text, taken))


Found = tuple[str, cst.CSTNode, tuple[int, int, str]]


def _checks(source: Source, node: Scoping) -> Iterator[Found]:
    for decorator in node.decorators:
        called = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
        if _asks(dotted(called)) and last_name(called) not in ROUTING:  # `@admin.route(...)` is none
            yield "decorator", decorator, _line(source, decorator)
    if isinstance(node, cst.ClassDef):
        for statement in node.body.body:
            one = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            if isinstance(one, cst.Assign) and dotted(one.targets[0].target) in LISTS:
                value = source.code(one.value)
                names = re.findall(r"\w+", re.sub(r"\w+\.", "", value))  # `permissions.IsAuthenticated` asks for none
                if isinstance(one.value, (cst.List, cst.Tuple)) and any(map(_asks, names)):
                    kept = LOGIN.search(value)
                    # Without one that asks for a login, what the classes above it and the settings ask for is left.
                    yield (
                        "class",
                        node,
                        (*source.span(one), f"{dotted(one.targets[0].target)} = [{kept[0]}]" if kept else "pass"),
                    )
        return
    for inner in descend(node.body):
        named = last_name(inner.value) if isinstance(inner, cst.Expr) and isinstance(inner.value, cst.Call) else ""
        if _asks(named) and named != node.name.value and words(named)[0] not in DOING:
            yield "helper", inner, (*source.span(inner), "pass")
        if isinstance(inner, cst.If) and inner.orelse is None and _turns_away(source, inner):
            start, end = source.span(inner.test)
            yield "inline", inner, (start, end, "False")
    for decorator in node.decorators:
        for arg in decorator.decorator.args if isinstance(decorator.decorator, cst.Call) else ():
            if arg.keyword is not None and arg.keyword.value == "dependencies" and _asks(source.code(arg.value)):
                yield "dependency", decorator, (*source.span(arg.value), "[]")
    for param in (*node.params.params, *node.params.kwonly_params):
        given = source.code(param.default) if param.default is not None else ""
        used = re.search(rf"\b{param.name.value}\b", source.code(node.body))
        if "Depends(" in given and _asks(given) and not used:
            yield "dependency", param, (*source.span(param.default), "None")  # type: ignore[arg-type]


def _hands_on(source: Source, node: Scoping) -> bool:
    """Whether all that a handler does is to return what another one gives that is decorated to ask."""
    if not isinstance(node, cst.FunctionDef):
        return False
    lines = node.body.body[1 if node.get_docstring() is not None else 0 :]
    only = lines[0].body[0] if len(lines) == 1 and isinstance(lines[0], cst.SimpleStatementLine) else None
    call = only.value if isinstance(only, cst.Return) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name):
        return False
    name = call.func.value
    named = (one.node for one in source.scopes if isinstance(one.node, cst.FunctionDef) and one.node.name.value == name)
    return any(found[0] == "decorator" for one in named for found in _checks(source, one))


def _wrapped_later(source: Source, node: Scoping) -> Iterator[tuple[int, int, str]]:
    """`remove = staff_required(remove)` below a function."""
    name = node.name.value
    for found in re.finditer(rf"^{name} = ([\w.]+)\({name}\)$", source.text, re.MULTILINE):
        if _asks(found[1]):
            yield found.start(), found.end(), ""


def _line(source: Source, decorator: cst.Decorator) -> tuple[int, int, str]:
    start, end = source.span(decorator)
    line = source.text.rfind("\n", 0, start) + 1
    return line, source.text.find("\n", end) + 1, ""


def _asks(name: str) -> bool:
    found = {word for part in re.findall(r"\w+", name) for word in words(part)}
    return bool(found & ASKING) and not found & NO_GUARD - {"allow"}


def _turns_away(source: Source, test: cst.If) -> bool:
    """Whether somebody is turned away for what they may not do, and nothing else happens."""
    if len(getattr(test.body, "body", ())) > 2 or not FORBIDDEN.search(source.code(test.body)):
        return False
    condition = source.code(test.test)
    return _asks(condition) and not NOBODY.search(condition) and "user" in source.code(test)


def _handles(source: Source, node: Scoping) -> bool:
    if isinstance(node, cst.ClassDef):
        return bool(re.search(r"View|ViewSet|Resource|Endpoint|Handler|API", node.name.value)) or any(
            re.search(r"View|Resource|Endpoint", source.code(base.value)) for base in node.bases
        )
    owner = next((up for up in source.above(node) if isinstance(up, cst.ClassDef)), None)
    if owner is not None:
        return _handles(source, owner)
    first = node.params.params[0].name.value if node.params.params else ""
    return first == "request" or any(
        isinstance(d.decorator, cst.Call) and last_name(d.decorator) in {*CHANGING, "route", "get", "api_route"}
        for d in node.decorators
    )


def _changes(source: Source, node: Scoping) -> bool:
    if isinstance(node, cst.ClassDef):
        names = {one.name.value for one in node.body.body if isinstance(one, cst.FunctionDef)}
        return bool(names & CHANGING) or "ModelViewSet" in source.code(node)[:300]
    if node.name.value in CHANGING:
        return True
    head = [source.code(d.decorator) for d in node.decorators]
    return any(VERB.search(text[: text.find("(") + 1]) or VERB.search(text) for text in head) or "require_POST" in str(
        head
    )
