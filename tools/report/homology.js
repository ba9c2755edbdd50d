// SPDX-License-Identifier: Apache-2.0
// The sections of a comparison of two species: correlations of their regions, ranks of known homologues, components.
"use strict";

const MOST_REGIONS = 160;

// The look of a cell for a correlation: one hue for positive, one for negative, fainter towards 0.
function correlationHeat(r) {
  const size = Math.min(1, Math.abs(r));
  return {backgroundColor: `rgba(var(--${r < 0 ? "cold" : "heat"}), ${0.04 + 0.88 * size})`, color: size > 0.7 ? "var(--background)" : ""};
}

function homology(data) {
  const h = data.homology;
  if (!h || !h.human || !h.human.length) return null;
  const listed = new Set((h.pairs || []).map((pair) => pair.human + "\n" + pair.mouse));
  const columns = h.mouse.slice(0, MOST_REGIONS);
  const many = columns.length > 20 || h.human.length > 20;
  const cell = (r, i, j) => element("td", {
    class: listed.has(h.human[i] + "\n" + h.mouse[j]) ? "right" : null,
    title: `${h.human[i]} (human), ${h.mouse[j]} (mouse): ${decimal(r)}`,
    style: isNumber(r) ? correlationHeat(r) : {},
  }, isNumber(r) && columns.length <= 40 ? r.toFixed(2).replace("0.", ".") : "");
  const rows = h.human.slice(0, MOST_REGIONS).map((name, i) => element("tr", {},
    element("th", {scope: "row"}, shortened(name, 30)), columns.map((_, j) => cell(h.correlation[i][j], i, j))));
  const cut = h.human.length > MOST_REGIONS || h.mouse.length > MOST_REGIONS;
  return [
    element("p", {class: "note"}, "Pearson correlation of each human region (row) with each mouse region (column)" +
      (h.models > 1 ? `, averaged over ${plural(h.models, "model")}` : "") + ". Blue is positive, orange negative; point at a cell " +
      "for its number. Listed homologues are outlined." + (cut ? ` The first ${MOST_REGIONS} regions of each are shown.` : "")),
    scrolling("Correlations of human and mouse regions", element("table", {class: "confusion" + (many ? " many" : "")},
      element("caption", {}, "Human by mouse correlations"), element("thead", {}, heatHead("human ↓   mouse →", columns)),
      element("tbody", {}, rows))),
  ];
}

function homologyRanks(data) {
  const h = data.homology;
  if (!h || !h.pairs || !h.pairs.length) return null;
  const regions = h.human.length;
  const rows = [...h.pairs].sort((a, b) => a.rank - b.rank || b.correlation - a.correlation);
  return [
    element("p", {class: "note"}, `Among all ${regions} human regions, ordered by their correlation with the mouse region, the listed ` +
      `homologue stands at this rank; 1 is best. Mean ${decimal(h.mean_rank, 2)}, by chance ${decimal(h.chance, 1)}` +
      (isNumber(h.p_value) ? `; p = ${h.p_value.toPrecision(2)} under permutation of the human regions` : "") +
      ". Equal correlations share a rank, undefined ones come last."),
    scrolling("Ranks of all pairs", table({
      caption: "Listed pairs, best first; the bar is full at rank 1",
      columns: [
        {title: "Mouse region", value: (row) => row.mouse}, {title: "Human region", words: true, value: (row) => row.human},
        {title: "Correlation", value: (row) => row.correlation, cell: (row) => decimal(row.correlation)},
        {title: "Rank", value: (row) => row.rank,
          cell: (row) => [String(row.rank), meter(regions > 1 ? 1 - (row.rank - 1) / (regions - 1) : 1)]}],
      rows, sorted: null,
    })),
  ];
}

function components(data) {
  const c = data.components;
  if (!c || !c.human || !c.human.length) return null;
  const share = (k) => isNumber(c.variance_ratio[k]) ? ` (${percent(c.variance_ratio[k])})` : "";
  const cloud = (points, hue, style, label) => ({label, data: points, backgroundColor: faded(colour(hue), 0.75), borderColor: colour(hue),
    pointStyle: style, pointRadius: 5, pointHoverRadius: 7});
  return [
    element("p", {class: "note"}, "Principal components of the human embeddings; mouse regions are projected onto them, and each " +
      "species' scores have mean 0 and variance 1."),
    element("div", {class: "pair"}, plot({
      label: "First two components of all regions; human as circles, mouse as triangles.", height: 420,
      configure: () => ({type: "scatter",
        data: {datasets: [cloud(c.human, "accent", "circle", "Human"), cloud(c.mouse, "second", "triangle", "Mouse")]},
        options: options({legend: true, x: {title: "Component 1" + share(0)}, y: {title: "Component 2" + share(1)}, tooltip: {
          intersect: true, callbacks: {label: (item) => `${item.raw.region} (${item.dataset.label.toLowerCase()})`}}})}),
    }), plot({
      label: "Share of the variance of each component.", height: 420,
      configure: () => ({type: "bar", data: {labels: c.variance_ratio.map((_, k) => k + 1),
        datasets: [{label: "Share of variance", data: c.variance_ratio, backgroundColor: colour("accent")}]},
      options: options({x: {title: "Component", grid: false}, y: {title: "Share of the human variance", min: 0, percent: true}})}),
    })),
  ];
}

// The mean rank of the listed pairs after each epoch, where a training was judged by it.
function rankCurves(data) {
  const runs = (data.history || []).filter((run) => (run.mean_rank || []).some(isNumber));
  if (!runs.length) return null;
  return [
    element("p", {class: "note"}, "Mean rank of the listed homologues among all human regions, by the embeddings of each epoch; lower is better."),
    curves({runs, title: "Mean rank", label: "Mean rank of the listed homologues by epoch.",
      kinds: [["mean_rank", "Mean rank", "fourth"]]}),
  ];
}
