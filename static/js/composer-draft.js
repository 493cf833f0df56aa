// A draft is kept on the server while it is typed, and is there on the next machine. Another window
// that goes on with the same draft is told instead of overwritten.
import { forget } from "helpdesk/dirty";

const PAUSE = 1200;
const token = () => { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; } };

/** Ask the server as our pages do, in JSON. */
export const ask = (url, body, more = {}) => fetch(url, {
  method: "POST", body, redirect: "manual", ...more,
  headers: { "X-CSRFToken": token(), Accept: "application/json" },
});

const content = (form) => {
  const data = new FormData(form);
  for (const name of ["files", "then", "seen", "anyway", "csrfmiddlewaretoken"]) data.delete(name);
  return data;
};
const spoken = (data) => JSON.stringify([...data].filter(([name]) => name !== "draft"));
const isSmall = (data) => JSON.stringify([...data]).length < 60_000; // what a browser sends after leaving

/** Keep what is typed into the form on the server. */
export function keepDraft(form, editor) {
  const version = form.elements.draft;
  const state = form.querySelector("#draft-state");
  const drop = form.querySelector("#draft-drop");
  let timer, kept = spoken(content(form)), isBusy = false, isOver = false, isGoing = false;

  const say = (text, isBad = false) => {
    state.textContent = text;
    state.toggleAttribute("data-bad", isBad);
  };
  const showDrop = () => { drop.hidden = !version.value; };
  showDrop();

  async function save({ isLeaving = false } = {}) {
    clearTimeout(timer);
    timer = undefined;
    if (isOver || !form.isConnected && !isLeaving || form.dataset.busy !== undefined) return;
    const data = content(form);
    const now = spoken(data);
    if (now === kept) return;
    if (isBusy) { timer = setTimeout(save, PAUSE); return; }
    isBusy = true;
    try {
      const answer = await ask(form.dataset.draftUrl, data, { keepalive: isLeaving && isSmall(data) });
      if (answer.status === 409) {
        const { theirs } = await answer.json();
        // This window's own words, saved while it was being reloaded, contradict nobody.
        if (theirs.saved && theirs.html === data.get("html")) { version.value = theirs.saved; kept = now; say(theirs.at); } else conflict(theirs);
      }
      else if (answer.ok) {
        const told = await answer.json();
        kept = now;
        version.value = told.saved;
        form.querySelector("[data-rich]").dataset.clean = data.get("html") ?? "";
        for (const name of ["to", "cc", "bcc"]) form.elements[name].defaultValue = data.get(name);
        // The next page may have been asked for already, and not know of this.
        if (!isGoing) forget(form);
        say(told.at);
        showDrop();
      } else if (answer.status === 422) say((await answer.json()).error, true);
      else say(form.dataset.wordLocal);
    } catch { say(form.dataset.wordLocal); timer = setTimeout(save, 10 * PAUSE); }
    isBusy = false;
  }
  const soon = () => { timer ??= setTimeout(save, PAUSE); };

  function conflict(theirs) {
    isOver = true;
    say("");
    const place = form.querySelector(".notice-place");
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.dataset.tone = "warn";
    notice.setAttribute("role", "alert");
    const words = document.createElement("div");
    const title = document.createElement("b");
    title.textContent = theirs.saved ? form.dataset.wordConflict : form.dataset.wordGone;
    words.append(title);
    const button = (text, act) => {
      const one = document.createElement("button");
      one.type = "button";
      one.className = "button";
      one.dataset.size = "s";
      one.textContent = text;
      one.addEventListener("click", () => { notice.remove(); version.value = theirs.saved; isOver = false; act(); });
      words.append(one);
    };
    if (theirs.saved) button(form.dataset.wordTheirs, () => {
      for (const place of ["to", "cc", "bcc"]) form.elements[place].value = theirs[place];
      const mode = form.querySelector(`[name=mode][value="${theirs.mode}"]`);
      if (mode) mode.checked = true;
      editor.editor.loadHTML(theirs.html);
      kept = spoken(content(form));
      say(theirs.at);
    });
    button(form.dataset.wordMine, () => { kept = ""; save(); });
    notice.append(words);
    place.replaceChildren(notice);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("composer:save", () => save());
  // What this browser alone had kept goes on where it stopped.
  const rich = form.querySelector("[data-rich]");
  if (rich.dataset.restored !== undefined || rich.value && !version.value) { kept = ""; soon(); }
  const leave = () => { if (document.hidden) save({ isLeaving: true }); };
  document.addEventListener("visibilitychange", leave);
  addEventListener("pagehide", () => save({ isLeaving: true }));
  addEventListener("beforeunload", () => { isGoing = true; setTimeout(() => { isGoing = false; }, 10 * PAUSE); });
  addEventListener("online", soon);
  document.addEventListener("htmx:beforeSwap", function before() {
    if (!form.isConnected) document.removeEventListener("htmx:beforeSwap", before);
    else if (timer) save({ isLeaving: true });
  });

  drop.addEventListener("click", async () => {
    const before = form.querySelector("[data-rich]").value;
    const data = content(form);
    data.append("drop", "1");
    clearTimeout(timer);
    timer = undefined;
    isOver = true;
    editor.editor.loadHTML("");
    editor.focus();
    const answer = await ask(form.dataset.draftUrl, data).catch(() => null);
    isOver = false;
    if (!answer?.ok) {
      editor.editor.loadHTML(before);
      say(form.dataset.wordFailed, true);
      return;
    }
    version.value = "";
    form.querySelector("#uploads").replaceChildren();
    for (const name of ["to", "cc", "bcc", "forwards"]) form.elements[name].value = "";
    kept = spoken(content(form));
    forget(form);
    say("");
    showDrop();
  });
}
