// A document in the panel of sources: what is known of it, the box to choose it by, and what can be done with it.

import { day, size, t } from "./phrases.js";
import { change, remove } from "./server.js";
import { element, fileName, iconButton, lineForm, textButton, viewerAddress } from "./text.js";

const LONGEST_TITLE = 300;
const KINDS = [
  [/pdf/, "pdf"], [/csv|sheet|excel/, "sheet"], [/presentation|powerpoint/, "slides"], [/word|opendocument.text|rtf/, "word"], [/html/, "web"],
  [/rfc822|mbox|outlook/, "mail"], [/^image/, "image"], [/epub|fiction/, "book"], [/json|xml|yaml|toml/, "data"],
];

// A row of the list for `document`, of a Library.
export function documentItem(document, library) {
  const box = element("input", { type: "checkbox", "aria-label": t("ask_only", { title: document.title }) });
  box.addEventListener("change", () => library.choose([document], box.checked));
  const address = viewerAddress({ document_id: document.id, version: document.version, start: 0, end: 0 }, library.collection);
  const title = element("a", { className: "library-title", dir: "auto", textContent: document.title, href: address, target: "_blank", rel: "opener" });
  const item = element("li", {}, element("label", { className: "library-check" }, box),
    element("div", { className: "library-about" }, title, element("p", { className: "muted", textContent: facts(document) }), ...states(document)));
  if (library.mayAdd) {
    const more = iconButton("⋯", t("more_for", { title: document.title }), () => toggleActions(document, library, item, more));
    more.setAttribute("aria-expanded", "false");
    item.append(more);
  }
  item.dataset.id = document.id;
  return item;
}

// Whether every word stands in the title or in the name of the file.
export function isCalled(document, words) {
  const names = `${document.title} ${fileName(document)}`.toLowerCase();
  return words.every((word) => names.includes(word));
}

function facts(document) {
  const kind = KINDS.find(([pattern]) => pattern.test(document.media_type))?.[1] ?? "text";
  const file = fileName(document);
  return [
    t(`kind_${kind}`), document.pages ? t("pages", { count: document.pages }) : "", document.bytes === null ? "" : size(document.bytes),
    day(document.indexed_at), file === document.title ? "" : file,
  ].filter(Boolean).join(" · ");
}

function states(document) {
  const lines = [];
  if (document.principals.length) lines.push(t("readers", { names: document.principals.join(", ") }));
  if (document.pending_vectors) lines.push(t("learning"));
  const found = lines.map((line) => element("p", { className: "library-state", textContent: line }));
  if (document.warnings.length) {
    found.push(element("details", { className: "library-state" }, element("summary", { textContent: t("warned") }),
      ...document.warnings.map((warning) => element("p", { textContent: warning }))));
  }
  return found;
}

function toggleActions(document, library, item, more) {
  const before = item.querySelector(".library-actions");
  more.setAttribute("aria-expanded", before === null);
  if (before) return before.remove();
  const actions = element("div", { className: "library-actions" }, textButton(t("rename"), () => askForTitle(document, library, actions, more)));
  if (isUpload(document)) actions.append(textButton(t("replace"), () => library.replace(document)));
  actions.append(textButton(t("delete"), () => askToDelete(document, library, actions, more)));
  item.append(actions);
  actions.querySelector("button").focus();
}

function address(document, library) {
  return `/v1/collections/${encodeURIComponent(library.collection)}/documents/${encodeURIComponent(document.id)}`;
}

function closeActions(actions, more) {
  actions.remove();
  more.setAttribute("aria-expanded", "false");
  more.focus();
}

function askForTitle(document, library, actions, more) {
  const onSave = (title) => library.attempt(async () => {
    await change(address(document, library), { title });
    await library.load();
  });
  actions.replaceChildren(lineForm({ label: t("new_title"), value: document.title, longest: LONGEST_TITLE, save: t("save") }, onSave, () => closeActions(actions, more)));
}

function askToDelete(document, library, actions, more) {
  const what = [t("delete_document_really", { title: document.title }), t(isUpload(document) ? "delete_upload" : "delete_folder_file")].join(" ");
  const onYes = () => library.attempt(async () => {
    await remove(address(document, library));
    await library.changed();
    library.say(t("deleted"));
  });
  actions.replaceChildren(...confirmation(what, onYes, () => closeActions(actions, more)));
  actions.querySelector("button:last-child").focus();
}

function isUpload(document) {
  return document.uri.startsWith("upload:");
}

// What a deletion means, and two buttons: to do it, or not.
export function confirmation(text, onYes, onNo) {
  return [element("p", { textContent: text }), textButton(t("delete"), onYes, "danger"), textButton(t("keep"), onNo)];
}
