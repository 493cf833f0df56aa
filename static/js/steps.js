// A step of work that asks something first is fetched into one dialog over the ticket's page.
// Without JavaScript the same links lead to pages of their own.
const step = () => document.getElementById("step");

document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = step();
  if (event.detail.target !== dialog || !dialog.firstElementChild) return;
  if (!dialog.open) {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
    dialog.showModal();
  }
  const first = dialog.querySelector("[data-focus]") ?? dialog.querySelector("[autofocus]")
    ?? dialog.querySelector(".step-body :is(input:not([type=hidden]), select, textarea, button, a[href])");
  first?.focus();
});

// What the step changed is on the page beneath it.
document.addEventListener("step:done", () => step()?.close());

document.addEventListener("close", (event) => {
  if (event.target === step()) event.target.replaceChildren();
}, true);

document.addEventListener("click", (event) => {
  const dialog = step();
  if (!dialog?.open) return;
  if (event.target.closest?.("[data-close]")) dialog.close();
  // A click beside the sheet lands on the dialog itself; what was typed is not thrown away so easily.
  if (event.target === dialog && !dialog.querySelector("textarea")) dialog.close();
});
