"""Requests of scripts: clients, addresses, and the ways from a button to them, across modules."""

from __future__ import annotations

import pytest
from front_cases import front, places

ONE = "export const Page = () => <button onClick={() => CALL}>Go</button>;"


@pytest.mark.parametrize(
    ("head", "call", "expected"),
    [
        ("", "fetch('/api/users')", "GET /api/users"),
        ("", "fetch('/api/users?page=2')", "GET /api/users"),
        ("", "fetch(`/api/users/${id}`, { method: 'DELETE' })", "DELETE /api/users/{}"),
        ("", "window.fetch('/api/users', { method: 'post' })", "POST /api/users"),
        ("", "fetch('/api/users', options)", "? /api/users"),
        ("const options = { method: 'PUT' };", "fetch('/api/users', options)", "PUT /api/users"),
        ("", "fetch('/api/users/' + id + '/roles', { method: 'PATCH' })", "PATCH /api/users/{}/roles"),
        ("const API = '/api/v1';", "fetch(`${API}/users`)", "GET /api/v1/users"),
        ("", "fetch(`${import.meta.env.VITE_API}/users`)", "GET ~/users"),
        ("", "fetch('https://api.example.com/users')", "GET ~/users"),
        ("import axios from 'axios';", "axios.delete(`/users/${id}`)", "DELETE /users/{}"),
        ("import axios from 'axios';", "axios({ url: '/users', method: 'post' })", "POST /users"),
        ("import axios from 'axios';", "axios.request({ url: '/users', method: 'put' })", "PUT /users"),
        ("import http from 'axios';", "http.post('/users', body)", "POST /users"),
        ("import a from 'axios'; const c = a.create({ baseURL: '/api' });", "c.patch('users/me')", "PATCH /api/users/me"),
        ("import ky from 'ky'; const k = ky.extend({ prefixUrl: '/api' });", "k.delete('users/1')", "DELETE /api/users/1"),
        ("", "$.post('/users/delete', { id })", "POST /users/delete"),
        ("", "$.ajax({ url: '/users', type: 'DELETE' })", "DELETE /users"),
        ("import c from 'openapi-fetch'; const api = c({ baseUrl: '/' });", "api.DELETE('/v1/u/{id}')", "DELETE /v1/u/{id}"),
        ("", "api.delete(`/users/${id}`)", "DELETE /users/{}"),
        ("import url from 'flask-url:users.delete';", "fetch(url({ id }), { method: 'POST' })", "POST users.delete"),
    ],
)  # fmt: skip
def test_clients(head: str, call: str, expected: str) -> None:
    assert places({"page.tsx": f"{head}\n{ONE.replace('CALL', call)}"}) == [f"{expected} 'Go' []"]


@pytest.mark.parametrize(
    ("client", "between", "head", "call"),
    [
        ("export default axios.create()", "", 'import ask from "./http"', "ask('/api/x')"),
        ("export const send = axios", "", 'import { send as ask } from "./http"', "ask('/api/x')"),
        ("export const send = axios", 'export * from "./http"', 'import { send } from "./hub"', "send('/api/x')"),
        (
            "export const send = axios",
            'export { send as go } from "./http"',
            'import { go } from "./hub"',
            "go('/api/x')",
        ),
        ("export default axios", 'export { default } from "./http"', 'import ask from "./hub"', "ask('/api/x')"),
        ("export default axios", "", 'import ask from "./other/../http"', "ask('/api/x')"),
        (
            "export const useAsk = () => axios",
            "",
            'import { useAsk } from "./http"; const ask = useAsk()',
            "ask('/api/x')",
        ),
        ("export const tools = { send: axios }", "", 'import { tools } from "./http"', "tools.send('/api/x')"),
        ("export const send = axios", "", 'import * as http from "./http"', "http.send('/api/x')"),
    ],
)
def test_a_client_of_another_file(client: str, between: str, head: str, call: str) -> None:
    """Nothing in the page but its import says that it asks for something."""
    files = {"http.ts": f'import axios from "axios";\n{client};', "hub.ts": between}
    page = f"{head};\n{ONE.replace('CALL', call)}"
    assert places({**files, "page.tsx": page}) == ["GET /api/x 'Go' []"]


@pytest.mark.parametrize(
    "call",
    [
        "cache.get('users')", "items.delete(id)", "params.get('id')", "store.get(key)",
        "app.get('/users', (req, res) => res.send())", "router.push('/users')", "localStorage.getItem('/users')",
        "form.delete('name')", "history.replace('/users')", "queue.request(job)",
    ],
)  # fmt: skip
def test_what_is_no_request(call: str) -> None:
    found = front({"page.tsx": ONE.replace("CALL", call)})
    assert [place.path for place in found.places] == []


def test_a_handler_used_only_from_gated_elements() -> None:
    text = """
    export function Row({ user, row }) {
      const remove = useCallback(async () => { await fetch(`/api/rows/${row.id}`, { method: "DELETE" }); }, [row]);
      return <li>{user.isAdmin && <button onClick={remove}>Delete</button>}EXTRA</li>;
    }
    """
    gated = "DELETE /api/rows/{} 'Delete' [staff]"
    assert places({"row.jsx": text.replace("EXTRA", "")}) == [gated]
    other = "<button onClick={() => remove()}>Clear</button>"
    assert places({"row.jsx": text.replace("EXTRA", other)}) == ["DELETE /api/rows/{} 'Clear' []", gated]


HELPER = {
    "src/api.ts": """
    import { API } from "./config";
    export async function deleteUser(id: number) { return request(`/users/${id}`, { method: "DELETE" }); }
    async function request(path: string, options?: RequestInit) { return fetch(`${API}${path}`, options); }
    """,
    "src/config.ts": 'export const API = "/api";',
}
PAGE = """
import { deleteUser } from "./api";
export function Page({ user }) {
  return <div>{user.isAdmin && <button onClick={() => deleteUser(1)}>Delete</button>}</div>;
}
"""


def test_a_helper_in_another_module_with_a_base_from_a_third() -> None:
    assert places({**HELPER, "src/Page.tsx": PAGE}) == ["DELETE /api/users/{} 'Delete' [staff]"]


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        ("@/api", {}),
        ("~lib/api", {"tsconfig.json": '{ "compilerOptions": { "paths": { "~lib/*": ["./src/*"], } } } // notes'}),
        ("src/api", {"jsconfig.json": '{ "compilerOptions": { "baseUrl": "." } }'}),
        ("@acme/client", {"src/package.json": '{ "name": "@acme/client" }'}),
        ("./api.js", {}),
    ],
)
def test_modules_are_found(module: str, settings: dict[str, str]) -> None:
    files = {**HELPER, **settings, "src/Page.tsx": PAGE.replace("./api", module)}
    if "client" in module:
        files["src/index.ts"] = 'export * from "./api";'
    assert places(files) == ["DELETE /api/users/{} 'Delete' [staff]"]


def test_who_else_calls_a_helper_counts() -> None:
    other = 'import * as api from "./api";\nexport const Other = () => <a onClick={() => api.deleteUser(2)}>Remove</a>;'
    assert places({**HELPER, "src/Page.tsx": PAGE, "src/Other.tsx": other}) == [
        "DELETE /api/users/{} 'Delete' [staff]",
        "DELETE /api/users/{} 'Remove' []",
    ]


def test_an_object_and_a_class_of_helpers() -> None:
    obj = {
        "api.ts": """
        export const usersApi = { remove: (id) => axios.delete(`/users/${id}`), list: () => axios.get('/users') };
        """,
        "page.tsx": """
        import { usersApi } from "./api";
        export const Page = ({ user }) => user.isAdmin && <button onClick={() => usersApi.remove(1)}>Delete</button>;
        export const All = () => { useEffect(() => { usersApi.list(); }, []); return <ul />; };
        """,
    }
    assert places(obj) == ["DELETE /users/{} 'Delete' [staff]", "GET /users '' []"]
    cls = {
        "base.ts": """
        export class ApiService {
          constructor(base) { this.http = axios.create({ baseURL: base }); }
          delete(url) { return this.http.delete(url); }
        }
        """,
        "users.ts": """
        import { ApiService } from "./base";
        export class UserService extends ApiService {
          removeUser(id) { return this.delete(`/api/users/${id}/`); }
          addUser(data) { return this.delete(`/api/unused`); }
        }
        """,
        "page.tsx": """
        import { UserService } from "./users";
        const users = new UserService();
        export const Page = ({ user }) => user.isAdmin ? <button onClick={() => users.removeUser(1)}>Delete</button> : null;
        """,
    }
    found = front(cls)
    assert places(cls) == ["DELETE ~/api/users/{} 'Delete' [staff]"]
    assert [(u.location.line, u.reason) for u in found.unresolved] == [(5, "nothing was found that runs it")]


def test_a_mutation_hook() -> None:
    files = {
        "hooks.ts": """
        import { useMutation } from "@tanstack/react-query";
        export const useDeleteUser = () => useMutation({ mutationFn: (id) => axios.delete(`/users/${id}`) });
        export function useBlock() {
          const m = useMutation({ mutationFn: () => axios.post("/block") });
          return { block: m.mutate };
        }
        """,
        "page.tsx": """
        import { useDeleteUser, useBlock } from "./hooks";
        export function Page({ user }) {
          const { mutate: remove } = useDeleteUser();
          const { block } = useBlock();
          return <div>{user.isAdmin && <button onClick={() => remove(1)}>Delete</button>}<b onClick={block}>Block</b></div>;
        }
        """,
    }
    assert places(files) == ["DELETE /users/{} 'Delete' [staff]", "POST /block 'Block' []"]


COMPONENT = {
    "Danger.tsx": """
    export default function Danger() { return <button onClick={() => axios.delete("/api/all")}>Wipe</button>; }
    """,
}


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("user.isAdmin && <Danger />", "staff"),
        ("<Danger />", ""),
        ("<div>{user.isAdmin && <Danger />}<Danger /></div>", ""),
        ("<div>{user.isAdmin && <Danger />}{user.isAdmin ? <Danger /> : null}</div>", "staff"),
        ("<div>{user.isAdmin && <Danger />}{user.isOwner && <Danger />}</div>", "owner"),
        ("<AdminOnly user={user}><Danger /></AdminOnly>", "staff"),
        ("<Card><Danger /></Card>", ""),
        ("<RequirePermission name='wipe'><Danger /></RequirePermission>", "permission"),
        ("<ProtectedRoute><Danger /></ProtectedRoute>", "login"),
        ("<Route element={<AdminOnly user={user}><Danger /></AdminOnly>} />", "staff"),
        ("<Tabs items={[{ label: 'x', roles: ['admin'], content: <Danger /> }]} />", "role"),
        ("<Tabs items={[{ label: 'x', show: isOpen, content: <Danger /> }]} />", ""),
    ],
)
def test_a_component_rendered_behind_a_gate(use: str, expected: str) -> None:
    page = f"""
    import Danger from "./Danger";
    function AdminOnly({{ user, children }}) {{ if (!user.isAdmin) return null; return <>{{children}}</>; }}
    function Card({{ children }}) {{ return <section>{{children}}</section>; }}
    export const Page = ({{ user }}) => {use.join(("(", ")"))};
    """
    assert places({**COMPONENT, "page.tsx": page}) == [f"DELETE /api/all 'Wipe' [{expected}]"]


def test_a_function_that_a_component_is_given() -> None:
    files = {
        "Row.tsx": """
        export function Row({ onDelete, user }) {
          return <li>{user.isAdmin && <button onClick={onDelete}>Delete</button>}</li>;
        }
        """,
        "page.tsx": """
        import { Row } from "./Row";
        export function Page({ user }) {
          const remove = (id) => axios.delete(`/rows/${id}`);
          return <Row user={user} onDelete={() => remove(1)} />;
        }
        """,
    }
    assert places(files) == ["DELETE /rows/{} 'Delete' [staff]"]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("{ path: '/danger', component: Danger, meta: { requiresAdmin: true } }", "staff"),
        ("{ path: '/danger', component: () => import('./Danger'), meta: { roles: ['admin'] } }", "role"),
        ("{ path: '/danger', component: Danger, canActivate: [adminGuard] }", "staff"),
        ("{ path: '/danger', component: Danger, meta: { requiresAuth: true } }", "login"),
        ("{ path: '/danger', component: Danger, meta: { title: 'Danger', keepAlive: true } }", ""),
        ("{ path: '/danger', component: Danger }", ""),
    ],
)
def test_routes_of_a_router(route: str, expected: str) -> None:
    router = f'import Danger from "./Danger";\nexport const routes = [{route}];\ncreateRouter({{ routes }});'
    assert places({**COMPONENT, "router.ts": router}) == [f"DELETE /api/all 'Wipe' [{expected}]"]


def test_functions_that_call_each_other_end() -> None:
    text = """
    function a() { b(); fetch("/api/x"); }
    function b() { a(); }
    export const Page = ({ user }) => user.isAdmin && <button onClick={b}>Go</button>;
    """
    assert places({"page.jsx": text}) == ["GET /api/x 'Go' [staff]"]
    text = """
    const a = () => { fetch("/api/a"); b(); };
    const b = () => { fetch("/api/b"); a(); };
    export const Page = () => <button onClick={a}>Go</button>;
    """
    assert places({"page.jsx": text}) == ["GET /api/a 'Go' []", "GET /api/b 'Go' []"]


def test_an_address_that_is_put_together_in_steps() -> None:
    text = """
    function load(id) {
      let url = "/api/items/";
      ADD
      return fetch(url);
    }
    export const Page = () => <button onClick={() => load(1)}>Go</button>;
    """
    assert places({"page.jsx": text.replace("ADD", 'url += "?page=" + id;')}) == ["GET /api/items 'Go' []"]
    found = front({"page.jsx": text.replace("ADD", "if (id) url += id;")})
    assert found.places == ()
    assert [unresolved.reason for unresolved in found.unresolved] == ["what `url` holds is not known"]


def test_addresses_that_are_not_known_are_told() -> None:
    text = "export const Page = ({ url }) => <button onClick={() => fetch(compute(1))}>Go</button>;"
    assert [unresolved.reason for unresolved in front({"page.jsx": text}).unresolved] == ["the address is computed"]


@pytest.mark.parametrize(
    ("opener", "expected"),
    [
        ("user.isAdmin && <a onClick={() => setOpen(true)}>Wipe it</a>", "staff"),
        ("user.isAdmin && <Menu items={[{ label: 'x', action: () => setOpen(true) }]} />", "staff"),
        ("<a onClick={() => setOpen(true)}>Wipe it</a>", ""),
        ("<p>{user.isAdmin && <a onClick={() => setOpen(true)}>A</a>}<a onClick={() => setOpen(!open)}>B</a></p>", ""),
    ],
)
@pytest.mark.parametrize("modal", ["<Danger isOpen={open} onClose={() => setOpen(false)} />", "open && <Danger />"])
def test_what_only_a_gated_element_opens(opener: str, expected: str, modal: str) -> None:
    page = f"""
    import Danger from "./Danger";
    export function Page({{ user }}) {{
      const [open, setOpen] = useState(false);
      return <div>{{{opener.join(("(", ")"))}}}{{{modal.join(("(", ")"))}}}</div>;
    }}
    """
    assert places({**COMPONENT, "page.tsx": page}) == [f"DELETE /api/all 'Wipe' [{expected}]"]


def test_a_store_that_a_hook_gives() -> None:
    files = {
        "service.ts": """
        export class ProjectService { async deleteProject(id) { return axios.delete(`/api/projects/${id}`); } }
        """,
        "store.ts": """
        import { ProjectService } from "./service";
        export class ProjectStore {
          constructor() { this.service = new ProjectService(); }
          deleteProject = async (id) => { await this.service.deleteProject(id); };
        }
        """,
        "page.tsx": """
        import { useProject } from "./hooks";
        export function Page({ user }) {
          const { deleteProject } = useProject();
          const submit = async () => { await deleteProject(1); };
          return <form onSubmit={submit}>{user.isAdmin && <button onClick={() => deleteProject(1)}>Delete</button>}</form>;
        }
        """,
    }
    assert places(files) == ["DELETE /api/projects/{} 'Delete' []", "DELETE /api/projects/{} 'Delete' [staff]"]


@pytest.mark.parametrize("other", ["return tick;", "return tock;"])
def test_functions_that_give_back_themselves(other: str) -> None:
    text = f"""
    function tick() {{ fetch("/api/ticks", {{ method: "POST" }}); {other} }}
    function tock() {{ return tick; }}
    export const Clock = () => <button onClick={{tick}}>Go</button>;
    """
    assert places({"clock.tsx": text}) == ["POST /api/ticks 'Go' []"]
