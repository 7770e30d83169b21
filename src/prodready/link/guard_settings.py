"""What the settings of an application say for all its routes: default guards, and what every request passes."""

from __future__ import annotations

from functools import cached_property

import msgspec

from prodready.finding import Location
from prodready.link.frames import Bound
from prodready.link.holders import is_settings
from prodready.link.program import ModuleSymbol
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.values import Value


class Setting(msgspec.Struct, frozen=True):
    """One entry: the qualified name that it has, and where."""

    text: str
    location: Location


class GuardSettings:
    """Reads settings."""

    def __init__(self, values: RouteValues) -> None:
        self.values = values
        self.program, self.knowledge = values.program, values.knowledge

    @cached_property
    def defaults(self) -> list[Setting]:
        """What guards the routes that have no guards of their own."""
        return list(self._entries("guards"))

    @cached_property
    def middleware(self) -> list[Setting]:
        """What every request passes."""
        return list(self._entries("middleware"))

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The attributes of classes that the default guards stand in for: they are called like the key of the setting."""
        keys = [str(k).lower() for e in self.knowledge.settings.values() if e.settles == "guards" for k in e.at]
        listed = {name for entry in self.knowledge.types.values() for name in entry.guarded_by}
        return frozenset(name for name in listed if any(key.endswith(name) for key in keys))

    @cached_property
    def elsewhere(self) -> bool:
        """Whether the application is told to take its settings from a module that is not at hand, or not to be read."""
        variables = self._names("settings")
        named: list[bool] = []
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if "setdefault" in outline.calls and not is_settings(path) else None
            for function in facts.functions.values() if facts is not None else ():
                for fact in function.calls:
                    given = [v.bare(value) for value in fact.value.args]
                    if fact.name == "setdefault" and len(given) > 1 and isinstance(given[0], v.Const):
                        if given[0].value in variables:
                            texts = self.values.texts(Bound(given[1], self.values.module(path)))
                            named += [self._is_missing(text, path) for text in texts]
        return bool(named) and all(named)

    def _is_missing(self, text: str, path: str) -> bool:
        """Whether a module is not there, or cannot be read."""
        symbol = self.values.named(text, path)
        return symbol is None or (isinstance(symbol, ModuleSymbol) and self.program.facts(symbol.path) is None)

    def _names(self, purpose: str) -> list[str]:
        return [name for name, effect in self.knowledge.settings.items() if effect.settles == purpose]

    def _entries(self, purpose: str) -> list[Setting]:
        found: dict[str, Setting] = {}
        for name, effect in self.knowledge.settings.items():
            if effect.settles != purpose:
                continue
            for path in self.program.outlines:
                facts = self.program.facts(path) if is_settings(path) else None
                value = facts.values.get(name) if facts is not None else None
                if value is None:
                    continue
                line = value.line if isinstance(value, v.Named) else 1
                for part in self._at(value, effect.at):
                    for text in self.values.words(Bound(part, self.values.module(path))):
                        found.setdefault(text, Setting(text, Location(path, line)))
        return list(found.values())

    def _at(self, value: Value, keys: tuple[int | str, ...]) -> list[Value]:
        inner = v.bare(value)
        if not keys:
            return [inner]
        if isinstance(inner, v.Choice):
            return [part for option in inner.options for part in self._at(option, keys)]
        if not isinstance(inner, v.Map):
            return []
        return [x for k, x in inner.items if isinstance(k, v.Const) and k.value in keys]
