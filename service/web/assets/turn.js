// One turn of the conversation: the question, and the answer while it is written.

import { sourceList } from "./cards.js";
import { Thumbs } from "./feedback.js";
import { nearestPassage } from "./nearest.js";
import { milliseconds, percent, t } from "./phrases.js";
import { appendSentence, marker } from "./sentence.js";
import { contextText, copy, element, placeText, textButton, viewerAddress } from "./text.js";

const NEAREST = 4;
const LONG = 1400; // code points of an answer that is folded
const SAID_MS = 5000; // after which what was said aloud is taken away, so that nobody reads it a second time

export class Turn {
  constructor(question, collection, panel) {
    this.collection = collection;
    this.panel = panel;
    this.citations = [];
    this.box = element("article", { className: "turn" });
    this.state = element("p", { className: "reading muted", textContent: t("looking") });
    this.prose = element("div", { className: "prose" });
    this.after = element("div", { className: "after" });
    this.voice = element("div", { className: "visually-hidden", "aria-live": "polite" }); // says each sentence once
    this.box.append(element("h2", { className: "asked", dir: "auto", textContent: question }), this.state, this.prose, this.after, this.voice);
  }

  passages({ passages }) {
    const documents = new Set(passages.map((passage) => passage.document_id)).size;
    this.state.textContent = t("reading_passages", { count: passages.length, documents: t("of_documents", { count: documents }) });
  }

  // A sentence while the answer is written.
  sentence({ sentence, citations }) {
    this.citations.push(...citations);
    this.say(sentence, this.prose, null);
    this.voice.append(element("p", { dir: "auto", textContent: sentence.text }));
  }

  say(sentence, prose, thumbs) {
    if (sentence.kind === "missing") {
      prose.append(element("p", { className: "missing-part", dir: "auto", textContent: sentence.text }));
    } else {
      const box = sentence.kind === "derived" ? this.derived(prose) : prose;
      appendSentence(box, sentence, this.citations, { open: (number, opener) => this.show(number, opener), thumbs });
      if (sentence.derivation) box.append(this.operands(sentence.derivation));
    }
    if (thumbs) this.after.append(thumbs.comment);
  }

  // Show the whole answer. It replaces the streamed sentences, so that a streamed and a loaded answer look the same.
  answer(answer) {
    this.state.remove();
    this.prose.replaceChildren();
    this.citations = answer.citations;
    setTimeout(() => this.voice.replaceChildren(), SAID_MS);
    const read = howRead(answer);
    if (read) this.prose.before(element("p", { className: "muted rewritten", dir: "auto", textContent: read }));
    if (answer.kind === "talk") {
      this.prose.textContent = answer.text;
      return;
    }
    if (answer.refused) this.refusal(answer);
    else this.answered(answer);
    for (const note of answer.notes) this.after.append(element("p", { className: "note", dir: "auto", textContent: note }));
    const thumbs = new Thumbs(answer.id);
    this.after.append(this.closing(answer, thumbs), thumbs.comment);
  }

  answered(answer) {
    const parts = answer.parts ?? [];
    const owners = new Map(parts.flatMap((part, place) => part.sentences.map((number) => [number, place])).reverse()); // the first
    const boxes = parts.map((part) => {
      const box = element("section", { className: part.refused ? "part refused-part" : "part" }, element("h3", { className: "part-question", dir: "auto", textContent: part.question }));
      this.prose.append(box);
      return box;
    });
    answer.sentences.forEach((sentence, number) => this.say(sentence, boxes[owners.get(number)] ?? this.prose, new Thumbs(answer.id, number)));
    parts.forEach((part, place) => {
      const isAbove = part.sentences.length > 0 && part.sentences.every((number) => owners.get(number) !== place);
      if (isAbove) boxes[place].append(this.above(part.sentences.flatMap((number) => answer.sentences[number].citations)));
    });
    if (Array.from(answer.text).length > LONG) this.fold();
    this.after.append(sourceList(answer.citations, { label: t("sources_of_answer"), open: (place, card) => this.open(answer.citations, place, card) }));
  }

  // Where the answer to a part stands that earlier parts have given.
  above(numbers) {
    const line = element("p", { className: "answered-above muted", textContent: t("answered_above") });
    for (const number of new Set(numbers)) line.append(this.marker(number));
    return line;
  }

  marker(number) {
    const cited = this.citations.find((citation) => citation.number === number);
    return marker(number, cited, (opened, opener) => this.show(opened, opener));
  }

  // A long answer shows its beginning, until a button, or the focus inside it, unfolds it.
  fold() {
    const unfold = () => {
      this.prose.classList.remove("folded");
      button.remove();
    };
    const button = textButton(t("whole_answer"), unfold, "framed unfold");
    this.prose.classList.add("folded");
    this.prose.addEventListener("focusin", unfold, { once: true });
    this.prose.after(button);
  }

  // Where a sentence that Quoth worked out is said, and what it was worked out from.
  derived(prose) {
    const box = element("div", { className: "derived" }, element("div", { className: "derived-name muted", textContent: t("worked_out") }));
    prose.append(box);
    return box;
  }

  operands({ operation, operands, result }) {
    const line = element("p", { className: "operands muted", dir: "auto" }, element("span", { textContent: `${t(`operation_${operation}`)}: ` }));
    operands.forEach(({ citation, quote, label }, place) => {
      if (place) line.append(" · ");
      if (label) line.append(element("bdi", { textContent: `${label}: ` }));
      line.append(element("bdi", { className: "operand", textContent: quote }), this.marker(citation));
    });
    if (result) line.append(" → ", element("bdi", { className: "operand", textContent: result }));
    return line;
  }

  // Say which quotes of a stored answer stand in documents that have changed since, with what stands there now.
  markStale(citations) {
    if (!citations.length) return;
    const list = element("ul", { className: "stale", "aria-label": t("changed_sources") });
    for (const citation of citations) {
      const entry = element("li", {}, element("span", { className: "number", textContent: citation.number }),
        element("span", { textContent: t(citation.current_version === null ? "source_removed" : `quote_${citation.change}`) }));
      if (citation.text !== null) {
        const passage = { ...citation, version: citation.current_version };
        entry.append(element("a", { className: "quote-text", dir: "auto", href: viewerAddress(passage, this.collection), textContent: citation.text }));
      }
      list.append(entry);
    }
    this.after.append(element("p", { className: "note", textContent: t("sources_changed") }), list);
  }

  problem(problem, again) {
    this.state.remove();
    this.prose.replaceChildren();
    const retry = textButton(t("ask_again"), again);
    this.after.replaceChildren(element("div", { className: "problem", role: "alert" }, element("p", { textContent: problem.message }), retry));
  }

  show(number, opener) {
    const place = this.citations.findIndex((citation) => citation.number === number);
    if (place >= 0) this.open(this.citations, place, opener);
  }

  open(sources, place, opener) {
    this.panel.open(sources, place, this.collection, opener);
  }

  refusal(answer) {
    this.box.classList.add("refused");
    this.prose.append(element("p", { dir: "auto", textContent: answer.text }));
    const nearest = answer.passages.slice(0, NEAREST);
    if (!nearest.length) return;
    const label = t("nearest_passages");
    this.after.append(element("h3", { className: "muted nearest", textContent: label }),
      sourceList(nearest, { label, draw: (passage) => nearestPassage(passage, this.collection), open: (place, card) => this.open(nearest, place, card) }));
  }

  closing(answer, thumbs) {
    const meter = element("span", { className: "meter", "aria-hidden": "true" }, element("span", {}));
    meter.firstChild.style.width = `${100 * answer.confidence}%`;
    const said = t(answer.refused ? "confidence_refused" : "confidence", { percent: percent(answer.confidence) });
    const line = element("div", { className: "closing muted" }, element("span", { className: "confidence" }, meter, said), thumbs.box);
    if (!answer.refused) {
      const button = textButton(t("copy_answer"), () => copy(answerText(answer), button));
      line.append(button);
    }
    line.append(details(answer));
    return line;
  }
}

// How the question was read otherwise than it is typed: in other words, or as several questions. Empty if it was not.
function howRead(answer) {
  const words = answer.rewritten_question !== answer.question && t("read_as", { question: answer.rewritten_question });
  const parts = answer.parts?.length > 0 && t("read_as_parts", { count: answer.parts.length });
  return [words, parts].filter(Boolean).join(" ");
}

// What only those ask who look after a server.
function details(answer) {
  const total = answer.timings_ms.total;
  const facts = [t("written_by", { generator: answer.generator }), ...(total === undefined ? [] : [milliseconds(total)]),
    t("passages_read", { count: answer.passages.length })];
  return element("details", { className: "details" }, element("summary", { textContent: t("details") }), element("p", { textContent: facts.join(" · ") }));
}

function answerText(answer) {
  const sources = answer.citations.map((citation) => {
    const context = contextText(citation).replace(/[:：]$/, "");
    return `[${citation.number}] ${placeText(citation)}: ${context && `${context}: `}“${citation.quote}”`;
  });
  return [answer.text, "", ...sources].join("\n");
}
