"""The SARIF log: valid by the official schema, and saying what code hosts need."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from prodready.finding import Location, Report, Severity
from prodready.rules.base import Rule

Render = Callable[..., str]
SCHEMA = Path(__file__).parent.parent / "data" / "sarif-2.1.0.json"
RULE = Rule(
    "PRD301",
    "string-built-sql",
    Severity.ERROR,
    "mvp",
    (),
    doc="SQL text is built.\n\nBad\n---\n    run(f'{x}')\n\nReferences\n----------\n- CWE-89: SQL injection\n",
)


@cache
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def log(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    assert [error.message for error in validator().iter_errors(document)] == []
    run: dict[str, Any] = document["runs"][0]
    assert len(document["runs"]) == 1
    return run


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodready.report.sarif.all_rules", lambda: {"PRD301": RULE})


def test_the_schema_is_really_applied() -> None:
    assert list(validator().iter_errors({"version": "2.1.0", "runs": [{"results": [{}]}]}))


def test_result(report: Report, render: Render) -> None:
    result = log(render("sarif", report))["results"][0]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("PRD301", 0, "error")
    assert result["message"]["text"].endswith("runs\n\nuse a bound parameter")
    place = result["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/orders.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 6, "startColumn": 12, "endLine": 6, "endColumn": 31},
    }
    assert place["logicalLocations"] == [{"fullyQualifiedName": "shop.orders.orders"}]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [4, 6]
    assert steps[0]["location"]["message"]["text"] == "`name` comes from the request"
    assert result["relatedLocations"][0]["message"]["text"] == "the route"
    assert result["partialFingerprints"] == {"prodready/v1": report.findings[0].fingerprint}
    change = result["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "shop/orders.py"
    assert [edit["insertedContent"]["text"] for edit in change["replacements"]] == [
        '"SELECT * FROM orders WHERE name = %s"',
        ", (name,)",
    ]


def test_what_is_silenced_would_be_an_open_alert(report: Report, render: Render) -> None:
    known = msgspec.structs.replace(report, baselined=report.findings)
    assert [result["ruleId"] for result in log(render("sarif", known))["results"]] == ["PRD301", "PRD401"]


def test_rules(report: Report, render: Render) -> None:
    known, unknown = log(render("sarif", report))["tool"]["driver"]["rules"]
    assert (known["id"], known["name"]) == ("PRD301", "StringBuiltSql")
    assert known["shortDescription"]["text"] == "SQL text is built."
    assert "```python\nrun(f'{x}')\n```" in known["help"]["markdown"]
    assert known["defaultConfiguration"] == {"level": "error"}
    assert known["properties"]["tags"] == ["security", "external/cwe/cwe-089"]
    assert known["properties"]["security-severity"] == "8.0"
    assert unknown["id"] == "PRD401"


def test_problems(report: Report, broken: Report, render: Render) -> None:
    invocation = log(render("sarif", report, broken))["invocations"][0]
    assert invocation["executionSuccessful"] is False
    warning, first, second = sorted(invocation["toolExecutionNotifications"], key=lambda n: "locations" in n)[::-1][
        ::-1
    ]
    texts = {note["message"]["text"]: note for note in (warning, first, second)}
    assert texts["the cache is read-only"]["level"] == "warning"
    place = texts["not UTF-8: byte 3"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "shop/100%25%20%C3%A9.py"
    assert place["region"] == {"startLine": 7}
    assert log(render("sarif", report))["invocations"][0]["executionSuccessful"] is True


def test_uris(report: Report, render: Render, tmp_path: Path) -> None:
    names = ("a b#c?.py", "\udcff\u6f22.py")
    findings = tuple(msgspec.structs.replace(report.findings[1], location=Location(name, 1)) for name in names)
    text = render("sarif", msgspec.structs.replace(report, findings=findings))
    run = log(text)
    assert text.isascii()
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"][:2]]
    assert uris == ["a%20b%23c%3F.py", "%FF%E6%BC%A2.py"]
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == tmp_path.as_uri() + "/"


def test_projects_of_one_repository_share_its_top(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = msgspec.structs.replace(report, root=str(tmp_path / "shop"), findings=report.findings[1:], suppressed=())
    run = log(render("sarif", inner))
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == tmp_path.as_uri() + "/"
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "shop/shop/urls.py"


def test_nothing_at_all(render: Render) -> None:
    assert log(render("sarif"))["results"] == []
