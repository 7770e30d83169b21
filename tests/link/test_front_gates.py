"""Which conditions are gates, and of which kind."""

from __future__ import annotations

import pytest
from front_cases import kinds, places

GATES = [
    ("user.isAdmin", "staff"),
    ("user?.is_staff", "staff"),
    ("session.user.isSuperuser", "staff"),
    ("isAdmin", "staff"),
    ("currentUser!.is_superuser", "staff"),
    ("isWorkspaceAdmin", "staff"),
    ("hasAdminAccess", "staff"),
    ("user.isAdmin === true", "staff"),
    ("user.isAdmin && posts.length > 0", "staff"),
    ("(user.isAdmin || user.isStaff)", "staff"),
    ("!(!user.isAdmin || isLoading)", "staff"),
    ("isAdmin()", "staff"),
    ("user.role === 'admin'", "role"),
    ("user.role !== 'guest'", "role"),
    ("['admin', 'editor'].includes(user.role)", "role"),
    ("user.roles.includes('admin')", "role"),
    ("hasRole('editor')", "role"),
    ("role === UserRole.ADMIN", "role"),
    ("workspaceRole >= Roles.MANAGER", "role"),
    ("hasPermission('users.delete')", "permission"),
    ("permissions.includes('users:delete')", "permission"),
    ("user.permissions.canDelete", "permission"),
    ("can('delete', post)", "permission"),
    ("canDelete", "permission"),
    ("canUserEdit", "permission"),
    ("meta.permissions.write", "permission"),
    ("post.can_edit", "permission"),
    ("isAuthorized", "permission"),
    ("allowPermissions([Role.ADMIN], Level.PROJECT)", "permission"),
    ("post.authorId === user.id", "owner"),
    ("post.author_id === currentUser.id", "owner"),
    ("isOwner", "owner"),
    ("post.isMine", "owner"),
    ("user", "login"),
    ("currentUser", "login"),
    ("isAuthenticated", "login"),
    ("session?.user", "login"),
    ("currentUser !== null", "login"),
    ("!user.isAnonymous", "login"),
    ("user.isLoggedIn", "login"),
    ("(user.isAdmin || post.authorId === user.id)", "owner"),
]
NO_GATES = [
    "isLoading",
    "items.length",
    "items.length > 0",
    "form.valid",
    "!error",
    "data?.length",
    "isOpen",
    "open",
    "selected === post.id",
    "features.newEditor",
    "flags.adminRedesign",
    "config.allowSignup",
    "settings.isAdminEnabled",
    "process.env.SHOW_ADMIN",
    "theme === 'dark'",
    "locale === 'de'",
    "t('admin.title')",
    "i18n.language === 'en'",
    "step === 2",
    "tab === 'users'",
    "canSubmit",
    "canGoBack",
    "canScroll",
    "canUndo",
    "hasNextPage",
    "isAdminLoading",
    "adminCount > 0",
    "roleModalOpen",
    "permissions.length > 0",
    "permissionsError",
    "authorName",
    "ownerList.length",
    "userList.length",
    "userName",
    "role",
    "!user.isAdmin",
    "user.role !== 'admin'",
    "user.role === 'guest'",
    "!isAuthenticated",
    "!canDelete",
    "(isAdmin || isLoading)",
    "member.role === 'admin'",
    "row.isAdmin",
    "invitation.role === 'owner'",
    "form.role === 'admin'",
    "selectedUser.isAdmin",
    "post.author",
    "post.published",
    "token",
    "query.role",
    "isMobile",
    "window.innerWidth > 600",
    "navigator.clipboard",
    "post.status === 'draft'",
    "count === 0",
    "user.name",
    "user.avatar",
    "cart.items.length > 0",
    "isDirty && !isSubmitting",
    "allowedProjectIds",
    "isAdminDashboardActivated",
    "document.permissionsPolicy",
    "showAdminPanel",
    "SHOW_ADMIN_LINKS",
    "isEditorReady",
    "editor.isEditorReadyToDiscard()",
    "isOwnerSelected",
    "managerName",
]


@pytest.mark.parametrize(("condition", "kind"), GATES)
def test_who_looks_decides(condition: str, kind: str) -> None:
    assert kinds(condition) == kind


@pytest.mark.parametrize("condition", NO_GATES)
def test_what_the_page_is_doing_is_no_gate(condition: str) -> None:
    assert kinds(condition) == ""


def test_a_name_is_followed_to_what_it_is_bound_to() -> None:
    assert kinds("visible", "const visible = user.role === 'admin' && !post.locked;") == "role"
    assert kinds("visible", "const visible = useMemo(() => user.isAdmin, [user]);") == "staff"
    assert kinds("canSend", "const canSend = text.length > 0 && !isSending;") == ""
    assert kinds("canSend", "const canSend = text.length > 0 && isAdmin;") == "staff"
    assert kinds("canWithdraw()", "const canWithdraw = () => balance > 0;") == ""


def test_people_in_a_list_are_not_who_looks() -> None:
    listed = """
    export const Users = ({ users }) => users.map((user) => (
      <li>{user.isAdmin && <button onClick={() => fetch("/api/demote", { method: "POST" })}>Demote</button>}</li>
    ));
    """
    assert places({"users.jsx": listed}) == ["POST /api/demote 'Demote' []"]
    own = listed.replace("user.isAdmin", "user.can_edit")
    assert places({"users.jsx": own}) == ["POST /api/demote 'Demote' [permission]"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if (!user.isAdmin) return null; return BUTTON;", "staff"),
        ("if (!user.isAdmin) { return <Forbidden />; } return BUTTON;", "staff"),
        ("if (user.isAdmin) { return BUTTON; } return null;", "staff"),
        ("if (user.isAdmin) { return null; } return BUTTON;", ""),
        ("if (!user.isAdmin) { console.log('no'); } return BUTTON;", ""),
        ("if (isLoading) return null; return BUTTON;", ""),
        ("if (!user) return <Login />; return BUTTON;", "login"),
        ("return user.isAdmin ? BUTTON : null;", "staff"),
        ("return user.isAdmin ? null : BUTTON;", ""),
        ("return !user.isAdmin ? null : BUTTON;", "staff"),
        ("return isLoading ? null : BUTTON;", ""),
        ("const button = user.isAdmin ? BUTTON : null; return <div>{button}</div>;", "staff"),
        ("return <fieldset disabled={!user.isAdmin}>BUTTON</fieldset>;", "staff"),
        ("return <fieldset disabled={isSaving}>BUTTON</fieldset>;", ""),
    ],
)
def test_shapes_of_control_flow(body: str, expected: str) -> None:
    button = '<button onClick={() => axios.delete("/api/x")}>Go</button>'
    text = f"function Page({{ user, isLoading }}) {{ {body.replace('BUTTON', button)} }}"
    assert places({"page.jsx": text}) == [f"DELETE /api/x 'Go' [{expected}]"]


def test_a_condition_that_begins_with_another_is_not_that_one() -> None:
    assert kinds("visible", "const visible = user && user.isAdmin;") == "staff"
    text = """
    function Page({ user }) {
      if (user && user.isAdmin) { return <button onClick={() => axios.delete("/api/x")}>Go</button>; }
      return null;
    }
    """
    assert places({"page.jsx": text}) == ["DELETE /api/x 'Go' [staff]"]
