"""What a rule is given: the linked program and the look-ups that several rules share."""

from __future__ import annotations

from functools import cached_property

from prodready.knowledge import Knowledge
from prodready.link.infer import Callee, Inference
from prodready.link.program import Program
from prodready.link.reduce import Reducer
from prodready.link.secrets import SecretReader
from prodready.link.sinks import sink_names
from prodready.link.text import TextReader
from prodready.read.facts import CallFact


class Linked:
    """A program with everything that follows from its facts. Rules read it and never change it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.knowledge: Knowledge = program.knowledge
        self.infer = Inference(program)
        self.reducer = Reducer(self.infer)

    def texts(self) -> TextReader:
        """A fresh reader of texts, with its own memory of those it has seen."""
        return TextReader(self.reducer)

    @cached_property
    def secrets(self) -> SecretReader:
        """Finds the secrets in values."""
        return SecretReader(self.reducer)

    def style(self, callee: Callee) -> str:
        """The paramstyle of the connection or cursor that a call is made on."""
        kinds = self.infer.library_types(callee.type)
        return next((style for kind in kinds if (style := self.knowledge.style(kind))), "")

    @cached_property
    def _message_names(self) -> frozenset[str]:
        return sink_names(self.knowledge, {"log", "log-context"}) | {"warn", "flash", "fail", "add_argument", "Exception"}

    def is_message(self, fact: CallFact) -> bool:
        """Whether a call, by its name, says its arguments to a person: a log line, an exception, a flash message."""
        return fact.name in self._message_names or fact.name.endswith(("Error", "Exception", "Warning"))
