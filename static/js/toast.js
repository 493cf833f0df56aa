// Short answers. The server puts them into #toasts, or sends an HX-Trigger header
// {"toast": {"text": "…", "tone": "good"}}; modules call say().
const STAYS = 6000;

/** A sentence in the reader's language, from the page. */
export const word = (name) => document.getElementById("words")?.dataset[name] ?? "";

/** Show a toast. Bad news stays until it is closed. */
export function say(text, tone = "") {
  const region = document.getElementById("toasts");
  const template = document.getElementById("toast-template");
  if (!region || !template || !text) return;
  if ([...region.querySelectorAll("[data-toast] > span")].some((span) => span.textContent === text)) return;
  const toast = template.content.querySelector("[data-toast]").cloneNode(true);
  toast.querySelector("span").textContent = text;
  if (tone) toast.dataset.tone = tone;
  region.append(toast);
}

function live(toast) {
  if (toast.dataset.live !== undefined) return;
  toast.dataset.live = "";
  toast.querySelector("[data-dismiss]")?.removeAttribute("hidden");
  if (toast.dataset.tone === "bad" || toast.dataset.tone === "warn") return;
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), STAYS); };
  const stop = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

const region = document.getElementById("toasts");
if (region) {
  const all = () => region.querySelectorAll("[data-toast]").forEach(live);
  new MutationObserver(all).observe(region, { childList: true });
  all();
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove();
});
document.addEventListener("toast", (event) => say(event.detail.text ?? event.detail.value, event.detail.tone));
