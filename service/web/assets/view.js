// The viewer: a whole document, opened at the exact words that were quoted, as its pages or as text. Long texts come in parts.

import { drawBlocks } from "./blocks.js";
import { preferred, scrollToMark, viewChooser } from "./evidence.js";
import { original } from "./original.js";
import { Pages, pagesOf } from "./pages.js";
import { t, translate } from "./phrases.js";
import { documentText } from "./server.js";
import { Extract, byId, copy, element } from "./text.js";

const PART = 60000; // code points that are loaded at once
const query = new URLSearchParams(location.search);
const number = (name) => Number.parseInt(query.get(name) ?? "", 10);
const quote = number("end") > number("start") ? [number("start"), number("end")] : null;
const span = (query.get("mark") ?? "").split("-").map(Number);
const marks = { quote, span: span.length === 2 && span[1] > span[0] ? span : null };
const place = { collection: query.get("collection"), document_id: query.get("document") ?? "", version: query.get("version") ?? "", title: "", ...marks };
const chooser = viewChooser((name) => show(name));
let loaded = null; // the range of the text that is shown
let pages = null;
let view = null; // the Pages that are shown
let page = null; // the page of the quote, or the one that was read last

function fetchPart(start, end) {
  return documentText(place, place.collection, start, end);
}

function drawPart(part) {
  const box = element("div", { className: "text-part" });
  box.append(drawBlocks(new Extract(part.text, part.start), part.blocks, { marks, pages: part.pages, mediaType: part.media_type, under: 1 }));
  return box;
}

function updateButtons() {
  byId("earlier").hidden = loaded.start <= 0;
  byId("later").hidden = loaded.end >= loaded.length;
}

// Run `work` once at a time; a second call meanwhile does nothing.
function once(work) {
  let running = null;
  return () => { running ??= work().finally(() => { running = null; }); };
}

const loadEarlier = once(async () => {
  const scroller = byId("scroller");
  const part = await fetchPart(loaded.start - PART, loaded.start);
  const before = scroller.scrollHeight;
  byId("text").prepend(drawPart(part));
  scroller.scrollTop += scroller.scrollHeight - before;
  loaded.start = part.start;
  updateButtons();
});

const loadLater = once(async () => {
  const part = await fetchPart(loaded.end, loaded.end + PART);
  byId("text").append(drawPart(part));
  loaded.end = part.end;
  updateButtons();
});

function show(name) {
  view?.close();
  view = null;
  chooser.press(name);
  const isPage = name === "page";
  byId("text-view").hidden = isPage;
  byId("pages-view").hidden = !isPage;
  byId("page-tools").hidden = !isPage;
  if (isPage) showPages();
  else scrollToMark(byId("scroller"));
}

function showPages() {
  view = new Pages(place, pages, { onPage: (at) => { byId("page-number").value = at; page = at; }, onProblem: fallBack });
  byId("pages-view").replaceChildren(view.box);
  byId("page-number").value = page ?? pages[0].number;
  showZoom();
  view.showQuote();
}

// Where a page cannot be drawn, the text is there all the same.
function fallBack(problem) {
  if (!view) return;
  pages = null;
  chooser.hidden = true;
  byId("said").textContent = `${t("page_not_there")} ${problem.message}`;
  byId("said").hidden = false;
  if (problem.code.startsWith("source-")) byId("original").replaceChildren();
  show("text");
}

function zoom(by) {
  view.zoom(by);
  showZoom();
}

function showZoom() {
  byId("zoom-said").textContent = `${view.zoomPercent} %`;
}

function goToPage() {
  const wanted = Math.min(Math.max(Number.parseInt(byId("page-number").value, 10) || page, pages[0].number), pages.at(-1).number);
  byId("page-number").value = wanted;
  view.goTo(wanted);
}

function details(part) {
  const where = quote ? t("characters_of", { start: quote[0], end: quote[1], length: part.length }) : t("characters", { count: part.length });
  return [part.uri, where].join(" · ");
}

async function open() {
  const start = quote ? quote[0] - PART / 2 : 0;
  const part = await fetchPart(start, start + PART + (quote ? quote[1] - quote[0] : 0));
  loaded = { start: part.start, end: part.end, length: part.length };
  place.title = part.title;
  document.title = `${part.title} · Quoth`;
  byId("title").textContent = part.title;
  byId("details").textContent = details(part);
  byId("about").hidden = false;
  byId("text").append(drawPart(part));
  updateButtons();
  byId("place").hidden = true;
  page = part.pages.find(({ start: first, end }) => quote && quote[0] >= first && quote[0] < end)?.number ?? null;
  byId("original").append(...original({ ...place, uri: part.uri }, page));
  if (quote && quote[1] > part.length) {
    byId("said").textContent = t("link_not_right", { start: String(quote[0]), end: String(quote[1]) });
    byId("said").hidden = false;
  } else if (quote) offerQuote(new Extract(part.text, part.start).slice(...quote));
  pages = await pagesOf(place).catch(() => null); // the text is shown then
  chooser.hidden = pages === null;
  if (pages) byId("page-count").textContent = t("of_pages", { count: String(pages.at(-1).number) });
  show(pages ? preferred() : "text");
}

function offerQuote(words) {
  byId("to-quote").hidden = byId("copy-quote").hidden = false;
  byId("to-quote").addEventListener("click", () => (view ? view.showQuote() : scrollToMark(byId("scroller"))));
  byId("copy-quote").addEventListener("click", ({ currentTarget }) => copy(words, currentTarget));
}

translate();
chooser.hidden = true;
byId("view-tools").prepend(chooser);
byId("copy-link").addEventListener("click", ({ currentTarget }) => copy(location.href, currentTarget));
byId("earlier").addEventListener("click", loadEarlier);
byId("later").addEventListener("click", loadLater);
byId("zoom-in").addEventListener("click", () => zoom(1));
byId("zoom-out").addEventListener("click", () => zoom(-1));
byId("page-number").addEventListener("change", goToPage);
const nearEnd = new IntersectionObserver((entries) => {
  for (const { isIntersecting } of entries) if (isIntersecting && loaded && !byId("later").hidden) loadLater();
}, { root: byId("scroller"), rootMargin: "0px 0px 400px 0px" });
try {
  await open();
  nearEnd.observe(byId("later"));
} catch (problem) {
  byId("place").textContent = problem.message;
  byId("place").className = "problem";
}
document.body.dataset.ready = "true";
