"""What a condition asks of whoever sent a request, judged by its words: a login, a role, a permission, ownership, a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from prodready.knowledge import Knowledge
from prodready.read import values as v
from prodready.read.facts import RAISE, Exit, last_name
from prodready.read.values import Value
from prodready.words import split_words

Atom = tuple[Value, bool]
REFUSING = frozenset({401, 403})
HIDING = frozenset({404})
"""Statuses that turn somebody away, and those that do so only where the condition speaks of who asks."""

ERRORS = frozenset({"ValueError", "TypeError", "KeyError", "RuntimeError", "NotImplementedError", "AssertionError"})
"""What is raised for a mistake of the program; it turns nobody away for who it is."""

MAX_NAMES = 60

OF_NOBODY = frozenset(
    "time date datetime day week month year hour timestamp now page version status state step index count path url".split()
)
"""In names of what is current for everybody."""

PER_REQUEST = frozenset("request req session g self state info context ctx scope environ".split())
"""Words in names of what the framework fills anew for each request."""


class GuardWords:
    """Judges names and conditions by the word lists of the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._lists = {name: [tuple(phrase.split()) for phrase in words] for name, words in knowledge.words.items()}
        self._single = {name: {p[0] for p in phrases if len(p) == 1} for name, phrases in self._lists.items()}
        self._longer = {name: [p for p in phrases if len(p) > 1] for name, phrases in self._lists.items()}
        self.has = lru_cache(maxsize=20_000)(self._has)

    def _has(self, table: str, name: str) -> bool:
        """Whether a name has one of the phrases of a list in it."""
        words = split_words(name)
        return not self._single.get(table, frozenset()).isdisjoint(words) or any(
            words[start : start + len(phrase)] == phrase
            for phrase in self._longer.get(table, ())
            for start in range(len(words) - len(phrase) + 1)
        )

    def called(self, table: str, name: str) -> bool:
        """Whether a name is one of the phrases of a list."""
        return split_words(name) in self._lists.get(table, ())

    def ends(self, table: str, name: str) -> bool:
        """Whether a name ends in one of the phrases of a list."""
        words = split_words(name)
        return any(words[-len(phrase) :] == phrase for phrase in self._lists.get(table, ()))

    def speaks_of_user(self, value: Value) -> bool:
        """Whether a value is, or belongs to, whoever is logged in: `g.user.id`, `request.user`, `session["user_id"]`."""
        if isinstance(value, v.Named):
            words = split_words(value.name)
            told = "current" in words and OF_NOBODY.isdisjoint(words)  # `current_crate` may be a row that anybody names
            row = told and not self.ends("user", value.name) and self._is_named_by_anybody(v.bare(value.value))
            return (told and not row) or self.speaks_of_user(value.value)
        if isinstance(value, v.Attr):
            own = self.ends("user", value.name) or self.ends("user-key", value.name)
            if own and isinstance(value.base, v.Ref) and "current" in split_words(value.name):
                return True  # `flask_login.current_user`
            return (own and self._is_about_request(value.base)) or self.speaks_of_user(value.base)
        if isinstance(value, v.Param):
            return self.ends("user", value.name)
        if isinstance(value, v.Ref):
            name = value.name.rpartition(".")[2].lstrip(":")
            return name[:1].islower() and self.ends("user", name)  # not the class
        if isinstance(value, v.Item):
            return (self._key_of_user(value.key) and self._is_about_request(value.base)) or self.speaks_of_user(
                value.base
            )
        if isinstance(value, v.Call):
            target = v.bare(value.target)
            if self.ends("user", last_name(target)) and last_name(target)[:1].isupper():
                return False  # a new one
            if isinstance(target, v.Attr) and target.name in {"get", "pop"} and value.args:
                return self._key_of_user(value.args[0]) and self._is_about_request(target.base)
            given = [*value.args, *(x for _, x in value.keywords)]
            return (
                (self.ends("user", last_name(target)) and all(map(self._carries_request, given)))
                or (isinstance(target, v.Attr) and not _is_module(target.base) and self.speaks_of_user(target.base))
                or any(self.speaks_of_user(a) for a in value.args[:1] if last_name(target) in {"str", "int", "UUID"})
            )
        if isinstance(value, (v.Mark, v.Free)):
            return self.speaks_of_user(value.value)
        if isinstance(value, v.Op) and value.kind in {"after", "typed", "if"}:
            return self.speaks_of_user(value.subject)
        return False

    def _carries_request(self, value: Value) -> bool:
        """Whether an argument is what the framework gives: the request, a session, a token from its headers."""
        value = v.bare(value)
        if isinstance(value, v.Attr):
            return self._is_about_request(value) or self._is_about_request(value.base)
        return isinstance(value, (v.Param, v.Ref, v.Const)) and (
            isinstance(value, v.Const) or self._is_about_request(value) or self.has("key", getattr(value, "name", ""))
        )

    def _key_of_user(self, key: Value) -> bool:
        key = v.bare(key)
        return isinstance(key, v.Const) and isinstance(key.value, str) and self.ends("user-key", key.value)

    def _is_about_request(self, base: Value) -> bool:
        """Whether an object is one that the framework fills anew for each request."""
        name = last_name(v.bare(base)) if not isinstance(base, v.Param) else base.name
        words = split_words(name)
        return not PER_REQUEST.isdisjoint(words)

    def kind(self, atoms: Iterable[Atom], *, certain: bool) -> str:
        """What conditions ask for that turned out against somebody: the strongest of it, or nothing.

        `certain` says that who fails is turned away with a status for that, so that less telling words will do.
        """
        found: list[str] = []
        for value, truth in atoms:
            one = self._atom(value, truth, certain=certain)
            if one:
                found.append(one)
        for kind in ("role", "permission", "ownership", "membership", "token", "login"):
            if kind in found:
                return kind
        return ""

    def _atom(self, value: Value, truth: bool, *, certain: bool) -> str:
        """What one condition asks for that turned out against somebody, or nothing."""
        if isinstance(value, v.Op) and value.kind == "caught":
            return self._of_caught(list(names_in(value)), certain)
        if isinstance(value, v.Op) and value.kind in {"test", "in"} and value.args:
            return self._of_comparison(value, truth, certain)
        return self._of_question(value, truth, certain)

    def _of_caught(self, names: list[str], certain: bool) -> str:
        if self._any("key", names):
            return "token"
        if certain and self._any("logged-in", names):
            return "login"
        # `except AccessDenied: abort(403)`; what the file system denies says nothing of who asks
        denied = [name for name in names if name not in ERRORS and name != "PermissionError"]
        return "permission" if certain and self._any("refusal", denied) else ""

    def _of_comparison(self, value: v.Op, truth: bool, certain: bool) -> str:
        names = list(names_in(value))
        sides = (value.subject, value.args[0])
        key = v.bare(value.subject)
        if value.kind == "in" and isinstance(key, v.Const) and self._is_about_request(sides[1]):
            if truth:
                return ""
            return "role" if self._any("role", [str(key.value)]) else "login" if self._key_of_user(key) else ""
        about = [self.speaks_of_user(side) for side in sides]
        if self._any("role", names) and (any(about) or certain or any(map(self._is_of_own_row, sides))):
            return "membership" if not truth and self._names_low_role(sides[1]) else "role"
        if any(about):
            return self._of_person(sides[1] if about[0] else sides[0], truth, certain)
        if certain and self._any("key", names):
            return "token"
        if certain and not truth and self._any("owner", names) and self._any("user", names):
            return "ownership"
        # `if row.access not in granted: raise Forbidden`
        return "permission" if certain and not truth and value.kind == "in" and self._any("permission", names) else ""

    def _names_low_role(self, roles: Value) -> bool:
        """Whether a list of roles has one that everybody has who shares a thing: `role__in=[ADMIN, MEMBER]`."""
        roles = v.bare(roles)
        items = roles.items if isinstance(roles, v.Seq) else ()
        words = [split_words(next(names_in(v.bare(item)), "")) for item in items]
        return any(self.called("low-role", " ".join(w for w in word if w != "role")) for word in words)

    def _of_person(self, other: Value, truth: bool, certain: bool) -> str:
        """What is asked for where whoever asks is compared with something."""
        if isinstance(v.bare(other), (v.Const, v.Text)):
            return "role" if not truth else ""
        names = list(names_in(other))
        if self._any("permission", names):
            return "permission"
        if truth:  # who is the same is turned away
            return ""
        return "ownership" if self._any("owner", names) or certain else ""

    def _of_question(self, named: Value, truth: bool, certain: bool) -> str:
        value = v.bare(named)
        names = list(names_in(named))
        if not certain and isinstance(named, v.Named) and isinstance(value, v.Call):
            names = [named.name]  # what was looked up is there or not; how it was looked up tells nothing
        elif not certain and self._is_about_rows(value):
            names = []
        if self.is_setting(named):
            return ""  # what the application is set to says nothing of who asks
        if truth and not self._any("anonymous", names) and not self._any("negation", names):
            return ""  # who has it is turned away: that keeps nobody else out
        if self._any("role", names):
            roles = [given for call in _chained(value) for key, given in call.keywords if self.has("role", key)]
            return "membership" if any(map(self._names_low_role, roles)) else "role"
        if self._any("permission", names):
            return "permission"
        if any(self.speaks_of_user(argument) for argument in _given(value)):
            if any(self.has("owner", name) and not self.has("user-key", name) for name in names[:2]):
                return "ownership"
            return "permission" if certain or _asks_about(value) else ""
        if self._any("anonymous", names):
            return "login" if truth else ""
        if truth or (isinstance(value, v.Param) and value.name == "login"):  # a name that somebody logs in with
            return ""
        return self._of_login(named, names, certain)

    def _of_login(self, named: Value, names: list[str], certain: bool) -> str:
        """Whether a login or a key is asked for where nothing more is."""
        about = self.speaks_of_user(named)
        if about and self._looks_for_more(v.bare(named)):
            return "permission"
        if about or self._any("authenticated", names) or (certain and self._any("logged-in", names)):
            return "token" if self._any("key", names[:1]) and not self.speaks_of_user(v.bare(named)) else "login"
        return "token" if self._any("key", names) else ""

    def _looks_for_more(self, value: Value) -> bool:
        """Whether a row of who asks is looked for by something else: `user.groups.filter(name="Editors").exists()`.

        Or they are asked about something: `user.is_packer_of(crate)`.
        """
        target = v.bare(value.target) if isinstance(value, v.Call) else None
        if isinstance(target, v.Attr) and _given_to(value) and self.speaks_of_user(target.base):
            return split_words(target.name)[0] in {"is", "has", "can", "may", "belongs"}
        while isinstance(value, (v.Call, v.Attr)):
            if isinstance(value, v.Call):
                target = v.bare(value.target)
                asked = isinstance(target, v.Attr) and self.called("row-query", target.name)
                if asked and isinstance(target, v.Attr) and self.speaks_of_user(target.base) and any(_given(value)):
                    return True
                value = target
            else:
                value = v.bare(value.base)
        return False

    def _is_about_rows(self, value: Value) -> bool:
        """Whether rows are asked for by something else than who asks: `rows.filter(role=ADMIN).count()`."""
        inner, looked_up = value, False
        while isinstance(inner, (v.Call, v.Attr)):
            looked_up |= isinstance(inner, v.Call) and self.called("row-query", last_name(v.bare(inner.target)))
            inner = v.bare(inner.target if isinstance(inner, v.Call) else inner.base)
        return looked_up and not any(self.speaks_of_user(x) for given in _given(value) for x in v.walk(given))

    def _is_named_by_anybody(self, value: Value) -> bool:
        """Whether a row is looked up by what the path gives: `rows.get(pk=pk)`."""
        given = [v.bare(one) for one in _given(value)]
        of_path = any(isinstance(one, v.Param) and not self.has("key", one.name) for one in given)
        return of_path and self._is_about_rows(value)

    def _is_of_own_row(self, value: Value) -> bool:
        """Whether a value stands in a row that was looked up by who asks: `find(Member, user=request.user).role`."""
        inner = v.bare(value)
        return isinstance(inner, v.Attr) and any(map(self.speaks_of_user, _given(v.bare(inner.base))))

    def required_by(self, name: str) -> str:
        """What a name such as `LoginRequiredMixin` or `permission_required` says that somebody must have."""
        words = split_words(name)
        if not {"required", "requires", "require"}.intersection(words) or self.has("anonymous", name):
            return ""
        tables = {"role": "role", "permission": "permission", "login": "authenticated"}
        return next((kind for kind, table in tables.items() if self.has(table, name)), "")

    def is_setting(self, value: Value) -> bool:
        """Whether a value is one of the application's settings: `settings.SIGNUP_OPEN`, `app.config["LOGIN_DISABLED"]`."""
        if isinstance(value, v.Named) and value.name.isupper():
            return True
        value = v.bare(value)
        while isinstance(value, (v.Attr, v.Item, v.Call, v.Named)):
            if isinstance(value, v.Call):
                value = value.target
            elif isinstance(value, v.Named):
                value = value.value
            else:
                value = value.base
            words = split_words(last_name(value))
            if words and words[-1] in {"settings", "config", "conf", "configuration"}:
                return True
        return False

    def is_optional(self, name: str) -> bool:
        """Whether a dependency of this name turns nobody away."""
        return self.has("optional", name)

    def _any(self, table: str, names: Iterable[str]) -> bool:
        return any(self.has(table, name) for name in names)

    def is_about_something_else(self, atoms: Iterable[Atom]) -> bool:
        """Whether conditions are of a kind that says nothing of who may do a thing."""
        asked = [value for value, _ in atoms if not self._names_permission(v.bare(value))]
        return any(self.has("no-guard", name) for value in asked for name in names_in(value))

    def _names_permission(self, value: Value) -> bool:
        """Whether who asks is asked for a permission by its name, whatever that is: `user.has_perm("privacy.change")`."""
        target = v.bare(value.target) if isinstance(value, v.Call) else None
        return isinstance(target, v.Attr) and self.has("permission", target.name) and self.speaks_of_user(target.base)

    # What somebody is given who fails

    def refuses(self, exit_: Exit) -> str:
        """How a way out turns somebody away: `refused` by a status or a name, `hidden`, `sent`, `told`, or nothing."""
        value = v.bare(exit_.value)
        statuses = set(self._statuses(value))
        if statuses & REFUSING:
            return "refused"
        names = [name for name in names_in(value) if len(name) < 60]
        callee = last_name(value) if isinstance(value, (v.Call, v.Ref, v.Attr)) else ""
        if any(self.has("refusal", name) for name in [callee, *(n for n in names if n.isupper())] if name):
            return "refused"
        if statuses & HIDING:
            return "hidden"
        words = split_words(callee)
        if "redirect" in words:
            return "refused" if self._any("sign-in", names) else "sent"
        if any(self.has("refusal", text) for text in texts_in(value)):
            return "told"
        if exit_.kind == RAISE:
            return "" if callee in ERRORS else "hidden"
        return ""

    def is_unsigned(self, atom: Atom) -> bool:
        """Whether a signature was found to be wrong: `if not compare_digest(...)`, `except BadSignature`."""
        value, truth = v.bare(atom[0]), atom[1]
        if isinstance(value, v.Op) and value.kind == "caught":
            return self._any("signature", names_in(value.subject))
        return not truth and isinstance(value, v.Call) and self.has("signature", last_name(value))

    def is_bad_request(self, exit_: Exit) -> bool:
        """Whether somebody is only told that the request was wrong."""
        return 400 in set(self._statuses(v.bare(exit_.value)))

    def is_unknown_person(self, exit_: Exit) -> bool:
        """Whether somebody is turned away because nobody knows who it is, and not for what they may do."""
        words = {word for name in names_in(exit_.value) for word in split_words(name)}
        if "redirect" in words and self._any("sign-in", names_in(exit_.value)):
            return True
        return 401 in set(self._statuses(exit_.value)) or not words.isdisjoint(
            {"unauthorized", "authenticated", "authentication"}
        )

    def _statuses(self, value: Value) -> Iterator[int]:
        inner = v.bare(value)
        if isinstance(inner, v.Call):
            for argument in (*inner.args, *(x for _, x in inner.keywords)):
                yield from self._statuses(argument)
        elif isinstance(inner, v.Seq):
            for item in inner.items:
                yield from self._statuses(item)
        elif isinstance(inner, v.Const) and isinstance(inner.value, int) and not isinstance(inner.value, bool):
            yield inner.value
        elif isinstance(inner, (v.Attr, v.Ref)):
            for word in split_words(last_name(inner)):
                if word in {"400", "401", "403", "404"}:
                    yield int(word)
                elif word == "unauthorized":
                    yield 401
                elif word == "forbidden":
                    yield 403


def names_request(value: Value) -> bool:
    """Whether a value is the request as a whole."""
    return last_name(value) in {"request", "req"}


def _asks_about(value: Value) -> bool:
    """Whether a call is named like a question about who is given to it: `row.is_editable_by(user)`, `can_see(user)`."""
    words = split_words(last_name(value)) if isinstance(value, v.Call) else ()
    return bool(words) and (words[0] in {"is", "can", "may"} or words[-1] == "by")


def _is_module(value: Value) -> bool:
    """Whether something imported is called like a module of functions about users: `from shop.db import user`."""
    return (
        isinstance(value, v.Ref) and value.name.rpartition(".")[2] in {"user", "users", "account"} and "." in value.name
    )


def _given_to(value: Value) -> tuple[Value, ...]:
    """The arguments of a call."""
    return (*value.args, *(x for _, x in value.keywords)) if isinstance(value, v.Call) else ()


def _chained(value: Value) -> Iterator[v.Call]:
    """A call and the calls that it is chained to: `filter` in `rows.filter(owner=user).exists()`."""
    while isinstance(value, (v.Call, v.Attr, v.Named)):
        if isinstance(value, v.Call):
            yield value
            value = value.target
        else:
            value = value.base if isinstance(value, v.Attr) else value.value


def _given(value: Value) -> Iterator[Value]:
    """The arguments of a call and of the calls that it is chained to."""
    for call in _chained(value):
        yield from _given_to(call)


def names_in(value: Value, limit: int = MAX_NAMES, *, asked: bool = True) -> Iterator[str]:
    """The names and keys that a value is made of, the outermost first; those of modules are left out.

    Without `asked` also those of what was asked before it came to be.
    """
    waiting = [value]
    while waiting and limit:
        limit -= 1
        one = waiting.pop(0)
        if isinstance(one, (v.Attr, v.Param)):
            yield one.name
        elif isinstance(one, v.Named):
            yield one.name
        elif isinstance(one, v.Ref):
            yield one.name.rpartition(".")[2].lstrip(":")
        elif isinstance(one, v.Const) and isinstance(one.value, str) and len(one.value) < 60:
            yield one.value
        if isinstance(one, v.Call):
            waiting = [one.target, *one.args, *(x for _, x in one.keywords), *waiting]
        elif isinstance(one, v.Op) and one.kind in {"after", "if"} and not asked:
            waiting = [one.subject, *waiting]
        elif not isinstance(one, v.Ref):
            waiting = [*v.children(one), *waiting]


def texts_in(value: Value) -> Iterator[str]:
    """The constant texts in a value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, v.Const) and isinstance(one.value, str):
            yield one.value
        waiting.extend(v.children(one))
