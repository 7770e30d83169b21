"""Is this text a secret? Judged by the value itself, by the name it is given to, and by the place, in this order.

A value that has the form of some service's tokens is one, unless it is an example. Of all others the name must say that
it is a secret, and the value must look as if nobody could guess it, or like a password that somebody made up.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from prodready.engines.secret_files import is_config, is_example, is_page, is_passing, is_prose
from prodready.knowledge import rules_folder
from prodready.secret_words import KEYS, PASSWORDS, SECRETS, changes
from prodready.words import split_words

HIGH, MEDIUM, LOW = 3, 2, 1
ERROR, WARNING = 3, 2


class Words(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    """What `rules/secrets.toml` says; see there."""

    placeholders: frozenset[str]
    strong_placeholders: frozenset[str]
    filled_in: tuple[str, ...]
    keys: frozenset[str]
    not_secret: frozenset[str]
    tails: frozenset[str]
    signing: frozenset[str]
    signing_words: frozenset[str]
    tokens: dict[str, str]


_PASSWORDS = PASSWORDS | {"pass"}
WORDS = msgspec.toml.decode((rules_folder() / "secrets.toml").read_bytes(), type=Words)

_LASTING = 90 * 24 * 3600
"""Seconds: a token that is good for less was the session of somebody who tried something."""

_LONGEST = 300
"""Characters: neither a name with what stands behind it nor a line of a key is longer."""

_HINT = "take it from the environment or a secret store, and change it: who has the repository has it"

_NAME = re.compile(
    r"""([A-Za-z_$][\w$.\-]*)\\?["'`]?\]?\)?\s*(?::\s*[A-Za-z_][\w\[\]., |]*\s*)?"""
    r"""(?:={1,3}|!={1,2}|:=|=>|:|,)\s*\(?[rRbBuUfF@]{0,2}\\?["'`]?$"""
)
_STANDING_FOR_ITSELF = re.compile(
    r"[<>{}\s]|\$[\w({]|^\$|%[sd(]|^%\w+%$|^[@!/.~#-]|\.\.\.|\u2026|\*\*|\(\)|::|^https?:|^\w+://|^ENC\[|^vault:|^env[:.]|^ssm:|^sm://"
    r"|[\w\]]\(|\[\w*\]|\|"
)
_WORDS_AND_NUMBERS = re.compile(r"[A-Za-z]+(?:(?:\d[_\-.:/ ]?|[_\-.:/ ])[A-Za-z]+)*\d?[_\-.:/ ]?\d{0,2}")
_TEMPLATE = re.compile(r"\$\{|\{\{|<[\w -]+>|%\(\w+\)|^\$\w+$|^\{\w+\}$|\s")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HASH = re.compile(r"^(?:sha\d+[-:]|md5:|\$\d\w?\$|pbkdf2|bcrypt|argon2|scrypt:|\{SHA)", re.IGNORECASE)
_EXAMPLE_HOST = re.compile(
    r"^(?:localhost|127\.|0\.0\.0\.0|host\.docker\.internal|\[?::1|(?:[\w-]+\.)*example\.(?:com|org|net|io)"
    r"|[\w-]*(?:host|server|domain)[\w-]*$)"
)


class Place(NamedTuple):
    """Where a value begins: line `number` of `lines` in the file `path`, after `start` characters."""

    path: str
    lines: Sequence[str]
    number: int
    start: int

    @property
    def line(self) -> str:
        """The line."""
        return self.lines[self.number - 1]


class Verdict(NamedTuple):
    """A value that counts. `end` is the line and column behind it, if it does not end in its line."""

    message: str
    value: str
    severity: int = ERROR
    confidence: int = HIGH
    hint: str = _HINT
    end: tuple[int, int] | None = None


def judged(kind: str, value: str, place: Place) -> Verdict | None:
    """What is to be said of a value that detect-secrets took for a secret of this kind; None if it is none."""
    by_name = kind == "AWS Access Key" and not value.startswith(("AKIA", "ASIA"))
    if kind in WORDS.tokens and not by_name:
        token = _token(kind, value, place)
        return token._replace(confidence=LOW) if token and is_example(place.path) else token
    if kind == "Private Key":
        verdict = _private_key(place)
    elif kind == "Basic Auth Credentials":
        verdict = _in_url(value, place)
    elif kind == "JSON Web Token":
        verdict = _web_token(value, place)
    else:
        verdict = _named(value, place)
    if verdict is None or is_prose(place.path, place.lines, place.number):
        return None
    public = is_page(place.path) and split_words(_name(place) or "")[-2:] == ("api", "key")
    if public or is_passing(place.path, place.lines, place.number):
        return verdict._replace(confidence=LOW)
    return verdict


def _token(kind: str, value: str, place: Place) -> Verdict | None:
    words = set(split_words(value))
    if words & WORDS.strong_placeholders or _repeats(value) or "example" in value.lower() or "test" in words:
        return None
    if kind == "Twilio API Key" and value.startswith("AC"):
        return None  # The name of an account.
    body = max(re.split(r"[_\-.:/=]", value), key=len)
    if len(set(body)) < 6 or not _looks_random(body, least=8):
        return None
    if (
        kind in {"Mailchimp Access Key", "Discord Bot Token", "Twilio API Key", "Telegram Bot Token"}
        and _name(place) is None
    ):
        return None
    return Verdict(f"{WORDS.tokens[kind]} stands in the file", value)


def _web_token(value: str, place: Place) -> Verdict | None:
    """A JSON Web Token, unless it is the well-known example, meant for everybody, or none at all."""
    parts = value.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, IndexError):
        return None
    if not isinstance(claims, dict) or len(parts) != 3 or len(parts[2]) < 20 or is_example(place.path):
        return None
    begin, end = claims.get("iat"), claims.get("exp")
    if end is not None and not (isinstance(begin, int) and isinstance(end, int) and end - begin > _LASTING):
        return None  # A session that is over.
    said = " ".join(str(item).lower() for item in (*claims.values(), *claims))
    if re.search(r"1234567890|john doe|example|anon\b|demo|test|foo|some", said):
        return None
    return Verdict("a signed token (JWT) stands in the file", value, WARNING, MEDIUM)


def _private_key(place: Place) -> Verdict | None:
    """A private key with its body, on the lines that follow or in one text with `\\n`."""
    begin = place.line.find("-----BEGIN")
    rest = place.line[begin:]
    if begin < 0 or is_example(place.path) or re.search(r"EXAMPLE|FAKE|DUMMY", rest):
        return None
    if re.match(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\+n|\s)[\w+/=]{32,}", rest):
        value = re.match(r"[^\"'`]*", rest)
        return Verdict("a private key stands in the file", value[0] if value else rest)
    body = [
        line[:_LONGEST].lstrip(" \t\"'+`").rstrip(" \t\"'+,`\\").removesuffix("\\n")
        for line in place.lines[place.number : place.number + 4]
    ]
    text = [line for line in body if re.fullmatch(r"[A-Za-z0-9+/=]{32,}", line) and len(set(line)) > 12]
    if len(text) < 1:
        return None
    end = next(
        (n for n in range(place.number, min(len(place.lines), place.number + 200)) if "-----END" in place.lines[n]),
        place.number,
    )
    return Verdict("a private key stands in the file", rest, end=(end + 1, len(place.lines[end]) + 1))


def _in_url(value: str, place: Place) -> Verdict | None:
    """The password in `scheme://user:password@host`."""
    found = re.search(rf"://([^\s/:@\"']*):{re.escape(value)}@([^\s/:\"'@]*)", place.line)
    if (
        found is None
        or is_example(place.path)
        or "{" in found[0]
        or "$" in found[0]
        or "<" in found[0]
        or "%s" in found[0]
    ):
        return None
    user, host = found[1], found[2].lower()
    if _stands_for_something(value) or value == user or _is_guessable(value):
        return None
    if _EXAMPLE_HOST.match(host) or ("." not in host and not _looks_random(value, least=14)):
        return None
    if not re.search(r"\d|[^\w]", value) and len(value) < 12:
        return None
    return Verdict(
        "a password stands in the address of a server", value, ERROR, HIGH if _looks_random(value) else MEDIUM
    )


def _named(value: str, place: Place) -> Verdict | None:
    """A value that is one by the name that it is given to."""
    raw = value
    value = value.strip()
    if is_config(place.path):
        value = re.split(r"\s+#", value)[0].strip().strip("\"'")
    name = _name(place)
    if name is None or not value or value not in raw or is_example(place.path) or _is_comment(place):
        return None
    words = split_words(name)
    if _is_signing_key(words) and _is_fixed_text(value, place):
        return Verdict(f"`{name[-60:]}`, which signs what users bring back, is a fixed text", value, ERROR, MEDIUM)
    if not _is_secret_name(words) or _stands_for_something(value) or _is_guessable(value):
        return None
    if value.lower().replace("_", "").replace("-", "") in name.lower().replace("_", "").replace("-", ""):
        return None
    if set(words) & _PASSWORDS and re.fullmatch(
        r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}", value
    ):
        return None  # The digest of one.
    what = f"the value of `{name[-60:]}` stands in the file"
    if _looks_random(value) and len(value) >= 16:
        return Verdict(what, value, ERROR, HIGH)
    if set(words) & _PASSWORDS and _looks_made_up(value):
        return Verdict(what, value, WARNING, MEDIUM)
    if not set(words) & _PASSWORDS and len(value) >= 24 and re.search(r"\d", value) and re.search(r"[^\w.-]", value):
        return Verdict(what, value, WARNING, MEDIUM)
    return None


# Names and places


def _name(place: Place) -> str | None:
    """The name that the value is given to, as far as the line shows it."""
    before = place.line[max(0, place.start - _LONGEST) : place.start]
    found = _NAME.search(before)
    return found[1].rpartition(".")[2] or found[1] if found else None


def _is_secret_name(words: Sequence[str]) -> bool:
    """Whether a name says that its value is a secret: by its last words, not by any."""
    while words and (words[-1] in WORDS.tails or words[-1].isdigit()):
        words = words[:-1]
    if not words or set(words) & WORDS.not_secret:
        return False
    last = words[-1]
    if last in _PASSWORDS | SECRETS:
        return True
    return last in {"key", "keys"} and len(words) > 1 and words[-2] in WORDS.keys | KEYS


def _is_signing_key(words: Sequence[str]) -> bool:
    """Whether the name is that of the key by which an application signs sessions or tokens."""
    while words and words[-1] in WORDS.tails:
        words = words[:-1]
    return len(words) > 1 and " ".join(words[-2:]) in WORDS.signing and set(words) <= WORDS.signing_words


def _is_fixed_text(value: str, place: Place) -> bool:
    """Whether code gives a text to the name for good: to guess it is easier still than to read it."""
    value = value.removeprefix("django-insecure-")
    if not place.path.endswith(".py") or len(value) < 4 or _repeats(value) or _TEMPLATE.search(value):
        return False
    if re.search(r"[=!]=|\bin\b", place.line[: place.start]) or re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", value):
        return False
    if any(text in value.lower() for text in WORDS.filled_in):
        return False
    name = split_words(_name(place) or "")
    return (
        not set(split_words(value)) <= set(name) | {"key", "field"}
        and not set(split_words(value)) & WORDS.strong_placeholders
    )


def _is_comment(place: Place) -> bool:
    return place.line.lstrip().startswith(("#", "//", "*", "<!--", ";", "/*", "{#"))


# Values


def _stands_for_something(value: str) -> bool:
    """Whether the value is a template, a reference, a sentence, an identifier, a hash or an id, not a secret."""
    if _STANDING_FOR_ITSELF.search(value) or _UUID.search(value) or _HASH.search(value):
        return True
    if re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][\w$]*(?:\.[A-Za-z_][\w$]*)+", value):
        return True
    return bool(_WORDS_AND_NUMBERS.fullmatch(value)) and not _looks_random(value)


def _is_guessable(value: str) -> bool:
    """Whether the value is what people write where a secret is to be filled in."""
    lowered = value.lower()
    words = [word for word in split_words(value) if not word.isdigit()]
    if len(value) < 6 or _repeats(value) or set(words) & WORDS.strong_placeholders:
        return True
    if any(text in lowered for text in (*WORDS.filled_in, "1234567", "qwerty")):
        return True
    known = sum(len(word) for word in words if word in WORDS.placeholders)
    letters = sum(map(len, words))
    return letters == 0 or known * 2 >= letters


def _repeats(value: str) -> bool:
    return len(set(value)) <= max(3, len(value) // 10) or re.search(r"(.)\1{4}", value) is not None


def _looks_random(value: str, least: int = 12) -> bool:
    """Whether digits, small and capital letters and signs change so often that no person has chosen them."""
    if len(value) < least or len(set(value)) < 8:
        return False
    digits = sum(map(str.isdigit, value))
    if re.fullmatch(r"[0-9a-f]{24,}|[0-9A-F]{24,}", value):
        return 0 < digits < len(value)
    turns = changes(value)
    return turns >= 0.28 * len(value) and (digits >= 2 or turns >= 0.45 * len(value))


def _looks_made_up(value: str) -> bool:
    """Whether the value is like a password that a person chose: letters with digits, or with signs."""
    if not 7 <= len(value) <= 64:
        return False
    kinds = sum(bool(re.search(pattern, value)) for pattern in ("[a-z]", "[A-Z]", r"\d", r"[^\w]"))
    return kinds >= 3 or (kinds == 2 and bool(re.search(r"\d", value)) and not re.search(r"[_.]", value))
