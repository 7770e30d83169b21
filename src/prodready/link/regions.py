"""What happens inside of transactions: errors that are swallowed there, messages that are sent before the commit."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from prodready.finding import Location, Step
from prodready.link.conditions import Steps
from prodready.link.deeds import WRITING
from prodready.link.frames import Bound, Frame
from prodready.link.openings import Deed, Key
from prodready.link.program import FunctionSymbol, LibrarySymbol
from prodready.link.sinks import place, shown_callee
from prodready.link.transactions import Transactions
from prodready.read import values as v
from prodready.read.facts import BREAK, CONTINUE, RAISE, RETURN, CallFact, Flow, FunctionFacts, Span, calls_in
from prodready.read.values import Value
from prodready.words import split_words

EVERYTHING = frozenset({"Exception", "BaseException"})
SAVED = frozenset({"transaction", "savepoint"})

ASKING = frozenset("get fetch find list read load lookup search query check has is can".split())
"""First words of names of functions that are called for their answer: what they send to a server is the question."""

DOING = frozenset(
    "send notify create make add register update set save delete remove publish push post start enqueue queue".split()
)
"""Words beside these by which a name says that more is done: `get_or_create_customer`."""


class Swallowed(msgspec.Struct, frozen=True):
    """An `except` in a transaction after which the transaction goes on."""

    frame: Frame
    span: Span
    work: Location
    label: str


class Sent(msgspec.Struct, frozen=True):
    """Something sent in a transaction; `steps` lead on to where it is sent, `written` is what may not come true.

    `answered`: what comes back is used in what is written after it; `next_round`: the function sends for itself.
    """

    frame: Frame
    span: Span
    name: str
    steps: tuple[Step, ...]
    written: Location
    answered: bool = False
    next_round: bool = False


class _Send(msgspec.Struct, frozen=True):
    """A call that sends, in the function itself or through helpers."""

    index: int
    name: str
    steps: tuple[Step, ...]


class _Stretch(msgspec.Struct):
    """A stretch of code in one transaction: what it sends, with what was written before, and where it writes first."""

    sends: list[tuple[_Send, Location | None]] = msgspec.field(default_factory=list)
    writes: Location | None = None


class Regions:
    """Looks into the transactions of functions."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.deeds = transactions.deeds
        self.knowledge = transactions.knowledge
        self._sends: dict[Key, list[tuple[CallFact, tuple[Step, ...]]]] = {}
        self._failing: dict[Key, bool] = {}

    # Errors swallowed

    def swallowed(self, frame: Frame) -> Iterator[Swallowed]:
        """The handlers of a function that swallow errors of the database inside of a transaction."""
        if any(_has_try(step) for step in frame.function.flow if isinstance(step, Flow)):
            yield from self._swallowed(frame.function.flow, frame, self.transactions.held(frame))

    def _swallowed(self, steps: Steps, frame: Frame, held: bool, ending: bool = False) -> Iterator[Swallowed]:
        """`ending` says that further down the transaction may end with an error."""
        for position, step in enumerate(steps):
            if not isinstance(step, Flow):
                continue
            opened = step.kind == "with" and self.deeds.enters(step, frame)
            ends = held and (ending or any(_may_raise(later) for later in steps[position + 1 :]))
            if step.kind == "try" and held and not (ends and _is_told_later(step, frame.function)):
                yield from self._handlers(step, frame)
            for arm in step.arms:
                yield from self._swallowed(arm, frame, held or opened, ends)

    def _handlers(self, flow: Flow, frame: Frame) -> Iterator[Swallowed]:
        body, _, _, *handlers = flow.arms
        work = self._work(body, frame)
        if work is None:
            return
        for caught, span, handler in zip(flow.values, flow.spans, handlers, strict=False):
            if self._is_caught(caught, frame) and self._goes_on(handler, frame):
                here = place(frame.path, work.fact.span)
                yield Swallowed(frame, span, here, work.label or shown_callee(work.fact))

    def _work(self, steps: Steps, frame: Frame, leaving: bool = False) -> Deed | None:
        """The first thing these steps do to the database outside of a savepoint of their own.

        With `leaving` only if an error of it may leave the function.
        """
        found = self.transactions.deeds_of(frame)
        for step in steps:
            if isinstance(step, Flow):
                if step.kind == "with" and self.deeds.enters(step, frame, SAVED):
                    continue
                kept = leaving and step.kind == "try" and self._keeps_all(step)
                for arm in step.arms[1:] if kept else step.arms:
                    if (deed := self._work(arm, frame, leaving)) is not None:
                        return deed
            elif step >= 0 and (deed := found.get(step)) is not None and not self._saves_itself(deed, frame):
                if deed.kind in WRITING - {"commit"} or deed.kind == "stage":
                    return deed
                if leaving and (
                    deed.kind == "commit" or (deed.kind == "change" and self.transactions.is_row(deed, frame))
                ):
                    return deed
                if deed.kind == "call" and self.transactions.writes_at_all(deed) and self._may_fail(deed):
                    return deed
        return None

    def _may_fail(self, deed: Deed) -> bool:
        """Whether an error of the database comes out of a call: not if the function keeps all of its errors."""
        return any(self._lets_out(Frame(symbol.path, symbol.facts)) for symbol, _ in deed.targets)

    def _lets_out(self, frame: Frame) -> bool:
        """The same for a function; one that calls itself is taken to let them out."""
        if frame.key not in self._failing:
            self._failing[frame.key] = True
            self._failing[frame.key] = self._work(frame.function.flow, frame, leaving=True) is not None
        return self._failing[frame.key]

    def _keeps_all(self, flow: Flow) -> bool:
        """Whether whatever is raised in a `try` is caught, and nothing raised again."""
        return any(
            (isinstance(v.bare(caught), v.Const) or v.dotted(v.bare(caught)) in EVERYTHING) and not _raises(handler)
            for caught, handler in zip(flow.values, flow.arms[3:], strict=False)
        )

    def _saves_itself(self, deed: Deed, frame: Frame) -> bool:
        """Whether a call does what it does in a savepoint of its own: an error takes back that much only."""
        effects = [callee.effect for callee in self.deeds.infer.callees(Bound(deed.fact.value, frame))]
        return any(effect is not None and effect.savepoint for effect in effects)

    def _is_caught(self, caught: Value, frame: Frame) -> bool:
        caught = v.bare(caught)
        if isinstance(caught, v.Const):
            return True
        if isinstance(caught, v.Seq):
            return any(self._is_caught(one, frame) for one in caught.items)
        if v.dotted(caught) in EVERYTHING:
            return True
        symbol = self.deeds.infer.symbol_of(caught, frame)
        return isinstance(symbol, LibrarySymbol) and "database-error" in self.knowledge.label(symbol.name)

    def _goes_on(self, steps: Steps, frame: Frame) -> bool:
        """Whether the transaction goes on after a handler, with nothing taken back."""
        found = self.transactions.deeds_of(frame)
        for step in steps:
            if isinstance(step, Flow):
                if not any(self._goes_on(arm, frame) for arm in step.arms):
                    return False
            elif step in {RAISE, RETURN}:
                return False
            elif step in {BREAK, CONTINUE}:
                return True
            elif step >= 0 and (deed := found.get(step)) is not None and deed.kind == "rollback":
                return False
        return True

    # Messages sent too early

    def sent(self, frame: Frame) -> Iterator[Sent]:
        """What a function sends in a transaction that writes."""
        if not any(True for _ in self._sending(frame)):
            return
        if self.transactions.held(frame):
            yield from self._of(self._stretch(frame.function.flow, frame), frame)
            return
        yield from self._inside(frame.function.flow, frame)
        yield from self._before_commit(frame)

    def _inside(self, steps: Steps, frame: Frame) -> Iterator[Sent]:
        for step in steps:
            if isinstance(step, Flow):
                if step.kind == "with" and self.deeds.enters(step, frame):
                    yield from self._of(self._stretch(step.arms[0], frame), frame)
                else:
                    for arm in step.arms:
                        yield from self._inside(arm, frame)

    def _of(self, stretch: _Stretch, frame: Frame) -> Iterator[Sent]:
        for send, written in stretch.sends:
            if written is not None:
                yield self._sent(frame, send, written)

    def _sent(self, frame: Frame, send: _Send, written: Location) -> Sent:
        sending = frame.function.calls[send.index]
        later = [deed.fact.value for index, deed in self.transactions.deeds_of(frame).items() if index > send.index]
        answered = any(sending.value in v.walk(value) for value in later)
        target = sending.value.target
        symbol = self.deeds.infer.symbol_of(target.base, frame) if isinstance(target, v.Attr) else None
        itself = isinstance(symbol, FunctionSymbol) and (symbol.path, symbol.facts.qualname) == frame.key
        return Sent(frame, sending.span, send.name, send.steps, written, answered, itself)

    def _stretch(self, steps: Steps, frame: Frame) -> _Stretch:
        """What a sequence of steps sends and writes: each message with a write that is before it on the same path.

        Nothing of what is taken back at its end: it was only tried.
        """
        whole = _Stretch()
        found = self.transactions.deeds_of(frame)
        for step in steps:
            if not isinstance(step, Flow) and step in found and found[step].kind == "rollback":
                whole = _Stretch()
                continue
            part = self._part(step, frame)
            if part is not None:
                whole.sends += [(send, written or whole.writes) for send, written in part.sends]
                whole.writes = whole.writes or part.writes
        return whole

    def _part(self, step: int | Flow, frame: Frame) -> _Stretch | None:
        if isinstance(step, Flow):
            if step.kind == "try":
                body, orelse, final, *handlers = step.arms
                arms = [self._stretch((*body, *orelse, *final), frame), *(self._stretch(h, frame) for h in handlers)]
            elif step.kind in {"loop", "while"}:
                body = step.arms[0]
                round_ = self._stretch(body, frame)
                arms = [_Stretch([(send, written or round_.writes) for send, written in round_.sends], round_.writes)]
            elif step.kind == "with":
                arms = [self._stretch(step.arms[0], frame)]
            else:
                arms = [self._stretch(arm, frame) for arm in step.arms]
            return _Stretch([s for arm in arms for s in arm.sends], next((a.writes for a in arms if a.writes), None))
        deed = self.transactions.deeds_of(frame).get(step) if step >= 0 else None
        if deed is None:
            return None
        here = place(frame.path, deed.fact.span)
        if deed.kind in WRITING - {"commit"} or deed.kind == "stage":
            return _Stretch(writes=here)
        steps = self._sends_through(deed, frame)
        writes = here if deed.kind == "call" and self.transactions.writes_at_all(deed) else None
        if steps is None:
            return _Stretch(writes=writes) if writes else None
        sends = [] if writes and self._is_told_there(deed) else [(_Send(step, shown_callee(deed.fact), steps), None)]
        return _Stretch([(send, writes) for send, _ in sends], writes)

    def _is_told_there(self, deed: Deed) -> bool:
        """Whether what a helper sends is reported in the helper, because nobody calls it outside of a transaction."""
        return all(self.transactions.held(Frame(symbol.path, symbol.facts)) for symbol, _ in deed.targets)

    def _sending(self, frame: Frame) -> Iterator[tuple[int, Deed]]:
        for index, deed in self.transactions.deeds_of(frame).items():
            if self._sends_through(deed, frame) is not None:
                yield index, deed

    def _sends_through(self, deed: Deed, frame: Frame) -> tuple[Step, ...] | None:
        """The steps from a call to where something is sent; None where nothing is."""
        if deed.kind == "send":
            return (Step(place(frame.path, deed.fact.span), f"`{shown_callee(deed.fact)}()` sends"),)
        for symbol, given in deed.targets if deed.kind == "call" else ():
            name = symbol.facts.qualname.rpartition(".")[2]
            if _only_asks(name) and not self.transactions.writes_at_all(deed):
                continue
            entered = Frame(symbol.path, symbol.facts, given, 1, entered=True)
            for fact, steps in self._sent_by(Frame(symbol.path, symbol.facts)):
                if self.deeds.infer.at(entered, fact) is not None:  # `if later: task.delay()`, which this call tells it
                    return (Step(place(frame.path, deed.fact.span), f"calls `{name}()`"), *steps)
        return None

    def _sent_by(self, frame: Frame) -> list[tuple[CallFact, tuple[Step, ...]]]:
        """The calls of a function that send, each with the steps to where it is sent."""
        if frame.key not in self._sends:
            self._sends[frame.key] = []
            if frame.path not in self.transactions.outside:
                found = self.transactions.deeds_of(frame)
                for index in calls_in(frame.function.flow):
                    deed = found.get(index)
                    steps = self._sends_through(deed, frame) if deed is not None else None
                    if deed is not None and steps is not None:
                        self._sends[frame.key].append((deed.fact, steps))
        return self._sends[frame.key]

    # Units of work: what is pending when something is sent, and committed after it

    def _before_commit(self, frame: Frame) -> Iterator[Sent]:
        found = self.transactions.deeds_of(frame)
        if any(deed.kind == "commit" for deed in found.values()):
            told: set[int] = set()
            for send, written in self._unit(frame.function.flow, frame, None, [], told)[2]:
                yield self._sent(frame, send, written)

    def _unit(
        self,
        steps: Steps,
        frame: Frame,
        pending: Location | None,
        waiting: list[tuple[_Send, Location]],
        told: set[int],
    ) -> tuple[Location | None, list[tuple[_Send, Location]], list[tuple[_Send, Location]]]:
        """Follow steps: what is pending at their end, what was sent meanwhile, and what of that was committed too late."""
        late: list[tuple[_Send, Location]] = []
        found = self.transactions.deeds_of(frame)
        for step in steps:
            if isinstance(step, Flow):
                if step.kind == "with" and self.deeds.enters(step, frame):
                    continue
                ends = [self._unit(arm, frame, pending, list(waiting), told) for arm in step.arms]
                if step.kind == "try":
                    ends = [self._unit((*step.arms[0], *step.arms[1]), frame, pending, list(waiting), told)]
                late += [one for end in ends for one in end[2]]
                pending = next((end[0] for end in ends if end[0] is not None), None)
                waiting = [one for end in ends for one in end[1]]
                continue
            if step in {RETURN, RAISE}:
                return None, [], late
            deed = found.get(step) if step >= 0 else None
            if deed is None:
                continue
            here = place(frame.path, deed.fact.span)
            through = self._sends_through(deed, frame)
            if through is not None and pending is not None and deed.kind != "commit":
                waiting.append((_Send(step, shown_callee(deed.fact), through), pending))
            if deed.kind == "commit":
                new = {send.index: (send, written) for send, written in waiting if send.index not in told}
                told.update(new)
                late += new.values()
                pending, waiting = None, []
            elif deed.kind == "rollback":
                pending, waiting = None, []
            elif deed.kind == "stage" or (deed.kind == "change" and self.transactions.is_row(deed, frame)):
                pending = pending or here
            elif deed.kind == "call" and self.transactions.stages(deed):
                pending = pending or here
        return pending, waiting, late


def _may_raise(step: int | Flow) -> bool:
    return isinstance(step, Flow) and step.kind == "branch" and any(RAISE in arm for arm in step.arms)


def _is_told_later(step: Flow, function: FunctionFacts) -> bool:
    """Whether what a `try` notes down raises an error after it: `ok = False`, and in the end `if not ok: raise`."""
    after = max((span.last for span in step.spans), default=0)
    raised = (way for way in function.exits if way.kind == RAISE and way.line > after and way.inner)
    return any(_is_noted(value) for way in raised for value, _ in way.conditions[-way.inner :])


def _is_noted(value: Value) -> bool:
    """Whether a value is a flag that was set on the way, or a list that something was put into."""
    options = v.bare(value).options if isinstance(v.bare(value), v.Choice) else ()  # type: ignore[union-attr]
    flags = [v.bare(option) for option in options]
    return bool(flags) and (
        all(isinstance(flag, v.Const) and isinstance(flag.value, bool) for flag in flags)
        or all(isinstance(flag, v.Seq) for flag in flags)
    )


def _raises(steps: Steps) -> bool:
    return any(any(map(_raises, step.arms)) if isinstance(step, Flow) else step == RAISE for step in steps)


def _only_asks(name: str) -> bool:
    words = split_words(name)
    return bool(words) and words[0] in ASKING and DOING.isdisjoint(words)


def _has_try(flow: Flow) -> bool:
    return flow.kind == "try" or any(isinstance(s, Flow) and _has_try(s) for arm in flow.arms for s in arm)
