#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes dgex_preparation.json and dgex_baselines.json: the preparation and the baselines of D-GEX by scikit-learn,
scipy and numpy.

    make_dgex_goldens.py [OUT]       made with numpy 1.24, scipy 1.10.1, scikit-learn 1.2.1

dgex_preparation: cols, profiles (row-major float32), centres (first ones), batches (rows of each step), fitted (centres
afterwards), labels, dropped (rows with an earlier one nearer than 1 in their cluster), columns (of each gene), order
(kept rows, shuffled), ranks, quantiles, mean, deviation, standardised; other: the same for a set that is normalised by
the distinct values of each profile.

dgex_baselines: x, y of train and test (row-major), and the predictions for test of linear regression, ridge (penalty),
lasso (penalty as scikit-learn counts it) and, for KNN-GE, of the mean of the k nearest landmark genes.
"""
import json
import os
import sys

import numpy as np
from scipy import stats
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.metrics import pairwise_distances


def gene_matrix(profiles, columns):
    """Genes by profiles, as the published scripts keep it."""
    return np.array([profiles.astype(np.float64)[:, c].mean(axis=1) for c in columns])


def standardise(normalised):
    mean, deviation = normalised.mean(axis=1), normalised.std(axis=1)
    return mean, deviation, (normalised - mean[:, None]) / (deviation + 1e-3)[:, None]


def preparation(rng):
    rows, cols, clusters, batch, passes = 90, 14, 4, 18, 3
    kind = rng.normal(size=(clusters, cols)) * 2
    profiles = 8 + kind[rng.integers(0, clusters, rows)] + rng.normal(size=(rows, cols))
    profiles[:, 3] = np.round(profiles[:, 3])  # ties within a gene and, with the next line, within a profile
    profiles[::3, 7] = profiles[::3, 3]
    for target in range(60, 90):  # copies at distances around 1, some of copies
        step = rng.normal(size=cols) * (np.arange(cols) != 3) * (np.arange(cols) != 7)
        profiles[target] = profiles[rng.integers(0, target)] + step / np.linalg.norm(step) * rng.uniform(0.5, 1.5)
    profiles = profiles[rng.permutation(rows)].astype(np.float32)
    centres = profiles[rng.choice(rows, clusters, replace=False)].astype(np.float64)
    batches = [list(map(int, part)) for _ in range(passes) for part in np.array_split(rng.permutation(rows), rows // batch)]
    model = MiniBatchKMeans(n_clusters=clusters, init=centres.copy(), n_init=1, reassignment_ratio=0.0)
    for part in batches:
        model.partial_fit(profiles[part].astype(np.float64))
    labels = model.predict(profiles.astype(np.float64))
    dropped = set()
    for k in range(clusters):
        index = np.where(labels == k)[0]
        if len(index) < 2:
            continue
        distance = pairwise_distances(profiles[index].astype(np.float64))
        for i, j in zip(*np.where(distance < 1.0)):
            if i < j:
                dropped.add(int(index[j]))
    columns = [[0], [1, 2], [3], [4, 5, 6], [7], [8], [9, 10], [11, 3], [12]]
    order = [int(i) for i in rng.permutation([i for i in range(rows) if i not in dropped])]
    data = gene_matrix(profiles[order], columns)
    ranks = np.array([(stats.rankdata(data[:, i]) - 1).astype(int) for i in range(data.shape[1])])
    quantiles = np.sort(data, axis=0).mean(axis=1)
    mean, deviation, values = standardise(quantiles[ranks].T)

    counts = np.round(np.exp(rng.normal(size=(12, len(columns))) * 2) * rng.integers(0, 2, (12, len(columns))), 2)
    counts = counts.astype(np.float32)
    other = counts.astype(np.float64).T
    other_ranks = np.zeros(other.T.shape, int)
    for i in range(other.shape[1]):
        unique = np.unique(other[:, i]).tolist()
        rank = np.array([unique.index(v) for v in other[:, i]])
        other_ranks[i] = ((rank + 1.0) / len(unique) * other.shape[0]).astype(int) - 1
    assert (other_ranks >= 0).all()
    other_mean, other_deviation, other_values = standardise(quantiles[other_ranks].T)
    return {"cols": cols, "profiles": profiles.ravel().tolist(), "centres": centres.ravel().tolist(), "batches": batches,
            "fitted": model.cluster_centers_.ravel().tolist(), "labels": labels.tolist(), "dropped": sorted(dropped),
            "columns": columns, "order": order, "ranks": ranks.ravel().tolist(), "quantiles": quantiles.tolist(),
            "mean": mean.tolist(), "deviation": deviation.tolist(), "standardised": values.T.ravel().tolist(),
            "other": {"profiles": counts.ravel().tolist(), "ranks": other_ranks.ravel().tolist(),
                      "mean": other_mean.tolist(), "deviation": other_deviation.tolist(),
                      "standardised": other_values.T.ravel().tolist()}}


def nearest_genes(x_train, y_train, x_test, k):
    """The mean of the k landmarks whose training profiles lie nearest to the target's, by Euclidean distance."""
    distance = pairwise_distances(y_train.T, x_train.T)
    index = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return np.array([x_test[:, i].mean(axis=1) for i in index]).T


def baselines(rng):
    train, test, landmarks, targets = 60, 9, 8, 5
    factors = rng.normal(size=(train + test, 4))
    x = factors @ rng.normal(size=(4, landmarks)) + 0.3 * rng.normal(size=(train + test, landmarks)) + 1.5
    y = np.tanh(factors @ rng.normal(size=(4, targets))) + 0.2 * rng.normal(size=(train + test, targets)) - 0.7
    x, y = x.astype(np.float32).astype(np.float64), y.astype(np.float32).astype(np.float64)
    a, b, c = x[:train], y[:train], x[train:]
    lasso = [Lasso(alpha=0.05, tol=1e-12, max_iter=100000).fit(a, b[:, j]) for j in range(targets)]
    return {"train": train, "test": test, "landmarks": landmarks, "targets": targets,
            "x": x.ravel().tolist(), "y": y.ravel().tolist(),
            "linear": LinearRegression().fit(a, b).predict(c).ravel().tolist(),
            "ridge_penalty": 50.0, "ridge": Ridge(alpha=50.0).fit(a, b).predict(c).ravel().tolist(),
            "lasso_penalty": 0.05, "lasso": np.array([m.predict(c) for m in lasso]).T.ravel().tolist(),
            "lasso_zeros": int(sum((m.coef_ == 0).sum() for m in lasso)),
            "k": 3, "nearest": nearest_genes(a, b, c, 3).ravel().tolist()}


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, content in (("dgex_preparation", preparation(np.random.default_rng(11))),
                          ("dgex_baselines", baselines(np.random.default_rng(12)))):
        with open(os.path.join(out, name + ".json"), "w") as file:
            json.dump(content, file, separators=(",", ":"))
            file.write("\n")


if __name__ == "__main__":
    main()
