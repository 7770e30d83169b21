"""Digests of passwords that nobody is seen to use, and what they may be good for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prodready.finding import Confidence
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.given import options
from prodready.link.infer import Inference
from prodready.link.password_rows import Rows
from prodready.link.password_speaking import has_text, holds_call, is_at
from prodready.link.password_stores import Kept
from prodready.link.password_use import Use
from prodready.link.passwords import Origin, PasswordReader
from prodready.link.preparing import prepares
from prodready.read import values as v
from prodready.read.facts import CallFact
from prodready.words import split_words

KEYS = frozenset(
    "key keys kdf derive cipher encrypt decrypt token sign signature cookie etag cache gravatar avatar".split()
)
"""Words in the names of functions that make something else of a password than what is stored to check it."""

BREACHED = re.compile(r"pwned|hibp|breach|leaked|compromised|strength|entropy", re.I)
"""Functions that look a password up among those that are known to be stolen: the service wants a digest."""


class Digests:
    """Looks at the calls and the column types that make digests."""

    def __init__(self, rows: Rows, reader: PasswordReader) -> None:
        self.rows = rows
        self.reader = reader
        self.names = rows.names
        self.infer = rows.infer

    def made(self, fact: CallFact, frame: Frame, callees: list[Callee]) -> Iterator[Use]:
        """The digest that a call makes, where its function returns it."""
        if fact.name == "update" and (begun := self._begun(fact, frame)) is not None:
            fact, callees = begun, self.infer.callees(Bound(begun.value, frame))
        effect = next((callee.effect for callee in callees if callee.effect is not None), None)
        if effect is None or "digest" not in effect.labels or frame.function.returns is None:
            return
        if not (self.asks_for_stolen(frame) or self.names.is_of_random(frame.function.owner)):
            for origin in self._returned(frame):
                digest = origin.digest
                if digest is not None and digest.key == (frame.path, fact.value.line, fact.value.column):
                    makes_key = not KEYS.isdisjoint(split_words(frame.function.qualname))
                    if not makes_key and not self.names.is_others(origin.name) and not self._goes_to_hasher(frame):
                        yield Use("made", origin, frame, fact, "", Confidence.MEDIUM, digest)

    def _begun(self, fact: CallFact, frame: Frame) -> CallFact | None:
        """The call that made the digest which is fed here."""
        fed = v.bare(fact.value.target.base) if isinstance(fact.value.target, v.Attr) else None
        made = (fed.line, fed.column) if isinstance(fed, v.Call) else None
        return next((f for f in frame.function.calls if (f.value.line, f.value.column) == made), None)

    def _returned(self, frame: Frame) -> Iterator[Origin]:
        """The digests that a function returns as such, not as a field of something else."""
        returned = Bound(v.bare(frame.function.returns or v.UNKNOWN), frame)
        for option in options(returned) if isinstance(returned.value, v.Choice) else (returned,):
            if not isinstance(v.bare(option.value), (v.Map, v.Seq)):
                yield from (o for o in self.reader.read(option) if o.digest and not o.digest.reversible)

    def asks_for_stolen(self, frame: Frame) -> bool:
        """Whether a function looks up passwords that are known to be stolen: the service wants a digest of a kind."""
        if BREACHED.search(frame.function.qualname) or BREACHED.search(frame.path.rpartition("/")[2]):
            return True
        return any(has_text(fact.value, BREACHED) for fact in frame.function.calls)

    def _goes_to_hasher(self, frame: Frame) -> bool:
        """Whether the callers hand the result to a hasher for passwords: it only shortens them."""
        for calls in takers(self.infer, frame):
            for callee in (callee for call in calls for callee in self.infer.callees(call)):
                if callee.effect is not None and callee.effect.labels & {"password-hash", "boolean"}:
                    return True
        return False

    def typed(self, kept: Kept) -> Iterator[Use]:
        """Which digest the type of a column makes of what it is given."""
        for method in self.rows.column_methods(kept.cls, kept.field) if kept.cls is not None else ():
            params = [param.name for param in method.facts.params]
            if len(params) < 2 or method.facts.returns is None:
                continue
            frame = Frame(method.path, method.facts, ((params[1], kept.bound),), 1, entered=True)
            for origin in self._returned(frame):
                fact = next((f for f in method.facts.calls if origin.digest and is_at(f, origin.digest)), None)
                if fact is not None:
                    yield Use("made", origin, frame, fact, "", Confidence.HIGH, origin.digest)


def takers(infer: Inference, frame: Frame) -> Iterator[list[Bound]]:
    """By each call of a function, but for tests and what fills a database, the calls that are given what it returns."""
    for site in infer.some_callers(*frame.key):
        if site.frame.path in infer.program.tests or prepares(site.frame, infer.program):
            continue
        calls = site.frame.function.calls
        around = [fact.value for fact in calls if fact is not site.fact and holds_call(fact.value, site.fact.value)]
        yield [Bound(call, site.frame) for call in around]
