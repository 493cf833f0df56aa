// Makes a file input a place to drop files on, with a list, sizes, removing and progress.
// What is chosen stays in the input itself, so that the form is sent as without this module.
const lists = new WeakMap();

/** Bytes as the page's language writes them: "1.8 MB". */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) { bytes /= 1024; at += 1; }
  const language = document.documentElement.lang || "en";
  return new Intl.NumberFormat(language, {
    style: "unit", unit: units[at], unitDisplay: "short", maximumFractionDigits: at > 1 ? 1 : 0,
  }).format(bytes);
}

function put(input, files) {
  const kept = new DataTransfer();
  for (const file of files) kept.items.add(file);
  input.files = kept.files;
  lists.set(input, [...kept.files]);
  show(input);
}

function show(input) {
  const drop = input.closest("[data-drop]");
  const files = lists.get(input) ?? [];
  const list = drop.querySelector(".chosen");
  const total = files.reduce((sum, file) => sum + file.size, 0);
  list.replaceChildren(...files.map((file, at) => {
    const line = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = file.name;
    const weight = document.createElement("small");
    weight.textContent = size(file.size);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "\u00d7";
    remove.setAttribute("aria-label", `${drop.dataset.wordRemove} ${file.name}`);
    remove.addEventListener("click", () => {
      put(input, files.filter((_, index) => index !== at));
      (drop.querySelectorAll(".chosen button")[at] ?? input).focus();
    });
    line.append(name, weight, remove);
    return line;
  }));
  const much = drop.dataset.maxBytes && total > Number(drop.dataset.maxBytes);
  const many = drop.dataset.maxFiles && files.length > Number(drop.dataset.maxFiles);
  const wrong = (much && drop.dataset.wordMuch) || (many && drop.dataset.wordMany) || "";
  input.setCustomValidity(wrong);
  drop.querySelector("[data-error]").textContent = wrong;
  drop.toggleAttribute("data-bad", Boolean(wrong));
}

/** Prepare the file inputs under `root`. */
export function ready(root) {
  for (const drop of root.querySelectorAll?.("[data-drop]:not([data-ready])") ?? []) {
    drop.dataset.ready = "";
  }
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches('[data-drop] input[type="file"]')) return;
  const before = input.multiple ? lists.get(input) ?? [] : [];
  const same = (one, other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
  const added = [...input.files].filter((file) => !before.some((old) => same(old, file)));
  put(input, [...before, ...added]);
});

const place = (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return null;
  return event.target.closest?.("[data-drop]") ?? event.target.closest?.("form")?.querySelector("[data-drop]");
};
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    const drop = place(event);
    if (!drop) return;
    event.preventDefault();
    drop.dataset.over = "";
  });
}
for (const name of ["dragleave", "drop", "dragend"]) {
  document.addEventListener(name, (event) => {
    const drop = place(event);
    if (drop && !(name === "dragleave" && drop.contains(event.relatedTarget))) delete drop.dataset.over;
  });
}
document.addEventListener("drop", (event) => {
  const drop = place(event);
  const input = drop?.querySelector('input[type="file"]');
  if (!input || input.disabled) return;
  event.preventDefault();
  const before = input.multiple ? lists.get(input) ?? [] : [];
  const dropped = [...event.dataTransfer.files];
  put(input, input.multiple ? [...before, ...dropped] : dropped.slice(0, 1));
});
document.addEventListener("reset", (event) => {
  queueMicrotask(() => event.target.querySelectorAll('[data-drop] input[type="file"]').forEach((input) => put(input, [])));
});

// Files that are pasted into a form's text (a picture of the screen) are attached.
document.addEventListener("paste", (event) => {
  const input = event.target.closest?.("form")?.querySelector('[data-drop] input[type="file"]');
  const files = [...(event.clipboardData?.files ?? [])];
  if (!input || !files.length) return;
  event.preventDefault();
  put(input, [...(lists.get(input) ?? []), ...files]);
});

document.addEventListener("htmx:xhr:progress", (event) => {
  const progress = event.target.closest?.("form")?.querySelector("[data-drop] progress");
  if (!progress || !event.detail.lengthComputable) return;
  progress.hidden = false;
  progress.value = (event.detail.loaded / event.detail.total) * 100;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const progress = event.target.closest?.("form")?.querySelector("[data-drop] progress");
  if (progress) progress.hidden = true;
});

document.addEventListener("htmx:load", (event) => ready(event.detail.elt));
ready(document);
