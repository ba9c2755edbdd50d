// SPDX-License-Identifier: Apache-2.0
// Charts, drawn by Chart.js on canvases that carry a text for screen readers. Redrawn when light turns to dark and
// before printing.
"use strict";

const drawn = [];  // {canvas, configure, chart}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

// "#0072b2" with opacity.
function faded(hex, opacity) {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${parts.join(", ")}, ${opacity})`;
}

// A figure whose chart is made by `configure()`, called anew for each redraw so that it takes the colours of the day.
function plot({label, height, caption = null, configure}) {
  const canvas = element("canvas", {role: "img", "aria-label": label});
  drawn.push({canvas, configure, chart: null});
  return element("figure", {}, element("div", {class: "plot", style: {height: height + "px"}}, canvas),
    caption ? element("figcaption", {}, caption) : null);
}

function drawAll() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.color = colour("muted");
  Chart.defaults.borderColor = colour("line");
  for (const entry of drawn) {
    if (entry.chart) entry.chart.destroy();
    entry.chart = new Chart(entry.canvas, entry.configure());
    entry.canvas.dataset.drawn = "yes";  // what the tests look for
  }
}

// Options all charts share. x and y: {title, min, max, type, percent}.
function options({x, y, legend = false, horizontal = false, tooltip = {}}) {
  const axis = ({type, min, max, title, percent: asPercent, grid = true, ticks, autoSkip = true}) => {
    const made = {
      min, max, title: {display: Boolean(title), text: title, color: colour("muted")}, grid: {display: grid, color: colour("line")},
      ticks: {autoSkip, maxTicksLimit: ticks || (asPercent ? 6 : 11), maxRotation: 0},
    };
    if (type) made.type = type;
    if (asPercent) made.ticks.callback = (value) => Math.round(100 * value) + " %";
    return made;
  };
  return {
    animation: false, responsive: true, maintainAspectRatio: false, devicePixelRatio: Math.max(2, devicePixelRatio),
    indexAxis: horizontal ? "y" : "x",
    scales: {x: axis(x), y: axis(y)},
    plugins: {
      legend: {display: legend, position: "top", align: "start",
        labels: {boxWidth: 14, boxHeight: 10, color: colour("text"), filter: (item) => !(item.text || "").startsWith("_")}},
      tooltip: {mode: "nearest", intersect: false, ...tooltip},
    },
  };
}

// Precision, recall and F1 of each class as bars, one group a class.
function classBars(rows) {
  const measures = [["precision", "Precision", "accent"], ["recall", "Recall", "second"], ["f1", "F1", "third"]];
  return plot({
    label: "Bars of precision, recall and F1 for each class; the table above holds the same numbers.",
    height: Math.max(180, 60 + (rows.length > 20 ? 24 : 34) * rows.length),
    configure: () => ({
      type: "bar",
      data: {
        labels: rows.map((row) => shortened(row.class, 34)),
        datasets: measures.map(([key, title, name]) => ({
          label: title, data: rows.map((row) => row[key]), backgroundColor: colour(name), barPercentage: 0.9,
          categoryPercentage: 0.75,
        })),
      },
      options: options({horizontal: true, legend: true, x: {min: 0, max: 1}, y: {grid: false, autoSkip: false, ticks: rows.length}}),
    }),
  });
}

// Mean attribution of the genes that decide most for a class: {class, cells, genes, values}.
function attributionBars(entry) {
  return plot({
    label: `Genes that decide for ${entry.class} in the mean, and how much; the file of top genes holds the same numbers.`,
    height: 70 + 18 * entry.genes.length, caption: `${shortened(entry.class, 40)} (${plural(entry.cells, "cell")})`,
    configure: () => ({
      type: "bar",
      data: {
        labels: entry.genes.map((gene) => shortened(gene, 26)),
        datasets: [{label: "Mean attribution", data: entry.values, barPercentage: 0.9, categoryPercentage: 0.9,
          backgroundColor: entry.values.map((value) => colour(value < 0 ? "second" : "accent"))}],
      },
      options: options({horizontal: true, x: {title: "Mean attribution", ticks: 5},
        y: {grid: false, autoSkip: false, ticks: entry.genes.length}}),
    }),
  });
}

function shortened(text, most) {
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}

// Mean over those series that reach the epoch; epochs that none reaches are left out.
function meanCurve(runs, key) {
  const sums = new Map();
  for (const run of runs) {
    (run[key] || []).forEach((value, i) => {
      if (!isNumber(value)) return;
      const entry = sums.get(run.epoch[i]) || [0, 0];
      sums.set(run.epoch[i], [entry[0] + value, entry[1] + 1]);
    });
  }
  return [...sums].sort((a, b) => a[0] - b[0]).map(([x, [sum, count]]) => ({x, y: sum / count}));
}

// Training and validation curves of all replicas: thin lines, and thick ones for their means.
// kinds: [[key, title, colour name], ...]
function curves({runs, kinds, label, title, scale = "linear", height = 300}) {
  return plot({
    label, height, caption: runs.length > 1 ? "Thin lines: single replicas." : null,
    configure: () => {
      const datasets = [];
      for (const [key, name, hue] of kinds) {
        const shown = runs.filter((run) => (run[key] || []).some(isNumber));
        if (!shown.length) continue;
        const line = {pointRadius: 0, pointHitRadius: 6, tension: 0, borderColor: colour(hue), backgroundColor: colour(hue)};
        datasets.push({...line, label: name + (shown.length > 1 ? ", mean" : ""), data: meanCurve(shown, key), borderWidth: 2.5});
        if (shown.length === 1) continue;
        for (const run of shown) {
          datasets.push({...line, label: "_" + name + ", replica " + run.replica, borderWidth: 1, borderColor: faded(colour(hue), 0.35),
            data: run.epoch.map((x, i) => ({x, y: run[key][i]}))});
        }
      }
      const set = options({legend: true, x: {type: "linear", title: "Epoch", ticks: 12}, y: {type: scale, title},
        tooltip: {callbacks: {label: (item) => `${item.dataset.label.replace(/^_/, "")}: ${item.parsed.y.toPrecision(4)}`,
          title: (items) => items.length ? "Epoch " + items[0].parsed.x : ""}}});
      return {type: "line", data: {datasets}, options: set};
    },
  });
}

// Accuracy against confidence, with the line of a perfectly calibrated model.
function reliability(bins) {
  return plot({
    label: "Accuracy of the predictions in each range of confidence; on the diagonal confidence equals accuracy.",
    height: 280, caption: "Each point is one range of confidence; its area grows with the number of cells. Below the line: too sure of itself.",
    configure: () => {
      const most = Math.max(...bins.map((bin) => bin.count));
      return {
        type: "scatter",
        data: {datasets: [
          {label: "Test cells", clip: false, data: bins.map((bin) => ({x: bin.confidence, y: bin.accuracy, count: bin.count})),
            backgroundColor: faded(colour("accent"), 0.75), borderColor: colour("accent"),
            pointRadius: bins.map((bin) => 4 + 10 * Math.sqrt(bin.count / most))},
          {label: "Perfectly calibrated", type: "line", data: [{x: 0, y: 0}, {x: 1, y: 1}], borderColor: colour("muted"),
            borderWidth: 1.5, borderDash: [6, 4], pointRadius: 0, pointHitRadius: 0},
        ]},
        options: options({legend: true, x: {min: 0, max: 1, title: "Confidence", percent: true},
          y: {min: 0, max: 1, title: "Accuracy", percent: true}, tooltip: {intersect: true, callbacks: {
            label: (item) => `${percent(item.parsed.y)} of ${whole(item.raw.count)} cells right at ${percent(item.parsed.x)}`}}}),
      };
    },
  });
}

// Each gene's error against that of a baseline; genes below the diagonal are better than by the baseline.
function errorsBesideBaseline({errors, baseline, name}) {
  const most = Math.max(...errors, ...baseline);
  return plot({
    label: `Mean absolute error of each gene against that by ${name}; below the line the model is better.`,
    height: 320, caption: "Each point is one gene. Below the line: better than the baseline.",
    configure: () => ({
      type: "scatter",
      data: {datasets: [
        {label: "Genes", data: errors.map((y, i) => ({x: baseline[i], y})), pointRadius: errors.length > 1000 ? 1.5 : 3,
          backgroundColor: faded(colour("accent"), 0.5), borderColor: faded(colour("accent"), 0.5)},
        {label: "The same error", type: "line", data: [{x: 0, y: 0}, {x: most, y: most}], borderColor: colour("muted"),
          borderWidth: 1.5, borderDash: [6, 4], pointRadius: 0, pointHitRadius: 0},
      ]},
      options: options({legend: true, x: {min: 0, title: `Error by ${name}`}, y: {min: 0, title: "Error"},
        tooltip: {intersect: true, callbacks: {label: (item) => `${item.parsed.y.toPrecision(3)}, ${name} ${item.parsed.x.toPrecision(3)}`}}}),
    }),
  });
}

// counts[i] between edges[i] and edges[i + 1].
function histogram({edges, counts, label, title, of = "Cells", asPercent = false}) {
  const show = (value) => asPercent ? Math.round(100 * value) : Number(value.toPrecision(3));
  const range = (i) => `${show(edges[i])}–${show(edges[i + 1])}`;
  return plot({
    label, height: 280,
    configure: () => ({
      type: "bar",
      data: {labels: counts.map((_, i) => range(i)),
        datasets: [{label: of, data: counts, backgroundColor: colour("accent"), barPercentage: 1, categoryPercentage: 0.96}]},
      options: options({x: {title: title + (asPercent ? " (%)" : ""), grid: false}, y: {title: of}}),
    }),
  });
}
