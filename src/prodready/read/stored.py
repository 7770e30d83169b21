"""Facts as bytes, for the cache and between processes. Of a file taken from there only what is asked for is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from prodready.read.facts import ClassFacts, FileFacts, FunctionFacts
from prodready.read.values import Value
from prodready.suppress import Suppressions


class _File(msgspec.Struct, array_like=True):
    lines: int
    imports: dict[str, str]
    stars: tuple[str, ...]
    values: dict[str, Value]
    functions: dict[str, msgspec.Raw]
    classes: dict[str, ClassFacts]
    suppressions: Suppressions
    called: dict[str, tuple[str, ...]]


_FILE = msgspec.msgpack.Decoder(_File)
_FUNCTION = msgspec.msgpack.Decoder(FunctionFacts)


class _Functions(Mapping[str, FunctionFacts]):
    """The functions of a file, each decoded when it is first asked for."""

    def __init__(self, raw: dict[str, msgspec.Raw]) -> None:
        self._raw = raw
        self._decoded: dict[str, FunctionFacts] = {}

    def __getitem__(self, qualname: str) -> FunctionFacts:
        found = self._decoded.get(qualname)
        if found is None:
            found = self._decoded[qualname] = _FUNCTION.decode(self._raw[qualname])
        return found

    def speaking(self, pattern: re.Pattern[bytes]) -> list[str]:
        """The functions in whose bytes the pattern is found."""
        return [qualname for qualname, raw in self._raw.items() if pattern.search(raw)]

    def __contains__(self, qualname: object) -> bool:
        return qualname in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def speaking(facts: FileFacts, pattern: re.Pattern[bytes]) -> list[str]:
    """The functions of a file that may speak of what the pattern finds in names and texts; cheaper than decoding them."""
    functions = facts.functions
    return functions.speaking(pattern) if isinstance(functions, _Functions) else list(functions)


def pack(facts: FileFacts) -> bytes:
    """The facts of a file as bytes."""
    encode = msgspec.msgpack.Encoder().encode
    functions = {name: msgspec.Raw(encode(function)) for name, function in facts.functions.items()}
    return encode(
        _File(
            facts.lines,
            facts.imports,
            facts.stars,
            facts.values,
            functions,
            facts.classes,
            facts.suppressions,
            facts.called,
        )
    )


def unpack(body: bytes) -> FileFacts:
    """What `pack` made into bytes; raises msgspec.MsgspecError or ValueError for anything else."""
    stored = _FILE.decode(body)
    return FileFacts(
        stored.lines,
        stored.imports,
        stored.stars,
        stored.values,
        _Functions(stored.functions),
        stored.classes,
        stored.suppressions,
        stored.called,
    )
