// A document's text drawn as what its blocks are: headings, lists, tables, code and so on, as elements and never as markup.
//
// Every code point of the text is in the drawing, once and in order; what is not shown (signs of Markdown, what parts the cells
// of a row) is in hidden elements. So the text of all marks together is exactly the quote.

import { t } from "./phrases.js";
import { Ink, codeBox, directed, element, tableBox } from "./text.js";

const INLINE = new Set(["struck", "mark", "inserted", "markup", "furniture", "hidden", "field"]);
const REFLOWED = new Set(["application/pdf", "text/markdown", "image/png", "image/jpeg", "image/tiff", "image/webp"]); // their line breaks mean nothing
const BULLET = /^[-*+•◦▪–·]$/u;

// The drawing of `extract`. `blocks` are those of the text's response, `pages` its pages, `marks` { quote, span }. `excerpts`
// holds text from outside of the extract by "start-end": header cells of a table that begins further up. `under` is the level of the
// heading above the drawing.
export function drawBlocks(extract, blocks, { marks = {}, pages = [], excerpts = new Map(), mediaType = "", under = 2 } = {}) {
  return new Drawing(extract, blocks, marks, pages, excerpts, mediaType, under).draw();
}

class Drawing {
  constructor(extract, blocks, marks, pages, excerpts, mediaType, under) {
    Object.assign(this, { extract, blocks, excerpts, under });
    this.ink = new Ink(extract, marks);
    this.breaks = pages.filter((page) => page.start >= extract.start && page.start < extract.end);
    this.isReflowed = REFLOWED.has(mediaType);
    this.children = Map.groupBy(blocks.keys(), (number) => blocks[number].parent);
  }

  draw() {
    const drawn = document.createDocumentFragment();
    const roots = this.within(null, this.extract.start, this.extract.end);
    this.flow(drawn, this.extract.start, this.extract.end, roots, (target, from, to) => this.prose(target, from, to));
    return drawn;
  }

  // The children of a block that begin in the range, in order and apart.
  within(parent, from, to) {
    let at = -Infinity;
    return (this.children.get(parent) ?? []).filter((number) => {
      const { start, end } = this.blocks[number];
      const fits = start >= at && start < Math.max(to, from + 1) && end >= from;
      if (fits) at = Math.max(at, end);
      return fits;
    });
  }

  // Draw the range: the blocks called `numbers`, and what stands between them by `between(target, from, to)`.
  flow(target, from, to, numbers, between) {
    let at = from;
    for (let place = 0; place < numbers.length; place += 1) {
      const { start } = this.blocks[numbers[place]];
      if (start > at) between(target, at, start);
      this.breakPages(target, start);
      const run = this.recordRun(numbers, place);
      if (run.length) this.records(target, run);
      else this.block(target, numbers[place]);
      place += Math.max(run.length - 1, 0);
      at = Math.max(at, this.blocks[numbers[place]].end);
    }
    if (to > at) between(target, at, to);
  }

  // The number of each page that begins at or before `at` and was not named yet.
  breakPages(target, at) {
    while (this.breaks.length && this.breaks[0].start <= at) {
      const { number } = this.breaks.shift();
      target.append(element("span", { className: "page-break", textContent: t("page_break", { number: String(number) }) }));
    }
  }

  write(target, from, to) {
    let at = from;
    for (const page of this.breaks.filter(({ start }) => start >= from && start < to)) {
      this.ink.write(target, at, page.start);
      this.breakPages(target, page.start);
      at = page.start;
    }
    this.ink.write(target, at, to);
  }

  // Text outside of all blocks: white space is not shown, anything else is prose.
  prose(target, from, to) {
    if (!this.extract.slice(from, to).trim()) return this.hide(target, from, to);
    const box = element("div", { className: "b-plain", dir: "auto" });
    this.write(box, from, to);
    target.append(box);
  }

  hide(target, from, to) {
    this.breakPages(target, from);
    this.ink.hide(target, from, to);
  }

  block(target, number) {
    const block = this.blocks[number];
    if (block.start >= this.extract.end || (block.end <= this.extract.start && block.end > block.start)) return;
    const draw = { list: "list", table: "table", definition: "definition", code: "code", record: "data" }[block.kind];
    if (draw) this[draw](target, number);
    else if (INLINE.has(block.kind)) target.append(this.inline(number));
    else target.append(this.text(number));
  }

  // A block of text: a heading, a paragraph, an item, a quotation, a note, and what they hold.
  text(number, tag = { quotation: "blockquote", caption: "figcaption" }[this.blocks[number].kind] ?? "div") {
    const block = this.blocks[number];
    const box = element(tag, { className: `b-${block.kind}` });
    if (block.kind === "heading" || block.kind === "title") {
      box.className = `b-heading level-${Math.min(block.level || 1, 4)}`;
      box.setAttribute("role", "heading");
      box.setAttribute("aria-level", Math.min((block.level || 1) + this.under, 6));
    }
    if (block.kind === "paragraph" && !this.isReflowed) box.classList.add("lines");
    if (block.kind === "note" && block.marker) box.dataset.marker = block.marker;
    if (this.isAuthor(block)) box.className = "b-author";
    this.fill(box, number, block.start);
    return directed(box);
  }

  // Whether the block says who wrote the quotation that holds it.
  isAuthor(block) {
    const holder = block.parent === null ? null : this.blocks[block.parent];
    return holder?.kind === "quotation" && holder.labels.some(({ start, end }) => start === block.start && end === block.end);
  }

  fill(box, number, from) {
    const block = this.blocks[number];
    this.flow(box, from, block.end, this.within(number, from, block.end), (target, start, end) => {
      const isSign = block.kind === "quotation" && /^[\s>]*$/.test(this.extract.slice(start, end));
      if (isSign) this.hide(target, start, end);
      else this.write(target, start, end);
    });
  }

  inline(number) {
    const block = this.blocks[number];
    const box = element({ struck: "s", mark: "sup" }[block.kind] ?? "span", { className: `b-${block.kind}` });
    const isUnshown = block.kind === "markup" || (block.kind === "mark" && block.marker);
    if (isUnshown && block.marker) box.dataset.shown = block.marker;
    if (block.kind === "hidden") box.title = t("hidden_in_source");
    if (isUnshown || this.namesRecords(block)) this.hide(box, block.start, block.end);
    else this.fill(box, number, block.start);
    return box;
  }

  // Whether a line only holds the names of the fields of records below, which a table shows again.
  namesRecords(block) {
    if (block.kind !== "furniture") return false;
    const below = this.blocks.find((other) => other.kind === "field" && other.start >= block.end);
    return Boolean(below?.labels.some(({ start }) => start >= block.start && start < block.end));
  }

  list(target, number) {
    target.append(this.series(number, "ul", "li", (child) => this.item(child)));
  }

  definition(target, number) {
    target.append(this.series(number, "dl", "dd", (child) => this.text(child, this.blocks[child].kind === "term" ? "dt" : "dd")));
  }

  // The children as elements by `draw`. What stands before one goes, hidden, into the one before; at the start, into a `gap`.
  series(number, tag, gap, draw) {
    const block = this.blocks[number];
    const box = element(tag, { className: `b-${block.kind}` });
    let last = null;
    this.flowInto(block, number, (child, from) => {
      const to = child === null ? block.end : this.blocks[child].start;
      if (to > from) this.hide(last ?? box.appendChild(element(gap, { hidden: true })), from, to);
      if (child === null) return;
      last = draw(child);
      box.append(last);
    });
    return directed(box);
  }

  item(number) {
    const block = this.blocks[number];
    const box = element("li", { className: "b-item" });
    const sign = block.marker && this.extract.slice(block.start, block.end).startsWith(block.marker)
      ? block.start + Array.from(this.extract.slice(block.start, block.end).match(/^\S*\s*/u)[0]).length : block.start;
    if (sign > block.start && BULLET.test(block.marker)) this.hide(box, block.start, sign);
    else if (sign > block.start) {
      box.classList.add("numbered");
      const shown = element("span", { className: "b-sign" });
      this.write(shown, block.start, sign);
      box.append(shown);
    }
    this.fill(box, number, sign);
    return directed(box);
  }

  // Call `each(child, from)` for each child, `from` being the end of the one before, and at the end with null.
  flowInto(block, number, each) {
    let at = block.start;
    for (const child of this.within(number, block.start, block.end)) {
      each(child, at);
      at = Math.max(at, this.blocks[child].end);
    }
    each(null, at);
  }

  code(target, number) {
    const { start, end, marker } = this.blocks[number];
    const box = codeBox(this.extract.slice(start, end), (code) => this.write(code, start, end));
    if (marker) box.dataset.language = marker;
    target.append(box);
  }

  // An entry of JSON, YAML and the like, as it is written; its values stand out.
  data(target, number) {
    const box = element("div", { className: "b-data", dir: "ltr" });
    this.fill(box, number, this.blocks[number].start);
    target.append(box);
  }

  // Records in a row whose fields are named outside of them, as in CSV: they are a table. Empty for any other block.
  recordRun(numbers, place) {
    const run = [];
    for (let at = place; at < numbers.length; at += 1) {
      const number = numbers[at];
      const block = this.blocks[number];
      const [field] = block.kind === "record" ? this.children.get(number) ?? [] : [];
      const isNamed = field !== undefined && this.blocks[field].kind === "field" && this.blocks[field].labels.length > 0
        && this.blocks[field].labels.every(({ start }) => start < block.start || start >= block.end);
      if (!isNamed) break;
      run.push(number);
    }
    return run;
  }

  records(target, numbers) {
    const table = new Table(this);
    table.head(numbers[0]);
    numbers.forEach((number, place) => {
      if (place) table.gap(this.blocks[numbers[place - 1]].end, this.blocks[number].start);
      table.row(number);
    });
    target.append(table.finish());
  }

  table(target, number) {
    const block = this.blocks[number];
    const table = new Table(this);
    const rows = (this.children.get(number) ?? []).map((child) => this.blocks[child]).filter(({ kind }) => kind === "row");
    let isHeaded = rows.length === 0 || rows[0].is_header;
    this.flowInto(block, number, (child, from) => {
      table.gap(from, child === null ? block.end : this.blocks[child].start);
      if (child === null) return;
      const { kind } = this.blocks[child];
      if (kind !== "row") return table.aside(child);
      if (!isHeaded) table.head(child);
      isHeaded = true;
      table.row(child);
    });
    target.append(table.finish());
  }

  // The text of a range, from the extract or from the excerpts; null if it is in neither.
  literal({ start, end }) {
    if (start >= this.extract.start && end <= this.extract.end) return this.extract.slice(start, end);
    return this.excerpts.get(`${start}-${end}`) ?? null;
  }
}

// A table while it is drawn. What stands between cells goes, hidden, into the next cell; at the end, into the last.
class Table {
  constructor(drawing) {
    this.drawing = drawing;
    this.body = element("tbody", {});
    this.box = element("table", {}, this.body);
    this.gaps = [];
    this.last = null;
  }

  gap(from, to) {
    if (to > from) this.gaps.push([from, to]);
  }

  fillGaps(cell) {
    for (const [from, to] of this.gaps) this.drawing.hide(cell, from, to);
    this.gaps = [];
    this.last = cell;
  }

  // The header of a table whose header row stands further up: the names of the cells of a row.
  head(number) {
    const cells = this.cells(number).map((child) => this.drawing.blocks[child]);
    const names = cells.map((cell) => cell.labels.map((label) => this.drawing.literal(label)).filter(Boolean).join(" · "));
    if (!names.some(Boolean)) return;
    const row = element("tr", { className: "head again" });
    names.forEach((name, place) => row.append(element("th", { scope: "col", dir: "auto", colSpan: cells[place].column_span, textContent: name })));
    this.body.before(element("thead", {}, row));
  }

  cells(number) {
    return (this.drawing.children.get(number) ?? []).filter((child) => ["cell", "field"].includes(this.drawing.blocks[child].kind));
  }

  row(number) {
    const block = this.drawing.blocks[number];
    const row = element("tr", { className: block.is_header ? "head" : "" });
    row.classList.toggle("cited", this.drawing.ink.touches(block.start, block.end).quote);
    let at = block.start;
    let column = 0;
    for (const child of this.cells(number)) {
      const cell = this.drawing.blocks[child];
      if (cell.column > column) row.append(element("td", { colSpan: cell.column - column }));
      column = cell.column + cell.column_span;
      const box = element(cell.is_header ? "th" : "td", { dir: "auto", colSpan: cell.column_span });
      if (cell.is_header) box.scope = block.is_header ? "col" : "row";
      const isHere = cell.start >= at && cell.end <= block.end && cell.end > cell.start;
      if (isHere) {
        this.gap(at, cell.start);
        this.fillGaps(box);
        this.drawing.fill(box, child, cell.start);
        box.classList.toggle("answer", this.drawing.ink.touches(cell.start, cell.end).span);
        at = cell.end;
      }
      row.append(box);
    }
    this.gap(at, block.end);
    this.body.append(row);
  }

  // A caption, and anything else that stands among the rows.
  aside(number) {
    const { kind } = this.drawing.blocks[number];
    if (kind === "caption") {
      const caption = element("caption", { dir: "auto", className: this.body.childElementCount ? "below" : "" });
      this.fillGaps(caption);
      this.drawing.fill(caption, number, this.drawing.blocks[number].start);
      this.box.append(caption);
      return;
    }
    const cell = element("td", { colSpan: 99 });
    this.fillGaps(cell);
    this.drawing.block(cell, number);
    this.body.append(element("tr", {}, cell));
  }

  finish() {
    const box = tableBox(directed(this.box));
    this.fillGaps(this.last ?? box);
    return box;
  }
}
