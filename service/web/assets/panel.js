// The source panel: the page or the text around a quote. On a narrow screen it is a sheet over the page.

import { t } from "./phrases.js";
import { closeBySwipe, opened } from "./sheets.js";
import { copy, element, iconButton, insideText, textButton, viewerAddress } from "./text.js";

const NARROW = matchMedia("(max-width: 63rem)");

export class Panel {
  // `box` is the element that shows it.
  constructor(box) {
    this.box = box;
    this.opener = null;
    this.shown = null;
    this.evidence = null;
    this.leave = null; // takes the sheet's entry out of the history
    this.inert = [];
    this.shade = element("div", { className: "panel-shade", hidden: true });
    this.shade.addEventListener("click", () => this.close());
    box.before(this.shade);
    box.addEventListener("keydown", (event) => {
      const isOther = event.target.closest("input, .pages, .b-table, pre");
      if (isOther) return;
      if (event.key === "ArrowLeft") this.step(-1);
      if (event.key === "ArrowRight") this.step(1);
    });
    closeBySwipe(box, "down", () => { if (NARROW.matches) this.close(); });
    NARROW.addEventListener("change", () => { if (this.isOpen) this.fit(); });
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
    const { Evidence } = await import("./evidence.js"); // not before the first source is opened
    if (this.shown.sources[this.shown.place] !== source) return;
    this.evidence?.close();
    this.evidence = new Evidence(source, collection);
    this.box.replaceChildren(this.head(source, sources, place, collection), this.evidence.box);
    this.box.hidden = false;
    document.body.classList.add("has-panel");
    this.fit();
    this.box.focus({ preventScroll: true });
    await this.evidence.show();
  }

  // On a narrow screen, be a sheet: Back closes it, and what lies below cannot be reached meanwhile.
  fit() {
    const isSheet = NARROW.matches;
    this.shade.hidden = !isSheet;
    this.release();
    if (isSheet) {
      for (let at = this.box; at !== document.body; at = at.parentElement) {
        this.inert.push(...[...at.parentElement.children].filter((other) => other !== at && other !== this.shade && !other.inert && !other.matches("dialog, script")));
      }
      this.inert.forEach((other) => { other.inert = true; });
      this.box.setAttribute("role", "dialog");
      this.leave ??= opened(() => this.hide());
    } else {
      this.box.setAttribute("role", "complementary");
      this.leave?.();
      this.leave = null;
    }
  }

  // Let what lies below be reached again.
  release() {
    for (const other of this.inert) other.inert = false;
    this.inert = [];
  }

  head(source, sources, place, collection) {
    const number = source.number ? [element("span", { className: "number", textContent: source.number })] : [];
    const title = element("h2", { id: "panel-title", dir: "auto" }, ...number, element("bdi", { textContent: source.title }));
    const close = iconButton("✕", t("close_source"), () => this.close());
    const where = element("p", { className: "muted panel-place", dir: "auto", textContent: insideText(source) });
    const copyButton = textButton(t("copy_quote"), () => copy(source.quote ?? source.text, copyButton));
    const tools = element("div", { className: "panel-tools" }, this.evidence.chooser, copyButton, element("a", {
      className: "quiet", href: viewerAddress(source, collection), target: "_blank", rel: "opener", textContent: t("open_document"), title: t("open_document_hint"),
    }), this.evidence.original);
    if (sources.length > 1) tools.append(this.steps(place, sources.length));
    const grip = element("div", { className: "panel-grip", "aria-hidden": "true" });
    return element("div", { className: "panel-head" }, grip, element("div", { className: "panel-row" }, title, close), where, tools);
  }

  steps(place, count) {
    const said = element("span", { className: "muted", textContent: t("place_of", { number: String(place + 1), count: String(count) }) });
    return element("span", { className: "panel-steps" }, iconButton("‹", t("previous_source"), () => this.step(-1)), said, iconButton("›", t("next_source"), () => this.step(1)));
  }

  step(by) {
    const { sources, place, collection } = this.shown;
    if (sources.length > 1) this.open(sources, (place + by + sources.length) % sources.length, collection);
  }

  // Close it. Returns whether it was open.
  close() {
    const wasOpen = this.isOpen;
    this.hide();
    return wasOpen;
  }

  // Hide it. Resolves when the history stands where it stood before.
  hide() {
    if (!this.isOpen) return Promise.resolve();
    this.box.hidden = true;
    this.shade.hidden = true;
    this.release();
    this.evidence.close();
    document.body.classList.remove("has-panel");
    this.opener?.classList.remove("is-open");
    const focus = this.opener?.matches(".card") ? this.opener.querySelector("button") : this.opener;
    if (focus?.isConnected) focus.focus({ preventScroll: true });
    const { leave } = this;
    this.leave = null;
    return leave?.() ?? Promise.resolve();
  }
}
