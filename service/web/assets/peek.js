// The quote beside its marker, while the pointer or the focus is on the marker. Esc hides it.

import { drawQuote } from "./quote.js";
import { element, insideText } from "./text.js";

const DELAY_MS = 120; // so that a pointer on its way elsewhere shows nothing
const GAP = 8; // pixels between marker and quote
const BAR = 56; // pixels of the bar at the top

const box = element("div", { id: "peek", className: "peek", role: "tooltip", hidden: true });
let marker = null;
let timer = null;

// Show the quote of `citation` with `button` while that has the pointer or the focus.
export function peekAt(button, citation) {
  button.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") later(() => show(button, citation)); });
  button.addEventListener("pointerleave", () => later(leave));
  button.addEventListener("focus", () => { if (button.matches(":focus-visible")) show(button, citation); });
  button.addEventListener("blur", hide);
  button.addEventListener("click", hide);
}

function later(work) {
  clearTimeout(timer);
  timer = setTimeout(work, DELAY_MS);
}

function leave() {
  if (!box.matches(":hover") && document.activeElement !== marker) hide();
}

function hide() {
  clearTimeout(timer);
  if (!marker) return false;
  marker.removeAttribute("aria-describedby");
  marker = null;
  box.hidden = true;
  document.body.classList.remove("is-peeking");
  return true;
}

function show(button, citation) {
  if (!button.isConnected || marker === button) return;
  hide();
  marker = button;
  const where = insideText(citation);
  box.replaceChildren(element("p", { className: "peek-title" }, element("bdi", { textContent: citation.title })),
    ...(where ? [element("p", { className: "muted peek-place", dir: "auto", textContent: where })] : []), drawQuote(citation));
  for (const stop of box.querySelectorAll("[tabindex]")) stop.removeAttribute("tabindex");
  for (const control of box.querySelectorAll("button")) control.remove();
  if (!box.isConnected) document.querySelector("main").append(box);
  box.hidden = false;
  document.body.classList.add("is-peeking");
  button.setAttribute("aria-describedby", box.id);
  place(button.getBoundingClientRect());
}

function place(at) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const left = Math.min(Math.max(at.left + at.width / 2 - width / 2, GAP), document.documentElement.clientWidth - width - GAP);
  const isAbove = at.top - GAP - height >= BAR;
  box.style.left = `${Math.max(left, GAP)}px`;
  box.style.top = `${isAbove ? at.top - GAP - height : at.bottom + GAP}px`;
}

box.addEventListener("pointerleave", () => later(leave));
addEventListener("scroll", () => {
  if (!marker) return;
  const at = marker.getBoundingClientRect();
  if (at.bottom < 0 || at.top > innerHeight) hide();
  else place(at);
}, { passive: true });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !hide()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
