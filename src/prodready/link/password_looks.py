"""What a value looks like that may be a password: typed in, sent, read from a database, a setting."""

from __future__ import annotations

import re

from prodready.link.frames import Bound, Frame
from prodready.link.given import against_defaults, from_call
from prodready.link.labels import Labels
from prodready.link.password_names import PasswordNames
from prodready.link.password_rows import Rows
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value
from prodready.words import split_words

FIELD_VALUE = frozenset({"data", "value", "raw_data", "text", "get_secret_value", "current_value", "raw", "contents"})
"""Members of a field or a widget that give what was typed into it."""

ASKING = re.compile(
    r"^(?:get|pop|read|require|arg|field|form|param|value|post|body|query|prompt|input|ask|setdefault|optional|findtext)"
)

TYPED_IN = frozenset(
    {
        "getpass",
        "input",
        "raw_input",
        "prompt",
        "askstring",
        "text_input",
        "get",
        "text",
        "read",
        "readline",
        "ask",
        "get_pass",
    }
)
"""Functions whose result somebody has typed."""

FETCHING = frozenset(
    """
    fetchone fetchall fetchmany fetchrow fetchval fetch fetch_one fetch_all fetch_val find_one find scalar scalars
    scalar_one scalar_one_or_none one one_or_none first first_or_404 get_or_404 hget hgetall mget query_one
    """.split()
)
"""Methods that give what a database holds."""

SETTINGS = frozenset({"settings", "config", "conf", "cfg", "environ", "options", "opts", "args", "secrets"})

HARMLESS = frozenset({"number", "boolean", "redacted", "constant", "placeholders", "count"})

GENERATING = frozenset({"generate", "generated", "gen", "random", "token"})
"""Words in the names of functions that make up a text."""

OWNERS = frozenset(
    """
    user users account accounts member team admin customer instance obj row record u person profile employee student
    owner self usuario
    """.split()
)
"""Names of what has a password already, unless it is known to be something that was sent."""


class PasswordLooks:
    """Judges a value by its looks."""

    def __init__(self, reducer: Labels, rows: Rows, names: PasswordNames) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.rows = rows
        self.names = names

    def _may_be_typed(self, bound: Bound) -> bool:
        """Whether a value of which nothing is known may be what somebody typed: a parameter, or something sent."""
        for leaf in self.reducer.leaves(bound, 8):
            value = leaf.value
            labels = self.reducer.labels(leaf)
            if not HARMLESS.isdisjoint(labels) or "hashed" in labels:
                return False
            if (
                isinstance(value, v.Param)
                and leaf.frame.binding(value.name) is None
                and value.name not in {"self", "cls"}
            ):
                return (
                    not self.names.is_hashed(value.name) and value.name not in SETTINGS and self._is_passed(leaf, value)
                )
            if "request" in labels:
                return True
        return False

    def _is_passed(self, bound: Bound, param: v.Param) -> bool:
        """Whether a parameter may be passed on the way that its frame is: not if all calls in sight go another one."""
        frame = bound.frame
        if not frame.given:
            return True
        sites = [site for site in self.infer.callers(*frame.key) if param.name in site.arguments]
        if not sites:
            return not self.is_against_defaults(frame)
        return any(from_call(frame, site.arguments[param.name], site.arguments) is not None for site in sites)

    def is_against_defaults(self, frame: Frame) -> bool:
        """Whether the way that a frame is on needs something else than the defaults, and no request calls the function."""
        return against_defaults(frame) and not self.reducer.is_handler(frame)

    def _gives_row(self, bound: Bound) -> bool:
        """Whether a value is a row, be it one that says which column has the password."""
        infer = self.reducer.infer
        return any(map(infer.knowledge.is_row, infer.library_types(infer.type_of(bound))))

    def _is_opaque(self, bound: Bound) -> bool:
        """Whether a value is one whose name may be believed: an element, a field, something typed in or sent."""
        value = v.bare(bound.value)
        while isinstance(value, v.Call) and isinstance(value.target, v.Attr) and not value.args:
            if last_name(value) in TYPED_IN:
                return not self.is_fetched(bound)
            value = v.bare(value.target.base)
        if isinstance(value, v.Call):
            name = last_name(value)
            return (name in TYPED_IN or bool(ASKING.match(name)) or name == "partition") and not self.is_fetched(bound)
        if isinstance(value, (v.Item, v.Attr, v.Param)) or (
            isinstance(value, v.Op) and value.kind in {"each", "slice"}
        ):
            return not self.is_fetched(bound) and HARMLESS.isdisjoint(self.reducer.labels(bound))
        return False

    def _is_generated(self, bound: Bound) -> bool:
        """Whether a value is a text that the program makes up, by the name of what makes it."""
        value = v.bare(bound.value)
        if not isinstance(value, v.Call) or GENERATING.isdisjoint(split_words(last_name(value))):
            return False
        return not self.names.is_hasher(last_name(value)) and HARMLESS.isdisjoint(self.reducer.labels(bound))

    def _may_be_stored(self, bound: Bound) -> bool:
        """Whether an object of which nothing is known may be one that was loaded: by its name."""
        value = bound.value
        name = value.name if isinstance(value, (v.Named, v.Param, v.Attr)) else ""
        return name in OWNERS and self.infer.type_of(bound) is None and not self.reducer.labels(bound)

    def _is_typed_field(self, bound: Bound) -> bool:
        """`form.password` of `form.password.data`; a widget called `password_entry`."""
        value = bound.value
        key = v.bare(value.key) if isinstance(value, v.Item) else None
        name = value.name if isinstance(value, (v.Attr, v.Named, v.Param, v.Ref)) else ""
        if isinstance(key, v.Const):
            name = str(key.value)
        words = name.lower().rpartition(".")[2].lstrip(":").split("_")
        while len(words) > 1 and words[-1] in {
            "entry",
            "field",
            "input",
            "edit",
            "box",
            "lineedit",
            "textbox",
            "widget",
            "var",
            "e",
        }:
            words = words[:-1]
        while len(words) > 1 and words[0] in {"entry", "input", "txt", "lineedit", "edit", "le", "line", "ent", "e"}:
            words = words[1:]
        return self.names.is_password("_".join(words))

    def _is_setting_or_member(self, bound: Bound, base: Bound) -> bool:
        """`settings.PASSWORD`, `Verdict.PASS`: a constant by its name."""
        return self._is_setting(base) or v.dotted(v.bare(bound.value)) is not None

    def _is_setting(self, bound: Bound) -> bool:
        if "settings" in self.reducer.labels(bound) or "environ" in self.reducer.labels(bound):
            return True
        value = v.bare(bound.value)
        name = value.name if isinstance(value, (v.Attr, v.Ref, v.Param)) else ""
        return name.rpartition(".")[2].lstrip(":_").lower() in SETTINGS

    def _asks_for_password(self, bound: Bound, call: v.Call) -> bool:
        return any(
            isinstance(v.bare(a), v.Const) and re.search(r"pass(?:word|phrase|code|wd)", str(v.bare(a).value), re.I)  # type: ignore[union-attr]
            for a in [*call.args[:2], *(inner for _, inner in call.keywords)]
        )

    def is_fetched(self, bound: Bound) -> bool:
        """Whether a value was read from a database, by the shape of the expression."""
        for leaf in self.reducer.leaves(bound, 8):
            value: Value | None = leaf.value
            while value is not None:
                if (
                    isinstance(value, v.Call)
                    and last_name(value) in FETCHING
                    and isinstance(v.bare(value.target), v.Attr)
                ):
                    return True
                value = v.made_from(value)
        return False
