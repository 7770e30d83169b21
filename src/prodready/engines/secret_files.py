"""Where secrets may stand: which files and which of their lines are worth a look, and what a file's place says of them.

All of it is cheap: it decides what detect-secrets, which is not, is asked about.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from prodready.secret_words import STEMS
from prodready.words import split_words

_ENDINGS = (
    ".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte", ".html", ".htm", ".env",
    ".yml", ".yaml", ".json", ".toml", ".ini", ".cfg", ".conf", ".config", ".properties", ".xml", ".sh", ".bash",
    ".tf", ".tfvars", ".pem", ".key", ".p8",
)  # fmt: skip
_NAMES = re.compile(r"\.env(?:\.|$)|\.envrc$|dockerfile|containerfile|procfile$|\.npmrc$|\.pypirc$|\.netrc$|id_[rd]sa$")
_LOCKS = re.compile(
    r"\.lock$|[.-]lock\.(?:json|ya?ml)$|^npm-shrinkwrap\.json$|^go\.sum$|[.-]min\.m?js$|\.map$|^\.secrets\.baseline$"
)
_TRANSLATIONS = re.compile(r"(?:^|/)(?:locales?|i18n|l10n|translations?|lang|langs|languages|messages)/", re.IGNORECASE)

_GIVEN = (
    rf"(?:{'|'.join(STEMS)}|[a-z]_?key|dsn)[\w.-]{{0,60}}[\"'`\])\\]{{0,4}}\s*"
    r"(?:[:=!]|,\s*[rbu]{0,2}[\"'])"
)
"""A name of a secret, in small letters, and what stands between it and its value."""

_FORMS = {
    ("private key-----",): r"PRIVATE KEY-----",
    ("akia", "asia"): r"A(?:KIA|SIA)[A-Z0-9]{12}",
    ("gho_", "ghp_", "ghu_", "ghs_", "ghr_", "github_pat_"): r"gh[opusr]_\w{20}|github_pat_",
    ("gl", "gr1348941"): r"gl(?:agent|cbt|dt|ft|imt|oas|pat|ptt|rt|soat)-|GR1348941",
    ("xox", "slack.com", "sq0csp"): r"xox[a-z]-|hooks\.slack\.com|sq0csp",
    ("k_live_", "sg."): r"[rs]k_live_|SG\.",
    ("eyj",): r"eyJ[\w-]{8}",
    ("npm_", "_authtoken", "pypi-"): r"npm_\w{20}|_authToken|pypi-",
    ("twilio", "sk"): r"\bSK[0-9a-f]{32}|sk-[\w-]{20}",
    ("accountkey",): r"AccountKey=",
    ("mailchimp", "-us"): r"-us\d{1,2}\b",
    ("telegram", "bot"): r"\d{8,10}:[\w-]{35}",
    ("discord", "bot"): r"[MNO][\w-]{23,25}\.[\w-]{6}\.",
    ("://",): r"://[^\s/:@\"']{1,60}:[^\s/@\"']{2,}@",
}
"""The forms of the tokens of services, under texts of which one stands, in small letters, in each file that has one."""

_GIVEN_IN = re.compile(_GIVEN.replace(r"[\w.-]", r"[\w.\x80-\xff-]").encode())
_FORMS_IN = [(tuple(map(str.encode, texts)), re.compile(form.encode())) for texts, form in _FORMS.items()]
_ON_A_LINE = (re.compile(_GIVEN), *map(re.compile, _FORMS.values()))

_EXAMPLE = re.compile(
    r"[._-](?:example|sample|template|tmpl|tpl|dist|stub|test|tests|testing|ci|e2e)\b[^/]*$"
    r"|(?:^|/)(?:examples?|samples?|docs?|docs_src|stories|fixtures?|seeds?|mocks?|__mocks__|__tests__|__fixtures__|cypress|e2e"
    r"|testdata|playground)/|\.(?:test|spec|stories|story|fixture|mock|cy)\.\w+$|(?:^|/)(?:example|fake|fixture|mock|sample|seed)[\w-]*\.\w+$"
    r"|(?:^|/)(?:test|tests|testing)[_/.-]|(?:^|/)\w*tests?/|[_-]tests?\.\w+$"
    r"|(?:^|/)\.github/|(?:^|/)\.gitlab-ci|(?:^|/)\.circleci/|openapi|swagger",
    re.IGNORECASE,
)
_PASSING = frozenset(
    "ci cypress dev devcontainer devel develop development devstack e2e integration local localdev localhost playwright "
    "sandbox selenium test testing tests vagrant".split()
)
"""Words of the places of set-ups that last a day or stand on one's own machine."""

_PAGES = (".html", ".htm", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".vue", ".svelte")

_BLOCK = re.compile(r"\s*(?:class\s+(\w+)|(?:el)?if\s+(.+):)")


def wants(name: str) -> bool:
    """Whether a file of this name (without the directory) is source or configuration, no lock file and not minified."""
    lowered = name.lower()
    return (lowered.endswith(_ENDINGS) or bool(_NAMES.search(lowered))) and not _LOCKS.search(lowered)


def is_translation(path: str) -> bool:
    """Whether a file holds texts for people."""
    return bool(_TRANSLATIONS.search(path)) and not path.endswith(".py")


def is_config(path: str) -> bool:
    """Whether values stand in the file without quotes."""
    name = path.rpartition("/")[2].lower()
    return name.startswith(".env") or name.endswith(
        (".env", ".yml", ".yaml", ".ini", ".cfg", ".conf", ".properties", ".toml")
    )


def is_example(path: str) -> bool:
    """Whether what stands in the file is there to show or to test something."""
    return _EXAMPLE.search(path) is not None


def is_passing(path: str, lines: Sequence[str], number: int) -> bool:
    """Whether line `number` belongs to a set-up for development or tests: by its file or the block around it."""
    if _PASSING.intersection(word for part in path.split("/") for word in split_words(part)):
        return True
    indent = _indent(lines[number - 1])
    for line in reversed(lines[: number - 1] if path.endswith(".py") else ()):
        if indent == 0:
            break
        if line.strip() and _indent(line) < indent:
            indent = _indent(line)
            block = _BLOCK.match(line)
            if block and (_PASSING | {"debug"}).intersection(split_words(block[1] or block[2])):
                return True
    return False


def is_page(path: str) -> bool:
    """Whether the file may well be sent to browsers as it is."""
    return path.lower().endswith(_PAGES)


def is_prose(path: str, lines: Sequence[str], number: int) -> bool:
    """Whether line `number` of Python belongs to a text that stands for itself: a docstring."""
    try:
        tree = ast.parse("\n".join(lines)) if path.endswith(".py") else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return tree is not None and any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and node.lineno <= number <= (node.end_lineno or 0)
        for node in ast.walk(tree)
    )


def worth(data: bytes) -> bool:
    """Whether something in a file looks as if a secret might follow, or be one."""
    lowered = data.lower()
    if _GIVEN_IN.search(lowered):
        return True
    return any(any(text in lowered for text in texts) and form.search(data) for texts, form in _FORMS_IN)


def lines_worth(lines: Sequence[str]) -> Iterator[int]:
    """The numbers of the lines in which something looks so."""
    text = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    lowered = text.lower()
    if len(lowered) != len(text):  # A few capital letters have two small ones.
        lowered = "".join(char if len(char.lower()) > 1 else char.lower() for char in text)
    given, *forms = _ON_A_LINE
    found = {bisect_right(starts, match.start()) for match in given.finditer(lowered)}
    for texts, form in zip(_FORMS, forms, strict=True):
        if any(part in lowered for part in texts):
            found |= {bisect_right(starts, match.start()) for match in form.finditer(text)}
    yield from sorted(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
