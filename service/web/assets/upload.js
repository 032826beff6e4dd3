// Uploads of dropped or chosen files and folders: sent one after the other, each followed until it is fully searchable.

import { percent, t } from "./phrases.js";
import { Problem, get, remove, sendFile } from "./server.js";
import { element, iconButton, textButton } from "./text.js";

const POLL_MS = 700;
const DONE_ROW_MS = 8000; // how long a finished row stays
const PHRASES = {
  "upload-too-large": "file_too_large", "body-too-long": "file_too_large", "document-taken": "file_taken", "scope-missing": "may_not_add",
  "no-words": "file_wordless", "not-recognised": "file_unrecognised", "no-text-layer": "file_unrecognised",
};

export class Uploads {
  // `tray` is the list that shows them, `collection()` names where they go, `onSearchable` runs when a document can be asked,
  // `onChange(running, failed)` hears how many are on their way and how many failed.
  constructor(tray, { collection, onSearchable, onChange }) {
    Object.assign(this, { tray, collection, onSearchable, onChange });
    this.queue = Promise.resolve();
    this.rows = new Set();
  }

  // `files` are { file, path } with the path in a chosen folder, or an empty one. `replaces` is the id that a file replaces.
  add(files, replaces = null) {
    const collection = this.collection();
    for (const { file, path } of files) this.start(new Row(file, path, collection, replaces, this));
  }

  start(row) {
    this.show(row);
    if (!row.file.size) return row.fail(t("file_empty"));
    this.queue = this.queue.then(() => row.send());
  }

  // Show a job that another tab, or the page before a reload, has begun.
  adopt(job) {
    if ([...this.rows].some((row) => row.job?.id === job.id)) return;
    const row = new Row({ name: job.filename, size: job.size }, "", job.collection, null, this);
    row.job = job;
    this.show(row);
    row.follow();
  }

  show(row) {
    this.rows.add(row);
    if (!row.item.isConnected) this.tray.append(row.item);
    this.changed();
  }

  changed() {
    const rows = [...this.rows];
    this.tray.hidden = rows.length === 0;
    this.onChange(rows.filter((row) => row.isRunning).length, rows.filter((row) => row.hasFailed).length);
  }

  drop(row) {
    this.rows.delete(row);
    row.item.remove();
    this.changed();
  }
}

// One upload: its name, its progress, and a button that cancels it or hides it.
class Row {
  constructor(file, path, collection, replaces, uploads) {
    Object.assign(this, { file, path, collection, replaces, uploads });
    this.job = null;
    this.isRunning = true;
    this.hasFailed = false;
    this.isNew = true; // refuse what is there already, until the user wants it twice
    this.sending = new AbortController();
    this.text = element("span", { className: "upload-said muted", textContent: t("waiting") });
    this.meter = element("span", { className: "meter", "aria-hidden": "true", hidden: true }, element("span", {}));
    this.retry = textButton("", () => this.again(), "upload-again");
    this.retry.hidden = true;
    this.button = iconButton("✕", t("cancel_upload", { name: file.name }), () => (this.isRunning ? this.cancel() : uploads.drop(this)));
    this.item = element("li", { className: "upload" }, element("span", { className: "upload-name", dir: "auto", textContent: path || file.name }),
      this.meter, this.text, this.retry, this.button);
  }

  say(text, part = null) {
    this.text.textContent = text;
    this.meter.hidden = part === null;
    this.meter.firstChild.style.width = `${Math.round((part ?? 0) * 100)}%`;
  }

  async send() {
    if (!this.isRunning) return;
    const [method, address, body] = this.request();
    const onProgress = (part) => this.say(t("sending", { percent: percent(part) }), part);
    onProgress(0);
    try {
      this.job = await sendFile(method, address, body, { onProgress, signal: this.sending.signal });
      this.follow(); // the next file does not wait until this one is indexed
    } catch (problem) {
      if (problem.name === "AbortError") this.end(t("cancelled"), DONE_ROW_MS);
      else this.failWith(problem);
    }
  }

  // A file has the id of its name, one of a folder that of its path: two files there may have the same name.
  request() {
    const documents = `/v1/collections/${encodeURIComponent(this.collection)}/documents`;
    const id = this.replaces ?? (this.path ? idOf(this.path) : null);
    if (id !== null) {
      const query = new URLSearchParams({ filename: this.file.name, only_new: this.isNew && !this.replaces });
      return ["PUT", `${documents}/${encodeURIComponent(id)}?${query}`, this.file];
    }
    const form = new FormData();
    form.append("only_new", this.isNew);
    form.append("file", this.file);
    return ["POST", documents, form];
  }

  async follow() {
    let isSearchable = false;
    try {
      for (;;) {
        const job = await get(`/v1/jobs/${encodeURIComponent(this.job.id)}`);
        if (!isSearchable && (job.stage === "embedding" || job.stage === "done")) {
          isSearchable = true;
          this.uploads.onSearchable();
        }
        if (job.state === "failed") return this.failWith(new Problem(job.error, job.error_code));
        if (job.state === "cancelled") return this.end(t("cancelled"), DONE_ROW_MS);
        if (job.state === "succeeded") {
          this.uploads.onSearchable();
          return job.remark ? this.end(job.remark) : this.end(t(this.replaces ? "done_replaced" : "done"), DONE_ROW_MS);
        }
        this.say(statusText(job), job.stage === "embedding" && job.total ? job.done / job.total : null);
        await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
      }
    } catch (problem) {
      this.failWith(problem);
    }
  }

  async cancel() {
    this.sending.abort();
    if (this.job) await remove(`/v1/jobs/${encodeURIComponent(this.job.id)}`).catch((problem) => this.say(problem.message));
    else this.end(t("cancelled"), DONE_ROW_MS);
  }

  again() {
    Object.assign(this, { job: null, isRunning: true, hasFailed: false, sending: new AbortController() });
    this.item.classList.remove("problem");
    this.retry.hidden = true;
    this.uploads.start(this);
  }

  // Say in one plain line what is wrong; the server's own words are there to look up.
  failWith(problem) {
    this.text.title = problem.message;
    if (problem.code === "document-duplicate") {
      const [, title] = problem.message.match(/already, as '(.*)'\. /s) ?? [null, this.file.name];
      this.isNew = false;
      return this.fail(t("duplicate", { title }), t("add_anyway"));
    }
    if (problem.code === "format-unsupported") return this.fail(t(/ but holds /.test(problem.message) ? "file_contradiction" : "file_kind"));
    if (problem.code in PHRASES) return this.fail(t(PHRASES[problem.code]));
    this.fail(firstSentence(problem.message, this.file.name), problem.code === "unreachable" ? t("again") : "");
  }

  // Say `text`; `retry` names the button that tries again, if that may help.
  fail(text, retry = "") {
    this.hasFailed = true;
    this.item.classList.add("problem");
    this.retry.hidden = !retry || !("slice" in this.file);
    this.retry.textContent = retry;
    this.end(text);
  }

  // Nothing more will happen; after `hideMs` milliseconds, if they are given, the row goes away.
  end(text, hideMs = null) {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.say(text);
    if (!this.hasFailed) this.item.classList.add("done");
    this.button.setAttribute("aria-label", t("hide", { name: this.file.name }));
    this.button.title = "";
    this.uploads.changed();
    if (hideMs !== null) setTimeout(() => { if (!this.isRunning) this.uploads.drop(this); }, hideMs);
  }
}

function statusText(job) {
  if (job.error && job.retry_at) return t("retry_soon");
  if (job.stage === "embedding") return t("embedding");
  return t(job.stage === "reading" ? "reading" : "waiting");
}

function firstSentence(text, name) {
  const plain = text.replace(/^[a-z]+:\/\/\S+: /, "").replace(`${name}: `, "");
  const sentence = plain.split(/(?<=[.!?])\s/)[0];
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

// The id of a file by its path in the chosen folder: readable, and different for different paths.
function idOf(path) {
  let hash = 0x811c9dc5; // FNV-1a
  for (const unit of new TextEncoder().encode(path)) hash = Math.imul(hash ^ unit, 0x01000193) >>> 0;
  const readable = path.normalize("NFKD").replace(/\//g, "~").replace(/[^A-Za-z0-9._~-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(-100).replace(/^[^A-Za-z0-9]+/, "");
  return `${readable || "file"}-${hash.toString(16).padStart(8, "0")}`;
}

// Files of a page-wide drop, also those of dropped folders: { file, path }. Hidden files are left out.
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const found = await Promise.all(entries.map((entry) => (entry instanceof File ? [{ file: entry, path: "" }] : filesOf(entry, ""))));
  return found.flat();
}

async function filesOf(entry, above) {
  if (entry.name.startsWith(".")) return [];
  const path = `${above}${entry.name}`;
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }), path: above && path }];
  const reader = entry.createReader();
  const inside = [];
  for (;;) { // it gives at most a hundred at a time
    const batch = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!batch.length) break;
    for (const each of batch) inside.push(...await filesOf(each, `${path}/`));
  }
  return inside;
}

// Files of a file dialog: { file, path }. Hidden files and those in hidden folders are left out.
export function chosenFiles(input) {
  const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath ?? "" }));
  return files.filter(({ path }) => !/(^|\/)\./.test(path));
}
