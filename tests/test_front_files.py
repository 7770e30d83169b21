"""The files of a front end on their way through a run: found, read once, kept, and told of where they are left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prodready import discover
from prodready.config import Config
from prodready.finding import Report
from prodready.link.front_index import Index
from prodready.project import Options, check
from prodready.read.web.facts import WebFacts
from prodready.read.web.reader import read_web

PAGE = 'export const Page = ({ user }) => user.isAdmin && <a onClick={() => fetch("/api/x")}>Go</a>;\n'


@pytest.fixture
def app(telling: Path) -> Path:
    (telling / "web").mkdir()
    (telling / "web/page.jsx").write_text(PAGE)
    return telling


def run(root: Path, *, cache: bool = True, verbose: bool = False) -> Report:
    report = check(Config(root=root), [root], Options(jobs=1, cache=cache, verbose=verbose))
    assert report.problems == ()
    assert report.warnings == ()
    return report


def said(root: Path) -> list[str]:
    """What a run with the cache says, which must be what one without says."""
    messages = [[finding.message for finding in run(root, cache=cache).findings] for cache in (True, False)]
    assert messages[0] == messages[1]
    return messages[0]


def test_a_rule_is_given_the_places_and_a_change_of_a_page_counts(app: Path) -> None:
    page = app / "web/page.jsx"
    assert said(app) == ["api/x staff"]
    assert said(app) == ["api/x staff"]
    page.write_text(PAGE.replace("user.isAdmin", "user"))
    assert said(app) == ["api/x login"]
    page.write_text(PAGE.replace("/api/x", "/api/y"))
    assert said(app) == ["api/y staff"]
    (app / "web/other.tsx").write_text(PAGE)
    assert said(app) == ["api/x staff", "api/y staff"]
    page.unlink()
    assert said(app) == ["api/x staff"]


def test_the_same_text_under_another_ending_is_read_anew(app: Path) -> None:
    assert said(app) == ["api/x staff"]
    (app / "web/page.jsx").rename(app / "web/page.html")
    assert said(app) == []


def test_what_the_cache_holds_is_not_read_again(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(app) == ["api/x staff"]
    monkeypatch.setattr("prodready.read.web.reader.read_web", None)
    (app / "app.py").write_text("x = 2\n")
    assert [finding.message for finding in run(app).findings] == ["api/x staff"]


def test_a_script_that_has_nothing_to_do_with_requests_is_not_read(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "web/page.jsx").write_text(
        PAGE.replace('fetch("/api/x")', "remove()").replace("export", "import { remove } from './api';\nexport")
    )
    (app / "web/api.js").write_text("export const remove = () => axios.delete('/api/x');\n")
    (app / "web/plain.js").write_text("export const two = 1 + 1;\n")
    read: list[str] = []

    def noted(path: str, data: bytes) -> WebFacts:
        read.append(path)
        return read_web(path, data)

    monkeypatch.setattr("prodready.read.web.reader.read_web", noted)
    assert [finding.message for finding in run(app).findings] == ["api/x staff"]
    assert sorted(read) == ["web/api.js", "web/page.jsx"]
    (app / "web/plain.js").write_text("import { remove } from './api';\nremove();\n")
    read.clear()
    assert sorted(finding.message for finding in run(app).findings) == ["api/x ", "api/x staff"]
    assert read == ["web/plain.js"]


def test_a_page_on_which_the_reader_fails_is_told_of_each_time(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: str, data: bytes) -> WebFacts:
        raise AssertionError("odd")

    with monkeypatch.context() as patched:
        patched.setattr("prodready.read.web.reader.read_web", fails)
        for _ in range(2):
            report = run(app)
            assert report.findings == ()
            assert [note for note in report.notes if "odd" in note] == [
                "web/page.jsx: prodready failed on this file, please report it: AssertionError: odd"
            ]
    assert said(app) == ["api/x staff"]


def test_pages_are_linked_again_only_when_one_changed(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(app) == ["api/x staff"]
    with monkeypatch.context() as patched:
        patched.setattr("prodready.link.front.link_front", None)
        (app / "app.py").write_text("x = 2\n")
        assert [finding.message for finding in run(app).findings] == ["api/x staff"]
    (app / "web/page.jsx").write_text(PAGE.replace("isAdmin", "isOwner"))
    assert said(app) == ["api/x owner"]


def test_pages_are_linked_again_when_the_knowledge_changed(app: Path) -> None:
    told = app / "ours.toml"
    config = Config(root=app, knowledge=("ours.toml",))
    (app / "web/page.jsx").write_text(PAGE.replace("user.isAdmin", "user.hasClearance"))
    told.write_text('library = "ours"\n')
    assert [finding.message for finding in check(config, [app], Options(jobs=1)).findings] == ["api/x "]
    told.write_text('library = "ours"\n[words]\ngate-role = ["clearance"]\n')
    assert [finding.message for finding in check(config, [app], Options(jobs=1)).findings] == ["api/x role"]


def test_what_is_left_out_is_told(app: Path) -> None:
    (app / "web/small.min.js").write_text("a()")
    (app / "web/packed.js").write_text("a();" * 5_000)
    (app / "web/large.js").write_text("// much\n" * 130_000)
    (app / "web/latin.js").write_bytes(b'a("\xe9");\n')
    (app / "web/broken.js").write_text("fetch('/api/z');\nfunction (\n")
    (app / "web/deep.js").write_text("[\n" * 9_000 + "]\n" * 9_000)
    (app / "web/unasked.js").write_text("function (\n")
    told = [
        "web/broken.js:2: not understood from here on",
        "web/large.js: larger than 1 MB, not read",
        "web/latin.js: not UTF-8, not read",
        "web/packed.js: minified, not read",
        "web/small.min.js: minified, not read",
    ]
    for _ in range(2):
        assert [note for note in run(app).notes if note.startswith("web/")] == told
    more = ["web/deep.js: nested too deeply, not read", "web/unasked.js:1: not understood from here on"]
    for verbose in (True, False):
        assert [note for note in run(app, verbose=verbose).notes if note.startswith("web/")] == sorted(told + more)
    assert said(app) == ["api/x staff", "api/z "]


def test_which_files_are_found(tmp_path: Path) -> None:
    kept = ["a.ts", "b/c.vue", "b/d.html", "e.svelte", "templates/f.jinja2", "tsconfig.json"]
    left = [
        "node_modules/x.js",
        "dist/x.js",
        "build/x.js",
        "a.test.ts",
        "a.spec.js",
        "b.stories.tsx",
        "tests/x.js",
        "x.css",
    ]
    left += ["__tests__/x.js", "ignored/x.js", "other.json"]
    for name in kept + left:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n")
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / "link.js").symlink_to("a.ts")
    found = discover.walk(Config(root=tmp_path), [tmp_path])
    assert list(found.web) == kept
    assert found.files == ()


@pytest.mark.parametrize(("page", "rules"), [(True, "not rule.front"), (False, "True")])
def test_nothing_is_imported_where_no_rule_asks_or_there_are_no_pages(tmp_path: Path, page: bool, rules: str) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n@app.post('/x')\ndef x(): ...\n")
    if page:
        (tmp_path / "page.jsx").write_text(PAGE)
    code = (
        "import sys; from pathlib import Path; from prodready import project; from prodready.config import Config\n"
        f"some = {{code: rule for code, rule in project.all_rules().items() if {rules}}}\n"
        "project.all_rules = lambda: some\n"
        "project.check(Config(root=Path(sys.argv[1])), [Path(sys.argv[1])])\n"
        "print([name for name in sys.modules if 'tree_sitter' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "name",
    [
        "a.js",
        "a.ts",
        "a.tsx",
        "a.jsx",
        "a.vue",
        "a.svelte",
        "a.html",
        "a.component.html",
        "tsconfig.json",
        "package.json",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{% if",
        "{% endif %}{% else %}{% elif x %}{% endfor %}",
        "{% if a and %}<b {% if c %}d{% endif %}>{{ e|f( }}</b>",
        "<div v-if='a &&' v-for='x' @click='((('>{{</div",
        "{#if a}{:else if}{/each}{/if}{x",
        "@if (a { } @else } @for (",
        "<script>if (</script><script setup>",
        "const { a: { b } = {}, ...c } = await import(`./${x}`); export default class extends (a, b) {}",
        "export * as q from './q'; export { default } from './d'; import './side'; label: for (;;) break label;",
        "a ? b : c ? d : e; !(!a); `x${}`; new X; x!; <any>y; a?.[0]?.(b);",
        "({ get x() { return 1 }, async *y() {}, [z]: 1, ...q, 'a-b': 2 })",
        "enum A { B = 'c', D } declare module 'x' { } namespace N { const a = 1; }",
        "abstract class Q { #p = 1; static { a(); } constructor(private x?: Y) {} }",
        "\N{PILE OF POO}<a title='\N{PILE OF POO}' onclick='x(\"\N{PILE OF POO}\")'>é</a>",
        "\x00\x01",
        "{\"compilerOptions\": {\"paths\": 3}}",
        "[1, 2",
    ],
)  # fmt: skip
def test_no_text_stops_the_reader(name: str, text: str) -> None:
    assert read_web(name, text.encode()).lines == text.count("\n") + (text != "" and not text.endswith("\n"))


def test_places_are_lines_and_columns_of_characters() -> None:
    facts = read_web("a.vue", '<template>\n  <i>é</i> é <b v-if="é && a" @click="go(1)">x</b>\n</template>'.encode())
    element = next(element for element in facts.elements if element.label == "x")
    assert (element.line, element.column) == (2, 14)
    assert [(call.line, call.column) for call in facts.calls] == [(2, 39)]
    found = [(condition.text, condition.line, condition.column) for condition in facts.conditions]
    assert found == [("é", 2, 23), ("é && a", 2, 23)]


def test_the_names_of_attributes_are_all_collected() -> None:
    """Who looks for the uses of one goes to no other file."""
    fixtures = Path(__file__).parents[1] / "fixtures"
    scripts = [path for path in fixtures.rglob("*") if path.suffix in {".js", ".jsx", ".ts", ".tsx"}]
    assert len(scripts) > 50
    collected = 0
    for path in scripts:
        facts = read_web(path.name, path.read_bytes())
        assert Index("x", facts).members.keys() <= set(facts.attributes or ()), path
        collected += len(facts.attributes or ())
    assert collected > 200
    text = """
        const { a: { b }, c = 1, ...rest } = load(); const [d, ...e] = rest; for (const f of d.g) f["h"][0][i]();
        const j = require("k"); this.l = ({ m, n: [o] }) => m?.p; q.r ||= s.t`u`; export default v.w;
    """
    facts = read_web("x.js", text.encode())
    assert {"a", "b", "c", "g", "h", "l", "p", "w", "*", "[]"} <= set(facts.attributes or ())
    assert Index("x", facts).members.keys() <= set(facts.attributes or ())
    assert read_web("x.html", b"<a onclick='x.y()'>z</a>").attributes is None
