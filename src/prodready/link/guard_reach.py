"""Which routes a check is for that runs before all of them: those with a parameter, all but some that it names."""

from __future__ import annotations

from collections.abc import Iterable

from prodready.link.frames import Bound, Frame
from prodready.link.guard_words import GuardWords, names_in
from prodready.link.route import Reach
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value

PATH_WORDS = frozenset(
    {"path", "endpoint", "url", "blueprint", "route", "full_path", "path_info", "url_rule", "resolver_match"}
)


def reach(conditions: Iterable[tuple[Value, bool]], frame: Frame, values: RouteValues, words: GuardWords) -> Reach:
    """The routes whose requests can come to a place with these conditions."""
    parameters: set[str] = set()
    spared: set[str] = set()
    for value, truth in conditions:
        inner = v.bare(value)
        if truth and (name := _parameter(inner, words)):
            parameters.add(name)
        elif not truth and isinstance(inner, v.Op) and _compares_route(inner):
            spared.update(values.words(Bound(inner.args[0], frame)))
    return Reach(parameters=frozenset(parameters), spared=frozenset(spared))


def asks_for_route(value: Value) -> bool:
    """Whether a condition compares the path, or the name of the route, with constants."""
    return isinstance(value, v.Op) and _compares_route(value) and isinstance(v.bare(value.args[0]), (v.Const, v.Seq))


def _compares_route(value: v.Op) -> bool:
    return value.kind in {"test", "in"} and bool(value.args) and last_name(v.bare(value.subject)) in PATH_WORDS


def hangs_on_path(value: Value) -> bool:
    """Whether a condition speaks of the path that is asked for."""
    return any(name in PATH_WORDS for name in names_in(value))


def _parameter(value: Value, words: GuardWords) -> str:
    """The parameter of the path that a condition asks for: `view_args.get("project_id")`, `"pk" in kwargs`."""
    key: Value = v.UNKNOWN
    base: Value = v.UNKNOWN
    if isinstance(value, v.Item):
        key, base = value.key, value.base
    elif isinstance(value, v.Op) and value.kind == "in" and value.args:
        key, base = value.subject, value.args[0]
    elif isinstance(value, v.Call) and value.args and isinstance(target := v.bare(value.target), v.Attr):
        if target.name in {"get", "pop"}:
            key, base = value.args[0], target.base
    key, base = v.bare(key), v.bare(base)
    options = base.options if isinstance(base, v.Choice) else (base,)  # `if not values: values = {}`
    if not isinstance(key, v.Const) or not isinstance(key.value, str):
        return ""
    return key.value if any(words.has("address-part", last_name(v.bare(one))) for one in options) else ""
