// The source panel: the document's text around a quote. The quote is marked, and the words that answer more strongly.

import { documentText } from "./server.js";
import { Extract, copy, element, paint, viewerAddress } from "./text.js";

const AROUND = 1800; // code points shown before and after the quote

export class Panel {
  // `box` is the <aside>.
  constructor(box) {
    this.box = box;
    this.opener = null;
    this.shown = null;
    box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") this.step(-1);
      if (event.key === "ArrowRight") this.step(1);
    });
  }

  get isOpen() {
    return !this.box.hidden;
  }

  // Show `sources[place]`. Each source is a citation or a passage of `collection`.
  async open(sources, place, collection, opener = null) {
    this.opener = opener ?? this.opener;
    this.shown = { sources, place, collection };
    document.querySelectorAll(".is-open").forEach((open) => open.classList.remove("is-open"));
    opener?.classList.add("is-open");
    const source = sources[place];
    const body = element("div", { className: "panel-text source-text", tabIndex: 0, "aria-label": "Text around the quote", role: "region" });
    this.box.replaceChildren(this.head(source, sources, place, collection), body);
    this.box.hidden = false;
    document.body.classList.add("has-panel");
    this.box.focus({ preventScroll: true });
    try {
      const part = await documentText(source, collection, Math.max(source.start - AROUND, 0), source.end + AROUND);
      if (this.shown.sources[this.shown.place] !== source) return;
      if (part.start > 0) body.append(element("p", { className: "cut muted", textContent: "…" }));
      paint(body, new Extract(part.text, part.start), {
        quote: [source.start, source.end],
        span: source.highlight,
        pages: part.pages,
        sections: part.sections,
      });
      if (part.end < part.length) body.append(element("p", { className: "cut muted", textContent: "…" }));
      const mark = body.querySelector("mark");
      if (mark) body.scrollTop = mark.offsetTop - body.clientHeight / 3;
    } catch (problem) {
      body.append(element("p", { className: "problem", role: "alert", textContent: problem.message }));
    }
  }

  head(source, sources, place, collection) {
    const trail = [...source.trail.filter((heading, at) => at > 0 || heading.trim() !== source.title.trim())].join(" › ");
    const details = element("p", { className: "muted panel-place", textContent: [
      trail, source.page === null ? "" : `page ${source.page}`, `characters ${source.start}–${source.end}`,
    ].filter(Boolean).join(" · ") });
    const copyButton = element("button", { type: "button", className: "quiet", textContent: "Copy quote" });
    copyButton.addEventListener("click", () => copy(source.quote ?? source.text, copyButton));
    const close = element("button", { type: "button", className: "quiet icon", "aria-label": "Close the source", textContent: "✕" });
    close.addEventListener("click", () => this.close());
    const tools = element("div", { className: "panel-tools" }, copyButton, element("a", {
      className: "quiet", href: viewerAddress(source, collection), target: "_blank", rel: "opener", textContent: "Open in document",
    }));
    if (sources.length > 1) tools.append(this.stepper("‹", "Previous source", -1), this.stepper("›", "Next source", 1));
    const number = source.number ? element("span", { className: "number", textContent: source.number }) : "";
    const title = element("h2", { id: "panel-title" }, number, source.title);
    return element("header", { className: "panel-head" }, element("div", { className: "panel-row" }, title, close), details, tools);
  }

  stepper(sign, label, by) {
    const button = element("button", { type: "button", className: "quiet icon", "aria-label": label, textContent: sign });
    button.addEventListener("click", () => this.step(by));
    return button;
  }

  step(by) {
    const { sources, place, collection } = this.shown;
    if (sources.length > 1) this.open(sources, (place + by + sources.length) % sources.length, collection);
  }

  close() {
    if (!this.isOpen) return false;
    this.box.hidden = true;
    document.body.classList.remove("has-panel");
    this.opener?.classList.remove("is-open");
    if (this.opener?.isConnected) this.opener.focus({ preventScroll: true });
    return true;
  }
}
