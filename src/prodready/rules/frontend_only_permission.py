"""A page offers an action only to some people, and the route behind it lets everybody do it.

Why it matters
--------------
A button that is not shown is no protection: whoever opens the browser's developer tools, or knows how to write a request,
sends the same one without it. What the page asks (`user.isAdmin`) the server must ask again.

Bad
---
    # page.html:
    #   {% if current_user.is_admin %}
    #     <form method="post" action="{{ url_for('users.delete_user', user_id=user.id) }}">
    #       <button>Delete user</button>
    #     </form>
    #   {% endif %}
    from flask import Blueprint, redirect
    from flask_login import login_required

    from shop.users import users

    def user_routes():
        bp = Blueprint("users", __name__)

        @bp.post("/users/<int:user_id>/delete")
        @login_required
        def delete_user(user_id):
            users.delete(user_id)
            return redirect("/users")

        return bp

Good
----
    # page.html:
    #   {% if current_user.is_admin %}
    #     <form method="post" action="{{ url_for('users.delete_user', user_id=user.id) }}">
    #       <button>Delete user</button>
    #     </form>
    #   {% endif %}
    from flask import Blueprint, abort, redirect
    from flask_login import current_user, login_required

    from shop.users import users

    def user_routes():
        bp = Blueprint("users", __name__)

        @bp.post("/users/<int:user_id>/delete")
        @login_required
        def delete_user(user_id):
            if not current_user.is_admin:
                abort(403)
            users.delete(user_id)
            return redirect("/users")

        return bp

Not reported
------------
Routes that ask for a role, a permission or ownership themselves, in a decorator, a dependency, a class, a hook or the
handler, or that look rows up among those of who is logged in; routes with a guard that was not found; actions that another
page offers to everybody; conditions about the state of a page; handlers that change only the account of whoever asks. With
low confidence: requests that only read, addresses that fit several routes, handlers that do something unknown with who
is logged in or write down that somebody may not, pages that only compute, new rows of one's own, and what stands under a decorator
or a `dispatch` of the project that decides by something that was not understood.
To be a member of something (`filter(members=request.user)`, `role__in=[ADMIN, MEMBER]`) is as good as any of these, unless all
pages ask for an administrator or for staff.
What a server between the pages and the application asks (`pages/api`, `+server.ts`) is no gate of a page.
A form on a page is for those who get the page: where every route that renders it asks for a role or a permission, so must
the route that the form is sent to. A link that is shown to some counts for the form behind it, too.
`prodready routes` shows which pages call a route, and its guards.

References
----------
- CWE-602: Client-Side Enforcement of Server-Side Security
- CWE-862: Missing Authorization
- OWASP Top 10: Broken Access Control
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodready.finding import Finding, Severity, Step
from prodready.link.linked import Linked
from prodready.rules.base import Rule

if TYPE_CHECKING:
    from prodready.link.permissions import Offer

MOST_PLACES = 3
WHO = {"login": "anyone who is logged in", "membership": "any member", "token": "anyone who has a key or a token"}


def check(linked: Linked) -> Iterator[Finding]:
    """Report every handler that does for everybody what all its pages offer only to some."""
    # Not needed where there are no pages, and half of what all rules take to import.
    from prodready.link.permissions import Permissions
    from prodready.link.route import SELECTIVE

    if linked.scope is not None and not any(
        route.handler.location.path in linked.scope.targets and route.guarded < SELECTIVE
        for route in linked.routes.routes
    ):
        return  # Reading the front end takes longer than all else.
    for offer in Permissions(linked.routes, linked.joined, linked.is_message, linked.writes).offers():
        if offer.route.handler.location.path not in linked.outside:
            yield _finding(offer)


def _finding(offer: Offer) -> Finding:
    from prodready.link.joined import label_of, said, text_of

    route, (place, gate) = offer.route, offer.places[0]
    frame = route.handler.frame
    whole = frame.function.qualname if frame is not None else route.handler.name
    name = whole.rpartition(".")[2]
    what = f"'{label_of(place)}'" if place.label else f"what calls `{name}()`"
    who = WHO.get(offer.guard.kind if offer.guard else "", "anyone")
    asks = f"`{text_of(gate.text)}`"
    shown = f"the page shows {what} only if {asks}" if gate in place.gates else f"only with {asks} one gets the page with {what}"
    trace = (
        Step(gate.location, f"the page asks for {asks}"),
        Step(place.location, said(place)),
        *place.via,
        Step(route.handler.location, f"{offer.method} {route.shown} accepts {who}"),
    )
    return Finding(
        code=rule.code,
        slug=rule.slug,
        message=f"{shown}; {offer.method} {route.shown} accepts {who}",
        severity=Severity.ERROR,
        confidence=offer.confidence,
        location=route.handler.location,
        trace=trace,
        related=tuple(Step(one.location, said(one)) for one, _ in offer.places[:MOST_PLACES]),
        hint="ask the same on the server, before anything is done",
        context=whole,
        snippet=f"{name} {offer.method} {route.shown}",
        statement=(route.handler.location.line, route.handler.location.line),
    )


rule = Rule(
    code="PRD201",
    slug="frontend-only-permission",
    severity=Severity.ERROR,
    stage="mvp",
    needles=("post", "put", "patch", "delete", "route", "path(", "url(", "router", "handler", "controller"),
    check=check,
    front=True,
)
