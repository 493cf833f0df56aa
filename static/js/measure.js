// How long a ticket was in front of somebody: seconds in which its page was visible and somebody
// moved on it. Told every minute and when the page is left; only if the company wants it.
const IDLE = 60_000;
const TELL_EVERY = 60;

let url = "";
let seconds = 0;
let active = performance.now();

const wanted = () => document.getElementById("ticket-head")?.dataset.measure ?? "";

function tell() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (url && seconds && token) {
    const body = new FormData();
    body.set("seconds", String(seconds));
    body.set("csrfmiddlewaretoken", token);
    navigator.sendBeacon(url, body);
  }
  seconds = 0;
}

for (const name of ["pointermove", "pointerdown", "keydown", "scroll"]) {
  document.addEventListener(name, () => { active = performance.now(); }, { passive: true, capture: true });
}

setInterval(() => {
  const now = wanted();
  if (now !== url) { tell(); url = now; }
  if (!url || document.hidden || performance.now() - active > IDLE) return;
  seconds += 1;
  if (seconds >= TELL_EVERY) tell();
}, 1000);

document.addEventListener("visibilitychange", () => { if (document.hidden) tell(); });
addEventListener("pagehide", tell);
