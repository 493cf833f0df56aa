// Who else is at a ticket: above its timeline in words, on its row in a list as a small mark. This page
// says which ticket it shows and whether somebody writes there; the live stream keeps that alive.
import { pageName } from "helpdesk/live";
import { word } from "helpdesk/toast";

const WRITES = 120000; // so long after the last key, unsent text still counts as being written
const AWAY = 30000, AWAY_WRITING = 600000; // a page in the background is left after so long
const MOST_FACES = 3;

const root = () => document.querySelector("live-updates")?.getAttribute("src")?.replace(/live\/$/, "");
const shown = () => document.querySelector(".ticket[data-number]")?.dataset.number;
const token = () => { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; } };

// -- What this page says of itself -------------------------------------------------------------------

const composer = () => document.getElementById("composer");
const typed = () => [...composer()?.querySelectorAll("textarea, trix-editor") ?? []]
  .some((field) => (field.value ?? field.textContent ?? "").replace(/<[^>]*>/g, "").trim());
const kind = () => {
  const chosen = composer()?.querySelector("[name=mode]:checked");
  return chosen?.value === "note" ? "note" : "reply";
};

// A page that was opened in the background is not looked at yet.
let said = "", typedAt = -Infinity, isAway = document.hidden, isListening = false, awake, rest;

function now() {
  const number = shown();
  if (!number || isAway) return "";
  const isWriting = performance.now() - typedAt < WRITES && typed();
  return `${number} ${isWriting ? kind() : "looking"}`;
}

async function tell({ again = false } = {}) {
  const wanted = now();
  if (!isListening || !root() || (wanted === said && !(again && wanted))) return;
  said = wanted;
  const [number, doing] = wanted.split(" ");
  const path = wanted ? `${root()}tickets/${number}/presence/` : `${root()}presence/leave/`;
  const body = new URLSearchParams({ page: pageName, csrfmiddlewaretoken: token(), ...(wanted && { doing }) });
  try { await fetch(path, { method: "POST", body, redirect: "manual" }); } catch { said = ""; }
}

function wrote(event) {
  if (!event.target.closest?.("#composer") || !composer().contains(document.activeElement)) return;
  typedAt = performance.now();
  clearTimeout(rest);
  rest = setTimeout(tell, WRITES + 100);
  tell();
}
for (const name of ["input", "change", "trix-change"]) document.addEventListener(name, wrote);

addEventListener("pagehide", () => {
  if (!said) return;
  said = "";
  navigator.sendBeacon(`${root()}presence/leave/`, new URLSearchParams({ page: pageName, csrfmiddlewaretoken: token() }));
});
document.addEventListener("visibilitychange", () => {
  clearTimeout(awake);
  if (document.hidden) awake = setTimeout(() => { isAway = true; tell(); }, typed() ? AWAY_WRITING : AWAY);
  else { isAway = false; tell(); }
});

// -- What the other pages say ------------------------------------------------------------------------

const pages = new Map();
let heard; // while an answer is on its way, which does not know of it

const note = (one) => { if (one.doing) pages.set(one.page, one); else pages.delete(one.page); };

async function catchUp() {
  if (!root()) return;
  const late = heard = [];
  try {
    const answer = await fetch(`${root()}presence/`, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const found = (await answer.json()).pages;
    if (heard !== late) return; // asked anew meanwhile
    heard = undefined;
    pages.clear();
    for (const one of [...found, ...late]) note(one);
    show();
  } catch { /* offline: the stream comes back, and with it this */ }
}

function hear({ detail }) {
  heard?.push(detail);
  note(detail);
  show();
}

/** Each colleague once, with the most that they do there; whoever writes stands first. */
function at(number) {
  const people = new Map();
  for (const one of pages.values()) {
    if (String(one.id) !== String(number)) continue;
    const known = people.get(one.user);
    if (!known || known.doing === "looking") people.set(one.user, one);
  }
  return [...people.values()].sort((a, b) => (a.doing === "looking") - (b.doing === "looking") || a.name.localeCompare(b.name));
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => { for (let i = 8; i; i--) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n; });
/** The tone that the server gives the same name. */
function tone(name) {
  let crc = -1;
  for (const byte of new TextEncoder().encode(name.toLowerCase())) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return ((crc ^ -1) >>> 0) % 4 + 1;
}
const initials = (name) => {
  const words = name.split("@")[0].split(/\s+/).filter((one) => /^[\p{L}\p{N}]/u.test(one));
  return words.length ? ((words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase()) : "?";
};

function face(name) {
  const avatar = document.createElement("span");
  avatar.className = "avatar";
  avatar.dataset.tone = tone(name);
  avatar.dataset.size = "s";
  avatar.setAttribute("aria-hidden", "true");
  avatar.textContent = initials(name);
  return avatar;
}

function sentence(people, { whole = false } = {}) {
  const list = new Intl.ListFormat(document.documentElement.lang || "en", { type: "conjunction" });
  const parts = [];
  for (const doing of ["reply", "note", "looking"]) {
    const names = people.filter((one) => one.doing === doing).map((one) => whole ? one.name : one.name.split(" ")[0]);
    if (names.length) parts.push(word(`${doing}${names.length > 1 ? "Many" : ""}`).replace("{name}", list.format(names)));
  }
  return parts.join(" · ");
}

function fill(element, people, words) {
  const key = JSON.stringify(people.map((one) => [one.user, one.doing]));
  if (element.dataset.shows === key) return;
  element.dataset.shows = key;
  element.dataset.is = people[0].doing;
  element.title = sentence(people, { whole: true });
  const faces = document.createElement("span");
  faces.className = "faces";
  faces.append(...people.slice(0, MOST_FACES).map((one) => face(one.name)));
  const text = document.createElement("span");
  text.className = words ? "words" : "hidden-text";
  text.textContent = sentence(people);
  element.replaceChildren(faces, text);
}

/** Nothing is laid out anew when somebody comes or goes: marks and words stand over the page. */
function place(parent, className, people) {
  let element = parent.querySelector(`:scope > .${className}`);
  if (!people.length) { element?.remove(); return; }
  if (!element) {
    element = document.createElement("span");
    element.className = `here ${className}`;
    parent.append(element);
  }
  fill(element, people, className === "here-head");
}

function show() {
  const head = document.getElementById("ticket-head");
  if (head) place(head, "here-head", at(shown()));
  for (const row of document.querySelectorAll("[data-row]")) {
    const number = new URL(row.href ?? row.querySelector("a")?.href ?? "", location.href).pathname.match(/\/tickets\/(\d+)\//)?.[1];
    if (number) place(row.matches("tr") ? row.cells[0] : row, "here-row", at(number));
  }
}

// What only this page knows stays when fresh content is laid over the old.
const callbacks = window.Idiomorph?.defaults.callbacks;
if (callbacks) {
  const before = callbacks.beforeNodeRemoved;
  callbacks.beforeNodeRemoved = (node) => (node.classList?.contains("here") ? false : before?.(node));
}

document.body.addEventListener("hint:presence", hear);
document.body.addEventListener("hint:listening", () => { isListening = true; tell({ again: true }); catchUp(); });
document.body.addEventListener("hint:all", catchUp);
document.body.addEventListener("hint:lost", () => { isListening = false; pages.clear(); show(); });
// Whose ticket it is decides who may hear that I am there.
document.body.addEventListener("hint:ticket", ({ detail }) => { if (String(detail.id) === shown()) tell({ again: true }); });
document.addEventListener("htmx:afterSettle", () => { tell(); show(); });
