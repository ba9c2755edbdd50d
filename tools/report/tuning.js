// SPDX-License-Identifier: Apache-2.0
// The section of a random search: every trial as a line over its hyperparameters, and as a row of a table.
"use strict";

const SCORES = {accuracy: "Accuracy", macro_f1: "Macro F1", loss: "Loss"};
const FEW_VALUES = 6;  // an axis with no more of them names each

// Where values lie on an axis, 0 to 1: {title, place(value), ticks: [[text, place], ...]}.
function parallelAxis({key, title, logarithmic, downwards = false}, trials) {
  const values = trials.map((trial) => trial[key]).filter(isNumber);
  const scaled = (value) => logarithmic ? Math.log(value) : value;
  const least = Math.min(...values.map(scaled)), most = Math.max(...values.map(scaled));
  const upwards = (value) => most > least ? (scaled(value) - least) / (most - least) : 0.5;
  const place = (value) => downwards ? 1 - upwards(value) : upwards(value);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const middle = logarithmic ? Math.exp((least + most) / 2) : (least + most) / 2;
  const named = distinct.length <= FEW_VALUES ? distinct : [distinct[0], middle, distinct[distinct.length - 1]];
  return {key, title, place, ticks: named.map((value) => [short(value), place(value)])};
}

// "0.0021", "3.0e-6", "512".
function short(value) {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  return size > 0 && size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(size < 100 ? 2 : 4)));
}

// Draws the axes, which the library has no idea of, over the lines.
function parallelAxisPainter(axes) {
  return {id: "axes", afterDatasetsDraw(chart) {
    const {ctx, chartArea, scales} = chart;
    ctx.save();
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.textBaseline = "middle";
    axes.forEach((axis, i) => {
      const x = scales.x.getPixelForValue(i), last = i === axes.length - 1;
      ctx.strokeStyle = colour("muted");
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.textAlign = last ? "right" : "left";
      for (const [text, place] of axis.ticks) {
        const y = scales.y.getPixelForValue(place), at = x + (last ? -6 : 6), width = ctx.measureText(text).width;
        ctx.fillStyle = colour("background");
        ctx.globalAlpha = 0.8;
        ctx.fillRect(last ? at - width - 2 : at - 2, y - 8, width + 4, 16);
        ctx.globalAlpha = 1;
        ctx.fillStyle = colour("text");
        ctx.fillText(text, at, y);
      }
    });
    ctx.restore();
  }};
}

function parallelCoordinates({trials, axes, score}) {
  const painted = axes.map((axis) => parallelAxis(axis, trials));
  const result = painted[painted.length - 1];
  const ordered = [...trials].sort((a, b) => b.rank - a.rank);  // the best last, over all others
  return plot({
    label: `Every trial as a line over its hyperparameters and its ${score.toLowerCase()}; the table below holds the same numbers.`,
    height: 400, caption: "Each line is one trial, the fainter the worse; the thick one is the best. Point at a line for its numbers.",
    configure: () => ({
      type: "line",
      data: {
        labels: painted.map((axis) => axis.title),
        datasets: ordered.map((trial) => {
          const best = trial.rank === 1, ended = isNumber(trial[result.key]);
          const hue = best ? colour("second") : ended ? faded(colour("accent"), 0.15 + 0.6 * result.place(trial[result.key])) : colour("line");
          return {
            label: `Trial ${trial.trial}`, trial, data: painted.map((axis) => isNumber(trial[axis.key]) ? axis.place(trial[axis.key]) : null),
            borderColor: hue, backgroundColor: hue, borderWidth: best ? 4 : 1.5, hoverBorderWidth: best ? 5 : 4,
            hoverBorderColor: best ? hue : colour("accent"), borderDash: ended ? [] : [3, 3], pointRadius: 0, pointHitRadius: 10, tension: 0.25,
          };
        }),
      },
      options: {
        ...options({x: {grid: false, autoSkip: false}, y: {}, tooltip: {callbacks: {
          title: (items) => items.length ? `Trial ${items[0].dataset.trial.trial}, rank ${items[0].dataset.trial.rank} (${items[0].dataset.trial.state})` : "",
          label: (item) => axes.map((axis) => `${axis.title}: ${short(item.dataset.trial[axis.key])}`)}}}),
        scales: {x: {offset: false, grid: {display: false}, ticks: {maxRotation: 0, autoSkip: false}}, y: {display: false, min: -0.03, max: 1.03}},
        hover: {mode: "dataset", intersect: false},
        layout: {padding: {right: 34, left: 20}},
      },
      plugins: [parallelAxisPainter(painted)],
    }),
  });
}

function tuning(data) {
  const t = data.tuning;
  if (!t || !t.trials || !t.trials.length) return null;
  const score = SCORES[t.score] || t.score;
  const axes = t.axes.map((axis) => ({...axis, key: axis.name}))
    .concat({key: t.score, title: "Validation " + score.toLowerCase(), logarithmic: false, downwards: t.score === "loss"});
  const groups = new Set(t.trials.map((trial) => trial.group)).size;
  const best = t.trials.find((trial) => trial.rank === 1);
  const halved = t.rungs && t.rungs.length > 1 ? ` They were compared after ${t.rungs.slice(0, -1).join(", ")} epochs, and the best of them went on.` : "";
  const figure = (key, title) => ({title, value: (row) => row[key], cell: (row) => decimal(row[key])});
  const number = (key, title) => ({title, value: (row) => row[key], cell: (row) => short(row[key])});
  return [
    element("p", {class: "note"}, `${plural(t.trials.length, "trial")} of at most ${plural(t.epochs, "epoch")}, in ${plural(groups, "group")} of networks of ` +
      `one size, which were trained together; compared by the ${score.toLowerCase()} on the validation cells at each one's best epoch, equals by the loss.${halved} ` +
      `Best is trial ${best.trial}.`),
    parallelCoordinates({trials: t.trials, axes, score}),
    scrolling("All trials", table({
      caption: "Trials; figures are those on the validation cells. Click a heading to sort.",
      columns: [{title: "Trial", value: (row) => row.trial}, {title: "Rank", value: (row) => row.rank},
        ...t.axes.map((axis) => number(axis.name, axis.title)), {title: "Epochs", value: (row) => row.epochs},
        {title: "Best epoch", value: (row) => row.best_epoch, cell: (row) => whole(row.best_epoch)},
        figure("loss", "Loss"), figure("accuracy", "Accuracy"), figure("macro_f1", "Macro F1"),
        {title: "State", words: true, value: (row) => row.state}],
      rows: [...t.trials].sort((a, b) => a.rank - b.rank), sorted: t.axes.length + 5,
    })),
  ];
}
