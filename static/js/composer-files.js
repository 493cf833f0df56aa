// Files and pictures that are chosen, dropped or pasted go to the server at once, with progress, while
// the agent writes on. A picture that is pasted or dropped into the text stands in the text.
import { size } from "helpdesk/drop";
import { ask } from "helpdesk/composer-draft";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const token = () => { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; } };

function line(form, name, bytes) {
  const item = document.createElement("li");
  const title = document.createElement("span");
  title.className = "truncate";
  title.dir = "auto";
  title.textContent = name;
  const weight = document.createElement("small");
  weight.textContent = size(bytes);
  const progress = document.createElement("progress");
  progress.max = 100;
  progress.value = 0;
  progress.setAttribute("aria-label", form.dataset.wordUploading.replace("{name}", name));
  item.append(title, weight, progress);
  return item;
}

function removeButton(form, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.dataset.kind = "quiet";
  button.dataset.size = "s";
  button.dataset.remove = "";
  button.setAttribute("aria-label", `${form.dataset.wordRemove} ${name}`);
  button.textContent = "\u00d7";
  return button;
}

/** Send what is chosen, dropped or pasted in the form. */
export function takeFiles(form, editor) {
  const list = form.querySelector("#uploads");
  const input = form.querySelector("input[type=file]");
  const total = () => [...list.children].reduce((sum, item) => sum + Number(item.dataset.size ?? 0), 0);

  const refuse = (item, text) => {
    item.dataset.bad = "";
    item.querySelector("progress")?.remove();
    const why = document.createElement("span");
    why.className = "why";
    why.setAttribute("role", "alert");
    why.textContent = text;
    item.append(why, removeButton(form, item.querySelector(".truncate").textContent));
  };

  function send(file, { isInline }) {
    const item = line(form, file.name, file.size);
    item.dataset.size = file.size;
    list.append(item);
    if (total() > Number(form.dataset.maxBytes)) {
      delete item.dataset.size;
      refuse(item, form.dataset.wordMuch);
      return;
    }
    item.dataset.moving = "";
    const request = new XMLHttpRequest();
    const data = new FormData();
    data.append("file", file, file.name);
    if (isInline) data.append("inline", "1");
    request.upload.addEventListener("progress", (event) => {
      const bar = item.querySelector("progress");
      if (bar && event.lengthComputable) bar.value = (event.loaded / event.total) * 100;
    });
    const failed = (text) => { delete item.dataset.moving; delete item.dataset.size; refuse(item, text); };
    request.addEventListener("error", () => failed(form.dataset.wordFailed));
    request.addEventListener("load", () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* a page, not an answer */ }
      if (request.status !== 201) { failed(told.error ?? form.dataset.wordFailed); return; }
      delete item.dataset.moving;
      if (told.isInline) {
        item.remove();
        editor.editor.insertAttachment(new window.Trix.Attachment({
          url: told.url, contentType: file.type, filename: told.name, previewable: true,
        }));
        return;
      }
      item.dataset.upload = told.key;
      item.querySelector("progress").remove();
      item.append(removeButton(form, told.name));
    });
    request.open("POST", form.dataset.uploadUrl);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Accept", "application/json");
    request.send(data);
  }

  // Trix would show a picture before it is sent, from an address that our policy does not know.
  editor.addEventListener("trix-file-accept", (event) => {
    event.preventDefault();
    send(event.file, { isInline: PICTURES.includes(event.file.type) });
  });
  editor.addEventListener("trix-attachment-add", ({ attachment }) => {
    // Pasted from another page: whatever it shows is not ours to send.
    if (!attachment.getAttribute("url")?.includes("/uploads/")) attachment.remove();
  });
  form.addEventListener("change", (event) => {
    if (event.target !== input || !input.files.length) return;
    event.stopPropagation();
    for (const file of input.files) send(file, { isInline: false });
    input.value = "";
  }, true);
  for (const name of ["drop", "paste"]) {
    form.addEventListener(name, (event) => {
      const files = [...((event.dataTransfer ?? event.clipboardData)?.files ?? [])];
      if (!files.length || event.target.closest("trix-editor")) return;
      event.preventDefault();
      event.stopPropagation();
      for (const file of files) send(file, { isInline: false });
    });
  }
  // What the editor has taken is not taken a second time by the form's file field.
  editor.addEventListener("paste", (event) => { if (event.clipboardData?.files.length) event.stopPropagation(); });
  editor.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) event.stopPropagation(); });

  list.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const item = button.closest("li");
    const next = item.nextElementSibling?.querySelector("button") ?? form.querySelector("input[type=file]");
    if (item.dataset.upload) {
      const answer = await ask(`${form.dataset.uploadUrl.replace(/tickets\/\d+\/uploads\/$/, "uploads/")}${item.dataset.upload}/remove/`, new FormData()).catch(() => null);
      if (!answer?.ok && answer?.status !== 404) return;
    }
    item.remove();
    next?.focus();
  });

  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== form || !list.querySelector("[data-moving]")) return;
    event.preventDefault();
    form.querySelector("#draft-state").textContent = form.dataset.wordWaiting;
  });
}
