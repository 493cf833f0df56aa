// Menus are <details>, which open and close by themselves. This closes them on Escape, on a choice
// and on a click elsewhere, and lets the arrow keys walk through the choices. What had the focus in a menu
// gives it back to the menu's face, so that the keyboard goes on from there.
const open = () => document.querySelectorAll("details[data-menu][open]");
const items = (menu) => [
  ...menu.querySelectorAll(".menu-sheet :is(a[href], button:not(:disabled), input:not(:disabled))"),
];

function close(menu, { refocus = false } = {}) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus();
}

const giveBack = (menu) => {
  const at = document.activeElement;
  if (menu.isConnected && (at === document.body || menu.contains(at))) menu.querySelector("summary").focus();
};

document.addEventListener("click", (event) => {
  for (const menu of open()) {
    const chosen = event.target.closest?.(".menu-item");
    if (!menu.contains(event.target) || (chosen && menu.contains(chosen))) {
      close(menu);
      // Only when the choice has been sent: htmx forgets a pressed button that loses the focus.
      if (menu.contains(event.target)) setTimeout(() => giveBack(menu));
    }
  }
});

// A form in a menu that was saved has done what it was opened for.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const menu = detail.successful && detail.elt.matches?.("form.menu-sheet") && detail.elt.closest("details[data-menu][open]");
  if (menu) close(menu, { refocus: menu.contains(document.activeElement) });
});

document.addEventListener("focusin", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) close(menu);
});

// Letters lead to the choice that begins so, or has a word that does; unless one of them has a key of this name.
const bare = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
const PAUSE = 700;
let typed = "", typedAt = 0;
function lead(menu, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !/^[\p{L}\p{N} ]$/u.test(event.key)) return false;
  const isFirst = event.timeStamp - typedAt > PAUSE;
  if (isFirst && event.key === " ") return false;
  const all = items(menu);
  if (isFirst && all.some((one) => one.dataset.key?.toLowerCase() === (event.shiftKey ? "shift+" : "") + event.key.toLowerCase())) return false;
  const now = (isFirst ? "" : typed) + event.key.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  // A blank chooses, unless a name goes on with it.
  if (event.key === " " && !all.some((one) => ` ${bare(one.textContent)}`.includes(` ${now}`))) return false;
  typed = now;
  typedAt = event.timeStamp;
  // The same letter again goes on to the next that begins so.
  const wanted = /^(.)\1+$/u.test(typed) ? typed[0] : typed;
  const from = all.indexOf(document.activeElement) + (wanted.length === 1 ? 1 : 0);
  const order = [...all.slice(from), ...all.slice(0, from)];
  const named = order.map((one) => [one, bare(one.textContent)]);
  const [hit] = named.find(([, name]) => name.startsWith(wanted)) ?? named.find(([, name]) => name.includes(` ${wanted}`)) ?? [];
  hit?.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (event.key === "Escape") {
    const shown = [...open()];
    for (const one of shown) close(one, { refocus: one === menu });
    if (shown.length) event.stopPropagation();
    return;
  }
  if (menu?.open && !event.target.matches("input:not([type=radio], [type=checkbox]), textarea, select") && lead(menu, event)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  if (event.target.matches("input, textarea, select")) return;
  if (!menu.open) {
    if (event.key !== "ArrowDown" || !event.target.matches("summary")) return;
    menu.open = true;
  }
  event.preventDefault();
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 };
  all[(to[event.key] + all.length) % all.length]?.focus();
}, true);
