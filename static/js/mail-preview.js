// The frame of the page shows the mail as its form says it, a moment after each change; a press on the name
// of a variable writes it where the cursor stands.
const PAUSE = 500;
const form = document.querySelector("form[data-mail-preview]");
let frame = document.querySelector("iframe[name=mail-preview]");
let waiting, last;

function show() {
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  const said = JSON.stringify(fields);
  if (said === last) return;
  last = said;
  // Another frame each time: what is loaded into one that has shown something is a step for the Back button.
  const fresh = frame.cloneNode();
  frame.replaceWith(fresh);
  frame = fresh;
  const copy = document.createElement("form");
  Object.assign(copy, { method: "post", action: form.dataset.mailPreview, target: frame.name, hidden: true });
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    copy.append(field);
  }
  document.body.append(copy);
  copy.submit();
  copy.remove();
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
}

for (const name of ["input", "trix-change", "trix-initialize"]) form?.addEventListener(name, soon);
if (form) show();

let place;
form?.addEventListener("focusin", ({ target }) => {
  if (target.matches("trix-editor, input[type=text]")) place = target;
});
form?.addEventListener("click", ({ target }) => {
  const name = target.closest("[data-insert]")?.dataset.insert;
  if (!name) return;
  const into = place?.matches("input") ? place : form.querySelector("trix-editor") ?? form.querySelector("textarea");
  if (into.editor) into.editor.insertString(name);
  else into.setRangeText(name, into.selectionStart, into.selectionEnd, "end");
  into.focus();
  into.dispatchEvent(new Event("input", { bubbles: true }));
});
