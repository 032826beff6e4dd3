// The page of gaps: questions that were refused or rated down, by topic, with the passages that came nearest; a choice of them
// as a test set; answers whose sources have changed; and reports of evaluation runs.

import { day, t, translate } from "./phrases.js";
import { drawReport } from "./report.js";
import { get, request } from "./server.js";
import { byId, element, placeText, save, viewerAddress } from "./text.js";

const chosen = new Map(); // gaps for the test set, by the id of their answer
const titles = new Map(); // of the collections, by their names

function topicItem(topic) {
  const item = element("li", {}, element("h2", { textContent: topic.topic, dir: "auto" }), element("ul", {}, ...topic.gaps.map(gapItem)));
  const [passage] = topic.gaps[0].nearest;
  if (passage) {
    const link = element("a", { href: viewerAddress(passage, topic.gaps[0].collection), textContent: placeText({ trail: [], page: null, ...passage }) });
    item.append(element("p", { className: "muted" }, `${t("nearest")} `, link));
  }
  return item;
}

function gapItem(gap) {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    if (box.checked) chosen.set(gap.answer_id, gap);
    else chosen.delete(gap.answer_id);
    showChosen();
  });
  const why = t(gap.refused === gap.count ? "was_refused" : gap.refused ? "was_both" : "was_bad");
  const facts = [t("times", { count: gap.count }), why, day(gap.last_asked_at), titleOf(gap.collection)].join(" · ");
  return element("li", {}, element("label", { className: "check" }, box, element("span", { textContent: gap.question, dir: "auto" })), element("p", { className: "muted", textContent: facts }));
}

// What the collection is shown by. One that is gone is shown by its name.
function titleOf(collection) {
  return titles.get(collection) ?? collection;
}

function showChosen() {
  byId("save-tests").disabled = chosen.size === 0;
  byId("save-tests").textContent = t("save_tests", { count: chosen.size });
}

function staleItem(answer, collection) {
  const changes = answer.citations.map((citation) => {
    if (citation.text === null) return element("li", { textContent: t(citation.current_version === null ? "source_removed" : "quote_gone") });
    const passage = { ...citation, version: citation.current_version };
    return element("li", {}, `${t("source_now")} `, element("a", { href: viewerAddress(passage, collection), textContent: citation.text, dir: "auto" }));
  });
  return element("li", {}, element("h3", { textContent: answer.question, dir: "auto" }), element("p", { className: "muted", textContent: `${day(answer.created_at)} · ${titleOf(collection)}` }), element("ul", {}, ...changes));
}

// A report is fetched when it is opened.
function reportItem({ name, made_at: madeAt }) {
  const item = element("details", {}, element("summary", { textContent: `${name} · ${day(madeAt, true)}` }));
  item.addEventListener("toggle", () => attempt(async () => {
    if (item.open && item.childElementCount === 1) item.append(...drawReport((await get(`/v1/reports/${encodeURIComponent(name)}`)).markdown));
  }));
  return element("li", {}, item);
}

// Cases for `quoth eval run`: what is asked. A person adds what is right.
function saveTests() {
  const cases = [...chosen.values()].map(({ answer_id: id, question, collection }) => ({
    id: `gap-${id}`, question, tags: { source: "gaps", collection, review: "say whether the documents answer it, and quote what does" },
  }));
  save(new Blob([cases.map((one) => `${JSON.stringify(one)}\n`).join("")], { type: "application/jsonl" }), "test-set.jsonl");
}

async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    byId("place").textContent = problem.message;
  }
}

async function open() {
  const addresses = ["/v1/collections", "/v1/gaps", "/v1/answers/stale?everyone=true", "/v1/reports"];
  const [{ collections }, { topics }, { answers }, { reports }] = await Promise.all(addresses.map((address) => get(address)));
  for (const { name, title } of collections) titles.set(name, title);
  byId("topics").replaceChildren(...topics.map(topicItem));
  const count = topics.reduce((sum, topic) => sum + topic.count, 0);
  byId("place").textContent = topics.length ? t("gap_questions", { count }) : t("no_gaps");
  byId("tools").hidden = !topics.length;
  byId("stale").hidden = !answers.length;
  byId("stale-list").replaceChildren(...answers.map((answer) => staleItem(answer, answer.collection)));
  byId("reports").hidden = !reports.length;
  byId("reports-list").replaceChildren(...reports.map(reportItem));
  showChosen();
}

translate();
document.title = `${t("gaps")} · Quoth`;
byId("save").addEventListener("click", () => attempt(async () => save(await (await request("/v1/gaps?format=csv")).blob(), "gaps.csv")));
byId("save-tests").addEventListener("click", saveTests);
await attempt(open);
document.body.dataset.ready = "true";
