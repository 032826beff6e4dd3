// The API key, for servers that require one: entered once, stored for this tab until the tab is closed or the user signs out.
// A document opened from the page shares the stored key (rel="opener"); both are pages of this server.

import { ROOT } from "./root.js";
import { element } from "./text.js";

const STORAGE_NAME = `quoth-key${ROOT}`; // other programs, and other Quoths, may share the host
let dialogResult = null;

export function keyHeaders() {
  const key = sessionStorage.getItem(STORAGE_NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

// Ask for a key, once for any number of requests; resolves to whether one was entered. `key` is the rejected one, or null.
export function askForKey(key) {
  if (key !== sessionStorage.getItem(STORAGE_NAME)) return Promise.resolve(true);
  dialogResult ??= showDialog(key !== null).finally(() => { dialogResult = null; });
  return dialogResult;
}

export function storedKey() {
  return sessionStorage.getItem(STORAGE_NAME);
}

function showDialog(wasRejected) {
  sessionStorage.removeItem(STORAGE_NAME);
  showSignOut();
  const field = element("input", { type: "password", id: "key", autocomplete: "off", spellcheck: false, required: true, "aria-describedby": "key-said" });
  const notice = element("p", { id: "key-said", className: wasRejected ? "problem" : "muted", role: wasRejected ? "alert" : "note",
    textContent: wasRejected ? "That key is not good here: it is unknown, expired or revoked." : "This server asks for an API key. Its administrator creates one with quoth keys create." });
  const form = element("form", {}, element("h2", { id: "key-title", textContent: "Sign in" }), notice,
    element("label", { htmlFor: "key", textContent: "API key" }), field,
    element("button", { type: "submit", textContent: "Sign in" }));
  const dialog = element("dialog", { className: "key-dialog", "aria-labelledby": "key-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(STORAGE_NAME, field.value.replace(/[^\x21-\x7e]/g, "")); // the characters that a header can hold
      showSignOut();
      dialog.close("given");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "given");
    });
  });
}

function showSignOut() {
  const button = document.getElementById("sign-out");
  if (button) button.hidden = storedKey() === null;
}

document.getElementById("sign-out")?.addEventListener("click", () => {
  sessionStorage.removeItem(STORAGE_NAME);
  location.assign(`${ROOT}/`);
});
showSignOut();
