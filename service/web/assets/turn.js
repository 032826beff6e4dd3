// One turn of the conversation: the question, and the answer while it is written.

import { Thumbs } from "./feedback.js";
import { contextText, copy, element, placeText, quoteElement, viewerAddress } from "./text.js";

const NEAREST = 4;
const EXCERPT = 280; // code points shown of a nearest passage
const HEADING_LINES = /^#{1,6} .*$/gm; // an excerpt already shows its headings above it

const CHANGES = {
  unchanged: "The quote still stands in the new version:",
  changed: "The new version says:",
  gone: "The quote is not in the new version.",
};

export class Turn {
  constructor(question, collection, panel) {
    this.collection = collection;
    this.panel = panel;
    this.citations = [];
    this.box = element("article", { className: "turn" });
    this.state = element("p", { className: "reading muted", textContent: "Looking …" });
    this.prose = element("p", { className: "prose" });
    this.after = element("div", { className: "after" });
    this.box.append(element("h2", { className: "asked", textContent: question }), this.state, this.prose, this.after);
  }

  passages({ passages }) {
    const documents = new Set(passages.map((passage) => passage.document_id)).size;
    this.state.textContent = `Reading ${count(passages.length, "passage")} of ${count(documents, "document")} …`;
  }

  // `thumbs` rate this sentence; there are none while the answer is written.
  sentence({ sentence, citations }, thumbs = null) {
    this.citations.push(...citations);
    if (this.prose.childNodes.length) this.prose.append(" ");
    const span = element("span", { className: sentence.supported ? "sentence" : "sentence unsupported", textContent: sentence.text });
    if (!sentence.supported) span.title = "The cited passages do not support this sentence.";
    const said = element("span", { className: "said" }, span, ...sentence.citations.map((number) => this.marker(number)));
    if (thumbs) said.append(element("span", { className: "at-end" }, thumbs.box));
    this.prose.append(said);
  }

  // Show the whole answer. It replaces the streamed sentences, so that a streamed and a loaded answer look the same.
  answer(answer) {
    this.state.remove();
    this.prose.replaceChildren();
    this.citations = [];
    if (answer.rewritten_question !== answer.question) {
      this.prose.before(element("p", { className: "muted rewritten", textContent: `Read as: ${answer.rewritten_question}` }));
    }
    if (answer.kind === "talk") {
      this.prose.textContent = answer.text;
      return;
    }
    if (answer.refused) this.refusal(answer);
    else {
      answer.sentences.forEach((sentence, number) => {
        const thumbs = new Thumbs(answer.id, number);
        this.sentence({ sentence, citations: [] }, thumbs);
        this.after.append(thumbs.comment);
      });
      this.citations = answer.citations;
      this.after.append(this.sources());
    }
    for (const note of answer.notes) this.after.append(element("p", { className: "note", textContent: note }));
    const thumbs = new Thumbs(answer.id);
    this.after.append(this.closing(answer, thumbs), thumbs.comment);
  }

  // Say which quotes of a stored answer stand in documents that have changed since, with what stands there now.
  markStale(citations) {
    if (!citations.length) return;
    const list = element("ul", { className: "stale", "aria-label": "Changed sources" });
    for (const citation of citations) {
      const entry = element("li", {}, element("span", { className: "number", textContent: citation.number }),
        element("span", { textContent: citation.current_version === null ? "The document was removed." : CHANGES[citation.change] }));
      if (citation.text !== null) {
        const passage = { ...citation, version: citation.current_version };
        entry.append(element("a", { className: "quote-text", href: viewerAddress(passage, this.collection), textContent: citation.text }));
      }
      list.append(entry);
    }
    this.after.append(element("p", { className: "note", textContent: "Documents that this answer quotes have changed since." }), list);
  }

  problem(problem, again) {
    this.state.remove();
    this.prose.replaceChildren();
    const retry = element("button", { type: "button", className: "quiet", textContent: "Ask again" });
    retry.addEventListener("click", () => { this.box.remove(); again(); });
    this.after.replaceChildren(element("div", { className: "problem", role: "alert" }, element("p", { textContent: problem.message }), retry));
  }

  stopped() {
    this.state.textContent = "Stopped.";
  }

  show(number, opener) {
    const place = this.citations.findIndex((citation) => citation.number === number);
    if (place >= 0) this.panel.open(this.citations, place, this.collection, opener);
  }

  marker(number) {
    const button = element("button", { type: "button", className: "marker", textContent: number, "aria-label": `Source ${number}` });
    button.dataset.number = number;
    button.addEventListener("click", () => this.show(number, button));
    return button;
  }

  sources() {
    const list = element("ol", { className: "sources", "aria-label": "Sources" });
    for (const citation of this.citations) {
      const card = element("button", { type: "button", className: "card" },
        element("span", { className: "number", textContent: citation.number }),
        element("span", { className: "card-body" },
          element("span", { className: "card-place", textContent: placeText(citation) }),
          ...(contextText(citation) ? [element("span", { className: "card-context", textContent: contextText(citation) })] : []),
          quoteElement(citation)));
      card.addEventListener("click", () => this.show(citation.number, card));
      list.append(element("li", {}, card));
    }
    return list;
  }

  refusal(answer) {
    this.box.classList.add("refused");
    this.prose.textContent = answer.text;
    const nearest = answer.passages.slice(0, NEAREST);
    if (!nearest.length) return;
    const list = element("ul", { className: "sources", "aria-label": "Nearest passages" });
    nearest.forEach((passage, place) => {
      const points = Array.from(passage.text.replace(HEADING_LINES, "").trim());
      const excerpt = points.length > EXCERPT ? `${points.slice(0, EXCERPT).join("").replace(/\s+\S*$/, "")} …` : points.join("");
      const card = element("button", { type: "button", className: "card" }, element("span", { className: "card-body" },
        element("span", { className: "card-place", textContent: placeText(passage) }),
        element("span", { className: "quote-text", textContent: excerpt })));
      card.addEventListener("click", () => this.panel.open(nearest, place, this.collection, card));
      list.append(element("li", {}, card));
    });
    this.after.append(element("h3", { className: "muted", textContent: "Nearest passages" }), list);
  }

  closing(answer, thumbs) {
    const percent = Math.round(answer.confidence * 100);
    const said = answer.refused ? `Confidence that they do: ${percent} %` : `Confidence ${percent} %`;
    const meter = element("span", { className: "meter", "aria-hidden": "true" }, element("span", {}));
    meter.firstChild.style.width = `${percent}%`;
    const facts = [answer.generator, answer.timings_ms.total === undefined ? "" : `${Math.round(answer.timings_ms.total)} ms`];
    const line = element("p", { className: "closing muted" }, element("span", { className: "confidence" }, meter, said));
    for (const fact of facts.filter(Boolean)) line.append(element("span", { textContent: fact }));
    line.append(thumbs.box);
    if (!answer.refused) {
      const button = element("button", { type: "button", className: "quiet", textContent: "Copy answer" });
      button.addEventListener("click", () => copy(answerText(answer), button));
      line.append(button);
    }
    return line;
  }
}

function answerText(answer) {
  const sources = answer.citations.map((citation) => {
    const context = contextText(citation).replace(/[:：]$/, "");
    return `[${citation.number}] ${placeText(citation)}: ${context && `${context}: `}“${citation.quote}”`;
  });
  return [answer.text, "", ...sources].join("\n");
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
