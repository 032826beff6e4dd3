// The pages of a PDF as pictures, one below the other: those near the window are loaded, the others have only their place.
// On them, the words of the quote are boxed, and those that answer more strongly.

import { t } from "./phrases.js";
import { get, request, versionAddress } from "./server.js";
import { element } from "./text.js";

const NARROWEST = 16; // pixels of a picture that the server draws
const WIDEST = 4096;
const WAIT_MS = 120; // a page that passes more quickly is not loaded
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const GAP = 1.2; // heights of a line that may be between two words of one box

const known = new Map(); // address -> promise of the pages of a version

// The pages of a document version: [{ number, width, height, start, end }]; null if they cannot be shown.
export function pagesOf(place) {
  const address = versionAddress(place, "pages");
  if (!known.has(address)) {
    known.set(address, get(address).then(({ pages }) => (pages.length ? pages : null), (problem) => {
      if (problem.code === "geometry-missing") return null;
      known.delete(address);
      throw problem;
    }));
  }
  return known.get(address);
}

export class Pages {
  // `place` is { collection, document_id, version, title, quote, span }, `pages` those of `pagesOf`. `onPage(number)` hears which
  // page is in the middle, `onProblem(problem)` that a picture cannot be had.
  constructor(place, pages, { onPage = () => {}, onProblem = () => {} } = {}) {
    Object.assign(this, { place, pages, onPage, onProblem });
    this.number = pages[0].number;
    this.zoomStep = ZOOMS.indexOf(1);
    const widest = Math.max(...pages.map(({ width }) => width));
    this.sheets = pages.map((page) => new PageSheet(page, page.width / widest, this));
    this.byNumber = new Map(this.sheets.map((sheet) => [sheet.page.number, sheet]));
    this.column = element("div", { className: "pages-column" }, ...this.sheets.map(({ box }) => box));
    this.box = element("div", { className: "pages", tabIndex: 0, role: "region", "aria-label": t("pages_region") }, this.column);
    this.watcher = new IntersectionObserver((entries) => this.seen(entries), { root: this.box, rootMargin: "60% 0px" });
    for (const { box } of this.sheets) this.watcher.observe(box);
    this.resizer = new ResizeObserver(() => this.resized());
    this.resizer.observe(this.box);
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
  }

  get marked() {
    const { quote } = this.place;
    return quote ? this.pages.filter(({ start, end }) => start < quote[1] && end > quote[0]) : [];
  }

  // Show the quote, or the first page. The box has to be in the document.
  async showQuote() {
    const [first] = this.marked;
    if (!first) return this.goTo(this.number);
    this.goTo(first.number);
    const sheet = this.sheet(first.number);
    await sheet.mark();
    const mark = sheet.box.querySelector(".word-box");
    if (mark) this.box.scrollTop = sheet.box.offsetTop + mark.offsetTop - this.box.clientHeight / 3;
  }

  goTo(number) {
    const sheet = this.sheet(number);
    if (sheet) this.box.scrollTop = sheet.box.offsetTop - 12;
  }

  sheet(number) {
    return this.byNumber.get(number);
  }

  zoom(by) {
    const middle = (this.box.scrollTop + this.box.clientHeight / 2) / this.box.scrollHeight;
    this.zoomStep = Math.min(Math.max(this.zoomStep + by, 0), ZOOMS.length - 1);
    this.column.style.width = `${ZOOMS[this.zoomStep] * 100}%`;
    this.box.scrollTop = middle * this.box.scrollHeight - this.box.clientHeight / 2;
    this.resized();
  }

  get zoomPercent() {
    return ZOOMS[this.zoomStep] * 100;
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) this.sheet(Number(target.dataset.number)).near(isIntersecting);
  }

  resized() {
    for (const sheet of this.sheets) if (sheet.isNear) sheet.load();
  }

  scrolled() {
    const middle = this.box.scrollTop + this.box.clientHeight / 2;
    let [low, high] = [0, this.sheets.length - 1];
    while (low < high) {
      const between = Math.ceil((low + high) / 2);
      if (this.sheets[between].box.offsetTop <= middle) low = between;
      else high = between - 1;
    }
    const { number } = this.sheets[low].page;
    if (number !== this.number) this.onPage(number);
    this.number = number;
  }

  close() {
    this.watcher.disconnect();
    this.resizer.disconnect();
    for (const sheet of this.sheets) sheet.near(false);
  }
}

// One page: its place in the column, its picture while it is near, and its boxes.
class PageSheet {
  constructor(page, share, owner) {
    Object.assign(this, { page, owner });
    this.isNear = false;
    this.width = 0; // of the picture, in pixels
    this.address = ""; // of the picture's blob
    this.boxes = null;
    this.picture = element("img", { alt: t("page_of", { number: String(page.number), title: owner.place.title }), draggable: false });
    this.said = element("p", { className: "page-said muted", hidden: true });
    this.box = element("div", { className: "page-sheet" }, this.said, element("span", { className: "page-sign", "aria-hidden": "true", textContent: page.number }));
    this.box.dataset.number = page.number;
    this.box.style.width = `${share * 100}%`;
    this.box.style.aspectRatio = `${page.width} / ${page.height}`;
  }

  near(isNear) {
    this.isNear = isNear;
    clearTimeout(this.timer);
    if (isNear) {
      this.timer = setTimeout(() => this.load(), WAIT_MS);
      return;
    }
    this.loading?.abort();
    this.picture.remove();
    if (this.address) URL.revokeObjectURL(this.address);
    Object.assign(this, { address: "", width: 0, loading: null });
  }

  // Load the picture as sharp as this screen shows it, unless it is there.
  async load() {
    const wanted = Math.min(Math.round(this.box.clientWidth * devicePixelRatio), WIDEST);
    if (wanted < NARROWEST || (wanted <= this.width && wanted > this.width / 2)) return;
    this.width = wanted;
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    this.mark().catch(() => {}); // the picture fails then too, and says why
    try {
      const response = await request(versionAddress(this.owner.place, `pages/${this.page.number}.png`, { width: wanted }), { signal: loading.signal });
      const address = URL.createObjectURL(await response.blob());
      if (loading.signal.aborted) return URL.revokeObjectURL(address);
      const before = this.address;
      this.address = address;
      this.picture.src = address;
      await this.picture.decode().catch(() => {});
      if (before) URL.revokeObjectURL(before);
      if (this.isNear && !this.picture.isConnected) this.box.prepend(this.picture);
      this.said.hidden = true;
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.width = 0;
      this.said.textContent = problem.message;
      this.said.hidden = false;
      this.owner.onProblem(problem);
    }
  }

  // Box the words of the quote that stand on this page.
  async mark() {
    const { quote, span } = this.owner.place;
    if (!this.owner.marked.includes(this.page)) return;
    this.boxes ??= get(versionAddress(this.owner.place, `pages/${this.page.number}`)).then(({ words }) => {
      this.box.append(...this.drawn(words, quote, "word-box"), ...(span ? this.drawn(words, span, "word-box answer") : []));
    });
    await this.boxes;
  }

  drawn(words, [start, end], className) {
    return runs(words.filter((word) => word.start < end && word.end > start)).map(([left, top, right, bottom]) => {
      const box = element("div", { className, "aria-hidden": "true" });
      const { width, height } = this.page;
      box.style.left = `${(left / width) * 100}%`;
      box.style.top = `${(top / height) * 100}%`;
      box.style.width = `${((right - left) / width) * 100}%`;
      box.style.height = `${((bottom - top) / height) * 100}%`;
      return box;
    });
  }
}

// The boxes of words that stand beside each other in a line, as one box for each such run.
function runs(words) {
  const found = [];
  for (const { box } of words) {
    const last = found.at(-1);
    const height = box[3] - box[1];
    const isBeside = last && Math.min(last[3], box[3]) - Math.max(last[1], box[1]) > Math.min(last[3] - last[1], height) / 2
      && box[0] >= last[0] && box[0] - last[2] < GAP * height;
    if (isBeside) last.splice(0, 4, Math.min(last[0], box[0]), Math.min(last[1], box[1]), Math.max(last[2], box[2]), Math.max(last[3], box[3]));
    else found.push([...box]);
  }
  return found;
}
