"""Comments that silence findings.

    cursor.execute(sql)  # noqa: PRD301
    cursor.execute(sql)  # prodready: ignore[PRD301] the table name is checked above
    # prodready: ignore-file[secret-in-log] a command for the console, its output is the point

`noqa` follows flake8's grammar. In a `prodready:` comment the brackets name codes or slugs, and the reason runs to the
end of the line, or to a `#` that stands between spaces (so that "see #12" is a reason, and other tools' comments may
follow). A `prodready:` comment counts on any line of a statement, and in the block of comments right above it; a `noqa`
on any line of the statement.

`scan` reads the comments of one file and knows no rule: its result is a fact to be cached. `apply` judges them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from prodready.finding import Confidence, Finding, Location, Suppressed
from prodready.source import comments, split_lines
from prodready.words import near

if TYPE_CHECKING:
    from prodready.rules import Rule

UNUSED = "PRD001"
INVALID = "PRD002"
_OURS = frozenset({UNUSED, INVALID})
_WORDS = ("ignore", "ignore-file")
_SEPARATORS = re.compile(r"[\s;|/+&]+")

# As in flake8.defaults, so that one comment means the same to both.
_NOQA = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
# Bandit's tests; flake8-bugbear has B0 and B9.
_BANDIT = re.compile(r"B[1-7]\d{2}")
_NEXT_SEGMENT = re.compile(r"(?<=\s)#+(?=\s|noqa|prodready)", re.IGNORECASE)
_SEGMENT = re.compile(r"#+\s*(prodready\b.*)", re.IGNORECASE)
# The colon may be missing only where the next word shows what was meant: prose may speak of prodready.
_DIRECTIVE = re.compile(
    r"prodready(?:\s*:|[\s_=-]*(?=ig?n[\w-]*\s*\[))\s*(?P<word>[\w-]*)\s*(?:\[(?P<codes>[^\]]*)\])?(?P<rest>.*)",
    re.IGNORECASE,
)

_OTHER = re.compile(
    r"(?://|/\*+|<!--|\{#-?|\{%-?\s*comment[^%]*%\}|(?<!#)#+)\s*(?P<text>prodready\b.*?)(?:\*/|-->|-?#\}|\{%|$)",
    re.IGNORECASE,
)


class Directive(msgspec.Struct, frozen=True, array_like=True):
    """One comment that means to silence something.

    `word` is `noqa` or what follows `prodready:`; `codes` are as written, None where the comment has no brackets (for
    `noqa`: it is a blanket one); `below` is the line under the block of comments it stands in, 0 if it shares its line
    with code.
    """

    word: str
    line: int
    column: int
    text: str
    codes: tuple[str, ...] | None = None
    reason: str = ""
    below: int = 0
    colon: bool = True

    @property
    def is_noqa(self) -> bool:
        """Whether it is flake8's comment, not a `prodready: noqa`, which does not exist."""
        return self.word == "noqa" and self.text[:6].lower() == "# noqa"


class Suppressions(msgspec.Struct, frozen=True, array_like=True):
    """What the comments of one file mean to silence."""

    directives: tuple[Directive, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.directives)


NONE = Suppressions()


def scan(text: str) -> Suppressions:
    """The comments of a Python text that silence something, or try to."""
    lowered = text.lower()
    if "noqa" not in lowered and "prodready" not in lowered:
        return NONE
    found: list[Directive] = []
    own_lines: set[int] = set()
    for comment in comments(text):
        if comment.own_line:
            own_lines.add(comment.line)
        found.extend(_directives(comment.text, comment.line, comment.column, comment.own_line))
    if not found:
        return NONE
    return _with_blocks(found, own_lines)


def scan_other(text: str) -> Suppressions:
    """The `prodready:` comments of a text that is not Python: a script, a page, a template, a Dockerfile, YAML."""
    found: list[Directive] = []
    own_lines: set[int] = set()
    for number, line in enumerate(split_lines(text), 1) if "prodready" in text.lower() else ():
        for match in _OTHER.finditer(line):
            own_line = not line[: match.start()].strip(" \t{\ufeff")
            if own_line:
                own_lines.add(number)
            found.extend(_directives(f"# {match['text'].rstrip()}", number, match.start() + 1, own_line))
    return _with_blocks(found, own_lines)


def _directives(text: str, line: int, column: int, own_line: bool) -> Iterator[Directive]:
    noqa = _NOQA.search(text)
    if noqa:
        written = re.split(r"[,\s]+", (noqa["codes"] or "").upper())
        ours = tuple(code for code in written if code.startswith("PRD") or _BANDIT.fullmatch(code))
        if ours or noqa["codes"] is None:
            yield Directive("noqa", line, column + noqa.start(), noqa[0].rstrip(" \t,"), ours or None)
    starts = [0, *(match.start() for match in _NEXT_SEGMENT.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        segment = _SEGMENT.fullmatch(text[start:end].rstrip())
        match = _DIRECTIVE.fullmatch(segment[1]) if segment else None
        if segment and match:
            codes = (code.strip() for code in (match["codes"] or "").split(","))
            yield Directive(
                match["word"].lower(),
                line,
                column + start,
                segment[0],
                None if match["codes"] is None else tuple(code for code in codes if code),
                match["rest"].strip(" \t:,;.-\u2013\u2014"),
                below=int(own_line),
                colon=":" in segment[1][: match.start("word")],
            )


def _with_blocks(found: Sequence[Directive], own_lines: set[int]) -> Suppressions:
    below: dict[int, int] = {}  # By a line of a block of comments the line under the block.
    for line in sorted(own_lines, reverse=True):
        below[line] = below.get(line + 1, line + 1)
    return Suppressions(
        tuple(
            msgspec.structs.replace(directive, below=below[directive.line]) if directive.below else directive
            for directive in found
        )
    )


def apply(
    findings: Sequence[Finding],
    suppressions: Suppressions,
    path: str,
    ran: Collection[str],
    rules: Mapping[str, Rule],
    require_reason: bool = True,
) -> tuple[list[Finding], list[Suppressed], list[Finding]]:
    """What is left of one file's findings, what was silenced, and what is wrong with the comments themselves.

    `ran` holds the codes that were selected and ran on this file: only for those can a comment be unused, and PRD001
    and PRD002 are themselves reported only if they are among them. Pass the findings of every confidence: a comment
    that silences one that would not be shown is not unused.
    """
    if not suppressions:
        return list(findings), [], []
    return _Judge(suppressions, path, ran, rules, require_reason).judge(findings)


class _Judge:
    """Matches findings with comments and keeps count of which comment, and which code of it, was of use."""

    def __init__(
        self,
        suppressions: Suppressions,
        path: str,
        ran: Collection[str],
        rules: Mapping[str, Rule],
        require_reason: bool,
    ) -> None:
        self.rules = rules
        self.by_slug = {rule.slug: code for code, rule in self.rules.items()}
        self.path = path
        self.ran = ran
        self.require_reason = require_reason
        self.directives = suppressions.directives
        self.errors = [self._error(directive) for directive in self.directives]
        self.codes = [
            None if directive.codes is None else tuple(self._code(code) or code for code in directive.codes)
            for directive in self.directives
        ]
        self.used: set[tuple[int, str]] = set()
        self._lines = [directive.line for directive in self.directives]
        self._above: dict[int, list[int]] = {}
        self._everywhere: list[int] = []
        for index, directive in enumerate(self.directives):
            if directive.word == "ignore-file":
                self._everywhere.append(index)
            elif directive.below:
                self._above.setdefault(directive.below, []).append(index)

    def judge(self, findings: Sequence[Finding]) -> tuple[list[Finding], list[Suppressed], list[Finding]]:
        kept, suppressed = self._sift([(finding, -1) for finding in findings])
        about = [
            (self._finding(INVALID, index, error), index)
            for index, error in enumerate(self.errors)
            if error is not None
        ]
        about += self._unused(lambda code: code not in _OURS)
        extra, more = self._sift(about)
        # A comment that names PRD001 or PRD002 can be unused too; only a `noqa` silences that report.
        last, most = self._sift(self._unused(lambda code: code in _OURS), noqa_only=True)
        return kept, suppressed + more + most, sorted(extra + last, key=lambda finding: finding.sort_key)

    def _sift(
        self, findings: Sequence[tuple[Finding, int]], noqa_only: bool = False
    ) -> tuple[list[Finding], list[Suppressed]]:
        """Those kept and those silenced; each finding comes with the index of the comment that it is about, or -1.

        A `noqa` may silence what is said of itself, because in flake8 it does.
        """
        kept: list[Finding] = []
        suppressed: list[Suppressed] = []
        for finding, own in findings:
            silencing = [
                i
                for i in self._covering(finding)
                if (self.directives[i].is_noqa or (i != own and not noqa_only)) and self._silences(i, finding)
            ]
            if silencing:
                first = self.directives[silencing[0]]
                suppressed.append(Suppressed(finding, first.word, first.reason, first.line))
            elif finding.code in self.ran or finding.code not in _OURS:
                kept.append(finding)
        return kept, suppressed

    def _covering(self, finding: Finding) -> list[int]:
        """The comments that speak of the place of the finding."""
        line = finding.location.line
        first, last = min(finding.statement[0] or line, line), max(finding.statement[1], line)
        beside = range(bisect_left(self._lines, first), bisect_right(self._lines, last))
        return sorted({*self._everywhere, *beside, *self._above.get(first, ())})

    def _silences(self, index: int, finding: Finding) -> bool:
        directive, codes = self.directives[index], self.codes[index]
        if directive.is_noqa:
            match = "" if codes is None else next((code for code in codes if finding.code.startswith(code)), None)
        else:
            match = finding.code if self.errors[index] is None and codes and finding.code in codes else None
        if match is None:
            return False
        self.used.add((index, match))
        return True

    def _unused(self, wanted: Callable[[str], bool]) -> list[tuple[Finding, int]]:
        found = []
        for index, (directive, codes) in enumerate(zip(self.directives, self.codes, strict=True)):
            if not codes or (self.errors[index] is not None and not directive.is_noqa):
                continue
            idle = [
                code
                for code in dict.fromkeys(codes)
                if wanted(code)
                and (index, code) not in self.used
                and any(ran.startswith(code) if directive.is_noqa else ran == code for ran in self.ran)
            ]
            if idle:
                where = "in this file" if directive.word == "ignore-file" else "here"
                message = f"`{_short(directive.text)}` silences nothing: {' and '.join(idle)} found nothing {where}"
                found.append((self._finding(UNUSED, index, message), index))
        return found

    def _code(self, written: str) -> str | None:
        """The code that is meant by a code or a slug."""
        if written.upper() in self.rules:
            return written.upper()
        if written in self.rules:
            return written
        return self.by_slug.get(written.lower())

    def _error(self, directive: Directive) -> str | None:
        """Why the comment is malformed, with the nearest valid spelling; None if it is not."""
        codes = directive.codes
        if directive.is_noqa:
            unknown = [
                code
                for code in codes or ()
                if not _BANDIT.fullmatch(code) and not any(rule.startswith(code) for rule in self.rules)
            ]
            if not unknown:
                return None
            right = dict.fromkeys(self._nearest(code) if code in unknown else code for code in codes or ())
            right.pop("", None)
            how = f"write `# noqa: {','.join(right)}`" if right else "`prodready rules` lists them"
            return f"there is no rule {' or '.join(unknown)}; {how}"
        unknown = [code for code in codes or () if not self._code(code)]
        parts = [part for code in codes or () for part in _SEPARATORS.split(code) if part]
        prefixes = [code for code in unknown if any(rule.startswith(code.upper()) for rule in self.rules)]
        if directive.word not in _WORDS:
            why = f"there is no `prodready: {directive.word}`" if directive.word else "it does not say `ignore`"
        elif not directive.colon:
            why = "a colon is missing after `prodready`"
        elif codes is None:
            why = "it names no rule in brackets"
        elif not codes:
            why = "its brackets are empty"
        elif unknown and all(map(self._code, parts)):
            why = "commas go between codes"
        elif prefixes:
            why = f"it takes whole codes, and {' and '.join(prefixes)} is only the beginning of one"
        elif unknown:
            why = f"there is no rule {' or '.join(unknown)}"
        elif self.require_reason and not directive.reason:
            why = "it gives no reason"
        else:
            return None
        return f"`{_short(directive.text)}` silences nothing: {why}; write {self._corrected(directive)}"

    def _corrected(self, directive: Directive) -> str:
        word = near(directive.word.replace("_", "-"), _WORDS) or "ignore"
        reason = directive.reason
        codes = [part for code in directive.codes or () for part in _SEPARATORS.split(code)]
        if not codes:
            codes = re.findall(r"\bPRD\w+", directive.text, re.IGNORECASE)
            reason = ""
        right = dict.fromkeys(self._code(code) or self._nearest(code) for code in codes)
        right.pop("", None)
        listed = ", ".join(right) or "CODE"
        ours = f"`# prodready: {word}[{listed}] {_short(reason) or 'the reason'}`"
        return f"`# noqa: {listed}` or {ours}" if directive.word == "noqa" else ours

    def _nearest(self, written: str) -> str:
        """The code that was plainly meant by what is no code, or nothing."""
        choices = {code: code for code in self.rules} | self.by_slug
        return choices.get(near(written.replace("_", "-"), choices), "")

    def _finding(self, code: str, index: int, message: str) -> Finding:
        directive, rule = self.directives[index], self.rules[code]
        return Finding(
            code,
            rule.slug,
            message,
            rule.severity,
            Confidence.HIGH,
            Location(
                self.path, directive.line, directive.column, directive.line, directive.column + len(directive.text)
            ),
            hint="remove the comment" if code == UNUSED else "",
            snippet=directive.text,
            occurrence=sum(other.text == directive.text for other in self.directives[:index]),
            statement=(directive.line, directive.line),
        )


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."
