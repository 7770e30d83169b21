"""Secrets that stand in somebody's files, as stars: what is shown, logged or kept never holds them in clear text.

This is no rule and finds nothing: it hides what may be a secret by the name that it is bound to or by its form, before the
text goes anywhere. Stars take exactly the place of what they hide, so that lines and columns stay. Text that only names a
secret (`"password"`, `"Enter your token"`), a place (`"/api/token"`) or a type stays: names are what analysis works with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prodready.discover import WEB
from prodready.secret_texts import AFTER, STRONG, is_harmless, is_random, is_strong, weight
from prodready.secret_words import STEMS
from prodready.source import string_end
from prodready.words import split_words

CODE = (".py", *WEB)

_SETTERS = frozenset("set check make hash verify generate create encrypt reset change".split())
_STEMS = (*STEMS, "key", "authorization", "bearer", "jwt", "otp", "cvv")
_ANY_STEM = re.compile("|".join(_STEMS), re.IGNORECASE)
_LITERAL = r"""(?P<prefix>[bBfFrRuU]{0,2})(?P<quote>\"\"\"|'''|["'`])"""
_RUN = re.compile(r"[\w-]*")
_FRONT = re.compile(r"[\w.-]*")
_BOUND = re.compile(
    rf"""(?P<close>["']?\]?)
    (?P<sep>[ \t]*:[ \t]*[\w.\[|"'][\w.\[\], |"']{{0,59}}?[ \t]*=(?!=)|[ \t]*(?:===?|!==?|:=|=>|=|:|,)|\()
    (?:(?<=[,(])\s*|[ \t]*(?:\\\r?\n[ \t]*)?(?:\(\s*)?
      |(?:[^\n"'`]|"[^"\n]{{0,200}}"|'[^'\n]{{0,200}}'){{0,80}}?(?:\bor|\belse|\bdefault[ ]?=|\?\?|\|\|)\s*){_LITERAL}""",
    re.IGNORECASE | re.VERBOSE,
)
_LISTED = re.compile(
    rf"""["']?\]?[ \t]*(?::[ \t]*[\w.][\w.\[\], |]{{0,59}}?[ \t]*=|[=:])[ \t]*(?:\w{{1,20}}\()?
    (?P<bracket>[\[({{])\s*{_LITERAL}""",
    re.VERBOSE,
)
_BESIDE = re.compile(rf"""["'][^<>{{}}()]{{0,200}}?\bvalue["']?[ \t]*[=:][ \t]*{_LITERAL}""")
_BEFORE_IT = re.compile(
    r"""\bvalue[ \t]*=[ \t]*(?P<quote>["'])(?P<value>[^"'<>]{3,200})(?P=quote)
    [^<>(){}]{0,100}?\b(?:name|id|type)=["'][\w.-]*\Z""",
    re.VERBOSE,
)
_NAMED = re.compile(r"""\b(?:name|id|type|key)["']?[ \t]*[=:][ \t]*["']\Z""", re.IGNORECASE)
_BEHIND = re.compile(r"""(?P<quote>["'`])(?P<value>[^"'`\n]{3,200})(?P=quote)\s*[!=]==?\s*(?P<name>[\w.]+)""")
_NEXT = re.compile(rf"\s*(?:\\\r?\n\s*)?(?:\+\s*)?{_LITERAL}")
_NEXT_ITEM = re.compile(rf"\s*[,:]\s*{_LITERAL}")
_GIVEN = re.compile(
    r"(?:get|getenv|env|config|default|set|item|attr|pop|str|header|cookie)\s*\(\s*(?:[\w.]+\s*,\s*)?[\"']\Z",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"(?:compare|digest|check|verify|equals?)\w*\s*\(\s*\Z", re.IGNORECASE)
_INLINE = re.compile(r"""[^\s"'`&;,(){}\[\]<>$%]{3,}""")
_INLINE_NAMES = ("secret", "token", "key")
_INLINE_END = re.compile(r"""["'`]|[ ;&]+\w+=""")
_SETTING = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:(?:export|ENV|ARG)[ \t]+)?(?P<name>[\w.-]+)(?:[ \t]*[=:][ \t]*|[ \t]+)
    (?P<value>[^\s"'](?:[^\n]*[^\s])?)[ \t\r]*$""",
    re.MULTILINE | re.VERBOSE,
)
_VALUE_BELOW = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?name:[ \t]*["']?(?P<name>[\w.-]+)["']?[ \t\r]*\n
    [ \t]*value:[ \t]*["']?(?P<value>[^\s"'][^\n"']*)""",
    re.MULTILINE | re.VERBOSE,
)
_DEFAULT = re.compile(r"\$\{(?P<name>\w{1,80}):?-(?P<value>[^\s${}\"']{3,200})\}")
_FLOW = re.compile(
    r"""["']?:[ \t]+(?P<value>[^\s"'\[\]{}(),&*|>%@`\#](?:[^\n,{}\[\]]{0,500}[^\s,{}\[\]])?)(?=\s*[,}])"""
)
_BLOCK = re.compile(r"""["']?:[ \t]*(?:(?P<mark>[|>][-+\d]{0,2})[ \t]*)?(?:\#[^\n]{0,200})?\r?\n""")
_BLOCK_LINE = re.compile(r"""(?P<indent>[ \t]*)(?P<item>-[ \t]+)?(?P<quote>["']?)(?P<value>[^\n]*)\n?""")
_FORMS = tuple(
    (needles, re.compile(form))
    for needles, form in (
        (("AKIA", "ASIA"), r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b"),
        (
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{15,})",
        ),
        (("xox",), r"\bxox[abeprs]-[\w-]{10,}"),
        (("k_live_", "k_test_", "sk-"), r"\b(?:[sr]k_(?:live|test)_\w{10,}|sk-[\w-]{20,})"),
        (
            ("AIza", "SG.", "npm_", "pypi-"),
            r"\b(?:AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_\w{30,}|pypi-[\w-]{30,})",
        ),
        (("eyJ",), r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"),
        (
            ("PRIVATE KEY-----",),
            r"BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:\\n|\s)*(?P<value>[A-Za-z0-9+/=](?:\\n|[A-Za-z0-9+/=\s]){12,})",
        ),
        (("://",), r"""://[^\s/:@"'`{}<>$%]*:(?P<value>(?:[^\s/@"'`{}<>$%]|%[0-9A-Fa-f]{2})+)@"""),
    )
)
LEAST_RANDOM = 20
"""Characters of the shortest text that is taken for random, whatever it is called."""
_RANDOM_PART = re.compile(rf"[\w+/=-]{{{LEAST_RANDOM},}}", re.ASCII)
_RANDOM = re.compile(rf"""(?P<quote>["'])(?P<value>{_RANDOM_PART.pattern})(?P=quote)""", re.ASCII)
_AUTHORIZATION = re.compile(r"\b(?:bearer|basic|token)[ ]+(?P<value>[\w.~+/-]{8,}={0,2})", re.IGNORECASE)

Stretch = tuple[int, int]


def hide(text: str, path: str = ".py") -> str:
    """The text with stars in place of what may be a secret. In files that are no code values need no quotes, as in YAML."""
    return stars(text, stretches(text, settings=not path.endswith(CODE)))


def stars(text: str, found: Iterable[Stretch]) -> str:
    """The text with stars in place of these stretches; ends of lines stay."""
    parts: list[str] = []
    last = 0
    for start, end in sorted(found):
        if end > last:
            first = max(start, last)
            parts += text[last:first], re.sub(r"[^\r\n]", "*", text[first:end])
            last = end
    return "".join([*parts, text[last:]]) if parts else text


def stretches(text: str, *, settings: bool = False) -> Iterator[Stretch]:
    """Where what may be a secret starts and ends."""
    lowered = text.lower()
    if starts := _stems(text, lowered):
        yield from _bound(text, starts, settings=settings)
        if "bearer " in lowered or "basic " in lowered or "token " in lowered:
            yield from (match.span("value") for match in _AUTHORIZATION.finditer(text) if is_strong(match["value"]))
        if settings:
            yield from _settings(text)
    if _may_be_random(text):
        yield from (match.span("value") for match in _RANDOM.finditer(text) if is_random(match["value"]))
    for needles, form in _FORMS:
        if any(needle in text for needle in needles):
            yield from (match.span(form.groups) for match in form.finditer(text))


def _may_be_random(text: str) -> bool:
    """Whether something between two quotes may be random: that is a tenth of the work of looking for it at each place."""
    return any(
        is_random(part)
        for quote in "\"'"
        for part in text.split(quote)
        if len(part) >= LEAST_RANDOM and " " not in part and "\n" not in part and _RANDOM_PART.fullmatch(part)
    )


def _stems(text: str, lowered: str) -> list[int]:
    """Where a part of the name of a secret stands, in order."""
    if len(lowered) != len(text):
        return [match.start() for match in _ANY_STEM.finditer(text)]
    found = []
    for stem in _STEMS:
        at = lowered.find(stem)
        while at >= 0:
            found.append(at)
            at = lowered.find(stem, at + 1)
    found.sort()
    return found


def _bound(text: str, starts: Iterable[int], *, settings: bool) -> Iterator[Stretch]:
    """Literals that are bound to, compared with or given beside the name of a secret."""
    literals = _Literals(text)
    end = inlined = 0
    closed: object = None
    for start in starts:
        if start < end:
            continue  # The name of the last one goes on to here.
        found = _RUN.match(text, start)
        end = found.end() if found else start
        before = text[max(0, start - 200) : start]
        front = _name_before(before)
        name = front + text[start : min(end, start + 200)]
        weighs = weight(name)
        if not weighs:
            continue
        before = before[: len(before) - len(front)]
        match = _BOUND.match(text, end)
        if match:
            given, separator = match["close"] in {"'", '"'}, match["sep"].strip()
            if separator != "," or given or _COMPARED.search(before[-80:]):
                strict = _asks_for_strength(name, separator, before[-80:], given=given)
                yield from literals.after(match, weighs, strict=strict)
        elif text.startswith("=", end) and (weighs == STRONG or name.lower().endswith(_INLINE_NAMES)):
            if end >= inlined:
                inline = _INLINE.match(text, end + 1)
                inlined = inline.end() if inline else end + 1
                closed = settings or _INLINE_END.match(text, inlined)
            if closed and inlined - end <= 300 and not is_harmless(text[end + 1 : inlined], weighs):
                yield end + 1, inlined
        if match := _LISTED.match(text, end):
            strict = weighs < STRONG or not name.lower().endswith("s")
            if not strict or match["bracket"] != "{":
                yield from literals.after(match, weighs, strict=strict, items=True)
        if _NAMED.search(before[-20:]):
            yield from literals.after(_BESIDE.match(text, end), weighs, strict=weighs < STRONG)
            if weighs == STRONG and (beside := _BEFORE_IT.search(text, max(0, start - 300), start)):
                if not is_harmless(beside["value"], weighs):
                    yield beside.span("value")
        if settings:
            flow = _FLOW.match(text, end) if before.rstrip(" \t\r\n\"'")[-1:] in {"{", ","} else None
            if flow and not is_harmless(flow["value"], weighs):
                yield flow.span("value")
            if block := _BLOCK.match(text, end):
                yield from _block(text, block, start, weighs)
    for match in _BEHIND.finditer(text) if "==" in text or "!=" in text else ():
        weighs = weight(match["name"])
        if weighs and not is_harmless(match["value"], weighs):
            yield match.span("value")


def _name_before(before: str) -> str:
    """What stands at the end of this text of the name that goes on behind it."""
    found = _FRONT.match(before[:-61:-1])
    return found[0][::-1] if found else ""


def _asks_for_strength(name: str, separator: str, before: str, *, given: bool) -> bool:
    """Whether only what looks like a secret is one there: beside a name stand other things just as often."""
    if separator == ",":
        return given and not _GIVEN.search(before)
    words = split_words(name)
    return separator == "(" and words[0] not in _SETTERS and words[-1] not in AFTER


class _Literals:
    """The literals of a text, each looked at once: several names may stand before the same row of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.seen: set[tuple[int, int, bool, bool]] = set()

    def after(self, match: re.Match[str] | None, name: int, *, strict: bool, items: bool = False) -> Iterator[Stretch]:
        """What may be a secret in a literal and in those that are added to it, or, of `items`, follow it."""
        while match and (match.end(), name, strict, items) not in self.seen:
            self.seen.add((match.end(), name, strict, items))
            quote, start = match["quote"], match.end()
            end = self.text.find(quote, start) + 1 if quote == "`" else string_end(self.text, start, quote)
            if quote == "`" and re.search("[\n\"']", self.text[start:end]):
                return
            if end < start or self.text[end - len(quote) : end] != quote:
                return
            added = _NEXT.match(self.text, end)
            following = added or (_NEXT_ITEM.match(self.text, end) if items else None)
            if not (following and following[0].lstrip().startswith(":")):  # The key of a mapping.
                yield from self._parts(match, start, end - len(quote), name, strict=strict)
            match = following

    def _parts(self, match: re.Match[str], start: int, end: int, name: int, *, strict: bool) -> Iterator[Stretch]:
        value = self.text[start:end]
        if "f" in match["prefix"].lower() or match["quote"] == "`":
            for piece in re.finditer(r"[^{}$\s]{6,}", re.sub(r"\{[^{}]*\}", lambda hole: " " * len(hole[0]), value)):
                if is_strong(piece[0]) and not is_harmless(piece[0], name):
                    yield start + piece.start(), start + piece.end()
        elif not is_harmless(value, name) and (is_strong(value) or not strict):
            yield start, end


def _settings(text: str) -> Iterator[Stretch]:
    """Values without quotes, one on a line, and those of variables of containers, which stand below the name."""
    for pattern in (_SETTING, _VALUE_BELOW, _DEFAULT):
        for match in pattern.finditer(text):
            weighs = weight(match["name"])
            if weighs and not is_harmless(match["value"].strip(), weighs):
                yield match.span("value")


def _block(text: str, opened: re.Match[str], name_at: int, name: int) -> Iterator[Stretch]:
    """The lines of YAML that belong to a name: of a text over several lines, of a list, or a value below its name."""
    line = text[text.rfind("\n", max(0, name_at - 200), name_at) + 1 : name_at]
    depth = len(line) - len(line.lstrip(" \t-"))
    if not re.fullmatch(r"""[ \t]*(?:-[ \t]+)?["']?[\w.-]*""", line):
        return
    at = opened.end()
    while at < len(text) and (row := _BLOCK_LINE.match(text, at)):
        at = row.end()
        indent, value = len(row["indent"]), row["value"].rstrip()
        if not value:
            continue
        if indent < depth or (indent == depth and (opened["mark"] or not row["item"])):
            return
        if not opened["mark"] and re.match(r"[\w.-]+[\"']?:(?:\s|$)|#", value):
            return
        value = value.removesuffix(row["quote"])
        if not is_harmless(value, name) and (opened["mark"] or name == STRONG or is_strong(value)):
            yield row.start("value"), row.start("value") + len(value)
