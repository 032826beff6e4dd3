// A sentence of an answer on the page: its words, or the units that it states, with the markers of its sources and its thumbs.
// All of its controls are one stop for the Tab key; the arrow keys go from one to the next.

import { t } from "./phrases.js";
import { peekAt } from "./peek.js";
import { drawQuote, isStructured } from "./quote.js";
import { codeBox, directed, element, tableBox } from "./text.js";

// Append the sentence to `prose`. `citations` holds all citations of the answer so far, `open(number, marker)` opens one.
export function appendSentence(prose, sentence, citations, { open, thumbs = null }) {
  const cited = sentence.citations.map((number) => citations.find((citation) => citation.number === number));
  const [first] = cited;
  const isDrawn = sentence.form === "units" && first && isStructured(first);
  const controls = controlsOf(sentence, cited, open, thumbs);
  if (isDrawn) {
    const drawn = drawQuote(first);
    return isOneTable(drawn) ? appendRows(prose, drawn, first.document_id, controls) : appendDrawn(prose, drawn, controls);
  }
  if (sentence.form === "row") return appendRows(prose, worded(sentence), "", controls);
  if (sentence.form === "code") return appendDrawn(prose, codeBox(sentence.code, (code) => { code.textContent = sentence.code; }), controls);
  const said = element("span", { className: "said", dir: "auto" }, words(sentence), controls);
  if (sentence.form === "item") appendItem(prose, sentence.ordinal, said);
  else {
    const paragraph = lastParagraph(prose);
    paragraph.append(...(paragraph.childNodes.length ? [" "] : []), said);
    directed(paragraph);
  }
  return said;
}

function controlsOf(sentence, cited, open, thumbs) {
  const controls = element("span", { className: "controls" }, ...cited.map((citation, place) => marker(sentence.citations[place], citation, open)));
  if (thumbs) controls.append(element("span", { className: "at-end" }, thumbs.box));
  oneStop(controls);
  return controls;
}

function appendDrawn(prose, drawn, controls) {
  const said = element("div", { className: "said drawn" }, drawn, controls);
  prose.append(directed(said));
  return said;
}

function isOneTable(drawn) {
  return drawn.lastElementChild.matches(".b-table") && [...drawn.children].slice(0, -1).every((other) => other.matches(".units-lead"));
}

// A row beside the markers of its sources. Rows under the same header cells, of sentences that follow each other, are one table.
function appendRows(prose, drawn, source, controls) {
  const rows = [...drawn.querySelectorAll("tbody tr")];
  const header = drawn.querySelector("thead tr");
  const key = [source, drawn.querySelector(".units-lead")?.textContent, header?.textContent].join("\n");
  for (const row of [...(header ? [header] : []), ...rows]) row.append(element("td", { className: "row-controls" }));
  const said = rows.at(-1);
  said.classList.add("said");
  said.lastElementChild.append(controls);
  const last = prose.lastElementChild;
  if (last?.dataset.table === key) last.querySelector("tbody").append(...rows);
  else {
    drawn.dataset.table = key;
    prose.append(drawn);
  }
  return said;
}

// The row that a language model wrote, under its header cells and below the label of its table.
function worded(sentence) {
  const isNamed = sentence.cells.some(({ header }) => header);
  const body = element("tr", {}, ...sentence.cells.map(({ text }) => element("td", { dir: "auto" }, words(sentence, text))));
  const box = element("table", {}, element("tbody", {}, body));
  if (isNamed) box.prepend(element("thead", {}, element("tr", {}, ...sentence.cells.map(({ header }) => element("th", { scope: "col", dir: "auto", textContent: header })))));
  const lead = sentence.label ? [element("p", { className: "units-lead", dir: "auto", textContent: sentence.label })] : [];
  return directed(element("div", { className: "units" }, ...lead, tableBox(box)));
}

function words(sentence, text = sentence.text) {
  const box = element("span", { className: sentence.supported ? "sentence" : "sentence unsupported", textContent: text });
  if (!sentence.supported) box.append(element("span", { className: "visually-hidden", textContent: ` (${t("unsupported")})` }));
  if (!sentence.supported) box.title = t("unsupported");
  return box;
}

function lastParagraph(prose) {
  return prose.lastElementChild?.tagName === "P" ? prose.lastElementChild : prose.appendChild(element("p"));
}

function appendItem(prose, ordinal, said) {
  const item = directed(element("li", {}, said));
  if (ordinal !== null) item.value = ordinal;
  const list = lastList(prose, ordinal === null ? "UL" : "OL");
  list.append(item);
  directed(list);
}

function lastList(prose, tag) {
  return prose.lastElementChild?.tagName === tag ? prose.lastElementChild : prose.appendChild(element(tag, { className: "said-list" }));
}

export function marker(number, citation, open) {
  const button = element("button", { type: "button", className: "marker", textContent: number, "aria-label": t("source", { number }) });
  button.dataset.number = number;
  button.addEventListener("click", () => open(number, button));
  if (citation) peekAt(button, citation);
  return button;
}

// Make the buttons of `box` one stop of the Tab key.
function oneStop(box) {
  const buttons = [...box.querySelectorAll("button")];
  const stop = (button) => buttons.forEach((other) => { other.tabIndex = other === button ? 0 : -1; });
  if (buttons.length) stop(buttons[0]);
  box.addEventListener("focusin", ({ target }) => { if (buttons.includes(target)) stop(target); });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const place = buttons.indexOf(event.target);
    if (!by || place < 0) return;
    event.preventDefault();
    buttons[(place + by + buttons.length) % buttons.length].focus();
  });
}
