"""Parameters that a decorator of the project fills: what they hold, nobody sent."""

from __future__ import annotations

from collections.abc import Iterator

from prodready.link.frames import Bound, Frame
from prodready.link.infer import Inference
from prodready.link.program import FunctionSymbol
from prodready.read import values as v


def injected(infer: Inference, frame: Frame, home: Frame) -> frozenset[str]:
    """The parameters of a function, decorated in `home`, that its decorators give something other than they were given."""
    names = [param.name for param in frame.function.params]
    found: set[str] = set()
    for decorator in frame.function.decorators:
        call = decorator if isinstance(decorator, v.Call) else v.call(decorator, (), (), 0, 0)
        for callee in infer.callees(Bound(call, home)):
            for given in _calls_of_wrapped(infer, callee.function) if callee.function else ():
                found.update(name for name, value in _bound(given, names) if not isinstance(v.bare(value), v.Param))
    return frozenset(found)


def _calls_of_wrapped(infer: Inference, decorator: FunctionSymbol) -> Iterator[v.Call]:
    """The calls of what a decorator was given, in what the functions inside of it return."""
    facts = infer.program.facts(decorator.path)
    inside = decorator.facts.qualname + "."
    for function in facts.functions.values() if facts else ():
        if function.qualname.startswith(inside):
            waiting = [function.returns] if function.returns is not None else []
            while waiting:
                value = waiting.pop()
                waiting.extend(v.children(value))
                if isinstance(value, v.Call):
                    target = v.bare(value.target)
                    if isinstance(target, v.Free) and isinstance(v.bare(target.value), v.Param):
                        yield value


def _bound(call: v.Call, names: list[str]) -> Iterator[tuple[str, v.Value]]:
    for name, value in zip(names, call.args, strict=False):
        if v.is_star(value):
            break
        yield name, value
    yield from ((name, value) for name, value in call.keywords if name in names)
