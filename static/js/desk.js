// The desk: keeps list, counts and the open ticket fresh, and moves between tickets.
import "helpdesk/in-place";
import "helpdesk/notifications";
import "helpdesk/presence";

const PAUSE = 1200; // hints come in showers; the list is fetched at most so often

// What a reader has opened or is typing stays when fresh content is laid over the old.
const idiomorph = window.Idiomorph;
if (idiomorph) {
  // Only of what holds a value: the face of a menu is to say what is new though it has the focus.
  Object.defineProperty(idiomorph.defaults, "ignoreActiveValue", {
    enumerable: true,
    get: () => document.activeElement?.matches("input, textarea, select, trix-editor, [contenteditable]") ?? false,
  });
  idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node.matches("details")) && !(name === "data-ready");
}

const desk = () => document.querySelector(".desk");
const ticket = () => document.querySelector(".ticket[data-number]");
const rows = () => [...document.querySelectorAll("#rows [data-row]")];
const tell = (id, name) => document.getElementById(id)?.dispatchEvent(new CustomEvent(name));

// -- Hints: fetch what is new, soon but not for each of a hundred hints, and not while hidden ------

function calmly(act) {
  let timer, last = 0, isDue = false;
  const run = () => {
    timer = undefined;
    if (document.hidden) { isDue = true; return; }
    isDue = false;
    last = performance.now();
    act();
  };
  document.addEventListener("visibilitychange", () => { if (isDue) run(); });
  return () => { timer ??= setTimeout(run, Math.max(150, last + PAUSE - performance.now())); };
}

const refreshLists = calmly(() => tell("refresh", "desk:lists"));
const lookAtTicket = calmly(() => tell("look", "desk:look"));

for (const name of ["hint:ticket", "hint:lists", "hint:all", "desk:changed"]) {
  document.body.addEventListener(name, refreshLists);
}
document.body.addEventListener("hint:all", lookAtTicket);
// What happened between the making of the page and its listening was told to nobody.
document.body.addEventListener("hint:listening", lookAtTicket);
document.body.addEventListener("hint:ticket", (event) => {
  if (String(event.detail.id) === ticket()?.dataset.number) lookAtTicket();
});

// -- Moving between tickets --------------------------------------------------------------------------

function settle() {
  const open = ticket();
  desk()?.setAttribute("data-show", open ? "ticket" : "list");
  for (const row of rows()) {
    const isOpen = open && new URL(row.href).pathname === location.pathname;
    if (isOpen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}
document.addEventListener("htmx:afterSettle", settle);

const isTyping = () => document.activeElement?.matches("input:not([type=radio], [type=checkbox]), textarea, select, trix-editor");
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping()) return;
  const search = document.getElementById("nav-search");
  if (search?.checkVisibility()) { event.preventDefault(); search.focus(); search.select(); }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "o" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.activeElement?.matches("[data-row]")) { event.preventDefault(); document.activeElement.click(); }
});

// -- What arrives twice is shown once ---------------------------------------------------------------

document.addEventListener("htmx:load", (event) => {
  const added = event.detail.elt;
  if (!added.id || !added.matches?.("#items > *")) return;
  for (const twin of document.querySelectorAll(`#items > [id="${added.id}"]`)) {
    if (twin !== added) twin.remove();
  }
});
