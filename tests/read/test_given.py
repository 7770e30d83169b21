"""What values and calls remember of the tests of parameters on the way to them."""

from __future__ import annotations

from textwrap import dedent

from prodready.read import values as v
from prodready.read.facts import Flow, FunctionFacts
from prodready.read.python import read_python


def function(text: str) -> FunctionFacts:
    return read_python(dedent(text).encode()).functions["f"]


def returned(text: str) -> dict[str, v.Given]:
    """By the name of the parameter that an option of the result is, or of the function it calls, what leads to it."""
    value = function(text).returns
    assert isinstance(value, v.Choice)
    names = [x.target.name.lstrip(":") if isinstance(x, v.Call) else x.name for x in map(v.bare, value.options)]  # type: ignore[union-attr]
    return dict(zip(names, value.given or [()] * len(names), strict=True))


RAW, COOKED = v.Test("raw", True, True), v.Test("raw", True, False)


def test_conditional_expression() -> None:
    assert returned("def f(p, raw): return p if raw else g(p)") == {"p": (RAW,), "g": (COOKED,)}


def test_negation() -> None:
    assert returned("def f(p, raw): return g(p) if not raw else p") == {"p": (RAW,), "g": (COOKED,)}


def test_variable_that_one_branch_binds() -> None:
    found = returned("""
        def f(p, raw=False):
            if not raw:
                p = g(p)
            return p
    """)
    assert found == {"p": (RAW,), "g": (COOKED,)}


def test_early_return() -> None:
    found = returned("""
        def f(p, raw):
            if raw:
                return p
            return g(p)
    """)
    assert found == {"p": (RAW,), "g": (COOKED,)}


def test_constants() -> None:
    found = returned("""
        def f(p, mode, key=None):
            if mode == "plain":
                return p
            if key is not None:
                return g(p)
            return h(p)
    """)
    other = v.Test("mode", "plain", False)
    assert found == {
        "p": (v.Test("mode", "plain", True),),
        "g": (other, v.Test("key", None, False)),
        "h": (other, v.Test("key", None, True)),
    }


def test_conjunction_tells_of_both_only_if_true() -> None:
    found = returned("def f(p, raw, old): return p if raw and old else g(p)")
    assert found == {"p": (RAW, v.Test("old", True, True)), "g": ()}


def test_what_was_rebound_is_no_longer_what_was_passed() -> None:
    found = returned("""
        def f(p, raw):
            raw = look_up(raw)
            return p if raw else g(p)
    """)
    assert found == {"p": (), "g": ()}


def test_one_value_by_several_ways() -> None:
    found = returned("""
        def f(p, raw, old):
            if raw:
                return p
            if old:
                return p
            return g(p)
    """)
    assert found["p"] == ()


def test_values_nested_in_one_another() -> None:
    found = returned("def f(p, raw, old): return (p if old else h(p)) if raw else g(p)")
    assert found["p"] == (RAW, v.Test("old", True, True))
    assert found["h"] == (RAW, v.Test("old", True, False))


def test_arms_of_branches() -> None:
    branch = function("""
        def f(p, raw):
            if raw:
                a(p)
            else:
                b(p)
    """).flow[0]
    assert isinstance(branch, Flow)
    assert branch.given == ((RAW,), (COOKED,))


def test_long_constants_are_no_flags() -> None:
    text = "x" * 200
    assert returned(f"def f(p, raw): return p if raw == '{text}' else g(p)") == {"p": (), "g": ()}
