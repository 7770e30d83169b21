"""Mutants that store a password as it is: the call that hashes it is replaced by what it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst
from mutants_context import Application
from mutants_source import Candidate, Source, descend, dotted, keywords, last_name, positional, receiver, spliced, words
from mutants_writes import assigned

KIND = "hashing"
NEEDLE = re.compile(rb"(?i)hash|password\(|crypt")
"""What a file without candidates has not got in it."""

HASHES = frozenset({"make_password", "generate_password_hash", "hashpw", "hash_password", "get_password_hash"})
HELPER = re.compile(
    r"^_?(?:get_|make_|generate_|create_|compute_|do_)?"
    r"(?:hash(?:ed)?_?(?:password|passwd|passphrase|pw|pwd)|(?:password|passwd|pw|pwd)_?hash(?:ed)?|"
    r"encrypt_password|encode_password|crypt_password)$",
    re.IGNORECASE,
)
HASHERS = re.compile(
    r"(?:^|[._])(?:\w*hasher|ph|pwd_context|crypt_context|\w*argon2?\w*|\w*bcrypt\w*|pbkdf2\w*|pwd)(?:\(\))?$", re.I
)
PASSWORD = frozenset("password passwords passwd passphrase passcode pwd pw pass plaintext plain".split())
RANDOM = re.compile(r"uuid|token|random|urandom|secrets\.|generate|unusable", re.IGNORECASE)
VERIFY = re.compile(r"verif|check|compare|authenticat|matches|validate_password", re.IGNORECASE)
DIGESTS = frozenset({"compare_digest", "safe_str_cmp", "constant_time_compare", "eq"})
PRINTS = frozenset({"print", "echo", "write", "secho", "writeln"})
NOT_PASSWORD = "not the hash of a password"


def candidates(source: Source, app: Application) -> Iterator[Candidate]:
    """Each call that hashes a password to store it or return it."""
    for node in source.nodes:
        if isinstance(node, cst.Call):
            if last_name(node) == "set_password":
                found = _setter(source, app, node)
            elif _hashes(node):
                found = _hash(source, node)
            else:
                found = None
            if found is not None:
                yield found


def _hashes(call: cst.Call) -> bool:
    name, on = last_name(call), receiver(call)
    if name == "hash":
        return bool(HASHERS.search(on))
    return name in HASHES or bool(HELPER.match(name))


def _hash(source: Source, call: cst.Call) -> Candidate | None:
    given = _given(call)
    if given is None:
        return None
    reason = _harmless(source, call, given)
    if reason:
        return source.skipped(KIND, reason, call)
    target: cst.CSTNode = call
    parent = source.parents[call]
    if isinstance(parent, cst.Await):
        target, parent = parent, source.parents[parent]
    # `hashpw(x.encode(), salt).decode()`: both go.
    above = source.parents.get(parent)
    if isinstance(parent, cst.Attribute) and parent.attr.value == "decode" and isinstance(above, cst.Call):
        if isinstance(given, cst.Call) and last_name(given) == "encode" and isinstance(given.func, cst.Attribute):
            target, given = above, given.func.value
    scope = source.scope(call)
    helper = scope is not None and (_is_helper(scope.node.name.value) or scope.node.name.value == "set_password")
    text = spliced(source.text, [(*source.span(target), _code(source, given))])
    return source.mutant(KIND, "in a helper" if helper else "at the store", call, text)


def _setter(source: Source, app: Application, call: cst.Call) -> Candidate | None:
    """`user.set_password(x)` becomes `user.password = x`, whatever the attribute is called in this application."""
    given, on = _given(call), receiver(call)
    statement = next((up for up in source.above(call) if isinstance(up, cst.SimpleStatementLine)), None)
    if given is None or not isinstance(call.func, cst.Attribute) or on == "super()" or statement is None:
        return None
    if len(statement.body) != 1 or not isinstance(statement.body[0], cst.Expr):
        return source.skipped(KIND, "the call is no statement", call)
    if statement.body[0].value is not call and not isinstance(statement.body[0].value, cst.Await):
        return source.skipped(KIND, "the call is no statement", call)
    reason = _harmless(source, call, given)
    if reason:
        return source.skipped(KIND, reason, call)
    store = f"{source.code(call.func.value)}.{_stored_as(app)} = {_code(source, given)}"
    text = spliced(source.text, [(*source.span(statement.body[0]), store)])
    return source.mutant(KIND, "set_password", call, text)


def _stored_as(app: Application) -> str:
    """The attribute that the application's own `set_password` puts the hash into."""
    for path, order in app.definitions("set_password"):
        source = app.source(path)
        for node in descend(source.scopes[order].node.body) if source is not None else ():
            if isinstance(node, cst.Assign):
                name = dotted(node.targets[0].target)
                if re.match(r"self\.\w*(?:password|hash|passwd|pw)\w*$", name):
                    return name.removeprefix("self.")
    return "password"


def _given(call: cst.Call) -> cst.BaseExpression | None:
    args = positional(call)
    if args:
        return args[0]
    return next((value for key, value in keywords(call).items() if PASSWORD.intersection(words(key))), None)


def _harmless(source: Source, call: cst.Call, given: cst.BaseExpression) -> str:
    """Why nobody's password is stored if this is not hashed."""
    scope = source.scope(call)
    function = scope.node.name.value if scope else ""
    if VERIFY.search(function) or any(isinstance(up, cst.Comparison) for up in source.within(call)):
        return "compared, not stored"
    if any(isinstance(up, cst.Call) and last_name(up) in DIGESTS for up in source.within(call)):
        return "compared, not stored"
    if any(isinstance(up, cst.Call) and last_name(up) in PRINTS for up in source.within(call)):
        return "shown, not stored"
    held = _held_in(source, call)
    if held and scope is not None and _compared(scope.node, held):
        return "compared, not stored"
    if isinstance(given, cst.BaseString | cst.BaseNumber) or dotted(given) == "None":
        return "a constant"
    value = assigned(source, given.value, call) if isinstance(given, cst.Name) else None
    if isinstance(value, cst.BaseString) or dotted(given).rpartition(".")[2].isupper():
        return "a constant"
    if any(RANDOM.search(dotted(one)) for one in descend(given) if isinstance(one, cst.Call)):
        return "a random value"
    if last_name(call) in {"hash", "hashpw"} and not _speaks_of_password(source, call, given):
        return NOT_PASSWORD
    return ""


def _speaks_of_password(source: Source, call: cst.Call, given: cst.BaseExpression) -> bool:
    """Whether the argument, what the hash is put into, or the function is named after a password."""
    scope = source.scope(call)
    names = [source.code(given), scope.qualname if scope else ""]
    for up in source.within(call):
        if isinstance(up, cst.Assign | cst.AnnAssign | cst.Arg | cst.DictElement):
            names.append(source.code(up))
            break
    return any(PASSWORD.intersection(words(name)) for name in names)


def _held_in(source: Source, call: cst.Call) -> str:
    """The local name that the hash is assigned to."""
    for up in source.above(call):
        if isinstance(up, cst.Assign) and isinstance(up.targets[0].target, cst.Name):
            return up.targets[0].target.value
        if isinstance(up, cst.BaseStatement):
            break
    return ""


def _compared(function: cst.CSTNode, name: str) -> bool:
    return any(
        isinstance(inner, cst.Name) and inner.value == name
        for node in descend(function)
        if isinstance(node, cst.Comparison) or (isinstance(node, cst.Call) and last_name(node) in DIGESTS)
        for inner in descend(node)
    )


def _is_helper(name: str) -> bool:
    return name in HASHES or bool(HELPER.match(name))


def _code(source: Source, given: cst.BaseExpression) -> str:
    code = source.code(given)
    plain = isinstance(given, cst.Name | cst.Attribute | cst.Call | cst.Subscript) and "\n" not in code
    return code if plain or code.startswith("(") else f"({code})"
