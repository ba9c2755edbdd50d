#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fly classifier's options for small classes and its convolutions beside the plain network, in five-fold cross-validation.

    fly_variants.py DATA_FOLDER [--program build/genexx] [--seeds 1 2 3] [--only baron] [--keep FOLDER]

A seed draws folds and weights, so that all variants of a seed see the same folds. Prints, for each data set, a table of the
means over all folds of all seeds; the standard error of the difference to the plain network is over the folds of all seeds.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

NETWORK = ["network.widths=[256]", "train.epochs=80"]
CONVOLUTION = ["network.convolution.channels=[8]", "network.convolution.stride=[2]"]
SHARE, THIN, MIX = "augment.share=0.3", "augment.keep=0.5", "augment.mix_up=0.5"
DATA = {
    "baron": {
        "file": "baron_mouse1_csc.h5ad", "label": "cell_type", "small": ("alpha", "gamma"),
        "variants": {
            "plain": [], "thinned": [SHARE, THIN], "mixed": [SHARE, MIX], "thinned and mixed": [SHARE, THIN, MIX],
            "drawn equally often": ["train.oversampling=true"], "weighted loss": ["train.loss=weighted_cross_entropy"],
            "convolution": CONVOLUTION}},
    "gut": {
        "file": "fca_drosophila_gut_dense.h5ad", "label": "annotation", "small": (),
        "variants": {"plain": [], "convolution": CONVOLUTION, "two convolutions": [
            "network.convolution.channels=[8, 16]", "network.convolution.stride=[2]"]}},
}


def run(program, data, settings, seed, out):
    """metrics.json and predictions of a cross-validation."""
    words = [program, "train", data["path"], "--model", "fly", "--label", data["label"], "--folds", "5", "--seed", str(seed),
             "--threads", "1", "--quiet", "--out", out]
    for setting in NETWORK + settings:
        words += ["--set", setting]
    if not os.path.exists(os.path.join(out, "metrics.json")):
        done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(words)}: {done.stderr}")
    with open(os.path.join(out, "metrics.json"), encoding="utf-8") as file:
        metrics = json.load(file)
    with open(os.path.join(out, "predictions.tsv"), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    columns = {name: i for i, name in enumerate(lines[0])}
    pairs = [(line[columns["predicted"]], line[columns["true"]]) for line in lines[1:]]
    return metrics["test"], metrics["seconds"]["train"], pairs


def f1_of(pairs, name):
    """F1 of a class over the cells of all folds together."""
    right = sum(predicted == true == name for predicted, true in pairs)
    claimed, there = sum(p == name for p, _ in pairs), sum(t == name for _, t in pairs)
    return 2 * right / (claimed + there) if claimed + there else 0.0


def mean_and_error(values):
    return statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def compare(program, data, seeds, folder):
    figures = ("accuracy", "balanced_accuracy", "macro_f1")
    print("| | " + " | ".join(["accuracy", "balanced accuracy", "macro F1", "macro F1 above plain"] +
                              [f"F1 of {name}" for name in data["small"]] + ["seconds"]) + " |")
    print("|" + "---|" * (6 + len(data["small"])), flush=True)
    plain = None
    for name, settings in data["variants"].items():
        runs = [run(program, data, settings, seed, os.path.join(folder, f"{name.replace(' ', '_')}.{seed}")) for seed in seeds]
        folds = {figure: [fold[figure] for test, _, _ in runs for fold in test["replicas"]] for figure in figures}
        plain = plain or folds
        mean, error = mean_and_error([own - other for own, other in zip(folds["macro_f1"], plain["macro_f1"])])
        cells = [f"{statistics.mean(folds[figure]):.3f}" for figure in figures]
        cells.append("" if folds is plain else f"{mean:+.3f} ± {error:.3f}")
        cells += [f"{statistics.mean(f1_of(pairs, small) for _, _, pairs in runs):.2f}" for small in data["small"]]
        cells.append(f"{statistics.mean(seconds for _, seconds, _ in runs):.0f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "..", "..", "build", "genexx"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", choices=DATA)
    parser.add_argument("--keep", help="folder for the runs; those that are there already are not repeated")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in DATA.items():
            if options.only in (None, name):
                print(f"\n{data['file']}, {data['label']}, seeds {', '.join(map(str, options.seeds))}\n", flush=True)
                compare(options.program, dict(data, path=os.path.join(options.data, data["file"])), options.seeds,
                        os.path.join(options.keep or scratch, name))


if __name__ == "__main__":
    main()
