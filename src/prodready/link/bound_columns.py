"""Which column of a statement a bound parameter, or a value written into the text, belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from prodready.link.frames import Bound
from prodready.link.labels import Labels
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.values import Value

MAX_TEXTS = 6
MAX_NESTING = 16

MARKER = re.compile(
    r"""\x00(?P<hole>\d+)\x00 | %\((?P<pyformat>\w+)\)s | (?P<format>%\ ?s) | (?P<qmark>\?) | \$(?P<dollar>\d+)
      | (?<![:\w]):(?P<named>[A-Za-z_]\w*) | @(?P<at>[A-Za-z_]\w*)""",
    re.VERBOSE,
)
VERB = re.compile(r"[\s(]*(?:--[^\n]*\n\s*)*(?P<verb>\w+)")
INSERT = re.compile(
    r"\b(?:into|replace)\s+(?P<table>[\w.`\"\[\]\x00-]+)\s*\((?P<columns>[^)]*)\)\s*(?:output\b.*?)?values?\s*",
    re.I | re.S,
)
TABLE = re.compile(r"\b(?:into|update|from|table)\s+(?:only\s+)?[`\"\[]?(?P<table>[\w.]+)", re.I)
COMPARED = re.compile(
    r"(?P<column>[\w.`\"\[\]]+)\s*(?:=|==|<=>|\blike\b|\bilike\b|:=)\s*(?:binary\s+)?(?P<around>(?:\w+\s*\(\s*)*)['\"%]*$",
    re.I,
)
WRAPPED = re.compile(r"(?P<around>(?:\w+\s*\(\s*)*)['\"%]*$")
CLAUSE = re.compile(r"\b(?:where|set|values|having|on\s+conflict|on\s+duplicate|returning)\b", re.I)
WRITES = frozenset({"insert", "update", "replace", "merge"})
LOOKS = frozenset({"select", "delete", "with"})
DIGESTS = frozenset(
    {"md5", "sha", "sha1", "sha2", "sha256", "sha512", "old_password", "password", "hashbytes", "digest"}
)
CIPHERS = frozenset({"aes_encrypt", "encode", "des_encrypt", "pgp_sym_encrypt", "to_base64", "hex"})
HASHERS = frozenset({"crypt", "gen_salt", "bcrypt"})


class Slot(msgspec.Struct, frozen=True):
    """The place of a value in a statement.

    `column` is empty where it cannot be told. `writes`: the value is stored there, not compared. `around` is what the
    statement itself makes of it: `digest`, `cipher`, `hasher` or nothing; `function` is the name for that.
    """

    marker: str
    column: str
    writes: bool
    around: str = ""
    function: str = ""


class Statement(msgspec.Struct, frozen=True):
    """A text of SQL with the values that stand in it."""

    text: str
    holes: tuple[Bound, ...]

    @property
    def verb(self) -> str:
        """The first word."""
        found = VERB.match(self.text)
        return found["verb"].lower() if found else ""

    @property
    def table(self) -> str:
        """The first table that is named."""
        found = TABLE.search(self.text)
        return found["table"] if found else ""

    def slots(self) -> Iterator[Slot]:
        """The places of its markers and holes; a marker is `?0`, `?1` by order, a name, or `#0` for a hole."""
        if self.verb not in WRITES | LOOKS:
            return
        order = 0
        lists = list(self._lists())
        for found in MARKER.finditer(self.text):
            kind = found.lastgroup or ""
            if kind in {"format", "qmark"}:
                marker = f"?{order}"
                order += 1
            elif kind == "dollar":
                marker = f"?{int(found[kind]) - 1}"
            else:
                marker = f"#{found[kind]}" if kind == "hole" else found[kind]
            before = self.text[: found.start()]
            listed = next((column for start, end, column in lists if start <= found.start() < end), None)
            compared = COMPARED.search(before[-200:])
            if listed is not None:
                wrapped = WRAPPED.search(before[-200:])
                yield self._slot(marker, listed, True, wrapped["around"] if wrapped else "")
            elif compared is not None:
                clauses = CLAUSE.findall(before)
                last = clauses[-1].lower() if clauses else ""
                writes = self.verb in WRITES and last not in {"where", "having"}
                yield self._slot(marker, compared["column"], writes, compared["around"])

    def _slot(self, marker: str, column: str, writes: bool, around: str) -> Slot:
        functions = [name.lower() for name in re.findall(r"\w+", around)]
        column = column.strip('`"[] \n').rpartition(".")[2].strip('`"[]')
        for kind, names in (("hasher", HASHERS), ("digest", DIGESTS), ("cipher", CIPHERS)):
            function = next((name for name in functions if name in names), "")
            if function:
                return Slot(marker, column, writes, kind, function.upper())
        return Slot(marker, column, writes)

    def _lists(self) -> Iterator[tuple[int, int, str]]:
        """The stretches of the values of an INSERT, each with its column."""
        for insert in INSERT.finditer(self.text):
            columns = [column.strip() for column in insert["columns"].split(",")]
            position = insert.end()
            while position < len(self.text) and self.text[position] == "(":
                ends = list(_items(self.text, position + 1))
                start = position + 1
                for column, end in zip(columns, ends, strict=False):
                    yield start, end, column
                    start = end + 1
                following = re.match(r"\)\s*,\s*", self.text[ends[-1] :]) if ends else None
                if following is None:
                    break
                position = ends[-1] + following.end()


def _items(text: str, start: int) -> Iterator[int]:
    """Where each item of a list in brackets ends."""
    depth, quote = 0, ""
    for position in range(start, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char == ")":
            yield position
            return
        elif char == "," and not depth:
            yield position


class StatementReader:
    """Takes the text of statements out of values."""

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer

    def statements(self, bound: Bound) -> list[Statement]:
        """The statements that a value may be."""
        found: list[Statement] = []
        for parts in self._texts(bound, 0)[:MAX_TEXTS]:
            holes: list[Bound] = []
            text = ""
            for part in parts:
                if isinstance(part, str):
                    text += part
                else:
                    text += f"\x00{len(holes)}\x00"
                    holes.append(part)
            found.append(Statement(text, tuple(holes)))
        return found

    def _texts(self, bound: Bound, nesting: int) -> list[list[str | Bound]]:
        value = bound.value
        if nesting > MAX_NESTING:
            return [[bound]]
        nesting += 1
        match value:
            case v.Const():
                return [[str(value.value)]]
            case v.Named() | v.Mark():
                return self._texts(bound.sub(value.value), nesting)
            case v.Choice():
                return [text for option in value.options for text in self._texts(bound.sub(option), nesting)][
                    :MAX_TEXTS
                ]
            case v.Text():
                return [[piece for part in value.parts for piece in self._piece(bound.sub(part), nesting)]]
            case v.Op(kind="%"):
                return [self._percent(bound, value, nesting)]
            case v.Op(kind="format"):
                return [self._format(bound, value, nesting)]
            case v.Op(kind="replace" | "after" | "if" | "typed" | "join"):
                return self._texts(bound.sub(value.subject), nesting)
            case v.Call():
                effect = self.reducer.effect(bound)
                for position in effect.at if effect.sink == "sql" else effect.passes[:1]:
                    for argument in argument_values(value, position):
                        return self._texts(bound.sub(argument), nesting)
        reduced = self.reducer.step(bound)
        if reduced:
            return [text for inner, _ in reduced for text in self._texts(inner, nesting)][:MAX_TEXTS]
        return [[bound]]

    def _piece(self, bound: Bound, nesting: int) -> list[str | Bound]:
        """A part of a text: constant text as such, anything else as a hole that keeps the names it went through."""
        inner = v.bare(bound.value)
        if isinstance(inner, (v.Call, v.Param, v.Item)):
            return [bound]
        texts = self._texts(bound, nesting)
        if len(texts) == 1 and any(isinstance(piece, str) for piece in texts[0]):
            return texts[0]
        return [bound]

    def _percent(self, bound: Bound, value: v.Op, nesting: int) -> list[str | Bound]:
        operand = v.bare(value.args[0])
        parts: list[str | Bound] = []
        texts = self._texts(bound.sub(value.subject), nesting)
        template = "".join(part for part in texts[0] if isinstance(part, str)) if texts else ""
        items: tuple[Value, ...] = operand.items if isinstance(operand, v.Seq) else (value.args[0],)
        waiting = list(items)
        position = 0
        for found in re.finditer(r"%(?:\((\w+)\))?[sdrif]", template):
            parts.append(template[position : found.start()])
            position = found.end()
            if found[1] and isinstance(operand, v.Map):
                entry = next((x for k, x in operand.items if isinstance(k, v.Const) and k.value == found[1]), None)
                parts += self._piece(bound.sub(entry), nesting) if entry is not None else ["?"]
            elif waiting:
                parts += self._piece(bound.sub(waiting.pop(0)), nesting)
            else:
                parts.append("?")
        return [*parts, template[position:]]

    def _format(self, bound: Bound, value: v.Op, nesting: int) -> list[str | Bound]:
        texts = self._texts(bound.sub(value.subject), nesting)
        template = "".join(part for part in texts[0] if isinstance(part, str)) if texts else ""
        keywords = dict(value.keywords)
        parts: list[str | Bound] = []
        position = order = 0
        for found in re.finditer(r"\{(\w*)[^{}]*\}", template):
            parts.append(template[position : found.start()])
            position = found.end()
            entry: Value | None
            if not found[1] or found[1].isdigit():
                index = int(found[1]) if found[1] else order
                order += 1
                entry = value.args[index] if index < len(value.args) else None
            else:
                entry = keywords.get(found[1])
            parts += self._piece(bound.sub(entry), nesting) if entry is not None else ["?"]
        return [*parts, template[position:]]

    def bound_values(
        self, others: list[Value], keywords: list[tuple[str, Value]], bound: Bound, statement: Value
    ) -> tuple[list[Bound], dict[str, list[Bound]]]:
        """The parameters of a statement, by order and by name."""
        ordered: list[Bound] = []
        named: dict[str, list[Bound]] = {}
        chained = v.bare(statement)
        while isinstance(chained, v.Call):
            for key, value in chained.keywords:
                named.setdefault(key, []).append(bound.sub(value))
            chained = v.bare(chained.target.base) if isinstance(chained.target, v.Attr) else v.UNKNOWN
        for key, value in keywords:
            if key in {"params", "parameters", "args", "values", "vars", "seq_of_parameters", "param"}:
                others = [*others, value]
            else:
                named.setdefault(key, []).append(bound.sub(value))
        single = len(others) == 1
        for given in others:
            value = given.subject if isinstance(given, v.Op) and given.kind == "star" else given
            listed = False
            for leaf in self.reducer.leaves(bound.sub(value), 8) if single else ():
                listed |= self._spread(leaf, ordered, named)
            if not listed:
                ordered.append(bound.sub(value))
        return ordered, named

    def _spread(self, leaf: Bound, ordered: list[Bound], named: dict[str, list[Bound]]) -> bool:
        value = leaf.value
        if isinstance(value, v.Map):
            for key, inner in value.items:
                if isinstance(key, v.Const):
                    named.setdefault(str(key.value), []).append(leaf.sub(inner))
            return True
        if isinstance(value, v.Seq):
            rows = [inner for one in value.items for inner in self.reducer.leaves(leaf.sub(one), 4)]
            if value.items and all(isinstance(row.value, (v.Seq, v.Map)) for row in rows):
                for row in rows[:1]:
                    self._spread(row, ordered, named)
                return True
            if not ordered:
                ordered += [leaf.sub(one) for one in value.items]
            return True
        return False


def values_at(marker: str, statement: Statement, values: tuple[list[Bound], dict[str, list[Bound]]]) -> list[Bound]:
    """The values that stand at a marker."""
    ordered, named = values
    if marker.startswith("#"):
        return [statement.holes[int(marker[1:])]]
    if marker.startswith("?"):
        index = int(marker[1:])
        return [ordered[index]] if index < len(ordered) else []
    return named.get(marker, [])
