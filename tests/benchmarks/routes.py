"""Compares the routes that prodready finds with those that an application says it has.

    # in the application's own environment (this file imports nothing but the standard library and the framework there)
    python routes.py dump flask package.module:create_app > theirs.json
    python routes.py dump fastapi app.main:app > theirs.json
    DJANGO_SETTINGS_MODULE=... python routes.py dump django > theirs.json
    # anywhere
    prodready routes --output-format json path/to/app > ours.json
    python routes.py compare ours.json theirs.json

Paths are compared segment by segment; a parameter fits any other, and a trailing slash means nothing. `HEAD` and
`OPTIONS`, which frameworks add themselves, are left out. `*` in our list fits any method.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ADDED = {"HEAD", "OPTIONS", "TRACE"}
PARAMETER = re.compile(r"<[^<>]*>|\{[^{}]*\}|\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|\((?!\?)[^()]*\)")

Key = tuple[str, str]


def loaded(name: str) -> Any:
    """An object by `module:name`, called if it is a function that makes the application."""
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return found if hasattr(found, "url_map") or hasattr(found, "routes") else found()


def of_flask(app: Any) -> list[list[str]]:
    return [[method, rule.rule, rule.endpoint] for rule in app.url_map.iter_rules() for method in rule.methods]


def of_fastapi(app: Any) -> list[list[str]]:
    return [
        [method, route.path, getattr(getattr(route, "endpoint", None), "__module__", "")]
        for route in app.routes
        for method in getattr(route, "methods", None) or ()
    ]


def of_django() -> list[list[str]]:
    # Of the application's environment, not of ours.
    importlib.import_module("django").setup()
    get_resolver = importlib.import_module("django.urls").get_resolver
    found: list[list[str]] = []

    def walk(patterns: Iterable[Any], prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern).lstrip("^")
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, path.rstrip("$"))
                continue
            view = pattern.callback
            cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
            actions = getattr(view, "actions", None)
            methods = (
                list(actions) if actions else [m for m in ("get", "post", "put", "patch", "delete") if hasattr(cls, m)]
            )
            allowed = getattr(cls, "http_method_names", None)
            methods = [m for m in methods if allowed is None or m in allowed]
            found.extend([method.upper(), path, view.__module__] for method in methods or ["*"])

    walk(get_resolver().url_patterns, "")
    return found


def key(method: str, path: str) -> Key:
    text = re.sub(r"\(\?:[^()]*\)\??|\\Z|[$^]", "", path.replace(r"\.", "."))
    text = PARAMETER.sub("{}", text)
    parts = [
        "{}" if "{" in part and part.count("{}") == 1 and part.startswith("{") else part for part in text.split("/")
    ]
    return method.upper(), "/".join(part.replace("\\", "").rstrip("?") for part in parts if part)


def compare(ours: Path, theirs: Path, ignore: str, show: int) -> None:
    """Print how many of their routes are among ours, and what differs."""
    mine: set[Key] = set()
    for route in json.loads(ours.read_text("utf-8"))["routes"]:
        mine |= {key(method, route["path"]) for method in route["methods"]}
    listed = {
        key(method, path)
        for method, path, where in json.loads(theirs.read_text("utf-8"))
        if method not in ADDED and not (ignore and re.search(ignore, f"{path} {where}"))
    }
    any_method = {path for method, path in mine if method == "*"}
    their_any = {path for method, path in listed if method == "*"}
    missing = sorted(
        k
        for k in listed
        if k not in mine and k[1] not in any_method and not (k[0] == "*" and k[1] in {p for _, p in mine})
    )
    surplus = sorted(
        k for k in mine - listed if k[1] not in their_any and not (k[0] == "*" and k[1] in {p for _, p in listed})
    )
    found = len(listed) - len(missing)
    print(f"theirs {len(listed)}, found {found} ({100 * found / max(len(listed), 1):.1f} %), ours only {len(surplus)}")
    for title, keys in (("missing", missing), ("ours only", surplus)):
        for method, path in keys[:show]:
            print(f"  {title}: {method} /{path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    dump = commands.add_parser("dump")
    dump.add_argument("framework", choices=("flask", "fastapi", "django"))
    dump.add_argument("app", nargs="?", default="")
    against = commands.add_parser("compare")
    against.add_argument("ours", type=Path)
    against.add_argument("theirs", type=Path)
    against.add_argument("--ignore", default="", help="a pattern of paths or modules to leave out")
    against.add_argument("--show", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        compare(arguments.ours, arguments.theirs, arguments.ignore, arguments.show)
        return
    sys.path.insert(0, ".")
    makers = {"flask": of_flask, "fastapi": of_fastapi}
    found = of_django() if arguments.framework == "django" else makers[arguments.framework](loaded(arguments.app))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
