// The panel of sources: collections and their documents; what is chosen for the question, added, replaced and deleted.

import { confirmation, documentItem, isCalled } from "./document_item.js";
import { t } from "./phrases.js";
import { change, get, put, remove } from "./server.js";
import { Sheet } from "./sheets.js";
import { byId, element, iconButton, lineForm, textButton } from "./text.js";
import { Uploads, chosenFiles, droppedFiles } from "./upload.js";

const SHOWN = 200; // documents that are drawn at once
const LONGEST_TITLE = 120; // of a collection
const ORDERS = {
  by_title: (a, b) => a.title.localeCompare(b.title),
  by_date: (a, b) => b.indexed_at.localeCompare(a.indexed_at),
  by_size: (a, b) => (b.bytes ?? 0) - (a.bytes ?? 0),
};

export class Library {
  // `dialog` becomes the panel. `caller` is what the key may do. `onCollections()` runs when documents or collections changed,
  // `onChoose(collection)` when another collection was chosen, `onScope()` when other documents were.
  constructor(dialog, caller, { onCollections, onChoose, onScope, onUploads }) {
    Object.assign(this, { dialog, caller, onCollections, onChoose, onScope });
    this.sheet = new Sheet(dialog);
    this.collections = [];
    this.collection = ""; // the chosen one
    this.documents = [];
    this.chosen = new Map(); // of this collection: ids and titles of the documents that may answer; none: all
    this.shown = SHOWN;
    this.build();
    this.uploads = new Uploads(this.tray, {
      collection: () => this.collection,
      onSearchable: () => this.changed(),
      onChange: onUploads,
    });
    this.files = this.input({ multiple: true }, (files) => this.upload(files));
    this.folder = this.input({ webkitdirectory: true }, (files) => this.upload(files));
    if (this.mayAdd) this.acceptDrops();
  }

  get mayAdd() {
    return this.caller.scopes.includes("ingest");
  }

  get mayAdministrate() {
    return this.caller.scopes.includes("admin");
  }

  // The ids of the chosen documents, or null for all.
  get scope() {
    return this.chosen.size ? [...this.chosen.keys()] : null;
  }

  build() {
    const close = iconButton("✕", t("close"), () => this.sheet.close());
    this.chooser = element("select", { "aria-label": t("in_collection") });
    this.chooser.addEventListener("change", () => this.onChoose(this.chooser.value));
    this.place = element("div", { className: "library-form", hidden: true });
    this.search = element("input", { type: "search", placeholder: t("find_documents"), "aria-label": t("find_documents") });
    this.order = element("select", { "aria-label": t("sort") }, ...Object.keys(ORDERS).map((value) => element("option", { value, textContent: t(value) })));
    this.all = element("input", { type: "checkbox" });
    this.list = element("ul", { className: "library-list" });
    this.tray = element("ul", { className: "uploads", "aria-label": t("uploads"), hidden: true });
    this.said = element("p", { className: "muted library-said", role: "status" });
    this.use = element("button", { type: "button", className: "primary", textContent: t("use_chosen", { count: 1 }) });
    this.foot = element("footer", { className: "library-foot", hidden: true }, this.use, textButton(t("ask_all"), () => this.chooseAll()));
    this.renameCollection = iconButton("✎", t("rename_collection"), () => this.askForTitle());
    this.dropCollection = iconButton("✕", t("delete_collection"), () => this.askToDropCollection());
    const administration = this.mayAdministrate ? [this.renameCollection, this.dropCollection] : [];
    const adding = this.mayAdd ? [textButton(t("add_files"), () => this.files.click(), "framed"), textButton(t("add_folder"), () => this.folder.click(), "framed"),
      textButton(t("new_collection"), () => this.askForCollection())] : [];
    this.dialog.append(
      element("header", { className: "sheet-head" }, element("h2", { id: "library-title", textContent: t("sources") }), close),
      element("div", { className: "library-collection" }, this.chooser, ...administration),
      element("div", { className: "library-adding" }, ...adding), this.place, this.tray,
      element("div", { className: "library-tools" }, this.search, this.order),
      element("label", { className: "check library-all" }, this.all, element("span", { textContent: t("choose_all") })),
      this.list, this.said, this.foot);
    this.search.addEventListener("input", () => this.draw());
    this.order.addEventListener("change", () => this.draw());
    this.all.addEventListener("change", () => this.choose(this.found, this.all.checked));
    this.use.addEventListener("click", () => this.sheet.close());
  }

  input(properties, onFiles) {
    const input = element("input", { type: "file", hidden: true, tabIndex: -1, "aria-label": t("add_files"), ...properties });
    this.dialog.append(input);
    input.addEventListener("change", () => {
      onFiles(chosenFiles(input));
      input.value = "";
    });
    return input;
  }

  async show() {
    this.sheet.show();
    await Promise.all([this.load(), this.mayAdd ? this.loadJobs() : null]);
  }

  // Hear which collections there are and which is chosen.
  setCollections(collections, chosen) {
    this.collections = collections;
    const names = collections.map(({ name }) => name);
    const missing = names.includes(chosen) || !chosen ? [] : [{ name: chosen, title: chosen }];
    this.chooser.replaceChildren(...collectionOptions([...collections, ...missing]));
    this.chooser.value = chosen;
    for (const button of [this.renameCollection, this.dropCollection]) button.hidden = !names.includes(chosen);
    if (chosen !== this.collection) {
      this.collection = chosen;
      this.chosen.clear();
      this.documents = [];
      this.onScope();
      if (this.dialog.open) this.load();
    }
  }

  async changed() {
    await this.onCollections();
    if (this.dialog.open) await this.load();
  }

  async load() {
    await this.attempt(async () => {
      const name = this.collection;
      const isThere = this.collections.some((collection) => collection.name === name);
      const { documents } = isThere ? await get(`/v1/documents?${new URLSearchParams({ collection: name })}`) : { documents: [] };
      if (name !== this.collection) return;
      this.documents = documents;
      const ids = new Set(documents.map(({ id }) => id));
      for (const id of this.chosen.keys()) if (!ids.has(id)) this.chosen.delete(id);
      this.draw();
    });
  }

  async loadJobs() {
    for (const state of ["running", "queued"]) {
      const { jobs } = await get(`/v1/jobs?state=${state}`).catch(() => ({ jobs: [] }));
      for (const job of jobs) this.uploads.adopt(job);
    }
  }

  // The documents that the search finds.
  get found() {
    const words = this.search.value.toLowerCase().split(/\s+/);
    return this.documents.filter((document) => isCalled(document, words));
  }

  draw() {
    const found = this.found.sort(ORDERS[this.order.value]);
    const active = this.list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset.id : null;
    this.list.replaceChildren(...found.slice(0, this.shown).map((document) => documentItem(document, this)));
    if (found.length > this.shown) this.list.append(element("li", {}, textButton(t("documents", { count: found.length - this.shown }), () => { this.shown += SHOWN; this.draw(); })));
    this.say(found.length ? "" : t(this.documents.length ? "none_found" : "no_documents"));
    if (active) this.list.querySelector(`[data-id="${CSS.escape(active)}"] input`)?.focus();
    this.drawChosen(found);
  }

  drawChosen(found = this.found) {
    const count = this.chosen.size;
    for (const item of this.list.querySelectorAll("li[data-id]")) item.querySelector("input").checked = this.chosen.has(item.dataset.id);
    const among = found.filter(({ id }) => this.chosen.has(id)).length;
    this.all.checked = found.length > 0 && among === found.length;
    this.all.indeterminate = among > 0 && among < found.length;
    this.all.closest("label").hidden = this.documents.length < 2;
    this.foot.hidden = count === 0;
    this.use.textContent = t("use_chosen", { count });
    this.onScope();
  }

  replace(document) {
    const input = this.input({}, (files) => {
      this.uploads.add(files, document.id);
      input.remove();
    });
    input.click();
  }

  // The record of the chosen collection; undefined before anything is in it.
  get current() {
    return this.collections.find(({ name }) => name === this.collection);
  }

  askForCollection() {
    this.ask({ label: t("collection_name"), save: t("make") }, async (title) => {
      const name = freeName(title, this.collections.map((collection) => collection.name));
      await put(`/v1/collections/${encodeURIComponent(name)}?${new URLSearchParams({ title })}`);
      await this.onCollections();
      this.onChoose(name);
    });
  }

  askForTitle() {
    this.ask({ label: t("collection_name"), value: this.current.title, save: t("save") }, async (title) => {
      await change(`/v1/collections/${encodeURIComponent(this.collection)}`, { title });
      await this.onCollections();
    });
  }

  // Ask for a line of text above the documents, and do `work(text)` with it.
  ask(asked, work) {
    const close = () => { this.place.hidden = true; };
    this.place.replaceChildren(lineForm({ longest: LONGEST_TITLE, ...asked }, (text) => this.attempt(async () => {
      await work(text);
      close();
    }), close));
    this.place.hidden = false;
  }

  askToDropCollection() {
    const { name, title, documents } = this.current;
    this.place.replaceChildren(...confirmation(t("delete_collection_really", { name: title, count: documents }), () => this.attempt(async () => {
      await remove(`/v1/collections/${encodeURIComponent(name)}`);
      this.place.hidden = true;
      await this.changed();
      this.say(t("deleted"));
    }), () => { this.place.hidden = true; }));
    this.place.hidden = false;
    this.place.querySelector("button:last-child").focus();
  }

  // Let documents answer, or no longer. As long as none is chosen, all of them answer.
  choose(documents, isChosen) {
    for (const { id, title } of documents) {
      if (isChosen) this.chosen.set(id, title);
      else this.chosen.delete(id);
    }
    this.drawChosen();
  }

  chooseAll() {
    this.chosen.clear();
    this.drawChosen();
  }

  upload(files) {
    if (!files.length) return;
    this.show();
    this.uploads.add(files);
  }

  // Files and folders may be dropped anywhere on the page.
  acceptDrops() {
    let depth = 0;
    const drag = (event, step) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return false;
      event.preventDefault();
      depth = step === null ? 0 : Math.max(depth + step, 0);
      byId("drop-here").textContent = t("drop_here", { collection: this.current?.title ?? this.collection });
      document.body.classList.toggle("is-dropping", depth > 0);
      return true;
    };
    addEventListener("dragenter", (event) => drag(event, 1));
    addEventListener("dragleave", (event) => drag(event, -1));
    addEventListener("dragover", (event) => drag(event, 0));
    addEventListener("drop", async (event) => { if (drag(event, null)) this.upload(await droppedFiles(event.dataTransfer)); });
  }

  say(text, isProblem = false) {
    this.said.textContent = text;
    this.said.classList.toggle("problem", isProblem);
  }

  async attempt(work) {
    try {
      await work();
    } catch (problem) {
      this.say(problem.message, true);
    }
  }
}

// The options of a chooser of collections. Where two are shown by the same title, their names tell them apart.
export function collectionOptions(collections) {
  const titles = Map.groupBy(collections, ({ title }) => title);
  return collections.map(({ name, title }) => element("option", { value: name, textContent: titles.get(title).length > 1 ? `${title} (${name})` : title }));
}

// A name for a collection that is to be shown as `title`: "Über uns" becomes "uber-uns". If nothing of it is left, a number.
function freeName(title, names) {
  const plain = title.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9_]+/g, "-").replace(/^[-_]+/, "").slice(0, 63).replace(/[-_]+$/, "");
  let number = names.length + 1;
  while (names.includes(`collection-${number}`)) number += 1;
  return plain || `collection-${number}`;
}
