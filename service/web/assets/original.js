// The way to the original: the file that a document was read from, at the page, or the web page that it is.

import { storedKey } from "./key.js";
import { t } from "./phrases.js";
import { ROOT } from "./root.js";
import { attachmentName, request } from "./server.js";
import { element, textButton } from "./text.js";

// A link or a button that opens the original, as a list; empty where there is none. `page` is a number or null.
export function original({ uri, collection, document_id }, page) {
  if (/^https?:/i.test(uri)) return [element("a", { className: "quiet", href: uri, target: "_blank", rel: "noopener noreferrer", textContent: t("open_website") })];
  if (!collection || !/^[a-z][a-z0-9+.-]*:/i.test(uri)) return [];
  const route = `/v1/collections/${encodeURIComponent(collection)}/documents/${encodeURIComponent(document_id)}/file`;
  const at = page === null ? "" : `#page=${page}`;
  if (storedKey() === null) return [element("a", { className: "quiet", href: `${ROOT}${route}${at}`, target: "_blank", rel: "noopener", textContent: t("open_original"), title: t("open_original_hint") })];
  const button = textButton(t("open_original"), () => openWithKey(route, at, button));
  button.title = t("open_original_hint");
  return [button];
}

// A link cannot carry a key, so the file is fetched with it and opened from memory: shown if a browser shows it, else saved.
async function openWithKey(route, at, button) {
  try {
    const response = await request(route);
    const address = URL.createObjectURL(await response.blob());
    const link = element("a", { href: `${address}${at}`, target: "_blank", rel: "noopener" });
    const name = attachmentName(response);
    if (name) link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (problem) {
    button.title = problem.message;
    button.textContent = t("not_to_be_had");
  }
}
