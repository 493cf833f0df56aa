// A form that came too often says so in itself, with what was typed: the answer is shown like any
// other that names a fault.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event;
  if (detail.xhr.status !== 429 || !detail.requestConfig.elt?.matches("form[data-keep]")) return;
  detail.shouldSwap = true;
  detail.isError = false;
});
