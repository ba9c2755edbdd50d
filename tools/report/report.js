// SPDX-License-Identifier: Apache-2.0
// Puts the page together from the data that the program embedded.
"use strict";

const SECTIONS = [
  ["warnings", "Warnings", warnings], ["homology", "Regions of the two species", homology],
  ["ranks", "Ranks of known homologues", homologyRanks], ["components", "Components", components],
  ["metrics", "Metrics", metrics], ["search", "Random search", tuning], ["classes", "Per class", perClass],
  ["confusion", "Confusion matrix", confusion], ["calibration", "Confidence", calibration],
  ["errors", "Errors by gene", perGene], ["loss", "Training curves", history],
  ["rank", "Mean rank by epoch", rankCurves], ["genes", "Gene overlap", genes],
  ["selection", "Gene selection", selection], ["gates", "Gate weights by gene", gates],
  ["attributions", "Genes that decide", attributions], ["resources", "Time and memory", resources],
  ["configuration", "Configuration", configuration],
];

// One sentence: what was trained, on what, and how good it is.
function sentence(data) {
  if (data.summary) return data.summary;
  const model = data.model || {};
  const about = data.data || {};
  const split = about.split || {};
  const test = (data.metrics && data.metrics.test) || {};
  const sd = test.sd || {};
  const amount = (key) => decimal(test[key]) + (isNumber(sd[key]) ? " ± " + decimal(sd[key]) : "");
  const judged = isNumber(split.test) ? plural(split.test, "held-out cell") : isNumber(test.cells) ? plural(test.cells, "cell") : "the test cells";
  const figures = `the accuracy is ${amount("accuracy")} and the macro F1 ${amount("macro_f1")}.`;
  if (!about.split && isNumber(test.accuracy)) return `On ${judged} ${figures}`;  // a finished model, judged on other data
  const who = model.folds > 1 ? `In ${plural(model.folds, "fold")} ${model.name} was` : model.replicas > 1 ? plural(model.replicas, "replica") + ` of ${model.name} were` : `${model.name || "A model"} was`;
  const trained = `${who} trained` + (isNumber(split.train) ? ` on ${plural(split.train, "cell")}` : "");
  if (data.task === "regression") return `${trained}; the mean absolute error on held-out samples is ${amount("mae")}.`;
  const kinds = isNumber(model.classes) ? ` to tell ${model.classes} cell types apart by ${whole(model.genes)} genes` : "";
  if (!isNumber(test.accuracy)) return trained + kinds + ".";
  return `${trained}${kinds}. On ${judged} ${figures}`;
}

function heading(data) {
  const model = data.model || {};
  const about = data.data || {};
  const test = (data.metrics && data.metrics.test) || {};
  const split = about.split || {};
  const sd = (key) => test.sd && isNumber(test.sd[key]) ? element("small", {}, " ± " + decimal(test.sd[key])) : null;
  const given = (data.figures || []).map(([title, text]) => [title, 0, [text]]);
  const figures = given.concat([
    ["Accuracy", test.accuracy, [decimal(test.accuracy), sd("accuracy")]],
    ["Macro F1", test.macro_f1, [decimal(test.macro_f1), sd("macro_f1")]],
    ["Mean absolute error", test.mae, [decimal(test.mae), sd("mae")]],
    [data.task === "regression" ? "Test profiles" : "Test cells", split.test, [whole(split.test)]],
    [data.task === "homology" ? "Regions" : "Cell types", model.classes, [whole(model.classes)]],
    [data.task === "regression" ? "Landmarks" : "Genes used", model.genes, [whole(model.genes)]],
    ["Targets", model.targets, [whole(model.targets)]],
    ["Folds", model.folds, [whole(model.folds)]],
    ["Replicas", model.folds ? null : model.replicas, [whole(model.replicas)]],
    ["Parameters each", model.parameters, [whole(model.parameters)]],
  ]).filter(([, value]) => isNumber(value));
  const name = about.file ? about.file.split("/").pop() : "";
  return element("div", {},
    element("p", {class: "eyebrow"}, "Genexx report" + (data.run && data.run.date ? " · " + data.run.date : "")),
    element("h1", {}, (model.name || "model") + (name ? ": " + name : "") + (about.label ? ` (${about.label})` : "")),
    element("p", {class: "summary"}, sentence(data)),
    element("dl", {class: "figures"}, figures.map(([title, , value]) => element("div", {}, element("dt", {}, title), element("dd", {}, value)))));
}

function build(data) {
  document.getElementById("top").append(heading(data));
  const links = element("ul", {});
  const report = document.getElementById("report");
  for (const [id, title, make] of SECTIONS) {
    const nodes = make(data);
    if (!nodes) continue;
    report.append(element("section", {id, "aria-labelledby": id + "-title"},
      element("h2", {id: id + "-title"}, title), nodes));
    links.append(element("li", {}, element("a", {href: "#" + id}, title)));
  }
  document.getElementById("contents").append(links);
  document.getElementById("end").append(`Written by genexx ${(data.run && data.run.versions && data.run.versions.genexx) || ""}. ` +
    "Charts by Chart.js 3.9.1 (MIT licence). This file needs no network.");
  drawAll();
}

build(JSON.parse(document.getElementById("data").textContent));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("printing");
  drawAll();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("printing");
  drawAll();
});
