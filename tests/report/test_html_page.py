"""The report for browsers; where there is a Chromium, as it shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from prodready.finding import Report

Render = Callable[..., str]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def test_everything_is_in_it(report: Report, render: Render) -> None:
    page = render("html", report)
    for text in (
        "<h1>2 findings</h1>",
        "<code>name</code> (query parameter) is put into the SQL",
        '<span class="here"><span class="number">    6</span>      return cursor.execute(sql)</span>',
        "<code>name</code> comes from the request",
        "<b>Help:</b> use a bound parameter",
        '<span class="plus">+     return cursor.execute(sql, (name,))</span>',
        '<option value="PRD301">PRD301 string-built-sql (1)</option>',
    ):
        assert text in page
    assert not re.search(r"\{\{", page)


def test_it_loads_nothing(report: Report, render: Render) -> None:
    page = render("html", report)
    assert not re.search(r"""(src|href|url|import)\s*[=(]\s*["']?\s*(https?:)?/""", page)
    assert "default-src 'none'" in page


def test_nothing_found(report: Report, render: Render) -> None:
    assert "Nothing was found." in render("html", msgspec.structs.replace(report, findings=()))


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
class TestInABrowser:
    def dom(self, page: str, tmp_path: Path, query: str = "") -> str:
        file = tmp_path / "report.html"
        file.write_text(page)
        words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
        command = [CHROMIUM, *words, f"{file.as_uri()}{query}"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("", ["PRD301", "PRD401"]),
            ("?text=orders%20NAME", ["PRD301"]),
            ("?code=PRD401", ["PRD401"]),
            ("?severity=error&confidence=high", ["PRD301"]),
            ("?text=nothing", []),
        ],
    )
    def test_the_filter(self, report: Report, render: Render, tmp_path: Path, query: str, shown: list[str]) -> None:
        dom = self.dom(render("html", report), tmp_path, query)
        findings = re.findall(r"<details [^>]*>", dom)
        assert [re.findall("PRD...", one)[0] for one in findings if "hidden" not in one] == shown
        assert f">{len(shown)} of 2</output>" in dom

    def test_a_link_opens_a_finding(self, report: Report, render: Render, tmp_path: Path) -> None:
        dom = self.dom(render("html", report), tmp_path, f"#{report.findings[0].fingerprint}")
        assert [" open" in one for one in re.findall(r"<details [^>]*>", dom)] == [True, False]

    def test_code_that_wants_to_be_script_is_not_run(self, report: Report, render: Render, tmp_path: Path) -> None:
        evil = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
        finding = msgspec.structs.replace(report.findings[0], message=evil, hint=f"`{evil}`")
        dom = self.dom(render("html", msgspec.structs.replace(report, findings=(finding,))), tmp_path)
        assert "<title>prodready: 1 finding</title>" in dom
