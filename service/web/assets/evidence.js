// What stands around a quote, as the page of its document or as text. Which of the two, the reader chooses; it is remembered.

import { drawBlocks } from "./blocks.js";
import { original } from "./original.js";
import { Pages, pagesOf } from "./pages.js";
import { t } from "./phrases.js";
import { ROOT } from "./root.js";
import { documentText } from "./server.js";
import { Extract, element, excerptsOf } from "./text.js";

const AROUND = 1800; // code points shown before and after the quote
const CHOICE = `quoth-view${ROOT}`;
const MAY_HAVE_PAGES = /\.(?:pdf|png|jpe?g|tiff?|webp|gif|bmp)$/i;

export function preferred() {
  return localStorage.getItem(CHOICE) === "text" ? "text" : "page";
}

// Two buttons, Page and Text, of which one is pressed; `choose(name)` hears of a change.
export function viewChooser(choose) {
  const box = element("div", { className: "chooser-view", role: "group", "aria-label": t("view_as") });
  const buttons = ["page", "text"].map((name) => {
    const button = element("button", { type: "button", textContent: t(`view_${name}`), "aria-pressed": "false" });
    button.dataset.view = name;
    button.addEventListener("click", () => {
      localStorage.setItem(CHOICE, name);
      choose(name);
    });
    return button;
  });
  box.append(...buttons);
  box.press = (name) => buttons.forEach((button) => button.setAttribute("aria-pressed", button.dataset.view === name));
  return box;
}

export class Evidence {
  constructor(source, collection) {
    this.source = source;
    this.place = { ...source, collection, quote: [source.start, source.end], span: source.highlight ?? null };
    this.box = element("div", { className: "evidence" });
    this.chooser = viewChooser((name) => this.draw(name));
    this.chooser.hidden = true;
    this.original = element("span", { className: "original" });
    this.isClosed = false;
    this.pages = null;
    this.view = null;
    this.said = null;
  }

  async show() {
    this.original.append(...original(this.place, this.source.page));
    if (this.source.page !== null || MAY_HAVE_PAGES.test(this.source.uri)) {
      this.pages = await pagesOf(this.place).catch(() => null); // the text says what is wrong
    }
    if (this.isClosed) return;
    this.chooser.hidden = this.pages === null;
    await this.draw(this.pages ? preferred() : "text");
  }

  async draw(name) {
    this.view?.close();
    this.view = null;
    this.chooser.press(name);
    if (name === "page") await this.drawPage();
    else await this.drawText();
  }

  async drawPage() {
    this.view = new Pages(this.place, this.pages, { onProblem: (problem) => this.fallBack(problem) });
    this.box.replaceChildren(this.view.box);
    await this.view.showQuote();
  }

  // Where the page cannot be drawn, the text is there all the same.
  fallBack(problem) {
    if (this.isClosed || !this.view) return;
    this.said = problem.message;
    this.chooser.hidden = true;
    this.original.hidden = problem.code.startsWith("source-");
    this.draw("text");
  }

  async drawText() {
    const body = element("div", { className: "panel-text source-text", tabIndex: 0, "aria-label": t("text_region"), role: "region" });
    this.box.replaceChildren(body);
    if (this.said) body.append(element("p", { className: "note", textContent: `${t("page_not_there")} ${this.said}` }));
    try {
      const { start, end } = this.source;
      const part = await documentText(this.source, this.place.collection, start - AROUND, end + AROUND);
      if (this.isClosed || !body.isConnected) return;
      this.fillText(body, part);
    } catch (problem) {
      body.append(element("p", { className: "problem", role: "alert", textContent: problem.message }));
    }
  }

  fillText(body, part) {
    const { quote, span } = this.place;
    const cut = () => element("p", { className: "cut muted", textContent: "…", "aria-hidden": "true" });
    if (part.start > 0) body.append(cut());
    body.append(drawBlocks(new Extract(part.text, part.start), part.blocks, { marks: { quote, span }, pages: part.pages, excerpts: excerptsOf(this.source), mediaType: part.media_type }));
    if (part.end < part.length) body.append(cut());
    scrollToMark(body);
  }

  close() {
    this.isClosed = true;
    this.view?.close();
  }
}

// Scroll `body` so that the words that answer, or the quote, stand in its upper part.
export function scrollToMark(body) {
  const mark = [...body.querySelectorAll("mark.span"), ...body.querySelectorAll("mark.quote")].find((each) => !each.closest("[hidden]"));
  if (mark) body.scrollTop += mark.getBoundingClientRect().top - body.getBoundingClientRect().top - body.clientHeight / 3;
}
