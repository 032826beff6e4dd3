// A quote drawn as the units that it is made of: rows as a table under their header cells, items as a list, code, definitions.
// Every word in it is a literal range of the quote, or of an excerpt that the quote is read with.

import { Extract, Ink, codeBox, directed, element, excerptsOf, tableBox } from "./text.js";

const FAMILIES = { row: "table", record: "table", item: "list", meaning: "fields", field: "fields", code: "code" };
const WIDEST = 6; // columns of a table that is drawn as one; wider rows are drawn as a list of fields
const NUMBER = /^\s*(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|[-*+•◦▪–·])\s+/u;
const BULLET = /^\s*[-*+•◦▪–·]/u;

// Whether the quote is more than running text.
export function isStructured(citation) {
  return (citation.units ?? []).some(({ kind }) => kind in FAMILIES);
}

// The quote's units as elements, under what introduces them: a lead-in, a caption.
export function drawQuote(citation) {
  return new Drawing(citation).draw();
}

class Drawing {
  constructor(citation) {
    this.citation = citation;
    this.units = citation.units ?? [];
    this.extract = new Extract(citation.quote, citation.start);
    this.ink = new Ink(this.extract, { span: citation.highlight });
    this.excerpts = excerptsOf(citation);
  }

  draw() {
    const box = element("div", { className: isStructured(this.citation) ? "units" : "units prose-only" });
    const lead = this.lead();
    if (lead) box.append(element("p", { className: "units-lead", dir: "auto", textContent: lead }));
    if (!this.units.length) box.append(this.prose(this.citation.start, this.citation.end, []));
    for (const group of this.groups()) box.append(this[group.family](group.units));
    return directed(box);
  }

  // The excerpts that name no single value: a lead-in, a caption, who wrote the words.
  lead() {
    const names = new Set(this.units.flatMap(({ values }) => values.flatMap((value) => value.names)).map((range) => range.join("-")));
    const leads = (this.citation.context ?? []).filter(({ start, end }) => !names.has(`${start}-${end}`));
    return leads.map(({ quote }) => quote.trim().replace(NUMBER, "").replace(/\s+/g, " ")).filter(Boolean).join(" ");
  }

  // Units of one family that follow each other.
  groups() {
    const groups = [];
    for (const unit of this.units) {
      const family = FAMILIES[unit.kind] ?? "text";
      if (groups.at(-1)?.family === family && family !== "code") groups.at(-1).units.push(unit);
      else groups.push({ family, units: [unit] });
    }
    return groups;
  }

  literal([start, end]) {
    if (start >= this.extract.start && end <= this.extract.end) return this.extract.slice(start, end).trim();
    return (this.excerpts.get(`${start}-${end}`) ?? "").trim();
  }

  names(value) {
    return value.names.map((range) => this.literal(range)).filter(Boolean).join(" · ");
  }

  // Write the spans of a value.
  value(target, { spans }) {
    for (const [from, to] of spans) this.ink.write(target, from, to);
    const { span } = this.ink.touches(spans[0][0], spans.at(-1)[1]);
    target.classList.toggle("answer", span);
    return target;
  }

  table(units) {
    const columns = [...new Set(units.flatMap(({ values }) => values.map((value, place) => this.names(value) || place)))]; // a number: no name
    if (columns.length > WIDEST) return element("div", {}, ...units.map((unit) => this.fields([unit])));
    const isNamed = columns.some((column) => typeof column === "string");
    const box = element("table", {});
    if (isNamed) {
      const row = element("tr", {});
      for (const name of columns) row.append(element("th", { scope: "col", dir: "auto", textContent: typeof name === "string" ? name : "" }));
      box.append(element("thead", {}, row));
    }
    const body = element("tbody", {});
    for (const unit of units) body.append(this.row(unit, columns));
    box.append(body);
    return tableBox(box);
  }

  row(unit, columns) {
    const row = element("tr", {});
    const free = unit.values.map((value, place) => [this.names(value) || place, value]);
    for (const column of columns) {
      const place = free.findIndex(([name]) => name === column);
      const cell = element("td", { dir: "auto" });
      if (place >= 0) this.value(cell, free.splice(place, 1)[0][1]);
      row.append(cell);
    }
    for (const [, value] of free) row.append(this.value(element("td", { dir: "auto" }), value)); // a name that stands twice
    return row;
  }

  fields(units) {
    const list = element("dl", { className: "b-fields" });
    for (const value of units.flatMap(({ values }) => values)) {
      const name = this.names(value).replace(/\s*[:：]$/u, "");
      if (name) list.append(element("dt", { dir: "auto", textContent: name }));
      list.append(this.value(element("dd", { dir: "auto" }), value));
    }
    return list;
  }

  list(units) {
    const list = element("ul", { className: "b-list" });
    for (const unit of units) {
      const item = element("li", { className: "b-item", dir: "auto" });
      const sign = this.extract.slice(unit.start, unit.end).match(NUMBER)?.[0] ?? "";
      const begin = unit.start + Array.from(sign).length;
      if (sign && !BULLET.test(sign)) {
        item.classList.add("numbered");
        item.append(element("span", { className: "b-sign", textContent: sign }));
      }
      this.prose(begin, unit.end, [unit], item);
      list.append(item);
    }
    return list;
  }

  code([{ start, end }]) {
    return codeBox(this.extract.slice(start, end), (code) => this.ink.write(code, start, end));
  }

  text(units) {
    return this.prose(units[0].start, units.at(-1).end, units);
  }

  // The range as it stands in the quote; what no unit is read from, such as signs of Markdown, is not shown.
  prose(from, to, units, target = element("p", { dir: "auto" })) {
    const spans = units.flatMap(({ values }) => values.flatMap((value) => value.spans));
    let at = from;
    for (const [start, end] of spans) {
      if (end <= at) continue;
      if (start > at) this.between(target, at, start);
      this.ink.write(target, Math.max(start, at), Math.min(end, to));
      at = Math.min(end, to);
    }
    if (at < to) (spans.length ? this.between(target, at, to) : this.ink.write(target, at, to));
    return target;
  }

  between(target, from, to) {
    if (this.extract.slice(from, to).trim()) this.ink.hide(target, from, to);
    else this.ink.write(target, from, to);
  }
}
