"""Which file an import means."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodready import project
from prodready.config import Config
from prodready.link.modules import Modules
from prodready.read.facts import outline
from prodready.read.python import read_python


def modules(**files: str) -> Modules:
    """The modules of a project with these files (`__` in a name is a slash); django is a library that is known."""
    texts = {name.replace("__", "/").replace("/init", "/__init__") + ".py": text for name, text in files.items()}
    return Modules({path: outline(read_python(text.encode())) for path, text in texts.items()}, {"django"})


SITE = {"apps__init": "", "apps__shop__init": "", "apps__shop__db": "", "proj__init": "", "proj__urls": ""}


@pytest.mark.parametrize(
    ("where", "statement"),
    [
        ("manage", "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'apps'))"),
        ("manage", "sys.path.append(os.path.abspath('./apps'))"),
        ("manage", "sys.path.append(f'{os.getcwd()}/apps')"),
        ("manage", "def main():\n    sys.path.append(str(Path(__file__).resolve().parent / 'apps'))"),
        ("manage", "sys.path += [os.path.join(os.getcwd(), 'apps')]"),
        (
            "proj__settings__base",
            "BASE = Path(__file__).resolve().parents[2]\nsys.path.insert(0, str(BASE.joinpath('apps')))",
        ),
        ("proj__settings", "sys.path.extend([os.path.join(env.root(), 'apps')])"),
        ("proj__settings", "BASE = os.path.dirname(os.path.dirname(__file__))\nsite.addsitedir(BASE + '/apps')"),
        ("proj__wsgi", "from .paths import BASE\nsys.path.append(os.path.join(BASE, '..', 'apps'))"),
    ],
)
def test_a_package_whose_directory_is_on_the_path(where: str, statement: str) -> None:
    found = modules(**SITE, **{where: f"import os, site, sys\nfrom pathlib import Path\n{statement}\n"})
    assert found.find_module("shop.db", "proj/urls.py") == "apps/shop/db.py"
    assert found.find_module("shop", "proj/urls.py") == "apps/shop/__init__.py"


@pytest.mark.parametrize(
    ("where", "statement"),
    [
        ("manage", "sys.path.append('other')"),
        ("manage", "sys.path.append(given)"),
        ("manage", "other.path.append('apps')"),
        ("manage", "print('apps')"),
        ("scripts__clean", "sys.path.append('../apps')"),  # only where that script runs
    ],
)
def test_a_package_of_which_nobody_says_so(where: str, statement: str) -> None:
    found = modules(**SITE, **{where: f"import sys\n{statement}\n"})
    assert found.find_module("shop.db", "proj/urls.py") is None


def test_a_script_sees_what_it_adds_itself() -> None:
    found = modules(**SITE, scripts__clean="import sys\nsys.path.append('../apps')\n")
    assert found.find_module("shop.db", "scripts/clean.py") == "apps/shop/db.py"


def test_libraries_stay_libraries() -> None:
    settings = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'utils'))\n"
    found = modules(
        settings=settings, utils__init="", utils__django__init="", utils__django__db="", utils__json="", shop__views=""
    )
    assert found.find_module("django.db", "shop/views.py") is None
    assert found.find_module("json", "shop/views.py") is None
    # Nobody puts `lib` on the path: a module of it is no library's namesake.
    found = modules(settings=settings, lib__init="", lib__redis__init="", shop__views="")
    assert found.find_module("redis", "shop/views.py") is None


def test_the_nearest_of_two_and_what_was_found_before() -> None:
    add = "import os, sys\nsys.path.append(os.path.join(BASE, 'apps'))\n"
    found = modules(
        one__apps__init="", one__apps__shop="", two__apps__init="", two__apps__shop="", one__manage=add, two__manage=add
    )
    assert found.find_module("shop", "two/urls.py") == "two/apps/shop.py"
    found = modules(**SITE, manage=add, shop__db="")
    assert found.find_module("shop.db", "proj/urls.py") == "shop/db.py"


def test_a_finding_beyond_such_an_import_also_where_one_file_is_asked_about(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "",
        "manage.py": "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'apps'))\n",
        "apps/__init__.py": "",
        "apps/shop/__init__.py": "",
        "apps/shop/db.py": "def run(cursor, sql):\n    cursor.execute(sql)\n",
        "proj/__init__.py": "",
        "proj/views.py": "from django.db import connection\nfrom shop.db import run\n\n\ndef show(request):\n"
        '    run(connection.cursor(), "SELECT \'" + request.GET["q"] + "\'")\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for target in (tmp_path, tmp_path / "proj" / "views.py"):
        report = project.check(Config(root=tmp_path), [target], project.Options(jobs=1, cache=False, engines=False))
        assert [(f.code, f.location.path, f.location.line) for f in report.findings] == [("PRD301", "proj/views.py", 6)]
