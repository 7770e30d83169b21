"""Requests and gates of Vue, Svelte and Angular components, and of Jinja and Django templates."""

from __future__ import annotations

import pytest
from front_cases import places

VUE = """
<template>
  <div>
    <ul><li v-for="user in users" :key="user.id">{{ user.name }}
      <button OPEN @click="remove(user)">Delete</button>
    </li></ul>
  </div>
</template>
<script>
import api from "./api";
export default {
  data() { return { users: [], isLoading: false } },
  computed: { mayDelete() { return this.currentUser.role === "admin"; } },
  methods: {
    async remove(user) { await this.confirm(); await api.deleteUser(user.id); },
    confirm() { return true; },
  },
};
</script>
"""
API = "export default { deleteUser(id) { return axios.delete(`/api/users/${id}`); } };"


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ('v-if="currentUser.isAdmin"', "staff"),
        ('v-show="currentUser.isAdmin"', "staff"),
        (':disabled="!currentUser.isAdmin"', "staff"),
        ('v-if="mayDelete"', "role"),
        ('v-if="user.isAdmin"', ""),
        ('v-if="!isLoading"', ""),
        ('v-if="!currentUser.isAdmin"', ""),
        ("", ""),
    ],
)
def test_options_of_vue(attribute: str, expected: str) -> None:
    assert places({"Users.vue": VUE.replace("OPEN", attribute), "api.js": API}) == [
        f"DELETE /api/users/{{}} 'Delete' [{expected}]"
    ]


def test_who_shows_a_component_of_vue_does_not_run_its_methods() -> None:
    files = {
        "Users.vue": VUE.replace("OPEN", 'v-if="currentUser.isAdmin"'),
        "api.js": API,
        "router.js": 'import Users from "./Users.vue"; export default new Router({ routes: [{ component: Users }] });',
        "Page.vue": '<template><Users/></template><script>import Users from "./Users.vue"; export default {};</script>',
    }
    assert places(files) == ["DELETE /api/users/{} 'Delete' [staff]"]


def test_setup_of_vue_with_else_and_a_component_in_a_file_of_its_own() -> None:
    files = {
        "Row.vue": """
        <script setup lang="ts">
        const props = defineProps<{ id: number }>();
        async function remove() { await fetch(`/api/rows/${props.id}`, { method: "DELETE" }); }
        </script>
        <template><v-btn @click="remove">Delete</v-btn></template>
        """,
        "Page.vue": """
        <script setup>
        import Row from "./Row.vue";
        const { user } = useAuth();
        </script>
        <template>
          <div><p v-if="!user.isStaff">Nothing</p><section v-else><Row :id="1" /></section></div>
        </template>
        """,
    }
    assert places(files) == ["DELETE /api/rows/{} 'Delete' [staff]"]


def test_svelte() -> None:
    text = """
    <script lang="ts">
      import { user } from "./stores";
      async function wipe() { await fetch("/api/all", { method: "DELETE" }); }
    </script>
    {#if $user.isAdmin}
      <button on:click={wipe}>Wipe</button>
    {:else if $user.isOwner}
      <button onclick={() => fetch("/api/mine", { method: "POST" })}>Mine</button>
    {:else}
      <a href="/login">Log in</a>
    {/if}
    {#each items as item}<button on:click={() => fetch(`/api/items/${item.id}`)}>Show</button>{/each}
    {#if items.length}<b>{items.length}</b>{/if}
    """
    assert places({"Page.svelte": text}) == [
        "DELETE /api/all 'Wipe' [staff]",
        "GET /api/items/{} 'Show' []",
        "GET /login 'Log in' []",
        "POST /api/mine 'Mine' [owner]",
    ]


def test_angular() -> None:
    files = {
        "users.component.ts": """
        import { Component } from "@angular/core";
        import { UserService } from "./user.service";
        @Component({ selector: "app-users", templateUrl: "./users.component.html" })
        export class UsersComponent {
          constructor(private service: UserService, public auth: AuthService) {}
          remove(id: number) { this.service.removeUser(id).subscribe(); }
          block(id: number) { this.service.blockUser(id).subscribe(); }
          list() { this.service.listUsers().subscribe(); }
        }
        """,
        "user.service.ts": """
        import { HttpClient } from "@angular/common/http";
        export class UserService {
          constructor(private http: HttpClient) {}
          removeUser(id: number) { return this.http.delete(`/api/users/${id}`); }
          blockUser(id: number) { return this.http.post("/api/block", { id }); }
          listUsers() { return this.http.get<User[]>("/api/users"); }
        }
        """,
        "users.component.html": """
        <button *ngIf="auth.isAdmin; else none" (click)="remove(1)">Delete</button>
        @if (auth.hasRole('mod')) { <button (click)="block(2)">Block</button> } @else { <p>{{ none }}</p> }
        @if (items.length) { <button (click)="list()">List</button> }
        """,
    }
    assert places(files) == [
        "DELETE /api/users/{} 'Delete' [staff]",
        "GET /api/users 'List' []",
        "POST /api/block 'Block' [role]",
    ]


FORM = """<form method="post" action="{{ url_for('users.delete', id=user.id) }}"><input name="x">
<button>Delete</button></form>"""


@pytest.mark.parametrize(
    ("open_", "close", "expected"),
    [
        ("{% if current_user.is_admin %}", "{% endif %}", "staff"),
        ("{%- if current_user.is_authenticated and current_user.has_role('admin') -%}", "{%- endif -%}", "role"),
        ("{% if g.user.id == post.author_id %}", "{% endif %}", "owner"),
        ("{% if not current_user.is_anonymous %}", "{% endif %}", "login"),
        ("{% if 'admin' in current_user.roles %}", "{% endif %}", "role"),
        ("{% if current_user.role != 'admin' %}<p>no</p>{% else %}", "{% endif %}", "role"),
        ("{% if users %}a{% elif session['is_admin'] %}", "{% endif %}", "staff"),
        ("{% if event.can_manage(session.user) %}", "{% endif %}", "permission"),
        ("{% for user in users %}{% if user.is_admin %}", "{% endif %}{% endfor %}", ""),
        ("{% for user in users %}{% if current_user.is_admin %}", "{% endif %}{% endfor %}", "staff"),
        ("{% set ok = current_user.is_admin %}{% if ok %}", "{% endif %}", "staff"),
        ("{% if users|length > 3 %}", "{% endif %}", ""),
        ("{% if current_user.is_admin %}<b>Hello</b>{% endif %}", "", ""),
        ("{% if not current_user.is_admin %}", "{% endif %}", ""),
        ("{% if config.ALLOW_ADMIN %}", "{% endif %}", ""),
        ("{# {% if current_user.is_admin %} #}", "", ""),
        ("{% raw %}{% if current_user.is_admin %}{% endraw %}", "", ""),
    ],
)
def test_jinja(open_: str, close: str, expected: str) -> None:
    assert places({"templates/a.html": open_ + FORM + close}) == [f"POST users.delete 'Delete' [{expected}]"]


def test_django() -> None:
    text = """
    {% load i18n %}
    {% if perms.shop.delete_order %}<a href="{% url 'shop:delete' order.pk %}" class="b">{% trans "Delete" %}</a>{% endif %}
    {% if user.is_staff or user.is_superuser %}<form action="{% url "shop:refund" pk=order.pk %}" method="POST">
      {% csrf_token %}<input type="submit" value="Refund"></form>{% endif %}
    {% if request.user.is_authenticated %}<a href="{% url 'shop:list' %}">Orders</a>{% else %}
      <a href="/login/">In</a>{% endif %}
    {% url 'shop:export' as export %}<a href="{{ export }}?all=1">Export</a>
    {% with mine=order.owner %}<button hx-delete="/orders/{{ order.pk }}/">Drop</button>{% endwith %}
    """
    assert places({"order.html": text}) == [
        "DELETE /orders/{} 'Drop' []",
        "GET /login 'In' []",
        "GET shop:delete 'Delete' [permission]",
        "GET shop:export 'Export' []",
        "GET shop:list 'Orders' [login]",
        "POST shop:refund 'Refund' [staff]",
    ]


def test_a_template_put_in_behind_a_gate() -> None:
    files = {
        "templates/page.html": "{% if current_user.is_admin %}{% include 'parts/form.html' %}{% endif %}",
        "templates/parts/form.html": FORM,
    }
    assert places(files) == ["POST users.delete 'Delete' [staff]"]
    files["templates/other.html"] = "{% include 'parts/form.html' %}"
    assert places(files) == ["POST users.delete 'Delete' []"]


def test_a_script_inside_of_a_template() -> None:
    text = """
    <script>
    {% if current_user.is_admin %}
    $("#all").click(function () { $.post("{{ url_for('admin.wipe') }}", { sure: true }); });
    {% endif %}
    function load() { fetch("/api/items/" + {{ item.id }}); }
    </script>
    <button onclick="load()">Load</button>
    """
    assert places({"a.html": text}) == ["GET /api/items/{} 'Load' []", "POST admin.wipe '' [staff]"]


def test_an_attribute_that_chooses_between_routes() -> None:
    text = """
    <form method="post" action="{% if user.is_staff %}{% url 'shop:all' %}{% else %}{% url 'shop:mine' %}{% endif %}">
    <button>Export</button></form>
    """
    assert places({"a.html": text}) == ["POST shop:all 'Export' [staff]", "POST shop:mine 'Export' []"]


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ("$('#wipe').click(function () { BODY });", "staff"),
        ("$('#wipe').on('click', () => { BODY });", "staff"),
        ("$(document).on('click', 'form #wipe', () => { BODY });", "staff"),
        ("document.getElementById('wipe').addEventListener('click', wipe); function wipe() { BODY }", "staff"),
        ("const b = document.querySelector('#wipe'); b.addEventListener('click', () => { BODY });", "staff"),
        ("$('#wipe, #other').click(function () { BODY });", "login,staff"),
        ("$('#other').click(function () { BODY });", "login"),
        ("$('#nowhere').click(function () { BODY });", ""),
        ("$('.wipe').click(function () { BODY });", ""),
    ],
)
def test_a_script_that_listens_to_elements_of_a_template(binding: str, expected: str) -> None:
    files = {
        "templates/a.html": """
        {% if current_user.is_admin %}<button id="wipe">Wipe</button>{% endif %}
        {% if current_user.is_authenticated %}<button id="other">Other</button>{% endif %}
        """,
        "static/a.js": binding.replace("BODY", "$.post('/wipe');"),
    }
    found = sorted(place.rpartition("[")[2].rstrip("]") for place in places(files))
    assert ",".join(found) == expected


def test_angular_with_injected_fields() -> None:
    files = {
        "base.ts": """
        import { HttpClient } from "@angular/common/http";
        export abstract class Base<T> {
          protected http: HttpClient = inject(HttpClient);
          protected url(id?: number) { return `/api/things/${id}/`; }
          remove(thing: T) { return this.http.delete(this.url(thing.id)); }
        }
        """,
        "list.component.ts": """
        import { Base } from "./base";
        @Component({ selector: "app-list", templateUrl: "list.component.html" })
        export class ListComponent {
          private service = inject(Base);
          drop(thing) { this.service.remove(thing).subscribe(); }
        }
        """,
        "list.component.html": '@if (user.isStaff) { <button (click)="drop(thing)">Drop</button> }',
    }
    assert places(files) == ["DELETE /api/things/{} 'Drop' [staff]"]
