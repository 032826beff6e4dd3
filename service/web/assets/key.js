// The API key, for servers that require one. It is kept for this tab until the tab is closed or the user signs out, or, if the
// user wishes so, on this device until then. A document opened from the page shares the tab's key (rel="opener").

import { t } from "./phrases.js";
import { ROOT } from "./root.js";
import { byId, element, textButton } from "./text.js";

const STORAGE_NAME = `quoth-key${ROOT}`; // other programs, and other Quoths, may share the host
let dialogResult = null;
let isDismissed = false; // the user does not want to sign in now

export function storedKey() {
  return sessionStorage.getItem(STORAGE_NAME) ?? localStorage.getItem(STORAGE_NAME);
}

export function keyHeaders() {
  const key = storedKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

// Ask for a key, once for any number of requests; resolves to whether one was entered. `key` is the rejected one, or null.
export function askForKey(key) {
  if (key !== storedKey()) return Promise.resolve(storedKey() !== null);
  if (isDismissed) return Promise.resolve(false);
  return ask(key !== null);
}

function ask(wasRejected) {
  dialogResult ??= showDialog(wasRejected).finally(() => { dialogResult = null; });
  return dialogResult;
}

// Sign in at any moment, also with another key. The page then begins anew, with what that key may see.
export async function signIn() {
  if (await ask(false)) location.reload();
}

function signOut() {
  forget();
  location.assign(`${ROOT}/`);
}

function forget() {
  sessionStorage.removeItem(STORAGE_NAME);
  localStorage.removeItem(STORAGE_NAME);
  showSignOut();
}

function keep(key, isForDevice) {
  forget();
  (isForDevice ? localStorage : sessionStorage).setItem(STORAGE_NAME, key);
  showSignOut();
}

function showDialog(wasRejected) {
  if (wasRejected) forget();
  const field = element("input", { type: "password", id: "key", autocomplete: "off", spellcheck: false, required: true, "aria-describedby": "key-said" });
  const stay = element("input", { type: "checkbox", id: "key-stay" });
  const notice = element("p", { id: "key-said", className: wasRejected ? "problem" : "muted", role: wasRejected ? "alert" : "note", textContent: t(wasRejected ? "key_rejected" : "key_needed") });
  const form = element("form", {}, element("h2", { id: "key-title", textContent: t("sign_in") }), notice,
    element("label", { htmlFor: "key", textContent: t("key") }), field,
    element("label", { className: "check" }, stay, element("span", { textContent: t("key_kept") })),
    element("div", { className: "key-row" }, textButton(t("cancel"), () => dialog.close()), element("button", { type: "submit", className: "primary", textContent: t("sign_in") })));
  const dialog = element("dialog", { className: "key-dialog", "aria-labelledby": "key-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      keep(field.value.replace(/[^\x21-\x7e]/g, ""), stay.checked); // the characters that a header can hold
      dialog.close("given");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      isDismissed = dialog.returnValue !== "given";
      resolve(!isDismissed);
    });
  });
}

function showSignOut() {
  byId("sign-out").hidden = storedKey() === null;
}

byId("sign-out").addEventListener("click", signOut);
showSignOut();
