#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes calibration.json: temperatures by scipy's root finder, calibration errors and thresholds by plain numpy.

    make_calibration_goldens.py [OUT]       made with scipy 1.10.1

Each case: classes, truth, probability (float32, row-major), temperature, ece (15 bins), error_rate, threshold, coverage
(threshold and coverage without temperature), entropy and margin of each cell.
"""
import json
import os
import sys

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, log_softmax, softmax


def temperature(truth, p):
    z, rows = np.log(p.astype(np.float64)), np.arange(len(truth))

    def slope(b):
        return ((softmax(b * z, axis=1) * z).sum(axis=1) - z[rows, truth]).mean()
    b = brentq(slope, 0.05, 20, xtol=1e-15, rtol=1e-14)
    loss = [-log_softmax(z * v, axis=1)[rows, truth].mean() for v in (b * 0.999, b, b * 1.001)]
    assert loss[1] < loss[0] and loss[1] < loss[2]
    return 1 / b


def ece(truth, p, bins=15):
    confidence, right = p.max(axis=1).astype(np.float64), p.argmax(axis=1) == truth
    edges = np.linspace(0, 1, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def rejection(truth, p, error_rate):
    """Tries every threshold."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    best = None
    for threshold in np.unique(confidence):
        kept = confidence >= threshold
        if (~right[kept]).sum() <= error_rate * kept.sum() and (best is None or kept.mean() > best[1]):
            best = (float(threshold), float(kept.mean()))
    return best


def case(rng, cells, classes, sharpness, error_rate, decimals=None):
    truth = rng.integers(0, classes, cells)
    logits = rng.normal(size=(cells, classes)) * sharpness
    logits[np.arange(cells), truth] += 1.2
    p = softmax(logits, axis=1)
    if decimals is not None:
        p = np.round(p, decimals) + 10.0 ** -decimals
        p /= p.sum(axis=1, keepdims=True)
    p = p.astype(np.float32)
    threshold, coverage = rejection(truth, p, error_rate)
    top = np.sort(p, axis=1).astype(np.float64)
    return {"classes": classes, "truth": truth.tolist(), "probability": [float(f"{v:.9g}") for v in p.ravel()],
            "temperature": temperature(truth, p), "ece": ece(truth, p), "error_rate": error_rate, "threshold": threshold,
            "coverage": coverage, "entropy": entr(p.astype(np.float64)).sum(axis=1).tolist(),
            "margin": (top[:, -1] - top[:, -2]).tolist()}


def main(path):
    rng = np.random.default_rng(20240613)
    cases = [case(rng, 60, 4, 1.0, 0.1), case(rng, 80, 3, 4.0, 0.2), case(rng, 50, 6, 0.8, 0.25),
             case(rng, 70, 2, 1.5, 0.15), case(rng, 60, 5, 1.5, 0.2, decimals=1)]
    with open(path, "w") as out:
        json.dump(cases, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "calibration.json"))
