// A form is sent once: the second click of an impatient hand does nothing. The button keeps its
// name and value (it is not disabled, which would leave them out) and shows that it works.
const forms = new Set();

function hold(form, submitter) {
  form.dataset.busy = "";
  forms.add(form);
  const button = submitter?.closest(".button-pair")?.querySelector(".button") ?? submitter;
  if (!button?.matches(".button")) return;
  button.dataset.loading = "";
  button.setAttribute("aria-busy", "true");
}

function release(form) {
  forms.delete(form);
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("[data-loading]")) {
    delete button.dataset.loading;
    button.removeAttribute("aria-busy");
  }
}

// Before anyone else hears of it: the second time is not a submission at all.
addEventListener("submit", (event) => {
  if (event.target.dataset.busy === undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// After everyone else has: whoever prevented it sends the form in their own way, or not at all.
addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method !== "get") hold(event.target, event.submitter);
});

// htmx forgets a pressed button that has lost the focus by then, as one in a closing menu may. The browser does not.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const button = detail.triggeringEvent?.submitter;
  if (!button || button.form !== detail.elt) return;
  if (button.name && !detail.formData.has(button.name)) detail.parameters[button.name] = button.value;
  if (button.hasAttribute("formaction")) detail.path = button.getAttribute("formaction");
});

document.addEventListener("htmx:beforeSend", (event) => {
  const { elt, requestConfig } = event.detail;
  if (elt.matches("form")) hold(elt, requestConfig.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt?.closest?.("form");
  if (form) release(form);
});

// Back from the cache of the browser: the page is as it was left, and may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of forms) release(form);
});
