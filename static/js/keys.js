// Keyboard shortcuts. An element says its own: data-key="n" presses it, or puts the cursor into it; "Shift+m" and
// "Control+k" with these held, "g m" one after the other. What stands in a closed menu is pressed there.
// In a list "j" and "k" walk over the elements of data-row. "?" lists what there is, and so does the palette.
// A reader who dictates or whose hand slips can turn the single keys off; Ctrl and Alt ones stay.
import { word } from "helpdesk/toast";

const OFF = "keys-off";
const isOff = () => {
  if (document.querySelector('live-updates[data-keys="off"]')) return true;
  try { return localStorage.getItem(OFF) === "1"; } catch { return false; }
};
const isTyping = (element) => element?.matches?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable], trix-editor") ?? false;
const isShown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;
const isReachable = (element) => {
  if (element.disabled) return false;
  if (isShown(element)) return true;
  const menu = element.closest("details:not([open])");
  const face = menu?.querySelector(":scope > summary");
  return Boolean(face && face !== element && isShown(face));
};

const GROUPS = ["ticket", "write", "list", "go", "everywhere"];
const groupOf = (element) => {
  if (element.dataset.keyGroup) return element.dataset.keyGroup;
  if (element.dataset.key?.startsWith("g ") || element.closest(".nav")) return "go";
  if (element.closest(".composer")) return "write";
  if (element.closest(".ticket, .customer")) return "ticket";
  return element.closest(".list") ? "list" : "everywhere";
};
const label = (element) => {
  const given = element.dataset.keyLabel || element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.title;
  if (given) return given.replace(/\s+/g, " ").trim();
  // Of words for several modes only those that show, and never the key itself.
  const isHere = isShown(element);
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".kbd, .num, svg") || isHere && !isShown(node)) return "";
    return [...node.childNodes].map(read).join(" ");
  };
  return read(element).replace(/\s+/g, " ").trim();
};

/** What can be done on this page: {element, key, text, group}, each once. */
export function actions() {
  const seen = new Set();
  const found = [];
  for (const element of document.querySelectorAll("[data-key], [data-palette]")) {
    const key = element.dataset.key ?? "";
    const text = label(element);
    if (!text || !isReachable(element) || seen.has(key || text) || key && target(key) !== element) continue;
    seen.add(key || text);
    found.push({ element, key, text, group: groupOf(element) });
  }
  return found;
}

/** How a key is written for people. */
export const written = (key) => key.split(" ").map((one) => one
  .replace(/Control\+/, /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl ").replace("Alt+", "Alt ").replace("Shift+", "⇧")
  .replace(/(?<!\p{L})\p{Ll}$/u, (letter) => letter.toUpperCase())).join(" ");

const name = (event) => {
  const parts = [];
  const isLetter = /^\p{L}$/u.test(event.key);
  if (event.ctrlKey || event.metaKey) parts.push("Control");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (isLetter || event.key.length > 1)) parts.push("Shift");
  parts.push(isLetter ? event.key.toLowerCase() : event.key);
  return parts.join("+");
};

export function press(element) {
  const menu = element.closest("details:not([open])");
  if (isTyping(element)) {
    element.focus();
    element.select?.();
  } else if (element.matches("input[type=radio], input[type=checkbox]")) {
    element.click();
    element.form?.querySelector("textarea, trix-editor")?.focus();
  } else if (element.matches("summary")) {
    if (menu) element.click();
    // The arrow keys begin at what holds now, or at the first choice.
    const sheet = element.parentElement.querySelector(".menu-sheet");
    const first = document.getElementById(element.dataset.leads ?? "")
      ?? sheet?.querySelector(".menu-item:is([aria-pressed=true], [aria-current=true])")
      ?? sheet?.querySelector(":is(input:not([type=hidden]), button, a[href])");
    (element.parentElement.open && first ? first : element).focus();
  } else if (element.matches("[tabindex='-1']")) {
    element.focus();
  } else {
    element.click();
  }
}

function walk(step) {
  const rows = [...document.querySelectorAll("[data-row]")].filter(isShown);
  if (!rows.length) return false;
  const at = rows.includes(document.activeElement)
    ? rows.indexOf(document.activeElement)
    : rows.findIndex((row) => row.matches("[aria-current]"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** Back to the list: to its row beside the ticket, or where there is no room for both by the link. */
function back() {
  const rows = [...document.querySelectorAll("[data-row]")].filter(isShown);
  const row = rows.find((one) => one.matches("[aria-current]")) ?? rows[0];
  const link = document.querySelector(".ticket header .top > a.only-phone");
  if (row) row.focus();
  else if (link) link.click();
  else return false;
  return true;
}

// -- The sheet ------------------------------------------------------------------------------------

function element(tag, { text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function sheet() {
  document.querySelector("dialog.keys")?.remove();
  const groups = new Map(GROUPS.map((group) => [group, []]));
  if (document.querySelector("[data-row]")) {
    groups.get("list").push(["j", word("next")], ["k", word("previous")], ["o", word("open")]);
    if (document.querySelector(".list .pick")) groups.get("list").push(["x", word("select")]);
  }
  if (document.querySelector(".ticket")) groups.get("ticket").push(["u", word("back")]);
  for (const { key, text, group } of actions()) if (key) (groups.get(group) ?? groups.get("everywhere")).push([key, text]);
  groups.get("everywhere").push(["?", word("keys")]);

  const close = element("button", { type: "button", class: "button", "data-kind": "quiet", text: word("close") });
  const header = element("header", {}, element("h2", { id: "keys-title", text: word("keys") }), close);
  const body = element("div", { class: "groups" });
  for (const [group, entries] of groups) {
    if (!entries.length) continue;
    const list = element("dl");
    for (const [key, text] of entries) {
      list.append(element("dt", {}, element("kbd", { class: "kbd", text: written(key) })), element("dd", { text }));
    }
    body.append(element("section", {}, element("h3", { text: word(`keys${group[0].toUpperCase()}${group.slice(1)}`) }), list));
  }
  const box = element("input", { type: "checkbox" });
  box.checked = !isOff();
  box.addEventListener("change", () => {
    try { localStorage.setItem(OFF, box.checked ? "0" : "1"); } catch { /* not allowed: stays on */ }
  });
  const dialog = element("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    header, body, element("label", { class: "check" }, box, word("keysOn")));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// -- Pressed keys -----------------------------------------------------------------------------------

// "g" waits a moment for the letter that says where to; alone it presses what is called "g" itself.
const WAIT = 900;
let begun = "";
let timer;
function begin(key) {
  begun = key;
  clearTimeout(timer);
  timer = setTimeout(() => {
    begun = "";
    const alone = target(key);
    if (alone) press(alone);
  }, WAIT);
}

/** What is pressed by a key: the ticket's own comes first, then the page's, then what stands on every page. */
function target(key) {
  const all = [...document.querySelectorAll("[data-key]")].filter((one) => one.dataset.key.toLowerCase() === key.toLowerCase() && isReachable(one));
  return all.find((one) => one.closest(".ticket, .customer")) ?? all.find((one) => one.closest("main")) ?? all[0];
}

// What is written in several lines is sent from where one writes it, in a dialog too.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat || name(event) !== "Control+Enter") return;
  const form = event.target.matches?.("textarea") && event.target.form;
  const send = form && (form.querySelector('[data-key="Control+Enter"]') ?? form.querySelector("button:not([type]), [type=submit]"));
  if (!send) return;
  event.preventDefault();
  send.click();
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (document.querySelector("dialog[open]") || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  const pressed = name(event);
  const single = !pressed.startsWith("Control+") && !pressed.startsWith("Alt+");
  if (isTyping(event.target)) {
    if (pressed === "Escape") event.target.blur();
    if (single || pressed.endsWith("+Enter")) return;
  }
  if (single && isOff() && pressed !== "?") return;
  const handled = () => { event.preventDefault(); };
  if (begun) {
    const found = target(`${begun} ${pressed}`);
    begun = "";
    clearTimeout(timer);
    if (found) { handled(); press(found); return; }
  }
  if (pressed === "?") { handled(); sheet(); return; }
  const plain = pressed.replace(/^Shift\+/, "");
  if (plain === "j" || plain === "k") {
    if (!(plain !== pressed && target(pressed)) && walk(plain === "j" ? 1 : -1)) { handled(); return; }
  }
  if (single && document.querySelector(`[data-key^="${CSS.escape(pressed)} "]`)) { handled(); begin(pressed); return; }
  const found = target(pressed);
  if (found) { handled(); press(found); return; }
  if (pressed === "u" && back()) handled();
});

for (const button of document.querySelectorAll("[data-show-keys]")) button.hidden = false;
document.addEventListener("click", (event) => { if (event.target.closest("[data-show-keys]")) sheet(); });
