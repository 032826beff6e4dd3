// The viewer: a document's text, open on the exact words that were quoted. Long documents come in parts.

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

async function part(start, end) {
  const words = new URLSearchParams({ start: Math.max(start, 0), end });
  if (query.get("collection")) words.set("collection", query.get("collection"));
  const place = ["document", "version"].map((name) => encodeURIComponent(query.get(name) ?? ""));
  return get(`/v1/documents/${place[0]}/versions/${place[1]}/text?${words}`);
}

function painted(found) {
  const block = element("div", { className: "part" });
  const sections = found.sections.filter((section) => section.start >= found.start);
  const pages = found.pages.filter((page) => page.start >= found.start);
  paint(block, new Extract(found.text, found.start), { ...marks, pages, sections });
  return block;
}

function edges() {
  byId("earlier").hidden = loaded.start <= 0;
  byId("later").hidden = loaded.end >= loaded.length;
}

async function earlier() {
  const found = await part(loaded.start - PART, loaded.start);
  const before = document.documentElement.scrollHeight;
  byId("text").prepend(painted(found));
  scrollBy(0, document.documentElement.scrollHeight - before);
  loaded.start = found.start;
  edges();
}

async function later() {
  const found = await part(loaded.end, loaded.end + PART);
  byId("text").append(painted(found));
  loaded.end = found.end;
  edges();
}

function toQuote() {
  document.querySelector("mark.span, mark.quote")?.scrollIntoView({ block: "center" });
}

function describe(found) {
  const page = found.pages.find(({ start, end }) => quote && quote[0] >= start && quote[0] < end);
  const where = quote ? `characters ${quote[0].toLocaleString("en")}–${quote[1].toLocaleString("en")} of ` : "";
  return [found.uri, page ? `page ${page.number}` : "", `${where}${found.length.toLocaleString("en")} characters`].filter(Boolean).join(" · ");
}

async function open() {
  const start = quote ? quote[0] - PART / 2 : 0;
  const found = await part(start, start + PART + (quote ? quote[1] - quote[0] : 0));
  loaded = { start: found.start, end: found.end, length: found.length };
  document.title = `${found.title} · Quoth`;
  byId("title").textContent = found.title;
  byId("place").textContent = describe(found);
  byId("text").append(painted(found));
  edges();
  if (!quote) return;
  if (quote[1] > found.length) {
    byId("place").textContent += ` — this document has no characters ${quote[0]}–${quote[1]}; the link is not right.`;
    return;
  }
  const words = new Extract(found.text, found.start).slice(...quote);
  byId("to-quote").hidden = byId("copy-quote").hidden = false;
  byId("to-quote").addEventListener("click", toQuote);
  byId("copy-quote").addEventListener("click", ({ currentTarget }) => copy(words, currentTarget));
  toQuote();
}

byId("copy-link").addEventListener("click", ({ currentTarget }) => copy(location.href, currentTarget));
byId("earlier").addEventListener("click", earlier);
byId("later").addEventListener("click", later);
try {
  await open();
} catch (problem) {
  byId("place").textContent = problem.message;
  byId("place").className = "problem";
}
document.body.dataset.ready = "true";
