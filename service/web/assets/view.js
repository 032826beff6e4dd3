// The viewer: a document's text, opened at the exact words that were quoted. Long documents are loaded in parts.

import { get } from "./server.js";
import { Extract, copy, element, paint } from "./text.js";

const PART = 60000; // code points that are loaded at once
const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const number = (name) => Number.parseInt(query.get(name) ?? "", 10);
const quote = number("end") > number("start") ? [number("start"), number("end")] : null;
const span = (query.get("mark") ?? "").split("-").map(Number);
const marks = { quote, span: span.length === 2 && span[1] > span[0] ? span : null };
let loaded = null;

async function fetchPart(start, end) {
  const parameters = new URLSearchParams({ start: Math.max(start, 0), end });
  if (query.get("collection")) parameters.set("collection", query.get("collection"));
  const place = ["document", "version"].map((name) => encodeURIComponent(query.get(name) ?? ""));
  return get(`/v1/documents/${place[0]}/versions/${place[1]}/text?${parameters}`);
}

function renderPart(part) {
  const block = element("div", { className: "part" });
  const sections = part.sections.filter((section) => section.start >= part.start);
  const pages = part.pages.filter((page) => page.start >= part.start);
  paint(block, new Extract(part.text, part.start), { ...marks, pages, sections });
  return block;
}

function updateButtons() {
  byId("earlier").hidden = loaded.start <= 0;
  byId("later").hidden = loaded.end >= loaded.length;
}

async function loadEarlier() {
  const part = await fetchPart(loaded.start - PART, loaded.start);
  const before = document.documentElement.scrollHeight;
  byId("text").prepend(renderPart(part));
  scrollBy(0, document.documentElement.scrollHeight - before);
  loaded.start = part.start;
  updateButtons();
}

async function loadLater() {
  const part = await fetchPart(loaded.end, loaded.end + PART);
  byId("text").append(renderPart(part));
  loaded.end = part.end;
  updateButtons();
}

function scrollToQuote() {
  document.querySelector("mark.span, mark.quote")?.scrollIntoView({ block: "center" });
}

function describe(part) {
  const page = part.pages.find(({ start, end }) => quote && quote[0] >= start && quote[0] < end);
  const where = quote ? `characters ${quote[0].toLocaleString("en")}–${quote[1].toLocaleString("en")} of ` : "";
  return [part.uri, page ? `page ${page.number}` : "", `${where}${part.length.toLocaleString("en")} characters`].filter(Boolean).join(" · ");
}

async function open() {
  const start = quote ? quote[0] - PART / 2 : 0;
  const part = await fetchPart(start, start + PART + (quote ? quote[1] - quote[0] : 0));
  loaded = { start: part.start, end: part.end, length: part.length };
  document.title = `${part.title} · Quoth`;
  byId("title").textContent = part.title;
  byId("place").textContent = describe(part);
  byId("text").append(renderPart(part));
  updateButtons();
  if (!quote) return;
  if (quote[1] > part.length) {
    byId("place").textContent += ` — this document has no characters ${quote[0]}–${quote[1]}; the link is not right.`;
    return;
  }
  const words = new Extract(part.text, part.start).slice(...quote);
  byId("to-quote").hidden = byId("copy-quote").hidden = false;
  byId("to-quote").addEventListener("click", scrollToQuote);
  byId("copy-quote").addEventListener("click", ({ currentTarget }) => copy(words, currentTarget));
  scrollToQuote();
}

byId("copy-link").addEventListener("click", ({ currentTarget }) => copy(location.href, currentTarget));
byId("earlier").addEventListener("click", loadEarlier);
byId("later").addEventListener("click", loadLater);
try {
  await open();
} catch (problem) {
  byId("place").textContent = problem.message;
  byId("place").className = "problem";
}
document.body.dataset.ready = "true";
