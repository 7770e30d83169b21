"""Forms and serializers that fill a row with what was sent, the password included."""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Confidence
from prodready.link.form_fields import is_only_read
from prodready.link.frames import Bound
from prodready.link.hooks import SAVING
from prodready.link.password_rows import Rows
from prodready.link.password_use import Use
from prodready.link.passwords import Origin
from prodready.link.program import ClassSymbol, LibrarySymbol
from prodready.read import values as v
from prodready.read.facts import CallFact, ClassFacts, Span, last_name
from prodready.words import split_words

CHECKING = frozenset(
    {"login", "signin", "auth", "authenticate", "token", "logout", "delete", "verify", "check", "confirm"}
)
"""Words in the names of forms that look at a password and store none."""

ANSWERING = frozenset(
    "create update partial_update perform_create perform_update post put patch form_valid dispatch".split()
)
"""Methods by which views use their form."""

VIEW_ATTRIBUTES = ("serializer_class", "form_class", "form", "model_form", "add_form")
VIEW_GETTERS = ("get_serializer_class", "get_form_class", "get_form")


class Forms:
    """Finds the forms that hand a password to a row as it was typed."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.infer = rows.infer
        self.program = rows.program
        self.knowledge = rows.knowledge
        self.names = rows.names

    def uses(self, paths: list[str]) -> Iterator[Use]:
        """One use for each form, at the list of its fields."""
        for path in paths:
            outline = self.program.outlines[path]
            if not any(name.endswith(".Meta") for name in outline.defines):
                continue
            facts = self.program.facts(path)
            for cls in facts.classes.values() if facts else ():
                symbol = ClassSymbol(path, cls)
                meta = facts.classes.get(f"{cls.qualname}.Meta") if facts else None
                if meta is not None and self._fills_rows(symbol):
                    yield from self._judged(symbol, meta)

    def _fills_rows(self, cls: ClassSymbol) -> bool:
        libraries = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        labels = frozenset().union(*(self.knowledge.label(base) for base in libraries))
        words = split_words(cls.facts.qualname)
        return "fills-row" in labels and "password-hash" not in labels and CHECKING.isdisjoint(words)

    def _judged(self, cls: ClassSymbol, meta: ClassFacts) -> Iterator[Use]:
        listed = meta.attributes.get("fields")
        names = (
            [str(x.value) for x in v.children(v.bare(listed)) if isinstance(x, v.Const)] if listed is not None else []
        )
        field = next((name for name in names if self.names.is_password(name)), "")
        if not field or not isinstance(listed, v.Named) or not self._has_column(cls, meta, field):
            return
        saves = self._saves_itself(cls) and not self._hashes_unsaved(cls)
        if self._reads_only(cls, meta, field) or saves or not self._is_filled(cls):
            return
        if self._saved_hashed(cls):
            return
        model = self._model(cls, meta)
        if model is not None and self.rows.hashes(model, field):
            return
        frame = self.infer.module_frame(cls.path)
        span = Span(listed.line, listed.column, listed.line, listed.column + len("fields"), listed.line, listed.line)
        call = v.call(v.UNKNOWN, (), (), listed.line, listed.column)
        assert isinstance(call, v.Call)
        fact = CallFact("fields", call, span)
        origin = Origin("plain", Bound(v.UNKNOWN, frame), field)
        place = f"a row that `{cls.facts.qualname}` fills with what was sent"
        yield Use("store", origin, frame, fact, place, Confidence.MEDIUM)

    def _model(self, cls: ClassSymbol, meta: ClassFacts) -> ClassSymbol | None:
        named = meta.attributes.get("model")
        if named is None:
            return None
        return self.rows.row_class(Bound(named, self.infer.module_frame(cls.path)))

    def _has_column(self, cls: ClassSymbol, meta: ClassFacts, field: str) -> bool:
        """Whether the row has such a column, as far as can be told."""
        named = meta.attributes.get("model")
        model = self._model(cls, meta)
        if model is not None:
            return field in set(self.rows.fields(model)) and not self.rows.is_for_others(model, field)
        if named is None or field != "password":
            return False
        symbol = self.infer.symbol_of(named, self.infer.module_frame(cls.path))
        made = v.bare(named)
        name = last_name(made)
        return name in {"get_user_model", "User"} or (isinstance(symbol, LibrarySymbol) and name.endswith("User"))

    def _reads_only(self, cls: ClassSymbol, meta: ClassFacts, field: str) -> bool:
        listed = meta.attributes.get("read_only_fields")
        if listed is not None and any(x == v.Const(field) for x in v.children(v.bare(listed))):
            return True
        if is_only_read(cls.facts.attributes.get(field)):
            return True
        cleaning = self.program.function(cls.path, f"{cls.facts.qualname}.clean_{field}")
        returned = cleaning.returns if cleaning is not None else None
        # Whatever was sent, the row keeps what it had.
        return returned is not None and any(isinstance(x, v.Attr) and x.name == "initial" for x in v.walk(returned))

    def _saves_itself(self, cls: ClassSymbol) -> bool:
        """Whether what saves is the project's own: its stores are judged by themselves, or it hashes.

        A serializer with a `create` of its own still changes rows as the library does, if a view lets it.
        """
        own = [base for base in self.program.lineage(cls) if isinstance(base, ClassSymbol)]
        methods = {name for base in own for name in base.facts.methods}
        if methods & {"save", "update"} or (
            "create" in methods and not any(map(self._changes, self._views(cls, always=True)))
        ):
            return True
        return any(self._hashes(base, name) for base in own for name in base.facts.methods if name != "create")

    def _hashes_unsaved(self, cls: ClassSymbol) -> bool:
        """Whether a method has the library save what was sent, then sets the hash on the row, and does not save that."""
        for name in SAVING & set(cls.facts.methods):
            method = self.program.function(cls.path, f"{cls.facts.qualname}.{name}")
            calls = method.calls if method is not None else ()
            if {fact.name for fact in calls} & {"pop", "delitem", "make_password"}:
                continue
            saved = next((fact for fact in calls if fact.name == name and _is_of_super(fact)), None)
            if saved is None or ("commit", v.Const(False)) in saved.value.keywords:
                continue
            after = [fact.name for fact in calls if _is_called_on(fact, saved.value)]
            if "set_password" in after and not SAVING & set(after[after.index("set_password") :]):
                return True
        return False

    def _changes(self, view: ClassSymbol) -> bool:
        """Whether a view changes rows that are there, as a class of a library does."""
        answers = {
            method
            for base in self.program.lineage(view)
            if isinstance(base, str)
            for method in self.knowledge.answers.get(base, ())
        }
        listed = v.bare(view.facts.attributes.get("http_method_names", v.UNKNOWN))
        verbs = {x.value for x in v.children(listed) if isinstance(x, v.Const)} or {"put"}
        return bool(answers & {"update", "put"}) and bool(verbs & {"put", "patch"})

    def _is_filled(self, cls: ClassSymbol) -> bool:
        """Whether anybody gives it what was sent: a call does, or a view names it as its own."""
        name = cls.facts.qualname
        for _, _, fact in self.program.calls_named(name):
            if any(key in {"data", "**"} for key, _ in fact.value.keywords):
                return True
            if fact.value.args and any(last_name(base).endswith("Form") for base in cls.facts.bases):
                return True
        return any(True for _ in self._views(cls))

    def _views(self, cls: ClassSymbol, *, always: bool = False) -> Iterator[ClassSymbol]:
        """The classes that name it as the one they work with, always or for some requests."""
        name = cls.facts.qualname
        for path, outline in self.program.outlines.items():
            if path != cls.path and name not in outline.aliases and not any("." in n for n in outline.defines):
                continue
            facts = self.program.facts(path)
            for view in facts.classes.values() if facts else ():
                stated = [view.attributes.get(key) for key in VIEW_ATTRIBUTES]
                getters = () if always else VIEW_GETTERS
                stated += [self._given(path, view, getter) for getter in getters if getter in view.methods]
                options = [x for value in stated if value is not None for x in _options(value)]
                if any(last_name(option) == name for option in options):
                    yield ClassSymbol(path, view)

    def _given(self, path: str, view: ClassFacts, getter: str) -> v.Value | None:
        function = self.program.function(path, f"{view.qualname}.{getter}")
        return function.returns if function is not None else None

    def _hashes(self, cls: ClassSymbol, method: str) -> bool:
        facts = self.program.facts(cls.path)
        function = facts.functions.get(f"{cls.facts.qualname}.{method}") if facts else None
        return function is not None and self.rows.functions.hashes(cls.path, function)

    def _saved_hashed(self, cls: ClassSymbol) -> bool:
        """Whether who uses the form hashes: the function that makes one, or the view that names it."""
        name = cls.facts.qualname
        for path, function, _ in self.program.calls_named(name):
            if self.rows.functions.hashes(path, function):
                return True
        return any(
            self._hashes(view, method)
            for view in self._views(cls)
            for method in view.facts.methods
            if not self._is_apart(view, method)
        )

    def _is_apart(self, view: ClassSymbol, method: str) -> bool:
        """Whether a method of a view answers at an address of its own, and does not ask for the view's form."""
        function = self.program.function(view.path, f"{view.facts.qualname}.{method}")
        if function is None or not function.decorators or method in ANSWERING:
            return False
        return not any(fact.name in {"get_serializer", "get_form"} for fact in function.calls)


def _options(value: v.Value) -> tuple[v.Value, ...]:
    inner = v.bare(value)
    return inner.options if isinstance(inner, v.Choice) else (inner,)


def _is_of_super(fact: CallFact) -> bool:
    owner = v.bare(fact.value.target.base) if isinstance(fact.value.target, v.Attr) else None
    return isinstance(owner, v.Op) and owner.kind == "super"


def _is_called_on(fact: CallFact, made: v.Call) -> bool:
    """Whether a method is called on what another call has made."""
    owner = v.bare(fact.value.target.base) if isinstance(fact.value.target, v.Attr) else None
    return isinstance(owner, v.Call) and (owner.line, owner.column) == (made.line, made.column)
