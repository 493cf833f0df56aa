// What every page does. Each module listens on the document, so that it survives htmx swaps.
import "helpdesk/theme";
import "helpdesk/menu";
import "helpdesk/drop";
import "helpdesk/toast";
import "helpdesk/submit-once";
import "helpdesk/dirty";
import "helpdesk/keys";
import "helpdesk/live";
import { say, word } from "helpdesk/toast";

document.documentElement.dataset.js = "";

// A form that came back with errors: the list of what is wrong takes the focus and is read out.
const focusOn = (root) => root.querySelector?.("[data-focus]")?.focus();
focusOn(document);
// What is new begins with its first field.
if (document.activeElement === document.body) document.querySelector("form[data-begin] :is(input:not([type=hidden]), textarea)")?.focus();
document.addEventListener("htmx:afterSettle", (event) => focusOn(event.detail.elt));

document.addEventListener("htmx:sendError", () => say(word("failed"), "bad"));
document.addEventListener("htmx:timeout", () => say(word("failed"), "bad"));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 429) say(word("busy"), "warn");
  else if (status >= 500) say(word("failed"), "bad");
  else say(word("refused"), "bad");
});

// A request that a newer one replaces is no error, though htmx writes it down as one.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => {
  const end = xhr.onabort;
  xhr.onabort = (event) => {
    const { error } = console;
    console.error = () => {};
    try { end?.call(xhr, event); } finally { console.error = error; }
  };
});

// A session that ended redirects a fragment's request to the page to log in at: that is a page of its own.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location.href).pathname;
  const came = new URL(xhr.responseURL || requestConfig.path, location.href).pathname;
  const isPage = /^\s*<!doctype/i.test(xhr.responseText);
  if (asked === came || !isPage || requestConfig.boosted || requestConfig.elt?.closest("[hx-select]")) return;
  event.preventDefault();
  location.assign(xhr.responseURL);
});
