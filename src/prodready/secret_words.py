"""The words by which the names of secrets are known, and how texts look that nobody could guess.

Hiding (`masking.py`), which every reader needs, and PRD502 (`engines/secret_values.py`) go by the same words. Each asks of a
value what fits its task: to hide too much does little harm, to report too much does.
"""

from __future__ import annotations

import itertools

PASSWORDS = frozenset(
    "password passwords passwd pswd passphrase passcode pwd "
    "senha clave contraseña contrasena passwort kennwort wachtwoord lösenord hasło motdepasse".split()
)
"""Last words of the names of passwords; `pass` is one too, and means other things just as often."""

SECRETS = frozenset(
    "secret secrets secretkey token apikey accesskey privatekey authtoken credential credentials".split()
)
"""Last words of the names of other secrets."""

KEYS = frozenset("access api auth encryption hmac master private secret shared signing".split())
"""What stands before `key` in the names of secret keys, whatever the value is."""

STEMS = tuple("pass pwd pswd secret token credential contrase senha clave kennwort wachtwoord lösenord hasło".split())
"""What all of the names hold, but for those of keys."""


def changes(value: str) -> int:
    """How often small letters, capitals, digits and signs follow each other: what is made of words has few changes."""
    kinds = ["d" if c.isdigit() else "l" if c.islower() else "u" if c.isupper() else "s" for c in value]
    return sum(one != other for one, other in itertools.pairwise(kinds))
