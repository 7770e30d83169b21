"""A small application in a git repository of its own, for tests of what changes bring."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

APP = """\
from flask import Flask, request, abort
import sqlite3
from util import clean

app = Flask(__name__)


def db():
    return sqlite3.connect("x").cursor()


@app.route("/old")
def old():
    q = request.args["q"]
    db().execute(f"SELECT * FROM a WHERE x = '{q}'")
    return ""


@app.route("/list")
def listing():
    sort = request.args["sort"]
    if sort not in ("name", "age"):
        abort(400)
    # one
    # two
    # three
    db().execute(f"SELECT * FROM a ORDER BY {sort}")
    return ""


@app.route("/cleaned")
def cleaned():
    v = clean(request.args["v"])
    db().execute(f"SELECT * FROM a WHERE x = {v}")
    return ""
"""
UTIL = """\
def clean(value):
    return int(value)
"""

MODELS = """\
from django.db import models


class Box(models.Model):
    count = models.IntegerField()
"""
WORK = """\
from shop.models import Box


def move(source, target):
    one = Box.objects.get(pk=source)
    one.count -= 1
    one.save()
    other = Box.objects.get(pk=target)
    other.count += 1
    other.save()
"""


class App:
    """The repository: its files are changed by replacing text in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.write("app.py", APP)
        self.write("util.py", UTIL)
        self.commit()

    def git(self, *words: str) -> str:
        names = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(["git", *words], cwd=self.root, env=environment, check=True, capture_output=True)
        return done.stdout.decode("utf-8", "surrogateescape")

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, newline="")

    def change(self, path: str, old: str, new: str) -> None:
        place = self.root / path
        text = place.read_text()
        assert text.count(old) == 1, old
        place.write_text(text.replace(old, new))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "change")
