#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gene selection as Scanpy, SciPy and plain NumPy compute it, for tests/models/scannonet/gene_selection_golden_test.cc.

    make_scanpy_goldens.py DATA_FOLDER OUT_FOLDER       needs scanpy 1.11 (pip install scanpy)

Normalisation, logarithm and variable genes are Scanpy's; p-values are SciPy's pearsonr; the discriminant index is the
published n x n form; markers and z-scores follow the definition in plain NumPy. All in float64.
"""
import json
import os
import sys

import anndata
import numpy as np
import scanpy as sc
import scipy.sparse as sp
from scipy.stats import pearsonr

CASES = [
    # file, label, least gene total, variable genes
    ("zheng68k_counts_csr_int32.h5ad", "bulk_labels", 35, 200),
    ("tabula_muris_immune_1000.h5ad", "cell_type", 50, 4000),
    ("baron_mouse1_csc.h5ad", "cell_type", 30, 1000),
]


def discriminant_index(z, codes):
    """The n x n form: W holds 1/n_c within a class, L = I - W; scatter is the diagonal of X' L X and of X' W X."""
    same = codes[:, None] == codes[None, :]
    w = same / same.sum(1, keepdims=True)
    within = np.einsum("ng,ng->g", z, (np.eye(len(codes)) - w) @ z)
    between = np.einsum("ng,ng->g", z, w @ z)
    d = np.where(within < 1e-12, 1e5, within)
    score = between / (d + 2 * within)
    return (score - score.min()) / (score.max() - score.min())


def markers_of(mean):
    """(type, column, log2 fold change), largest first, at most 20 a type."""
    rows = []
    for t in range(len(mean)):
        others = np.delete(mean, t, 0).mean(0)
        change = np.log2((mean[t] + 1e-6) / (others + 1e-6))
        for g in np.argsort(-change, kind="stable")[:20]:
            if change[g] > 1:
                rows.append((t, int(g), float(change[g])))
    return rows


def case(folder, file, label, least, top):
    data = anndata.read_h5ad(os.path.join(folder, file))
    data.X = sp.csr_matrix(data.X).astype(np.float64)
    data.var["column"] = np.arange(data.n_vars)
    data.obs["row"] = np.arange(data.n_obs)
    names = data.obs[label].astype(str)
    data = data[names.map(names.value_counts()) >= 10].copy()
    sc.pp.filter_genes(data, min_counts=least)
    sc.pp.filter_cells(data, min_counts=3)
    target = float(np.median(np.asarray(data.X.sum(1))))
    sc.pp.normalize_total(data)
    sc.pp.log1p(data)
    sc.pp.highly_variable_genes(data, flavor="seurat", n_top_genes=top)
    columns, rows = data.var["column"].to_numpy(), data.obs["row"].to_numpy()
    x = data.X.tocoo()
    pick = np.arange(0, x.nnz, x.nnz // 40)
    chosen = np.flatnonzero(data.var["highly_variable"].to_numpy())
    dispersion = data.var["dispersions_norm"].to_numpy()
    some = np.arange(0, data.n_vars, max(1, data.n_vars // 150))
    types, codes = np.unique(data.obs[label].astype(str), return_inverse=True)
    dense = data.X[:, chosen].toarray()
    means = np.array([dense[codes == t].mean(0) for t in range(len(types))])
    markers = markers_of(means)
    mean, deviation = dense.mean(0), dense.std(0, ddof=1)
    deviation[deviation == 0] = 1
    z = (dense - mean) / deviation
    unique = sorted({m[1] for m in markers})
    others = np.setdiff1d(np.arange(len(chosen)), unique)
    n = len(z)
    r = z[:, others].T @ z[:, unique] / (n - 1)
    pairs, significant = [], np.abs(r) > critical_correlation(n)
    for i in range(0, r.size, max(1, r.size // 150)):
        a, b = divmod(i, r.shape[1])
        result = pearsonr(dense[:, others[a]], dense[:, unique[b]])
        pairs.append([int(columns[chosen[others[a]]]), int(columns[chosen[unique[b]]]), float(result.statistic), float(result.pvalue)])
    lines = sum(int(significant[:, unique.index(m[1])].sum()) for m in markers)
    features = sorted(set(unique) | set(others[significant.any(1)].tolist()))
    index = discriminant_index(z[:, features], codes)
    few = range(0, len(features), max(1, len(features) // 100))
    return {
        "file": file, "label": label, "min_gene_total": least, "variable_genes": top, "cells": len(rows),
        "genes": int(data.n_vars), "target_sum": target, "types": types.tolist(),
        "value_sum": float(data.X.sum()), "square_sum": float(data.X.power(2).sum()),
        "values": [[int(rows[x.row[i]]), int(columns[x.col[i]]), float(x.data[i])] for i in pick],
        "dispersions": [[int(columns[g]), float(dispersion[g])] for g in some if np.isfinite(dispersion[g])],
        "variable": columns[chosen].tolist(),
        "markers": [[t, int(columns[chosen[g]]), c] for t, g, c in markers],
        "gene_list_lines": lines, "pairs": pairs, "left_out": columns[np.delete(chosen, features)].tolist(),
        "statistics": [[int(columns[chosen[features[i]]]), float(mean[features[i]]), float(deviation[features[i]]), float(index[i])]
                       for i in few],
    }


def critical_correlation(n):
    """The |r| with p = 0.05, by bisection of SciPy's own p."""
    from scipy.stats import t as student
    low, high = 0.0, 1.0
    for _ in range(100):
        r = (low + high) / 2
        p = 2 * student.sf(r * np.sqrt((n - 2) / (1 - r * r)), n - 2)
        low, high = (low, r) if p < 0.05 else (r, high)
    return high


if __name__ == "__main__":
    for file, label, least, top in CASES:
        golden = case(sys.argv[1], file, label, least, top)
        name = "gene_selection_" + file.split("_")[0] + ".json"
        with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as out:
            json.dump(golden, out, separators=(",", ":"))
            out.write("\n")
        print(name, golden["genes"], "genes", len(golden["variable"]), "variable", len(golden["left_out"]), "left out")
