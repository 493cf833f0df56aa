// A form is sent once: the second click of an impatient hand does nothing. The button keeps its
// name and value (it is not disabled before the browser has read them) and shows that it works.
const forms = new Set();

function release(form) {
  forms.delete(form);
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("[data-loading]")) {
    delete button.dataset.loading;
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get" || form.matches("[data-theme-form]")) return;
  if (form.dataset.busy !== undefined) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  // Wait for the other listeners: whoever prevents the submission sends it in their own way, or not.
  queueMicrotask(() => {
    if (event.defaultPrevented && !event.target.matches("[hx-post], [hx-put], [hx-patch], [hx-delete], [data-boosted]")) return;
    form.dataset.busy = "";
    forms.add(form);
    const button = event.submitter?.closest(".button-pair")?.querySelector(".button") ?? event.submitter;
    if (button?.matches(".button")) {
      button.dataset.loading = "";
      button.setAttribute("aria-busy", "true");
    }
  });
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt?.closest?.("form");
  if (form) release(form);
});
for (const name of ["htmx:validation:halted", "htmx:sendAbort"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("form");
    if (form) release(form);
  });
}

// Back from the cache of the browser: the page is as it was left, and may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of forms) release(form);
});
