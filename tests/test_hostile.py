"""File names, messages and code that want to be more than text, in every format; secrets; what a branch may ask for."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from git_app import App
from markdown_it import MarkdownIt

from prodready import cli
from prodready.config import ConfigError, load
from prodready.discover import walk
from prodready.finding import Confidence, Edit, Finding, Fix, Location, Problem, Report, Severity, Step, Suppressed
from prodready.report import FORMATS, View, writer
from prodready.report.markdown import fenced, inline
from prodready.report.terminal import inert

EVIL = [
    "::set-output name=x::y",
    "\n::error file=a::b",
    "\r::add-mask::x",
    "##[add-path]/tmp ##vso[task.setvariable variable=x]y ##teamcity[x]",
    "\x1b[2J\x1b]8;;http://evil\x07click\x1b]8;;\x07 \u202e\u2066",
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\" onmouseover=alert(1) x='",
    "]]><!--&lt;&#60;",
    "`<b>` ``x`` ```\n```suggestion\nevil\n``` ![](http://evil) [a](javascript:b) @org/team #1 www.evil.com https://evil",
    "{{title}} {{script}}",
    "\x00\x0b\ufffe\udcff \ud800",
    "%0A::error::x %25",
    "# heading\n- list\n> quote\n| a | b |\n1. x",
    "]({1}) [x](1)",
]


def report(tmp_path: Path, text: str, name: str = "a.py", **given: object) -> Report:
    (tmp_path / "a.py").write_text(f"x = 1\n{' '.join(text.split())}\n", errors="replace")
    place = Location(name, 2, 1, 2, 5)
    finding = Finding(
        "PRD301",
        "string-built-sql",
        f"`{text}` is {text}",
        Severity.ERROR,
        Confidence.HIGH,
        place,
        trace=(Step(Location("a.py", 2), text), Step(place, f"`{text}`")),
        related=(Step(place, text),),
        fixes=(Fix(text, (Edit(Location("a.py", 2, 1, 2, 2), text),)),),
        hint=text,
        context=text,
        snippet=text,
    )
    return Report(
        root=str(tmp_path),
        findings=(finding,),
        suppressed=(Suppressed(finding, "ignore", text, 1),),
        problems=(Problem(text, name, 1),),
        warnings=(text,),
        notes=(text,),
    )


def rendered(name: str, of: Report, tmp_path: Path) -> str:
    stream = io.StringIO()
    writer(name)([of], stream, View(cwd=tmp_path))
    return stream.getvalue()


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_acts_on_a_terminal_or_a_log(name: str, text: str, tmp_path: Path) -> None:
    for path in ("a.py", f"{text}.py"):
        out = rendered(name, report(tmp_path, text, path), tmp_path)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x9b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", out)
        commands = [line for line in re.split("[\n\r]", out) if line.lstrip().startswith("::")]
        if name == "github":
            assert all(re.match(r"::error (file=[^,:]+,line=\d+,\w|title=)", line) for line in commands)
            assert len(commands) == len(out.splitlines()) == 2
        elif name in {"full", "concise"}:
            assert not commands
            assert not re.search(r"##\w*\[", out)


@pytest.mark.parametrize("text", EVIL)
def test_a_page_has_only_its_own_tags(text: str, tmp_path: Path) -> None:
    def tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
        found: list[tuple[str, tuple[str, ...]]] = []

        class Reader(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found.append((tag, tuple(sorted(key for key, _ in attrs))))

        Reader().feed(page)
        return found

    plain = rendered("html", report(tmp_path, "harmless"), tmp_path)
    evil = rendered("html", report(tmp_path, text, f"{text}.py"), tmp_path)
    allowed = set(tags(plain))
    assert set(tags(evil)) <= allowed
    assert evil.count("<script>") == evil.count("</script>") == 1


@pytest.mark.parametrize("text", EVIL)
def test_xml_and_json_are_well_formed(text: str, tmp_path: Path) -> None:
    evil = report(tmp_path, text, f"{text}.py")
    assert {one.tag for one in ElementTree.fromstring(rendered("junit", evil, tmp_path)).iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
    }
    for name in ("json", "sarif", "gitlab", "rdjson"):
        json.loads(rendered(name, evil, tmp_path))
    assert len(rendered("rdjsonl", evil, tmp_path).splitlines()) == 1


@pytest.mark.parametrize(
    "text", [*EVIL, "`", "``", "a`b", "`a``<b>`", "\\`<b>`", "+ x", "1) x", "~~x~~ *y* __z__ $a$ &copy;"]
)
def test_markdown_is_text_and_code_only(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(inline(text))
    assert [token.type for token in tokens] in (["paragraph_open", "inline", "paragraph_close"], [])
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "code_inline", "text_special"}
    shown = re.sub("`[^`]*`", "", inline(text))
    assert not re.search(r"@\w|#\d|https?://|www\.", shown)


def test_markdown_reads_as_written() -> None:
    assert inline("`name` (a query parameter) is put into `cursor.execute()`.") == (
        "`name` (a query parameter) is put into `cursor.execute()`."
    )


@pytest.mark.parametrize("lines", [["```", "x"], ["````suggestion", "`"], ["plain"]])
def test_a_fence_holds(lines: list[str]) -> None:
    (token,) = MarkdownIt().parse(fenced(lines))
    assert (token.type, token.content.splitlines()) == ("fence", lines)


def test_sarif_messages_have_no_links(tmp_path: Path) -> None:
    text = json.loads(rendered("sarif", report(tmp_path, "[x](1) y[0](2)"), tmp_path))["runs"][0]["results"][0][
        "message"
    ]["text"]
    assert not re.search(r"(?<!\\)\[[^\]]*\]\(", text)


def test_remarks_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.say("\x1b[2J ##[add-path]x\n::error::y")
    assert capsys.readouterr().err == "prodready: \\x1b[2J ##\\x5badd-path]x\\n::error::y\n"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("  ::error::x", "  \\x3a:error::x"),
        ("\x1b[1m::error::x", "\x1b[1m\\x3a:error::x"),
        ("a.py:1:2: x::y", "a.py:1:2: x::y"),
        ("x ##[group] ## [y] ##", "x ##\\x5bgroup] ## [y] ##"),
    ],
)
def test_lines_of_a_log(line: str, shown: str) -> None:
    assert inert(line) == shown


class TestSecrets:
    SECRET = "hunter2-AKIA"

    @pytest.mark.parametrize("name", sorted(FORMATS))
    @pytest.mark.parametrize("kept", ["findings", "suppressed", "below", "baselined"])
    def test_a_found_one_is_shown_in_no_format(self, name: str, kept: str, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text(f'x = 1\nkey = "{self.SECRET}"; execute(key)\n')
        secret = Finding(
            "PRD502",
            "secret-in-source",
            "a key",
            Severity.ERROR,
            Confidence.HIGH,
            Location("a.py", 2, 8, 2, 20),
            secret=True,
        )
        other = Finding(
            "PRD301",
            "string-built-sql",
            "m",
            Severity.ERROR,
            Confidence.HIGH,
            Location("a.py", 2, 23, 2, 35),
            trace=(Step(Location("a.py", 2), "here"),),
            fixes=(Fix("f", (Edit(Location("a.py", 2, 23, 2, 35), "run()"),)),),
        )
        given: dict[str, tuple[Finding, ...]] = {"findings": (other,)}
        held = Suppressed(secret, "ignore", "r") if kept == "suppressed" else secret
        of = Report(root=str(tmp_path), **{**given, kept: (*given.get(kept, ()), held)})  # type: ignore[arg-type]
        view = View(cwd=tmp_path)
        view.sources.hide([of])
        stream = io.StringIO()
        writer(name)([of], stream, view)
        assert self.SECRET not in stream.getvalue()

    def test_snippet_and_fingerprint_do_without(self, tmp_path: Path) -> None:
        from prodready.sift import _fingerprinted

        found = Finding(
            "PRD502",
            "s",
            "m",
            Severity.ERROR,
            Confidence.HIGH,
            Location("a.py", 1, 8, 1, 20),
            statement=(1, 1),
            secret=True,
        )
        (done,) = _fingerprinted([found], f'key = "{self.SECRET}"\n'.encode())
        assert done.snippet == 'key = "************"'


Branch = Callable[[str], Path]


class TestBranch:
    """What the files of a branch, its configuration among them, cannot make the tool do."""

    @pytest.fixture
    def app(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
        (tmp_path / "secret.toml").write_text("token = 'hunter2'\n")
        (tmp_path / "secret.py").write_text("token = 'hunter2'\nimport (\n")
        app = App(tmp_path / "app")
        monkeypatch.chdir(app.root)
        return app

    @pytest.mark.parametrize("path", ["../secret.toml", "link.toml", "sub/../../secret.toml", "{outside}/secret.toml"])
    @pytest.mark.parametrize("key", ["knowledge", "baseline"])
    def test_no_file_outside_is_read(
        self, app: App, path: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (app.root / "link.toml").symlink_to(tmp_path / "secret.toml")
        path = path.replace("{outside}", str(tmp_path))
        app.write("prodready.toml", f"{key} = {json.dumps([path] if key == 'knowledge' else path)}\n")
        assert cli.main(["check"]) == 2
        said = capsys.readouterr()
        assert "lies outside of the repository" in said.err
        assert "hunter2" not in said.out + said.err
        assert "token" not in said.out + said.err

    def test_the_configuration_itself_is_no_way_out(self, app: App, tmp_path: Path) -> None:
        (app.root / "prodready.toml").symlink_to(tmp_path / "secret.toml")
        with pytest.raises(ConfigError, match="leads out of the repository") as error:
            load(app.root)
        assert "token" not in str(error.value)

    def test_who_names_the_file_may(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "our.toml").write_text('knowledge = ["secret.toml"]\n')
        assert load(app.root, file=tmp_path / "our.toml").knowledge == (str(tmp_path / "secret.toml"),)

    def test_inside_of_the_repository_a_project_may_share(self, app: App) -> None:
        app.write("svc/prodready.toml", 'knowledge = ["../lint.toml"]\n')
        app.write("lint.toml", 'library = "x"\n')
        assert load(app.root / "svc").knowledge == ("../lint.toml",)

    def test_links_to_code_outside_are_not_followed(
        self, app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (app.root / "leak.py").symlink_to(tmp_path / "secret.py")
        (app.root / "inner.py").symlink_to("util.py")
        found = walk(load(app.root))
        assert "leak.py" not in [file.path for file in found.files]
        assert "leak.py: a link that leads out of the repository, not read" in found.notes
        assert cli.main(["check"]) == 1
        assert cli.main(["check", "--diff", "HEAD"]) == 0
        assert "hunter2" not in capsys.readouterr().out

    def test_nothing_of_it_is_run(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        mark = app.root / "ran"
        for name in ("sitecustomize.py", "conftest.py", "prodready.py", "unidiff.py", "libcst.py"):
            app.write(name, f"open({str(mark)!r}, 'w')\n")
        app.write("prodready.toml", "")
        app.change("util.py", "int(value)", "value")
        cli.main(["check", "--diff", "HEAD"])
        cli.main(["baseline", "create"])
        assert not mark.exists()

    def test_a_baseline_is_only_data(self, app: App, capsys: pytest.CaptureFixture[str]) -> None:
        app.write(".prodready/baseline.jsonl", '{"__class__": "os.system", "path": "\\u001b[2J"}\n')
        assert cli.main(["check"]) == 2
        assert "\x1b" not in "".join(capsys.readouterr())

    def test_a_baseline_that_is_no_file(self, app: App) -> None:
        (app.root / ".prodready").mkdir()
        os.mkfifo(app.root / ".prodready/baseline.jsonl")
        assert cli.main(["check"]) == 1

    @pytest.mark.parametrize("key", ["cache-dir", "default", "default baseline"])
    def test_no_cache_and_no_baseline_outside(
        self, app: App, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "baseline.jsonl").write_text("token = 'hunter2'\n")
        before = sorted(outside.iterdir())
        app.write("prodready.toml", f"cache-dir = {str(outside)!r}\n" if key == "cache-dir" else "")
        if key != "cache-dir":
            (app.root / (".prodready_cache" if key == "default" else ".prodready")).symlink_to(outside)
        for words in (["check"], ["check", "--diff", "HEAD"], ["baseline", "create"], ["clean"], ["routes"]):
            assert cli.main(words) == 2
        said = capsys.readouterr()
        assert said.err.count("outside of the repository") + said.err.count("leads out of the repository") == 5
        assert "token" not in said.out + said.err
        assert sorted(outside.iterdir()) == before

    def test_who_names_the_cache_may_put_it_anywhere(self, app: App, tmp_path: Path) -> None:
        assert cli.main(["check", "-q", "--cache-dir", str(tmp_path / "cache")]) == 1
        assert (tmp_path / "cache" / "facts.sqlite3").is_file()

    @pytest.mark.parametrize("word", ["../*.yaml", "lint/*.yaml", "lint", "lint/own.yaml", "{outside}/own.yaml"])
    def test_no_pattern_outside_is_read(
        self, app: App, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "own.yaml").write_text("rules:\n  - id: hunter2\n    message: token\n")
        (app.root / "lint").mkdir()
        (app.root / "lint" / "own.yaml").symlink_to(tmp_path / "own.yaml")
        app.write("prodready.toml", f"semgrep = {json.dumps([word.replace('{outside}', str(tmp_path))])}\n")
        assert cli.main(["check"]) == 2
        assert cli.main(["rules"]) == 0
        said = capsys.readouterr()
        assert "out of the repository" in said.err or "outside of the repository" in said.err
        assert "hunter2" not in said.out + said.err

    @pytest.mark.parametrize("key", ["exclude", "extend-exclude", "test-paths", "per-file-ignores"])
    @pytest.mark.parametrize("glob", ["../", "../**", "../../../../**/*", "/etc/**", "!../secret.py", "{outside}/"])
    def test_globs_reach_nothing_outside(
        self, app: App, key: str, glob: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        word = glob.replace("{outside}", str(tmp_path))
        value = f'{{ "{word}" = ["PRD4"] }}' if key == "per-file-ignores" else json.dumps([word])
        app.write("prodready.toml", f"{key} = {value}\n")
        assert cli.main(["check", "--verbose"]) == 1
        said = capsys.readouterr()
        assert "secret" not in said.out + said.err

    @pytest.mark.parametrize(
        "name", ["web", "tsconfig.json", "page.html", "Dockerfile", ".gitignore", "pkg", "openapi.yaml"]
    )
    def test_links_to_anything_outside_are_not_followed(
        self, app: App, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        for file in ("page.js", "mod.py", "__init__.py"):
            (outside / file).write_text(
                'localStorage.setItem("token", "hunter2");\n' if file == "page.js" else "hunter2 = 1\n"
            )
        (tmp_path / "text").write_text("hunter2\n*.py\n")
        (app.root / name).symlink_to(outside if name in {"web", "pkg"} else tmp_path / "text")
        assert cli.main(["check", "--verbose", "--output-format", "full"]) == 1
        assert cli.main(["check", "--diff", "HEAD", "--verbose"]) == 0
        said = capsys.readouterr()
        assert "app.py:15" in said.out
        assert "hunter2" not in said.out + said.err

    def test_attributes_of_a_branch_start_nothing(self, app: App, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        for what in ("diff.evil.command", "diff.evil.textconv", "diff.external", "core.fsmonitor", "core.pager"):
            app.git("config", what, f"touch {mark}; true")
        app.write(".gitattributes", "*.py diff=evil\n")
        app.change("util.py", "int(value)", "value")
        assert cli.main(["check", "--diff", "HEAD"]) == 1
        assert not mark.exists()
