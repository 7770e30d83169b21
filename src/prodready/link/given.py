"""Ways that hang on a parameter: `password if raw else hashed(password)` is what was typed only for callers that say `raw`.

A frame carries what has turned out about its parameters on the way that is followed (`Frame.given`). A call that passes
something else does not go that way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from prodready.link.frames import Bound, Frame
from prodready.read import values as v
from prodready.read.facts import YIELD, CallFact, Flow, FunctionFacts, calls_in, position
from prodready.read.values import Given, Test


def within(frame: Frame, given: Given) -> Frame | None:
    """The frame on a way that takes this of its parameters; None if it is not to be gone there."""
    if not given:
        return frame
    kept = list(frame.given)
    for test in given:
        argument = frame.binding(test.param)
        told = _told(test, argument) if argument is not None else None
        if told is False or msgspec.structs.replace(test, holds=not test.holds) in kept:
            return None
        if told is None and test not in kept:
            kept.append(test)
    return frame if len(kept) == len(frame.given) else msgspec.structs.replace(frame, given=tuple(kept))


def options(bound: Bound) -> list[Bound]:
    """What a value (a Bound of a `Choice`) may be where its frame is."""
    choice = bound.value
    assert isinstance(choice, v.Choice)
    if not choice.given:
        return [bound.sub(option) for option in choice.options]
    frames = [(option, within(bound.frame, given)) for option, given in zip(choice.options, choice.given, strict=True)]
    found = [Bound(option, frame) for option, frame in frames if frame is not None]
    return found or [bound.sub(choice.options[-1])]


def from_call(frame: Frame, argument: Bound, passed: Mapping[str, Bound]) -> Bound | None:
    """An argument of a call of the frame's function, on the way that the frame is; None if that call does not lead there.

    `passed` are the arguments by the names of parameters.
    """
    outer: list[Test] = []
    for test in frame.given:
        other = passed.get(test.param)
        told = _told(test, other) if other is not None else None
        if told is False:
            return None
        handed_on = v.bare(other.value) if other is not None and other.frame.key == argument.frame.key else None
        if told is None and isinstance(handed_on, v.Param):
            outer.append(msgspec.structs.replace(test, param=handed_on.name))
    there = within(argument.frame, tuple(outer))
    return Bound(argument.value, there) if there is not None else None


def against_defaults(frame: Frame) -> bool:
    """Whether the way that the frame is on is not that of a call which leaves the defaults as they are."""
    defaults = {param.name: Bound(param.default, frame) for param in frame.function.params if param.default is not None}
    return any(_told(test, defaults[test.param]) is False for test in frame.given if test.param in defaults)


def bound_to(frame: Frame, name: str) -> list[Bound]:
    """What a parameter of an entered frame is bound to, on the way that the frame is; empty if there is none."""
    argument = frame.binding(name)
    if argument is None:
        return []
    if not frame.given:
        return [argument]
    there = from_call(frame, argument, dict(frame.bindings))
    return [there] if there is not None else []


def _told(test: Test, argument: Bound) -> bool | None:
    """Whether an argument is what a test asks for; None if that is not known."""
    value = v.bare(argument.value)
    if isinstance(value, v.Const):
        equal = bool(value.value) is test.value if isinstance(test.value, bool) else value.value == test.value
        return equal is test.holds
    if test.value is None and isinstance(value, (v.Text, v.Seq, v.Map)):
        return not test.holds
    return None


def by_call(function: FunctionFacts) -> dict[int, Given]:
    """What has turned out about a function's parameters where a call happens, by the position of the call; if anything."""
    found: dict[int, Given] = {}
    _collect(function.flow, (), found)
    return found


def _collect(steps: Sequence[int | Flow], given: Given, found: dict[int, Given]) -> None:
    for step in steps:
        if not isinstance(step, Flow):
            if given and step >= 0:
                found[step] = given
            continue
        for at, arm in enumerate(step.arms):
            _collect(arm, given + step.given[at] if step.given else given, found)
        if step.given:
            ended = [ends(arm) for arm in step.arms]
            if ended[0] != ended[1]:
                given += step.given[ended[0]]


def ends(steps: Sequence[int | Flow]) -> bool:
    """Whether a block is left before its end: by `return`, `raise`, `break` or `continue`."""
    last = steps[-1] if steps else YIELD
    if isinstance(last, Flow):
        return last.kind in {"branch", "with"} and all(map(ends, last.arms))
    return last < 0 and last != YIELD


def exclusive(function: FunctionFacts, one: CallFact, later: CallFact) -> bool:
    """Whether no path makes both calls: arms of one branch, or the block of the first is left before the second."""
    first, second = position(function, one), position(function, later)
    steps: Sequence[int | Flow] = function.flow
    while True:
        around = next((step for step in steps if isinstance(step, Flow) and first in calls_in([step])), None)
        if around is None:
            return False
        mine = next(arm for arm in around.arms if first in calls_in(arm))
        if second in calls_in([around]) and second not in calls_in(mine):
            return around.kind == "branch"
        if second not in calls_in(mine) and around.kind in {"branch", "with"} and ends(mine):
            return True
        if second not in calls_in(mine) and around.kind not in {"branch", "with"}:
            return False
        steps = mine
