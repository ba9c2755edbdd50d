// SPDX-License-Identifier: Apache-2.0
// The sections of the report. Each takes the data and returns its nodes, or null when the data has nothing for it.
// What the fields mean: tools/report/README.md.
"use strict";

const METRICS = [
  ["accuracy", "Accuracy"], ["balanced_accuracy", "Balanced accuracy"], ["macro_f1", "Macro F1"],
  ["weighted_f1", "Weighted F1"], ["precision", "Precision (macro)"], ["recall", "Recall (macro)"],
  ["sensitivity", "Sensitivity (macro)"], ["specificity", "Specificity (macro)"], ["auroc", "AUROC (macro)"],
  ["auprc", "AUPRC (macro)"], ["mae", "Mean absolute error"], ["mae_sd", "Its deviation over genes"],
  ["mae_of_mean", "Error of the mean prediction"], ["unknown_labels", "Cells with unknown labels"],
];
const PARTS = [["test", "Test"], ["validation", "Validation"], ["train", "Training"], ["1000G", "1000 Genomes"], ["GTEx", "GTEx"]];
const PHASES = {pretrain: "Pre-training of the gate", train: "Training"};
const STAGES = ["read", "prepare", "train", "test"];
const MOST_CLASSES = 60;

function warnings(data) {
  if (!data.warnings || !data.warnings.length) return null;
  return [element("ul", {class: "warnings"}, data.warnings.map((text) => element("li", {}, text)))];
}

function metrics(data) {
  const parts = PARTS.filter(([key]) => data.metrics && data.metrics[key]);
  const {replicas, folds} = data.model || {};
  const rows = METRICS.filter(([key]) => parts.some(([part]) => data.metrics[part][key] !== undefined) &&
    (key !== "mae_of_mean" || replicas > 1));
  if (!rows.length) return null;
  const spread = parts.some(([part]) => Object.values(data.metrics[part].sd || {}).some(isNumber));
  const value = (part, key) => data.metrics[part][key];
  const shown = (part, key) => key === "unknown_labels" ? [whole(value(part, key))]
    : meanAndSd(value(part, key), (data.metrics[part].sd || {})[key]);
  return [table({
    caption: spread ? `Mean ± standard deviation over ${folds ? plural(folds, "fold") : plural(replicas, "replica")}`
      : replicas > 1 ? `By the mean ${data.task === "regression" ? "prediction" : "probability"} of ${plural(replicas, "replica")}` : "One replica",
    columns: [{title: "Metric", value: (row) => row[1]}].concat(parts.map(([part, title]) => ({
      title, value: (row) => value(part, row[0]), cell: (row) => shown(part, row[0]),
    }))),
    rows,
  })];
}

function perClass(data) {
  if (!data.per_class || !data.per_class.length) return null;
  const rows = [...data.per_class].sort((a, b) => b.support - a.support);
  const measure = (key, title) => ({title, value: (row) => row[key], cell: (row) => [decimal(row[key]), meter(row[key])]});
  const spread = data.f1_quartiles || [];
  return [
    spread.length ? element("p", {class: "note"}, `F1 of the classes: least ${decimal(spread[0])}, lower quartile ${decimal(spread[1])}, ` +
      `median ${decimal(spread[2])}, upper quartile ${decimal(spread[3])}, greatest ${decimal(spread[4])}.`) : null,
    scrolling("Table of all classes", table({
      caption: (data.model && data.model.folds ? "Held-out cells, each named by the fold that did not learn from it. " : "Test cells, named by the mean probability of the replicas. ") + "Support is the number of cells that truly are of the class. Click a heading to sort.",
      columns: [{title: "Class", value: (row) => row.class}, {title: "Support", value: (row) => row.support, cell: (row) => whole(row.support)},
        measure("precision", "Precision"), measure("recall", "Recall"), measure("f1", "F1")],
      rows, sorted: 1,
    })),
    classBars(rows.slice(0, MOST_CLASSES)),
    rows.length > MOST_CLASSES ? element("p", {class: "note"}, `The bars show the ${MOST_CLASSES} largest of ${rows.length} classes.`) : null,
  ];
}

// Classes in order of their true cells, largest first; beyond the limit the rest becomes one class.
function orderedConfusion({classes, counts}) {
  const total = (i) => counts[i].reduce((sum, n) => sum + n, 0);
  const order = classes.map((_, i) => i).sort((a, b) => total(b) - total(a));
  const groups = order.slice(0, MOST_CLASSES).map((i) => ({name: classes[i], members: [i]}));
  if (order.length > MOST_CLASSES) {
    const rest = order.slice(MOST_CLASSES);
    groups.push({name: `${rest.length} smaller classes`, members: rest});
  }
  const cells = groups.map((row) => groups.map((column) =>
    row.members.reduce((sum, i) => sum + column.members.reduce((part, j) => part + counts[i][j], 0), 0)));
  return {names: groups.map((group) => group.name), cells};
}

function confusion(data) {
  if (!data.confusion || !data.confusion.classes.length) return null;
  const {names, cells} = orderedConfusion(data.confusion);
  const sums = cells.map((row) => row.reduce((sum, n) => sum + n, 0));
  const many = names.length > 20;
  const cell = (n, i, j) => {
    const share = sums[i] ? n / sums[i] : 0;
    const text = share >= 0.995 ? "100" : share && share < 0.005 ? "<1" : (100 * share).toFixed(0);
    return element("td", {
      class: i === j ? "right" : null,
      title: `${names[i]} called ${names[j]}: ${whole(n)} of ${whole(sums[i])} cells (${percent(share)})`,
      style: n ? heat(share) : {},
    }, n ? [text, element("small", {}, whole(n))] : "");
  };
  const body = cells.map((row, i) => element("tr", {},
    element("th", {scope: "row", title: nameAndCount(names[i], sums[i])}, shortened(names[i], many ? 26 : 30)), row.map((n, j) => cell(n, i, j))));
  return [
    element("p", {class: "note"}, "Rows are the true classes, columns the predicted ones; a row adds up to 100. ",
      many ? "The number is the percentage of the row; point at a cell for its count." : "Large: percentage of the row. Small: number of cells.",
      " Right answers are outlined; empty cells are zero."),
    scrolling("Confusion matrix", element("table", {class: "confusion" + (many ? " many" : "")},
      element("caption", {}, "Confusion matrix of the test cells, largest class first"), element("thead", {}, heatHead("true ↓   predicted →", names)),
      element("tbody", {}, body))),
  ];
}

// The look of a cell of a heat table; `share` is 0 to 1.
function heat(share) {
  return {backgroundColor: `rgba(var(--heat), ${0.12 + 0.8 * share})`, color: share > 0.7 ? "var(--background)" : ""};
}

function heatHead(corner, names) {
  return element("tr", {}, element("td", {class: "corner"}, corner),
    names.map((name) => element("th", {scope: "col"}, element("span", {title: name}, shortened(name, 26)))));
}

function nameAndCount(name, count) { return `${name}: ${plural(count, "cell")}`; }

function history(data) {
  if (!data.history || !data.history.length) return null;
  const phases = [...new Set(data.history.map((run) => run.phase || "train"))];
  const nodes = phases.flatMap((phase) => {
    const runs = data.history.filter((run) => (run.phase || "train") === phase);
    const values = runs.flatMap((run) => [...(run.train_loss || []), ...(run.validation_loss || [])]).filter(isNumber);
    const wide = Math.min(...values) > 0 && Math.max(...values) > 50 * Math.min(...values);
    const name = data.curve ? "error" : "loss";
    const figures = [curves({runs, scale: wide ? "logarithmic" : "linear", title: (data.curve || "Loss") + (wide ? " (logarithmic)" : ""),
      label: `Training and validation ${name} by epoch, ${phase}.`,
      kinds: [["train_loss", `Training ${name}`, "accent"], ["validation_loss", `Validation ${name}`, "second"]]})];
    if (runs.some((run) => (run.validation_accuracy || []).some(isNumber))) {
      figures.push(curves({runs, title: "Validation accuracy", label: `Validation accuracy by epoch, ${phase}.`,
        kinds: [["validation_accuracy", "Validation accuracy", "third"]]}));
    }
    return [element("h3", {}, PHASES[phase] || phase), element("div", {class: figures.length > 1 ? "pair" : null}, figures)];
  });
  return [...nodes, chosenEpochs(data)];
}

function chosenEpochs(data) {
  const runs = data.history;
  const chosen = runs.filter((run) => isNumber(run.chosen_epoch));
  if (!chosen.length) return null;
  return element("details", {}, element("summary", {}, "Which epoch's weights were kept"), table({
    caption: data.task === "regression" ? "By the error on the validation profiles" : "By the loss on the validation cells",
    columns: [{title: "Replica", value: (run) => run.replica}, {title: "Kept epoch", value: (run) => run.chosen_epoch},
      {title: "Epochs run", value: (run) => run.epoch.length}],
    rows: chosen,
  }));
}

function genes(data) {
  const g = data.genes;
  if (!g) return null;
  const parts = [["Matched", g.matched, "accent"], ["Missing, filled", g.filled, "second"],
    ["Missing, not filled", isNumber(g.missing) ? g.missing - (g.filled || 0) : null, "muted"]].filter(([, n]) => n > 0);
  const total = parts.reduce((sum, [, n]) => sum + n, 0);
  return [
    element("p", {class: "note"}, `${whole(g.matched)} of the model's ${whole(total)} genes are in the data` +
      (g.by ? ` (matched by ${g.by})` : "") + (isNumber(g.unused) ? `; ${whole(g.unused)} genes of the data are not used.` : ".")),
    element("div", {class: "stack", "aria-hidden": "true"}, parts.map(([, n, hue]) =>
      element("i", {style: {width: (100 * n / total) + "%", background: `var(--${hue})`}}))),
    element("ul", {class: "key"}, parts.map(([title, n, hue]) => element("li", {},
      element("b", {"aria-hidden": "true", style: {background: `var(--${hue})`}}), `${title}: ${whole(n)} (${percent(n / total)})`))),
    g.missing_names && g.missing_names.length ? element("details", {},
      element("summary", {}, g.missing_names.length < g.missing ? `First ${g.missing_names.length} missing genes` : "Missing genes"),
      element("p", {}, element("code", {}, g.missing_names.join(", ")))) : null,
  ];
}

// How many genes each step of the selection leaves; a range where folds differ.
function selection(data) {
  const steps = (data.selection && data.selection.steps) || [];
  if (!steps.length) return null;
  const mean = (counts) => counts.reduce((sum, n) => sum + n, 0) / counts.length;
  const most = Math.max(1, ...steps.map((step) => mean(step.genes)));
  const range = (counts) => Math.min(...counts) === Math.max(...counts) ? whole(counts[0])
    : `${whole(Math.min(...counts))} to ${whole(Math.max(...counts))}`;
  const folds = steps[0].genes.length;
  return [
    element("p", {class: "note"}, "How many genes each step of the selection leaves" +
      (folds > 1 ? `; each of the ${folds} folds selects by its own training cells.` : ".")),
    scrolling("Gene selection", table({
      caption: "Genes after each step", rows: steps,
      columns: [
        {title: "Step", value: (step) => step.name},
        {title: folds > 1 ? "Genes, by fold" : "Genes", value: (step) => mean(step.genes),
          cell: (step) => [range(step.genes), meter(mean(step.genes) / most)]},
      ],
    })),
  ];
}

function gates(data) {
  const g = data.gates;
  if (!g || !g.genes || !g.genes.length) return null;
  const folds = g.folds || [];
  const views = [g.weights, ...folds];
  const most = Math.max(...views.flat(2).filter(isNumber));
  const many = g.classes.length > 20;
  const body = element("tbody", {});
  const show = (weights) => body.replaceChildren(...g.genes.map((gene, i) => element("tr", {},
    element("th", {scope: "row"}, shortened(gene, 26)), weights[i].map((weight, j) => element("td", {
      title: isNumber(weight) ? `${gene}, ${g.classes[j]}: ${decimal(weight, 4)}` : `${gene}: not among the genes of this fold`,
      style: isNumber(weight) ? heat(weight / (most || 1)) : {},
    }, isNumber(weight) ? weight.toFixed(2) : "")))));
  show(g.weights);
  const choice = element("select", {id: "gate-view"}, views.map((_, k) =>
    element("option", {value: k}, k === 0 ? "Mean of all folds" : `Fold ${k}`)));
  choice.addEventListener("change", () => show(views[Number(choice.value)]));
  return [
    element("p", {class: "note"}, "How far the network opens its gate for a gene (0 shut, 1 open): the mean over the " +
      (folds.length ? "held-out cells of each class. " : "test cells of each class, first replica. ") +
      "The genes with the widest gates, and those whose gate depends most on the class."),
    folds.length ? element("p", {class: "controls"}, element("label", {for: "gate-view"}, "Show "), choice) : null,
    scrolling("Gate weights", element("table", {class: "confusion gates" + (many ? " many" : "")},
      element("caption", {}, "Mean gate of each gene by class"),
      element("thead", {}, heatHead("gene ↓   class →", g.classes)), body)),
  ];
}

function attributions(data) {
  const a = data.attributions;
  if (!a || !a.classes || !a.classes.length) return null;
  const against = a.baseline === "zero-input" ? "the network's input all zero" : "a cell that expresses nothing";
  const sums = isNumber(a.error) ? ` In ${whole(a.steps)} steps they add up to the change of the output within ` +
    `${percent(a.error, 3)} of it over all cells together (worst cell: ${percent(a.worst_error, 3)}).` : "";
  const most = [...a.classes].sort((x, y) => y.cells - x.cells).slice(0, MOST_CLASSES);
  return [
    element("p", {class: "note"}, `What each gene adds to the class's output against ${against}, by ${a.method}: the mean over the ` +
      `cells explained for the class. Right of zero a gene speaks for the class.${sums}`),
    element("div", {class: "pair"}, most.map((entry) => attributionBars(entry))),
    a.classes.length > most.length ? element("p", {class: "note"}, `The ${most.length} largest of ${a.classes.length} classes are shown.`) : null,
  ];
}

function calibration(data) {
  const bins = data.calibration && data.calibration.bins;
  if (!bins || !bins.length) return null;
  const filled = bins.filter((bin) => bin.count > 0);
  if (!filled.length) return null;
  const error = data.calibration.expected_error;
  return [
    element("p", {class: "note"}, "Confidence is the probability of the predicted class." +
      (isNumber(error) ? ` Expected calibration error: ${decimal(error)}.` : "")),
    element("div", {class: "pair"}, reliability(filled), histogram({edges: bins.map((bin) => bin.from).concat(bins[bins.length - 1].to),
      counts: bins.map((bin) => bin.count), asPercent: true, title: "Confidence",
      label: "How many test cells were predicted with which confidence."})),
  ];
}

// Regression: how errors spread over the genes, and each beside a baseline's.
function perGene(data) {
  const g = data.per_gene;
  if (!g || !g.mae_histogram) return null;
  const b = g.baseline;
  const spread = histogram({edges: g.mae_histogram.edges, counts: g.mae_histogram.counts, title: "Mean absolute error of a gene", of: "Genes",
    label: "How many genes have which mean absolute error."});
  if (!b || !b.errors || !b.errors.length) return [spread];
  return [
    element("p", {class: "note"}, `By ${b.name} the mean error is ${decimal(b.mae)} ± ${decimal(b.mae_sd)} over genes; by the model ` +
      `${decimal(g.mae)} ± ${decimal(g.mae_sd)}: ${percent(Math.abs(b.relative_improvement), 1)} ${b.relative_improvement < 0 ? "higher" : "lower"}, ` +
      `and lower in ${percent(b.genes_improved, 1)} of the genes.`),
    element("div", {class: "pair"}, errorsBesideBaseline({errors: g.errors, baseline: b.errors, name: b.name}), spread),
  ];
}

function resources(data) {
  const rank = (stage) => (STAGES.indexOf(stage) + STAGES.length + 1) % (STAGES.length + 1);
  const stages = Object.entries(data.seconds || {}).filter(([, value]) => isNumber(value))
    .sort((a, b) => rank(a[0]) - rank(b[0]));
  const memory = Object.entries(data.memory || {}).filter(([, value]) => isNumber(value));
  if (!stages.length && !memory.length) return null;
  const total = stages.reduce((sum, [, value]) => sum + value, 0);
  const words = (key) => (key[0].toUpperCase() + key.slice(1)).replaceAll("_", " ").replace(/ bytes$/, "");
  return [element("div", {class: "pair"},
    stages.length ? table({
      caption: `Time, ${seconds(total)} in all`,
      columns: [{title: "Stage", value: (row) => words(row[0])}, {title: "Time", value: (row) => seconds(row[1])},
        {title: "Share", value: (row) => row[1], cell: (row) => [percent(row[1] / total, 0), meter(row[1] / total)]}],
      rows: stages,
    }) : null,
    memory.length ? table({
      caption: "Memory", columns: [{title: "Where", value: (row) => words(row[0])}, {title: "Amount", value: (row) => bytes(row[1])}],
      rows: memory,
    }) : null)];
}

function configuration(data) {
  const facts = Object.entries({
    Command: data.run && data.run.command, Data: data.data && data.data.file, Matrix: data.data && data.data.matrix,
    "SHA-256 of the data": data.data && data.data.sha256, Device: data.run && data.run.device, Seed: data.run && data.run.seed,
    Date: data.run && data.run.date,
  }).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const versions = Object.entries((data.run && data.run.versions) || {});
  if (!facts.length && !versions.length && !data.config) return null;
  return [
    facts.length ? scrolling("Facts about the run", table({caption: "The run", columns: [{title: "Item", value: (row) => row[0], cell: (row) => element("span", {class: "whole"}, row[0])},
      {title: "Value", words: true, value: (row) => row[1], cell: (row) => element("code", {}, String(row[1]))}], rows: facts})) : null,
    versions.length ? element("p", {class: "note"}, "Versions: " + versions.map(([name, version]) => `${name} ${version}`).join(", ") + ".") : null,
    data.config ? element("details", {}, element("summary", {}, "Resolved configuration"),
      element("pre", {tabindex: "0"}, JSON.stringify(data.config, null, 2))) : null,
  ];
}
