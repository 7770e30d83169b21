"""Secrets that stand in somebody's files, as stars: what is shown, logged or kept never holds them in clear text.

This is no rule and finds nothing: it hides what may be a secret by the name that it is bound to or by its form, before the
text goes anywhere. Stars take exactly the place of what they hide, so that lines and columns stay. Text that only names a
secret (`"password"`, `"Enter your token"`), a place (`"/api/token"`) or a type stays: names are what analysis works with.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from prodready.discover import WEB
from prodready.source import string_end
from prodready.words import split_words

CODE = (".py", *WEB)

_ENDS = {
    tuple(phrase.split())
    for phrase in (
        "password;passwords;passwd;pwd;pswd;pass;passphrase;pass phrase;passcode;secret;secrets;token;tokens;apikey;api key;"
        "secret key;secretkey;access key;accesskey;private key;privatekey;signing key;encryption key;master key;auth key;"
        "hmac key;shared key;credential;credentials;authorization;bearer;jwt;otp;cvv;"
        "senha;clave;contraseña;contrasena;passwort;kennwort"
    ).split(";")
}
"""How the names of secrets end."""

_PARTS = frozenset(
    "password passwords passwd passphrase passcode secret token tokens apikey authorization key auth".split()
)
_BEFORE = frozenset(
    "is has max min num count use show hide require requires required invalid missing wrong forgot eos bos pad unk stop end "
    "start sep mask special next page parser lexer prompt hash hashed encrypted public no".split()
)
"""... unless one of these stands before that."""

_AFTER = frozenset(
    "value val default raw plain prod production dev development test staging local new old b64 base64 str bytes".split()
)
_SETTERS = frozenset("set check make hash verify generate create encrypt reset change".split())
_WORDS = frozenset(
    "string str text hidden bearer basic digest none null true false yes optional required int integer bytes uuid email "
    "invalid expired refresh access undefined static session cookie header query body form".split()
)
_SQL = re.compile(r"\s*(?:select|insert|update|delete|create|alter|with|drop|grant)\b", re.IGNORECASE)
_PLACE = re.compile(r"[./~]|[a-z][a-z+]*://|[A-Za-z_]+(?:\.[A-Za-z_]+)+$|[\w/-]+\.[a-z]{2,4}$")
_HOLE = re.compile(r"[{}<>]|%[(sd]|\$[({A-Z]|^[:$?@]")
_CODE = re.compile(r"""["'`]\s*(?:[-+%.,)|&{]|\}|if\b|or\b)|(?:[-+({,%]|\$\{)\s*[fFrRbB]?["'`]""")

_WORDY = re.compile(r"[a-z]+\d?(?:[_.-][a-z]+\d?)+|[\w.+-]+@[\w.-]+")
_CODE_START = re.compile(r"[-+,)\]}%:;.]+(?:\s|$|\w+\()")
"""Behind `"token="`, where the quote is the end of a text and not the start of one."""

_STEMS = (
    "pass|pwd|pswd|secret|token|key|credential|authorization|bearer|jwt|otp|cvv|senha|clave|contrase|kennwort".split(
        "|"
    )
)
_ANY_STEM = re.compile("|".join(_STEMS), re.IGNORECASE)
_LITERAL = r"""(?P<prefix>[bBfFrRuU]{0,2})(?P<quote>\"\"\"|'''|["'`])"""
_BOUND = re.compile(
    rf"""[\w-]*(?P<close>["']?\]?)
    (?P<sep>[ \t]*:[ \t]*[\w.\[\], |"']{{1,60}}?[ \t]*=(?!=)|[ \t]*(?:===?|!==?|:=|=>|=|:|,)|\()
    (?:(?<=[,(])\s*|[ \t]*(?:\\\r?\n[ \t]*)?(?:\(\s*)?
      |(?:[^\n"'`]|"[^"\n]*"|'[^'\n]*'){{0,80}}?(?:\bor|\belse|\bdefault\s*=|\?\?|\|\|)\s*){_LITERAL}""",
    re.IGNORECASE | re.VERBOSE,
)
_BEHIND = re.compile(r"""(?P<quote>["'`])(?P<value>[^"'`\n]{3,200})(?P=quote)\s*[!=]==?\s*(?P<name>[\w.]+)""")
_NEXT = re.compile(rf"(?:[ \t]*\\?\n?[ \t]*\+?\s*){_LITERAL}")
_NAME = re.compile(r"[\w.-]*$")
_GIVEN = re.compile(
    r"(?:get|getenv|env|config|default|set|item|attr|pop|str|header|cookie)\s*\(\s*(?:[\w.]+\s*,\s*)?[\"']$",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"(?:compare|digest|check|verify|equals?)\w*\s*\(\s*$", re.IGNORECASE)
_INLINE = re.compile(
    r"""(?:password|passwd|pwd|secret|token|key)=(?P<value>[^\s"'`&;,(){}\[\]<>$%]{3,})(?=["'`]|[ ;&]+\w+=)""",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:(?:export|ENV|ARG)[ \t]+)?(?P<name>[\w.-]+)(?:[ \t]*[=:][ \t]*|[ \t]+)
    (?P<value>[^\s"'][^\n]*?)[ \t\r]*$""",
    re.MULTILINE | re.VERBOSE,
)
_FORMS = tuple(
    (needles, re.compile(form))
    for needles, form in (
        (("AKIA", "ASIA"), r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b"),
        (("gh", "glpat-"), r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{15,})"),
        (("xox",), r"\bxox[abeprs]-[\w-]{10,}"),
        (("k_live_", "k_test_", "sk-"), r"\b(?:[sr]k_(?:live|test)_\w{10,}|sk-[\w-]{20,})"),
        (
            ("AIza", "SG.", "npm_", "pypi-"),
            r"\b(?:AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_\w{30,}|pypi-[\w-]{30,})",
        ),
        (("eyJ",), r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"),
        (
            ("PRIVATE KEY-----",),
            r"BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)*(?P<value>[A-Za-z0-9+/=](?:\\n|[A-Za-z0-9+/=\s]){12,})",
        ),
        (("://",), r"""://[^\s/:@"'`{}<>$%]*:(?P<value>[^\s/@"'`{}<>$%]+)@"""),
    )
)
_RANDOM = re.compile(r"""(?P<quote>["'])(?P<value>[\w+/=-]{20,})(?P=quote)""", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
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
        yield from _bound(text, starts)
        if "bearer " in lowered or "basic " in lowered or "token " in lowered:
            yield from (match.span("value") for match in _AUTHORIZATION.finditer(text) if _is_strong(match["value"]))
        for match in _SETTING.finditer(text) if settings else ():
            if _is_secret(match["name"]) and not _is_harmless(match["value"]):
                yield match.span("value")
    yield from (match.span("value") for match in _RANDOM.finditer(text) if _is_random(match["value"]))
    for needles, form in _FORMS:
        if any(needle in text for needle in needles):
            yield from (match.span(form.groups) for match in form.finditer(text))


def _stems(text: str, lowered: str) -> list[int]:
    """Where a part of the name of a secret stands."""
    if len(lowered) != len(text):
        return [match.start() for match in _ANY_STEM.finditer(text)]
    found = []
    for stem in _STEMS:
        at = lowered.find(stem)
        while at >= 0:
            found.append(at)
            at = lowered.find(stem, at + 1)
    return found


def _bound(text: str, starts: Iterable[int]) -> Iterator[Stretch]:
    """Literals that are bound to, compared with or given beside the name of a secret."""
    for start in starts:
        match = _BOUND.match(text, start)
        if match is None:
            inline = _INLINE.match(text, start)
            if inline and _is_secret(_name_before(text, start) + text[start : inline.start("value") - 1]):
                if not _is_harmless(inline["value"]):
                    yield inline.span("value")
            continue
        front = _name_before(text, start)
        own = front + text[start : match.start("close")]
        if _is_secret(own):
            before = text[max(0, start - 80) : start].removesuffix(front)
            given, separator = match["close"] in {"'", '"'}, match["sep"].strip()
            if separator == "," and not given and not _COMPARED.search(before):
                continue
            yield from _literals(text, match, strict=_asks_for_strength(own, separator, before, given=given))
    for match in _BEHIND.finditer(text) if "==" in text or "!=" in text else ():
        if _is_secret(match["name"]) and not _is_harmless(match["value"]):
            yield match.span("value")


def _name_before(text: str, at: int) -> str:
    """What stands before this place of the name that it is in the middle of."""
    found = _NAME.search(text, max(0, at - 60), at)
    return found[0] if found else ""


def _asks_for_strength(name: str, separator: str, before: str, *, given: bool) -> bool:
    """Whether only what looks like a secret is one there: beside a name stand other things just as often."""
    if separator == ",":
        return given and not _GIVEN.search(before)
    words = split_words(name)
    return separator == "(" and words[0] not in _SETTERS and words[-1] not in _AFTER


def _literals(text: str, match: re.Match[str] | None, *, strict: bool) -> Iterator[Stretch]:
    """The content of a literal and of those that are added to it."""
    while match:
        quote, start = match["quote"], match.end()
        end = text.find(quote, start) + 1 if quote == "`" else string_end(text, start, quote)
        if quote == "`" and re.search("[\n\"']", text[start:end]):
            return
        if end < start or text[end - len(quote) : end] != quote:
            return
        value = text[start : end - len(quote)]
        if "f" in match["prefix"].lower() or quote == "`":
            for piece in re.finditer(r"[^{}$\s]{6,}", re.sub(r"\{[^{}]*\}", lambda hole: " " * len(hole[0]), value)):
                if _is_strong(piece[0]) and not _is_harmless(piece[0]):
                    yield start + piece.start(), start + piece.end()
        elif not _is_harmless(value) and (_is_strong(value) or not strict):
            yield start, end - len(quote)
        match = _NEXT.match(text, end)


def _is_secret(name: str) -> bool:
    """Whether what has this name is a secret, by the words at its end."""
    words = list(split_words(name.rpartition(".")[2]))
    while len(words) > 1 and (words[-1] in _AFTER or words[-1].isdigit()):
        words.pop()
    return not _BEFORE.intersection(words) and (tuple(words[-1:]) in _ENDS or tuple(words[-2:]) in _ENDS)


def _is_strong(value: str) -> bool:
    """Whether a text looks as if nobody could guess it."""
    if len(value) < 6 or any(map(str.isspace, value)) or _WORDY.fullmatch(value):
        return False
    return (any(map(str.isdigit, value)) and any(map(str.isalpha, value))) or (len(value) >= 24 and "_" not in value)


def _is_random(value: str) -> bool:
    """Whether a text has no words in it, whatever it is called: a key, or a digest."""
    if _HEX.fullmatch(value):
        return True
    if not (any(map(str.isdigit, value)) and value.lower() != value and value.upper() != value):
        return False
    # What is made of words has few changes between the kinds of letters.
    kinds = ["0" if char.isdigit() else "A" if char.isupper() else "a" if char.islower() else "" for char in value]
    return sum(one != other for one, other in itertools.pairwise(kinds)) * 3 > len(value)


def _is_harmless(value: str) -> bool:
    """Whether a text is a name, a type, a place, a statement or a form to be filled in, and no secret."""
    if len(value) < 3 or len(value) > 5000 or set(value) == {"*"}:
        return True
    if (
        _CODE.search(value)
        or _HOLE.search(value)
        or _SQL.match(value)
        or (_PLACE.match(value) and not _is_strong(value))
    ):
        return True
    if value.startswith(("/", "http://", "https://")) and "@" not in value:
        return True
    if value[0] in " \t" or _CODE_START.match(value) or "PRIVATE KEY--" in value:
        return "PRIVATE KEY--" not in value
    words = split_words(value)
    if not any(word.isdigit() for word in words) and (_PARTS.intersection(words) or value.lower() in _WORDS):
        return True
    return value[:1].isupper() and len(value.split()) > 1 and not any(map(str.isdigit, value))
