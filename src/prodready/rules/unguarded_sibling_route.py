"""A route that changes something lacks the guard that the routes beside it have.

Why it matters
--------------
Guards are put on routes one by one, and one is forgotten. Nothing breaks: the page works, the tests pass, and whoever finds
the address can do what was meant for those who are logged in, or for the office alone.

Bad
---
    from flask import Blueprint, request
    from flask_login import login_required

    from shop.coupons import coupons

    def coupon_routes():
        bp = Blueprint("coupons", __name__, url_prefix="/coupons")

        @bp.post("/")
        @login_required
        def create_coupon():
            coupons.create(request.form["code"])
            return "", 201

        @bp.post("/<int:coupon_id>/rename")
        @login_required
        def rename_coupon(coupon_id):
            coupons.rename(coupon_id, request.form["code"])
            return "", 204

        @bp.delete("/<int:coupon_id>")
        def delete_coupon(coupon_id):
            coupons.delete(coupon_id)
            return "", 204

        return bp

Good
----
    from flask import Blueprint, request
    from flask_login import login_required

    from shop.coupons import coupons

    def coupon_routes():
        bp = Blueprint("coupons", __name__, url_prefix="/coupons")

        @bp.post("/")
        @login_required
        def create_coupon():
            coupons.create(request.form["code"])
            return "", 201

        @bp.post("/<int:coupon_id>/rename")
        @login_required
        def rename_coupon(coupon_id):
            coupons.rename(coupon_id, request.form["code"])
            return "", 204

        @bp.delete("/<int:coupon_id>")
        @login_required
        def delete_coupon(coupon_id):
            coupons.delete(coupon_id)
            return "", 204

        return bp

Not reported
------------
Routes that are open by their nature (login, registration, password reset, web hooks, health checks, callbacks); requests
that only read, such as a search by POST; routes that say they are open; routers where guards are not the rule; other routes with
a guard of any kind, also inside the handler, in a hook or in a middleware; guards that could not be found; routes that look a
row up by a token; stubs, and pages that are made of nothing that was sent; what an authentication class refuses that raises for
all who do not say who they are.
A guard is taken for forgotten where three handlers beside the route have the same one, or four have one, and most of those that change
something (or of all) have; of one resource (`/boats/{id}/sink` beside `/boats/{id}/paint`) two will do, and so will two where no
other one that changes something is without. Everything else has low confidence, and so have: handlers of which nothing is seen to change what stays; those asked by GET as well that neither are called
after a change nor read what was sent; something new, where only what is there already has a guard; names that speak of strangers
(an invitation, a donation, a vote); secrets and sealed texts that are sent along; handlers that are exempt from the check against
forged requests, which programs call; those under a decorator, a `dispatch` or a class that was not understood or is not at hand;
pages that only compute; forms about which somebody gets a letter; rows found by a uuid; applications whose settings are not at hand.
A login is a weaker guard than a role, and so is a membership (`filter(club__members__user=request.user)`): where all other routes of
a class or a router that change something have one decorator by which they ask for a role or a permission (three handlers or more,
those that read among them), the only one that does not is reported, too, unless it does something with who asks. Of a class that has
decorated all that it has itself so are methods that it inherits, such as REST framework's `update`: a request with PUT finds them.
`prodready routes` lists what was found.

References
----------
- CWE-862: Missing Authorization
- OWASP Top 10: Broken Access Control
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Finding, Severity, Step
from prodready.link.linked import Linked
from prodready.link.route import MEMBERSHIP
from prodready.link.route_siblings import Forgotten, Siblings
from prodready.rules.base import Rule

ASKS = {
    "login": "a login",
    "role": "a role",
    "permission": "a permission",
    "ownership": "ownership",
    "membership": "a membership",
    "token": "a key",
}


def check(linked: Linked) -> Iterator[Finding]:
    """Report every handler that was forgotten when its siblings were guarded."""
    asked = linked.scope.targets if linked.scope is not None else None
    for one in Siblings(linked.routes, linked.is_message, linked.writes, asked).forgotten():
        if one.route.handler.location.path not in linked.outside:
            yield _finding(one)


def _finding(one: Forgotten) -> Finding:
    route, (_, guard) = one.route, one.siblings[0]
    frame = route.handler.frame
    what = f"{'/'.join(route.methods) if route.methods != ('*',) else 'anything at'} {route.shown}"
    called = frame.function.qualname if frame is not None else route.handler.name
    name = called.rpartition(".")[2] if frame is not None else called
    anyone = ("anyone", "anyone who is logged in", "any member")[min(route.guarded, MEMBERSHIP)]
    return Finding(
        code=rule.code,
        slug=rule.slug,
        message=f"`{name}()` lets {anyone} do {what}; {one.of} routes beside it ask for {ASKS[guard.kind]} (`{guard.text}`)",
        severity=Severity.ERROR,
        confidence=one.confidence,
        location=route.handler.location,
        related=(
            *(
                Step(
                    sibling.handler.location,
                    f"{'/'.join(sibling.methods)} {sibling.shown} asks for {ASKS[g.kind]}: `{g.text}`",
                )
                for sibling, g in one.siblings
            ),
            *(
                Step(other.handler.location, f"{'/'.join(other.methods)} {other.shown} lets them do it, too")
                for other in one.alike
            ),
        ),
        hint="guard it like the others, or say in its name or its docstring that it is open"
        if frame is not None
        else "give the class a method of its own that is guarded like the others, or leave this one out of the routes",
        context=called,
        snippet=f"{name} {route.shown}",
        statement=(route.handler.location.line, route.handler.location.line),
    )


rule = Rule(
    code="PRD202",
    slug="unguarded-sibling-route",
    severity=Severity.ERROR,
    stage="mvp",
    needles=("post", "put", "patch", "delete", "route", "path(", "url(", "router", "handler", "controller", "add_api"),
    same=("PRD201",),
    check=check,
)
