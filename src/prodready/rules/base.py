"""The form of a rule: what it declares. The engine does the rest.

A rule is one module in this package with a docstring (its documentation) and a module attribute `rule`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prodready.finding import Finding, Fix, Severity

if TYPE_CHECKING:
    from prodready.link.linked import Linked

SECTIONS = ("Why it matters", "Bad", "Good", "Not reported", "References")


@dataclass(frozen=True)
class Rule:
    """What every rule declares.

    `needles` are lower-cased texts at least one of which stands in any project that the rule reports on with the knowledge
    that comes with prodready: an editor or a hook may ask for no more where there is none. `skip` names the kinds of file it
    stays silent in by default (`tests`, `migrations`, `generated`); `stage` is the stage of the checklist; `sinks`
    are the kinds of sink that it follows values to; `family` is shared by rules that look at the same things, and may be
    judged apart from the others; `front` says that it asks for the front end (`Linked.front`); `check` yields the findings
    of a whole project (a rule without it is reported by another part of the tool: `engine` names the analyser that runs
    inside of a check, if it is one); `same` are rules that speak of the same weakness, to which it yields; `example` is the name of a file that the examples of the docstring could stand in;
    `fix` gives the edits that remove one finding, from the text of its file.
    """

    code: str
    slug: str
    severity: Severity
    stage: str
    needles: tuple[str, ...]
    skip: frozenset[str] = frozenset({"tests", "generated"})
    sinks: frozenset[str] = frozenset()
    check: Callable[[Linked], Iterator[Finding]] | None = field(default=None, compare=False)
    family: str = ""
    front: bool = False
    fix: Callable[[Finding, str], tuple[Fix, ...]] | None = field(default=None, compare=False)
    engine: str = ""
    same: tuple[str, ...] = ()
    example: str = "app.py"
    doc: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """The problem in one sentence: the first line of the rule's docstring."""
        return self.doc.strip().partition("\n")[0].rstrip(".")

    def sections(self) -> dict[str, str]:
        """The docstring by heading: `""` for the opening, then the names in SECTIONS."""
        parts = re.split(rf"^({'|'.join(SECTIONS)})\n-+\n", self.doc.strip() + "\n", flags=re.MULTILINE)
        return {"": parts[0].strip()} | {
            name: body.strip("\n") for name, body in zip(parts[1::2], parts[2::2], strict=True)
        }
