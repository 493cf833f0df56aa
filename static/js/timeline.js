// A ticket's timeline: menus and pictures that load when asked, the way to what is new, and new
// messages that arrive without moving what one reads. The timeline is a reversed column: its scroll
// position is counted from the newest message upwards, so only what is added below can move a reader.
import { say } from "helpdesk/toast";

const NEAR = 60; // pixels from the end that still count as being there
const timeline = () => document.querySelector(".timeline");
const end = () => document.getElementById("timeline-end");
const isAtEnd = (box) => Math.abs(box.scrollTop) < NEAR;
const isPast = () => Boolean(document.getElementById("past"));
const headers = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");

// -- Menus of messages -----------------------------------------------------------------------------

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-load]") || !menu.open) return;
  const sheet = menu.querySelector(".menu-sheet");
  const place = () => {
    const room = timeline()?.getBoundingClientRect().bottom ?? innerHeight;
    const { bottom } = menu.getBoundingClientRect();
    if (bottom + sheet.offsetHeight > room) menu.dataset.side = "up";
    else delete menu.dataset.side;
  };
  place();
  const from = menu.dataset.load;
  delete menu.dataset.load;
  if (from) window.htmx.ajax("GET", from, { target: sheet, swap: "innerHTML" }).then(place);
}, true);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-copy-link]");
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  navigator.clipboard.writeText(link.href).then(() => say(link.dataset.copyLink, "good"), () => location.assign(link.href));
});

// -- Pictures ----------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-pictures]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const body = link.closest(".message").querySelector(".body");
  window.htmx.ajax("GET", link.dataset.pictures, { target: body, swap: "innerHTML" }).then(() => {
    link.closest(".kept-back").remove();
    body.tabIndex = -1;
    body.focus({ preventScroll: true });
  });
});

const shown = () => [...document.querySelectorAll("#items a[data-picture]")];
let picture;

function show(link) {
  const box = document.getElementById("lightbox");
  if (!box || !link) return;
  picture = link;
  const image = new Image();
  image.src = link.dataset.picture;
  image.alt = link.querySelector("img").alt;
  box.querySelector(".stage").replaceChildren(image);
  box.querySelector("form > span").textContent = link.title;
  box.querySelector("a[download]").href = link.href;
  for (const turn of box.querySelectorAll("[data-turn]")) turn.disabled = !shown()[shown().indexOf(link) + Number(turn.dataset.turn)];
  if (!box.open) box.showModal();
}

// What is called a picture and is none: a file to download.
document.addEventListener("error", (event) => {
  const link = event.target.closest?.("a[data-picture]");
  if (!link) return;
  const name = document.createElement("span");
  name.textContent = event.target.alt;
  link.replaceChildren(name);
  link.className = "file";
  delete link.dataset.picture;
}, true);

const turned = (by) => shown()[shown().indexOf(picture) + by];

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-picture]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(link);
    return;
  }
  const turn = event.target.closest?.(".lightbox [data-turn]");
  if (turn) show(turned(Number(turn.dataset.turn)));
  else if (event.target.matches?.(".lightbox > .stage")) event.target.parentElement.close();
});
document.addEventListener("keydown", (event) => {
  if (!document.getElementById("lightbox")?.open) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) { event.preventDefault(); show(turned(by)); }
}, true);

// -- The way to what is new, or to the message that a link names ----------------------------------------

function arrive() {
  const box = timeline();
  if (!box || box.dataset.ready !== undefined) return;
  box.dataset.ready = "";
  const named = /^#m\d+$/.test(location.hash) ? location.hash.slice(1) : "";
  const target = named ? document.getElementById(named) : document.getElementById("new");
  if (named && !target && !new URLSearchParams(location.search).has("message")) {
    const there = new URL(location);
    there.searchParams.set("message", named.slice(1));
    location.replace(there);
    return;
  }
  const go = () => {
    if (!target) return;
    const above = target.getBoundingClientRect().top < box.getBoundingClientRect().top;
    if (named || above) target.scrollIntoView({ block: named ? "center" : "start" });
  };
  go();
  requestAnimationFrame(go); // what was only estimated has been laid out
  watch();
}

// -- Reading -----------------------------------------------------------------------------------------

let readTimer, readMark = "";

function watch() {
  const box = timeline();
  if (!box) return;
  const newest = [...box.querySelectorAll("#items > .message")].at(-1);
  if (!newest || isPast() || document.hidden) return;
  const mark = `${box.dataset.read}${newest.id}`;
  if (box.dataset.isRead !== undefined) { delete box.dataset.isRead; readMark = mark; }
  const isSeen = newest.getBoundingClientRect().top < box.getBoundingClientRect().bottom;
  if (isSeen) hidePill();
  if (!isSeen || mark === readMark) return;
  clearTimeout(readTimer);
  readTimer = setTimeout(() => {
    if (document.hidden || !newest.isConnected) return;
    readMark = mark;
    fetch(box.dataset.read, {
      method: "POST", headers: headers(), keepalive: true, body: new URLSearchParams({ message: newest.id.slice(1) }),
    }).then((response) => {
      if (!response.ok) return;
      const number = Number(newest.closest(".ticket")?.dataset.number);
      document.body.dispatchEvent(new CustomEvent("desk:read", { bubbles: true, detail: { number } }));
    }).catch(() => { readMark = ""; });
  }, 600);
}
document.addEventListener("visibilitychange", watch);

let scrollTimer;
document.addEventListener("scroll", (event) => {
  if (!event.target.matches?.(".timeline")) return;
  clearTimeout(scrollTimer);
  scrollTimer = setTimeout(() => {
    watch();
    const earlier = document.getElementById("earlier");
    const box = timeline();
    if (earlier && box && earlier.getBoundingClientRect().bottom > box.getBoundingClientRect().top - 400) earlier.click();
  }, 80);
}, { capture: true, passive: true });

// -- Arrivals ------------------------------------------------------------------------------------------

// After a merge all of it is shown anew: as much as one has before oneself.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id === "look") detail.parameters.shown = document.querySelectorAll("#items > .message").length;
});

let before;

document.addEventListener("htmx:beforeSwap", (event) => {
  const box = timeline();
  const target = event.detail.target;
  // Nothing comes of an empty answer: what is noted here would be taken for the next swap's, wherever.
  if (!box || !event.detail.shouldSwap || !target?.matches?.("#timeline-end, #earlier, #later")) return;
  const top = box.getBoundingClientRect().top;
  const anchor = [...box.querySelectorAll("#items > *")].find((one) => one.getBoundingClientRect().bottom > top + 1 && one.id && one !== target);
  box.dataset.steady = "";
  before = {
    box, anchor, at: anchor?.getBoundingClientRect().top, last: target.previousElementSibling, kind: target.id,
    wasAtEnd: isAtEnd(box), isOwn: event.detail.requestConfig?.verb === "post", hadFocus: target.contains(document.activeElement),
  };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!before) return;
  const now = before;
  before = undefined;
  if (!now.box.isConnected) return;
  const days = new Set();
  for (const day of now.box.querySelectorAll("#items > .day")) {
    if (days.has(day.id)) day.remove();
    days.add(day.id);
  }
  // What came below must have its real height at once: an estimate would move the reader when it is corrected.
  const came = now.kind === "earlier" ? [] : after(now.last).filter((one) => one.matches(".message"));
  for (const one of came) one.dataset.fresh = "";
  const keep = () => {
    if (now.kind === "timeline-end" && (now.wasAtEnd || now.isOwn)) now.box.scrollTop = 0;
    else if (now.anchor?.isConnected) now.box.scrollTop += now.anchor.getBoundingClientRect().top - now.at;
  };
  keep();
  requestAnimationFrame(() => { keep(); requestAnimationFrame(() => { delete now.box.dataset.steady; watch(); }); });
  if (now.hadFocus) (document.getElementById(now.kind) ?? now.box).focus({ preventScroll: true });
  if (now.kind === "timeline-end") tell(came, now);
});

/** What stands between an element and the end of the timeline. */
function after(element) {
  const found = [];
  for (let one = element?.nextElementSibling; one && one !== end(); one = one.nextElementSibling) found.push(one);
  return found;
}

/** Say who wrote, and to whoever reads further up, how many messages wait below. */
function tell(came, { wasAtEnd, isOwn }) {
  const arrivals = document.querySelector(".arrivals");
  if (!arrivals || isOwn || !came.length) return;
  const many = arrivals.dataset.wordMany, one = arrivals.dataset.wordOne;
  const words = came.length > 1
    ? many.replace("{count}", came.length)
    : one.replace("{name}", came[0].querySelector(".by b")?.textContent ?? "");
  document.getElementById("arrived").textContent = words;
  if (wasAtEnd) return;
  const pill = document.getElementById("to-newest");
  const count = Number(pill.dataset.count ?? 0) + came.length;
  pill.dataset.count = count;
  pill.querySelector("span").textContent = count > 1 ? many.replace("{count}", count) : words;
  pill.dataset.first ??= came[0].id;
  pill.hidden = false;
}

function hidePill() {
  const pill = document.getElementById("to-newest");
  if (!pill || pill.hidden) return;
  pill.hidden = true;
  delete pill.dataset.count;
  delete pill.dataset.first;
}

document.addEventListener("click", (event) => {
  const pill = event.target.closest?.("#to-newest");
  if (!pill || isPast()) return;
  const first = document.getElementById(pill.dataset.first ?? "");
  event.preventDefault();
  if (first) first.scrollIntoView({ block: "start" });
  else timeline().scrollTop = 0;
  timeline().focus({ preventScroll: true });
  hidePill();
});

// -- The company's own fields ------------------------------------------------------------------------------

// News from others must neither close what one fills in nor take away what one has typed there: saving it
// then says what changed. After one's own saving the line that opens them has the focus.
let verb = "", wasIn = "";
const isTyped = (one) => (one.type === "checkbox" ? one.checked !== one.defaultChecked
  : one.matches("select") ? [...one.options].some((option) => option.selected !== option.defaultSelected && (option.selected || option.defaultSelected))
    : one.type !== "hidden" && one.value !== one.defaultValue);

document.addEventListener("htmx:beforeSwap", (event) => { verb = event.detail.requestConfig?.verb ?? ""; });
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target?.id !== "ticket-fields") return;
  wasIn = target.contains(document.activeElement) ? document.activeElement.id || "fields" : "";
  const open = target.querySelector("details[open]");
  if (!open || verb !== "get") return;
  if ([...open.querySelectorAll("input, select")].some(isTyped)) {
    event.detail.shouldSwap = false;
    wasIn = "";
  } else fragment?.querySelector("details")?.setAttribute("open", "");
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target?.id !== "ticket-fields" || !wasIn) return;
  const place = document.getElementById("ticket-fields");
  if (place.querySelector("[data-focus]")) return;
  const same = place.querySelector("details[open]") && document.getElementById(wasIn);
  (same || place.querySelector("summary"))?.focus({ preventScroll: true });
});

// -- The list beside the ticket ---------------------------------------------------------------------------

// A page that was opened on a ticket has the first rows alone; near their end come the others.
const pager = document.querySelector("#rows .pager");
if (timeline() && pager) {
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    document.getElementById("refresh")?.dispatchEvent(new CustomEvent("desk:lists"));
  }, { root: document.getElementById("list"), rootMargin: "400px" }).observe(pager);
}

document.addEventListener("htmx:afterSettle", arrive);
arrive();
