// An evaluation report, drawn from the Markdown that `quoth eval report` writes: headings, paragraphs and tables. Text only.

import { element } from "./text.js";

const RULE = /^\|( *:?-+:? *\|)+$/;

// The report as a list of elements. Headings begin at the level `level`.
export function drawReport(markdown, level = 3) {
  const drawn = [];
  for (const block of markdown.split(/\n{2,}/)) {
    const lines = block.split("\n").filter((line) => line.trim());
    if (!lines.length) continue;
    const heading = /^(#+) (.*)/.exec(lines[0]);
    if (heading) drawn.push(element(`h${Math.min(level + heading[1].length - 1, 6)}`, { textContent: heading[2] }));
    const rest = heading ? lines.slice(1) : lines;
    const table = rest.filter((line) => line.startsWith("|"));
    const prose = rest.filter((line) => !line.startsWith("|")).join(" ").replaceAll("`", "");
    if (table.length) drawn.push(element("div", { className: "report-table", tabIndex: 0, role: "region", "aria-label": cells(table[0]).join(", ") }, drawTable(table)));
    if (prose) drawn.push(element("p", { textContent: prose }));
  }
  return drawn;
}

function drawTable(lines) {
  const [head, ...rows] = lines.filter((line) => !RULE.test(line));
  return element("table", {},
    element("thead", {}, element("tr", {}, ...cells(head).map((text) => element("th", { scope: "col", textContent: text })))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row).map((text) => element("td", { textContent: text }))))));
}

function cells(line) {
  return line.replace(/^\||\|$/g, "").split("|").map((text) => text.trim());
}
