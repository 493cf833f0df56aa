// <live-updates src="/desk/live/"> listens to the server's hints. A hint is a server-sent event whose
// data is JSON {"kind": "ticket", "id": 2418} or a bare word; it carries no content. On the body it
// becomes the events hint:ticket and hint:ticket-2418, on which elements refetch what they show:
//   hx-get="…" hx-trigger="hint:ticket-2418 from:body"
// After a break everything may have changed: then also `hint:all`. `hint:listening` says that from here
// on nothing is missed, `hint:lost` that nothing has come for a while.
import { word } from "helpdesk/toast";

const PATIENCE = 5000, SLOWEST = 30000;

/** What this page is called where it says what it shows. */
export const pageName = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

class LiveUpdates extends HTMLElement {
  #source; #retry; #banner; #patience; #failures = 0; #wasLost = false;
  #leave = () => this.#stop();
  #arrive = (event) => { if (event.persisted) { this.#wasLost = true; this.#start(); } };
  #online = () => { this.#failures = 0; this.#start(); };

  connectedCallback() {
    addEventListener("pagehide", this.#leave);
    addEventListener("pageshow", this.#arrive);
    addEventListener("online", this.#online);
    this.#start();
  }

  disconnectedCallback() {
    removeEventListener("pagehide", this.#leave);
    removeEventListener("pageshow", this.#arrive);
    removeEventListener("online", this.#online);
    this.#stop();
  }

  #start() {
    this.#stop();
    const src = this.getAttribute("src");
    if (!src) return;
    const source = new EventSource(`${src}?page=${pageName}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.#calm();
      if (this.#wasLost) this.#tell("all", {});
      this.#wasLost = false;
    });
    source.addEventListener("message", (event) => this.#hint(event.data));
    source.addEventListener("hint", (event) => this.#hint(event.data));
    source.addEventListener("listening", () => {
      this.dataset.is = "listening";
      this.#tell("listening", {});
    });
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      source.close();
      delete this.dataset.is;
      this.#wasLost = true;
      this.#worry();
      this.#failures += 1;
      const wait = Math.min(SLOWEST, 500 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#start(), wait);
    });
  }

  #stop() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  #hint(data) {
    let hint;
    try { hint = JSON.parse(data); } catch { hint = { kind: data }; }
    if (typeof hint === "string") hint = { kind: hint };
    if (!hint || !/^[a-z][a-z_.-]*$/.test(hint.kind ?? "")) return;
    this.#tell(hint.kind, hint);
    if (hint.id !== undefined && /^[\w-]+$/.test(String(hint.id))) this.#tell(`${hint.kind}-${hint.id}`, hint);
  }

  #tell(kind, detail) {
    document.body.dispatchEvent(new CustomEvent(`hint:${kind}`, { bubbles: true, detail }));
  }

  #worry() {
    this.#patience ??= setTimeout(() => {
      this.#tell("lost", {});
      this.#banner = document.createElement("p");
      this.#banner.className = "offline";
      this.#banner.setAttribute("role", "status");
      document.body.append(this.#banner);
      this.#banner.textContent = word("offline");
    }, Number(this.getAttribute("patience")) || PATIENCE);
  }

  #calm() {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#banner?.remove();
    this.#banner = undefined;
  }
}

customElements.define("live-updates", LiveUpdates);
