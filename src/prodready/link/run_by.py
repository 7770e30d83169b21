"""The methods of the project's own that a library's method runs in place of its own."""

from __future__ import annotations

from collections.abc import Iterator

from prodready.knowledge import Knowledge
from prodready.link.program import ClassSymbol, FunctionSymbol, Program


def run_by(
    program: Program, knowledge: Knowledge, cls: ClassSymbol, name: str, *, above: bool = False
) -> Iterator[FunctionSymbol]:
    """What runs where a class is asked for a method: its own one, or those of its own that the library's calls.

    With `above` the library's is asked for, whether the class has its own or not.
    """
    waiting, seen = [name], {name}
    while waiting:
        one = waiting.pop(0)
        method = program.member(cls, one)
        if isinstance(method, FunctionSymbol) and not (above and one == name):
            yield method
            continue
        effects = (knowledge.method(base, one) for base in program.lineage(cls) if isinstance(base, str))
        inner = dict.fromkeys(call for effect in effects if effect is not None for call in effect.calls)
        waiting += [call for call in inner if call not in seen]
        seen.update(inner)
