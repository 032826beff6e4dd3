// The page's own words, from one table for each language. Documents and answers are never translated.

import { ROOT } from "./root.js";

const TABLES = { en: () => import("./phrases_en.js"), de: () => import("./phrases_de.js") };
const CHOICE = `quoth-language${ROOT}`;

export const LANGUAGES = { en: "English", de: "Deutsch" };
export const language = chosenLanguage();
const { default: table } = await TABLES[language]();
const plural = new Intl.PluralRules(language);
const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

function chosenLanguage() {
  const wanted = [localStorage.getItem(CHOICE), ...navigator.languages].filter(Boolean).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in TABLES) ?? "en";
}

export function chooseLanguage(tag) {
  localStorage.setItem(CHOICE, tag);
  location.reload();
}

// The phrase called `name`, with {fields} filled in. A phrase with forms for numbers takes the one that `count` needs.
export function t(name, fields = {}) {
  const entry = table[name];
  const phrase = typeof entry === "string" ? entry : entry[plural.select(fields.count)] ?? entry.other;
  return phrase.replace(/\{(\w+)\}/g, (_, field) => (typeof fields[field] === "number" ? number(fields[field]) : fields[field]));
}

export function number(value) {
  return value.toLocaleString(language);
}

// A day, or with `exact` a moment, as people write it.
export function day(iso, exact = false) {
  return (exact ? moments : dates).format(new Date(iso));
}

export function size(bytes) {
  const step = bytes < 1e6 ? ["kilobyte", Math.max(bytes / 1e3, bytes ? 1 : 0)] : ["megabyte", bytes / 1e6];
  return new Intl.NumberFormat(language, { style: "unit", unit: step[0], maximumFractionDigits: step[1] < 10 ? 1 : 0 }).format(step[1]);
}

// Put the phrases of `data-t` (the text), `data-t-label` and `data-t-placeholder` in their places.
export function translate() {
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = t(place.dataset.t);
  for (const place of document.querySelectorAll("[data-t-label]")) place.setAttribute("aria-label", t(place.dataset.tLabel));
  for (const place of document.querySelectorAll("[data-t-placeholder]")) place.placeholder = t(place.dataset.tPlaceholder);
}
