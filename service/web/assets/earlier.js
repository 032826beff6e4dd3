// The list of earlier conversations at the side: open one, rename it, delete it.

import { change, get, remove } from "./server.js";
import { element } from "./text.js";

const LONGEST_TITLE = 120;
const WIDE = matchMedia("(min-width: 63.01rem)");

export class Earlier {
  // `box` is the <nav>, `toggle` its button. `onOpen(id)` opens a conversation, `onGone(id)` is told of a deleted one.
  constructor(box, toggle, { onOpen, onGone }) {
    this.box = box;
    this.toggle = toggle;
    this.onOpen = onOpen;
    this.onGone = onGone;
    this.shown = null;
    this.cursor = null;
    this.list = element("ul");
    this.more = element("button", { type: "button", className: "quiet", textContent: "Older ones", hidden: true });
    this.said = element("p", { className: "muted earlier-said", role: "status" });
    box.append(element("h2", { textContent: "Earlier" }), this.list, this.more, this.said);
    toggle.addEventListener("click", () => this.show(this.box.hidden));
    this.more.addEventListener("click", () => this.load());
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.show(false);
      toggle.focus();
    });
  }

  // What was chosen on a wide screen holds the next time.
  async begin() {
    if (WIDE.matches && localStorage.getItem("earlier") === "open") await this.show(true);
  }

  async show(is) {
    this.box.hidden = !is;
    this.toggle.setAttribute("aria-expanded", is);
    if (WIDE.matches) localStorage.setItem("earlier", is ? "open" : "closed");
    if (is) await this.refresh();
  }

  // The list as it is now; `id` is the conversation on the page.
  async mark(id) {
    this.shown = id;
    if (!this.box.hidden) await this.refresh();
  }

  async refresh() {
    this.cursor = null;
    await this.load();
  }

  async load() {
    const from = this.cursor;
    await this.attempt(async () => {
      const page = await get(`/v1/conversations${from ? `?${new URLSearchParams({ cursor: from })}` : ""}`);
      const items = page.conversations.map((conversation) => this.item(conversation));
      if (from) this.list.append(...items);
      else this.replace(items);
      this.cursor = page.next_cursor;
      this.more.hidden = page.next_cursor === null;
      this.said.textContent = this.list.childElementCount ? "" : "No conversation yet.";
    });
  }

  // A form that is open stays open, and whoever is at an entry stays there: the focus moves to the entry's new element.
  replace(items) {
    const active = document.activeElement;
    const earlier = new Map([...this.list.children].map((item) => [item.dataset.id, item]));
    const held = this.list.contains(active) ? active.closest("li") : null;
    const button = held ? [...held.querySelectorAll("button")].indexOf(active) : -1;
    const shown = items.map((item) => (earlier.get(item.dataset.id)?.querySelector(".earlier-form") ? earlier.get(item.dataset.id) : item));
    this.list.replaceChildren(...shown);
    if (!held) return;
    if (held.isConnected) active.focus();
    else shown.find((item) => item.dataset.id === held.dataset.id)?.querySelectorAll("button")[button]?.focus();
  }

  item(conversation) {
    const item = element("li");
    item.dataset.id = conversation.id;
    const open = element("button", { type: "button", className: "earlier-open", textContent: conversation.title, title: conversation.title });
    if (conversation.id === this.shown) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => {
      if (!WIDE.matches) this.show(false);
      this.onOpen(conversation.id);
    });
    const rename = this.tool("✎", `Rename “${conversation.title}”`, () => item.replaceChildren(...this.renaming(conversation, item)));
    const drop = this.tool("✕", `Delete “${conversation.title}”`, () => item.replaceChildren(...this.deleting(conversation, item)));
    item.append(open, element("span", { className: "earlier-tools" }, rename, drop));
    return item;
  }

  tool(sign, label, work) {
    const button = element("button", { type: "button", className: "quiet icon", "aria-label": label, title: label, textContent: sign });
    button.addEventListener("click", work);
    return button;
  }

  renaming(conversation, item) {
    const title = element("input", { type: "text", value: conversation.title, maxLength: LONGEST_TITLE, "aria-label": "New title", required: true });
    const form = element("form", { className: "earlier-form" }, title, element("button", { type: "submit", className: "quiet", textContent: "Save" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(async () => this.back(item, await change(address(conversation), { title: title.value })));
    });
    this.escaping(form, conversation, item);
    queueMicrotask(() => title.select());
    return [form];
  }

  deleting(conversation, item) {
    const yes = element("button", { type: "button", className: "quiet earlier-yes", textContent: "Delete" });
    const no = element("button", { type: "button", className: "quiet", textContent: "Keep" });
    const form = element("div", { className: "earlier-form", role: "group", "aria-label": `Delete “${conversation.title}” for good?` },
      element("span", { textContent: "Delete for good?" }), yes, no);
    yes.addEventListener("click", () => this.attempt(async () => {
      await remove(address(conversation));
      item.remove();
      this.said.textContent = "Deleted.";
      this.onGone(conversation.id);
    }));
    no.addEventListener("click", () => this.back(item, conversation));
    this.escaping(form, conversation, item);
    queueMicrotask(() => no.focus());
    return [form];
  }

  escaping(form, conversation, item) {
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.back(item, conversation);
    });
  }

  back(item, conversation) {
    const fresh = this.item(conversation);
    item.replaceWith(fresh);
    fresh.firstChild.focus();
  }

  async attempt(work) {
    try {
      await work();
    } catch (problem) {
      this.said.textContent = problem.message;
    }
  }
}

function address(conversation) {
  return `/v1/conversations/${encodeURIComponent(conversation.id)}`;
}
