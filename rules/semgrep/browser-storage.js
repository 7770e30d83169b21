// What stands in the browser's storage.

async function login(form) {
  const answer = await post("/login", form);
  // ruleid: prd803-credential-in-browser-storage
  localStorage.setItem("token", answer.token);
  // ruleid: prd803-credential-in-browser-storage
  sessionStorage.setItem('access_token', answer.access);
  // ruleid: prd803-credential-in-browser-storage
  window.localStorage.setItem("app.refreshToken", answer.refresh);
  // ruleid: prd803-credential-in-browser-storage
  localStorage.jwt = answer.jwt;
  // ruleid: prd803-credential-in-browser-storage
  localStorage["authToken"] = answer.token;
  // ruleid: prd803-credential-in-browser-storage
  localStorage.setItem("remembered-password", form.password);
  // ruleid: prd803-credential-in-browser-storage
  localStorage.setItem(AUTH_TOKEN_KEY, answer.key);

  // ok: prd803-credential-in-browser-storage
  localStorage.removeItem("token");
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("token", "");
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("token", null);
  // ok: prd803-credential-in-browser-storage
  localStorage.token = undefined;
  // ok: prd803-credential-in-browser-storage
  const kept = localStorage.getItem("token");
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("theme", answer.theme);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("token_count", answer.count);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("maxTokens", form.max);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("csrfToken", answer.csrf);
  // ok: prd803-credential-in-browser-storage
  sessionStorage.setItem("next_page_token", answer.next);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("showPasswordHint", answer.hint);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("tokenizer", answer.model);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("passport", answer.country);
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("hasToken", true);
  // ok: prd803-credential-in-browser-storage
  cookies.setItem("token", answer.token);
  // ok: prd803-credential-in-browser-storage
  memory.token = answer.token;
  // ok: prd803-credential-in-browser-storage
  localStorage.setItem("designToken", answer.color);
}

function order(item) {
  // ruleid: prd803-database-in-browser-storage
  const orders = JSON.parse(localStorage.getItem("orders") || "[]");
  orders.push(item);
  localStorage.setItem("orders", JSON.stringify(orders));
}

function note(text) {
  // ruleid: prd803-database-in-browser-storage
  let notes = JSON.parse(localStorage.getItem("app.notes")) ;
  notes.push({ text, at: Date.now() });
  localStorage.setItem("app.notes", JSON.stringify(notes));
}

function see(page) {
  // What was looked at last may be lost.
  // ok: prd803-database-in-browser-storage
  const seen = JSON.parse(localStorage.getItem("recent_pages") || "[]");
  seen.push(page);
  localStorage.setItem("recent_pages", JSON.stringify(seen));
}

function column(name) {
  // ok: prd803-database-in-browser-storage
  const columns = JSON.parse(localStorage.getItem("columns") || "[]");
  columns.push(name);
  localStorage.setItem("columns", JSON.stringify(columns));
}

async function copy() {
  // What the server keeps is only copied here.
  const orders = await get("/orders");
  // ok: prd803-database-in-browser-storage
  localStorage.setItem("orders", JSON.stringify(orders));
}

function readOrders() {
  // ok: prd803-database-in-browser-storage
  return JSON.parse(localStorage.getItem("orders") || "[]");
}
