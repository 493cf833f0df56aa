// What pops up while one writes: "@" a colleague, "/" a macro or canned reply, ":" an emoji. The
// letters go on in the text; arrows choose, Enter or Tab takes, Escape leaves.
import { emoji } from "helpdesk/composer-emoji";
import { ask } from "helpdesk/composer-draft";
import { say } from "helpdesk/toast";

const TYPED = /(?:^|[\s(])([@/:])([\p{L}\p{N}_ '’.-]{0,30})$/u;
const CLOSE = /^[,.;:!?…)\]]$/; // stands close to the word before it
const AT_MOST = 8;
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

async function load(url, name) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? (await answer.json())[name] : [];
}

/** Offer suggestions in the form's editor. */
export function suggest(form, editor) {
  const box = form.querySelector("#suggestions");
  const text = () => editor.editor.getDocument().toString();
  const known = {};
  let options = [], at = 0, isTyped = false, asked = 0, ignored = "", isAsked = false, called = -1;
  const ROW = 10; // faces beside one another, as the style sheet lays them

  const close = () => {
    box.hidden = true;
    isTyped = isAsked = false;
    asked += 1;
    editor.removeAttribute("aria-activedescendant");
    editor.setAttribute("aria-expanded", "false");
  };

  function show(list, { areFaces = false } = {}) {
    options = list;
    at = 0;
    box.toggleAttribute("data-faces", areFaces);
    box.replaceChildren(...list.map((one, index) => {
      const option = document.createElement("div");
      option.setAttribute("role", "option");
      option.id = `suggestion-${index}`;
      const title = document.createElement("b");
      title.textContent = one.title;
      option.append(title);
      if (one.more) {
        const more = document.createElement("span");
        more.className = areFaces ? "hidden-text" : "truncate";
        more.textContent = one.more;
        if (areFaces) option.title = one.more;
        option.append(more);
      }
      // Before the editor loses the cursor.
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
      return option;
    }));
    box.hidden = !list.length;
    editor.setAttribute("aria-expanded", String(!box.hidden));
    mark();
  }

  function mark() {
    [...box.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    const marked = box.children[at];
    if (!marked) return;
    marked.scrollIntoView({ block: "nearest" });
    editor.setAttribute("aria-activedescendant", marked.id);
  }

  const sources = {
    "@": async (typed) => {
      if (form.elements.mode.value !== "note") return [];
      known.colleagues ??= await load(form.dataset.colleaguesUrl, "colleagues");
      return known.colleagues
        .filter((name) => plain(name).split(" ").some((_, from, parts) => parts.slice(from).join(" ").startsWith(plain(typed))))
        .map((name) => ({ title: name, take: () => call(name) }));
    },
    ":": async (typed) => (typed.length < 2 || typed.includes(" ") ? [] : emoji
      .filter(({ name }) => name.includes(typed.toLowerCase()))
      .sort((a, b) => b.name.startsWith(typed) - a.name.startsWith(typed))
      .map(({ name, sign }) => ({ title: sign, more: `:${name}:`, take: () => insert(sign) }))),
    "/": async (typed) => macros(typed),
  };

  async function macros(typed) {
    known.macros ??= await load(form.dataset.macrosUrl, "macros");
    const parts = plain(typed).split(" ").filter(Boolean);
    return known.macros
      .filter((macro) => parts.every((part) => plain(macro.name).includes(part)))
      .map((macro) => ({
        title: macro.name,
        more: macro.changes.length ? macro.changes.join(", ") : macro.text,
        take: () => use(macro),
      }));
  }

  // A name with the space behind it, which makes way for a comma.
  function call(name) {
    const isClose = CLOSE.test(text()[editor.editor.getSelectedRange()[1]]);
    insert(isClose ? `@${name}` : `@${name} `);
    called = isClose ? -1 : editor.editor.getSelectedRange()[1];
  }
  editor.addEventListener("keydown", ({ key }) => {
    const [from, to] = editor.editor.getSelectedRange();
    if (!CLOSE.test(key) || from !== to || to !== called || text()[to - 1] !== " ") return;
    called = -1;
    editor.editor.setSelectedRange([to - 1, to]);
    editor.editor.deleteInDirection("backward");
  }, true);

  function insert(words) {
    editor.editor.insertString(words);
    editor.focus();
  }

  async function use(macro) {
    const data = new FormData();
    data.append("seen", form.elements.seen.value);
    const [at] = editor.editor.getSelectedRange();
    const long = text().length;
    const answer = await ask(`${form.dataset.macrosUrl}${macro.pk}/`, data).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (!answer?.ok) { say(told.error ?? form.dataset.wordFailed, "bad"); return; }
    if (told.isNote) form.querySelector("[name=mode][value=note]").checked = true;
    if (told.html) {
      // What was typed while it was fetched stands behind it.
      const [from, to] = editor.editor.getSelectedRange();
      const tail = text().length - from;
      const isBehind = from === to && from > at && from - at === text().length - long;
      if (isBehind) editor.editor.setSelectedRange(at);
      editor.editor.insertHTML(told.html);
      if (isBehind) editor.editor.setSelectedRange(text().length - tail);
    }
    editor.focus();
    if (told.isChanged) document.getElementById("look")?.dispatchEvent(new CustomEvent("desk:look"));
  }

  // What was typed to find it, which may be more by now than when it was offered.
  function untype() {
    const [, end] = editor.editor.getSelectedRange();
    const match = TYPED.exec(text().slice(0, end).slice(-60));
    if (!match) return;
    editor.editor.setSelectedRange([end - match[1].length - match[2].length, end]);
    editor.editor.deleteInDirection("backward");
  }

  function take(index) {
    const option = options[index];
    if (!option) return;
    if (isTyped) untype();
    close();
    option.take();
  }

  async function look() {
    const range = editor.editor.getSelectedRange();
    const before = text().slice(0, range[1]);
    const match = range[0] === range[1] && TYPED.exec(before.slice(-60));
    if (!match || before === ignored) { close(); return; }
    const [, sign, typed] = match;
    const mine = ++asked;
    const list = (await sources[sign](typed)).slice(0, AT_MOST);
    if (mine !== asked) return; // more was typed meanwhile
    if (!list.length) { close(); return; }
    isTyped = true;
    show(list);
  }
  editor.addEventListener("trix-change", look);
  editor.addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== editor && !box.contains(document.activeElement)) close(); }, 100));

  editor.addEventListener("keydown", (event) => {
    if (box.hidden || event.isComposing || event.ctrlKey || event.metaKey) return;
    const steps = box.hasAttribute("data-faces") ? { ArrowRight: 1, ArrowLeft: -1, ArrowDown: ROW, ArrowUp: -ROW } : { ArrowDown: 1, ArrowUp: -1 };
    if (steps[event.key]) at = (at + steps[event.key] + options.length) % options.length;
    else if (event.key === "Escape") {
      if (isAsked) untype(); // the sign was the button's, not the writer's
      ignored = text().slice(0, editor.editor.getSelectedRange()[1]);
      close();
    }
    else if (event.key !== "Enter" && event.key !== "Tab") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Enter" || event.key === "Tab") take(at);
    else mark();
  }, true);

  // The buttons beside open the same lists.
  const open = async (sign, list) => {
    const before = text().slice(0, editor.editor.getSelectedRange()[1]);
    editor.focus();
    if (sign && before && !/\s$/.test(before)) editor.editor.insertString(" ");
    if (!sign) { isTyped = false; show(list, { areFaces: true }); return; }
    editor.editor.insertString(sign);
    ignored = "";
    // An editor that just got the cursor knows only now where it stands.
    requestAnimationFrame(async () => { await look(); isAsked = !box.hidden; });
  };
  form.querySelector("#macros")?.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open("/");
  });
  const faces = form.querySelector("#emoji");
  faces.hidden = false;
  faces.addEventListener("click", () => open("", emoji.slice(0, 6 * ROW).map(({ name, sign }) => ({ title: sign, more: `:${name}:`, take: () => insert(sign) }))));
  for (const [name, value] of [["role", "combobox"], ["aria-haspopup", "listbox"], ["aria-controls", "suggestions"], ["aria-expanded", "false"], ["aria-autocomplete", "list"]]) {
    editor.setAttribute(name, value);
  }
  editor.removeAttribute("aria-multiline");
}
