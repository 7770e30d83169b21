"""What is known of a password at the place where it is stored or compared."""

from __future__ import annotations

import msgspec

from prodready.finding import Confidence, Finding, Location, Severity, Step
from prodready.link.frames import Frame
from prodready.link.passwords import Digest, Origin
from prodready.link.sinks import place
from prodready.read import values as v
from prodready.read.facts import CallFact


class Use(msgspec.Struct, frozen=True):
    """A password, or a digest of one, at the call that stores or compares it, or that makes a digest nobody else uses.

    `how` is `store`, `comparison` or `made`.
    """

    how: str
    origin: Origin
    frame: Frame
    fact: CallFact
    place: str
    confidence: Confidence
    digest: Digest | None = None
    hint: str = ""

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return place(self.frame.path, self.fact.span)


def steps(use: Use) -> tuple[Step, ...]:
    """The way of a password to where it is used, the source first."""
    origin = use.origin
    value = origin.bound.value
    source: tuple[Step, ...] = ()
    if isinstance(value, v.Call) and value.line:
        source = (
            Step(Location(origin.bound.frame.path, value.line, value.column), f"`{origin.name}` comes from here"),
        )
    last = {"store": f"kept in {use.place}", "comparison": f"compared: {use.place}", "made": "the digest is made here"}
    found = (*source, *reversed(origin.trail), Step(use.location, last[use.how]))
    return tuple(dict.fromkeys(found))


def reported(use: Use, code: str, slug: str, message: str, hint: str) -> Finding:
    """A use as a finding of a rule."""
    return Finding(
        code=code,
        slug=slug,
        message=message,
        severity=Severity.ERROR,
        confidence=use.confidence,
        location=use.location,
        trace=steps(use),
        hint=hint,
        context=use.frame.function.qualname,
        statement=(use.fact.span.first, use.fact.span.last),
    )
