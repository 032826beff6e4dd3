// The page of gaps: questions that were refused or rated down, by topic, with the passages that came nearest.

import { get, request } from "./server.js";
import { element, placeText, viewerAddress } from "./text.js";

const byId = (id) => document.getElementById(id);

function times(count) {
  return count === 1 ? "once" : `${count} times`;
}

function topicItem(topic) {
  const item = element("li", {}, element("h2", { textContent: `${topic.topic} · ${times(topic.count)}` }));
  const others = topic.gaps.filter((gap) => gap.question !== topic.topic);
  if (others.length) item.append(element("ul", {}, ...others.map((gap) => element("li", { textContent: `${gap.question} · ${times(gap.count)}` }))));
  const [passage] = topic.gaps[0].nearest;
  if (passage) {
    const link = element("a", { href: viewerAddress(passage, topic.gaps[0].collection), textContent: placeText({ trail: [], page: null, ...passage }) });
    item.append(element("p", { className: "muted" }, "Nearest: ", link));
  }
  return item;
}

async function save() {
  const response = await request("/v1/gaps?format=csv");
  const link = element("a", { href: URL.createObjectURL(await response.blob()), download: "gaps.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function open() {
  try {
    const { topics } = await get("/v1/gaps");
    byId("topics").replaceChildren(...topics.map(topicItem));
    const questions = topics.reduce((sum, topic) => sum + topic.count, 0);
    byId("place").textContent = topics.length ? `${questions} questions without a good answer, by topic.` : "No question was refused or rated down.";
    byId("save").hidden = !topics.length;
  } catch (problem) {
    byId("place").textContent = problem.message;
  }
}

byId("save").addEventListener("click", () => save().catch((problem) => { byId("place").textContent = problem.message; }));
open();
