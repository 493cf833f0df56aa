// The composer of a ticket: rich text, recipients, sending by keyboard, and taking back what was sent.
// Without this module the same form is a plain textarea. Others listen: the form is #composer, its
// editor trix-editor (trix-change), its way to leave [name=mode].
import { keepDraft } from "helpdesk/composer-draft";
import { takeFiles } from "helpdesk/composer-files";
import { suggest } from "helpdesk/composer-suggest";
import { asHtml, loadEditor, settle } from "helpdesk/editor";

export const composer = () => document.querySelector("form[data-composer]");
export const editorOf = (form) => form?.querySelector("trix-editor");

/** Put the cursor where the message is written. */
export function focus(form) {
  const editor = editorOf(form);
  if (editor?.editor) editor.focus();
  else form.querySelector("textarea[name=text]")?.focus();
}

// What was taken back is written on: the composer that it comes back in has the cursor.
let wantsFocus = false;
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-undo-send]")) wantsFocus = true;
});

// When it was sent from, the keyboard goes on where the answer stands.
let wasIn = false;
document.addEventListener("htmx:oobBeforeSwap", ({ target }) => {
  if (target.id === "composer") wasIn = target.contains(document.activeElement);
});
document.addEventListener("htmx:afterSettle", () => {
  if (wasIn && document.activeElement === document.body) document.querySelector(".timeline")?.focus({ preventScroll: true });
  wasIn = false;
});

async function enhance(form) {
  if (form.dataset.ready !== undefined) return;
  form.dataset.ready = "";
  await loadEditor();
  if (!form.isConnected) return;
  const plain = form.querySelector("textarea[name=text]");
  const rich = form.querySelector("[data-rich]");
  const isBack = wantsFocus;
  wantsFocus = false;
  const hadFocus = document.activeElement === plain || isBack;
  rich.dataset.clean = "";
  if (plain.value !== plain.defaultValue) rich.value = asHtml(plain.value); // restored, or typed meanwhile
  plain.disabled = plain.hidden = true;
  rich.disabled = false;
  const editor = document.createElement("trix-editor");
  editor.id = "composer-editor";
  editor.className = "rich";
  editor.setAttribute("input", rich.id);
  editor.setAttribute("toolbar", "composer-toolbar");
  for (const name of ["aria-label", "aria-describedby", "placeholder", "dir"]) {
    editor.setAttribute(name, plain.getAttribute(name));
  }
  editor.setAttribute("role", "textbox");
  editor.setAttribute("aria-multiline", "true");
  editor.addEventListener("trix-initialize", () => {
    if (form.elements.draft.value && rich.dataset.restored === undefined) rich.dataset.clean = rich.value;
    form.querySelector("trix-toolbar").hidden = false;
    keepDraft(form, editor);
    takeFiles(form, editor);
    suggest(form, editor);
    if (hadFocus) focus(form);
    if (isBack) editor.editor.setSelectedRange(editor.editor.getDocument().getLength() - 1);
    form.dispatchEvent(new CustomEvent("composer:ready", { bubbles: true }));
  }, { once: true });
  plain.after(editor);
  plain.removeAttribute("aria-label"); // there is one field of this name
}

// The form's own field hears of it, so that whoever keeps typed text keeps this too.
document.addEventListener("trix-change", (event) => {
  event.target.inputElement?.dispatchEvent(new Event("input", { bubbles: true }));
});
// -- To whom ---------------------------------------------------------------------------------------

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("form[data-composer]");
  if (!form || target.name !== "mode") return;
  const more = form.querySelector("#recipients");
  if (target.value === "forward") more.open = true;
  if (target.value === "reply_all") {
    const cc = form.elements.cc;
    const named = new Set(cc.value.split(/[\s,;]+/).filter(Boolean));
    for (const one of form.dataset.others.split(", ").filter(Boolean)) named.add(one);
    cc.value = [...named].join(", ");
    more.open = true;
    cc.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (target.value === "forward" && !form.elements.to.value) form.elements.to.focus();
  else focus(form);
});

// A small screen shows all of it from the first time that one writes, and does not take it back: what is
// pressed beside it would move under the finger.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches?.("trix-editor")) target.closest("form[data-composer]")?.setAttribute("data-used", "");
});

// The way that is chosen already is chosen again by its key: then one wants to write.
document.addEventListener("click", ({ target }) => {
  const form = target.matches?.("[name=mode]") && target.closest("form[data-composer]");
  if (form) focus(form);
});

// Some message has a button that forwards it: <button data-forward="17">.
document.addEventListener("click", (event) => {
  const forward = event.target.closest?.("[data-forward]");
  const form = forward && composer();
  if (!form) return;
  event.preventDefault();
  form.elements.forwards.value = forward.dataset.forward;
  form.querySelector("[name=mode][value=forward]").click();
});

// -- Sending by keyboard -------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const form = composer();
  if (!form || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  if (event.key === "Backspace" && event.shiftKey) {
    const undo = [...document.querySelectorAll("[data-undo-send]")].at(-1);
    if (undo) { event.preventDefault(); event.stopPropagation(); undo.click(); }
    return;
  }
  if (event.key !== "Enter" || !form.contains(event.target)) return;
  event.preventDefault();
  event.stopPropagation();
  const isNote = form.elements.mode.value === "note";
  const how = isNote ? "" : event.shiftKey ? "solved" : event.altKey ? "pending" : "";
  const button = how ? form.querySelector(`[data-send=${how}]`) : form.querySelector("#send");
  settle(editorOf(form));
  button.click();
}, true);

// Letters of the single keys, the caret's and the editor's own, are the editor's.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest?.("trix-editor")) return;
  document.querySelector(".timeline")?.focus();
});

// -- What was sent and can be taken back ---------------------------------------------------------------

let counting;
function countDown() {
  clearTimeout(counting);
  const all = [...document.querySelectorAll("[data-held]")];
  if (!all.length) return;
  for (const held of all) {
    const left = Math.ceil((new Date(held.dataset.held) - Date.now()) / 1000);
    const words = held.querySelector("[data-word]");
    if (words) words.textContent = left > 0 ? words.dataset.word.replace("{seconds}", left) : words.dataset.wordNow;
    if (left <= 0) held.querySelector("form")?.setAttribute("hidden", "");
    // The page hears of it by a hint; where none comes, it asks.
    if (left < 0 && left % 3 === 0) document.getElementById("look")?.dispatchEvent(new CustomEvent("desk:look"));
  }
  counting = setTimeout(countDown, 1000);
}

const ready = (root) => {
  const form = root.matches?.("form[data-composer]") ? root : root.querySelector?.("form[data-composer]");
  if (form) enhance(form);
  countDown();
};
document.addEventListener("htmx:load", (event) => ready(event.detail.elt));
document.addEventListener("htmx:oobAfterSwap", (event) => ready(event.detail.target ?? document));
document.addEventListener("htmx:afterSettle", () => ready(document));
ready(document);
