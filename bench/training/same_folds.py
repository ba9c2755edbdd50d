#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of scAnnoNet in PyTorch on the folds and genes of a `genexx train --folds K` run, beside the run's own.

    same_folds.py DATA.h5ad --label COLUMN --run DIR [options of scannonet_pytorch.py folds]

Cells, folds and each fold's own genes are those of DIR (split.json, gene_list.csv); library size, ln(1 + x) and z-scores
are fitted on each fold's training cells, validation cells among them, by NumPy. Needs anndata and PyTorch. One line of JSON a seed, one
for their mean, one for the run itself.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import anndata
import numpy as np
from scipy import sparse


def normalised(matrix, training, counts):
    """Cells by genes as float64: to the median count of the training cells and ln(1 + x), where they are counts."""
    x = np.asarray(matrix.todense() if sparse.issparse(matrix) else matrix, dtype=np.float64)
    if not counts:
        return x
    totals = x.sum(axis=1)
    return np.log1p(x * (np.median(totals[training]) / np.maximum(totals, 1e-12))[:, None])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--label", required=True)
    parser.add_argument("--run", required=True, help="directory of genexx train --folds")
    options, more = parser.parse_known_args()

    data = anndata.read_h5ad(options.data)
    with open(os.path.join(options.run, "split.json"), encoding="utf-8") as file:
        split = json.load(file)
    with open(os.path.join(options.run, "gene_list.csv"), encoding="utf-8", newline="") as file:
        genes = [set() for _ in split["splits"]]
        for row in csv.DictReader(file):
            genes[int(row["fold"]) - 1].update((row["marker_gene"], row["coexpressed_gene"]))
    tests = [one["test"] for one in split["splits"]]
    cells = np.sort(np.concatenate(tests))
    folds = np.zeros(data.n_obs, dtype=np.int64)
    for k, test in enumerate(tests):
        folds[test] = k
    labels = np.unique(data.obs[options.label].astype(str).to_numpy()[cells], return_inverse=True)[1]
    values = data.X.data if sparse.issparse(data.X) else data.X
    counts = bool(np.all(np.mod(values, 1) == 0))

    with tempfile.TemporaryDirectory() as folder:
        for k in range(len(tests)):
            training = cells[folds[cells] != k]
            x = normalised(data.X, training, counts)[:, data.var_names.isin(genes[k])]
            deviation = x[training].std(axis=0, ddof=1)
            x = (x - x[training].mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)
            np.save(os.path.join(folder, f"x{k}.npy"), x[cells].astype(np.float32))
        np.save(os.path.join(folder, "y.npy"), labels)
        np.save(os.path.join(folder, "folds.npy"), folds[cells])
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scannonet_pytorch.py")
        subprocess.run([sys.executable, script, "folds", "--x", os.path.join(folder, "x{}.npy"), "--y",
                        os.path.join(folder, "y.npy"), "--folds", os.path.join(folder, "folds.npy"), *more], check=True)
    with open(os.path.join(options.run, "metrics.json"), encoding="utf-8") as file:
        metrics = json.load(file)
    print(json.dumps({"genexx": True, "accuracy": metrics["test"]["accuracy"], "macro_f1": metrics["test"]["macro_f1"],
                      "seconds": metrics["seconds"]["train"]}))


if __name__ == "__main__":
    main()
