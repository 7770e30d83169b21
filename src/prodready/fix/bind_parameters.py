"""The fix for SQL built of values: markers in the text, the values as parameters, in the driver's own style.

Made only where every hole certainly is a value's place, the text is written in the call or in a local variable of one
use just above it, and the call has no parameters yet.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from keyword import iskeyword
from typing import TYPE_CHECKING

from prodready.finding import Edit, Location
from prodready.fix.sql_slots import NoFixError, Slot, find_slots, outside_strings
from prodready.words import split_words

if TYPE_CHECKING:  # LibCST takes a sixth of a second to import: only when a fix is asked for.
    import libcst as cst

    from prodready.fix.program import Program
    from prodready.fix.sql_literals import Hole, Literal

STYLES = ("qmark", "format", "pyformat", "django", "named", "sqlalchemy", "dollar")

SHOWN_MARKERS = {
    "qmark": "`?` in the text and the value in a tuple behind it",
    "format": "`%s` in the text and the value in a tuple behind it",
    "pyformat": "`%s` in the text and the value in a tuple behind it",
    "named": "`:name` in the text and the value in a dictionary behind it",
    "dollar": "`$1` in the text and the value as a further argument",
    "sqlalchemy": "`:name` in the text and the value in a dictionary behind it",
}
"""By style how a person would write a marker and its value."""

_PERCENT_STYLES = frozenset({"format", "pyformat", "django"})
# Text that the driver would take for a marker once there are parameters.
_MARKERS = {
    "qmark": re.compile(r"\?"),
    "named": re.compile(r"(?<!:):(?![:=])"),
    "sqlalchemy": re.compile(r"(?<![:\w\\]):\w+(?!:)"),
    "dollar": re.compile(r"\$\s*\d"),
    **dict.fromkeys(_PERCENT_STYLES, re.compile(r"%\s*[s(]")),
}
_PARAMETER_NAMES = frozenset({"params", "parameters", "args", "vars", "values", "bind_arguments", "seq_of_parameters"})
# Calls that take no parameters, or several rows of them, or only make a text for another call to run.
_NOT_THESE = frozenset(
    {"executescript", "executemany", "execute_many", "copy", "SQL", "RawSQL", "literal_column", "text"}
)
_TAKES_DICT = frozenset({"execute", "scalar", "scalars", "stream", "stream_scalars"})
# Oracle refuses a reserved word as the name of a parameter.
_RESERVED = frozenset({
    "access", "add", "all", "any", "char", "check", "column", "comment", "date", "default", "desc", "file",
    "float", "from", "group", "index", "integer", "level", "lock", "mode", "number", "option", "order", "raw",
    "row", "rows", "session", "set", "share", "size", "start", "table", "then", "to", "uid", "union", "user",
    "values", "view", "where",
})  # fmt: skip


def bind_parameters(text: str, line: int, column: int, style: str, path: str = "") -> tuple[Edit, ...] | None:
    """The edits that turn the call at a place (1-based line and character column) into one with bound parameters.

    `style` is one of STYLES; ends of ranges are exclusive. None if there is no rewriting that is certainly right.
    """
    if style not in STYLES:
        return None
    from prodready.fix.program import parse

    program = parse(text)
    if program is None:
        return None
    for call in program.calls_at(line, column):
        try:
            return _Rewriting(program, style, path).rewrite(call)
        except NoFixError:
            continue
    return None


class _Rewriting:
    """One call, one style."""

    def __init__(self, program: Program, style: str, path: str) -> None:
        self.program = program
        self.style = style
        self.path = path

    def rewrite(self, call: cst.Call) -> tuple[Edit, ...]:
        """The edits for a call that runs a text, or for a `text(...)` of SQLAlchemy's; raises NoFixError."""
        from prodready.fix.sql_literals import read_literal

        if self.style == "sqlalchemy" and _is_text(call):
            textual, running, assigned = call, self._call_around(call), False
        else:
            value, assigned = self._resolve(_sql_argument(call).value, call)
            if self.style != "sqlalchemy":
                if not _is_method(call) or _called(call) in _NOT_THESE:
                    raise NoFixError
                return self._edits(read_literal(self.program, value), call, assigned)
            textual, running = _text_call(value), call if _called(call) in _TAKES_DICT else None
        literal = read_literal(self.program, _sql_argument(textual).value)
        return self._edits(literal, running, assigned) if running else self._bindparams(literal, textual)

    def _call_around(self, textual: cst.Call) -> cst.Call | None:
        """The call that runs a `text(...)` written in it and takes a dictionary of parameters."""
        import libcst as cst

        arg = self.program.parents.get(textual)
        call = self.program.parents.get(arg) if isinstance(arg, cst.Arg) else None
        if not isinstance(call, cst.Call) or _called(call) not in _TAKES_DICT:
            return None
        return call if _sql_argument(call).value is textual else None

    def _resolve(self, value: cst.BaseExpression, call: cst.Call) -> tuple[cst.BaseExpression, bool]:
        """The text that is run, and whether it stands in a local variable above the call."""
        import libcst as cst

        if not isinstance(value, cst.Name):
            return value, False
        from prodready.fix.program import assigned_above

        return assigned_above(self.program, value, call), True

    def _edits(self, literal: Literal, call: cst.Call, assigned: bool) -> tuple[Edit, ...]:
        new_text, values, names = self._bound(literal, fragment=False)
        start, end = self.program.span(_sql_argument(call))
        parameters = self._separator(call, start) + self._parameters(values, names)
        text = self.program.text
        if assigned:
            return (
                self._edit(literal.start, literal.end, new_text),
                self._edit(start, end, text[start:end] + parameters),
            )
        return (self._edit(start, end, text[start : literal.start] + new_text + text[literal.end : end] + parameters),)

    def _bindparams(self, literal: Literal, textual: cst.Call) -> tuple[Edit, ...]:
        new_text, values, names = self._bound(literal, fragment=True)
        start, end = self.program.span(textual)
        given = ", ".join(f"{name}={value}" for name, value in dict(zip(names, values, strict=True)).items())
        text = self.program.text[start : literal.start] + new_text + self.program.text[literal.end : end]
        return (self._edit(start, end, f"{text}.bindparams({given})"),)

    def _separator(self, call: cst.Call, start: int) -> str:
        """What comes before the parameters: a line of their own if the text has one."""
        indent = self.program.line_indent(start)
        if indent is None or start == self.program.span(call)[0]:
            return ", "
        return (",\r\n" if "\r\n" in self.program.text else ",\n") + indent

    def _bound(self, literal: Literal, fragment: bool) -> tuple[str, list[str], list[str]]:
        """The new text, the values in the order of their markers, and the markers' names."""
        sql = "".join(unit.value for unit in literal.units)
        slots = find_slots(sql, fragment=fragment)
        searched = sql if self.style == "sqlalchemy" else outside_strings(sql)
        if slots is None or _MARKERS[self.style].search(searched):
            raise NoFixError
        if len({part for slot in slots for part in slot.parts if isinstance(part, int)}) != len(literal.holes):
            raise NoFixError
        if self.style in {"named", "sqlalchemy"} and any(sql[slot.end : slot.end + 1] == ":" for slot in slots):
            raise NoFixError
        quote = literal.components[0].quote[0]
        values = [_value(slot, literal.holes, quote) for slot in slots]
        names = self._names(slots, literal.holes, values)
        markers = [self._marker(number, name) for number, name in enumerate(names, 1)]
        return self._rebuilt(literal, slots, markers), values, names

    def _marker(self, number: int, name: str) -> str:
        if self.style in _PERCENT_STYLES:
            return "%s"
        return {"qmark": "?", "dollar": f"${number}"}.get(self.style, f":{name}")

    def _names(self, slots: Sequence[Slot], holes: Sequence[Hole], values: Sequence[str]) -> list[str]:
        """A name for each parameter: the same for the same variable, different ones otherwise."""
        given: dict[str, str] = {}
        names = []
        for slot, value in zip(slots, values, strict=True):
            first = next(part for part in slot.parts if isinstance(part, int))
            name = re.sub(r"[^a-z0-9_]+", "_", holes[first].name.lower()).strip("_")
            if not name or not name[0].isalpha():
                name = "value"
            if iskeyword(name) or (self.style == "named" and name in _RESERVED):
                name += "_"
            wanted, count = name, 1
            while given.get(name, value) != value or (name in given and "(" in value):
                count += 1
                name = f"{wanted}_{count}"
            given[name] = value
            names.append(name)
        return names

    def _parameters(self, values: Sequence[str], names: Sequence[str]) -> str:
        if self.style == "dollar":
            return ", ".join(values)
        if self.style == "django":
            return f"[{', '.join(values)}]"
        if self.style in {"named", "sqlalchemy"}:
            entries = dict(zip(names, values, strict=True))
            return "{" + ", ".join(f'"{name}": {value}' for name, value in entries.items()) + "}"
        return f"({', '.join(values)}{',' if len(values) == 1 else ''})"

    def _rebuilt(self, literal: Literal, slots: Sequence[Slot], markers: Sequence[str]) -> str:
        """The literal's source with markers for slots, everything around its components as it was."""
        marks = {slot.start: marker for slot, marker in zip(slots, markers, strict=True)}
        inside = {position for slot in slots for position in range(slot.start, slot.end)}
        contents = [""] * len(literal.components)
        position = 0
        for unit in literal.units:
            if position in marks and unit.value:
                contents[unit.component] += marks[position]
            elif position not in inside:
                percent = unit.value == "%" and self.style in _PERCENT_STYLES
                contents[unit.component] += "%%" if percent else unit.value if unit.value in {"{", "}"} else unit.raw
            position += len(unit.value)
        pieces, at = [], literal.start
        for component, content in zip(literal.components, contents, strict=True):
            pieces += [
                self.program.text[at : component.start],
                component.prefix,
                component.quote,
                content,
                component.quote,
            ]
            at = component.end
        return "".join([*pieces, self.program.text[at : literal.text_end]])

    def _edit(self, start: int, end: int, replacement: str) -> Edit:
        first, first_column = self._place(start)
        last, last_column = self._place(end)
        return Edit(Location(self.path, first, first_column, last, last_column), replacement)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.program.starts, offset)
        return line, offset - self.program.starts[line - 1] + 1


def _value(slot: Slot, holes: Sequence[Hole], quote: str) -> str:
    """The source of the value to bind: what the hole held, or an f-string of what stood between the quotes."""
    used = [holes[part] for part in slot.parts if isinstance(part, int)]
    if len(slot.parts) == 1:
        hole = used[0]
        if hole.conversion in {"r", "a"} or (hole.maybe_sql and not slot.quoted):
            raise NoFixError
        if hole.spec in {"", "s", "d"}:
            return f"str({hole.code})" if hole.conversion else hole.code
        if not slot.quoted:
            raise NoFixError
    if any(hole.conversion in {"r", "a"} for hole in used):
        raise NoFixError
    codes = "".join(hole.code + hole.spec for hole in used)
    quotes = [mark for mark in dict.fromkeys((quote, '"', "'")) if mark not in codes]
    inline = bool(quotes) and not {"\\", "\n", "\r"} & set(codes)
    mark = quotes[0] if inline else quote
    text = ""
    for part in slot.parts:
        if isinstance(part, str):
            text += _escaped(part, mark)
        else:
            hole = holes[part]
            formatting = (f"!{hole.conversion}" if hole.conversion else "") + (f":{hole.spec}" if hole.spec else "")
            code = f" {hole.code}" if hole.code.startswith("{") else hole.code
            text += f"{{{code if inline else ''}{formatting}}}"
    if inline:
        return f"f{mark}{text}{mark}"
    return f"{mark}{text}{mark}.format({', '.join(hole.code for hole in used)})"


def _escaped(text: str, mark: str) -> str:
    written = text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("{", "{{").replace("}", "}}")
    return written.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _called(call: cst.Call) -> str:
    import libcst as cst

    if isinstance(call.func, cst.Attribute):
        return call.func.attr.value
    return call.func.value if isinstance(call.func, cst.Name) else ""


def _is_method(call: cst.Call) -> bool:
    import libcst as cst

    return isinstance(call.func, cst.Attribute)


def _is_text(call: cst.Call) -> bool:
    return split_words(_called(call))[-1:] == ("text",)


def _text_call(value: cst.BaseExpression) -> cst.Call:
    import libcst as cst

    if not isinstance(value, cst.Call) or not _is_text(value):
        raise NoFixError
    return value


def _sql_argument(call: cst.Call) -> cst.Arg:
    """The first argument of a call that has no parameters yet."""
    first, *others = call.args or (None,)
    if first is None or first.star or first.keyword:
        raise NoFixError
    if any(arg.star or arg.keyword is None or arg.keyword.value in _PARAMETER_NAMES for arg in others):
        raise NoFixError
    return first
