// Uploads of dropped or chosen files: sent one after the other, each followed until it is fully searchable.

import { get, remove, sendFile } from "./server.js";
import { element } from "./text.js";

const POLL_MS = 700;
const DONE_ROW_MS = 8000; // how long a finished row stays
const STAGES = { waiting: "Waiting", reading: "Reading" };

export class Uploads {
  // `tray` is the list that shows them, `collection()` names where they go, `onSearchable` runs when a document can be asked.
  constructor(tray, { collection, onSearchable }) {
    this.tray = tray;
    this.collection = collection;
    this.onSearchable = onSearchable;
    this.queue = Promise.resolve();
    this.dragDepth = 0;
    addEventListener("dragenter", (event) => this.drag(event, 1));
    addEventListener("dragleave", (event) => this.drag(event, -1));
    addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
    addEventListener("drop", (event) => this.drop(event));
  }

  // Make a button open the system's dialog for choosing files.
  chooseWith(button) {
    const input = element("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, "aria-label": "Files to add" });
    button.after(input);
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
  }

  add(files) {
    for (const file of files) {
      const row = new Row(file.name);
      this.tray.append(row.item);
      this.queue = this.queue.then(() => this.send(file, row));
    }
    this.tray.hidden = this.tray.childElementCount === 0;
  }

  async send(file, row) {
    if (row.isCancelled) return this.removeLater(row, 0);
    try {
      row.say("Sending");
      const job = await sendFile(`/v1/collections/${encodeURIComponent(this.collection())}/documents`, file);
      row.job = job;
      this.follow(row); // the next file does not wait until this one is indexed
    } catch (problem) {
      this.fail(row, problem.message);
    }
  }

  async follow(row) {
    let isSearchable = false;
    try {
      for (;;) {
        const job = await get(`/v1/jobs/${encodeURIComponent(row.job.id)}`);
        if (!isSearchable && (job.stage === "embedding" || job.stage === "done")) {
          isSearchable = true;
          this.onSearchable();
        }
        if (job.state === "failed") return this.fail(row, job.error);
        if (job.state === "cancelled") return this.removeLater(row, DONE_ROW_MS, "Cancelled");
        if (job.state === "succeeded") {
          this.onSearchable();
          if (job.remark) return this.fail(row, `Can be asked. ${job.remark}`);
          return this.removeLater(row, DONE_ROW_MS, "Can be asked");
        }
        row.say(statusText(job), job.stage === "embedding" && job.total ? job.done / job.total : null);
        await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
      }
    } catch (problem) {
      this.fail(row, problem.message);
    }
  }

  fail(row, message) {
    row.end(message, "problem", () => this.removeLater(row, 0));
  }

  removeLater(row, after, message = "") {
    row.end(message, "done", () => this.removeLater(row, 0));
    setTimeout(() => {
      row.item.remove();
      this.tray.hidden = this.tray.childElementCount === 0;
    }, after);
  }

  drag(event, step) {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    this.dragDepth = Math.max(this.dragDepth + step, 0);
    document.body.classList.toggle("is-dropping", this.dragDepth > 0);
  }

  drop(event) {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    this.dragDepth = 0;
    document.body.classList.remove("is-dropping");
    this.add([...event.dataTransfer.files]);
  }
}

// One upload: its name, its progress, and a button that cancels it or hides it.
class Row {
  constructor(name) {
    this.job = null;
    this.isCancelled = false;
    this.text = element("span", { className: "upload-said muted", textContent: "Waiting" });
    this.meter = element("span", { className: "meter", "aria-hidden": "true", hidden: true }, element("span", {}));
    this.button = element("button", { type: "button", className: "quiet icon", "aria-label": `Cancel ${name}`, title: "Cancel", textContent: "✕" });
    this.item = element("li", { className: "upload" },
      element("span", { className: "upload-name", textContent: name }), this.meter, this.text, this.button);
    this.act = () => this.cancel();
    this.button.addEventListener("click", () => this.act());
  }

  say(text, part = null) {
    this.text.textContent = text;
    this.meter.hidden = part === null;
    this.meter.firstChild.style.width = `${Math.round((part ?? 0) * 100)}%`;
  }

  async cancel() {
    this.isCancelled = true;
    if (this.job) await remove(`/v1/jobs/${encodeURIComponent(this.job.id)}`).catch((problem) => this.say(problem.message));
  }

  end(message, kind, onClose) {
    this.say(message);
    this.item.classList.add(kind);
    this.button.setAttribute("aria-label", this.button.getAttribute("aria-label").replace("Cancel", "Hide"));
    this.button.title = "Hide";
    this.act = onClose;
  }
}

function statusText(job) {
  if (job.error && job.retry_at) return `Tried again soon: ${job.error}`;
  if (job.stage === "embedding") return "Can be asked; still learning its meaning";
  return STAGES[job.stage] ?? "Waiting";
}

function holdsFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}
