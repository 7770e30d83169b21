"""What the words of a name say of a condition: whether it asks for a role, a permission, an owner, or only for a state."""

from __future__ import annotations

from prodready.knowledge import Knowledge
from prodready.words import split_words

LISTS = {
    "staff": "gate-staff",
    "permission": "gate-permission",
    "role": "gate-role",
    "owner": "gate-owner",
    "login": "gate-login",
}
"""The list of words for each kind of gate."""

KINDS = tuple(LISTS)
"""What a gate asks for, the strictest first."""
_ASKING = frozenset(
    {"is", "has", "have", "can", "may", "am", "are", "was", "should", "if", "not", "check", "user", "current", "my", "this",
     "viewer", "with", "any", "some", "includes", "contains", "in", "require", "requires", "required", "only"}
)  # fmt: skip
_SAYS_WHICH = frozenset({"authorized", "authorised", "permitted"})


class GateWords:
    """The word lists of the knowledge, and what follows from them."""

    def __init__(self, knowledge: Knowledge) -> None:
        names = (*LISTS.values(), "not-gate", "viewer", "not-viewer", "low-role", "waiting", "awaited")
        self._lists = {
            name: (
                frozenset(word for word in knowledge.words.get(name, ()) if " " not in word),
                tuple(tuple(word.split()) for word in knowledge.words.get(name, ()) if " " in word),
            )
            for name in names
        }

    def speaks(self, words: tuple[str, ...], name: str) -> bool:
        """Whether one of the words, or some in a row, are on a list."""
        single, several = self._lists.get(name, (frozenset(), ()))
        if not single.isdisjoint(words):
            return True
        joined = f" {' '.join(words)} "
        return any(f" {' '.join(parts)} " in joined for parts in several)

    def kind(self, leaf: tuple[str, ...], around: tuple[str, ...]) -> str:
        """The kind of flag that a name is by its words; `around` are those of what it is an attribute of."""
        if not leaf or self.is_state(leaf):
            return ""
        for kind in KINDS:
            name = LISTS[kind]
            if not self.speaks(leaf, name):
                continue
            if kind == "permission" and not self._is_permission(leaf):
                continue
            if kind in {"role", "permission"} and len(leaf) == 1 and leaf[0] not in _SAYS_WHICH:
                return ""  # that there is a role says nothing of which
            if kind == "owner" and not (set(leaf) & {"is", "owned", "mine", "owns"}):
                continue
            if kind == "role" and not self._asks_role(leaf, around):
                continue
            return kind
        if set(around) & {"permission", "permissions", "perms", "can", "abilities", "capabilities"}:
            return "permission"
        return ""

    def _asks_role(self, leaf: tuple[str, ...], around: tuple[str, ...]) -> bool:
        """`isEditor`, and of who looks at the page also `user.role_upload()`."""
        if leaf[0] == "role" and len(leaf) > 1 and self.speaks(around, "viewer"):
            return True
        return bool(set(leaf) & _ASKING) and self._names_role(leaf)

    def _names_role(self, leaf: tuple[str, ...]) -> bool:
        """`hasRoleAccess`, `isEditor`, but not `isEditorReady`."""
        return not {"role", "roles"}.isdisjoint(leaf) or self.speaks(leaf[-1:], "gate-role")

    def is_state(self, leaf: tuple[str, ...]) -> bool:
        """Whether a name's last word, or what can be done, speaks of the page."""
        if self.speaks(leaf[-1:], "not-gate"):
            return not ("can" in leaf[:2] or "may" in leaf[:1]) or self._is_idle(leaf)
        return False

    def _is_idle(self, leaf: tuple[str, ...]) -> bool:
        """`canSubmit`, `canScroll`: what a form or a list can do."""
        after = leaf[leaf.index("can") + 1 :] if "can" in leaf else leaf
        return not after or self.speaks(after[:1], "not-gate")

    def _is_permission(self, leaf: tuple[str, ...]) -> bool:
        if "can" in leaf or "may" in leaf:
            return leaf[0] in {"can", "may", "user", "is", "i", "they", "current"} and not self._is_idle(leaf)
        if set(leaf) & {"allow", "allows", "allowed", "access", "own"}:
            asks = leaf[0] in {"is", "has", "user", "have", "no", "allowed", "admin"} and len(leaf) <= 3
            return asks and leaf[-1] in {"allowed", "access", "allow"}
        return bool(_ASKING.intersection(leaf[:-1])) or self.speaks(leaf[-1:], "gate-permission")

    def of_settings(self, chain: tuple[str, ...]) -> bool:
        """Whether a name is one of the application's settings: the same for everybody."""
        return any(
            {"settings", "config", "feature", "features", "flags", "env"}.intersection(split_words(n))
            for n in chain[:-1]
        )
