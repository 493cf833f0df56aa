// A box that ticks all boxes of a name in its form, and buttons that ask before they send it.
document.addEventListener("change", (event) => {
  const all = event.target.form?.querySelector("[data-tick-all]");
  if (!all) return;
  const boxes = [...all.form.elements].filter((one) => one.name === all.dataset.tickAll);
  if (event.target === all) for (const box of boxes) box.checked = all.checked;
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-sure]");
  if (button && !window.confirm(button.dataset.sure)) event.preventDefault();
});

for (const all of document.querySelectorAll("[data-tick-all]")) all.closest("label").hidden = false;
