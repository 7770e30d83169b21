"""The form of a knowledge file, and the words that may stand in it. `docs/knowledge.md` describes it for users."""

from __future__ import annotations

import msgspec

SINKS = frozenset({"sql", "sql-fragment", "log", "log-context", "none"})
LABELS = frozenset(
    {
        "request",  # whoever sends the request chose it
        "headers", "cookies", "environ", "body", "settings",  # whole objects that carry secrets
        "cgi",  # of a type: of its entries only those that begin with HTTP_ are what the client sent
        "number", "count", "boolean", "constant",  # cannot hold text of somebody's choice
        "quoted",  # made safe to stand in SQL
        "placeholders",  # a list of parameter markers
        "hashed", "redacted",  # what is left of a secret is harmless
        "password-hash",  # made by a hasher for passwords
        "digest", "encrypted",  # made from what went in by a fast digest, or by what can be undone
        "secret",
        "database-error",  # an exception that says that the database refused something
        "not-found",  # an exception that says that what was looked for is not there
        "cascade",  # what a reference is given that goes with the row that it refers to
        "session",  # of a type: what is kept from request to request of whoever sends them
        "row",  # of a type: an instance is a row of a table
        "commits-alone",  # of a type: a connection that commits each statement that nobody commits
        "redirects",  # of a type: a handler that sends people elsewhere and does nothing else
        "command",  # of a type: what it does is reached from no request
        "fills-row",  # of a type: fills a row of the class that it names with what was sent
        "made-up",  # of an object: a library that makes data up
    }
)  # fmt: skip
DEEDS = frozenset(
    {
        "write",  # changes the database, at once unless a transaction is open
        "write-sql",  # the same if the statement at `at` is one that writes
        "ensure",  # writes what is not there yet: to do it again does no harm
        "stage",  # changes what the next commit will write
        "commit",  # writes what was staged
        "begin", "end", "rollback",  # open a transaction by hand, and close it
        "transaction",  # opens one for a `with` block or a decorated function
        "savepoint",  # the same, and can only be inside another
        "send",  # tells somebody outside: cannot be taken back
        "manages",  # has the framework change rows of the class at `at`, inside of transactions
        "request-transaction",  # of a setting: every request is a transaction where the key at `at` is true
    }
)  # fmt: skip
STORES = frozenset(
    {
        "row",  # fields of a row, by keyword or in a mapping
        "document",  # a mapping that is stored as it is
        "lookup",  # what a row is compared with
        "comparison",  # what is compared with something else
        "mapped",  # a class: its instances are rows
        "file", "cookie", "session", "cache",
    }
)  # fmt: skip
STYLES = frozenset({"qmark", "format", "pyformat", "named", "dollar", "sqlalchemy"})
GUARDS = frozenset(
    {
        "login",  # lets in whoever is logged in
        "role",  # lets in who has a role, or a flag such as staff
        "permission",  # lets in who has been given a permission
        "ownership",  # lets in whom the thing belongs to
        "token",  # lets in who knows a key or has signed the request
        "open",  # lets everybody in, and says so
    }
)
SETTLES = frozenset(
    {
        "guards",  # what guards every route that has no guards of its own
        "middleware",  # the classes or functions that every request passes
        "urls",  # the module with the routes of the whole application
        "settings",  # of a variable of the environment: the module with all settings
    }
)
DECORATIONS = frozenset({"handler", "guard", "task", "queue", "receiver", "middleware"})
WORDS = frozenset(
    {
        "secret", "not-secret", "of-coins", "of-access", "redactor", "login", "carrier", "password", "hashed", "hasher",
        "kept-password",
        "role", "negation", "permission", "owner", "owner-column", "user", "user-key", "optional", "logged-in",
        "authenticated", "anonymous", "key", "refusal", "no-guard", "guard", "open-route", "read-route", "says-open",
        "proxy", "request-form", "changing-call", "telling-call", "making-call", "check",
        "address-part", "own-rows", "acting", "acting-on", "open-perhaps",
        "members", "of-rows", "adding-to-rows", "carried-key", "for-programs", "row-query", "safe-methods",
        "rendering", "unguessable", "sending-mail", "changing-right", "no-guard-given",
        "signature", "sign-in", "of-taste",
        # In the conditions of a front end: what decides who sees something, and what only looks like it.
        "gate-staff", "gate-permission", "gate-role", "gate-owner", "gate-login", "not-gate", "viewer", "not-viewer",
        "low-role", "waiting", "awaited",
    }
)  # fmt: skip
FRONT = frozenset(
    {
        "endpoint",  # calls whose first argument names a route of the server
        "server-files",  # files, as patterns, that a server between the page and the application runs
        "endpoint-modules",  # modules, as patterns, whose default export gives the address of the route after the colon
        "get-attributes", "post-attributes", "put-attributes", "patch-attributes", "delete-attributes",
        "form-attributes",  # where the method stands in another attribute
        "show-attributes", "hide-attributes",  # decide whether a person can use an element
        "show-keys", "hide-keys",  # the same of an entry of a menu, a table or a router
        "wrappers",  # functions that give back the function that they are given
        "mutations",  # functions whose result runs what they are given
        "states",  # functions that give a value and what sets it: of the first, and with it what is open, the second decides
        "contexts",  # functions that give what a context, their first argument, was made with
        "open-attributes",  # attributes by which a component is open or not
        "selectors",  # functions that give the elements that a selector means
        "events",  # methods of elements that are given what runs when something happens to them
        "lifecycle",  # methods that a framework calls when it shows a component
    }
)  # fmt: skip


Places = tuple[int | str, ...]
"""Arguments of a call, by position or keyword, the first that is given counts; `"2*"` is all positional ones from 2 on."""


class RouteForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a call declares a route, takes in routes that are declared elsewhere, or makes something that holds routes.

    All are places of arguments, but for these: `verbs` are the methods of the route unless `methods` names others, `regex`
    says that the path is a regular expression, `actions` are the routes that a handler's methods get, as `verb path` with
    `{pk}` for the row, `root` says that what is made is a whole application. `handler` is left out where the call
    decorates it. `child` is what is taken in, `before` what runs before every handler, `guards` what guards them,
    `detail` tells of an action whether it is one of a row, `suffix` what the names of the handler's methods end in, `into`
    is what takes in that which is made; `adds` are routes that come with it, by their paths: the view and the name;
    `replaces` says that a given prefix stands in place of that of the child. `spec` is the OpenAPI file that declares the
    routes, or for an application the directory of such files, `resolver` what tells the module of its handlers. `above` is
    the router in whose paths those of this one stand, with `row` naming the parameter behind the prefix, and `under` a
    prefix that is always the same.
    """

    path: Places = ()
    handler: Places = ()
    methods: Places = ()
    verbs: tuple[str, ...] = ()
    name: Places = ()
    child: Places = ()
    prefix: Places = ()
    before: Places = ()
    guards: Places = ()
    detail: Places = ()
    suffix: Places = ()
    into: Places = ()
    spec: Places = ()
    resolver: Places = ()
    above: Places = ()
    row: Places = ()
    under: str = ""
    regex: bool = False
    root: bool = False
    replaces: bool = False
    actions: dict[str, str] = {}
    adds: dict[str, tuple[str, str]] = {}


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a call does, or what reading an attribute gives.

    `sink` is the kind of sink the arguments `at` flow into (positions, keyword names, "*" for all positional ones, "**"
    for all keyword ones); `returns` is the type of the result, `first` that of the first of several results, `label` what
    is true of it; `passes` lists the arguments whose text the result carries ("self" is the receiver); `decorates` says
    what it makes of a function below it.

    `does` is what it does to the database or the world. `keeps` says where the arguments `kept` are stored. `calls` are the
    methods of the receiver's class that it runs, and that do its deed where the class has its own; if the object was given
    a row to work on (`row_at` of its type), `calls_if_row` are run in their place. `unless` are keywords
    that call the deed off when false, `ensures` those that make a write one that can be done again; `savepoint` says that it
    is done in a savepoint of its own. `least` gives the
    smallest numbers that arguments may be, in one or more settings of equal worth, `weak` the texts (as patterns) that an
    argument may not be, both by position or keyword. `route` is what it does to the routes of the application, `guards` the
    kind of guard that it is as a decorator, a dependency or a check; `asks` are the arguments that say what it asks for,
    `waived` the keywords that call the guard off when true. `imports` is the argument with the name of what is imported and
    given back. `settles` is what a setting is for. `unchecked` are the
    keywords, or the keys of a mapping behind a dot, that when false make the result what whoever sent it says, and nothing
    that was verified.
    """

    sink: str = ""
    at: tuple[int | str, ...] = ()
    returns: str = ""
    first: str = ""
    label: tuple[str, ...] | str = ()
    passes: tuple[int | str, ...] = ()
    decorates: str = ""
    does: str = ""
    keeps: str = ""
    kept: tuple[int | str, ...] = ()
    calls: tuple[str, ...] = ()
    calls_if_row: tuple[str, ...] = ()
    least: tuple[dict[str, int | str], ...] = ()
    weak: dict[str, tuple[str, ...]] = {}
    unless: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()
    savepoint: bool = False
    route: RouteForm | None = None
    guards: str = ""
    asks: tuple[int | str, ...] = ()
    waived: tuple[str, ...] = ()
    imports: Places = ()
    settles: str = ""
    unchecked: tuple[str, ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        """The labels as a set."""
        return frozenset((self.label,) if isinstance(self.label, str) else self.label)


class TypeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A class of a library.

    `names` are words by which a variable of unknown origin is taken for one (medium confidence). `handlers` are the
    methods, as patterns, that a framework calls with what a request brought: their parameters are request data. `style`
    is the DB-API paramstyle; `item`, `call`, `enter` and `each` say what `x[k]`, `x(...)`, `with x as y` and
    `for y in x` give; `label` holds for the object itself. `within` are the methods that a framework calls inside of a
    transaction. `subclassed`: projects derive classes from it, and what the knowledge says is one is one of those.
    `keeps` says where what is assigned to its items is stored, `row_if` which keyword among the bases makes a class a row,
    `row_at` which arguments are the row that an instance is made to work on.
    `route` is what its constructor does to the routes of the application; `guards` is the kind of guard that it is as a
    base class or in a list of guards, `spares_reading` says that it lets everybody read,
    `reading` the kind of guard that it is for those who only read; `guarded_by` are the attributes
    that list guards, `identified_by` those that list what finds out who asks, `before` the methods that run before a
    handler and may refuse,
    `before_row` those of them that are asked only where one row is looked up, `rows` the methods and attributes that say
    which rows the class is about, `row_by` those that say by which parameter of the path one is found, the last one that
    parameter if none does, `templates` the attributes with the name of a template that it renders, `located_by` the
    attribute with the path of its routes.
    """

    bases: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    style: str = ""
    label: tuple[str, ...] | str = ()
    within: tuple[str, ...] = ()
    subclassed: bool = False
    keeps: str = ""
    row_if: str = ""
    row_at: tuple[int | str, ...] = ()
    route: RouteForm | None = None
    guards: str = ""
    spares_reading: bool = False
    reading: str = ""
    guarded_by: tuple[str, ...] = ()
    identified_by: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    before_row: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    row_by: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    located_by: str = ""
    attributes: dict[str, Effect | str] = {}
    methods: dict[str, Effect | str] = {}
    item: Effect | str = ""
    call: Effect | str = ""
    enter: Effect | str = ""
    each: Effect | str = ""

    @property
    def labels(self) -> frozenset[str]:
        """The labels as a set."""
        return frozenset((self.label,) if isinstance(self.label, str) else self.label) - {""}


class WebClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What sends requests from a browser.

    `modules` are the packages that it is imported from, as `default` or as one of `exports`, `globals` its names without
    an import, `names` words by which a variable of unknown origin is taken for one. `methods` gives the HTTP method of
    each of its methods, or `*` where the options name it; `call` says that it can be called itself. `create` are its
    functions (or, with `new`, its classes) that give one of its kind, with the options `base` for what all addresses
    begin with. `url` and `method` are the options that hold these.
    """

    modules: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    methods: dict[str, str] = {}
    call: bool = False
    create: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    url: tuple[str, ...] = ()
    method: tuple[str, ...] = ()


class KnowledgeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as written."""

    library: str
    functions: dict[str, Effect | str] = {}
    objects: dict[str, Effect | str] = {}
    types: dict[str, TypeEntry] = {}
    parameters: dict[str, str] = {}
    settings: dict[str, Effect] = {}
    answers: dict[str, tuple[str, ...]] = {}
    provides: dict[str, dict[str, tuple[str, str]]] = {}
    words: dict[str, tuple[str, ...]] = {}
    clients: dict[str, WebClient] = {}
    front: dict[str, tuple[str, ...]] = {}


def effect(value: Effect | str) -> Effect:
    """An entry as an effect: a string is short for the type of the result."""
    return Effect(returns=value) if isinstance(value, str) else value


NOTHING = Effect()
