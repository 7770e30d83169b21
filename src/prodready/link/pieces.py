"""The pieces of a text: literal stretches, values that are harmless, and holes for those that are not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from prodready.finding import Step
from prodready.link.frames import Bound, Frame

PLACEHOLDER = "?"


class Hole(msgspec.Struct, frozen=True):
    """A value in a text that is not constant.

    `kind` is `request` (somebody sent it), `parameter` (an argument whose callers are not known), or `unknown`.
    `trail` leads from the text to where the value came in. `whole` names the parameter of the function `giver`, which
    holds the sink or is around the one that does, where the hole is exactly that parameter. `escaped` is the kind of
    quote that was doubled in it by hand.
    """

    bound: Bound
    kind: str
    name: str
    trail: tuple[Step, ...] = ()
    assumed: bool = False
    whole: str = ""
    giver: Frame | None = None
    escaped: str = ""

    @property
    def rank(self) -> int:
        """Order of badness: request data, then anything of unknown origin."""
        return {"request": 3, "parameter": 2, "unknown": 1}[self.kind]


class Safe(str):
    """A literal stretch that stands for a value which cannot hold text of somebody's choice.

    `bound` is that value and `trail` the way to it, as for a hole: what an explanation needs to say why it is harmless.
    """

    __slots__ = ("bound", "trail")
    bound: Bound
    trail: tuple[Step, ...]

    @classmethod
    def of(cls, bound: Bound, trail: tuple[Step, ...] = (), shown: str = PLACEHOLDER) -> Safe:
        """The value as the text `shown`: by default a mark that no SQL could be without."""
        made = cls(shown)
        made.bound, made.trail = bound, trail
        return made


Piece = str | Hole


def rank(pieces: Sequence[Piece]) -> tuple[int, int]:
    """How bad a text is: its worst hole, then how many."""
    ranks = [p.rank for p in pieces if isinstance(p, Hole)]
    return (max(ranks, default=0), len(ranks))
