// Keyboard shortcuts. An element says its own: data-key="n" presses it, or puts the cursor into it.
// In a list ([data-list] or .list) "j" and "k" walk over the elements of data-row. "?" lists them all.
// A reader who dictates or whose hand slips can turn the single keys off; Ctrl and Alt ones stay.
import { word } from "helpdesk/toast";

const OFF = "keys-off";
const isOff = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };
const isTyping = (element) => element?.matches?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable], trix-editor") ?? false;
const isShown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;

const name = (event) => {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Control");
  if (event.altKey) parts.push("Alt");
  parts.push(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  return parts.join("+");
};

function press(element) {
  if (isTyping(element)) {
    element.focus();
    element.select?.();
  } else if (element.matches("input[type=radio], input[type=checkbox]")) {
    element.click();
    element.form?.querySelector("textarea")?.focus();
  } else {
    element.click();
    if (element.matches("summary")) element.focus();
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

const described = (element) =>
  (element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.title || element.innerText)
    .replace(/\s+/g, " ").trim();

function list() {
  document.querySelector("dialog.keys")?.remove();
  const dialog = document.createElement("dialog");
  dialog.className = "keys";
  const header = document.createElement("header");
  const title = document.createElement("h2");
  title.textContent = word("keys");
  title.id = "keys-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button";
  close.dataset.kind = "quiet";
  close.textContent = word("close");
  close.addEventListener("click", () => dialog.close());
  header.append(title, close);
  const entries = document.createElement("dl");
  const add = (key, text) => {
    const dt = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.className = "kbd";
    kbd.textContent = key.replace("Control+", "Ctrl ").replace("Alt+", "Alt ").toUpperCase().replace("CTRL", "Ctrl").replace("ALT", "Alt");
    dt.append(kbd);
    const dd = document.createElement("dd");
    dd.textContent = text;
    entries.append(dt, dd);
  };
  if (document.querySelector("[data-row]")) {
    add("j", word("next"));
    add("k", word("previous"));
  }
  const seen = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    if (seen.has(element.dataset.key) || !isShown(element)) continue;
    seen.add(element.dataset.key);
    add(element.dataset.key, described(element).replace(new RegExp(`\\s${element.dataset.key}$`, "i"), ""));
  }
  const label = document.createElement("label");
  label.className = "check";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = !isOff();
  box.addEventListener("change", () => {
    try { localStorage.setItem(OFF, box.checked ? "0" : "1"); } catch { /* not allowed: stays on */ }
  });
  label.append(box, word("keysOn"));
  dialog.append(header, entries, label);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (document.querySelector("dialog[open]")) return;
  const pressed = name(event);
  const single = !pressed.startsWith("Control+") && !pressed.startsWith("Alt+");
  if (isTyping(event.target)) {
    if (pressed === "Escape") event.target.blur();
    if (single || pressed === "Control+Enter") {
      if (pressed === "Control+Enter") {
        const form = event.target.closest("form");
        const send = form?.querySelector('[data-key="Control+Enter"]') ?? form?.querySelector('[type="submit"]');
        if (send && event.target.matches("textarea")) { event.preventDefault(); send.click(); }
      }
      return;
    }
  }
  if (single && isOff() && pressed !== "?") return;
  if (pressed === "?") { event.preventDefault(); list(); return; }
  if ((pressed === "j" || pressed === "k") && walk(pressed === "j" ? 1 : -1)) { event.preventDefault(); return; }
  const target = [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key.toLowerCase() === pressed.toLowerCase() && !element.disabled && isShown(element));
  if (target) { event.preventDefault(); press(target); }
});

for (const button of document.querySelectorAll("[data-show-keys]")) button.hidden = false;
document.addEventListener("click", (event) => { if (event.target.closest("[data-show-keys]")) list(); });
