"""The hook under pre-commit itself: `try-repo`, and a configuration that names this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELPER = "import sqlite3\n\n\ndef fetch(sql):\n    return sqlite3.connect('app.db').execute(sql).fetchall()\n"
VIEW = """\
from flask import Flask, request

from store import fetch

app = Flask(__name__)


@app.get("/names")
def names():
    return {"names": fetch(f"SELECT name FROM users WHERE city = '{request.args['city']}'")}
"""


def run(folder: Path, *command: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command with a git identity, far from the user's own git configuration and hooks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHONPATH"))}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
        "PRE_COMMIT_COLOR": "never",
    }
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "Test", f"GIT_{who}_EMAIL": "test@example.org"}
    if home:
        environment["PRE_COMMIT_HOME"] = str(home)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600, check=False
    )


def git(folder: Path, *arguments: str) -> str:
    done = run(folder, "git", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def pre_commit(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-m", "pre_commit", *arguments, home=home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    return tmp_path_factory.mktemp("pre-commit-home")


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This working tree, committed or not, as a repository that pre-commit can clone."""
    copy = tmp_path_factory.mktemp("tool")
    for name in ("src", "rules"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md", ".pre-commit-hooks.yaml"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message", "all")
    return copy


@pytest.fixture
def app(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    root.mkdir()
    (root / "store.py").write_text(HELPER)
    (root / "views.py").write_text("# to be written\n")
    (root / ".gitignore").write_text(".prodready_cache/\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "start")
    (root / "views.py").write_text(VIEW)
    git(root, "add", "views.py")
    return root


def test_try_repo(tool: Path, home: Path, app: Path) -> None:
    done = pre_commit(app, home, "try-repo", str(tool), "prodready", "--files", "views.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "PRD301" in done.stdout
    assert "views.py:10:" in done.stdout
    done = pre_commit(app, home, "try-repo", str(tool), "prodready", "--files", "store.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_full_hook_installs_and_runs_every_engine(tool: Path, home: Path, app: Path) -> None:
    """Each of the three reports something that only it can find."""
    (app / "views.py").write_text(
        "import subprocess\n\n\ndef run(command):\n    subprocess.call(command, shell=True)\n"
    )
    (app / "page.html").write_text("<p>{{ comment.body|safe }}</p>\n")
    (app / ".env").write_text("PAYMENT_API_KEY=9d4Fq7Lw2Zk8Xr1Vb6Tn3Mp5Hs0Jc\n")
    git(app, "add", "--all")
    done = pre_commit(app, home, "try-repo", str(tool), "prodready-full", "--files", "views.py", "page.html", ".env")
    assert done.returncode == 1, done.stdout + done.stderr
    for line in ("views.py:5:5 B602", "page.html:1:4 PRD503", ".env:1:17 PRD502"):
        assert line in done.stdout, done.stdout
    assert "9d4Fq7Lw2Zk8" not in done.stdout + done.stderr


def test_configured_and_installed(tool: Path, home: Path, app: Path) -> None:
    """A commit is refused for what the staged file does through an unstaged helper, and let through once cured."""
    (app / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {tool}\n    rev: {git(tool, 'rev-parse', 'HEAD')}\n    hooks:\n      - id: prodready\n"
    )
    git(app, "add", ".pre-commit-config.yaml")
    assert pre_commit(app, home, "install").returncode == 0
    refused = run(app, "git", "commit", "--message", "views", home=home)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "PRD301" in refused.stdout + refused.stderr
    (app / "views.py").write_text(
        VIEW.replace("f\"SELECT name FROM users WHERE city = '{request.args['city']}'\"", '"SELECT name FROM users"')
    )
    git(app, "add", "views.py")
    passed = run(app, "git", "commit", "--message", "views", home=home)
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_excluded_files_stay_excluded_though_they_are_staged(tool: Path, home: Path, app: Path) -> None:
    (app / "pyproject.toml").write_text('[tool.prodready]\nextend-exclude = ["views.py"]\n')
    git(app, "add", "pyproject.toml")
    done = pre_commit(app, home, "try-repo", str(tool), "prodready", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
