"""What the analysis says: findings, and problems that kept it from saying more.

Everything a rule, an engine or a surface exchanges is defined here; nothing here imports the rest of the package.
Lines are 1-based; columns are 1-based and count Unicode characters (SARIF's `unicodeCodePoints`).
"""

from __future__ import annotations

import hashlib
import re
from enum import IntEnum

import msgspec

_DEFINITION = re.compile(r"\s*(?:async\s+)?((?:def|class)\s+\w+)")


class Severity(IntEnum):
    """How bad it is if the finding is true."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The name a user writes and reads: `info`, `warning` or `error`."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the analysis is: HIGH, the whole path is resolved; MEDIUM, one step is assumed; LOW, a hint."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The name a user writes and reads: `low`, `medium` or `high`."""
        return self.name.lower()


class Location(msgspec.Struct, frozen=True, order=True):
    """A stretch of a file. `path` is relative to the project root, with forward slashes."""

    path: str
    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0


class Step(msgspec.Struct, frozen=True):
    """One step of a trace, or a related place: what happens there, in a few words."""

    location: Location
    message: str


class Edit(msgspec.Struct, frozen=True):
    """Replace the text of `location` by `replacement`."""

    location: Location
    replacement: str


class Fix(msgspec.Struct, frozen=True):
    """A change that removes the finding. `safe` is true only if it cannot alter what correct code does."""

    description: str
    edits: tuple[Edit, ...]
    safe: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One defect at one place.

    `message` names the value and the sink, `hint` is the way out; `trace` runs from where the value came in to where it
    does harm, the sink last. `snippet` is the normalised source of the reported statement and `context` the qualified
    name around it: both feed the fingerprint, which holds no line numbers, so that moved code keeps it. `statement` is
    the first and last line of the statement: a suppression comment counts on any of them. `facts` is what the rule's own
    fixer needs to know. Where only a change was asked about, `change` is the place of it by which the finding came in,
    unless that is its own location; `identity` is the fingerprint of one that is reported at such a place. `secret` says
    that the text at the location must not be shown. Texts name the lines of no other places than the finding has.
    """

    code: str
    slug: str
    message: str
    severity: Severity
    confidence: Confidence
    location: Location
    trace: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    fixes: tuple[Fix, ...] = ()
    hint: str = ""
    context: str = ""
    snippet: str = ""
    occurrence: int = 0
    statement: tuple[int, int] = (0, 0)
    facts: dict[str, str] = {}
    change: Step | None = None
    identity: str = ""
    secret: bool = False

    @property
    def fingerprint(self) -> str:
        """A stable 16-digit hexadecimal identity: code, path, context, snippet and occurrence, without line numbers."""
        if self.identity:
            return self.identity
        parts = (self.code, self.location.path, self.context, normalised(self.snippet), str(self.occurrence))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def places(self) -> tuple[Location, ...]:
        """All places that it speaks of."""
        return (self.location, *(step.location for step in (*self.trace, *self.related)))

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of reports: by file, then place, then code."""
        return (self.location.path, self.location.line, self.location.column, self.code, self.message)


def normalised(code: str) -> str:
    """Code without what a formatter changes: blanks, ends of lines, the kind of quotes, a comma before a bracket.

    Of a definition only the name: what is said of a function does not become new when a parameter gets a type.
    """
    if definition := _DEFINITION.match(code):
        return definition[1]
    text = "".join(code.split()).replace("'", '"')
    for bracket in ")]}":
        text = text.replace(f",{bracket}", bracket)
    return text


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that a comment silenced, with the comment's reason and line."""

    finding: Finding
    kind: str
    reason: str
    line: int = 0


class Account(msgspec.Struct, frozen=True):
    """A finding told step by step: `values` says for each step of its trace what the value is there.

    `quiet` says why it is not reported, if it is not.
    """

    finding: Finding
    values: tuple[tuple[str, ...], ...]
    quiet: str = ""


class Note(msgspec.Struct, frozen=True):
    """What is known of something, in words; where that shows, and what would help to know more."""

    message: str
    location: Location | None = None
    hint: str = ""


class CallNote(msgspec.Struct, frozen=True):
    """What a call is taken for. `sinks` are the sinks that it is or leads to, each with the rules that ask for it.

    `texts` are what goes in, put together; `safe` is what makes the values harmless, `open` what is said of the others,
    `unresolved` what could not be found out.
    """

    name: str
    location: Location
    callees: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    safe: tuple[Note, ...] = ()
    open: tuple[Note, ...] = ()
    unresolved: tuple[Note, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """What there is to say of one line of one file.

    `passing` are findings reported elsewhere whose trace leads through the line; `nearest` are lines of the same function
    that have something, where this one has not; `left_out` says which rules do not report in the file, and why.
    """

    root: str
    location: Location
    context: str
    findings: tuple[Account, ...] = ()
    passing: tuple[Finding, ...] = ()
    calls: tuple[CallNote, ...] = ()
    nearest: tuple[Step, ...] = ()
    left_out: tuple[str, ...] = ()


class GuardNote(msgspec.Struct, frozen=True):
    """A check that requests for a route must pass: see `link/route.py`."""

    kind: str
    name: str
    location: Location
    where: str
    partial: bool = False


class RouteNote(msgspec.Struct, frozen=True):
    """A route as it is listed. `callers` are the places of the user interface that send requests to it.

    `handler` is where the function or the class stands that answers, `declared` where the route is declared; `unknown` says
    what could not be found out.
    """

    methods: tuple[str, ...]
    path: str
    name: str
    handler: Step
    declared: Location
    guards: tuple[GuardNote, ...] = ()
    callers: tuple[Step, ...] = ()
    unknown: tuple[str, ...] = ()


class RouteTable(msgspec.Struct, frozen=True):
    """The routes of a project. `unresolved` are places that declare routes which could not be followed."""

    root: str
    routes: tuple[RouteNote, ...] = ()
    unresolved: tuple[Location, ...] = ()
    problems: tuple[Problem, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be done: one line that says what, where and what to do. It makes the exit code 2."""

    message: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        """The line as printed: `path:line: message`."""
        where = f"{self.path}:{self.line}: " if self.line else f"{self.path}: " if self.path else ""
        return where + self.message


class Report(msgspec.Struct, frozen=True):
    """The outcome of one check of one project, ready for a writer.

    `root` is the absolute path of the project; all locations are relative to it. `findings` are those to show, in order;
    `below` are less sure or less grave than asked for, `baselined` are known from the baseline, of which `fixed` counts
    what was not found any more.
    `notes` are remarks shown with --verbose, `warnings` remarks that are always shown; neither changes the exit code.
    `timings` are seconds per step, `seconds` the wall time of all.
    """

    root: str = "."
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    below: tuple[Finding, ...] = ()
    baselined: tuple[Finding, ...] = ()
    fixed: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    files: int = 0
    lines: int = 0
    cached: int = 0
    seconds: float = 0.0
    timings: dict[str, float] = {}

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 the job could not be done in full."""
        return 2 if self.problems else 1 if self.findings else 0
