// Requests to the server: JSON, files, and the stream of an answer.

import { askForKey, storedKey, keyHeaders } from "./key.js";
import { t } from "./phrases.js";
import { ROOT } from "./root.js";

const PHRASES = { unreachable: "unreachable", "key-invalid": "key_needed", "rate-exceeded": "rate_exceeded", overloaded: "overloaded", internal: "internal" };

// An error that the server described (RFC 9457), or a failure of the network. What every visitor may meet is said in the
// page's language; the rest in the words of the server.
export class Problem extends Error {
  constructor(detail = "", code = "unreachable") {
    super(code in PHRASES ? t(PHRASES[code]) : detail);
    this.code = code;
  }
}

// Fetch a route of the server (/v1/...) with the stored key, if any. When the server rejects it, ask for a key and try again.
export async function request(route, options = {}) {
  const key = storedKey();
  let response;
  try {
    response = await fetch(`${ROOT}${route}`, { ...options, headers: { ...options.headers, ...keyHeaders() } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem();
  }
  if (response.ok) return response;
  if (response.status === 401 && (await askForKey(key))) return request(route, options);
  const problem = await response.json().catch(() => ({}));
  throw new Problem(problem.detail ?? t("server_answered", { status: response.status }), problem.code ?? "unknown");
}

export async function get(address) {
  return (await request(address)).json();
}

export function send(address, body, method = "POST") {
  const options = { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return request(address, options).then((response) => response.json());
}

// Send a file; `onProgress(part)` hears how much of it is sent, from 0 to 1. Only XMLHttpRequest says that.
export function sendFile(method, address, body, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(method, `${ROOT}${address}`);
    for (const [name, value] of Object.entries(keyHeaders())) sending.setRequestHeader(name, value);
    sending.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    sending.addEventListener("error", () => reject(new Problem()));
    sending.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    sending.addEventListener("load", () => {
      const told = parsed(sending.responseText);
      if (sending.status < 300) resolve(told);
      else reject(new Problem(told.detail ?? t("server_answered", { status: sending.status }), told.code ?? "unknown"));
    });
    signal.addEventListener("abort", () => sending.abort());
    sending.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

// The name under which the server gives a file to be saved; empty if it is to be shown.
export function attachmentName(response) {
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const [, plain, encoded = ""] = /^attachment; filename(?:="([^"]*)"|\*=UTF-8''(.*))$/.exec(disposition) ?? [];
  return plain ?? decodeURIComponent(encoded);
}

export async function put(address) {
  return (await request(address, { method: "PUT" })).json();
}

export function change(address, body) {
  return send(address, body, "PATCH");
}

export async function remove(address) {
  await request(address, { method: "DELETE" });
}

// The route of a part of a document version. Without a collection, the server takes the default one.
export function versionAddress({ collection, document_id, version }, part, query = {}) {
  const all = new URLSearchParams({ ...(collection && { collection }), ...query });
  return `/v1/documents/${encodeURIComponent(document_id)}/versions/${encodeURIComponent(version)}/${part}?${all}`;
}

// The text from `start` to `end`, in code points of the document.
export function documentText(passage, collection, start, end) {
  return get(versionAddress({ ...passage, collection }, "text", { start: Math.max(start, 0), end }));
}

// Ask, and yield [event, data] as they arrive: passages, sentence, answer. An `error` event is thrown as a Problem.
export async function* ask(body, signal) {
  const response = await request("/v1/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  let isComplete = false;
  for await (const [event, data] of events(response.body)) {
    if (event === "error") throw new Problem(data.detail, data.code);
    if (event === "answer") isComplete = true;
    yield [event, data];
  }
  if (!isComplete) throw new Problem("", "unreachable");
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => { throw error.name === "AbortError" ? error : new Problem(); });
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").filter((line) => !line.startsWith(":")).map((line) => line.split(/: (.*)/s)));
        if (fields.data) yield [fields.event, JSON.parse(fields.data)];
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
