"""Is a name the name of a secret? Judged by its words, with the word lists of the knowledge."""

from __future__ import annotations

import re
from collections.abc import Collection

from prodready.knowledge import Knowledge
from prodready.words import split_words

SURE = frozenset(
    {
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "senha",
        "passwort",
        "contraseña",
        "cvv",
        "authorization",
    }
)
COIN_FILES, COIN_PART = 3, 0.05
"""How many files with a word of coins in their path make a project one that deals in them, and which part of all."""

VAGUE = frozenset({("session", "id"), ("sessionid",), ("sid",), ("session", "key"), ("pwd",), ("pw",)})


class Names:
    """Judges names by the word lists of the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        words = knowledge.words
        self._phrases = {tuple(phrase.split()) for phrase in words.get("secret", ())}
        self._longest = max((len(p) for p in self._phrases), default=1)
        self._not = words.get("not-secret", frozenset())
        self._not_phrases = {tuple(phrase.split()) for phrase in self._not if " " in phrase}
        self._carriers = words.get("carrier", frozenset())
        self._redactors = words.get("redactor", frozenset())
        self._login = {tuple(phrase.split()) for phrase in words.get("login", ())}
        self._coins = words.get("of-coins", frozenset())
        self._opening = words.get("of-access", frozenset())
        self._known: dict[str, bool] = {}

    def is_secret(self, name: str) -> bool:
        """Whether a variable, field or key of this name holds a secret."""
        if name not in self._known:
            # With a slash in it, it is the key of a route or a file.
            self._known[name] = "/" not in name and self._judge(split_words(name))
        return self._known[name]

    def is_another_thing(self, name: str) -> bool:
        """Whether a name ends in words that stand for something else: `issue_credential`."""
        words = split_words(name)
        return any(words[-len(phrase) :] == phrase for phrase in self._not_phrases)

    def is_carrier(self, name: str) -> bool:
        """Whether an attribute of this name of a secret is still the secret."""
        words = split_words(name)
        return bool(words) and (words[-1] in self._carriers or words == ("key",))

    def is_redactor(self, name: str) -> bool:
        """Whether a function or a name says that the secret was made harmless."""
        return any(word in self._redactors for word in split_words(name))

    def speaks_of_login(self, name: str) -> bool:
        """Whether a function or route of this name is handed credentials."""
        words = split_words(name)
        return any(words[i : i + len(p)] == p for p in self._login for i in range(len(words)))

    def is_vague(self, name: str) -> bool:
        """Whether the name is used for other things just as often."""
        return split_words(name)[-2:] in VAGUE or split_words(name)[-1:] in VAGUE

    def deals_in_coins(self, paths: Collection[str]) -> bool:
        """Whether a project with these files deals in coins, of which it may speak as tokens."""
        found = sum(any(part in self._coins for part in re.split(r"[/_.-]", path.lower())) for path in paths)
        return found >= max(COIN_FILES, len(paths) * COIN_PART)

    def may_be_coin(self, name: str) -> bool:
        """Whether a name speaks of a token and not of what it opens: `token`, but not `access_token`."""
        words = split_words(name)
        return bool({"token", "tokens"} & set(words)) and self._opening.isdisjoint(words)

    def is_sure(self, name: str) -> bool:
        """Whether the name can mean nothing else."""
        words = split_words(name)
        return any(word in SURE for word in words) or words[-2:] in {
            ("secret", "key"),
            ("private", "key"),
            ("api", "key"),
        }

    def _judge(self, words: tuple[str, ...]) -> bool:
        while len(words) > 1 and (words[-1] in self._carriers or words[-1].isdigit()):
            words = words[:-1]
        for length in range(min(self._longest, len(words)), 0, -1):
            if words[-length:] in self._phrases:
                before = words[:-length]
                if any(words[-len(p) :] == p for p in self._not_phrases):
                    return False
                return not any(word in self._not or word in self._redactors for word in before)
        return False
