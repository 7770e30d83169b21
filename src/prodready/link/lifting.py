"""A write of a callee as its caller sees it: whose object it is, and whether the call lets the callee come to it."""

from __future__ import annotations

from prodready.link.conditions import agrees
from prodready.link.frames import Bound, Frame
from prodready.link.hooks import SAVING, is_itself
from prodready.link.openings import Deed
from prodready.link.rebuilding import plain
from prodready.link.writes import Write
from prodready.read import values as v
from prodready.read.values import Value


def is_own(root: Value | None, method: Frame, deed: Deed) -> bool:
    """Whether what a method writes is its own object, also by way of its base class, or the row that it gives."""
    inner = v.bare(root) if root is not None else None
    target, returns = deed.fact.value.target, method.function.returns
    # Of `save` of a form what it is called on is no row.
    if isinstance(target, v.Attr) and deed.root != plain(target.base):
        if returns is not None and inner == plain(returns):
            return True
        saved = inner.target if isinstance(inner, v.Call) else None
        if isinstance(saved, v.Attr) and saved.name in SAVING and is_itself(plain(saved.base), method.function):
            return True
    return is_itself(inner, method.function)


def may_be(write: Write, callee: Frame, given: dict[str, Bound], call: v.Call) -> bool:
    """Whether a call lets its callee come to a write: `store(row)` does not if that asks for `commit`, false by default."""
    if any(key == "**" for key, _ in call.keywords):
        return True
    spread = any(map(v.is_star, call.args))
    for name, needed in write.needs:
        param = callee.param(name)
        if spread and (param is None or param.kind != "="):
            continue  # any of them may be this one
        value = v.bare(given[name].value) if name in given else param.default if param is not None else None
        if param is None:  # one of its `**options`
            value = next((v.bare(one) for key, one in call.keywords if key == name), None)
        if value is not None and agrees(value, needed) is False:
            return False
    return True


def still_needed(
    write: Write, callee: Frame, given: dict[str, Bound], frame: Frame, call: v.Call
) -> tuple[tuple[str, Value], ...]:
    """What the caller's own parameters have to be for a write of its callee: those that it hands on."""
    spread = any(key == "**" for key, _ in call.keywords)
    options = [(name, needed) for name, needed in write.needs if spread and callee.param(name) is None]
    handed = [(given[name], needed) for name, needed in write.needs if name in given and callee.param(name) is not None]
    found = [(v.bare(bound.value), needed) for bound, needed in handed if bound.frame.key == frame.key]
    return (*((value.name, needed) for value, needed in found if isinstance(value, v.Param)), *options)


def is_for_one(write: Write, given: dict[str, Bound]) -> bool:
    """Whether a loop over a parameter has one round only, because a list of one thing is passed: `notify([user])`."""
    if write.via or write.call is None:
        return False
    over = [plain(one.subject) for one in v.walk(write.call) if isinstance(one, v.Op) and one.kind == "each"]
    passed = [v.bare(given[one.name].value) for one in over if isinstance(one, v.Param) and one.name in given]
    return bool(over) and len(passed) == len(over) and all(map(_is_one, passed))


def _is_one(value: Value) -> bool:
    return isinstance(value, v.Seq) and not value.open and len(value.items) == 1 and not v.is_star(value.items[0])


def seen_from(root: Value | None, given: dict[str, Bound], frame: Frame) -> Value | None:
    """The object that a callee writes, as its caller has it."""
    inner = v.bare(root) if root is not None else None
    if isinstance(inner, v.Attr):  # what the row that was given refers to
        base = seen_from(inner.base, given, frame)
        return v.attr(base, inner.name) if base is not None else None
    if isinstance(inner, v.Param):
        argument = given.get(inner.name)
        return argument.value if argument is not None and argument.frame.key == frame.key else None
    return None
