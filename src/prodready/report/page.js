"use strict";
const form = document.getElementById("filter");
const all = [...document.querySelectorAll("details")];
const files = [...document.querySelectorAll("section")];
const toggle = document.getElementById("toggle");
for (const one of all) one.words = one.textContent.toLowerCase() + " " + one.dataset.path.toLowerCase();
function apply() {
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of all) {
    const fits = ["code", "severity", "confidence"].every(
      (key) => !form.elements[key].value || one.dataset[key] === form.elements[key].value,
    );
    one.hidden = !(fits && words.every((word) => one.words.includes(word)));
    shown += !one.hidden;
  }
  for (const file of files) file.hidden = !file.querySelector("details:not([hidden])");
  document.getElementById("count").textContent = shown + " of " + all.length;
}
toggle.addEventListener("click", () => {
  const open = all.some((one) => !one.open);
  for (const one of all) one.open = open;
  toggle.textContent = open ? "Close all" : "Open all";
});
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = all.length === 0;
// report.html?code=...&text=orders shows what the filter would, report.html#fingerprint one finding.
for (const [key, value] of new URLSearchParams(location.search)) {
  if (["text", "code", "severity", "confidence"].includes(key)) form.elements[key].value = value;
}
const wanted = all.find((one) => "#" + one.id === location.hash);
if (wanted) wanted.open = true;
apply();
