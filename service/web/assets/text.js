// Text and elements. The server's offsets count code points; JavaScript strings count UTF-16 units, and an emoji is two.

import { t } from "./phrases.js";
import { ROOT } from "./root.js";

// A part of a document's text that begins at the code point `start`.
export class Extract {
  constructor(text, start = 0) {
    this.points = Array.from(text);
    this.start = start;
    this.end = start + this.points.length;
  }

  slice(from, to) {
    return this.points.slice(Math.max(from - this.start, 0), Math.max(to - this.start, 0)).join("");
  }
}

// Writes ranges of an extract into elements, as text and never as markup: the quote in <mark class="quote">, the words that
// answer in <mark class="quote span">. Ranges are [start, end) in the document's code points.
export class Ink {
  constructor(extract, { quote = null, span = null } = {}) {
    this.extract = extract;
    this.quote = quote;
    this.span = span;
  }

  write(target, from, to) {
    const first = Math.max(from, this.extract.start);
    const last = Math.min(to, this.extract.end);
    const cuts = [...(this.quote ?? []), ...(this.span ?? [])].filter((cut) => cut > first && cut < last);
    const edges = [...new Set([first, ...cuts, last])].sort((a, b) => a - b);
    edges.slice(0, -1).forEach((at, place) => {
      const text = this.extract.slice(at, edges[place + 1]);
      if (within(this.span, at)) target.append(element("mark", { className: "quote span", textContent: text }));
      else if (within(this.quote, at)) target.append(element("mark", { className: "quote", textContent: text }));
      else target.append(text);
    });
  }

  // Write a range that is not shown: signs of a language such as Markdown, and what parts the cells of a table.
  hide(target, from, to) {
    if (Math.min(to, this.extract.end) <= Math.max(from, this.extract.start)) return;
    const unshown = element("span", { className: "unshown", hidden: true });
    this.write(unshown, from, to);
    target.append(unshown);
  }

  touches(from, to) {
    return { quote: overlaps(this.quote, from, to), span: overlaps(this.span, from, to) };
  }
}

function within(range, at) {
  return range !== null && at >= range[0] && at < range[1];
}

function overlaps(range, from, to) {
  return range !== null && from < range[1] && to > range[0];
}

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") created.setAttribute(name, value);
    else created[name] = value;
  }
  created.append(...children);
  return created;
}

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

// `box` in the direction of the first letter inside it. For boxes of boxes: dir="auto" looks past children that have a `dir`.
export function directed(box) {
  const [first = ""] = box.textContent.match(/\p{L}/u) ?? [];
  box.dir = RIGHT_TO_LEFT.test(first) ? "rtl" : "ltr";
  return box;
}

// A button that says `text`; `kind` are further classes.
export function textButton(text, work, kind = "") {
  const button = element("button", { type: "button", className: `quiet ${kind}`.trim(), textContent: text });
  button.addEventListener("click", work);
  return button;
}

// A button that shows a sign, with `label` for its name.
export function iconButton(sign, label, work, kind = "") {
  const button = element("button", { type: "button", className: `quiet icon ${kind}`.trim(), "aria-label": label, title: label }, element("span", { textContent: sign, "aria-hidden": "true" }));
  button.addEventListener("click", work);
  return button;
}

// A form with one line of text, `label` for its name: `onSave(text)` when it is sent, `onCancel()` when it is not.
export function lineForm({ label, value = "", longest, save: saveText }, onSave, onCancel) {
  const field = element("input", { type: "text", required: true, value, maxLength: longest, dir: "auto", "aria-label": label, placeholder: label });
  const form = element("form", {}, field, element("button", { type: "submit", className: "quiet framed", textContent: saveText }), textButton(t("cancel"), onCancel));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) onSave(field.value.trim());
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // the sheet around it stays open
    event.stopPropagation();
    onCancel();
  });
  queueMicrotask(() => field.select());
  return form;
}

// Code that can be copied: `write(target)` writes it, `text` is what is copied.
export function codeBox(text, write) {
  const code = element("code");
  write(code);
  const button = textButton(t("copy"), () => copy(text, button), "copy-code");
  return element("div", { className: "b-code", dir: "ltr" }, element("pre", { tabIndex: 0, role: "group", "aria-label": t("code") }, code), button);
}

// A table in a box that scrolls, so far that the cell that answers is seen. Columns of figures are aligned to the right.
export function tableBox(table) {
  alignFigures(table);
  const box = element("div", { className: "b-table", tabIndex: 0, role: "group", "aria-label": t("table") }, table);
  requestAnimationFrame(() => scrollToAnswer(box)); // by then it is on the page
  return box;
}

function scrollToAnswer(box) {
  const cell = box.querySelector("td.answer")?.getBoundingClientRect();
  if (!cell) return;
  const { left, right } = box.getBoundingClientRect();
  const covered = box.querySelector(".answer ~ .row-controls")?.offsetWidth ?? 0; // they stay at the edge
  box.scrollLeft += Math.max(cell.right + covered - right, 0) || Math.min(cell.left - left, 0);
}

const FIGURE = /^[-−–+±~<>≤≥(]?\s*\p{Sc}?\s*\d[\d.,'’\s]*([%‰°\p{Sc}]|[\p{L}²³µ/]{1,8})?\.?\)?$/u;
const NO_FIGURE = /^[-−–—*.]*$/; // a cell that says nothing

// Mark the cells of the columns that hold nothing but figures, of one unit if they name any. The first column names the rows.
function alignFigures(table) {
  const columns = new Map();
  for (const row of table.rows) {
    let column = 0;
    for (const cell of row.cells) {
      if (column > 0 && cell.colSpan === 1) columns.set(column, [...(columns.get(column) ?? []), cell]);
      column += cell.colSpan;
    }
  }
  for (const cells of columns.values()) {
    const texts = cells.filter((cell) => !cell.closest(".head, thead")).map(shownText).filter((text) => !NO_FIGURE.test(text));
    const found = texts.map((text) => FIGURE.exec(text));
    const isFigures = texts.length > 0 && found.every(Boolean) && new Set(found.map(([, unit]) => unit)).size === 1;
    for (const cell of cells) cell.classList.toggle("figure", isFigures);
  }
}

// The text of an element without what is hidden in it.
function shownText(element) {
  if (element.nodeType === Node.TEXT_NODE) return element.data;
  return element.hidden ? "" : [...element.childNodes].map(shownText).join("").trim();
}

// Save a file on the reader's device.
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const LONGEST_HEADING = 60; // code points: some documents have whole paragraphs for headings

// "Heading › Heading · page 3", without a heading that repeats the title. Empty if there is neither.
export function insideText(passage) {
  const trail = passage.trail[0]?.trim() === passage.title.trim() ? passage.trail.slice(1) : passage.trail;
  return [trail.map(shortened).join(" › "), passage.page === null ? "" : t("page_number", { number: String(passage.page) })].filter(Boolean).join(" · ");
}

function shortened(heading) {
  const points = Array.from(heading);
  return points.length > LONGEST_HEADING ? `${points.slice(0, LONGEST_HEADING).join("").replace(/\s+\S*$/, "")}…` : heading;
}

// The name of the file or the page that a document was read from.
export function fileName(passage) {
  const last = passage.uri.split(/[#?]/)[0].split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

// "Title · Heading › Heading · page 3".
export function placeText(passage) {
  return [passage.title, insideText(passage)].filter(Boolean).join(" · ");
}

// The texts that a quote is read with, by "start-end".
export function excerptsOf(citation) {
  return new Map((citation.context ?? []).map(({ start, end, quote }) => [`${start}-${end}`, quote]));
}

// What the quote is read with, as one line: a lead-in, the header cells of a row, a term. Empty without any.
export function contextText(citation) {
  return (citation.context ?? []).map((excerpt) => excerpt.quote.trim().replace(/\s+/g, " ")).filter(Boolean).join(" · ");
}

// The address of the viewer, opened at exactly these words.
export function viewerAddress(passage, collection) {
  const query = new URLSearchParams({ collection, document: passage.document_id, version: passage.version });
  query.set("start", passage.start);
  query.set("end", passage.end);
  if (passage.highlight) query.set("mark", passage.highlight.join("-"));
  return `${ROOT}/view?${query}`;
}

export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
  } catch {
    button.textContent = t("copy_forbidden");
  }
  setTimeout(() => { button.textContent = before; }, 1600);
}
