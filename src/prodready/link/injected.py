"""Parameters that a decorator of the project fills: what is in them comes from there, not from a caller."""

from __future__ import annotations

from collections.abc import Iterator

from prodready.link.frames import Bound, Frame
from prodready.link.infer import Inference
from prodready.link.program import FunctionSymbol
from prodready.read import values as v


def injected(infer: Inference, frame: Frame) -> dict[str, Bound]:
    """The parameters of a function that its decorators fill, with what they give them."""
    names = [param.name for param in frame.function.params]
    home = infer.home(frame) if frame.function.decorators else frame
    found: dict[str, Bound] = {}
    for decorator in frame.function.decorators:
        call = decorator if isinstance(decorator, v.Call) else v.call(decorator, (), (), 0, 0)
        for callee in infer.callees(Bound(call, home)):
            for given in _calls_of_wrapped(infer, callee.function) if callee.function else ():
                for name, value in (*_bound(given.value, names), *_set_before(given, names)):
                    if not isinstance(v.bare(value), v.Param):
                        found.setdefault(name, given.sub(value))
    return found


def _calls_of_wrapped(infer: Inference, decorator: FunctionSymbol) -> Iterator[Bound]:
    """The calls of what a decorator was given, in what the functions inside of it return."""
    facts = infer.program.facts(decorator.path)
    inside = decorator.facts.qualname + "."
    for qualname in facts.functions if facts else ():
        if facts is not None and qualname.startswith(inside):
            function = facts.functions[qualname]
            waiting = [function.returns] if function.returns is not None else []
            while waiting:
                value = waiting.pop()
                waiting.extend(v.children(value))
                if isinstance(value, v.Call):
                    target = v.bare(value.target)
                    if isinstance(target, v.Free) and isinstance(v.bare(target.value), v.Param):
                        yield Bound(value, Frame(decorator.path, function))


def _set_before(wrapped: Bound, names: list[str]) -> Iterator[tuple[str, v.Value]]:
    """What is put under the names of parameters into the mapping that a call passes on: `kwargs["user"] = user`."""
    call = wrapped.value
    passed = [v.bare(value) for name, value in call.keywords if name == "**"] if isinstance(call, v.Call) else []
    for fact in wrapped.frame.function.calls if passed else ():
        args = fact.value.args
        if (
            fact.name == "setitem"
            and len(args) > 2
            and v.bare(args[0]) in passed
            and isinstance(v.bare(args[1]), v.Const)
        ):
            yield from ((name, args[2]) for name in names if v.bare(args[1]) == v.Const(name))
        target = v.bare(fact.value.target)
        if fact.name == "update" and isinstance(target, v.Attr) and v.bare(target.base) in passed:
            yield from ((name, value) for name, value in fact.value.keywords if name in names)


def _bound(call: v.Value, names: list[str]) -> Iterator[tuple[str, v.Value]]:
    assert isinstance(call, v.Call)
    for name, value in zip(names, call.args, strict=False):
        if v.is_star(value):
            break
        yield name, value
    yield from ((name, value) for name, value in call.keywords if name in names)
