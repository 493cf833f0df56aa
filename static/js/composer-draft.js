// A draft is kept on the server while it is typed, and is there on the next machine. Another window
// that goes on with the same draft is told instead of overwritten.
import { forget, goOn, isOnItsWay, ours } from "helpdesk/dirty";
import { settle } from "helpdesk/editor";

const PAUSE = 1200;
const token = () => { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; } };

/** Ask the server as our pages do, in JSON. */
export const ask = (url, body, more = {}) => fetch(url, {
  method: "POST", body, redirect: "manual", ...more,
  headers: { "X-CSRFToken": token(), Accept: "application/json" },
});

const content = (form) => {
  const data = new FormData(form);
  for (const name of ["files", "then", "seen", "anyway", "warned", "csrfmiddlewaretoken"]) data.delete(name);
  return data;
};
const spoken = (data) => JSON.stringify([...data].filter(([name]) => name !== "draft"));
const isSmall = (data) => JSON.stringify([...data]).length < 60_000; // what a browser sends after leaving

/** Keep what is typed into the form on the server. */
export function keepDraft(form, editor) {
  const version = form.elements.draft;
  const state = form.querySelector("#draft-state");
  const drop = form.querySelector("#draft-drop");
  let timer, kept = spoken(content(form)), leftWith = "", isOver = false, isGoing = false;
  let underWay = 0, turn = 0, answered = 0, latest;

  const say = (text, isBad = false) => {
    state.textContent = text;
    state.toggleAttribute("data-bad", isBad);
  };
  const warn = ({ warning = "", warned = "" }) => {
    const line = form.querySelector("#coming-back");
    line.hidden = !warning;
    line.querySelector("span").textContent = warning;
    form.elements.warned.value = warned;
  };
  const showDrop = () => { drop.hidden = !version.value; };
  showDrop();

  function save({ isLeaving = false } = {}) {
    clearTimeout(timer);
    timer = undefined;
    if (isOver || !form.isConnected && !isLeaving || form.dataset.busy !== undefined) return;
    settle(editor);
    const data = content(form);
    const now = spoken(data);
    if (now === kept || isLeaving && now === leftWith) return;
    // One after the other; but whoever leaves has no later.
    if (underWay && !isLeaving) { timer = setTimeout(save, PAUSE); return; }
    const mine = ++turn;
    if (isLeaving) leftWith = now;
    for (const html of ours(form)) data.append("after", html);
    isOnItsWay(form, data.get("html"));
    underWay += 1;
    latest = tell(data, now, isLeaving, mine).finally(() => { underWay -= 1; });
  }

  async function tell(data, now, isLeaving, mine) {
    try {
      const answer = await ask(form.dataset.draftUrl, data, { keepalive: isLeaving && isSmall(data) });
      const told = await answer.json().catch(() => ({}));
      if (mine > answered) answered = mine;
      else return; // a later one was answered already
      if (answer.status === 409) {
        const { theirs } = told;
        if (theirs.saved && [data.get("html"), ...ours(form)].includes(theirs.html)) {
          // This window's own words contradict nobody.
          version.value = theirs.saved;
          if (theirs.html === data.get("html")) kept = now;
          else soon();
          say(theirs.at);
        } else conflict(theirs);
      } else if (answer.ok) {
        kept = now;
        version.value = told.saved;
        warn(told);
        settle(editor);
        const isAll = spoken(content(form)) === now;
        form.querySelector("[data-rich]").dataset.clean = data.get("html") ?? "";
        for (const name of ["to", "cc", "bcc"]) form.elements[name].defaultValue = data.get(name);
        // The next page may have been asked for already, and not know of this.
        if (!isGoing) (isAll ? forget : goOn)(form);
        say(told.at);
        showDrop();
      } else if (answer.status === 422) say(told.error, true);
      else say(form.dataset.wordLocal);
    } catch { say(form.dataset.wordLocal); timer = setTimeout(save, 10 * PAUSE); }
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
      if (form.elements.unquoted) form.elements.unquoted.checked = theirs.unquoted;
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
  // A draft that arrives behind the message that it became would stand there as if it was not sent.
  form.addEventListener("htmx:confirm", (event) => {
    if (!underWay || event.target !== form) return;
    event.preventDefault();
    form.dataset.busy = "";
    Promise.race([latest, new Promise((done) => { setTimeout(done, 3 * PAUSE); })]).then(() => event.detail.issueRequest(true));
  });
  const here = new AbortController();
  const { signal } = here;
  const leave = () => { if (form.isConnected) save({ isLeaving: true }); };
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); }, { signal });
  addEventListener("pagehide", leave, { signal });
  addEventListener("beforeunload", () => { isGoing = true; setTimeout(() => { isGoing = false; }, 10 * PAUSE); }, { signal });
  addEventListener("online", soon, { signal });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!form.isConnected) here.abort();
    else if (detail.target?.contains(form)) leave();
  }, { signal });

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
    if (form.elements.unquoted) form.elements.unquoted.checked = false;
    kept = spoken(content(form));
    forget(form);
    say("");
    showDrop();
  });
}
