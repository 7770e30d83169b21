"""Does a text read as SQL? Shared by the reader, which notes such texts, and by the rule that judges them."""

from __future__ import annotations

import re

from prodready.read import values as v
from prodready.read.values import Value

STATEMENT = re.compile(
    r"""\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*(?:
        select\s+(?:(?:distinct|all|top\s+\d+)\b\s*)?(?:[\w.`"\[\]*'(,:\x00-]|\s)[^;]*?\bfrom\s+[\w.`"\[(\x00{%]
      | select\s+(?:[\w.]+\(|\d|\*)
      | insert\s+(?:or\s+\w+\s+|ignore\s+|low_priority\s+)?into\s+[\w.`"\[\x00{%]
      | replace\s+into\s+[\w.`"\[\x00]
      | update\s+(?:or\s+\w+\s+|only\s+)?[\w.`"\[\]\x00]+(?:\s+(?:as\s+)?\w+)?\s+set\s+(?:[\w.`"\[\]\x00]+\s*=|\(|\x00)
      | delete\s+from\s+[\w.`"\[\x00{%]
      | merge\s+into\s | truncate\s+(?:table\s+)?[\w.`"\[\x00]+\s*(?:;|$|restart|cascade)
      | (?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:unique\s+|temp(?:orary)?\s+|materialized\s+|global\s+|virtual\s+)*
          (?:table|index|view|database|schema|sequence|trigger|function|procedure|role|user|extension|type|policy)\b
      | with\s+(?:recursive\s+)?[\w`"\x00]+\s*(?:\([^)]*\)\s*)?as\s*(?:not\s+)?(?:materialized\s*)?\(
      | grant\s+[\w\s,\x00]+\s+(?:on|to)\s | revoke\s+[\w\s,\x00]+\s+(?:on|from)\s
      | (?:explain|analyze|vacuum)\s+(?:analyze\s+|full\s+|query\s+plan\s+)*
          (?:select|insert|update|delete|with|[\w."\x00]+\s*;?$)
      | pragma\s+[\w\x00]+ | exec(?:ute)?\s+(?:sp_|dbo\.|procedure\s)\w* | call\s+[\w.\x00]+\s*\(
      | set\s+(?:session|local|search_path|role|@)\b | attach\s+database\s | copy\s+[\w."\x00]+[^;]*\b(?:from|to)\s
      | (?:show|describe|lock|unlock)\s+(?:tables?|columns|databases|index|create)\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
FIRST_WORDS = re.compile(
    r"[\s(]*(?:--[^\n]*\n\s*)*(?:select|insert|replace|update|delete|merge|truncate|create|alter|drop|with|grant|revoke|explain|pragma"
    r"|exec|call|copy)\b",
    re.IGNORECASE,
)
FRAGMENT = re.compile(
    r"\b(?:where|and|or|order\s+by|group\s+by|having|from|join|limit|offset|values|set|in|like|between|is\s+null|asc|desc)\b|[=<>]",
    re.IGNORECASE,
)
CLAUSE = re.compile(
    r"\b(?:where|order\s+by|group\s+by|having|from|join|limit|offset|values|set|in|like|between|is\s+null)\s",
    re.IGNORECASE,
)
SIGNS = re.compile(r"[=*(]|\bwhere\b.*\b(?:like|in|is|between)\b|\bvalues\b", re.IGNORECASE | re.DOTALL)
HOLE = "\x00"


def is_statement(text: str) -> bool:
    """Whether `text`, holes marked by HOLE, is a statement and not prose that begins with such a word."""
    if not FIRST_WORDS.match(text):
        return False
    return STATEMENT.match(text) is not None and not _is_prose(text)


def is_plainly_sql(text: str) -> bool:
    """Whether a text that nobody is seen to run can hardly be anything else: capitals or SQL's own signs."""
    verb = FIRST_WORDS.match(text)
    return verb is not None and is_statement(text) and (verb[0].strip(" (").isupper() or bool(SIGNS.search(text)))


def _is_prose(text: str) -> bool:
    """English sentences: "Select one from the list", "Update set of ... "."""
    line = text.strip()
    if re.search(r"[\w\x00'\"][.!?]$", line) and not re.search(r"[=*(<>;]", line):
        return True
    if re.match(
        r"select\s+(?:an?|the|one|your|which|all|from|any|at|some|another|this)\s+\w+(?:\s+\w+)*\s+from\b", line, re.I
    ):
        return not re.search(r"\bwhere\b|[=*;]", line, re.I)
    if re.match(r"delete\s+from\s+\S+\s*[?.!]$", line, re.I) or re.match(
        r"(?:create|drop|alter)\s+\w+\s*:", line, re.I
    ):
        return True
    if re.search(r"\bfrom\s+(?:the|your|our|this|that|these|those|an?)\s", line, re.I) and not re.search(r"[=*]", line):
        return True
    return False


def starts_like_sql(value: Value) -> bool:
    """A quick test on a value just built: its first constant piece opens with a verb of SQL."""
    while True:
        if isinstance(value, v.Text):
            value = value.parts[0]
        elif isinstance(value, v.Op):
            value = value.subject
        elif isinstance(value, v.Named):
            value = value.value
        elif isinstance(value, v.Choice):
            value = value.options[0]
        else:
            break
    return isinstance(value, v.Const) and isinstance(value.value, str) and FIRST_WORDS.match(value.value) is not None
