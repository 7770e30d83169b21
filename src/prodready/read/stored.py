"""Facts as bytes, for the cache and between processes. Of a file taken from there only what is asked for is decoded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

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
    docs: dict[str, str]
    hidden: tuple[tuple[int, int], ...]
    decorators: dict[str, tuple[str, ...]]
    deciding: tuple[str, ...]


class _Bodies(msgspec.Struct, array_like=True):
    """The beginning of a `_File`, of which only the functions are looked at."""

    lines: msgspec.Raw
    imports: msgspec.Raw
    stars: msgspec.Raw
    values: msgspec.Raw
    functions: dict[str, msgspec.Raw]


GATES = (b"pass", b"pin", b"pw", b"mot")
"""What many stems have in common: without it in a text there is none of them."""

_FILE = msgspec.msgpack.Decoder(_File)
_BODIES = msgspec.msgpack.Decoder(_Bodies)
_FUNCTION = msgspec.msgpack.Decoder(FunctionFacts)


Stems = tuple[bytes, ...]
"""What is looked for in the bytes of functions, in lower case."""

Said = dict[str, list[str]]
"""What `speaking` has said of all functions of a file, by the digest of the stems."""


@lru_cache(maxsize=16)
def _finder(stems: Stems) -> Callable[[bytes], bool]:
    """Tells whether one of the stems stands in a text: those with a part in common are looked for by that."""
    alone: list[bytes] = []
    behind: dict[bytes, list[bytes]] = {}
    for stem in stems:
        gate = next((gate for gate in GATES if gate in stem), None)
        if gate is None:
            alone.append(stem)
        else:
            before, _, after = stem.partition(gate)
            around = (rb"(?<=%s)" % re.escape(before + gate) if before else b"") + re.escape(after)
            behind.setdefault(gate, []).append(around)
    patterns = [(gate, re.compile(re.escape(gate) + b"(?:%s)" % b"|".join(rest))) for gate, rest in behind.items()]

    def found(text: bytes) -> bool:
        for stem in alone:
            if stem in text:
                return True
        return any(gate in text and pattern.search(text) for gate, pattern in patterns)

    return found


MOST_SAID = 8
"""Questions of which the answers are kept for a file: it is always the same ones that are asked."""


@lru_cache(maxsize=16)
def _digest(stems: Stems) -> str:
    return hashlib.sha256(b"\0".join(stems)).hexdigest()[:16]


class _Functions(Mapping[str, FunctionFacts]):
    """The functions of a file, each decoded when it is first asked for."""

    def __init__(self, raw: dict[str, msgspec.Raw], said: Said, decoded: Mapping[str, FunctionFacts]) -> None:
        self._raw = raw
        self._said = said
        self._decoded = dict(decoded)

    def __getitem__(self, qualname: str) -> FunctionFacts:
        found = self._decoded.get(qualname)
        if found is None:
            found = self._decoded[qualname] = _FUNCTION.decode(self._raw[qualname])
        return found

    def get(self, qualname: str, default: Any = None) -> Any:
        """The function, or the default; most that are asked for are not there, and raising takes time."""
        found = self._decoded.get(qualname)
        if found is None and qualname in self._raw:
            found = self[qualname]
        return default if found is None else found

    def speaking(self, stems: Stems, among: Collection[str] | None) -> list[str]:
        """The functions, of these or of all, in whose bytes, in lower case, one of the stems is found."""
        if among is not None:
            return self._search(stems, among)
        key = _digest(stems)
        if key not in self._said:
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said[key] = self._search(stems, None)
        return [name for name in self._said[key] if name in self._raw]

    def _search(self, stems: Stems, among: Collection[str] | None) -> list[str]:
        asked = list(self._raw) if among is None else [name for name in self._raw if name in among]
        bodies = [bytes(self._raw[name]).lower() for name in asked]
        found = _finder(stems)
        if not found(b"\0".join(bodies)):
            return []
        return [name for name, body in zip(asked, bodies, strict=True) if found(body)]

    def __contains__(self, qualname: object) -> bool:
        return qualname in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def speaking(facts: FileFacts, stems: Stems, among: Collection[str] | None = None) -> list[str]:
    """The functions of a file whose names or texts may hold one of the stems; cheaper than decoding them."""
    functions = facts.functions
    if isinstance(functions, _Functions):
        return functions.speaking(stems, among)
    return [name for name in functions if among is None or name in among]


def named(name: str) -> bytes:
    """What a name of this very spelling is in the bytes of a function: with its length before it."""
    encoded = name.encode()
    return msgspec.msgpack.encode(name) if len(encoded) < 32 else encoded


def pack(facts: FileFacts, stems: Stems = ()) -> tuple[bytes, Said]:
    """The facts of a file as bytes, with the answer to `speaking` of all functions, if `stems` are given."""
    encode = msgspec.msgpack.Encoder().encode
    functions = {name: msgspec.Raw(encode(function)) for name, function in facts.functions.items()}
    said: Said = {}
    if stems:
        _Functions(functions, said, {}).speaking(stems, None)
    body = encode(
        _File(
            facts.lines,
            facts.imports,
            facts.stars,
            facts.values,
            functions,
            facts.classes,
            facts.suppressions,
            facts.called,
            facts.docs,
            facts.hidden,
            facts.decorators,
            facts.deciding,
        )
    )
    return body, said


def unpack(body: bytes, said: Said | None = None, facts: FileFacts | None = None) -> FileFacts:
    """What `pack` made into bytes; raises msgspec.MsgspecError or ValueError for anything else.

    `said` is what has been said of the same content before; it is taken for true, and added to. `facts` are what was made
    into these bytes, where they are at hand: then nothing is decoded.
    """
    said = {} if said is None else said
    if facts is not None:
        functions = _Functions(_BODIES.decode(body).functions, said, facts.functions)
        return msgspec.structs.replace(facts, functions=functions)
    stored = _FILE.decode(body)
    return FileFacts(
        stored.lines,
        stored.imports,
        stored.stars,
        stored.values,
        _Functions(stored.functions, said, {}),
        stored.classes,
        stored.suppressions,
        stored.called,
        stored.docs,
        stored.hidden,
        stored.decorators,
        stored.deciding,
    )
