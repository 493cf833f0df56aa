// The bell: its number follows by itself, a click opens what it counts, and what is wanted there also
// appears on the screen, once, whatever the number of open pages.
const SHOWN = "told:until"; // the newest that was on a screen, for all pages of this browser
const CALM = 900; // what I am looking at is marked as read in the meantime, and not shown

const bell = () => document.querySelector("[data-bell]");
const shown = () => (document.hidden ? undefined : document.querySelector(".ticket[data-number]")?.dataset.number);
const store = {
  get: () => { try { return localStorage.getItem(SHOWN) ?? ""; } catch { return ""; } },
  set: (value) => { try { localStorage.setItem(SHOWN, value); } catch { /* not allowed */ } },
};

// -- The number ---------------------------------------------------------------------------------------

function count(unread) {
  for (const number of document.querySelectorAll("[data-unread-count]")) {
    number.textContent = unread > 99 ? "99+" : unread;
    number.hidden = !unread;
  }
}

// The ticket before the reader's eyes, for all pages of this browser: a lock goes with its page.
const looking = (number) => `looking:${number}`;
let held = "", release;
function hold() {
  const number = shown() ?? "";
  if (number === held) return;
  release?.();
  [held, release] = [number, undefined];
  if (number) navigator.locks?.request(looking(number), { mode: "shared" }, () => new Promise((done) => { release = done; }));
}
hold();
document.addEventListener("visibilitychange", hold);
document.addEventListener("htmx:afterSettle", hold);
const isLookedAt = async (number) => (await navigator.locks?.query())?.held.some(({ name }) => name === looking(number));

/** One page of this browser after the other, so that each thing is on the screen once. */
const alone = (act) => (navigator.locks ? navigator.locks.request(SHOWN, act) : act());

async function ask() {
  if (!bell()) return;
  await alone(async () => {
    const after = store.get();
    let told;
    try {
      const answer = await fetch(`${bell().getAttribute("href")}unread/?after=${after || "x"}`);
      if (!answer.ok || answer.redirected) return;
      told = await answer.json();
    } catch { return; /* offline */ }
    count(told.unread);
    if (!after || told.newest > Number(after)) store.set(String(told.newest));
    for (const one of told.screen) await appear(one);
  });
}

async function appear({ id, title, body, url, ticket }) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  if (await isLookedAt(ticket)) return;
  const note = new Notification(title, { body, tag: `told-${id}`, lang: document.documentElement.lang });
  note.onclick = () => { window.focus(); location.assign(url); note.close(); };
}

let asking;
function soon() {
  clearTimeout(asking);
  asking = setTimeout(ask, CALM);
  document.body.dispatchEvent(new CustomEvent("desk:told"));
}
for (const name of ["hint:notifications", "hint:all"]) document.body.addEventListener(name, soon);
document.body.addEventListener("hint:listening", () => { clearTimeout(asking); asking = setTimeout(ask, 100); });

// -- The sheet ----------------------------------------------------------------------------------------

function sheet() {
  let element = document.getElementById("bell-sheet");
  if (element) return element;
  element = document.createElement("section");
  element.id = "bell-sheet";
  element.className = "bell-sheet";
  element.popover = "auto";
  element.setAttribute("aria-label", bell().title);
  const inside = document.createElement("div");
  inside.id = "told-sheet";
  element.append(inside);
  document.body.append(element);
  return element;
}
const refresh = () => window.htmx?.ajax("GET", `${bell().getAttribute("href")}?part=sheet`, { target: "#told-sheet", swap: "outerHTML" });

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-bell]");
  if (!link || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (matchMedia("(max-width: 900px)").matches || !HTMLElement.prototype.showPopover) return;
  event.preventDefault();
  event.stopPropagation();
  const open = sheet();
  if (open.matches(":popover-open")) { open.hidePopover(); return; }
  open.showPopover();
  refresh();
}, true);
document.body.addEventListener("desk:told", () => {
  if (document.querySelector("#bell-sheet:popover-open")) refresh();
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#bell-sheet a")) document.getElementById("bell-sheet")?.hidePopover();
});

// -- Being allowed to appear on the screen: asked for by a click only ----------------------------------

function say(box) {
  const state = "Notification" in window ? Notification.permission : "missing";
  for (const line of box.querySelectorAll("[data-when]")) line.hidden = line.dataset.when !== state;
}
function permissions() { document.querySelectorAll("[data-screen]").forEach(say); }
permissions();
document.addEventListener("htmx:afterSettle", permissions);
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-ask-screen]");
  if (!button) return;
  await Notification.requestPermission();
  permissions();
});
