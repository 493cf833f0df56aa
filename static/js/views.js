// Putting lines into another order: by dragging, or with Alt and an arrow key on a line in focus.
// Lists of [data-sidebar] (and the sidebar itself) send their new order; those of [data-sortable]
// are part of a form, which is told that it changed.
const LINES = "[data-pin], [data-sortable] > li[draggable]";
let dragged = null;

const siblings = (line) => [...line.parentElement.querySelectorAll(":scope > [data-pin], :scope > li[draggable]")];

function changed(line) {
  const list = line.closest("[data-sortable]");
  if (list) {
    list.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  const order = siblings(line).map((one) => one.dataset.pin).filter(Boolean);
  const data = new URLSearchParams(order.map((slug) => ["order", slug]));
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  const url = document.getElementById("nav")?.dataset.sidebar ?? "/desk/views/sidebar/";
  fetch(url, { method: "POST", body: data, headers: { ...headers, "HX-Request": "true" } });
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(LINES) ?? null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.textContent.trim());
  dragged.dataset.dragged = "";
});
document.addEventListener("dragover", (event) => {
  const over = event.target.closest?.(LINES);
  if (!dragged || !over || over === dragged || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  if (event.clientY < box.top + box.height / 2) over.before(dragged);
  else over.after(dragged);
});
document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
document.addEventListener("dragend", () => {
  if (!dragged) return;
  delete dragged.dataset.dragged;
  changed(dragged);
  dragged = null;
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const line = event.target.closest?.(LINES);
  if (!line) return;
  const all = siblings(line);
  const other = all[all.indexOf(line) + (event.key === "ArrowUp" ? -1 : 1)];
  if (!other) return;
  event.preventDefault();
  if (event.key === "ArrowUp") other.before(line);
  else other.after(line);
  event.target.focus();
  changed(line);
});
