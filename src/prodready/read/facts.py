"""What reading one file yields: plain data for the link step, small enough to cache and to send between processes."""

from __future__ import annotations

import msgspec

from prodready.read.values import Attr, Call, Item, Named, Ref, Value, bare
from prodready.suppress import Suppressions


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Where something stands: 1-based lines and character columns, and the lines of its whole statement."""

    line: int
    column: int
    end_line: int
    end_column: int
    first: int
    last: int


class CallFact(msgspec.Struct, frozen=True, array_like=True):
    """A call as it happens in a function. `name` is the last name of the callee."""

    name: str
    value: Call
    span: Span


class BuiltText(msgspec.Struct, frozen=True, array_like=True):
    """Text with holes that a statement builds, so that text which is never run can be judged too."""

    value: Value
    span: Span


class ParamFact(msgspec.Struct, frozen=True, array_like=True):
    """A parameter. `kind` is "" (by position or name), "*", "**" or "=" (by name only)."""

    name: str
    kind: str
    annotation: Value | None
    default: Value | None


class FunctionFacts(msgspec.Struct, frozen=True, array_like=True):
    """A function as a summary in terms of its own parameters.

    `ensures` are the parameters that a normal return proves to be allowed; `owner` is the class it is a method of.
    """

    qualname: str
    line: int
    owner: str
    params: tuple[ParamFact, ...]
    decorators: tuple[Value, ...]
    calls: tuple[CallFact, ...]
    texts: tuple[BuiltText, ...]
    returns: Value | None
    yields: Value | None
    result: Value | None
    ensures: tuple[str, ...]


class ClassFacts(msgspec.Struct, frozen=True, array_like=True):
    """A class: bases, what its body binds, and what its methods bind on `self` (with the method that does)."""

    qualname: str
    line: int
    bases: tuple[Value, ...]
    decorators: tuple[Value, ...]
    attributes: dict[str, Value]
    annotations: dict[str, Value]
    own: dict[str, tuple[tuple[str, Value], ...]]
    methods: tuple[str, ...]


class FileFacts(msgspec.Struct, frozen=True, array_like=True):
    """All of one file. Module code is the function `<module>`; `imports` maps a name to what it stands for."""

    lines: int
    imports: dict[str, str]
    stars: tuple[str, ...]
    values: dict[str, Value]
    functions: dict[str, FunctionFacts]
    classes: dict[str, ClassFacts]
    suppressions: Suppressions


class Outline(msgspec.Struct, frozen=True, array_like=True):
    """The little of a file that is needed to find out whether the rest is: what it defines and which names it calls."""

    defines: tuple[str, ...]
    calls: tuple[str, ...]
    lines: int
    bases: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    suppresses: bool = False


def outline(facts: FileFacts) -> Outline:
    """The outline of a file's facts."""
    called = {fact.name for function in facts.functions.values() for fact in function.calls}
    decorated = {name for f in facts.functions.values() for d in f.decorators if (name := last_name(d))}
    return Outline(
        defines=tuple(facts.functions) + tuple(facts.classes),
        calls=tuple(sorted(called | decorated)),
        lines=facts.lines,
        bases=tuple(sorted({last_name(base) for cls in facts.classes.values() for base in cls.bases})),
        aliases=tuple(sorted({last_name(x) for x in facts.values.values() if isinstance(bare(x), (Attr, Ref, Call))})),
        renamed=tuple(
            (last, name) for name, target in facts.imports.items() if (last := target.rpartition(".")[2]) != name
        ),
        suppresses=bool(facts.suppressions),
    )


def last_name(value: Value) -> str:
    """The last name of a callee, a decorator or a base class: `execute` of `self.db.execute`, `List` of `List[int]`."""
    if isinstance(value, Call):
        value = value.target
    while isinstance(value, (Named, Item)):
        value = value.value if isinstance(value, Named) else value.base
    if isinstance(value, Attr):
        return value.name
    if isinstance(value, Ref):
        return value.name.rpartition(".")[2].lstrip(":")
    return ""
