"""What a handler does for requests of one method: `if request.method == "POST": ...`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prodready.link.given import ends
from prodready.link.guard_words import names_request
from prodready.read import values as v
from prodready.read.facts import CallFact, Flow, FunctionFacts, calls_in


def calls_for(function: FunctionFacts, method: str) -> list[CallFact]:
    """The calls of a function without those that happen for requests of other methods only."""
    others = set(_others(function.flow, method)) if method else set()
    return [fact for index, fact in enumerate(function.calls) if index not in others]


def _others(steps: Sequence[int | Flow], method: str) -> Iterator[int]:
    for at, step in enumerate(steps):
        if not isinstance(step, Flow):
            continue
        goes = _goes(step, method)
        if goes is None:
            for arm in step.arms:
                yield from _others(arm, method)
            continue
        yield from _others(step.arms[goes], method)
        yield from calls_in(step.arms[1 - goes])
        if ends(step.arms[goes]):
            yield from calls_in(steps[at + 1 :])
            return


def _goes(step: Flow, method: str) -> int | None:
    """Which way a request of a method goes where that is asked for."""
    if step.kind != "branch" or len(step.arms) != 2 or len(step.values) != 2:
        return None
    subject, other = v.bare(step.values[0]), step.values[1]
    if not (isinstance(subject, v.Attr) and subject.name == "method" and names_request(subject.base)):
        return None
    return int(other.value != method) if isinstance(other, v.Const) and isinstance(other.value, str) else None
