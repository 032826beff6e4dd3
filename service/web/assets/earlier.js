// The list of earlier conversations at the side, by day: find one, open it, rename it, delete it.

import { day, t } from "./phrases.js";
import { change, get, remove } from "./server.js";
import { closeBySwipe, closeByTapBeside, opened } from "./sheets.js";
import { element, iconButton, textButton } from "./text.js";

const MAX_TITLE = 120;
const PAUSE_MS = 200; // after the last key, before a search begins
const DAY_MS = 24 * 3600 * 1000;
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
    this.leave = null; // takes the list's entry out of the history, while it lies over the page
    this.list = element("ul");
    this.more = textButton(t("older"), () => this.load());
    this.more.hidden = true;
    this.status = element("p", { className: "muted earlier-said", role: "status" });
    this.search = element("input", { type: "search", className: "earlier-search", placeholder: t("find_conversations"), "aria-label": t("find_conversations") });
    box.append(this.search, this.list, this.more, this.status);
    toggle.addEventListener("click", () => this.show(this.box.hidden));
    let waiting = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.refresh(), PAUSE_MS);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.show(false);
      toggle.focus();
    });
    closeBySwipe(box, "left", () => { if (!WIDE.matches) this.show(false); });
    closeByTapBeside([box, toggle], () => this.closeOverlay());
  }

  // On a wide screen the list is open or closed as it was left the last time.
  async restore() {
    if (WIDE.matches && localStorage.getItem("quoth-earlier") === "open") await this.show(true);
  }

  async show(isOpen) {
    const { leave } = this;
    this.box.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", isOpen);
    if (WIDE.matches) localStorage.setItem("quoth-earlier", isOpen ? "open" : "closed");
    this.leave = isOpen && !WIDE.matches ? opened(() => this.show(false)) : null;
    if (isOpen) await this.refresh();
    else await leave?.();
  }

  // Close the list if it lies over the page. Returns whether it did.
  closeOverlay() {
    if (!this.leave) return false;
    this.show(false);
    return true;
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
      const words = this.search.value.trim();
      const query = new URLSearchParams({ ...(from && { cursor: from }), ...(words && { words }) });
      const page = await get(`/v1/conversations?${query}`);
      if (words !== this.search.value.trim()) return;
      const items = page.conversations.map((conversation) => this.item(conversation));
      if (from) this.list.append(...items);
      else this.replace(items);
      this.drawDays();
      this.cursor = page.next_cursor;
      this.more.hidden = page.next_cursor === null;
      this.status.textContent = this.list.childElementCount ? "" : t(words ? "none_match" : "none_earlier");
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

  // Put a heading before the first conversation of today, of yesterday, and so on.
  drawDays() {
    for (const heading of this.list.querySelectorAll(".earlier-day")) heading.remove();
    let last = null;
    for (const item of [...this.list.children]) {
      const name = dayName(item.dataset.day);
      if (name !== last) item.before(element("li", { className: "earlier-day muted", textContent: name }));
      last = name;
    }
  }

  item(conversation) {
    const item = element("li");
    item.dataset.id = conversation.id;
    item.dataset.day = conversation.updated_at;
    const open = element("button", { type: "button", className: "earlier-open", textContent: conversation.title, title: `${conversation.title}\n${day(conversation.updated_at, true)}`, dir: "auto" });
    if (conversation.id === this.current) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => {
      const closing = WIDE.matches ? null : this.show(false);
      this.onOpen(conversation.id, closing);
    });
    const renameButton = iconButton("✎", t("rename_one", conversation), () => item.replaceChildren(...this.renameForm(conversation, item)));
    const deleteButton = iconButton("✕", t("delete_one", conversation), () => item.replaceChildren(...this.deleteForm(conversation, item)));
    item.append(open);
    if (conversation.stale_answers) {
      item.append(element("span", { className: "earlier-stale", title: t("changed_answers", { count: conversation.stale_answers }), textContent: t("changed") }));
    }
    item.append(element("span", { className: "earlier-tools" }, renameButton, deleteButton));
    return item;
  }

  renameForm(conversation, item) {
    const title = element("input", { type: "text", value: conversation.title, maxLength: MAX_TITLE, "aria-label": t("new_title"), required: true });
    const form = element("form", { className: "earlier-form" }, title, element("button", { type: "submit", className: "quiet", textContent: t("save") }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(async () => this.showItem(item, await change(address(conversation), { title: title.value })));
    });
    this.closeOnEscape(form, conversation, item);
    queueMicrotask(() => title.select());
    return [form];
  }

  deleteForm(conversation, item) {
    const onYes = () => this.attempt(async () => {
      await remove(address(conversation));
      item.remove();
      this.drawDays();
      this.status.textContent = t("deleted");
      this.onDeleted(conversation.id);
    });
    const no = textButton(t("keep"), () => this.showItem(item, conversation));
    const form = element("div", { className: "earlier-form", role: "group", "aria-label": t("delete_for_good", conversation) },
      element("span", { textContent: t("for_good") }), textButton(t("delete"), onYes, "earlier-yes"), no);
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

function dayName(iso) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const moment = new Date(iso).getTime();
  if (moment >= midnight) return t("today");
  if (moment >= midnight - DAY_MS) return t("yesterday");
  return t(moment >= midnight - 6 * DAY_MS ? "this_week" : "before");
}

function address(conversation) {
  return `/v1/conversations/${encodeURIComponent(conversation.id)}`;
}
