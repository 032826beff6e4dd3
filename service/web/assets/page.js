// The main page: the conversation, the question box, the collections, the keyboard shortcuts.

import { Earlier } from "./earlier.js";
import { Panel } from "./panel.js";
import { ROOT } from "./root.js";
import { ask, get } from "./server.js";
import { copy, element, viewerAddress } from "./text.js";
import { Turn } from "./turn.js";
import { Uploads } from "./upload.js";

const POLL_MS = 3000;
const CHOICE = `quoth-collection${ROOT}`; // the chosen collection, in the storage that all programs of the host share
const byId = (id) => document.getElementById(id);
const panel = new Panel(byId("panel"));
const question = byId("question");
const chooser = byId("collection");
const earlier = new Earlier(byId("earlier"), byId("earlier-toggle"), {
  onOpen: (id) => open(id).catch((problem) => announce(problem.message)),
  onDeleted: (id) => { if (id === conversation) restart(); },
});
const uploads = new Uploads(byId("uploads"), {
  collection: () => chooser.value || defaultCollection,
  onSearchable: () => loadCollections().catch((problem) => announce(problem.message)),
});
let defaultCollection = ""; // where files go while there is no collection to choose
let collections = [];
let conversation = null;
let turns = [];
let running = null;

function announce(text) {
  byId("status").textContent = text;
}

function current() {
  return collections.find((collection) => collection.name === chooser.value) ?? null;
}

async function loadCollections() {
  const listing = await get("/v1/collections");
  collections = listing.collections.filter((collection) => collection.documents > 0);
  defaultCollection = listing.default;
  const preferred = chooser.value || localStorage.getItem(CHOICE) || listing.default;
  chooser.replaceChildren(...collections.map(({ name }) => element("option", { value: name, textContent: name })));
  const names = collections.map(({ name }) => name);
  chooser.value = names.includes(preferred) ? preferred : names.includes(listing.default) ? listing.default : names[0] ?? "";
  showCollection();
}

function showCollection() {
  const collection = current();
  const isEmpty = collection === null;
  byId("onboarding").hidden = !isEmpty;
  byId("hero").hidden = isEmpty || turns.length > 0;
  byId("dock").hidden = isEmpty;
  chooser.parentElement.hidden = collections.length < 2;
  byId("browse").hidden = isEmpty;
  byId("fresh").hidden = turns.length === 0;
  document.body.classList.toggle("is-empty", turns.length === 0);
  if (isEmpty) return;
  const documents = `${collection.documents.toLocaleString("en")} document${collection.documents === 1 ? "" : "s"}`;
  byId("browse").textContent = documents;
  const waiting = collection.pending_vectors ? " Some are still being read; answers get better meanwhile." : "";
  byId("hero-line").textContent = `Answers come from ${documents}, and every sentence quotes its source.${waiting}`;
}

async function watchCollections() {
  try {
    if (!document.hidden) await loadCollections();
  } catch (problem) {
    byId("hero-line").textContent = problem.message;
    announce(problem.message);
  }
  if (collections.length === 0) setTimeout(watchCollections, POLL_MS);
}

function addTurn(text, collection) {
  const turn = new Turn(text, collection, panel);
  turns.push(turn);
  byId("thread").append(turn.box);
  showCollection();
  return turn;
}

async function submit(text) {
  const collection = chooser.value;
  panel.close();
  const turn = addTurn(text, collection);
  running = new AbortController();
  setRunning(true);
  turn.box.scrollIntoView({ block: "start", behavior: "smooth" });
  try {
    const body = { question: text, collection, ...(conversation && { conversation_id: conversation }) };
    for await (const [event, data] of ask(body, running.signal)) {
      turn[event]?.(data);
      if (event === "answer") {
        conversation = data.conversation_id;
        history.replaceState(null, "", `${ROOT}/?c=${encodeURIComponent(conversation)}`);
        earlier.mark(conversation);
        announce(data.refused || data.kind === "talk" ? data.text : `Answered, with ${data.citations.length} sources.`);
      }
    }
  } catch (problem) {
    if (problem.name === "AbortError") turn.stopped();
    else turn.problem(problem, () => { turns = turns.filter((other) => other !== turn); submit(text); });
  } finally {
    running = null;
    setRunning(false);
  }
}

function setRunning(isRunning) {
  byId("send").textContent = isRunning ? "Stop" : "Ask";
  byId("thread").setAttribute("aria-busy", isRunning);
  question.placeholder = turns.length ? "Ask a follow-up" : "Ask a question";
}

function clear() {
  running?.abort();
  panel.close();
  turns = [];
  conversation = null;
  byId("thread").replaceChildren();
  history.replaceState(null, "", `${ROOT}/`);
  setRunning(false);
  showCollection();
}

function restart() {
  clear();
  earlier.mark(null);
  question.focus();
}

async function open(id) {
  clear();
  await restore(id);
  history.replaceState(null, "", `${ROOT}/?c=${encodeURIComponent(id)}`);
}

async function restore(id) {
  const stored = await get(`/v1/conversations/${encodeURIComponent(id)}`);
  conversation = stored.id;
  earlier.mark(conversation);
  for (const { answer, collection, stale } of stored.answers) {
    if ([...chooser.options].some((option) => option.value === collection)) chooser.value = collection;
    const turn = addTurn(answer.question, collection);
    turn.answer(answer);
    turn.markStale(stale);
  }
  setRunning(false);
  turns.at(-1)?.box.scrollIntoView({ block: "start" });
}

function grow() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight, innerHeight / 3)}px`;
}

async function browse() {
  const list = byId("documents-list");
  const name = chooser.value;
  list.replaceChildren();
  byId("documents-filter").value = "";
  byId("documents").showModal();
  try {
    const { documents } = await get(`/v1/documents?${new URLSearchParams({ collection: name })}`);
    list.append(...documents.sort((a, b) => a.title.localeCompare(b.title)).map((document) => element("li", {},
      element("a", {
        href: viewerAddress({ document_id: document.id, version: document.version, start: 0, end: 0 }, name),
        target: "_blank", rel: "opener", textContent: document.title,
      }),
      element("span", { className: "muted", textContent: ` ${document.characters.toLocaleString("en")} characters` }))));
  } catch (problem) {
    list.append(element("li", { className: "problem", textContent: problem.message }));
  }
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) {
    running.abort();
    return;
  }
  const text = question.value.trim();
  if (!text) return;
  question.value = "";
  grow();
  submit(text);
});
question.addEventListener("input", grow);
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!running) byId("ask").requestSubmit();
  }
});
chooser.addEventListener("change", () => {
  localStorage.setItem(CHOICE, chooser.value);
  restart();
});
byId("fresh").addEventListener("click", restart);
uploads.chooseWith(byId("add"));
uploads.chooseWith(byId("add-first"));
byId("browse").addEventListener("click", browse);
byId("documents-close").addEventListener("click", () => byId("documents").close());
byId("documents-filter").addEventListener("input", ({ target }) => {
  const filter = target.value.toLowerCase();
  for (const item of byId("documents-list").children) item.hidden = !item.textContent.toLowerCase().includes(filter);
});
document.addEventListener("click", ({ target }) => {
  if (target.dataset?.copy) copy(target.dataset.copy, target);
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "Escape" && !byId("documents").open) {
    if (!panel.close()) document.activeElement.blur();
  } else if (typing || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    question.focus();
  } else if (/^[1-9]$/.test(event.key)) {
    const turn = turns.at(-1);
    turn?.show(Number(event.key), turn.box.querySelector(`.marker[data-number="${event.key}"]`));
  }
});

await watchCollections();
await earlier.restore();
const linked = new URLSearchParams(location.search).get("c");
if (linked) await restore(linked).catch(restart);
if (matchMedia("(pointer: fine)").matches && !linked) question.focus();
document.body.dataset.ready = "true";
