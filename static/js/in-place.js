// A value that is changed in its place: Escape leaves it as it was.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const form = event.target.closest?.(".in-place");
  if (!form) return;
  const adding = form.closest("details.adding");
  if (adding) {
    adding.open = false;
    adding.querySelector("summary").focus();
  } else {
    form.querySelector("[data-cancel]")?.click();
  }
  event.stopPropagation();
});
