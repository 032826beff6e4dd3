// The API key, for servers that ask for one: asked for once, kept for this tab until it is closed or signed out of. A document
// opened from the page is of the same tab group and takes the key along (rel="opener"); both are pages of this server.

import { element } from "./text.js";

const KEPT = "key";
let asking = null;

export function keyHeaders() {
  const key = sessionStorage.getItem(KEPT);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

// Ask for a key, once however many requests need it; resolves to whether one was given. `key` is the one that was refused.
export function askForKey(key) {
  if (key !== sessionStorage.getItem(KEPT)) return Promise.resolve(true);
  asking ??= shown(key !== null).finally(() => { asking = null; });
  return asking;
}

export function heldKey() {
  return sessionStorage.getItem(KEPT);
}

function shown(wrong) {
  sessionStorage.removeItem(KEPT);
  showSignOut();
  const words = element("input", { type: "password", id: "key", autocomplete: "off", spellcheck: false, required: true, "aria-describedby": "key-said" });
  const said = element("p", { id: "key-said", className: wrong ? "problem" : "muted", role: wrong ? "alert" : "note",
    textContent: wrong ? "That key is not good here: it is unknown, expired or revoked." : "This server asks for an API key. Whoever runs it makes one with quoth keys create." });
  const form = element("form", {}, element("h2", { id: "key-title", textContent: "Sign in" }), said,
    element("label", { htmlFor: "key", textContent: "API key" }), words,
    element("button", { type: "submit", textContent: "Sign in" }));
  const dialog = element("dialog", { className: "key-dialog", "aria-labelledby": "key-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEPT, words.value.replace(/[^\x21-\x7e]/g, "")); // what a header can hold
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
  if (button) button.hidden = heldKey() === null;
}

document.getElementById("sign-out")?.addEventListener("click", () => {
  sessionStorage.removeItem(KEPT);
  location.assign("/");
});
showSignOut();
