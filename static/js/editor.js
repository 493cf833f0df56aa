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
