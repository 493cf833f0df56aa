// The rich-text editor, loaded by the first who needs it, as all of our pages want it.
let trix;
export const loadEditor = () => (trix ??= import("trix").then(({ default: Trix }) => {
  // What a mail can show: no headings that would tear its outline, no names below pictures.
  delete Trix.config.blockAttributes.heading1;
  Trix.config.attachments.preview.caption = { name: false, size: false };
  // A picture in a mail has no caption; its editor would also set styles that our policy refuses.
  Trix.controllers.AttachmentEditorController.prototype.install = function install() {
    this.makeElementMutable();
    this.addToolbar();
  };
  return Trix;
}));

/** Let the editor's field hold the newest letters, which it would get with the next frame: a page that is
    left or hidden has none. */
export const settle = (editor) => editor?.editorController?.inputController?.render?.();
const settleAll = () => { for (const editor of document.querySelectorAll("trix-editor")) settle(editor); };
for (const name of ["beforeunload", "pagehide"]) addEventListener(name, settleAll, true);
document.addEventListener("visibilitychange", settleAll, true);

/** Plain text as the editor takes it. */
export const asHtml = (text) => {
  const holder = document.createElement("div");
  holder.innerText = text;
  return `<div>${holder.innerHTML}</div>`;
};

// The buttons say what holds where the cursor stands.
for (const name of ["trix-attributes-change", "trix-change"]) {
  document.addEventListener(name, ({ target }) => {
    for (const button of target.toolbarElement?.querySelectorAll("[data-trix-attribute]") ?? []) {
      button.setAttribute("aria-pressed", String(target.editor.attributeIsActive(button.dataset.trixAttribute)));
    }
  });
}

// The toolbar is one stop of the Tab key; the arrow keys walk through it.
document.addEventListener("keydown", (event) => {
  const at = event.target.closest?.("trix-toolbar [data-trix-button-group] button");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!at || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const all = [...at.closest("trix-toolbar").querySelectorAll("[data-trix-button-group] button:not(:disabled)")];
  const forward = getComputedStyle(at).direction === "rtl" ? -step : step;
  const to = all[(all.indexOf(at) + forward + all.length) % all.length];
  for (const one of all) one.tabIndex = one === to ? 0 : -1;
  to.focus();
});
