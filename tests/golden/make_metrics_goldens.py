#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes metrics.json: labels, predictions and probabilities with the figures of scikit-learn and imbalanced-learn.

    make_metrics_goldens.py [OUT]       made with scikit-learn 1.2.1 and imbalanced-learn 0.10.1

Each case holds classes, truth, predicted, probability (float32, row-major) and expected: the macro figures, and an array a
class under per_class. Figures that these libraries call ill-defined are 0 in per_class (zero_division=0); auroc and auprc
are null where they refuse (no positive, or for auroc no negative), and their macro mean is over the classes left, which
is roc_auc_score(multi_class="ovr") itself where every class occurs.
"""
import json
import os
import sys
import warnings

import numpy as np
from imblearn.metrics import sensitivity_specificity_support
from sklearn import metrics

warnings.filterwarnings("ignore")


def ranking(truth, probability, classes):
    auroc, auprc = [], []
    for c in range(classes):
        positive = truth == c
        auroc.append(metrics.roc_auc_score(positive, probability[:, c]) if 0 < positive.sum() < len(truth) else None)
        auprc.append(metrics.average_precision_score(positive, probability[:, c]) if positive.any() else None)
    return auroc, auprc


def mean(values):
    defined = [v for v in values if v is not None]
    return float(np.mean(defined)) if defined else None


def expected(classes, truth, predicted, probability):
    macro = dict(average="macro", zero_division=0)
    labels = list(range(classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    _, specificity, _ = sensitivity_specificity_support(truth, predicted, labels=labels)
    occurring = np.unique(np.concatenate([truth, predicted]))
    sensitivity_macro, specificity_macro, _ = sensitivity_specificity_support(truth, predicted, labels=occurring,
                                                                              average="macro")
    auroc, auprc = ranking(truth, probability, classes)
    auroc_macro = mean(auroc)
    if classes > 2 and len(np.unique(truth)) == classes:
        library = metrics.roc_auc_score(truth, probability, multi_class="ovr", average="macro")
        assert abs(library - auroc_macro) < 1e-14
        auroc_macro = library
    return {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, **macro),
        "weighted_f1": metrics.f1_score(truth, predicted, average="weighted", zero_division=0),
        "precision": metrics.precision_score(truth, predicted, **macro),
        "recall": metrics.recall_score(truth, predicted, **macro),
        "sensitivity": float(sensitivity_macro), "specificity": float(specificity_macro),
        "auroc": auroc_macro, "auprc": mean(auprc),
        "per_class": {"precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(),
                      "specificity": specificity.tolist(), "support": support.tolist(), "auroc": auroc, "auprc": auprc},
    }


def case(name, truth, probability, predicted=None):
    probability = np.asarray(probability, dtype=np.float32)
    truth = np.asarray(truth)
    predicted = probability.argmax(axis=1) if predicted is None else np.asarray(predicted)
    classes = probability.shape[1]
    return {"name": name, "classes": classes, "truth": truth.tolist(), "predicted": predicted.tolist(),
            "probability": [float(f"{v:.9g}") for v in probability.ravel()],
            "expected": expected(classes, truth, predicted, probability)}


def random_case(rng, name, sizes, sharpness, decimals=None):
    """Cells of the given class sizes; probabilities lean to the truth by `sharpness`; rounded ones have ties."""
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    logits = rng.normal(size=(len(truth), len(sizes)))
    logits[np.arange(len(truth)), truth] += sharpness
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if decimals is not None:
        probability = np.round(probability, decimals)
        probability[:, 0] += 1 - probability.sum(axis=1)
    return case(name, truth, probability)


def regression(rng):
    truth = rng.normal(size=(13, 5)).astype(np.float32)
    predicted = (truth + rng.normal(size=truth.shape) * [0.1, 1, 0.5, 2, 0]).astype(np.float32)
    per_gene = metrics.mean_absolute_error(truth.astype(float), predicted.astype(float), multioutput="raw_values")
    return {"samples": 13, "genes": 5, "truth": [float(f"{v:.9g}") for v in truth.ravel()],
            "predicted": [float(f"{v:.9g}") for v in predicted.ravel()],
            "mae": float(per_gene.mean()), "mae_sd": float(per_gene.std()), "per_gene": per_gene.tolist()}


def main(path):
    rng = np.random.default_rng(20240611)
    third = np.full((6, 3), 1 / 3)
    cases = [
        random_case(rng, "five classes, even", [12] * 5, 1.0),
        random_case(rng, "eleven classes, uneven", [31, 17, 9, 8, 5, 4, 3, 2, 2, 1, 1], 1.5),
        random_case(rng, "two classes", [20, 9], 0.7),
        random_case(rng, "ties in scores", [15, 10, 6], 0.8, decimals=1),
        case("perfect", [0, 1, 2, 1], np.eye(3)[[0, 1, 2, 1]]),
        case("always wrong", [0, 1, 0, 1], np.eye(2)[[1, 0, 1, 0]]),
        case("a class never predicted", [0, 0, 1, 1, 2, 2], np.eye(3)[[0, 0, 1, 1, 0, 1]] * 0.7 + 0.1),
        case("a class never true", [0, 0, 1, 1, 0, 1], np.eye(3)[[0, 2, 1, 1, 0, 2]] * 0.7 + 0.1),
        case("a class in neither", [0, 0, 2, 2, 0, 2], np.eye(3)[[0, 0, 2, 2, 2, 2]] * 0.7 + 0.1),
        case("one class true, another predicted", [1, 1, 1], np.eye(3)[[1, 2, 1]] * 0.7 + 0.1),
        case("all scores equal", [0, 1, 2, 0, 1, 2], third),
        case("one cell", [1], [[0.25, 0.75]]),
    ]
    with open(path, "w") as out:
        json.dump({"cases": cases, "regression": regression(rng)}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.json"))
