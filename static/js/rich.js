// A textarea of data-rich becomes a rich-text editor: a signature, the text of a macro. What it holds
// may be plain text or HTML; what is sent is HTML. Without this module it stays a textarea.
import { asHtml, loadEditor } from "helpdesk/editor";

async function enhance(plain) {
  const template = document.getElementById("rich-toolbar");
  if (!template || plain.dataset.ready !== undefined) return;
  plain.dataset.ready = "";
  await loadEditor();
  if (!plain.isConnected) return;
  const box = document.createElement("div");
  box.className = "rich-box";
  const toolbar = template.content.querySelector("trix-toolbar").cloneNode(true);
  toolbar.id = `${plain.id}-toolbar`;
  toolbar.setAttribute("aria-controls", `${plain.id}-editor`);
  toolbar.hidden = false;
  const field = document.createElement("input");
  field.type = "hidden";
  field.id = `${plain.id}-html`;
  field.name = plain.name;
  field.value = !plain.value || plain.value.includes("<") ? plain.value : asHtml(plain.value);
  const editor = document.createElement("trix-editor");
  editor.id = `${plain.id}-editor`;
  editor.className = "rich";
  editor.setAttribute("input", field.id);
  editor.setAttribute("toolbar", toolbar.id);
  editor.setAttribute("role", "textbox");
  editor.setAttribute("aria-multiline", "true");
  editor.setAttribute("dir", "auto");
  const label = plain.labels[0];
  if (label) {
    label.id ||= `${plain.id}-label`;
    editor.setAttribute("aria-labelledby", label.id);
    label.addEventListener("click", () => editor.focus());
  }
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (plain.hasAttribute(name)) editor.setAttribute(name, plain.getAttribute(name));
  }
  // A text for many tickets carries no files of its own.
  editor.addEventListener("trix-file-accept", (event) => event.preventDefault());
  box.append(field, toolbar, editor);
  plain.disabled = plain.hidden = true;
  plain.after(box);
}

for (const plain of document.querySelectorAll("textarea[data-rich]")) enhance(plain);
