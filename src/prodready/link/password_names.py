"""Is a name the name of a password, of what a hasher made of one, or of one that has to be kept as it is?"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from prodready.knowledge import Knowledge
from prodready.read.stored import named
from prodready.words import split_words

DESCRIBING = frozenset({"current", "first", "last", "input", "number", "index", "start", "n"})
"""Words of the list `not-secret` that say of a password which one it is."""

GENERAL = frozenset("db database api service backend option options env environ bind sql".split())
"""Words that say whose password it is right before it, and nothing as the name of what has one: `db_user.password`."""

VAGUE = frozenset({("pwd",), ("pw",), ("pass",), ("psw",), ("clave",), ("mdp",), ("parola",), ("passw",), ("heslo",)})
PEOPLE = frozenset(
    """
    user users username uname login signin signup account accounts register registration member customer student teacher
    email mail admin auth authenticate credentials usuario usuarios nome nombre correo utilisateur employee staff usr
    """.split()
)
"""Words that stand beside the name of somebody's password."""

UNTOLD = frozenset("secret credential credentials auth authentication login passkey key pass pwd pw pin code".split())

LONG_STEM = 8
"""Letters of a word by which it is looked for in bytes."""

COMMON = frozenset(
    """
    db database databases api service backend option options env environ bind config configuration cfg settings setting
    server servers host connection connections conn
    """.split()
)
"""Words in the paths of any application."""

RANDOM = frozenset({"token", "tokens", "apikey", "apikeys"})
"""Words in the names of classes of texts that the program makes up, too long to be guessed."""

SINGLE_DIGITS = frozenset("0123456789")


class PasswordNames:
    """Judges names by the word lists of the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        words = knowledge.words
        self._phrases = {tuple(phrase.split()) for phrase in words.get("password", ())}
        self._longest = max((len(p) for p in self._phrases), default=1)
        self._not = words.get("not-secret", frozenset()) - DESCRIBING
        self._carriers = words.get("carrier", frozenset())
        self._hashed = words.get("hashed", frozenset())
        self._hashers = words.get("hasher", frozenset())
        self._others = words.get("kept-password", frozenset())
        self.is_password = lru_cache(maxsize=None)(self._is_password)

    def _is_password(self, name: str) -> bool:
        """Whether a variable, a field, a key or a column of this name holds a password."""
        if "/" in name or len(name) > 60:
            return False
        words = split_words(name)
        while len(words) > 1 and (words[-1] in self._carriers or words[-1] in SINGLE_DIGITS):
            words = words[:-1]
        if words == ("pass",):
            return True
        for length in range(min(self._longest, len(words)), 0, -1):
            if words[-length:] in self._phrases:
                before = words[:-length]
                return not any(word in self._not or word in self._hashed for word in before)
        return False

    def is_vague(self, name: str) -> bool:
        """Whether the name means other things just as often: `pwd` is a folder, `pass` a verdict."""
        return split_words(re.split(r"[.\[]", name)[-1].strip("'\"]")) in VAGUE

    def speaks_of_people(self, name: str) -> bool:
        """Whether a name or a text is about somebody who logs in."""
        return not PEOPLE.isdisjoint(split_words(name))

    def may_hold_password(self, field: str) -> bool:
        """Whether a field of this name may well hold one: it says so, or it says no more than that it is secret."""
        return self.is_password(field) or self.is_hashed(field) or not UNTOLD.isdisjoint(split_words(field))

    def is_hashed(self, name: str) -> bool:
        """Whether a name says that a hasher or a cipher has made the value."""
        return any(word in self._hashed for word in split_words(name))

    def is_hash_of_password(self, name: str) -> bool:
        """Whether a name says that the value was made of a password."""
        words = split_words(name)
        rest = "_".join(word for word in words if word not in self._hashed)
        return len(rest) > 0 and self.is_hashed(name) and (self.is_password(rest) or words[0] in {"pw", "pwd", "pass"})

    def is_hasher(self, name: str) -> bool:
        """Whether a function of this name makes a hash or a cipher text."""
        return any(word in self._hashers or word in self._hashed for word in split_words(name))

    def is_of_random(self, name: str) -> bool:
        """Whether a class of this name is one of texts that the program makes up: tokens and keys of an API."""
        words = split_words(name.rpartition(".")[2])
        random = not RANDOM.isdisjoint(words) or ("api", "key") in pairwise(words)
        return random and not any(map(self.is_password, words))

    def is_others(self, name: str) -> bool:
        """Whether a name speaks of a password for something else, which must be kept as it is: `smtp_password`."""
        *owners, last = re.findall(r"[^\W\d][\w-]*", name) or [""]
        words = split_words(last)
        named = self._is_password(last)
        if named and any(word in self._others for word in words):
            return True
        if any(word == "email" for owner in owners for word in split_words(owner)):
            return named
        return any(
            word in self._others and word not in GENERAL
            for owner in (*owners, *(() if named else (last,)))
            for word in split_words(owner)
        )

    def is_about_others(self, name: str) -> bool:
        """Whether the name of a module or a function speaks of what such passwords are for: mail, another service."""
        words = split_words(name)
        return any(word in {"email", "mail"} or (word in self._others and word not in COMMON) for word in words)

    def stems(self) -> tuple[bytes, ...]:
        """What stands in the bytes of every function that speaks of a password; see `read.stored`."""
        words = {joiner.join(phrase) for phrase in self._phrases for joiner in ("", "_", " ")}
        # What ends in `pass` or `pin` is found by that, with the letter before it.
        ends = {found[0] if (found := re.search(r".(?:pass|pin)$", word)) else word[:LONG_STEM] for word in words}
        whole = {word for word in ends if len(word) > 2}
        stems = {word.encode() for word in whole if not any(other in word for other in whole - {word})}
        short = {stem for word in {*ends, "pass"} - whole for stem in (named(word), b"_" + word.encode())}
        return tuple(sorted(stems | short))

    def texts(self) -> re.Pattern[str]:
        """What stands in every text that speaks of a password."""
        phrases = {"".join(p) for p in self._phrases} | {"_".join(p) for p in self._phrases}
        return re.compile("|".join(sorted(phrase for phrase in phrases if len(phrase) > 2)), re.IGNORECASE)
