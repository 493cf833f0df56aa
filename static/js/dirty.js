// Typed text is not lost: leaving a form of data-dirty with unsent text asks first, and the text of a
// form of data-keep="<key>" stays in this tab until it is sent, or with data-keep-long in this browser.
import { say, word } from "helpdesk/toast";

const KEEP = "keep:", LONG = "long:", SENT = "sent:", OURS = "ours:";
const shelf = (key) => (key.startsWith(`${KEEP}${LONG}`) ? localStorage : sessionStorage);
const store = {
  get: (key) => { try { return shelf(key).getItem(key); } catch { return null; } },
  set: (key, value) => { try { shelf(key).setItem(key, value); } catch { /* full, or not allowed */ } },
  drop: (key) => { try { shelf(key).removeItem(key); } catch { /* not allowed */ } },
};
// data-rich is the field of an editor: hidden, it knows no default value, and says itself what is kept.
const fields = (form) => [...form.querySelectorAll("textarea:enabled, input[data-rich], input:not([type]), input:is([type=text], [type=email], [type=search], [type=tel], [type=url])")];
const kept = (form) => fields(form).filter((field) => field.name && field.matches("textarea, [type=text], [data-rich]"));
const clean = (field) => (field.dataset.rich === undefined ? field.defaultValue : field.dataset.clean ?? field.value);
const keyOf = (form, field) => `${KEEP}${form.dataset.keepLong === undefined ? "" : LONG}${form.dataset.keep}:${field.name}`;
// Which draft of the server's the typed text goes on with: a newer one there is not overruled by ours.
const baseOf = (form) => form.elements.draft?.value ?? "";
const wordsOf = (html) => new DOMParser().parseFromString(html, "text/html").body.textContent.trim();
const isNewer = (form, field) => field.matches("[data-rich]") && (store.get(`${keyOf(form, field)}:base`) === baseOf(form)
  || ours(form).some((html) => wordsOf(html) === wordsOf(field.value)));
const isDirty = (form) => form.dataset.sending === undefined
  && fields(form).some((field) => field.value.trim() && field.value !== clean(field));

/** Whether a form on the page holds unsent text. */
export const hasUnsent = () => [...document.querySelectorAll("form[data-dirty]")].some(isDirty);

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-keep]");
  if (!form || !kept(form).includes(event.target)) return;
  const key = keyOf(form, event.target);
  if (event.target.value.trim()) store.set(key, event.target.value);
  else store.drop(key);
  if (event.target.matches("[data-rich]")) store.set(`${key}:base`, baseOf(form));
});

document.addEventListener("submit", (event) => {
  queueMicrotask(() => {
    const form = event.target;
    if (!form.matches("form[data-dirty], form[data-keep]")) return;
    if (event.defaultPrevented) return; // htmx says below how it went
    form.dataset.sending = "";
    if (form.dataset.keep) store.set(SENT + form.dataset.keep, "1");
  });
});

/** What this tab has sent of the form to be kept elsewhere, and was not answered about: when the server has it,
    what was typed since goes on with it. */
export function ours(form) {
  try { return JSON.parse(store.get(OURS + form.dataset.keep) ?? "[]"); } catch { return []; }
}
const MOST = 3;
export function isOnItsWay(form, html) {
  store.set(OURS + form.dataset.keep, JSON.stringify([html, ...ours(form).filter((one) => one !== html)].slice(0, MOST)));
}

/** What was typed since the form was kept elsewhere goes on with that. */
export function goOn(form) {
  for (const field of kept(form)) {
    if (store.get(keyOf(form, field)) !== null) store.set(`${keyOf(form, field)}:base`, baseOf(form));
  }
  store.drop(OURS + form.dataset.keep);
}

/** What is typed into the form is kept elsewhere now, or sent. */
export function forget(form) {
  store.drop(OURS + form.dataset.keep);
  for (const field of kept(form)) {
    store.drop(keyOf(form, field));
    store.drop(`${keyOf(form, field)}:base`);
  }
  store.drop(SENT + form.dataset.keep);
}

document.addEventListener("htmx:afterRequest", (event) => {
  // Of a form that the answer has replaced, htmx tells whoever stood around it; the request knows it.
  const sender = event.detail.requestConfig?.elt ?? event.detail.elt;
  const form = sender?.closest?.("form[data-keep]");
  if (!form) return;
  // htmx calls an answer that leads to another page neither successful nor failed.
  if (event.detail.successful || event.detail.xhr?.getResponseHeader("HX-Redirect")) forget(form);
});

function restore(root) {
  const [entry] = performance.getEntriesByType("navigation");
  const cameBack = entry?.type === "back_forward";
  for (const form of root.querySelectorAll?.("form[data-keep]") ?? []) {
    const wasSent = store.get(SENT + form.dataset.keep) !== null;
    store.drop(SENT + form.dataset.keep);
    let restored = false;
    for (const field of kept(form)) {
      const text = store.get(keyOf(form, field));
      if (text === null || field.value.trim() && (field.value === text || !isNewer(form, field))) continue;
      if (wasSent && !cameBack) { store.drop(keyOf(form, field)); continue; }
      field.value = text;
      field.dataset.restored = "";
      restored = true;
    }
    if (restored) say(word("kept"));
  }
}
restore(document);
document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) restore(event.detail.elt); });

addEventListener("beforeunload", (event) => {
  if (hasUnsent()) event.preventDefault();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});
