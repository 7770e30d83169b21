"""What PRD302 calls the rows that are written: by their class, not by that of the object which writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodready.config import Config
from prodready.project import Options, check

MODELS = """
from django.db import models


class TaskQuerySet(models.QuerySet):
    def close(self):
        self.update(closed=True)


class TaskManager(models.Manager):
    def open_new(self, name):
        task = self.create(name=name)
        return task

    def again(self, name):
        return super().create(name=name)


class Kept(models.Model):
    gone = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def delete(self, *args, **kwargs):
        self.gone = True
        self.save()


class Task(Kept):
    name = models.CharField(max_length=20)
    closed = models.BooleanField(default=False)

    {managers}

    def delete(self, *args, **kwargs):
        super().delete(*args, **kwargs)
        Trace.objects.create()


class Trace(models.Model):
    pass


class Step(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE)
"""

MANAGER = "objects = TaskManager()"
QUERIES = "objects = TaskQuerySet.as_manager()"
SEVERAL = MANAGER + "\n\n\nclass Other(models.Model):\n    objects = TaskManager()"


def message(root: Path, managers: str, call: str) -> str:
    (root / "models.py").write_text(MODELS.replace("{managers}", managers))
    (root / "jobs.py").write_text(
        f"from models import Step, Task\n\n\ndef replace(name, task):\n    Step.objects.create(task=task)\n    {call}\n"
    )
    findings = check(Config(root=root), [root], Options(jobs=1, cache=False)).findings
    return next(finding.message for finding in findings if finding.code == "PRD302")


@pytest.mark.parametrize(
    ("managers", "call"),
    [
        (QUERIES, "Task.objects.filter(name=name).close()"),
        (MANAGER, "Task.objects.open_new(name)"),
        (MANAGER, "Task.objects.again(name)"),
    ],
)
def test_rows_have_the_name_of_their_class_and_not_of_their_manager(managers: str, call: str, tmp_path: Path) -> None:
    said = message(tmp_path, managers, call)
    assert "`Task` through" in said
    assert "`Step` (line 5)" in said


def test_a_manager_of_several_classes_names_none_of_them(tmp_path: Path) -> None:
    assert "`TaskManager` through" in message(tmp_path, SEVERAL, "Task.objects.again(name)")


def test_a_row_is_not_named_after_one_that_refers_to_it(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS.replace("{managers}", MANAGER))
    findings = check(Config(root=tmp_path), [tmp_path], Options(jobs=1, cache=False)).findings
    assert ["`Task` through `delete()`" in finding.message for finding in findings] == [True]
