// A <dialog data-filled> opens once htmx has filled it and has its links and forms in hand, so that no
// key pressed in it is too early. Without JavaScript the same links lead to pages of their own.
const FIELD = ":is(input:not([type=hidden]), select, textarea)";

const first = (dialog) => dialog.querySelector("[data-focus]") ?? dialog.querySelector("[autofocus]")
  ?? dialog.querySelector(`.step-body :is(${FIELD}, button, a[href])`) ?? dialog.querySelector(FIELD);

document.addEventListener("htmx:afterSettle", ({ detail: { target: dialog } }) => {
  if (!dialog?.matches("dialog[data-filled]") || !dialog.firstElementChild) return;
  const isInside = document.activeElement !== dialog && dialog.contains(document.activeElement);
  if (dialog.open && isInside) return;
  if (!dialog.open) {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
    dialog.showModal();
  }
  const field = first(dialog);
  field?.focus();
  // What stands there is gone on with.
  if (field?.matches("textarea, input[type=text]")) field.setSelectionRange(field.value.length, field.value.length);
});

document.addEventListener("close", ({ target }) => {
  if (target.matches("dialog[data-filled]")) target.replaceChildren();
}, true);

document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("dialog[data-filled][open]");
  if (!dialog) return;
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  }
  // A click beside the sheet lands on the dialog itself; what was typed is not thrown away so easily.
  if (event.target === dialog && dialog.matches(".step") && !dialog.querySelector("textarea")) dialog.close();
});
