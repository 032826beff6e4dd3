// The conversation on the page: its turns, the answer that is being written, and what became of one that was cut off.

import { rememberRatings } from "./feedback.js";
import { t } from "./phrases.js";
import { ROOT } from "./root.js";
import { ask, get } from "./server.js";
import { copy, element, iconButton, textButton } from "./text.js";
import { Turn } from "./turn.js";

const CUT_OFF = `quoth-cut-off${ROOT}`; // the answer of this tab that was cut off: a server stores only whole ones

const FINE_POINTER = matchMedia("(pointer: fine)");

export class Conversation {
  // `box` takes the turns; `panel` shows sources. `question` is the field for questions. `onChange()` runs when turns come and
  // go, `onRunning(isRunning)` when an answer begins or ends, `onBegun(id)` when the server has stored the first answer.
  constructor(box, panel, question, { onChange, onRunning, onBegun, announce }) {
    Object.assign(this, { box, panel, question, onChange, onRunning, onBegun, announce });
    this.id = null;
    this.turns = [];
    this.running = null;
  }

  get last() {
    return this.turns.at(-1);
  }

  // Ask in `scope`: { collection, documents }, with `documents` the ids that may answer, or null. `options` go to the server.
  submit(text, scope, options = {}) {
    this.panel.close();
    const turn = this.add({ text, scope, options });
    turn.box.scrollIntoView({ block: "start", behavior: "smooth" });
    return this.run(turn);
  }

  add(asked) {
    const turn = new Turn(asked.text, asked.scope.collection, this.panel);
    turn.asked = asked;
    turn.told = []; // the events of an answer that is not whole
    turn.box.tabIndex = -1; // takes the focus when its answer is whole, so that the keys for sources work
    this.addPencil(turn);
    this.turns.push(turn);
    this.box.append(turn.box);
    this.onChange();
    return turn;
  }

  // Ask for the answer of `turn`. Sentences that it shows already, from an attempt that was cut off, are not shown twice.
  async run(turn) {
    const { text, scope, options } = turn.asked;
    const filter = scope.documents ? { filter: { document_ids: scope.documents } } : {};
    const body = { question: text, collection: scope.collection, ...(this.id && { conversation_id: this.id }), ...filter, ...options };
    const running = new AbortController();
    this.running = running;
    this.onRunning(true);
    const shown = new Set(turn.told.map(({ sentence }) => sentence.text));
    sessionStorage.removeItem(CUT_OFF);
    try {
      for await (const [event, data] of ask(body, running.signal)) {
        if (event === "sentence" && shown.has(data.sentence.text)) continue;
        if (event === "sentence") turn.told.push(data);
        if (event === "answer") {
          this.rest(running); // before the answer is shown: the next question may come while the stream is being closed
          this.finish(turn, data);
        } else turn[event]?.(data);
      }
    } catch (problem) {
      if (this.running === running) this.cutOff(turn, problem);
    } finally {
      this.rest(running);
    }
  }

  // Take the next question, unless it is being answered already.
  rest(running) {
    if (this.running !== running) return;
    this.running = null;
    this.onRunning(false);
  }

  finish(turn, answer) {
    if (!this.turns.includes(turn)) return;
    turn.answer(answer);
    turn.told = [];
    this.addTools(turn, answer);
    const begun = this.id === null;
    this.id = answer.conversation_id;
    this.onBegun(this.id, begun);
    if (document.activeElement === this.question && !this.question.value && FINE_POINTER.matches) turn.box.focus({ preventScroll: true });
    this.announce(answer.refused || answer.kind === "talk" ? answer.text : t("answered", { count: answer.citations.length }));
  }

  stop() {
    this.running?.abort();
  }

  // Keep what was checked, and offer to go on or to begin again. What the server refuses to answer goes back into its field.
  cutOff(turn, problem) {
    if (!this.turns.includes(turn)) return;
    const wasStopped = problem.name === "AbortError";
    if (!wasStopped && !turn.told.length) {
      if (problem.code === "question-invalid" && !this.question.value) this.question.value = turn.asked.text;
      turn.problem(problem, () => {
        this.remove(turn);
        this.submit(turn.asked.text, turn.asked.scope, turn.asked.options);
      });
      return;
    }
    this.sayCutOff(turn, wasStopped, wasStopped ? "" : problem.message);
    const { text, scope, options } = turn.asked;
    sessionStorage.setItem(CUT_OFF, JSON.stringify({ conversation: this.id, text, scope, options, told: turn.told, wasStopped }));
  }

  sayCutOff(turn, wasStopped, why) {
    turn.state.hidden = true;
    const said = wasStopped ? t(turn.told.length ? "stopped" : "stopped_early") : t("broke_off");
    const next = element("div", { className: "cut-off", role: wasStopped ? "status" : "alert" }, element("p", {}, element("strong", { textContent: said })));
    if (!wasStopped) next.append(element("p", { textContent: [why, t("broke_hint")].filter(Boolean).join(" ") }));
    const again = (text, work) => textButton(text, () => {
      if (this.running) return;
      next.remove();
      turn.state.hidden = false;
      work();
      this.run(turn);
    }, "framed");
    const buttons = element("p", { className: "cut-off-tools" });
    if (turn.told.length) buttons.append(again(t("continue"), () => {}));
    buttons.append(again(t("ask_again"), () => {
      turn.told = [];
      turn.citations = [];
      turn.prose.replaceChildren();
    }));
    next.append(buttons);
    turn.after.append(next);
  }

  // After a reload: show the answer that was cut off in this tab, if it belongs to the conversation on the page.
  restoreCutOff() {
    const kept = JSON.parse(sessionStorage.getItem(CUT_OFF) ?? "null");
    if (!kept || kept.conversation !== this.id) return;
    const turn = this.add({ text: kept.text, scope: kept.scope, options: kept.options });
    turn.told = kept.told;
    for (const data of kept.told) turn.sentence(data);
    this.sayCutOff(turn, kept.wasStopped, "");
  }

  remove(turn) {
    this.turns = this.turns.filter((other) => other !== turn);
    turn.box.remove();
    this.onChange();
  }

  clear() {
    const { running } = this;
    this.running = null;
    running?.abort();
    this.panel.close();
    this.turns = [];
    this.id = null;
    this.box.replaceChildren();
    this.onRunning(false);
    this.onChange();
  }

  // Show a stored conversation; `answer` is the id of the one to show first, or null for the last.
  async restore(id, answer = null) {
    const address = encodeURIComponent(id);
    const [stored, { feedback }] = await Promise.all([get(`/v1/conversations/${address}`), get(`/v1/feedback?limit=1000&conversation_id=${address}`)]);
    rememberRatings(feedback);
    this.id = stored.id;
    for (const { answer: given, collection, stale } of stored.answers) {
      const turn = this.add({ text: given.question, scope: { collection, documents: null }, options: {} });
      turn.answer(given);
      turn.markStale(stale);
      this.addTools(turn, given);
    }
    const wanted = this.turns.find((turn) => turn.box.id === `a-${answer}`) ?? this.last;
    wanted?.box.scrollIntoView({ block: "start" });
    return stored;
  }

  // What can be done with a whole answer: its link, and asking again as it is typed.
  addTools(turn, answer) {
    turn.box.id = `a-${answer.id}`;
    const link = textButton(t("copy_link"), () => copy(`${location.origin}${ROOT}/a/${encodeURIComponent(answer.id)}`, link));
    turn.box.querySelector(".closing")?.append(link);
    const typed = textButton(t("as_typed"), () => { if (!this.running) this.submit(turn.asked.text, turn.asked.scope, { as_typed: true }); }, "as-typed");
    turn.box.querySelector(".rewritten")?.append(typed);
  }

  // A pencil beside the question: it can be changed and asked again.
  addPencil(turn) {
    const asked = turn.box.querySelector(".asked");
    const pencil = iconButton("✎", t("edit_question"), () => this.edit(turn, row, pencil), "pencil");
    const row = element("div", { className: "asked-row" });
    asked.replaceWith(row);
    row.append(asked, pencil);
    const { documents } = turn.asked.scope;
    if (documents) row.after(element("p", { className: "muted asked-of", textContent: t("only_from", { count: documents.length }) }));
  }

  edit(turn, row, pencil) {
    const field = element("textarea", { value: turn.asked.text, rows: 2, dir: "auto", "aria-label": t("edit_question") });
    const form = element("form", { className: "asked-form" }, field,
      element("div", { className: "asked-form-tools" }, textButton(t("cancel"), () => leave()), element("button", { type: "submit", className: "primary", textContent: t("ask_this") })));
    const leave = () => {
      form.replaceWith(row);
      pencil.focus();
    };
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        leave();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text || this.running) return;
      leave();
      this.submit(text, turn.asked.scope, turn.asked.options);
    });
    row.replaceWith(form);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
}
