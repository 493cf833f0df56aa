// The command palette (Control+k), which is also what the search box opens while somebody types: what can be done on
// this page, where one can go, tickets, customers, and operators with their values. A combobox over a listbox.
// Without it the search box is a plain form.
import { actions, press, written } from "helpdesk/keys";

const RECENT = "recent-tickets";
const PAUSE = 90;
const find = (id) => document.getElementById(id);
const parts = () => ({ dialog: find("palette"), input: find("palette-input"), list: find("palette-list"), status: find("palette-status") });

// -- What was open last: numbers alone, for whoever looks over a shoulder; the server names them. ------

const recent = () => { try { return JSON.parse(localStorage.getItem(RECENT) ?? "[]").filter(Number.isInteger); } catch { return []; } };
function remember() {
  const number = Number(/\/tickets\/(\d{1,15})\//.exec(location.pathname)?.[1]);
  if (!number) return;
  try { localStorage.setItem(RECENT, JSON.stringify([number, ...recent().filter((one) => one !== number)].slice(0, 8))); } catch { /* not allowed */ }
}
remember();
document.addEventListener("htmx:pushedIntoHistory", remember);

// -- Which actions fit, as the server says it of places: a beginning, a word's, or letters that each begin
// a word or follow the one before ------------------------------------------------------------------------

const bare = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
function likeness(typed, name) {
  const wanted = bare(typed).trim();
  const given = bare(name);
  if (!wanted) return 0;
  if (given.startsWith(wanted)) return 4;
  const begins = (word) => given.split(/[^\p{L}\p{N}]+/u).some((one) => one.startsWith(word));
  if (begins(wanted)) return 3;
  if (wanted.split(/\s+/).every(begins)) return 2;
  const letters = [...wanted.replace(/\s+/g, "")].map((one) => one.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const inOrder = new RegExp(`(?<![\\p{L}\\p{N}_])${letters.join("(?:|.*?(?<![\\p{L}\\p{N}_]))")}`, "u");
  return letters.length > 1 && inOrder.test(given) ? 1 : 0;
}

function option({ name, hint = "", kbd = "", id }) {
  const made = find("palette-option").content.firstElementChild.cloneNode(true);
  made.id = id;
  made.querySelector(".name").textContent = name;
  const end = made.querySelector(".end");
  if (kbd) {
    const key = document.createElement("kbd");
    key.className = "kbd";
    key.textContent = kbd;
    end.append(key);
  }
  if (hint) end.append(hint);
  return made;
}

const group = (name, heading, options) => {
  const made = document.createElement("div");
  made.setAttribute("role", "group");
  made.dataset.part = name;
  const title = document.createElement("div");
  title.className = "heading";
  title.id = `part-${name}`;
  title.textContent = heading;
  made.setAttribute("aria-labelledby", title.id);
  made.append(title, ...options);
  return made;
};

let doable = [];
function fitting(typed) {
  // Before anything is typed: what can be done with the ticket, else where one can go.
  const usual = { ticket: 3, list: 2 };
  const scored = doable.map((one, order) => ({ ...one, order, score: typed ? likeness(typed, one.text) : usual[one.group] ?? 1 }));
  return scored.filter((one) => one.score && !(typed && one.element.closest(".nav"))).sort((a, b) => b.score - a.score || a.order - b.order).slice(0, typed ? 6 : 8);
}

// -- The list ---------------------------------------------------------------------------------------

let asked = 0;
let waiting;

function show(typed, html) {
  const { dialog, input, list, status } = parts();
  const kept = list.querySelector('[aria-selected="true"]')?.id;
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  const server = (name) => fresh.querySelector(`[data-part="${name}"]`);
  const doing = fitting(typed).map((one, index) => {
    const made = option({ name: one.text, kbd: one.key && written(one.key), id: `option-do-${index}` });
    made.action = one.element;
    return made;
  });
  const todo = doing.length ? group("do", dialog.dataset.actions, doing) : null;
  const search = typed.trim() ? group("search", "", [option({ name: dialog.dataset.for.replace("{words}", typed.trim()), id: "option-search" })]) : null;
  search?.removeAttribute("aria-labelledby");
  search?.querySelector(".heading").remove();
  const isSearch = dialog.dataset.mode === "search";
  const order = isSearch
    ? [server("operators"), search, server("tickets"), server("customers"), server("places"), todo, server("recent")]
    : [server("operators"), todo, server("places"), search, server("tickets"), server("customers"), server("recent")];
  list.replaceChildren(...order.filter(Boolean));
  const all = options();
  status.textContent = all.length ? dialog.dataset.some.replace("{number}", all.length) : dialog.dataset.none;
  // Operators are offered and not pressed upon whoever wants to search or to go somewhere.
  const first = (isSearch && find("option-search")) || (all.find((one) => !one.dataset.insert) ?? all[0]);
  const next = find(kept) && kept !== "option-search" ? find(kept) : first;
  // What stands there whole already is not completed: Enter looks for it.
  const isWhole = next?.dataset.insert?.trim() === typed.trim();
  choose(isWhole ? find("option-search") ?? next : next, false);
  input.setAttribute("aria-expanded", String(all.length > 0));
}

const options = () => [...parts().list.querySelectorAll('[role="option"]')];
function choose(one, scroll = true) {
  const { input } = parts();
  for (const other of options()) other.setAttribute("aria-selected", String(other === one));
  if (!one) { input.removeAttribute("aria-activedescendant"); return; }
  input.setAttribute("aria-activedescendant", one.id);
  if (scroll) one.scrollIntoView({ block: "nearest" });
}

let last = "";
async function ask() {
  const { dialog, input } = parts();
  const typed = input.value;
  const turn = ++asked;
  const query = typed.trim() ? { q: typed } : { recent: recent().join(",") };
  try {
    const answer = await fetch(`${dialog.dataset.src}?${new URLSearchParams(query)}`, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || turn !== asked || !dialog.open) return;
    last = await answer.text();
    // Whoever typed on meanwhile keeps what fits the words that stand there now.
    if (turn === asked) show(input.value, last);
  } catch { /* offline: what can be done on the page is still offered */ }
}

function typed() {
  const { input } = parts();
  // What is known at once: actions, and the old list until the new one is here.
  show(input.value, last);
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

export function open(mode = "command", text = "") {
  const { dialog, input } = parts();
  if (!dialog || dialog.open || document.querySelector("dialog[open]")) return;
  doable = actions();
  dialog.dataset.mode = mode;
  input.value = text;
  last = "";
  dialog.showModal();
  input.select();
  show(text, "");
  ask();
}

function take(one, event) {
  const { dialog, input } = parts();
  if (one?.dataset.insert) {
    input.value = one.dataset.insert;
    input.focus();
    // What was offered has been taken: Enter must not take it twice.
    last = "";
    typed();
    return;
  }
  if (one?.action) {
    dialog.close();
    // The focus returns first, so that what the action focuses keeps it.
    setTimeout(() => press(one.action));
    return;
  }
  const url = one?.getAttribute("href");
  const words = input.value.trim();
  const to = url ?? (words ? `${dialog.dataset.search}?${new URLSearchParams({ q: words })}` : "");
  if (!to) return;
  if (event?.ctrlKey || event?.metaKey) { window.open(to, "_blank", "noopener"); return; }
  dialog.close();
  location.assign(to);
}

// -- Keys and clicks ----------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const { dialog } = parts();
  if (!dialog) return;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    // The editor's own Control+k, where it has one, gives way.
    event.preventDefault();
    event.stopImmediatePropagation();
    if (dialog.open) dialog.close();
    else open();
    return;
  }
  if (!dialog.open || event.isComposing) return;
  const all = options();
  const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    const to = Math.abs(step) === 1 ? (at + step + all.length) % all.length : Math.min(all.length - 1, Math.max(0, at + step));
    choose(all[to]);
  } else if (event.key === "Tab" && !event.shiftKey && all.some((one) => one.dataset.insert)) {
    // Tab completes, Enter goes.
    event.preventDefault();
    take(all[at]?.dataset.insert ? all[at] : all.find((one) => one.dataset.insert));
  } else if (event.key === "Enter") {
    event.preventDefault();
    take(all[at], event);
  }
}, true);

document.addEventListener("input", (event) => { if (event.target.id === "palette-input") typed(); });
document.addEventListener("submit", (event) => { if (event.target.closest("#palette")) { event.preventDefault(); take(options().find((one) => one.getAttribute("aria-selected") === "true")); } });
document.addEventListener("click", (event) => {
  const { dialog } = parts();
  if (event.target === dialog) { dialog.close(); return; }
  const one = event.target.closest?.('#palette-list [role="option"]');
  if (one && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); take(one); }
});
document.addEventListener("pointermove", (event) => {
  const one = event.target.closest?.('#palette-list [role="option"]');
  if (one && one.getAttribute("aria-selected") !== "true") choose(one, false);
});

// The search box of the sidebar: what is typed there is typed here, with suggestions.
document.addEventListener("focusin", (event) => {
  if (event.target.id !== "nav-search" || !find("palette") || find("palette").open) return;
  const box = event.target;
  box.blur();
  open("search", box.value);
});
// Whoever was quicker than this module has begun to type there.
const early = document.activeElement;
if (early?.id === "nav-search" && find("palette")) {
  early.blur();
  open("search", early.value);
  parts().input.setSelectionRange(early.value.length, early.value.length);
}
