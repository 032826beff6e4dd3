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

  // The end of the line that contains `at`.
  lineEnd(at) {
    const place = this.points.indexOf("\n", at - this.start);
    return place < 0 ? this.end : this.start + place;
  }
}

// Append the text of `extract` to `parent`, as text and never as markup: the quote in <mark>, the words that answer in
// <mark class="span">, headings and page numbers in elements of their own. Ranges are [start, end) in the document's code points.
export function paint(parent, extract, { quote = null, span = null, pages = [], sections = [] } = {}) {
  const headings = sections
    .filter((section) => section.start >= extract.start && section.start < extract.end && section.trail.length)
    .map((section) => [section.start, Math.min(extract.lineEnd(section.start), section.start + 200)]);
  const signs = headings.map(([from, to]) => [from, from + extract.slice(from, to).match(/^[#=\s]*/)[0].length]);
  const breaks = new Map(pages.filter((page) => page.start >= extract.start).map((page) => [page.start, page.number]));
  const edges = [quote, span, ...headings, ...signs].filter(Boolean).flat();
  const cuts = [...new Set([extract.start, ...edges, ...breaks.keys(), extract.end])]
    .filter((cut) => cut >= extract.start && cut <= extract.end)
    .sort((a, b) => a - b);
  const within = (range, at) => range && at >= range[0] && at < range[1];
  const pieces = document.createDocumentFragment();
  cuts.slice(0, -1).forEach((from, place) => {
    if (breaks.has(from)) pieces.append(element("span", { className: "page-break", textContent: `Page ${breaks.get(from)}` }));
    let piece = document.createTextNode(extract.slice(from, cuts[place + 1]));
    if (headings.some((range) => within(range, from))) {
      const sign = signs.some((range) => within(range, from));
      piece = element("span", { className: sign ? "heading sign" : "heading" }, piece);
    }
    if (within(quote, from)) piece = element("mark", { className: within(span, from) ? "quote span" : "quote" }, piece);
    pieces.append(piece);
  });
  parent.append(pieces);
}

// The quote of a citation as an element, with the words that answer marked.
export function quoteElement(citation) {
  const box = element("span", { className: "quote-text" });
  const extract = new Extract(citation.quote, citation.start);
  const [from, to] = citation.highlight ?? [citation.start, citation.start];
  box.append("“", extract.slice(citation.start, from));
  if (to > from) box.append(element("mark", { className: "span", textContent: extract.slice(from, to) }));
  box.append(extract.slice(to, citation.end), "”");
  return box;
}

export function element(tag, properties = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") created.setAttribute(name, value);
    else created[name] = value;
  }
  created.append(...children);
  return created;
}

// "Title · Heading › Heading · page 3", without a heading that repeats the title.
export function placeText(passage) {
  const trail = passage.trail[0]?.trim() === passage.title.trim() ? passage.trail.slice(1) : passage.trail;
  const parts = [passage.title];
  if (trail.length) parts.push(trail.join(" › "));
  if (passage.page !== null) parts.push(`page ${passage.page}`);
  return parts.join(" · ");
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
