"""What a rule is given: the linked program and the look-ups that several rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from prodready.documents import Documents
from prodready.finding import Step
from prodready.knowledge import Knowledge
from prodready.link.claim_evidence import ClaimEvidence
from prodready.link.client_claims import Claim, ClientClaims
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.guard_words import GuardWords
from prodready.link.infer import COMMON_METHODS, Inference
from prodready.link.labels import Labels
from prodready.link.password_flow import PasswordFlow
from prodready.link.password_forms import Forms
from prodready.link.password_use import Use
from prodready.link.program import Program
from prodready.link.regions import Regions
from prodready.link.route import Route
from prodready.link.route_values import RouteValues
from prodready.link.routes import Routes
from prodready.link.scope import Scope
from prodready.link.secrets import SecretReader
from prodready.link.sinks import Arrival, SinkCall, callers_of, sink_calls, sink_names
from prodready.link.text import TextReader
from prodready.link.transactions import Transactions
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts

if TYPE_CHECKING:
    from prodready.link.front import Front
    from prodready.link.joined import Joined


WRITING = frozenset({"write", "write-sql", "stage", "commit", "ensure", "alone"})
"""What calls do that leaves something changed."""

FEW = 0.2
"""The part of the files up to which looking at them alone takes less time than looking at the whole project."""

CALLS = 2
"""Calls that are followed to see whether a function writes."""


class Linked:
    """A program with everything that follows from its facts. Rules read it and never change it.

    `scope` is set where only the findings of some files are asked for; a rule may yield others too. `outside` are the
    files that show nothing of how the application runs, such as tests. `front` gives the front end.
    """

    def __init__(
        self,
        program: Program,
        outside: frozenset[str] = frozenset(),
        front: Callable[[], Front] | None = None,
        documents: Documents | None = None,
    ) -> None:
        self.program = program
        self.outside = outside
        self._front = front
        self.documents = documents or Documents()
        self.scope: Scope | None = None
        self.knowledge: Knowledge = program.knowledge
        self.infer = Inference(program)
        self.reducer = Labels(self.infer)
        self._whole = self

    def about(self, targets: Iterable[str]) -> Linked:
        """The same for the findings of some files; what does not hang on which these are is found out once for all."""
        other = Linked(self.program, self.outside, self._front, self.documents)
        other.infer, other.reducer, other._whole = self.infer, self.reducer, self._whole
        other.scope = Scope(self.program.outlines, targets)
        return other

    def whole(self) -> Linked:
        """The same with nothing left out."""
        return self._whole

    def sink_calls(self, kinds: frozenset[str]) -> Iterator[SinkCall]:
        """The calls that are sinks of one of `kinds`, file by file."""
        return sink_calls(self.infer, kinds, self.scope)

    def callers_of(self, arrival: Arrival, parameter: str) -> Iterator[Arrival]:
        """The same value one call earlier: at the calls that pass it as `parameter` of the function `arrival` stands in."""
        return callers_of(self.infer, arrival, parameter, self.scope)

    def texts(self) -> TextReader:
        """A fresh reader of texts, with its own memory of those it has seen."""
        return TextReader(self.reducer)

    @cached_property
    def front(self) -> Front:
        """What the pages ask the server for, and to whom they show it; for rules that declare `front`."""
        if self._front is not None:
            return self._front()
        from prodready.link.front import Front

        return Front((), ())

    @cached_property
    def secrets(self) -> SecretReader:
        """Finds the secrets in values."""
        return SecretReader(self.reducer)

    @cached_property
    def transactions(self) -> Transactions:
        """What functions commit outside of transactions."""
        return Transactions(self.reducer, self.scope, self.outside)

    @cached_property
    def password_uses(self) -> list[Use]:
        """Where passwords and digests of them are stored or compared."""
        flow = PasswordFlow(self.reducer)
        if self.scope is None:
            paths = [path for path in self.program.outlines if path not in self.outside]
            return [*flow.uses(paths), *Forms(flow.rows).uses(paths)]
        targets = sorted(self.scope.targets - self.outside)
        digests = {name.rpartition(".")[2] for name, e in self.knowledge.functions.items() if "digest" in e.labels}
        if any(not digests.isdisjoint(self.program.outlines[path].calls) for path in targets):
            return self.whole().password_uses  # a digest may be one of a password by what calls it from anywhere
        callers = self._callers_of(targets)
        if len(callers) > len(self.program.outlines) * FEW:
            return self.whole().password_uses  # it looks into fewer functions of each file
        uses = flow.uses([*targets, *callers], whole=False)
        if any(use.digest and use.how != "store" and use.location.path in self.scope.targets for use in uses):
            return self.whole().password_uses  # only the whole project can tell whether the digest is stored
        return [*uses, *Forms(flow.rows).uses(targets)]

    def _callers_of(self, targets: list[str]) -> list[str]:
        """The other files that call something by the name of what these define, or by the name of what calls that."""
        found: dict[str, None] = {}
        asked = list(targets)
        for too_common in (frozenset[str](), COMMON_METHODS):
            names = {name.rpartition(".")[2] for path in asked for name in self.program.outlines[path].defines}
            names -= too_common
            asked = [
                path
                for path, outline in self.program.outlines.items()
                if path not in found and path not in self.outside and not names.isdisjoint(outline.calls)
            ]
            found.update(dict.fromkeys(path for path in asked if path not in targets))
        return list(found)

    @cached_property
    def routes(self) -> Routes:
        """The routes of the application and their guards; always of the whole of it."""
        if self._whole is not self:
            return self._whole.routes
        return Routes(self.reducer, self.outside, self.documents)

    @cached_property
    def client_claims(self) -> list[Claim]:
        """Decisions about permissions that rest on what the client says, in the files that are asked about."""
        asked = self.scope.targets if self.scope is not None else self.program.outlines
        return [claim for path in sorted(asked) if path not in self.outside for claim in self._claims.in_file(path)]

    @cached_property
    def _claims(self) -> ClientClaims:
        return ClientClaims(RouteValues(self.reducer), GuardWords(self.knowledge))

    @cached_property
    def claim_evidence(self) -> ClaimEvidence:
        """What tells which of them are sure."""
        return ClaimEvidence(self._claims, self._routes_of)

    def _routes_of(self, frame: Frame) -> tuple[Route, ...]:
        """The routes that a function answers."""
        answering = ((route, route.handler.frame) for route in self.routes.routes)
        return tuple(route for route, answers in answering if answers is not None and answers.key == frame.key)

    @cached_property
    def route_callers(self) -> Mapping[Route, Sequence[Step]]:
        """The places of the user interface that send requests to each route."""
        return self.joined.callers()

    @cached_property
    def joined(self) -> Joined:
        """Which places of the user interface call which routes. Without routes no front end is read."""
        if self._whole is not self:
            return self._whole.joined
        from prodready.link.joined import Joined

        routes = self.routes.routes
        return Joined(self.front.places, routes, self.front.including) if routes else Joined((), ())

    def writes(self, frame: Frame) -> bool:
        """Whether a function, or one of the project that it calls, writes to a database."""
        return self._writes(frame, 0)

    def _writes(self, frame: Frame, depth: int) -> bool:
        for deed in self.transactions.deeds.of(frame, None).values():
            if deed.kind in WRITING:
                return True
            if depth < CALLS and any(
                self._writes(Frame(function.path, function.facts), depth + 1) for function, _ in deed.targets
            ):
                return True
        return False

    @cached_property
    def regions(self) -> Regions:
        """What happens inside of transactions."""
        return Regions(self.transactions)

    def style(self, callee: Callee) -> str:
        """The paramstyle of the connection or cursor that a call is made on."""
        kinds = self.infer.library_types(callee.type)
        return next((style for kind in kinds if (style := self.knowledge.style(kind))), "")

    @cached_property
    def _message_names(self) -> frozenset[str]:
        return sink_names(self.knowledge, {"log", "log-context"}) | {
            "warn",
            "flash",
            "fail",
            "add_argument",
            "Exception",
            "echo",
            "secho",
        }

    def stays_in_project(self, call: Bound) -> bool:
        """Whether a call surely reaches functions of the project which hand its arguments to nobody unknown."""
        callees = self.infer.callees(call)
        return bool(callees) and all(
            callee.function is not None and not callee.assumed and not self._hands_on(callee.function.facts, callee)
            for callee in callees
        )

    def _hands_on(self, function: FunctionFacts, callee: Callee) -> bool:
        assert callee.function is not None
        frame = Frame(callee.function.path, function)
        return any(
            any(
                isinstance(v.bare(value), v.Param) for value in (*fact.value.args, *(x for _, x in fact.value.keywords))
            )
            and not self.infer.callees(Bound(fact.value, frame))
            for fact in function.calls
        )

    def is_message(self, fact: CallFact) -> bool:
        """Whether a call, by its name, says its arguments to a person: a log line, an exception, a flash message."""
        return fact.name in self._message_names or fact.name.endswith(("Error", "Exception", "Warning"))
