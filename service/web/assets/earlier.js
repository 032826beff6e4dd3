// The list of earlier conversations at the side: open one, rename it, delete it.

import { change, get, remove } from "./server.js";
import { element } from "./text.js";

const MAX_TITLE = 120;
const WIDE = matchMedia("(min-width: 63.01rem)");

export class Earlier {
  // `box` is the <nav>, `toggle` its button. `onOpen(id)` opens a conversation; `onDeleted(id)` runs after one was deleted.
  constructor(box, toggle, { onOpen, onDeleted }) {
    this.box = box;
    this.toggle = toggle;
    this.onOpen = onOpen;
    this.onDeleted = onDeleted;
    this.current = null;
    this.cursor = null;
    this.list = element("ul");
    this.more = element("button", { type: "button", className: "quiet", textContent: "Older ones", hidden: true });
    this.status = element("p", { className: "muted earlier-said", role: "status" });
    box.append(element("h2", { textContent: "Earlier" }), this.list, this.more, this.status);
    toggle.addEventListener("click", () => this.show(this.box.hidden));
    this.more.addEventListener("click", () => this.load());
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.show(false);
      toggle.focus();
    });
  }

  // On a wide screen the list is open or closed as it was left the last time.
  async restore() {
    if (WIDE.matches && localStorage.getItem("quoth-earlier") === "open") await this.show(true);
  }

  async show(isOpen) {
    this.box.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", isOpen);
    if (WIDE.matches) localStorage.setItem("quoth-earlier", isOpen ? "open" : "closed");
    if (isOpen) await this.refresh();
  }

  // Refresh the list; `id` is the conversation on the page.
  async mark(id) {
    this.current = id;
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
      this.status.textContent = this.list.childElementCount ? "" : "No conversation yet.";
    });
  }

  // Replace the entries. An open form stays open, and the focus moves to the new element of the entry that had it.
  replace(items) {
    const active = document.activeElement;
    const earlier = new Map([...this.list.children].map((item) => [item.dataset.id, item]));
    const focused = this.list.contains(active) ? active.closest("li") : null;
    const button = focused ? [...focused.querySelectorAll("button")].indexOf(active) : -1;
    const shown = items.map((item) => (earlier.get(item.dataset.id)?.querySelector(".earlier-form") ? earlier.get(item.dataset.id) : item));
    this.list.replaceChildren(...shown);
    if (!focused) return;
    if (focused.isConnected) active.focus();
    else shown.find((item) => item.dataset.id === focused.dataset.id)?.querySelectorAll("button")[button]?.focus();
  }

  item(conversation) {
    const item = element("li");
    item.dataset.id = conversation.id;
    const open = element("button", { type: "button", className: "earlier-open", textContent: conversation.title, title: conversation.title });
    if (conversation.id === this.current) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => {
      if (!WIDE.matches) this.show(false);
      this.onOpen(conversation.id);
    });
    const renameButton = this.tool("✎", `Rename “${conversation.title}”`, () => item.replaceChildren(...this.renameForm(conversation, item)));
    const deleteButton = this.tool("✕", `Delete “${conversation.title}”`, () => item.replaceChildren(...this.deleteForm(conversation, item)));
    item.append(open);
    if (conversation.stale_answers) {
      const answers = conversation.stale_answers === 1 ? "An answer" : `${conversation.stale_answers} answers`;
      item.append(element("span", { className: "earlier-stale", title: `${answers} in it cite documents that have changed since.`, textContent: "changed" }));
    }
    item.append(element("span", { className: "earlier-tools" }, renameButton, deleteButton));
    return item;
  }

  tool(sign, label, work) {
    const button = element("button", { type: "button", className: "quiet icon", "aria-label": label, title: label, textContent: sign });
    button.addEventListener("click", work);
    return button;
  }

  renameForm(conversation, item) {
    const title = element("input", { type: "text", value: conversation.title, maxLength: MAX_TITLE, "aria-label": "New title", required: true });
    const form = element("form", { className: "earlier-form" }, title, element("button", { type: "submit", className: "quiet", textContent: "Save" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(async () => this.showItem(item, await change(address(conversation), { title: title.value })));
    });
    this.closeOnEscape(form, conversation, item);
    queueMicrotask(() => title.select());
    return [form];
  }

  deleteForm(conversation, item) {
    const yes = element("button", { type: "button", className: "quiet earlier-yes", textContent: "Delete" });
    const no = element("button", { type: "button", className: "quiet", textContent: "Keep" });
    const form = element("div", { className: "earlier-form", role: "group", "aria-label": `Delete “${conversation.title}” for good?` },
      element("span", { textContent: "Delete for good?" }), yes, no);
    yes.addEventListener("click", () => this.attempt(async () => {
      await remove(address(conversation));
      item.remove();
      this.status.textContent = "Deleted.";
      this.onDeleted(conversation.id);
    }));
    no.addEventListener("click", () => this.showItem(item, conversation));
    this.closeOnEscape(form, conversation, item);
    queueMicrotask(() => no.focus());
    return [form];
  }

  closeOnEscape(form, conversation, item) {
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.showItem(item, conversation);
    });
  }

  showItem(item, conversation) {
    const newItem = this.item(conversation);
    item.replaceWith(newItem);
    newItem.firstChild.focus();
  }

  async attempt(work) {
    try {
      await work();
    } catch (problem) {
      this.status.textContent = problem.message;
    }
  }
}

function address(conversation) {
  return `/v1/conversations/${encodeURIComponent(conversation.id)}`;
}
