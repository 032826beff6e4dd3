// The ⋯ menu: signing in and out, light or dark, the language, and files of the conversation on the page.

import { signIn, storedKey } from "./key.js";
import { chooseLanguage, language, languages, t } from "./phrases.js";
import { attachmentName, request } from "./server.js";
import { closeByTapBeside, opened } from "./sheets.js";
import { byId, element, save } from "./text.js";

export class Menu {
  // `caller` is what the key may do; `conversation()` is the id of the one on the page, or null.
  constructor(box, toggle, caller, { conversation, onProblem }) {
    Object.assign(this, { box, toggle, conversation, onProblem });
    this.leave = null;
    toggle.addEventListener("click", () => (this.leave ? this.close() : this.show()));
    box.addEventListener("click", ({ target }) => { if (target.closest("button:not(#sign-out)")) this.close(); }); // signing out leaves the page
    box.addEventListener("keydown", (event) => this.move(event));
    closeByTapBeside([box, toggle], () => this.close());
    byId("sign-in").hidden = storedKey() !== null || caller.key === null;
    byId("sign-in").addEventListener("click", signIn);
    byId("gaps").hidden = !caller.scopes.includes("admin");
    byId("signed-in").hidden = !caller.key;
    byId("signed-in").textContent = t("key_may", { name: caller.key ?? "" });
    byId("language").append(...Object.entries(languages).map(([value, name]) => element("option", { value, textContent: name, lang: value })));
    byId("language").value = language;
    byId("language").addEventListener("change", ({ target }) => chooseLanguage(target.value));
    byId("print").addEventListener("click", () => setTimeout(print));
    for (const button of box.querySelectorAll("[data-export]")) button.addEventListener("click", () => this.save(button.dataset.export));
  }

  show() {
    byId("exports").hidden = this.conversation() === null;
    this.box.showPopover();
    this.toggle.setAttribute("aria-expanded", "true");
    this.leave = opened(() => this.close());
    this.controls[0].focus();
  }

  close() {
    const { leave } = this;
    if (!leave) return Promise.resolve();
    this.leave = null;
    this.box.hidePopover();
    this.toggle.setAttribute("aria-expanded", "false");
    if (!document.querySelector("dialog[open]")) this.toggle.focus();
    return leave();
  }

  get controls() {
    return [...this.box.querySelectorAll("button, a, select")].filter((control) => control.checkVisibility());
  }

  move(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    }
    if (event.target.tagName === "SELECT" || !/^Arrow(Up|Down)$/.test(event.key)) return;
    event.preventDefault();
    const { controls } = this;
    const step = event.key === "ArrowDown" ? 1 : -1;
    controls[(controls.indexOf(document.activeElement) + step + controls.length) % controls.length].focus();
  }

  async save(format) {
    try {
      const response = await request(`/v1/conversations/${encodeURIComponent(this.conversation())}/export?format=${format}`);
      save(await response.blob(), attachmentName(response));
    } catch (problem) {
      this.onProblem(problem);
    }
  }
}
