"""Is a text that is given to the name of a secret one, or is it a name, a label, a place or a form to be filled in?

In case of doubt it is one: this decides what is shown. Where the name is that of a password, people write anything there,
and only what is plainly something else is left.
"""

from __future__ import annotations

import re
from functools import lru_cache

from prodready.secret_words import KEYS, PASSWORDS, SECRETS, changes
from prodready.words import split_words

NONE, WEAK, STRONG = 0, 1, 2
"""What a name says: nothing, that the value may be a secret, that it is a password."""

_ENDS = {
    *((word,) for word in PASSWORDS | SECRETS),
    *((word,) for word in "pass tokens authorization bearer jwt otp cvv".split()),
    *((word, "key") for word in KEYS),
}
_STRONG = {*((word,) for word in PASSWORDS - {"clave"}), ("pass", "phrase"), ("pass", "code"), ("mot", "de", "passe")}
_PARTS = PASSWORDS | frozenset("secret token tokens apikey authorization key auth passe parola heslo lozinka".split())
_BEFORE = frozenset(
    "is has max min num count use show hide require requires required invalid missing wrong forgot eos bos pad unk stop end "
    "start sep mask special next page parser lexer prompt hash hashed encrypted public no".split()
)
"""... unless one of these stands before that."""

AFTER = frozenset(
    "value val default raw plain prod production dev development test staging local new old b64 base64 str bytes".split()
)
_TYPES = frozenset(
    "string str text hidden bearer basic digest none null true false yes optional required int integer bytes uuid email "
    "invalid expired refresh access undefined static session cookie header query body form".split()
)
_SPOKEN = frozenset(
    "a an and are at be been by can cannot characters choose confirm could de do does enter field for forgot from if in "
    "incorrect is it la le least log login match matches may must my new not of old on or our please repeat reset short "
    "should sign su that the this to too type use votre was will with you your".split()
)
"""Words of sentences and labels: a text of several words without one is a phrase that somebody chose."""

_LABELS = re.compile(
    r"passwor|passord|wagwoord|wachtwoord|kodeord|adgangskod|lösenord|salasana|zapork|lozink|geslo|hesl|has[lł]|sandi|parol|senha"
    r"|contrase|clave|passe|jelsz|sifre|slaptaž|lykil",
    re.IGNORECASE,
)
"""How languages call a password: labels of forms have this word with others."""

_SQL = re.compile(r"\s*(?:select|insert|update|delete|create|alter|with|drop|grant)\b", re.IGNORECASE)
_PLACE = re.compile(r"[./~]|[a-z][a-z+]*://|[A-Za-z_]+(?:\.[A-Za-z_]+)+$|[\w/-]+\.[a-z]{2,4}$")
_PATH = re.compile(r"[.~]{0,2}(?:/[\w.{}<>:$%*@-]*)+(?:[?#]\S*)?")
_FILE = re.compile(
    r"[\w/.-]+\.(?:html?|txt|json|ya?ml|toml|py|[jt]sx?|vue|css|svg|png|pem|key|crt|md|xml|ini|cfg|conf|j2|mjml)"
)
_HOLE = re.compile(
    r"\$?\{\{[^{}]{0,200}\}\}|\{%[^%]{0,200}%\}|[$#]?\{[^{}]{0,200}\}|\$\([^()]{0,200}\)|<[^<>]{0,200}>"
    r"|(?<![\w$])\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+)(?!\w)|%\(\w{0,60}\)[a-z]|%[sd]|%[A-Z_]{1,60}%"
)
_OPEN = re.compile(r"[{}<>]|\$[({]")
_REFERENCE = re.compile(
    r"[:?@$][A-Za-z_]*|!(?:Ref|Sub|GetAtt|ImportValue|secret|vault|env|env_var|ENV)\b.*|(?:vault|ssm|env):.*"
)
_CODE = re.compile(r"""["'`]\s*(?:[-+%.,)|&{]|\}|if\b|or\b)|(?:[-+({,%]|\$\{)\s*[fFrRbB]?["'`]""")
_WORDY = re.compile(r"[a-z]+\d?(?:[_.-][a-z]+\d?)+|[\w.+-]+@[\w.-]+")
_CODE_START = re.compile(r"[-+,)\]}%:;.]+(?:\s|$|\w+\()")
"""Behind `"token="`, where the quote is the end of a text and not the start of one."""

_ONE_TOKEN = re.compile(r"[ \t]+[\w!@#$^&*?.~-]{4,}")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")


@lru_cache(maxsize=20_000)
def weight(name: str) -> int:
    """What the name says of its value, by the words at its end."""
    words = list(split_words(name.rpartition(".")[2]))
    while len(words) > 1 and (words[-1] in AFTER or words[-1].isdigit()):
        words.pop()
    ends = tuple(words[-1:]), tuple(words[-2:]), tuple(words[-3:])
    if _BEFORE.intersection(words):
        return NONE
    if any(end in _STRONG for end in ends):
        return STRONG
    return WEAK if any(end in _ENDS for end in ends) else NONE


def is_strong(value: str) -> bool:
    """Whether a text looks as if nobody could guess it."""
    if len(value) < 6 or any(map(str.isspace, value)) or _WORDY.fullmatch(value):
        return False
    return (any(map(str.isdigit, value)) and any(map(str.isalpha, value))) or (
        len(value) >= 24 and "_" not in value and value.isascii()
    )


def is_random(value: str) -> bool:
    """Whether a text has no words in it, whatever it is called: a key, or a digest."""
    if _HEX.fullmatch(value):
        return True
    if not (any(map(str.isdigit, value)) and value.lower() != value and value.upper() != value):
        return False
    return changes(value) * 3 > len(value)


def is_harmless(value: str, name: int = WEAK) -> bool:
    """Whether a text is a name, a type, a place, a statement or a form to be filled in, and no secret.

    `name` is the weight of the name that it is given to.
    """
    if len(value) < 3 or len(value) > 5000 or set(value) == {"*"}:
        return True
    if _CODE.search(value) or _SQL.match(value) or _is_filled_in(value, name) or _is_place(value, name):
        return True
    if value[0] in " \t" or _CODE_START.match(value) or "PRIVATE KEY--" in value:
        one = name == STRONG and _ONE_TOKEN.fullmatch(value)
        return not one and "PRIVATE KEY--" not in value
    words = split_words(value)
    if not any(word.isdigit() for word in words) and (_PARTS.intersection(words) or value.lower() in _TYPES):
        return True
    if not value[:1].isupper() or len(value.split()) < 2 or any(map(str.isdigit, value)):
        return False
    return name < STRONG or _is_spoken(value, words)


def _is_filled_in(value: str, name: int) -> bool:
    """Whether something is still to be put into the text, or stands for it."""
    if _REFERENCE.fullmatch(value) or (name < STRONG and value[0] in ":?@$" and not is_strong(value)):
        return True
    rest = _HOLE.split(value)
    if len(rest) == 1 and not _OPEN.search(value):
        return False
    if name < STRONG:
        return not any(is_strong(part) for part in rest)
    left = "".join(rest)
    return (
        sum(map(str.isalnum, left)) < 3
        or "</" in value
        or "/>" in value
        or (" " in left.strip() and _is_spoken(value, split_words(left)))
    )


def _is_place(value: str, name: int) -> bool:
    """Whether the text says where something is: a path, an address, a file, the path of a name."""
    if value.startswith(("http://", "https://")) and "@" not in value:
        return True
    if value.startswith("/") and _PATH.fullmatch(value):
        return not is_random(value)
    if name < STRONG:
        return (value.startswith("/") and " " in value) or bool(_PLACE.match(value) and not is_strong(value))
    if "://" in value:
        return "@" not in value
    if _PATH.fullmatch(value) or _FILE.fullmatch(value):
        return True
    return bool(_PLACE.match(value)) and not is_strong(value) and not (_TYPES | _SPOKEN).isdisjoint(split_words(value))


def _is_spoken(value: str, words: tuple[str, ...]) -> bool:
    """Whether a text of several words is a message or a label."""
    return (
        len(words) > 6
        or bool(_LABELS.search(value))
        or not value.isascii()
        or value[-1] in ".:?…"
        or not _SPOKEN.isdisjoint(words)
    )
