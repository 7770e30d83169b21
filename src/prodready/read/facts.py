"""What reading one file yields: plain data for the link step, small enough to cache and to send between processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from prodready.read.search_path import search_path
from prodready.read.values import (
    Attr,
    Call,
    Const,
    Free,
    Given,
    Item,
    Named,
    Param,
    Ref,
    Unknown,
    Value,
    bare,
    children,
)
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


class Flow(msgspec.Struct, frozen=True, array_like=True):
    """A compound statement of a function: what happens in each of its arms, in order.

    `kind` is `with` (`values` are what is entered), `loop` or `while` (arms: body, else), `branch` (one arm for each way
    through, an empty one for passing by; `values` are what is compared with which constant, where it is as simple as that,
    `given` is for each arm what has turned out about parameters)
    or `try` (arms: body, else, finally, then one for each handler; `values` are what the handlers catch, `spans` where they
    stand). A step is the position of a call among the function's calls, one of the negative numbers below, or another
    compound statement.
    """

    kind: str
    arms: tuple[tuple[int | Flow, ...], ...]
    values: tuple[Value, ...] = ()
    spans: tuple[Span, ...] = ()
    given: tuple[Given, ...] = ()


RETURN, RAISE, BREAK, CONTINUE, YIELD = -1, -2, -3, -4, -5
"""Steps that are no calls."""

COUNTING = frozenset({"update", "aupdate"})
"""Methods that change rows and give how many."""

BIND = -6
"""The kind of a decision that chooses a list."""


def calls_in(steps: Iterable[int | Flow]) -> Iterator[int]:
    """The positions of all calls in these steps, in the order of the text."""
    for step in steps:
        if isinstance(step, Flow):
            for arm in step.arms:
                yield from calls_in(arm)
        elif step >= 0:
            yield step


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


class Exit(msgspec.Struct, frozen=True, array_like=True):
    """Where a path leaves a function on a condition, or raises: what it returns or raises, and what has turned out by then.

    `kind` is RETURN or RAISE. A condition is a value and whether it was true; the last `inner` of them are those of the
    innermost test, which stands at `tested` (line and column). Arguments of `value` that are large are cut.
    """

    kind: int
    value: Value
    conditions: tuple[tuple[Value, bool], ...]
    inner: int
    line: int
    column: int
    tested: tuple[int, int] = (0, 0)


class FunctionFacts(msgspec.Struct, frozen=True, array_like=True):
    """A function as a summary in terms of its own parameters.

    `ensures` are the parameters that a normal return proves to be allowed; `owner` is the class it is a method of. `flow`
    is the order in which its calls happen. Assignments to attributes and elements and comparisons stand among the calls as
    what they amount to: `setattr`, `operator.setitem`, `operator.eq`. `exits` are the ways out that hang on a condition.
    `decisions` are of methods that compare an attribute (`view.action == "list"`): each way to what is returned, or to a
    list that is bound (`kind` BIND, its `value` a Named), with all that holds there; no ways that return what is false.
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
    flow: tuple[int | Flow, ...] = ()
    exits: tuple[Exit, ...] = ()
    decisions: tuple[Exit, ...] = ()


class ClassFacts(msgspec.Struct, frozen=True, array_like=True):
    """A class: bases, what its body binds, and what its methods bind on `self` (with the method that does).

    `annotations` stand in its body, `declared` where a method binds the attribute, `keywords` among the bases.
    `numbers` tells the line and the column of each constant number that the body binds.
    """

    qualname: str
    line: int
    bases: tuple[Value, ...]
    decorators: tuple[Value, ...]
    attributes: dict[str, Value]
    annotations: dict[str, Value]
    declared: dict[str, Value]
    own: dict[str, tuple[tuple[str, Value], ...]]
    methods: tuple[str, ...]
    keywords: tuple[tuple[str, Value], ...] = ()
    numbers: dict[str, tuple[int, int]] = {}


class FileFacts(msgspec.Struct, frozen=True, array_like=True):
    """All of one file. Module code is the function `<module>`; `imports` maps a name to what it stands for.

    `called` are the names that each function calls; `docs` how the docstrings of functions with decorators and of classes
    with bases begin. `hidden` is where something that may be a secret was hidden before the text was read, see `masking.py`.
    `decorators` are the last names of those of each function that has any, with `()` behind one that is called, `deciding`
    the functions with a way out that hangs on a test: who asks for such functions need not decode the others.
    """

    lines: int
    imports: dict[str, str]
    stars: tuple[str, ...]
    values: dict[str, Value]
    functions: Mapping[str, FunctionFacts]
    classes: dict[str, ClassFacts]
    suppressions: Suppressions
    called: dict[str, tuple[str, ...]]
    docs: dict[str, str] = {}
    hidden: tuple[tuple[int, int], ...] = ()
    decorators: dict[str, tuple[str, ...]] = {}
    deciding: tuple[str, ...] = ()


class Relay(msgspec.Struct, frozen=True, array_like=True):
    """What a function does with what it is given: the names of the calls that get it as an argument or as their receiver.

    `own` tells what comes in as the object of a method from what comes in as any other parameter; `names` are those by
    which the function may be called, besides its own. All of it errs towards too much.
    """

    function: str
    own: bool
    arguments: tuple[str, ...]
    receivers: tuple[str, ...]
    names: tuple[str, ...] = ()


class Outline(msgspec.Struct, frozen=True, array_like=True):
    """The little of a file that is needed to find out whether the rest is: what it defines and which names it calls.

    `search` are the directories that it adds to where Python looks for modules, see `search_path.py`.
    """

    defines: tuple[str, ...]
    calls: tuple[str, ...]
    lines: int
    bases: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    suppresses: bool = False
    builds: bool = False
    relays: tuple[Relay, ...] = ()
    derived: tuple[tuple[str, str], ...] = ()
    search: tuple[str, ...] = ()


def decorators_of(function: FunctionFacts) -> tuple[str, ...]:
    """The last names of a function's decorators, see `FileFacts`."""
    return tuple(last_name(one) + "()" * isinstance(bare(one), Call) for one in function.decorators)


def outline(facts: FileFacts) -> Outline:
    """The outline of a file's facts."""
    called = {name for names in facts.called.values() for name in names}
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
        builds=any(function.texts for function in facts.functions.values()),
        relays=tuple(relay for function in facts.functions.values() for relay in _relays(function, facts)),
        derived=tuple(
            (cls.qualname.rpartition(".")[2], last_name(base)) for cls in facts.classes.values() for base in cls.bases
        ),
        search=search_path(facts),
    )


OWN, GIVEN = 2, 1

PLAIN: frozenset[type[Value]] = frozenset({Const, Ref, Unknown})
"""Values that hold no others, and nothing that a function was given."""


def _relays(function: FunctionFacts, facts: FileFacts) -> Iterator[Relay]:
    own = function.params[0].name if function.owner and function.params else None
    seen: dict[int, int] = {}
    into: dict[int, tuple[set[str], set[str]]] = {OWN: (set(), set()), GIVEN: (set(), set())}
    for fact in function.calls:
        handed = _carries(fact.value.args, own, seen)
        for _, value in fact.value.keywords:
            handed |= _carries((value,), own, seen)
        target = bare(fact.value.target)
        called = _carries((bare(target.base),), own, seen) if isinstance(target, Attr) else 0
        for kind, (arguments, receivers) in into.items():
            if handed & kind:
                arguments.add(fact.name)
            if called & kind:
                receivers.add(fact.name)
    names: tuple[str, ...] = ()
    if any(arguments or receivers for arguments, receivers in into.values()):
        names = _other_names(function.qualname, facts)
    for kind, (arguments, receivers) in into.items():
        if arguments or receivers:
            yield Relay(function.qualname, kind == OWN, tuple(arguments), tuple(receivers), names)


def _other_names(qualname: str, facts: FileFacts) -> tuple[str, ...]:
    outer, _, simple = qualname.rpartition(".")
    if simple == "__init__":
        return (outer.rpartition(".")[2],)
    if simple.startswith("<lambda>"):
        return tuple(name for name, value in facts.values.items() if bare(value) == Ref(f":{qualname}"))
    # What a function inside of another hands on, the other one was given.
    around = []
    while outer in facts.functions:
        outer, _, simple = outer.rpartition(".")
        around.append(simple)
    return tuple(around)


def _carries(values: Iterable[Value], own: str | None, seen: dict[int, int]) -> int:
    """Whether one of the values may hold what the function was given: OWN, GIVEN or both. `seen` is by identity."""
    found = 0
    for value in values:
        kind = type(value)
        if kind in PLAIN:
            continue
        known = seen.get(id(value))
        if known is None:
            if isinstance(value, Param):
                known = OWN if value.name == own else GIVEN
            elif kind is Free:
                known = GIVEN
            elif isinstance(value, Attr):
                # What an object holds may have come in as a parameter of another of its methods.
                known = GIVEN if _carries((value.base,), own, seen) else 0
            else:
                known = _carries(children(value), own, seen)
            seen[id(value)] = known
        found |= known
    return found


def position(function: FunctionFacts, fact: CallFact) -> int:
    """Which of a function's calls one is: this very one, as others may look the same; -1 where it is another function's."""
    return next((index for index, other in enumerate(function.calls) if other is fact), -1)


def last_name(value: Value) -> str:
    """The last name of a callee, a decorator or a base class: `execute` of `self.db.execute`, `List` of `List[int]`."""
    if isinstance(value, Call):
        value = value.target
    while isinstance(value, (Named, Item, Free)):
        value = value.base if isinstance(value, Item) else value.value
    if isinstance(value, (Attr, Param)):
        return value.name
    if isinstance(value, Ref):
        return value.name.rpartition(".")[2].lstrip(":")
    return ""
