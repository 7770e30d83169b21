"""Text as the pieces it is built of: literal stretches, and holes with what is put into them."""

from __future__ import annotations

import re
import string

from msgspec.structs import replace

from prodready.finding import Location, Step
from prodready.link.frames import Bound, CallSite, Frame
from prodready.link.given import bound_to, from_call, options
from prodready.link.labels import PROVED, Labels
from prodready.link.percent import NUMERIC, PERCENT
from prodready.link.pieces import PLACEHOLDER, Hole, Piece, Safe, rank
from prodready.link.reduce import SAFE_ATTRIBUTES, describe
from prodready.read import values as v

BUDGET = 600
"""Values looked at for one text."""

MAX_NESTING = 40
TEMPLATE = re.compile(r"\$(?:\$|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")
QUOTES = ("'", '"', "`")


class TextReader:
    """Takes texts apart.

    `built` collects the places of the texts that were seen, so that no text is judged twice; `asked` the calls that told
    what a parameter is; `exhausted` says that a text was too large to be followed to its end.
    """

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.knowledge = reducer.knowledge
        self.built: set[tuple[str, int, int]] = set()
        self.asked: dict[tuple[str, str, str], list[CallSite]] = {}
        self.exhausted = False
        self._budget = 0
        self._asking: set[tuple[str, str, str]] = set()

    def alternatives(self, bound: Bound) -> list[list[Piece]]:
        """The texts that a value may be, each as pieces, the worst ones first."""
        self._budget = BUDGET
        found = [self.pieces(option, trail) for option, trail in self._options(bound, ())]
        return sorted(found, key=rank, reverse=True)

    def _options(self, bound: Bound, trail: tuple[Step, ...]) -> list[tuple[Bound, tuple[Step, ...]]]:
        value = bound.value
        if isinstance(value, v.Named):
            step = Step(Location(bound.frame.path, value.line, value.column), f"assigned to `{value.name}`")
            return self._options(bound.sub(value.value), (*trail, step))
        if isinstance(value, v.Choice):
            return [one for option in options(bound) for one in self._options(option, trail)]
        return [(bound, trail)]

    def pieces(self, bound: Bound, trail: tuple[Step, ...] = (), nesting: int = 0) -> list[Piece]:
        """The pieces of one text. Whatever cannot be told apart is one hole."""
        self._budget -= 1
        value, frame = bound.value, bound.frame
        if (self._budget < 0 or nesting > MAX_NESTING) and not isinstance(value, v.Const):
            self.exhausted = True
            return [Hole(bound, "unknown", describe(value), trail, assumed=True)]
        nesting += 1
        match value:
            case v.Const():
                return [value.value if isinstance(value.value, str) else str(value.value)]
            case v.Text():
                self._note(frame, value.line, value.column)
                return self._worst_parts([self.pieces(bound.sub(part), trail, nesting) for part in value.parts])
            case v.Op():
                return self._operation(bound, value, trail, nesting)
            case v.Mark():
                if self.reducer.is_proved(bound):
                    return [Safe.of(bound, trail)]
                return self.pieces(bound.sub(value.value), trail, nesting)
            case v.Unknown():
                return self._leaf(bound, trail)
            case v.Param():
                return self._param(bound, value, trail, nesting)
            case v.Seq() | v.Map() if _is_constant(value):
                return [Safe.of(bound, trail)]
            case v.Attr() if value.name in SAFE_ATTRIBUTES or self._is_model_meta(value):
                return [Safe.of(bound, trail)]
        if isinstance(value, (v.Call, v.Attr, v.Ref)):
            effect = self.reducer.effect(bound)
            if not isinstance(value, v.Ref) and not effect.labels and not PROVED.isdisjoint(self.reducer.labels(bound)):
                return [Safe.of(bound, trail)]
            if not PROVED.isdisjoint(effect.labels):
                return [Safe.of(bound, trail)]
            if effect.passes and isinstance(value, v.Call):
                return self._passed(bound, value, effect.passes, trail, nesting)
            if effect.labels:
                return self._leaf(bound, trail)
        reduced = self.reducer.step(bound)
        if reduced is not None:
            options = [
                self.pieces(inner, (*trail, step) if step is not None else trail, nesting) for inner, step in reduced
            ]
            return max(options, key=rank) if options else [Safe.of(bound, trail)]
        return self._leaf(bound, trail)

    def _is_model_meta(self, value: v.Attr) -> bool:
        base = v.bare(value.base)
        while isinstance(base, (v.Attr, v.Call)):
            if isinstance(base, v.Attr) and base.name in SAFE_ATTRIBUTES - {"__class__", "__module__"}:
                return True
            base = v.bare(base.base if isinstance(base, v.Attr) else base.target)
        return False

    def _note(self, frame: Frame, line: int, column: int) -> None:
        if line:
            self.built.add((frame.path, line, column))

    def _worst_parts(self, parts: list[list[Piece]]) -> list[Piece]:
        return [piece for part in parts for piece in part]

    def _leaf(self, bound: Bound, trail: tuple[Step, ...]) -> list[Piece]:
        labels = self.reducer.labels(bound)
        if not PROVED.isdisjoint(labels):
            return [Safe.of(bound, trail)]
        value = bound.value
        name = next((s.message[13:-1] for s in reversed(trail) if s.message.startswith("assigned to `")), "")
        shown = describe(value)
        kind, assumed = "unknown", False
        if "request" in labels or labels & {"headers", "cookies", "body"}:
            kind = "request"
        elif isinstance(value, v.Call):
            assumed = True
            carried = self._request_inside(bound, value)
            if carried is not None:
                shown, kind = describe(carried.value), "request"
        shown = name if shown in {"a value", "text"} and name else shown
        return [Hole(bound, kind, shown, trail, assumed)]

    def _request_inside(self, bound: Bound, call: v.Call) -> Bound | None:
        """Request data among the arguments or in the receiver of a call nobody knows: its result probably holds it."""
        inside = [*call.args, *(value for _, value in call.keywords)]
        if isinstance(call.target, v.Attr):
            inside.append(call.target.base)
        for argument in inside:
            for leaf in self.reducer.leaves(bound.sub(argument), 8):
                if "request" in self.reducer.labels(leaf):
                    return leaf
        return None

    def _passed(
        self, bound: Bound, call: v.Call, passes: tuple[int | str, ...], trail: tuple[Step, ...], nesting: int
    ) -> list[Piece]:
        """The text of the arguments that a known function hands on."""
        found: list[list[Piece]] = []
        for position in passes:
            arguments = argument_values(call, position)
            found += [self.pieces(bound.sub(argument), trail, nesting) for argument in arguments]
        if not found:
            return [Safe.of(bound, trail)]
        return max(found, key=rank)

    def _param(self, bound: Bound, value: v.Param, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        frame = bound.frame
        if frame.binding(value.name) is not None:
            step = Step(
                Location(frame.path, frame.function.line), f"passed as `{value.name}` to `{frame.function.qualname}()`"
            )
            found = [self.pieces(argument, (*trail, step), nesting) for argument in bound_to(frame, value.name)]
            return found[0] if found else [Safe.of(bound, trail)]
        labels = self.reducer.labels(bound)
        if not PROVED.isdisjoint(labels):
            return [Safe.of(bound, trail)]
        for given, step_ in self.reducer.step(bound) or ():
            return self.pieces(given, (*trail, step_) if step_ else trail, nesting)
        where = Step(
            Location(frame.path, frame.function.line),
            f"`{value.name}` comes in as a parameter of `{frame.function.qualname}()`",
        )
        if "request" in labels:
            where = replace_message(where, f"`{value.name}` is sent with the request")
            return [Hole(bound, "request", value.name, (*trail, where))]
        whole = "" if frame.entered else value.name
        hole = Hole(bound, "parameter", value.name, (*trail, where), whole=whole, giver=frame)
        if frame.entered:
            return [replace(hole, kind="unknown")]
        return self._from_callers(hole, value.name, trail, nesting)

    def _from_callers(self, hole: Hole, name: str, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        """What the callers pass: constants if all pass constants, else the worst of it. What tests pass proves nothing."""
        frame = hole.bound.frame
        key = (*frame.key, name)
        if key in self._asking or len(self._asking) > 3:
            return [hole]
        tests = self.infer.program.tests if frame.path not in self.infer.program.tests else frozenset[str]()
        sites = [site for site in self.infer.callers(*frame.key) if site.frame.path not in tests]
        if not sites:
            return [hole]
        self.asked[key] = sites
        self._asking.add(key)
        try:
            found: list[list[Piece]] = []
            for site in sites:
                argument = site.arguments.get(name)
                if argument is not None and (argument := from_call(hole.bound.frame, argument, site.arguments)) is None:
                    continue
                if argument is None:
                    param = frame.param(name)
                    if param is not None and param.kind in {"*", "**"}:
                        found.append([PLACEHOLDER])
                    else:
                        found.append([hole])
                    continue
                step = Step(
                    Location(site.frame.path, site.fact.span.line, site.fact.span.column),
                    f"passed as `{name}` to `{frame.function.qualname}()`",
                )
                found.append(self.pieces(argument, (*trail, step), nesting))
        finally:
            self._asking.discard(key)
        if not found:
            return [Safe.of(hole.bound, trail)]
        worst = max(found, key=rank)
        first = next((p for p in worst if isinstance(p, Hole)), None)
        if first is None:
            return worst
        # Seen from the sink, the hole is this function's parameter, wherever its value comes from.
        return [
            replace(
                first, whole=hole.whole, giver=hole.giver, name=hole.name if first.kind != "request" else first.name
            )
        ]

    # Operations

    def _operation(self, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        subject = bound.sub(value.subject)
        match value.kind:
            case "in" | "test" | "difference":
                return [Safe.of(bound, trail)]
            case "%":
                self._note(bound.frame, value.line, value.column)
                return self._percent(subject, bound.sub(value.args[0]), trail, nesting)
            case "format" | "format_map":
                self._note(bound.frame, value.line, value.column)
                return self._format(subject, bound, value, trail, nesting)
            case "substitute":
                self._note(bound.frame, value.line, value.column)
                return self._substitute(subject, bound, value, trail, nesting)
            case "join":
                return self._join(subject, bound.sub(value.args[0]), trail, nesting)
            case "replace":
                return self._replace(subject, bound, value, trail, nesting)
            case "repeat":
                inner = self.pieces(subject, trail, nesting)
                if value.args and not any(isinstance(p, Hole) for p in inner):
                    return inner
                return inner
            case "after" | "if":
                if self.reducer.is_proved(bound):
                    return [Safe.of(bound, trail)]
                return self.pieces(subject, trail, nesting)
            case "slice":
                return self.pieces(subject, trail, nesting)
        if value.kind == "each" and self.reducer.is_proved(bound.sub(v.bare(value.subject))):
            return [Safe.of(bound, trail)]
        reduced = self.reducer.step(bound)
        if reduced:
            return max((self.pieces(inner, trail, nesting) for inner, _ in reduced), key=rank)
        return self._leaf(bound, trail)

    def _percent(self, template: Bound, right: Bound, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        pieces: list[Piece] = []
        index = 0
        operand = v.bare(right.value)
        several = isinstance(operand, v.Seq) and not operand.open
        for piece in self.pieces(template, trail, nesting):
            if isinstance(piece, (Hole, Safe)):
                pieces.append(piece)
                continue
            position = 0
            for match in PERCENT.finditer(piece):
                pieces.append(piece[position : match.start()])
                position = match.end()
                if match["type"] == "%":
                    pieces.append("%")
                    continue
                if match["type"] in NUMERIC:
                    pieces.append(Safe.of(right, trail, "0"))
                    index += match["key"] is None
                    continue
                if match["key"] is not None:
                    argument = right.sub(v.item(right.value, v.Const(match["key"])))
                elif several and isinstance(operand, v.Seq):
                    argument = right.sub(operand.items[index] if index < len(operand.items) else v.UNKNOWN)
                    if v.is_star(argument.value):
                        argument = right.sub(v.op("each", argument.value.subject))  # type: ignore[union-attr]
                    index += 1
                else:
                    argument = right
                pieces += self.pieces(argument, trail, nesting)
            pieces.append(piece[position:])
        return pieces

    def _format(self, template: Bound, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        keywords = {key: inner for key, inner in value.keywords if key != "**"}
        unpacked = [inner for key, inner in value.keywords if key == "**"]
        if value.kind == "format_map":
            unpacked = [value.args[0]]
        positional = () if value.kind == "format_map" else value.args
        pieces: list[Piece] = []
        automatic = 0
        for piece in self.pieces(template, trail, nesting):
            if isinstance(piece, (Hole, Safe)):
                pieces.append(piece)
                continue
            try:
                fields = list(string.Formatter().parse(piece))
            except ValueError:
                pieces.append(piece)
                continue
            for literal, name, spec, _ in fields:
                pieces.append(literal)
                if name is None:
                    continue
                if spec and spec[-1] in "dfeEgGnxXb%":
                    pieces.append(Safe.of(bound, trail, "0"))
                    automatic += name == ""
                    continue
                key = re.split(r"[.\[]", name)[0]
                if key == "" or key.isdigit():
                    index = int(key) if key else automatic
                    automatic += key == ""
                    argument = positional[index] if index < len(positional) else v.UNKNOWN
                elif key in keywords:
                    argument = keywords[key]
                elif unpacked:
                    argument = v.item(unpacked[-1], v.Const(key))
                else:
                    argument = v.UNKNOWN
                for attribute in re.findall(r"\.(\w+)", name):
                    argument = v.attr(argument, attribute)
                pieces += self.pieces(bound.sub(argument), trail, nesting)
        return pieces

    def _substitute(
        self, template: Bound, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int
    ) -> list[Piece]:
        keywords = dict(value.keywords)
        pieces: list[Piece] = []
        subject = template
        for leaf in self.reducer.leaves(template, 8):
            if isinstance(leaf.value, v.Call) and leaf.value.args:
                subject = leaf.sub(leaf.value.args[0])
        for piece in self.pieces(subject, trail, nesting):
            if isinstance(piece, (Hole, Safe)):
                pieces.append(piece)
                continue
            position = 0
            for match in TEMPLATE.finditer(piece):
                pieces.append(piece[position : match.start()])
                position = match.end()
                name = match["name"] or match["braced"]
                if name is None:
                    pieces.append("$")
                elif name in keywords:
                    pieces += self.pieces(bound.sub(keywords[name]), trail, nesting)
                else:
                    source = value.args[0] if value.args else keywords.get("**", v.UNKNOWN)
                    pieces += self.pieces(bound.sub(v.item(source, v.Const(name))), trail, nesting)
            pieces.append(piece[position:])
        return pieces

    def _join(self, separator: Bound, items: Bound, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        between = self.pieces(separator, trail, nesting)
        elements = self.reducer.elements(items)
        if not elements:
            inner = v.bare(items.value)
            if isinstance(inner, v.Seq) and not inner.items:
                return [""]
            if self.reducer.is_proved(items):
                return [Safe.of(items, trail)]
            names = tuple(_assigned(items.frame, named) for named in _names_of(items.value))
            return self.pieces(items.sub(v.op("each", inner)), (*trail, *names), nesting)
        pieces: list[Piece] = []
        steps = tuple(_assigned(items.frame, named) for named in _names_of(items.value))
        for index, element in enumerate(elements[:12]):
            if index:
                pieces += between
            pieces += self.pieces(element, (*trail, *steps), nesting)
        return pieces

    def _replace(self, subject: Bound, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> list[Piece]:
        old, new = value.args
        pieces: list[Piece] = []
        put_in = self.pieces(bound.sub(new), trail, nesting)
        marker = self.pieces(bound.sub(old), trail, nesting)
        needle = "".join(p for p in marker if isinstance(p, str)) if all(isinstance(p, str) for p in marker) else None
        found = False
        for piece in self.pieces(subject, trail, nesting):
            if isinstance(piece, Hole) or not needle or needle not in piece:
                pieces.append(piece)
                continue
            found = True
            first, *others = piece.split(needle)
            pieces.append(first)
            for other in others:
                pieces += put_in
                pieces.append(other)
        if needle in QUOTES and put_in == [needle * 2]:
            pieces = [replace(p, escaped=needle) if isinstance(p, Hole) else p for p in pieces]
        if found:
            self._note(bound.frame, value.line, value.column)
        elif needle is None and any(isinstance(p, Hole) for p in put_in):
            pieces += put_in
        return pieces


def _is_constant(value: v.Value) -> bool:
    """Whether a display holds constants only, however deep."""
    if isinstance(value, (v.Seq, v.Map)):
        return not (isinstance(value, v.Seq) and value.open) and all(map(_is_constant, v.children(value)))
    return isinstance(v.bare(value), v.Const)


def _names_of(value: v.Value) -> list[v.Named]:
    found = []
    while isinstance(value, v.Named):
        found.append(value)
        value = value.value
    return found


def _assigned(frame: Frame, value: v.Named) -> Step:
    return Step(Location(frame.path, value.line, value.column), f"assigned to `{value.name}`")


def replace_message(step: Step, message: str) -> Step:
    """The same place with other words."""
    return Step(step.location, message)


def argument_values(call: v.Call, position: int | str) -> list[v.Value]:
    """The values at a position of `at` or `passes`: an index, a keyword, "*", "**" or "self"."""
    if position == "self":
        return [call.target.base] if isinstance(call.target, v.Attr) else []
    if position == "*":
        return list(call.args)
    if position == "**":
        return [value for _, value in call.keywords]
    if isinstance(position, int):
        star = next((i for i, a in enumerate(call.args) if v.is_star(a)), None)
        if star is not None and star <= position:
            return [call.args[star]]
        return [call.args[position]] if position < len(call.args) else []
    return [value for key, value in call.keywords if key == position]
