// The nearest passages of a refusal: each as a short text, and drawn as what its blocks are once it comes into view.

import { documentText } from "./server.js";
import { Extract, element } from "./text.js";

const EXCERPT = 280; // code points shown of a passage until it is drawn
const HEADING_LINES = /^#{1,6} .*$/gm; // an excerpt already shows its headings above it
const FARTHEST = 10_000; // code points between a passage and the header cells of its table, at most

// What a card shows of the passage.
export function nearestPassage(passage, collection) {
  const points = Array.from(passage.text.replace(HEADING_LINES, "").trim());
  const text = points.length > EXCERPT ? `${points.slice(0, EXCERPT).join("").replace(/\s+\S*$/, "")} …` : points.join("");
  const box = element("div", { className: "nearest-text" }, element("p", { dir: "auto", textContent: text }));
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    seen.disconnect();
    draw(box, passage, collection).catch(() => {}); // the document is gone, or not for this key by now: the text stays
  });
  seen.observe(box);
  return box;
}

async function draw(box, passage, collection) {
  const [{ drawBlocks }, part] = await Promise.all([import("./blocks.js"), documentText(passage, collection, passage.start, passage.end)]);
  const excerpts = await headersBefore(part, passage, collection);
  const drawn = element("div", { className: "nearest-drawn" }, drawBlocks(new Extract(part.text, part.start), part.blocks, { excerpts, mediaType: part.media_type }));
  hideHeadings(drawn);
  box.replaceChildren(drawn);
  box.classList.toggle("folded", drawn.scrollHeight > box.clientHeight);
  box.addEventListener("focusin", () => box.classList.add("unfolded"), { once: true });
}

// The header cells of a table that begins further up, by "start-end".
async function headersBefore(part, passage, collection) {
  const labels = part.blocks.filter(({ kind }) => kind === "cell" || kind === "field").flatMap((block) => block.labels).filter(({ end }) => end <= part.start);
  const from = Math.min(...labels.map(({ start }) => start));
  const to = Math.max(...labels.map(({ end }) => end));
  if (!labels.length || to - from > FARTHEST) return new Map();
  const before = await documentText(passage, collection, from, to);
  const text = new Extract(before.text, before.start);
  return new Map(labels.map(({ start, end }) => [`${start}-${end}`, text.slice(start, end)]));
}

// Hide the headings that the passage begins with: they stand above it on the card.
function hideHeadings(drawn) {
  const children = [...drawn.children];
  const first = children.findIndex((child) => !child.hidden && !child.matches(".b-heading"));
  for (const child of children.slice(0, Math.max(first, 0))) child.hidden = true;
}
