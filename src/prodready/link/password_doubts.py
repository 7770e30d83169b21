"""What speaks against a finding about a password: what else a value may be, and what is made of it later."""

from __future__ import annotations

from functools import cached_property

from prodready.finding import Confidence
from prodready.link.frames import Bound, Frame
from prodready.link.given import exclusive
from prodready.link.password_rows import Rows
from prodready.link.password_speaking import is_text, same_object
from prodready.link.password_stores import Kept
from prodready.link.passwords import Origin, PasswordReader
from prodready.read import values as v
from prodready.read.facts import CallFact
from prodready.words import split_words

MOVING = frozenset("migrate migrator migrators legacy restore backup replicate replication".split())
"""Words in names of files and functions that take rows over from another database, hashes and all."""


class Doubts:
    """Judges a password that is stored, by what stands around the store."""

    def __init__(self, rows: Rows, reader: PasswordReader) -> None:
        self.rows = rows
        self.reader = reader
        self.names = rows.names
        self.infer = rows.infer
        self.program = rows.program

    def means_something_else(self, origin: Origin, kept: Kept, frame: Frame, fact: CallFact) -> bool:
        """Whether only a vague name speaks for a password, and nobody who might log in is spoken of."""
        if not self.names.is_vague(origin.name) or (
            self.names.is_password(kept.field) and not self.names.is_vague(kept.field)
        ):
            return False
        if self.names.speaks_of_people(frame.function.qualname):
            return False
        texts = [x.value for x in v.walk(fact.value) if isinstance(x, v.Const) and isinstance(x.value, str)]
        named = [x.name for x in v.walk(fact.value) if isinstance(x, (v.Named, v.Param, v.Attr))]
        keys = [key for key, _ in fact.value.keywords]
        return not any(map(self.names.speaks_of_people, (*texts, *named, *keys, *kept.about)))

    def confidence(self, kept: Kept, origin: Origin, frame: Frame, fact: CallFact) -> Confidence:
        """How sure it is that a password, or a digest of one, is stored as such."""
        field = kept.field
        written = kept.around is not None
        doubts = kept.assumed + (not origin.sure) + origin.doubtful
        told = self.names.is_password(field) or self.names.is_hash_of_password(field)
        if field and not written and not told and is_text(kept.bound.value):
            doubts += 2  # a message with the password in it
        if (
            kept.store == "row"
            and (kept.cls is not None or kept.assumed)
            and not written
            and not self.names.may_hold_password(field)
        ):
            doubts += 2
        if origin.digest is not None and origin.digest.reversible and self.names.is_hashed(field):
            doubts += 2  # it says that it can be decrypted, and somebody probably does
        if kept.store == "row" and origin.kind == "plain" and _is_moved(origin, frame):
            doubts += 2
        if fact.name == "setattr" and fact.value.args[0] == v.Param("self") and self._is_unknown(origin, frame):
            may_be_hash = origin.digest is None or origin.digest.reversible
            doubts += 2 * (may_be_hash and self._project_hashes)
        return (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)[min(doubts, 2)]

    def _is_unknown(self, origin: Origin, frame: Frame) -> bool:
        """Whether a value is a parameter that nobody is seen to give anything."""
        value = v.bare(origin.bound.value)
        return isinstance(value, v.Param) and origin.bound.frame.key == frame.key and not origin.bound.frame.entered

    @cached_property
    def _project_hashes(self) -> bool:
        """Whether the project has a hasher for passwords: then a class may be given what that makes."""
        knowledge = self.rows.knowledge
        names = {name.rpartition(".")[2] for name, e in knowledge.functions.items() if "password-hash" in e.labels}
        return any(not names.isdisjoint(outline.calls) for outline in self.program.outlines.values()) or any(
            "hash_password" in outline.calls or "verify_password" in outline.calls
            for outline in self.program.outlines.values()
        )

    def is_repaired(self, kept: Kept, frame: Frame, fact: CallFact) -> bool:
        """Whether the object that was given the password is given a hash of it afterwards, in the same function."""
        if kept.store != "row":
            return False
        call = fact.value
        target = v.bare(call.target)
        owner = v.bare(call.args[0]) if target == v.Ref("setattr") else call
        within = list(v.walk(call))  # `self._password = self._hash(password)` repairs nothing
        for later in frame.function.calls:
            value = later.value
            if value in within or (later.span.line, later.span.column) < (fact.span.line, fact.span.column):
                continue
            if exclusive(frame.function, fact, later):
                continue
            if v.bare(value.target) == v.Ref("setattr") and len(value.args) == 3:
                if same_object(v.bare(value.args[0]), owner) and self._is_safe(Bound(value.args[2], frame)):
                    return True
            elif isinstance(value.target, v.Attr) and same_object(v.bare(value.target.base), owner):
                for callee in self.infer.callees(Bound(value, frame)):
                    if callee.effect is not None and "password-hash" in callee.effect.labels:
                        return True
                    if callee.function is not None and self.rows.functions.hashes(
                        callee.function.path, callee.function.facts
                    ):
                        return True
                if not self.infer.callees(Bound(value, frame)) and later.name == "set_password":
                    return True
        return False

    def is_replaced(self, kept: Kept, frame: Frame) -> bool:
        """Whether the password in a mapping that is stored as a whole was replaced by its hash."""
        for fact in frame.function.calls if kept.whole else ():
            call = fact.value
            if fact.name == "setitem" and len(call.args) == 3 and v.bare(call.args[1]) == v.Const(kept.field):
                if self._is_safe(Bound(call.args[2], frame)):
                    return True
        return False

    def _is_safe(self, bound: Bound) -> bool:
        return any(origin.kind == "safe" for origin in self.reader.read(bound))


def _is_moved(origin: Origin, frame: Frame) -> bool:
    """Whether a password is a field of a row that is taken over from another database."""
    value = v.bare(origin.bound.value)
    near = "/".join(frame.path.removesuffix(".py").split("/")[-2:])
    words = {*split_words(near), *split_words(frame.function.qualname)}
    return isinstance(value, v.Item) and not MOVING.isdisjoint(words)
