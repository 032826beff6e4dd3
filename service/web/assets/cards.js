// The sources of an answer: its quotes as cards, by document. A long list is folded.

import { drawQuote } from "./quote.js";
import { directed, element, fileName, insideText, textButton } from "./text.js";
import { t } from "./phrases.js";

const SHOWN = 6; // cards of a folded list

// `passages` are citations or the like, `draw(passage)` makes what stands on a card, `open(place, card)` opens the passage.
export function sourceList(passages, { label, open, draw = drawQuote }) {
  const box = element("div", { className: "source-list", role: "group", "aria-label": label });
  const cards = [];
  for (const places of Map.groupBy(passages.keys(), (place) => passages[place].document_id).values()) {
    const { title } = passages[places[0]];
    const list = element("ul", { className: "sources" });
    for (const place of places) {
      const item = card(passages[place], () => open(place, item), draw);
      cards.push(item);
      list.append(element("li", {}, item));
    }
    box.append(element("section", { className: "source" }, directed(element("h3", { className: "source-title" }, element("bdi", { textContent: title }))), list));
  }
  if (cards.length > SHOWN + 1) fold(box, cards);
  return box;
}

function card(passage, open, draw) {
  const where = insideText(passage) || fileName(passage);
  const name = element("span", { className: "card-place", dir: "auto", textContent: where });
  const number = passage.number ? [element("span", { className: "number", textContent: passage.number })] : [];
  const purpose = element("span", { className: "visually-hidden", textContent: `${t(passage.number ? "open_source" : "open_passage")} ` });
  const button = element("button", { type: "button", className: "card-open" }, purpose, ...number, name);
  const box = element("article", { className: "card" }, button, element("div", { className: "quote-text" }, draw(passage)));
  box.addEventListener("click", (event) => {
    const isOther = event.target.closest("button:not(.card-open), a");
    if (!isOther && getSelection().isCollapsed) open();
  });
  return box;
}

function fold(box, cards) {
  const folded = cards.slice(SHOWN).map((item) => item.parentElement);
  const set = (isFolded) => {
    for (const item of folded) item.hidden = isFolded;
    for (const group of box.querySelectorAll(".source")) group.hidden = [...group.querySelectorAll("li")].every((item) => item.hidden);
  };
  const button = textButton(t("all_quotes", { count: cards.length }), () => {
    set(false);
    button.remove();
    folded[0].querySelector("button").focus();
  }, "framed unfold");
  set(true);
  box.append(button);
}
