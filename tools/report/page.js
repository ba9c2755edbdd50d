// SPDX-License-Identifier: Apache-2.0
// Elements, numbers and tables. Text always enters the page as text, never as markup.
"use strict";

// element("td", {class: "words"}, "a", child): attributes may be null (left out); children are nodes or text.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "style") Object.assign(made.style, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

// "12,345"; a dash for what is missing.
function whole(value) {
  return isNumber(value) ? Math.round(value).toLocaleString("en-US") : "–";
}

// A fraction with `digits` decimals; a dash for what is undefined.
function decimal(value, digits = 3) {
  return isNumber(value) ? value.toFixed(digits) : "–";
}

function percent(value, digits = 1) {
  return isNumber(value) ? (100 * value).toFixed(digits) + " %" : "–";
}

// "1 replica", "3 replicas".
function plural(count, noun, nouns = noun + "s") {
  return whole(count) + " " + (count === 1 ? noun : nouns);
}

function seconds(value) {
  if (!isNumber(value)) return "–";
  if (value < 0.0995) return (1000 * value).toFixed(0) + " ms";
  if (value < 99.5) return value.toFixed(value < 9.95 ? 2 : 1) + " s";
  if (value < 5400) return (value / 60).toFixed(1) + " min";
  return (value / 3600).toFixed(1) + " h";
}

function bytes(value) {
  if (!isNumber(value)) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return value.toFixed(unit && value < 99.95 ? 1 : 0) + " " + units[unit];
}

function meanAndSd(mean, sd) {
  if (!isNumber(mean)) return ["–"];
  return isNumber(sd) ? [decimal(mean), element("small", {}, " ± " + decimal(sd))] : [decimal(mean)];
}

function meter(fraction) {
  const width = isNumber(fraction) ? Math.max(0, Math.min(1, fraction)) * 100 : 0;
  return element("span", {class: "meter", "aria-hidden": "true"}, element("i", {style: {width: width + "%"}}));
}

// A region that scrolls sideways and can be reached by the keyboard.
function scrolling(label, child) {
  return element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": label}, child);
}

// columns: {title, value(row), cell(row) (default: the value), words (text, left aligned)}. The first is the row's
// header. Sortable tables get a button in each column header; `sorted` is the column they start with, descending.
function table({caption, columns, rows, sorted = null}) {
  const body = element("tbody", {});
  const headers = columns.map((column, index) =>
    element("th", {scope: "col", class: column.words ? "words" : null},
      sorted === null ? column.title : element("button", {class: "sort", type: "button", "data-column": index}, column.title)));
  const cell = (column, row) => (column.cell || column.value)(row);
  const fill = (ordered) => body.replaceChildren(...ordered.map((row) => element("tr", {},
    columns.map((column, index) => index === 0 ? element("th", {scope: "row"}, cell(column, row))
      : element("td", {class: column.words ? "words" : null}, cell(column, row))))));
  const sort = (index, descending) => {
    const value = columns[index].value;
    const ordered = [...rows].sort((a, b) => compare(value(a), value(b)) * (descending ? -1 : 1));
    headers.forEach((header, i) => header.setAttribute("aria-sort",
      i === index ? (descending ? "descending" : "ascending") : "none"));
    fill(ordered);
  };
  headers.forEach((header, index) => {
    const button = header.querySelector("button");
    if (button) button.addEventListener("click", () => sort(index, header.getAttribute("aria-sort") !== "descending"));
  });
  if (sorted === null) fill(rows);
  else sort(sorted, true);
  return element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, headers)), body);
}

// Numbers by value, undefined ones last in descending order, text by alphabet.
function compare(a, b) {
  if (isNumber(a) || isNumber(b)) return (isNumber(a) ? a : -Infinity) - (isNumber(b) ? b : -Infinity) || 0;
  return String(a).localeCompare(String(b));
}
