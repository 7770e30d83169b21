"""Guards that hang on what is asked for, on a table, or on how they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import routes_of

REST = """
from rest_framework import permissions, viewsets
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.routers import DefaultRouter
"""
ROUTED = """
router = DefaultRouter()
router.register("films", Films)
urlpatterns = router.urls
"""
ACTIONS = ("list", "create", "retrieve", "update", "destroy")


def guards(tmp_path: Path, **files: str) -> dict[str, str]:
    """Of each handler, by its last name, the kinds of its guards; `__` in the name of a file is a slash."""
    found = routes_of(tmp_path, **files)
    return {
        route.handler.message.rpartition(".")[2]: " ".join(guard.kind + "~" * guard.partial for guard in route.guards)
        for route in found.routes
    }


def of_actions(found: dict[str, str]) -> str:
    return " ".join(found[action] for action in ACTIONS)


# ---- permission classes that decide by the action


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (
            """
    def has_permission(self, request, view):
        if view.action == "create":
            return request.user.may_publish(request.data["studio"])
        return True
""",
            "open permission open open open",
        ),
        (
            """
    def has_permission(self, request, view):
        if view.action in ("list", "retrieve"):
            return True
        return request.user.is_staff
""",
            "open role open role role",
        ),
        (
            """
    def has_permission(self, request, view):
        return request.method in permissions.SAFE_METHODS or request.user.is_staff
""",
            "open role open role role",
        ),
        (
            """
    def has_permission(self, request, view):
        if not super().has_permission(request, view):
            return False
        if view.action == "destroy" and not request.user.is_staff:
            return False
        return True
""",
            "open open open open role",
        ),
        (  # only a detail is asked whose it is
            """
    def has_object_permission(self, request, view, obj):
        if view.action == "retrieve":
            return True
        return obj.owner == request.user
""",
            "open open open ownership ownership",
        ),
        (
            """
    def has_permission(self, request, view):
        return getattr(view, "action", None) != "destroy" or request.user.is_superuser
""",
            "open open open open role",
        ),
    ],
)
def test_permission_classes_decide_by_action(tmp_path: Path, body: str, kinds: str) -> None:
    text = f"{REST}\nclass Decides(BasePermission):{body}"
    views = "\nclass Films(viewsets.ModelViewSet):\n    permission_classes = [Decides]\n"
    assert of_actions(guards(tmp_path, app=text + views + ROUTED)) == kinds


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (
            """
        if self.action == "list":
            permission_classes = [AllowAny]
        elif self.action in ["retrieve", "create"]:
            permission_classes = [IsAuthenticated]
        else:
            permission_classes = [IsAdminUser]
        return [permission() for permission in permission_classes]
""",
            "open login login role role",
        ),
        (
            """
        if self.request.method in ("POST", "DELETE"):
            self.permission_classes = [IsAdminUser]
        return super().get_permissions()
""",
            "login role login login role",
        ),
        (
            """
        try:
            return [permission() for permission in self.by_action[self.action]]
        except KeyError:
            return [permission() for permission in self.permission_classes]
""",
            "open login login login role",
        ),
        (
            """
        return [permission() for permission in self.by_action.get(self.action, self.permission_classes)]
""",
            "open login login login role",
        ),
        (
            """
        if self.action == "list":
            return [AllowAny()]
        if self.request.method in permissions.SAFE_METHODS:
            return [IsAuthenticated()]
        return [IsAdminUser()]
""",
            "open role login role role",
        ),
    ],
)
def test_get_permissions_chooses_by_action(tmp_path: Path, body: str, kinds: str) -> None:
    text = f"""{REST}
class Films(viewsets.ModelViewSet):
    permission_classes = [IsAuthenticated]
    by_action = {{"list": [AllowAny], "destroy": [IsAdminUser]}}

    def get_permissions(self):{body}"""
    assert of_actions(guards(tmp_path, app=text + ROUTED)) == kinds


def test_reading_asks_model_permissions_for_a_login_only(tmp_path: Path) -> None:
    text = f"""{REST}
class Films(viewsets.ModelViewSet):
    permission_classes = [permissions.DjangoModelPermissions]
"""
    assert (
        of_actions(guards(tmp_path, app=text + ROUTED))
        == "open~ login permission~ login open~ login permission~ login permission~ login"
    )


def test_rows_of_the_class_scope_what_the_library_answers(tmp_path: Path) -> None:
    text = f"""{REST}
class Films(viewsets.ModelViewSet):
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Film.objects.filter(Q(hidden=False) & Q(owner=self.request.user))
"""
    assert of_actions(guards(tmp_path, app=text + ROUTED)) == (
        "login ownership login login ownership login ownership login ownership"
    )


# ---- Flask: decorators, hooks, settings

FLASK = """
from functools import wraps
from flask import Flask, abort, g, request, redirect, session
from flask_login import current_user, login_required
from itsdangerous import URLSafeTimedSerializer, BadSignature
import settings
app = Flask(__name__)
"""


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (  # a decorator that is made of a test
            """
def decorator_of(test):
    def decorator(view):
        @wraps(view)
        def wrapped(*args, **kwargs):
            if not test(current_user):
                abort(403)
            return view(*args, **kwargs)
        return wrapped
    return decorator

@decorator_of
def editors_only(user):
    return user.edits_films

@app.post("/x")
@editors_only
def x():
    return save()
""",
            "permission",
        ),
        (  # told which roles to let in
            """
def check_token(required_role=None):
    token = request.headers.get("Authorization")
    if not token:
        abort(401)

def admins_only(view):
    @wraps(view)
    def wrapped(*args, **kwargs):
        check_token(required_role=["admin"])
        return view(*args, **kwargs)
    return wrapped

@app.post("/x")
@admins_only
def x():
    return save()
""",
            "role",
        ),
        (  # the same, for all who are logged in
            """
def check_token(required_role=None):
    token = request.headers.get("Authorization")
    if not token:
        abort(401)

def members_only(view):
    @wraps(view)
    def wrapped(*args, **kwargs):
        check_token(required_role=["user", "admin"])
        return view(*args, **kwargs)
    return wrapped

@app.post("/x")
@members_only
def x():
    return save()
""",
            "token",
        ),
        (  # a class that is given the function that decides
            """
class before:
    def __init__(self, check):
        self.check = check
    def __call__(self, view):
        @wraps(view)
        def wrapped(*args, **kwargs):
            self.check(request)
            return view(*args, **kwargs)
        return wrapped

def check_policy(request):
    if not g.policies.allows(request.form["deed"]):
        abort(403)

@app.post("/x")
@before(check_policy)
def x():
    return save()
""",
            "permission",
        ),
        (  # it only looks how the request was sent
            """
def require_ajax(view):
    @wraps(view)
    def wrapped(*args, **kwargs):
        if request.headers.get("X-Requested-With") != "XMLHttpRequest":
            abort(400)
        return view(*args, **kwargs)
    return wrapped

@app.post("/x")
@require_ajax
def x():
    return save()
""",
            "",
        ),
        (  # who is logged in and has not agreed is sent away, nobody else
            """
@app.before_request
def ask_for_consent():
    if current_user.is_authenticated and current_user.agreed is None:
        return redirect("/terms")

@app.post("/x")
def x():
    return save()
""",
            "",
        ),
        (  # what the application is set to says nothing of who asks
            """
@app.post("/x")
def x():
    if not settings.LOGIN_BY_DIRECTORY:
        return redirect("/login")
    return save()
""",
            "",
        ),
        (
            """
signed = URLSafeTimedSerializer("key")

def validate_token(token):
    return signed.loads(token, max_age=3600)

@app.post("/x")
def x(token):
    try:
        member = validate_token(token)
    except BadSignature:
        return "bad link", 400
    return save(member)
""",
            "token",
        ),
        (  # a decorator that is told to ask for nothing in particular
            """
def needs(scope=None):
    def decorator(view):
        @wraps(view)
        def wrapped(*args, **kwargs):
            if not current_user.is_authenticated:
                abort(401)
            if not current_user.has_scope(scope):
                abort(403)
            return view(*args, **kwargs)
        return wrapped
    return decorator

@app.post("/x")
@needs()
def x():
    return save()
""",
            "login",
        ),
        (  # a module of functions about users is not the user
            """
from shop.db import user as user_rows

@app.post("/x")
def x(name):
    found = user_rows.by_name(name)
    if found is None:
        abort(404)
    return save(found)
""",
            "",
        ),
        (
            """
@app.post("/x")
def x(number):
    album = Album.query.get(number)
    if album.owner != current_user:
        return {"says": "no such album"}, 400
    return save(album)
""",
            "ownership",
        ),
    ],
)
def test_guards_of_a_view(tmp_path: Path, text: str, kinds: str) -> None:
    assert guards(tmp_path, app=FLASK + text)["x"] == kinds


# ---- Django: a table of checks by the names of routes


def test_middleware_guards_the_routes_that_its_table_names(tmp_path: Path) -> None:
    middleware = """
from django.core.exceptions import PermissionDenied

CHECKS = {
    "close-year": ["ledger.close"],
    "open-year": ["ledger.open"],
}


class CheckByName:
    def process_view(self, request, view, args, kwargs):
        asked = CHECKS.get(request.resolver_match.url_name)
        if not asked:
            return
        for permission in asked:
            if not request.user.has_perm(permission):
                raise PermissionDenied
"""
    urls = """
from django.urls import path
from ledger import views
urlpatterns = [
    path("close", views.close, name="close-year"),
    path("print", views.print_year, name="print-year"),
]
"""
    found = guards(
        tmp_path,
        ledger__middleware=middleware,
        ledger__urls=urls,
        ledger__views="def close(request): ...\ndef print_year(request): ...\n",
        ledger__settings='ROOT_URLCONF = "ledger.urls"\nMIDDLEWARE = ["ledger.middleware.CheckByName"]\n',
    )
    assert found == {"close": "permission", "print_year": ""}


def test_a_hook_that_reads_a_signed_cookie_guards_nothing(tmp_path: Path) -> None:
    text = """
signed = URLSafeTimedSerializer("key")

@app.before_request
def remember_visitor():
    try:
        g.visitor = signed.loads(request.cookies.get("visitor", ""))
    except BadSignature:
        g.visitor = None

@app.post("/x")
def x():
    return save()
"""
    assert guards(tmp_path, app=FLASK + text) == {"x": ""}


# ---- hooks that are not for all routes


HOOKED = """
from flask import Flask, abort, g, redirect, request, session, url_for

app = Flask(__name__)
OPEN = ("start", "gate")

{hook}

@app.route("/")
def start(): return ""

@app.route("/gate")
def gate(): return ""

@app.route("/garden/<garden_id>/bed")
def bed(garden_id): return ""

@app.route("/shed/<shed_id>")
def shed(shed_id): return ""
"""


@pytest.mark.parametrize(
    ("hook", "guarded"),
    [
        (
            """
@app.url_value_preprocessor
def pull_garden(endpoint, values):
    if not values:
        values = {}
    garden = values.pop("garden_id", None)
    if garden:
        if not session.get("is_admin"):
            abort(403)
""",
            {"bed"},
        ),
        (
            """
@app.before_request
def look_up_garden():
    if "garden_id" in request.view_args and not session.get("is_admin"):
        abort(403)
""",
            {"bed"},
        ),
        (
            """
@app.before_request
def ask():
    if request.endpoint not in OPEN and not session.get("is_admin"):
        abort(403)
""",
            {"bed", "shed"},
        ),
        (
            """
@app.before_request
def ask():
    if request.endpoint in ("start", "gate"):
        return
    if not session.get("is_admin"):
        abort(403)
""",
            {"bed", "shed"},
        ),
        (
            """
@app.before_request
def ask():
    if request.path != "/gate" and not session.get("is_admin"):
        abort(403)
""",
            {"start", "bed", "shed"},
        ),
        (
            """
@app.before_request
def ask():
    if not session.get("is_admin"):
        abort(403)
""",
            {"start", "gate", "bed", "shed"},
        ),
        (
            """
@app.before_request
def ask():
    garden = request.args.get("garden_id")
    if garden and not session.get("is_admin"):
        abort(403)
""",
            {"start", "gate", "bed", "shed"},
        ),
    ],
)
def test_hooks_that_are_for_some_routes(tmp_path: Path, hook: str, guarded: set[str]) -> None:
    found = guards(tmp_path, app=HOOKED.replace("{hook}", hook))
    assert {name for name, kinds in found.items() if "role" in kinds} == guarded


# ---- what the application is set to


@pytest.mark.parametrize(
    ("condition", "answer", "kinds"),
    [
        ("not current_user.is_authenticated and settings.LOGIN_TO_READ", "redirect(url_for('login'))", "unknown"),
        ("not current_user.is_authenticated", "redirect(url_for('login'))", "login"),
        ("settings.CLOSED and not current_user.is_admin", "abort(403)", "unknown"),
        ("not current_user.is_admin and not settings.EVERYBODY_EDITS", "abort(403)", "role"),
        ("gate := settings.GATE(request)", "gate", ""),
    ],
)
def test_decorators_that_hang_on_a_setting(tmp_path: Path, condition: str, answer: str, kinds: str) -> None:
    app = f"""
from functools import wraps
from flask import Flask, abort, redirect, request, url_for
from flask_login import current_user
import settings

app = Flask(__name__)

def protect(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if {condition}:
            return {answer}
        return view(*args, **kwargs)
    return inner

@app.route("/shelf")
@protect
def shelf(): return ""
"""
    assert guards(tmp_path, app=app)["shelf"] == kinds


def test_a_client_that_is_not_set_up_guards_nothing(tmp_path: Path) -> None:
    app = """
from flask import Flask, redirect, request
from config import configured

app = Flask(__name__)

class AuthenticationFailed(Exception): ...

class Maps:
    def __init__(self, request):
        MAPS_ID, MAPS_SECRET = configured("MAPS_ID", "MAPS_SECRET")
        if not (MAPS_ID and MAPS_SECRET):
            raise AuthenticationFailed("maps are not set up")

class Signed:
    def __init__(self, request):
        secret = request.headers.get("X-Secret")
        if not secret:
            raise AuthenticationFailed("no secret")

@app.route("/maps")
def maps():
    Maps(request)
    return ""

@app.route("/signed")
def signed():
    Signed(request)
    return ""
"""
    found = guards(tmp_path, app=app, config="def configured(*names): return [None for name in names]\n")
    assert found == {"maps": "", "signed": "token"}


def test_decorators_with_arguments_that_another_makes_of_a_test(tmp_path: Path) -> None:
    app = """
from functools import wraps
from flask import Flask, abort
from flask_login import current_user

app = Flask(__name__)

def made_of(test):
    def with_arguments(*given):
        def decorator(view):
            @wraps(view)
            def wrapper(*args, **kwargs):
                if not test(*given, **kwargs):
                    abort(403)
                return view(*args, **kwargs)
            return wrapper
        return decorator
    return with_arguments

def noted(test):
    def with_arguments(*given):
        def decorator(view):
            return view
        return decorator
    return with_arguments

@made_of
def owner(model, key, **values):
    return model.query.get(values[key]).owner == current_user

@noted
def seen(model, key, **values):
    return model.query.get(values[key]).owner == current_user

@app.post("/pots/<pot>/break")
@owner("Pot", "pot")
def smash(pot): return ""

@app.post("/pots/<pot>/fill")
@seen("Pot", "pot")
def fill(pot): return ""
"""
    found = guards(tmp_path, app=app)
    assert found["smash"] in {"permission", "ownership"}
    assert found["fill"] == ""


def test_who_asks_by_the_module_that_tells(tmp_path: Path) -> None:
    app = """
import flask_login
from flask import Flask, abort

app = Flask(__name__)

@app.post("/plots/<plot>")
def plots(plot):
    if find(plot).owner_id != flask_login.current_user.id:
        abort(404)
    return ""
"""
    assert guards(tmp_path, app=app) == {"plots": "ownership"}


def test_the_last_of_its_kind_is_no_question_of_who_asks(tmp_path: Path) -> None:
    app = """
from flask import Flask, jsonify
from flask_login import current_user, login_required
from models import Person

app = Flask(__name__)

def strike(person):
    if not Person.query.filter(Person.role == "admin", Person.id != person).count():
        raise Exception("one admin has to stay")

def leave(person):
    if not Person.query.filter(Person.role == "admin", Person.id == current_user.id).count():
        raise Exception("you are no admin")

@app.post("/strike")
@login_required
def struck():
    strike(1)
    return ""

@app.post("/leave")
@login_required
def left():
    leave(1)
    return ""
"""
    assert guards(tmp_path, app=app) == {"struck": "login", "left": "login role"}


# ---- rows that a function gives to who asks


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("Shelf.all_with_acl(current_user).all()", "login ownership"),
        ("Shelf.readable_by(current_user).all()", "login ownership"),
        ("Shelf.query.filter_by(submitter_email=current_user.email).all()", "login ownership"),
        ("Shelf.query.filter_by(colour=current_user.colour).all()", "login"),
        ("Shelf.is_visible_to(current_user)", "login"),
        ("Shelf.all_with_cover(current_user).all()", "login"),
    ],
)
def test_rows_that_are_given_to_who_asks(tmp_path: Path, query: str, kinds: str) -> None:
    app = f"""
from flask import Flask, jsonify
from flask_login import current_user, login_required
from models import Shelf

app = Flask(__name__)

@app.route("/shelves")
@login_required
def shelves():
    return jsonify({query})
"""
    assert guards(tmp_path, app=app)["shelves"] == kinds


def test_a_helper_whose_result_is_the_response(tmp_path: Path) -> None:
    app = """
from flask import Flask, abort, jsonify
from flask_login import current_user, login_required

app = Flask(__name__)

def strike(book):
    if not current_user.is_admin:
        return jsonify("you are not allowed to strike books"), 403
    book.strike()
    return jsonify("struck")

@app.post("/strike")
@login_required
def answered():
    return strike(1)

@app.post("/strike-too")
@login_required
def ignored():
    strike(1)
    return jsonify("done")
"""
    assert guards(tmp_path, app=app) == {"answered": "login role", "ignored": "login"}


@pytest.mark.parametrize(("nobody", "kinds"), [("Anonymous()", ""), ("deny()", "login")])
def test_a_dependency_that_takes_anybody(tmp_path: Path, nobody: str, kinds: str) -> None:
    app = f"""
from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()

class Anonymous:
    name = ""

def deny():
    raise HTTPException(401)

def current_user(request: Request):
    token = request.headers.get("Authorization")
    if token:
        user = decode(token)
        if user is None:
            raise HTTPException(401)
        return user
    return {nobody}

@app.delete("/things/{{thing}}")
def remove(thing: int, user=Depends(current_user)):
    delete(thing)
"""
    assert guards(tmp_path, app=app) == {"remove": kinds}
