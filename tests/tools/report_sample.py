#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Made-up data in the form the report takes (tools/report/README.md), to look at the page and to test it.

    report_sample.py BUILD OUT.html [CLASSES]      BUILD holds the generated page
"""
import json
import math
import random
import sys

NAMES = ["Dendritic", "CD14+ Monocyte", "CD19+ B", "CD4+/CD25 T Reg", "CD8+ Cytotoxic T", "CD8+/CD45RA+ Naive Cytotoxic",
         "CD56+ NK", "CD4+/CD45RO+ Memory", "CD34+", "CD4+/CD45RA+/CD25- Naive T"]


def class_names(count):
    return [NAMES[i] if i < len(NAMES) else f"cluster {i} <&> of a rather long name" for i in range(count)]


def confusion_counts(rng, count):
    counts = []
    for i in range(count):
        cells = int(240 * 0.8 ** (i % 10)) + 3
        row = [0] * count
        for _ in range(cells):
            row[i if rng.random() < 0.85 else rng.randrange(max(0, i - 3), min(count, i + 4))] += 1
        counts.append(row)
    return counts


def class_rows(names, counts):
    rows = []
    for i, name in enumerate(names):
        support = sum(counts[i])
        called = sum(row[i] for row in counts)
        recall, precision = counts[i][i] / support, counts[i][i] / called if called else None
        f1 = 2 * precision * recall / (precision + recall) if precision and recall else None
        rows.append({"class": name, "precision": precision, "recall": recall, "f1": f1, "support": support})
    return rows


def history(rng, replicas):
    runs = []
    for phase, epochs, high in (("pretrain", 20, 0.3), ("train", 60, 2.3)):
        for replica in range(replicas):
            train = [high * math.exp(-e / 12) * (1 + 0.1 * rng.random()) + 0.05 for e in range(epochs)]
            run = {"replica": replica, "phase": phase, "epoch": list(range(1, epochs + 1)), "train_loss": train}
            if phase == "train":
                run["validation_loss"] = [0.35 + 0.8 * t + 0.002 * e + 0.05 * rng.random() for e, t in enumerate(train)]
                run["validation_accuracy"] = [0.9 - 0.6 * math.exp(-e / 8) + 0.02 * rng.random() for e in range(epochs)]
                run["chosen_epoch"] = 30 + replica
            runs.append(run)
    return runs


def sample(classes=10, seed=7):
    rng = random.Random(seed)
    names = class_names(classes)
    counts = confusion_counts(rng, classes)
    test = {"accuracy": 0.853, "balanced_accuracy": 0.831, "macro_f1": 0.812, "weighted_f1": 0.851, "precision": 0.82,
            "recall": 0.831, "sensitivity": 0.831, "specificity": 0.981, "auroc": 0.985, "auprc": None, "unknown_labels": 4}
    test["sd"] = {key: 0.008 for key, value in test.items() if isinstance(value, float)}
    bins = [{"from": i / 10, "to": (i + 1) / 10, "confidence": (i + 0.55) / 10, "accuracy": max(0.0, (i + 0.2) / 10),
             "count": 0 if i < 2 else int(3 * 1.9 ** i)} for i in range(10)]
    return {
        "format": 1, "task": "classification",
        "model": {"name": "scannonet", "replicas": 10, "parameters": 412345, "genes": 1987, "classes": classes},
        "data": {"file": "cells/zheng68k.h5ad", "cells": 6921, "label": "bulk_labels", "matrix": "X: counts, 6,921 x 20,387",
                 "sha256": "2353a3c3ad288ae91267fec68d19e72917c929011a279becfdada06024e9954f",
                 "split": {"train": 5537, "validation": 692, "test": 692}},
        "run": {"command": "genexx train --model scannonet cells/zheng68k.h5ad --label bulk_labels --out model", "seed": 1,
                "device": "cpu (avx2), 2 threads", "date": "2024-05-04 10:11 UTC",
                "versions": {"genexx": "0.1.0", "hdf5": "1.10.8", "gcc": "12.2.0"}},
        "metrics": {"test": test, "validation": {**test, "accuracy": 0.861},
                    "train": {**test, "accuracy": 0.992, "macro_f1": 0.99}},
        "per_class": class_rows(names, counts), "f1_quartiles": [0.235, 0.714, 0.871, 0.942, 1.0], "confusion": {"classes": names, "counts": counts},
        "history": history(rng, 10),
        "genes": {"matched": 1890, "missing": 97, "filled": 97, "unused": 18497, "by": "gene_name",
                  "missing_names": [f"GENE{i}" for i in range(97)]},
        "selection": {"steps": [{"name": "in the data", "genes": [20387] * 3}, {"name": "with enough counts", "genes": [9022, 8990, 9105]},
                                {"name": "most variable", "genes": [4000] * 3}, {"name": "read by the network", "genes": [1950, 1987, 1931]}]},
        "attributions": {"method": "integrated gradients", "baseline": "zero-input", "steps": 64, "error": 2.1e-4, "worst_error": 0.0013,
                         "classes": [{"class": name, "cells": 50 + i, "genes": [f"GENE{i}{g}" for g in range(12)],
                                      "values": [(1 - 1.7 * (g % 4 == 3)) / (g + 1) for g in range(12)]}
                                     for i, name in enumerate(names)]},
        "gates": {"genes": [f"GENE{i}" for i in range(20)], "classes": names,
                  "weights": [[max(0.0, 0.95 - 0.05 * i - 0.1 * rng.random()) for _ in names] for i in range(20)],
                  "folds": [[[None if i == 3 and f == 1 else max(0.0, 0.9 - 0.05 * i) for _ in names] for i in range(20)] for f in range(3)]},
        "calibration": {"bins": bins, "expected_error": 0.034},
        "seconds": {"read": 0.41, "prepare": 2.2, "train": 31.4, "test": 0.083},
        "memory": {"peak_bytes": 812345678, "model_bytes": 1650000},
        "warnings": ["2 classes with fewer than 10 cells (5 cells in all) were dropped: Schwann, <B> cell.",
                     "519 genes without a single count were dropped."],
        "config": {"model": "scannonet", "train": {"learning_rate": 0.001, "batch_size": 256, "epochs": 60}},
    }


def homology_sample(human=30, mouse=12, seed=7):
    """A report of genexx homology."""
    rng = random.Random(seed)
    names = [f"A{i}/<b>" if i == 3 else f"A{i}" for i in range(human)], [f"M{j}" for j in range(mouse)]
    point = lambda name: {"region": name, "x": rng.gauss(0, 1), "y": rng.gauss(0, 1)}
    correlation = [[None if i == 5 else rng.uniform(-0.4, 1) for _ in range(mouse)] for i in range(human)]
    return {
        "format": 1, "task": "homology", "model": {"name": "Homology"}, "summary": "Ranks 3.10 of 30 on average.",
        "figures": [["Mean rank", "3.10"], ["By chance", "15.5"]],
        "homology": {"human": names[0], "mouse": names[1], "correlation": correlation, "mean_rank": 3.1, "chance": 15.5,
                     "p_value": 0.0001, "models": 10,
                     "pairs": [{"human": names[0][j], "mouse": names[1][j], "correlation": correlation[j][j], "rank": j + 1.5}
                               for j in range(mouse)]},
        "components": {"variance_ratio": [0.4, 0.2, 0.1], "human": [point(n) for n in names[0]],
                       "mouse": [point(n) for n in names[1]]},
    }


def tuning_sample(trials=20, seed=7):
    """The field "tuning" of a random search, one trial of which diverged."""
    rng = random.Random(seed)
    rows = []
    for number in range(trials):
        accuracy, ended = 0.4 + 0.55 * rng.random(), number != 4
        rows.append({"trial": number, "group": number % 5, "learning_rate": 10 ** rng.uniform(-6, -2),
                     "weight_decay": 10 ** rng.uniform(-6, -1), "layers": 1 + number % 3, "units": 256 * 2 ** (number % 2),
                     "batch": 64, "dropout": 0.5 * rng.random(), "epochs": 15 if ended else 3, "best_epoch": 11 if ended else None,
                     "loss": 1.4 - accuracy if ended else None, "accuracy": accuracy if ended else None,
                     "macro_f1": accuracy - 0.05 if ended else None, "state": "done" if ended else "diverged"})
    for rank, row in enumerate(sorted(rows, key=lambda row: -(row["accuracy"] or 0)), 1):
        row["rank"] = rank
    return {"score": "accuracy", "epochs": 15, "rungs": [15], "trials": rows,
            "axes": [{"name": name, "title": title, "logarithmic": name in ("learning_rate", "weight_decay")} for name, title in (
                ("learning_rate", "Learning rate"), ("weight_decay", "Weight decay"), ("layers", "Layers"), ("units", "Units"),
                ("batch", "Batch"), ("dropout", "Dropout"))]}


def page(build, data):
    """The page as the library writes it: the template with `data` in its place."""
    with open(f"{build}/generated/io/report_page.cc", encoding="utf-8") as file:
        template = file.read().split("R\"~~page~~(", 1)[1].rsplit(")~~page~~\"", 1)[0]
    text = json.dumps(data).replace("<", "\\u003c")
    return template.replace("{{title}}", "Genexx: sample").replace("{{data}}", text)


if __name__ == "__main__":
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(page(sys.argv[1], sample(int(sys.argv[3]) if len(sys.argv) > 3 else 10)))
