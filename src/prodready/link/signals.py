"""Signals: which ones a function receives, and where the project sends one."""

from __future__ import annotations

from collections.abc import Iterator

from prodready.link.frames import Frame
from prodready.link.infer import Inference
from prodready.link.program import FunctionSymbol, Symbol, ValueSymbol
from prodready.read import values as v
from prodready.read.facts import last_name, position
from prodready.read.values import Value

CONNECTING = "connect"
"""The method of a signal that is given a function to call."""

SENDING = ("send", "send_robust")
"""Methods by which a signal is sent."""


class Signals:
    """Looks for what connects functions to signals, and for what sends these."""

    def __init__(self, infer: Inference, outside: frozenset[str]) -> None:
        """`outside` are the files whose calls count for nothing, such as tests."""
        self.infer = infer
        self.program = infer.program
        self.outside = outside

    def received(self, frame: Frame) -> Iterator[Symbol | None]:
        """The signals that call a function: by its decorators, or by `pre_delete.connect(tidy, sender=Order)`."""
        home = self.infer.home(frame) if frame.function.decorators else frame
        for decorator in frame.function.decorators:
            given = decorator.args[0] if isinstance(decorator, v.Call) and decorator.args else v.seq([])
            for one in each_of(given) if isinstance(v.bare(given), v.Seq) else (given,):
                yield self.infer.symbol_of(v.bare(one), home) or self._made_here(one, frame)
        simple = frame.function.qualname
        for path, function, fact in self.program.calls_named(CONNECTING):
            target = fact.value.target
            functions = (*fact.value.args[:1], *(x for key, x in fact.value.keywords if key == "receiver"))
            if path in self.outside or not isinstance(target, v.Attr) or all(last_name(x) != simple for x in functions):
                continue
            caller = Frame(path, function)
            symbols = (self.infer.symbol_of(v.bare(one), caller) for one in functions)
            if any(isinstance(s, FunctionSymbol) and (s.path, s.facts.qualname) == frame.key for s in symbols):
                yield self.infer.symbol_of(target.base, caller)

    def _made_here(self, value: Value, frame: Frame) -> ValueSymbol | None:
        """The variable of the file that a decorator in it names."""
        facts = self.program.facts(frame.path) if isinstance(value, v.Named) else None
        if facts is None or not isinstance(value, v.Named) or facts.values.get(value.name) != value:
            return None
        return ValueSymbol(frame.path, value.name, value)

    def sent(self, signal: ValueSymbol) -> Iterator[tuple[Frame, int]]:
        """The calls by which the project sends one of its own: the function, and which of its calls."""
        for name in SENDING:
            for path, function, fact in self.program.calls_named(name):
                frame, target = Frame(path, function), fact.value.target
                if path in self.outside or not isinstance(target, v.Attr):
                    continue
                if self.infer.symbol_of(target.base, frame) == signal:
                    yield frame, position(function, fact)


def each_of(value: Value) -> tuple[Value, ...]:
    """The items of a list, or the value alone."""
    inner = v.bare(value)
    return inner.items if isinstance(inner, v.Seq) else (inner,)
