// Rows of a settings list change places by dragging their grip. The arrow buttons beside each row do
// the same by keyboard and without JavaScript; this only adds the drag, and sends the whole order.
let dragged = null;

const lines = (form) => [...form.querySelectorAll("[data-line]")];

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("[data-grip]");
  const line = grip?.closest("[data-line]");
  if (!line || event.button !== 0) return;
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  dragged = { line, form: line.closest("[data-reorder]"), before: lines(line.closest("[data-reorder]")).map((one) => one.dataset.line).join() };
  line.dataset.dragged = "";
});

document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const { line, form } = dragged;
  const others = lines(form).filter((one) => one !== line && one.dataset.group === line.dataset.group);
  const below = others.find((one) => {
    const box = one.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  });
  if (below) {
    if (line.nextElementSibling !== below) below.before(line);
  } else if (others.length && others.at(-1).nextElementSibling !== line) {
    others.at(-1).after(line);
  }
});

function drop({ keep }) {
  if (!dragged) return;
  const { line, form, before } = dragged;
  dragged = null;
  delete line.dataset.dragged;
  const order = lines(form).map((one) => one.dataset.line).join();
  if (order === before) return;
  if (!keep) {
    const places = new Map(lines(form).map((one) => [one.dataset.line, one]));
    for (const pk of before.split(",")) line.parentElement.append(places.get(pk));
    return;
  }
  form.elements.order.value = order;
  form.requestSubmit();
}

document.addEventListener("pointerup", () => drop({ keep: true }));
document.addEventListener("pointercancel", () => drop({ keep: false }));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") drop({ keep: false });
});
