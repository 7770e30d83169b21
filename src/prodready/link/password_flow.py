"""Follows passwords into stores and comparisons, in the functions that speak of them and the helpers they hand them to."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from prodready.finding import Confidence
from prodready.link.frames import Bound, Callee, Frame, is_classmethod
from prodready.link.labels import Labels
from prodready.link.password_digests import Digests
from prodready.link.password_doubts import Doubts
from prodready.link.password_names import PasswordNames
from prodready.link.password_rows import ACCOUNTS, Rows
from prodready.link.password_speaking import WHOLES, Speaking, mentions_param, same_object, unwrapped
from prodready.link.password_stores import COPIES, DUMPS, Kept, Stores
from prodready.link.password_use import Use
from prodready.link.passwords import Digest, PasswordReader, worst
from prodready.link.program import FunctionSymbol
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name
from prodready.read.stored import named, speaking
from prodready.read.values import Value

MAX_HELPERS = 3
"""Helpers entered on the way to a store, none of whose parameters is called a password."""

SPREADS = (named("**"),)
"""What stands in a function that gives all fields of an object at once, besides the calls of `WHOLES`."""

MAKING = frozenset({"model", "model_class", "user_model", "__init__"})
"""Names by which a manager or a base class is told to make a row."""

OF_PEOPLE = frozenset({"row", "session", "cookie"})
"""Stores of what belongs to somebody who logs in: a password that the program made up is kept elsewhere for a service."""

ADDERS = frozenset({"append", "add", "insert", "update", "setdefault", "extend"})


class PasswordFlow:
    """All uses of passwords in a program."""

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.names = PasswordNames(reducer.knowledge)
        self.rows = Rows(reducer, self.names)
        self.reader = PasswordReader(reducer, self.rows, self.names)
        self.stores = Stores(reducer, self.rows)
        self.doubts = Doubts(self.rows, self.reader)
        self.digests = Digests(self.rows, self.reader)
        self._stems = self.names.stems()
        self._text = self.names.texts()
        self._row_makers = self.rows.calls_that_keep("row")
        self._uses: dict[tuple[str, int, int, str], Use] = {}
        self._entered: set[tuple[object, ...]] = set()

    def uses(self, paths: list[str] | None = None, *, whole: bool = True) -> list[Use]:
        """The uses that count: of a digest the stores, else the comparisons, else the call that makes it.

        `whole` says that the paths are all of the project, and tell which classes have a password.
        """
        paths = list(self.program.outlines) if paths is None else paths
        wanted = self._whole_makers(paths) if whole else frozenset()
        for path in paths:
            facts = self.program.facts(path)
            if facts is None:
                continue
            naming = speaking(facts, self._stems)
            for qualname in naming:
                self._visit(Frame(path, facts.functions[qualname]))
            others = {n for n, called in facts.called.items() if not whole or not wanted.isdisjoint(called)}
            others.difference_update(naming)
            spread = {n for n in others if not WHOLES.isdisjoint(facts.called[n])}
            spread.update(speaking(facts, SPREADS, others - spread) if len(spread) < len(others) else ())
            for qualname in (n for n in facts.functions if n in spread):
                self._visit(Frame(path, facts.functions[qualname]), wholes_only=True)
        return self._chosen()

    def _whole_makers(self, paths: list[str]) -> frozenset[str]:
        """The names of the calls that may be given a password by something that names none."""
        makers = self.rows.calls_that_keep("document") | COPIES
        found = {
            cls.qualname.rpartition(".")[2]
            for path in paths
            if (facts := self.program.facts(path)) is not None
            for cls in facts.classes.values()
            if any(last_name(base) in ACCOUNTS for base in cls.bases)
            or any(map(self.names.is_password, (*cls.annotations, *cls.attributes)))
        }
        return makers | found | self._row_makers | MAKING | {"setattr"} if found else makers

    def _chosen(self) -> list[Use]:
        found = list(self._uses.values())
        stored = {use.digest.key for use in found if use.digest and use.how == "store"}
        compared = {use.digest.key for use in found if use.digest and use.how == "comparison"}
        chosen = []
        for use in found:
            if use.digest is not None and use.how != "store" and use.digest.key in stored:
                continue
            if use.digest is not None and use.how == "made" and use.digest.key in compared:
                continue
            chosen.append(use)
        return chosen

    # Functions

    def _visit(self, frame: Frame, *, wholes_only: bool = False) -> None:
        function = frame.function
        speaks = Speaking(self.names, self._text)
        put: dict[str, list[tuple[str, Value]]] = {}
        for fact in function.calls:
            if not (self._keeps_a_whole(fact) if wholes_only else speaks.of_password(fact)):
                continue
            there = self.infer.at(frame, fact) or frame
            callees, kept = self._kept(fact, there)
            for one in kept:
                self._judge(one, there, fact)
            if not kept:
                for callee in callees:
                    self._hand_on(callee, Bound(fact.value, there), fact, 0, (*there.key, fact.span), speaks)
                self._note_put(fact, put)
            self._add(*self.digests.made(fact, there, callees))
        if put:
            self._stored_later(frame, put)

    def _keeps_a_whole(self, fact: CallFact) -> bool:
        """Whether a call of such a name may store a mapping or an object with a password that nobody names."""
        call = fact.value
        if fact.name == "setattr":
            return len(call.args) == 3 and not isinstance(call.args[1], v.Const)
        if any(key == "**" for key, _ in call.keywords):
            return fact.name[:1].isupper() or fact.name in self._row_makers or fact.name in MAKING
        given = [unwrapped(argument) for argument in call.args]
        return fact.name in COPIES or any(isinstance(x, v.Call) and last_name(x) in DUMPS for x in given)

    # Containers that get a password, and are stored after that

    def _note_put(self, fact: CallFact, put: dict[str, list[tuple[str, Value]]]) -> None:
        """`users[name] = {...}`, `users.append({...})`."""
        call = fact.value
        target = v.bare(call.target)
        container: Value | None = None
        key = ""
        if target == v.Ref("operator.setitem"):
            container = call.args[0]
            named = v.bare(call.args[1])
            key = str(named.value) if isinstance(named, v.Const) else ""
        elif isinstance(target, v.Attr) and fact.name in ADDERS and call.args:
            container = target.base
        while isinstance(container, v.Op) and container.kind in {"without", "after", "if", "typed"}:
            container = container.subject
        if isinstance(container, (v.Named, v.Param, v.Attr, v.Ref)):
            put.setdefault(container.name.lstrip(":"), []).append((key, call.args[-1]))

    def _stored_later(self, frame: Frame, put: dict[str, list[tuple[str, Value]]]) -> None:
        for fact in frame.function.calls:
            arguments = [*fact.value.args, *(inner for _, inner in fact.value.keywords)]
            hits = [hit for argument in arguments for hit in self._in(Bound(argument, frame), put)]
            if not hits or fact.name in ADDERS or (isinstance(fact.value.target, v.Ref) and fact.name == "setitem"):
                continue
            bound = Bound(fact.value, frame)
            places = list(self._keeps_whole(fact, frame))
            if not places:
                for callee in self.infer.callees(bound):
                    places += self._keeping(callee, bound, hits)
            values = [entry for hit in hits for entry in put[hit.name.lstrip(":")]]
            for kept, at, store in places:
                for key, value in values:
                    for field, inner in self.stores.parts(Bound(value, frame), key):
                        self._judge(replace(kept, field=field, bound=inner, about=(field,)), at, store)

    def _in(self, bound: Bound, names: Container[str]) -> Iterator[v.Named | v.Param | v.Attr | v.Ref]:
        """The values with one of these names in a value; what a function of the project makes of them is something else."""
        value = bound.value
        if isinstance(value, (v.Named, v.Param, v.Attr, v.Ref)) and value.name.lstrip(":") in names:
            yield value
        elif not (isinstance(value, v.Call) and any(callee.function for callee in self.infer.callees(bound))):
            for inner in v.children(value):
                yield from self._in(bound.sub(inner), names)

    def _keeping(self, callee: Callee, bound: Bound, hits: Sequence[Value]) -> Iterator[tuple[Kept, Frame, CallFact]]:
        """The calls in a helper that store one of the arguments as a whole."""
        inner = self.infer.enter(callee, bound)
        if inner is None:
            return
        names = {name for name, argument in inner.bindings if any(argument.value == hit for hit in hits)}
        for fact in inner.function.calls:
            if names and mentions_param(fact.value, names):
                yield from self._keeps_whole(fact, inner)

    def _keeps_whole(self, fact: CallFact, frame: Frame) -> Iterator[tuple[Kept, Frame, CallFact]]:
        kept = self.stores.whole(fact, frame)
        if kept is not None:
            yield kept, frame, fact

    def _hand_on(
        self,
        callee: Callee,
        bound: Bound,
        fact: CallFact,
        depth: int,
        start: tuple[object, ...],
        speaks: Speaking | None = None,
    ) -> None:
        """Look into a helper that gets a password as a parameter of another name; `start` is the first call of the way."""
        symbol = callee.function
        if symbol is None or depth > MAX_HELPERS or callee.assumed:
            return
        target = v.bare(bound.value.target) if isinstance(bound.value, v.Call) else None
        if callee.receiver is None and isinstance(target, v.Attr) and is_classmethod(symbol.facts):
            callee = msgspec.structs.replace(callee, receiver=target.base)  # which class it makes an instance of
        inner = self.infer.enter(callee, bound)
        if inner is None:
            return
        hot = {
            name
            for name, argument in inner.bindings
            if name not in {"self", "cls"}
            and not self.names.is_password(name)
            and (speaks is None or speaks.says(argument.value))
            and self._carries(argument)
        }
        key = (*inner.key, fact.span, *start)
        if hot and key not in self._entered:
            self._entered.add(key)
            self._inside(inner, hot, depth, start)

    def _inside(self, frame: Frame, hot: set[str], depth: int, start: tuple[object, ...]) -> None:
        for fact in frame.function.calls:
            if not mentions_param(fact.value, hot):
                continue
            there = self.infer.at(frame, fact)
            if there is None:
                continue
            callees, kept = self._kept(fact, there)
            for one in kept:
                if one.store != "file" or self.names.is_password(one.field):
                    self._judge(one, *_named_at(one, there, fact))
            if not kept:
                for callee in callees:
                    self._hand_on(callee, Bound(fact.value, there), fact, depth + 1, start)

    def _kept(self, fact: CallFact, frame: Frame) -> tuple[list[Callee], list[Kept]]:
        """What a call reaches, and what it keeps."""
        own = fact.name in {"setattr", "setitem", "eq"} and isinstance(fact.value.target, v.Ref)
        callees = [] if own else self.infer.callees(Bound(fact.value, frame))
        return callees, list(self.stores.kept(fact, frame, callees))

    def _carries(self, bound: Bound) -> bool:
        return worst(self.reader.read(bound)) is not None

    # One value

    def _judge(self, kept: Kept, frame: Frame, fact: CallFact) -> None:
        if any(self.names.is_others(name) for name in kept.about) or self.rows.is_for_others(kept.cls, kept.field):
            return
        if kept.assumed and self.names.is_about_others(f"{frame.path}.{frame.function.qualname}"):
            return
        if kept.cls is not None and kept.field and kept.store in {"row", "lookup"}:
            setter = self.rows.setter(kept.cls, kept.field)
            if setter is not None and kept.store == "row":
                self._set(setter, kept, fact)
                return
            if kept.store == "row" and self.rows.is_no_column(kept.cls, kept.field):
                return
        new = fact.name != "setattr"
        hashes = bool(kept.field) and (
            self.rows.hashes(kept.cls, kept.field, made=new)
            if kept.cls is not None
            else kept.assumed and kept.store == "row" and self.rows.all_hash(kept.field)
        )
        if kept.around is not None and kept.around.around == "hasher":
            return
        if kept.store == "comparison":
            self._compare(kept, frame, fact)
            return
        key = kept.field
        origins = self.reader.read(kept.bound, key)
        origin = worst([one for one in origins if kept.store in OF_PEOPLE or not one.generated])
        if origin is None or (self.names.is_others(origin.name) and not self.names.is_password(key)):
            return
        if self.doubts.means_something_else(origin, kept, frame, fact):
            return
        if (
            self.names.is_others(origin.name)
            or self.doubts.is_repaired(kept, frame, fact)
            or self.doubts.is_replaced(kept, frame)
        ):
            return
        if origin.kind == "digest" and self._is_of_random(kept, frame):
            return
        where = f"{frame.path.rpartition('/')[0]}.{frame.function.qualname}"
        if origin.digest is not None and origin.digest.reversible and self.names.is_about_others(where):
            return
        if hashes and origin.kind == "plain":
            self._add(*self.digests.typed(kept))
            return
        how = "comparison" if kept.store == "lookup" else "store"
        if kept.around is not None and kept.around.around and origin.kind == "plain":
            reversible = kept.around.around == "cipher"
            made = Digest(frame.path, fact.span.line, fact.span.column, kept.around.function, reversible)
            origin = replace(origin, kind="digest", digest=made)
        self._add(
            Use(how, origin, frame, fact, kept.place, self.doubts.confidence(kept, origin, frame, fact), origin.digest)
        )

    def _set(self, setter: FunctionSymbol, kept: Kept, fact: CallFact) -> None:
        """What the setter of a property does with what is assigned."""
        params = [param.name for param in setter.facts.params]
        if len(params) == 2 and not self.names.is_password(params[1]):
            if worst(self.reader.read(kept.bound, kept.field)) is not None:
                inner = Frame(setter.path, setter.facts, ((params[1], kept.bound),), 1, entered=True)
                self._inside(inner, {params[1]}, 0, (setter.path, fact.span))

    def _compare(self, kept: Kept, frame: Frame, fact: CallFact) -> None:
        origin = worst(self.reader.read(kept.bound))
        if origin is None or kept.against is None or self.names.is_others(origin.name):
            return
        others = self.reader.read(kept.against)
        kinds = {other.kind for other in others}
        stored = next((other for other in others if other.kind == "stored"), None)
        if origin.kind == "plain":
            if (
                stored is None
                or kinds & {"plain", "digest", "safe"}
                or self.names.is_hashed(stored.name.rpartition(".")[2])
            ):
                return
            field = stored.name.rpartition(".")[2]
            if _asks_for_change(kept, frame):
                return
            if kept.cls is not None and self.rows.hashes(kept.cls, field):
                return
        elif "digest" in kinds or self.digests.asks_for_stolen(frame) or self._is_of_random(kept, frame):
            return
        elif origin.digest is not None and origin.digest.reversible and stored is None:
            return  # an authorization header, made anew
        sure = kept.cls is not None or (stored is not None and stored.sure)
        confidence = Confidence.HIGH if sure and origin.sure else Confidence.MEDIUM
        self._add(Use("comparison", origin, frame, fact, kept.place, confidence, origin.digest))

    def _is_of_random(self, kept: Kept, frame: Frame) -> bool:
        """Whether it is the password of something that the program makes up itself, which nobody can guess."""
        return self.names.is_of_random(kept.cls.facts.qualname if kept.cls is not None else frame.function.owner)

    def _add(self, *uses: Use) -> None:
        for use in uses:
            span = use.fact.span
            key = (use.frame.path, span.line, span.column, use.origin.kind)
            known = self._uses.get(key)
            if known is None or (known.how != "store" and use.how == "store") or known.confidence < use.confidence:
                self._uses[key] = use


def _asks_for_change(kept: Kept, frame: Frame) -> bool:
    """Whether what is compared is put, as it is or as something made of it, in the place of what it is compared with."""
    stored, given = v.bare(kept.against.value) if kept.against is not None else None, v.bare(kept.bound.value)
    return isinstance(stored, v.Attr) and any(
        fact.name == "setattr"
        and len(fact.value.args) == 3
        and same_object(v.bare(fact.value.args[0]), v.bare(stored.base))
        and v.bare(fact.value.args[1]) == v.Const(stored.name)
        and any(v.bare(one) == given for one in v.walk(fact.value.args[2]))
        for fact in frame.function.calls
    )


def _named_at(kept: Kept, frame: Frame, fact: CallFact) -> tuple[Frame, CallFact]:
    """The call that names the field: that of a helper which hands `**fields` to the class it is called on."""
    outer = kept.bound.frame
    if kept.whole and outer.key != frame.key:
        for call in outer.function.calls:
            if any(key == kept.field and value == kept.bound.value for key, value in call.value.keywords):
                return outer, call
    return frame, fact
