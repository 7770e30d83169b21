"""A front end from texts, and its places in one line each: `DELETE /api/users/{} 'Delete' [staff]`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from prodready import knowledge
from prodready.link.front import Front, UiPlace, link_front
from prodready.link.front_pages import Pages
from prodready.read.web.reader import read_web


def front(files: Mapping[str, str]) -> Front:
    texts = {path: textwrap.dedent(text) for path, text in files.items()}
    read = {path: read_web(path, text.encode()) for path, text in texts.items()}
    assert {path: facts.broken for path, facts in read.items() if facts.broken} == {}
    return link_front(Pages(texts, read.__getitem__), knowledge.load())


def shown(place: UiPlace) -> str:
    path = place.endpoint or ("/" if place.anchored else "~/") + "/".join(place.path)
    kinds = ",".join(gate.kind for gate in place.gates)
    return f"{place.method or '?'} {path} {place.label!r} [{kinds}]"


def places(files: Mapping[str, str]) -> list[str]:
    """The places of a front end, in order."""
    return sorted(shown(place) for place in front(files).places)


def kinds(condition: str, before: str = "", props: str = "{ user, post, isAdmin }") -> str:
    """What a condition in JSX is taken for: the kinds of its gates."""
    text = f"""
    export function Page({props}) {{
      {before}
      return <main>{{{condition} && <button onClick={{() => fetch("/api/x", {{ method: "POST" }})}}>Go</button>}}</main>;
    }}
    """
    (place,) = front({"page.tsx": text}).places
    return ",".join(gate.kind for gate in place.gates)
