"""Functions that hand a password to a hasher, themselves or by way of others."""

from __future__ import annotations

from prodready.link.frames import Bound, Frame
from prodready.link.infer import Inference
from prodready.link.password_names import PasswordNames
from prodready.read import values as v
from prodready.read.facts import FunctionFacts

MAX_DEPTH = 3
"""Helpers between a method of a model and the hasher."""

MADE_BY_HASHERS = frozenset({"password-hash", "hashed", "digest", "encrypted"})

TAKING = frozenset(
    """
    value val raw plain plaintext plain_text text new raw_value new_value v x s data kwargs credential credentials secret
    instance validated_data cleaned_data values attrs document doc key candidate
    """.split()
)
"""Parameters of setters, hooks and helpers that take anything."""


class HashingFunctions:
    """Looks into functions for a hasher."""

    def __init__(self, infer: Inference, names: PasswordNames) -> None:
        self.infer = infer
        self.program = infer.program
        self.names = names
        self._known: dict[tuple[str, str], bool] = {}

    def hashes(self, path: str, function: FunctionFacts, field: str = "password") -> bool:
        """Whether a function hands what it gets, or a password, to a hasher; `field` is the column that it is about."""
        return self._hashes(path, function, field, 0)

    def _hashes(self, path: str, function: FunctionFacts, field: str, depth: int) -> bool:
        key = (path, function.qualname)
        if key in self._known:
            return self._known[key]
        if depth > MAX_DEPTH:
            return False
        self._known[key] = False
        frame = Frame(path, function)
        own = function.params[0].name if function.owner and function.params else ""
        for fact in function.calls:
            if not self._hands_on(fact.value, field, own):
                continue
            callees = self.infer.callees(Bound(fact.value, frame))
            if any(c.effect is not None and not c.effect.labels.isdisjoint(MADE_BY_HASHERS) for c in callees) or (
                not any(c.function for c in callees)
                and (fact.value.args or fact.value.keywords)
                and self.names.is_hasher(fact.name)
                and fact.name != "setattr"
            ):
                self._known[key] = True
                break
            reached = [c.function for c in callees if c.function is not None]
            if not reached and not any(c.effect for c in callees) and isinstance(v.bare(fact.value.target), v.Attr):
                reached = list(self.program.methods_named(fact.name)[:MAX_DEPTH])  # of an instance of whatever class
            if any(self._hashes(one.path, one.facts, field, depth + 1) for one in reached):
                self._known[key] = True
                break
        return self._known[key]

    def _hands_on(self, call: v.Call, field: str, own: str) -> bool:
        """Whether a call gets a password, the field, or what the function was given under a name that may be one."""
        waiting = [*call.args, *(inner for _, inner in call.keywords)]
        target = v.bare(call.target)
        if not waiting and isinstance(target, v.Attr) and isinstance(target.base, v.Param):
            return True  # `instance.hash_password()`: what the method does will tell
        while waiting:
            value = waiting.pop()
            if isinstance(value, v.Attr) and (value.name == field or self.names.is_password(value.name)):
                return True
            if isinstance(value, v.Const) and isinstance(value.value, str) and self.names.is_password(value.value):
                return True
            if isinstance(value, v.Named) and self.names.is_password(value.name):
                return True
            if isinstance(value, v.Param) and value.name != own:
                if self.names.is_password(value.name) or value.name in TAKING:
                    return True
            waiting.extend(v.children(value))
        return False
