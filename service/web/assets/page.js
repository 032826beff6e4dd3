// The main page: where it is (its address), the question box, and what connects conversation, sources and earlier conversations.

import { Conversation } from "./conversation.js";
import { Earlier } from "./earlier.js";
import { signIn } from "./key.js";
import { Library, collectionOptions } from "./library.js";
import { Menu } from "./menu.js";
import { Panel } from "./panel.js";
import { t, translate } from "./phrases.js";
import { ROOT } from "./root.js";
import { get } from "./server.js";
import { closeAll } from "./sheets.js";
import { byId, copy, element } from "./text.js";

const POLL_MS = 3000;
const SUGGESTION_MS = 4000;
const SUGGESTION_TRIES = 30;
const CHOICE = `quoth-collection${ROOT}`; // the chosen collection, in the storage that all programs of the host share
const NOBODY = { key: "", scopes: [], collections: [], reads_all: false };

translate();
const question = byId("question");
const chooser = byId("collection");
const panel = new Panel(byId("panel"));
let collections = [];
let trouble = null; // why the collections cannot be listed
let shown = ""; // the address that the page shows

const caller = await get("/v1/caller").catch(() => NOBODY);
const library = new Library(byId("library"), caller, {
  onCollections: loadCollections,
  onChoose: (name) => {
    localStorage.setItem(CHOICE, name);
    choose(name);
  },
  onScope: showScope,
  onUploads: showUploads,
});
const conversation = new Conversation(byId("thread"), panel, question, {
  onChange: showState,
  onRunning: (isRunning) => {
    byId("send").textContent = t(isRunning ? "stop" : "ask");
    byId("thread").setAttribute("aria-busy", isRunning);
    question.placeholder = t(conversation.turns.length ? "ask_followup" : "ask_question");
  },
  onBegun: (id, isNew) => {
    if (isNew) history.pushState(null, "", `${ROOT}/?c=${encodeURIComponent(id)}`);
    shown = address();
    earlier.mark(id);
  },
  announce,
});
const earlier = new Earlier(byId("earlier"), byId("earlier-toggle"), {
  onOpen: async (id, closing) => {
    await closing;
    await go(`${ROOT}/?c=${encodeURIComponent(id)}`);
  },
  onDeleted: (id) => { if (id === conversation.id) go(`${ROOT}/`); },
});

function announce(text) {
  byId("status").textContent = text;
}

function current() {
  return collections.find((collection) => collection.name === chooser.value) ?? null;
}

function hasDocuments() {
  return collections.some(({ documents }) => documents > 0);
}

async function loadCollections() {
  const listing = await get("/v1/collections");
  trouble = null;
  collections = listing.collections;
  const names = collections.map(({ name }) => name);
  const preferred = chooser.value || localStorage.getItem(CHOICE) || listing.default;
  chooser.replaceChildren(...collectionOptions(collections));
  const [first] = [...collections].sort((a, b) => b.documents - a.documents);
  chooser.value = [preferred, listing.default].find((name) => names.includes(name)) ?? first?.name ?? "";
  library.setCollections(collections, chooser.value || listing.default);
  showState();
}

// Show what fits: the question box or how to begin, and the controls that lead somewhere.
function showState() {
  const collection = current();
  const isEmpty = !hasDocuments();
  const hasTurns = conversation.turns.length > 0;
  const isMissing = !byId("missing").hidden;
  byId("onboarding").hidden = !isEmpty || isMissing || hasTurns || trouble !== null;
  byId("onboarding-add").hidden = !library.mayAdd;
  byId("onboarding-ask").hidden = library.mayAdd;
  byId("hero").hidden = (isEmpty && trouble === null) || hasTurns || isMissing;
  byId("hero-tools").hidden = !/key|scope/.test(trouble?.code ?? "");
  byId("dock").hidden = isEmpty;
  byId("heading").hidden = !hasTurns;
  byId("suggestions").hidden = isEmpty || hasTurns || isMissing || !byId("suggestions-list").childElementCount;
  chooser.parentElement.hidden = collections.length < 2;
  byId("sources").hidden = !caller.scopes.includes("ask");
  byId("fresh").hidden = !hasTurns && !isMissing;
  document.body.classList.toggle("is-empty", !hasTurns);
  document.title = hasTurns ? `${conversation.turns[0].asked.text} · Quoth` : "Quoth";
  byId("heading").textContent = hasTurns ? conversation.turns[0].asked.text : "";
  if (trouble) byId("hero-line").textContent = trouble.message;
  if (!collection) return;
  showScope();
  if (trouble) return;
  const waiting = collection.pending_vectors ? ` ${t("still_read")}` : "";
  byId("hero-line").textContent = `${t("intro_documents", { count: collection.documents })}${waiting}`;
}

function showScope() {
  const count = library.chosen.size;
  const [title] = library.chosen.values();
  byId("browse").textContent = count ? t("chosen", { count, title }) : t("documents", { count: current()?.documents ?? 0 });
  byId("browse").classList.toggle("is-chosen", count > 0);
  byId("ask-all").hidden = count === 0;
}

function showUploads(running, failed) {
  const button = byId("uploads-said");
  button.hidden = running + failed === 0;
  button.textContent = running ? t("uploads_running", { count: running }) : t("uploads_failed", { count: failed });
  button.classList.toggle("has-failed", !running);
}

async function watchCollections() {
  try {
    if (!document.hidden) await loadCollections();
  } catch (problem) {
    if (trouble?.message !== problem.message) announce(problem.message);
    trouble = problem;
    showState();
  }
  if (!hasDocuments()) setTimeout(watchCollections, POLL_MS);
}

// Show questions that the collection answers. They are looked for in the background, so a few may come later.
async function suggest(name, triesLeft = SUGGESTION_TRIES) {
  if (name !== chooser.value || !name) return;
  const { questions, is_complete: isComplete } = await get(`/v1/collections/${encodeURIComponent(name)}/questions`).catch(() => ({ questions: [], is_complete: true }));
  if (name !== chooser.value) return;
  byId("suggestions-list").replaceChildren(...questions.map((text) => {
    const button = element("button", { type: "button", textContent: text, dir: "auto" });
    button.addEventListener("click", () => submit(text));
    return element("li", {}, button);
  }));
  showState();
  if (!isComplete && triesLeft && !conversation.turns.length) setTimeout(() => suggest(name, triesLeft - 1), SUGGESTION_MS);
}

// Go to an address of this page: a conversation, one answer, or a fresh page.
async function go(address) {
  await closeAll();
  history.pushState(null, "", address);
  await show();
}

function address() {
  return location.pathname + location.search;
}

// Show what the address names. What is not there, or not for this caller, is said the same way.
async function show() {
  const answer = location.pathname.slice(ROOT.length).match(/^\/a\/([^/]+)$/)?.[1];
  let id = new URLSearchParams(location.search).get("c");
  shown = address();
  conversation.clear();
  byId("missing").hidden = true;
  try {
    if (answer) id = (await get(`/v1/answers/${answer}`)).answer.conversation_id;
    if (id) {
      const stored = await conversation.restore(id, answer && decodeURIComponent(answer));
      if (collections.some(({ name }) => name === stored.collection)) choose(stored.collection);
    }
  } catch (problem) {
    byId("missing").hidden = false;
    if (!/missing|not-found/.test(problem.code)) byId("missing").querySelector("p").textContent = problem.message;
  }
  conversation.restoreCutOff();
  earlier.mark(conversation.id);
  showState();
}

function choose(name) {
  chooser.value = name;
  library.setCollections(collections, name);
  byId("suggestions-list").replaceChildren();
  suggest(name);
  showState();
}

function grow() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight, innerHeight / 3)}px`;
}

function submit(text, options) {
  byId("missing").hidden = true;
  return conversation.submit(text, { collection: chooser.value, documents: library.scope }, options);
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (conversation.running) return conversation.stop();
  const text = question.value.trim();
  if (!text) return;
  question.value = "";
  grow();
  submit(text).then(grow);
});
byId("send").disabled = false;
question.addEventListener("input", grow);
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!conversation.running) byId("ask").requestSubmit();
  }
});
chooser.addEventListener("change", () => {
  localStorage.setItem(CHOICE, chooser.value);
  choose(chooser.value);
  go(`${ROOT}/`).then(() => question.focus());
});
byId("fresh").addEventListener("click", () => go(`${ROOT}/`).then(() => question.focus()));
for (const id of ["other-key", "hero-sign-in"]) byId(id).addEventListener("click", signIn);
document.addEventListener("click", ({ target }) => {
  if (target.dataset?.copy) copy(target.dataset.copy, target);
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  const marker = conversation.last?.box.querySelector(`.marker[data-number="${CSS.escape(event.key)}"]`);
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (!panel.close() && !earlier.closeOverlay()) document.activeElement.blur();
  } else if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    question.focus();
  } else if (/^[1-9]$/.test(event.key) && marker) {
    conversation.last.show(Number(event.key), marker);
  } else if (/^[\p{L}\p{N}]$/u.test(event.key) && !byId("dock").hidden) {
    question.focus(); // whoever types, asks; the character goes into the box
  }
});
addEventListener("popstate", () => { if (address() !== shown) show(); });

new Menu(byId("menu"), byId("menu-toggle"), caller, { conversation: () => conversation.id, onProblem: (problem) => announce(problem.message) });
for (const id of ["sources", "browse", "uploads-said"]) byId(id).addEventListener("click", () => library.show());
byId("ask-all").addEventListener("click", () => library.chooseAll());
byId("add-first").addEventListener("click", () => library.files.click());

await watchCollections();
await earlier.restore();
await show();
suggest(chooser.value);
if (matchMedia("(pointer: fine)").matches && !conversation.turns.length) question.focus();
document.body.dataset.ready = "true";
