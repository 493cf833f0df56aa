// Selecting rows of a list: by a click, with Shift from the last one to this one, and by keyboard:
// "x" selects the row in focus, Shift+J and Shift+K take the next or previous one along. What is
// selected stays selected when the list is fetched anew. The list works without all this.
import "helpdesk/dialog";

const picked = new Set();
let last = null; // the box that was pressed last
let view; // whose rows they are

const boxes = () => [...document.querySelectorAll("#rows .pick")];
const boxOf = (row) => row?.closest(".line")?.querySelector(".pick");
const isOff = () => { try { return localStorage.getItem("keys-off") === "1"; } catch { return false; } };
const isTyping = (element) => element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], trix-editor") ?? false;

function show() {
  const all = boxes();
  for (const box of all) box.checked = picked.has(box.value);
  const number = all.filter((box) => box.checked).length;
  for (const place of document.querySelectorAll("[data-picked]")) place.textContent = number || "";
  const every = document.querySelector("[data-pick-all]");
  if (every) {
    every.checked = number > 0 && number === all.length;
    every.indeterminate = number > 0 && number < all.length;
    every.closest("label").hidden = !all.length;
  }
}

function pick(box, on) {
  if (!box) return;
  if (on) picked.add(box.value);
  else picked.delete(box.value);
}

function clear() {
  picked.clear();
  last = null;
  for (const all of document.querySelectorAll('#bulk [name="all"]')) all.checked = false;
  show();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".pick");
  if (!box) return;
  const all = boxes();
  const from = event.shiftKey && last ? all.findIndex((one) => one.value === last) : -1;
  const to = all.indexOf(box);
  if (from >= 0) for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) pick(one, box.checked);
  pick(box, box.checked);
  last = box.value;
  show();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-pick-all]")) return;
  for (const box of boxes()) pick(box, event.target.checked);
  show();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isOff() || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const row = document.activeElement?.closest?.("[data-row]") ?? document.querySelector("#rows [data-row][aria-current]");
  if (event.key === "x" && row) {
    const box = boxOf(row);
    event.preventDefault();
    pick(box, !picked.has(box?.value));
    last = box?.value ?? null;
    show();
  } else if (event.shiftKey && ["j", "k"].includes(event.key.toLowerCase()) && row) {
    // helpdesk/keys moves on with the same key; the row that it comes to is taken too.
    pick(boxOf(row), true);
    setTimeout(() => { pick(boxOf(document.activeElement), true); show(); });
  } else if (event.key === "Escape" && picked.size && !document.querySelector("details[data-menu][open]")) {
    clear();
  }
}, true);

document.addEventListener("reset", (event) => { if (event.target.id === "bulk") setTimeout(clear); });

// At once, so that nobody sees the marks go and come back.
document.addEventListener("htmx:afterSwap", show);
document.addEventListener("htmx:afterSettle", () => {
  const here = document.querySelector('#bulk [name="queue"]')?.value;
  if (here && here !== view) { picked.clear(); last = null; view = here; }
  show();
});

// -- The sheet in which one says what to change -----------------------------------------------------

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss-progress]")?.closest(".progress")?.remove();
});
document.addEventListener("bulk:started", () => { document.getElementById("bulk-dialog")?.close(); clear(); });
document.addEventListener("htmx:load", (event) => {
  for (const button of event.detail.elt.querySelectorAll?.("[data-dismiss-progress]") ?? []) button.hidden = false;
});

view = document.querySelector('#bulk [name="queue"]')?.value;
for (const box of boxes()) if (box.checked) picked.add(box.value);
show();
