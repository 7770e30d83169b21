"""Which comments silence what, and what is said about the comments themselves."""

from __future__ import annotations

import pickle

import pytest

from prodready import rules
from prodready.finding import Confidence, Finding, Location, Severity, Suppressed
from prodready.rules import Rule
from prodready.suppress import NONE, apply, scan

RAN = {"PRD001", "PRD002", "PRD301", "PRD401"}


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"PRD001": "unused-suppression", "PRD002": "invalid-suppression"}
    known |= {"PRD301": "string-built-sql", "PRD401": "secret-in-log"}
    made = {code: Rule(code, slug, Severity.WARNING, "mvp", ()) for code, slug in known.items()}
    monkeypatch.setattr(rules, "all_rules", lambda: made)


def finding(line: int, code: str = "PRD301", last: int = 0, at: int = 0) -> Finding:
    return Finding(
        code,
        "slug",
        "message",
        Severity.ERROR,
        Confidence.HIGH,
        Location("a.py", at or line),
        statement=(line, last or line),
    )


def judged(
    text: str, *findings: Finding, ran: set[str] = RAN, require_reason: bool = True
) -> tuple[list[str], list[Suppressed], list[Finding]]:
    kept, suppressed, extra = apply(findings, scan(text), "a.py", ran, rules.all_rules(), require_reason)
    return [f"{one.location.line} {one.code}" for one in kept], suppressed, extra


def messages(extra: list[Finding]) -> list[str]:
    return [f"{one.location.line}:{one.location.column} {one.code} {one.message}" for one in extra]


SILENCING = [
    "run(sql)  # noqa: PRD301",
    "run(sql)  # noqa:prd301,E501",
    "run(sql)  # NOQA: E501 PRD301",
    "run(sql)  # noqa: PRD3",
    "run(sql)  # noqa",
    "run(sql)  # type: ignore # noqa: PRD301",
    "run(sql)  # prodready: ignore[PRD301] reason",
    "run(sql)  # prodready:ignore[prd301]: reason",
    "run(sql)  #prodready: ignore[string-built-sql] - reason",
    "run(sql)  # prodready: ignore[PRD301] see #12",
    "run(sql)  # pragma: no cover  # prodready: ignore[PRD301] reason  # pyright: ignore",
    "run(sql)  # prodready: ignore[PRD301] \u00fcber [brackets] \u2026",
]


@pytest.mark.parametrize("text", SILENCING)
def test_silenced(text: str) -> None:
    kept, suppressed, extra = judged(text, finding(1))
    assert kept == []
    assert [one.finding.code for one in suppressed] == ["PRD301"]
    assert extra == []


NOT_SILENCING = [
    "run(sql)",
    "run(sql)  # noqa: E501",
    "run(sql)  #noqa: PRD301",
    "run('# noqa: PRD301')",
    "run('''\n# prodready: ignore[PRD301] reason''')",
    "run(sql)  # nosec",
    "# noqa: E501\nrun(sql)",
]


@pytest.mark.parametrize("text", NOT_SILENCING)
def test_not_silenced(text: str) -> None:
    kept, suppressed, extra = judged(text, finding(text.count("\n") + 1))
    assert len(kept) == 1
    assert (suppressed, extra) == ([], [])


def test_kind_and_reason_are_kept() -> None:
    _, suppressed, _ = judged(
        "x  # prodready: ignore[PRD301] - why not  # noqa: E501\ny  # noqa", finding(1), finding(2)
    )
    assert [(one.kind, one.reason) for one in suppressed] == [("ignore", "why not"), ("noqa", "")]


BLOCK = """\
before(sql)  # prodready: ignore[PRD301] not mine
# prodready: ignore[PRD301] the reason
# goes on here
run(
    sql,  # here
)  # there
# below
"""


def test_a_block_of_comments_above_the_statement_counts() -> None:
    kept, suppressed, extra = judged(BLOCK, finding(4, last=6, at=5))
    assert kept == []
    assert len(suppressed) == 1
    assert [one.location.line for one in extra] == [1]


@pytest.mark.parametrize("line", [4, 5, 6])
def test_any_line_of_the_statement_counts(line: int) -> None:
    lines = BLOCK.replace("# prodready: ignore[PRD301] the reason", "# nothing").splitlines()
    lines[0] = "before(sql)"
    lines[line - 1] = lines[line - 1].partition("#")[0] + "# prodready: ignore[PRD301] reason"
    kept, suppressed, extra = judged("\n".join(lines), finding(4, last=6, at=5))
    assert (kept, len(suppressed), extra) == ([], 1, [])


@pytest.mark.parametrize("line", [1, 3, 7])
def test_other_lines_do_not_count(line: int) -> None:
    lines = ["before(sql)", "", "", "run(", "    sql,", ")", ""]
    lines[line - 1] += "# prodready: ignore[PRD301] reason"
    if line == 3:
        lines.insert(3, "")
    kept, suppressed, extra = judged("\n".join(lines), finding(4 + (line == 3), last=6 + (line == 3)))
    assert len(kept) == 1
    assert suppressed == []
    assert [one.code for one in extra] == ["PRD001"]


def test_a_noqa_above_the_statement_is_not_flake8s_way() -> None:
    kept, _, extra = judged("# noqa: PRD301\nrun(sql)", finding(2))
    assert kept == ["2 PRD301"]
    assert [one.code for one in extra] == ["PRD001"]


def test_whole_file() -> None:
    text = "x = 1\ny = 2\n# prodready: ignore-file[PRD301] a console tool\n"
    kept, suppressed, extra = judged(text, finding(1), finding(2, "PRD401"), finding(3))
    assert kept == ["2 PRD401"]
    assert {one.kind for one in suppressed} == {"ignore-file"}
    assert extra == []


def test_one_code_never_silences_another() -> None:
    kept, suppressed, extra = judged("x  # prodready: ignore[PRD401] reason", finding(1))
    assert kept == ["1 PRD301"]
    assert suppressed == []
    assert messages(extra) == [
        "1:4 PRD001 `# prodready: ignore[PRD401] reason` silences nothing: PRD401 found nothing here"
    ]


def test_unused_codes_are_named_and_used_ones_work() -> None:
    kept, suppressed, extra = judged("x  # prodready: ignore[PRD301, secret-in-log] reason", finding(1))
    assert kept == []
    assert len(suppressed) == 1
    assert "PRD401 found nothing" in extra[0].message
    assert "PRD301 found" not in extra[0].message


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("x  # noqa", 0),
        ("x  # noqa: E501", 0),
        ("x  # noqa: E501,PRD301", 1),
        ("x  # noqa: PRD3", 1),
        ("# prodready: ignore-file[PRD301] reason", 1),
        ("'# prodready: ignore[PRD301] reason'", 0),
        ("'# noqa: PRD301' ; f'{1:#x} # noqa: PRD301'", 0),
    ],
)
def test_unused(text: str, unused: int) -> None:
    _, _, extra = judged(text)
    assert [one.code for one in extra] == ["PRD001"] * unused


def test_a_rule_that_did_not_run_leaves_no_comment_unused() -> None:
    text = "x  # prodready: ignore[PRD301] reason\ny  # noqa: PRD301"
    assert judged(text, ran={"PRD001", "PRD002", "PRD401"})[2] == []
    assert judged(text, ran={"PRD301"})[2] == []
    assert len(judged(text)[2]) == 2


@pytest.mark.parametrize(
    ("comment", "why", "spelling"),
    [
        ("prodready: ignroe[PRD301] reason", "there is no `prodready: ignroe`", "ignore[PRD301] reason"),
        ("prodready: ignore_file[PRD301] reason", "no `prodready: ignore_file`", "ignore-file[PRD301] reason"),
        ("prodready: ignore[PRD3O1] reason", "there is no rule PRD3O1", "ignore[PRD301] reason"),
        ("prodready: ignore[string_built_sql] reason", "no rule string_built_sql", "ignore[PRD301] reason"),
        ("prodready: ignore[E501, PRD301] reason", "there is no rule E501", "PRD301] reason"),
        ("prodready: ignore[PRD301]", "it gives no reason", "ignore[PRD301] the reason"),
        ("prodready: ignore[PRD301] --", "it gives no reason", "ignore[PRD301] the reason"),
        ("prodready: ignore[PRD301]  # noqa: E501", "it gives no reason", "ignore[PRD301] the reason"),
        ("prodready: ignore PRD301 reason", "it names no rule in brackets", "ignore[PRD301] the reason"),
        ("prodready: ignore(PRD301) reason", "it names no rule in brackets", "ignore[PRD301] the reason"),
        ("prodready: ignore[PRD301 reason", "it names no rule in brackets", "ignore[PRD301] the reason"),
        ("prodready: ignore[] reason", "its brackets are empty", "ignore[CODE]"),
        ("prodready: ignore", "it names no rule in brackets", "ignore[CODE]"),
        ("prodready: PRD301", "there is no `prodready: prd301`", "ignore[PRD301]"),
        ("prodready:", "it does not say `ignore`", "ignore[CODE]"),
        ("prodready ignore[PRD301] reason", "a colon is missing", "ignore[PRD301] reason"),
        (
            "prodready: ignore-line[PRD301] because",
            "no `prodready: ignore-line`",
            "# prodready: ignore[PRD301] because",
        ),
        ("prodready: ignore-next-line[PRD301] because", "no `prodready: ignore-next", "ready: ignore[PRD301] because"),
        ("prodready: ignorefile[PRD301] because", "no `prodready: ignorefile`", "ignore-file[PRD301] because"),
        (
            "prodready: noqa",
            "there is no `prodready: noqa`",
            "`# noqa: CODE` or `# prodready: ignore[CODE] the reason`",
        ),
        (
            "prodready: noqa: PRD301",
            "there is no `prodready: noqa`",
            "`# noqa: PRD301` or `# prodready: ignore[PRD301]",
        ),
        (
            "prodready: noqa[PRD301]",
            "there is no `prodready: noqa`",
            "`# noqa: PRD301` or `# prodready: ignore[PRD301]",
        ),
        ("prodready: ignore[PRD301;PRD401] reason", "commas go between codes", "ignore[PRD301, PRD401] reason"),
        ("prodready: ignore[PRD301 PRD401] reason", "commas go between codes", "ignore[PRD301, PRD401] reason"),
        ("prodready: ignore[PRD] reason", "it takes whole codes", "ignore[CODE] reason"),
        ("prodready: ignore[PRD999] reason", "there is no rule PRD999", "ignore[CODE] reason"),
        ("noqa: PRD3O1", "there is no rule PRD3", "`# noqa: PRD301`"),
    ],
)
def test_malformed_is_reported_with_the_right_spelling_and_silences_nothing(
    comment: str, why: str, spelling: str
) -> None:
    kept, suppressed, extra = judged(f"x  # {comment}", finding(1))
    assert kept == ["1 PRD301"]
    assert suppressed == []
    assert [one.code for one in extra] == ["PRD002"]
    assert why in extra[0].message
    assert spelling in extra[0].message.partition("write")[2]
    assert extra[0].location.column == 4


def test_nothing_is_proposed_where_nothing_is_near() -> None:
    _, _, extra = judged("x  # noqa: PRD999", finding(1))
    assert [one.message for one in extra] == ["there is no rule PRD999; `prodready rules` lists them"]


def test_a_malformed_comment_does_not_spoil_its_neighbours() -> None:
    text = "# prodready: ignroe[PRD401] reason\nx  # prodready: ignore[PRD301] reason\n"
    kept, suppressed, extra = judged(text, finding(2), finding(2, "PRD401"))
    assert kept == ["2 PRD401"]
    assert len(suppressed) == 1
    assert [one.code for one in extra] == ["PRD002"]


def test_reasons_may_be_left_to_taste() -> None:
    kept, _, extra = judged("x  # prodready: ignore[PRD301]", finding(1), require_reason=False)
    assert (kept, extra) == ([], [])


def test_prose_is_left_alone() -> None:
    text = "# prodready ignores constants\n# the manual of prodready: ignore[...] wants a reason\n# prodready\n"
    assert judged(text)[2] == []


def test_no_comment_silences_the_report_about_itself() -> None:
    for text in (
        "x  # prodready: ignore[PRD001] reason",
        "x  # prodready: ignore[PRD301, PRD001] reason",
        "# prodready: ignore-file[PRD001] reason",
    ):
        assert {one.code for one in judged(text)[2]} == {"PRD001"}, text
    assert [one.code for one in judged("x  # prodready: ignore[PRD002]")[2]] == ["PRD002"]


@pytest.mark.parametrize("comment", ["noqa: PRD001", "noqa: PRD301,PRD001", "noqa: PRD0,PRD301", "noqa: PRD999,PRD002"])
def test_a_noqa_silences_what_is_said_of_itself_as_in_flake8(comment: str) -> None:
    _, suppressed, extra = judged(f"x  # {comment}")
    assert extra == []
    assert {one.kind for one in suppressed} == {"noqa"}


def test_a_noqa_silences_what_is_said_of_its_neighbour() -> None:
    assert judged("x  # prodready: ignore[PRD001] reason  # noqa")[2] == []


def test_another_comment_does() -> None:
    text = "# prodready: ignore[PRD001] kept for the next release\nx  # prodready: ignore[PRD301] reason\n"
    kept, suppressed, extra = judged(text)
    assert (kept, extra) == ([], [])
    assert [one.finding.code for one in suppressed] == ["PRD001"]


def test_facts_are_small_and_travel() -> None:
    assert scan("x = 1  # a comment\n" * 1000) is NONE
    assert not NONE
    found = scan("x  # noqa: PRD301\n")
    assert found
    assert pickle.loads(pickle.dumps(found)) == found


def test_files_that_do_not_parse_are_read_too() -> None:
    text = "def broken(:\n    run(sql)  # prodready: ignore[PRD301] reason\n  dedent(\n'open # noqa: PRD401\n"
    assert [one.line for one in scan(text).directives] == [2]


def test_fingerprints_of_equal_comments_differ() -> None:
    _, _, extra = judged("x  # noqa: PRD301\ny  # noqa: PRD301\n")
    assert len({one.fingerprint for one in extra}) == 2
