// The page's own words in the visitor's language, from the server. Documents and answers are never translated.

import { ROOT } from "./root.js";

const CHOICE = `quoth-language${ROOT}`;
const wanted = [localStorage.getItem(CHOICE), ...navigator.languages].filter(Boolean);

// The language of the page, the names of all that it speaks by their codes, and the phrases.
export const { language, languages, phrases } = await given(wanted.map(codeOf));

const locale = navigator.languages.find((tag) => codeOf(tag) === language) ?? language; // "en-GB" writes dates otherwise than "en"
const plural = new Intl.PluralRules(language);
const dates = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

async function given(codes) {
  return (await fetch(`${ROOT}/assets/phrases.json?wanted=${encodeURIComponent(codes)}`)).json();
}

function codeOf(tag) {
  return tag.split("-")[0].toLowerCase();
}

export function chooseLanguage(tag) {
  localStorage.setItem(CHOICE, tag);
  location.reload();
}

// The phrase called `name`, with {fields} filled in. A phrase with forms for numbers takes the one that `count` needs.
export function t(name, fields = {}) {
  const entry = phrases[name];
  const phrase = typeof entry === "string" ? entry : entry[plural.select(fields.count)] ?? entry.other;
  return phrase.replace(/\{(\w+)\}/g, (_, field) => (typeof fields[field] === "number" ? number(fields[field]) : fields[field]));
}

export function number(value) {
  return value.toLocaleString(locale);
}

// A part of a whole, from 0 to 1.
export function percent(part) {
  return part.toLocaleString(locale, { style: "percent" });
}

export function milliseconds(count) {
  return count.toLocaleString(locale, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });
}

// A day, or with `exact` a moment, as people write it.
export function day(iso, exact = false) {
  return (exact ? moments : dates).format(new Date(iso));
}

export function size(bytes) {
  const step = bytes < 1e6 ? ["kilobyte", Math.max(bytes / 1e3, bytes ? 1 : 0)] : ["megabyte", bytes / 1e6];
  return new Intl.NumberFormat(locale, { style: "unit", unit: step[0], maximumFractionDigits: step[1] < 10 ? 1 : 0 }).format(step[1]);
}

// Put the phrases of `data-t` (the text), `data-t-label` and `data-t-placeholder` in their places.
export function translate() {
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = t(place.dataset.t);
  for (const place of document.querySelectorAll("[data-t-label]")) place.setAttribute("aria-label", t(place.dataset.tLabel));
  for (const place of document.querySelectorAll("[data-t-placeholder]")) place.placeholder = t(place.dataset.tPlaceholder);
}
