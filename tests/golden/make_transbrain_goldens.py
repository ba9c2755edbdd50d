#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes transbrain.json: TransBrain's network in PyTorch, its loss, gradients and 20 AdamW steps with row dropout.

    make_transbrain_goldens.py [OUT]      made with PyTorch 1.13

Rows of the embedding are dropped whole (Dropout1d on a [batch, units] tensor), by a mask given with the file: a row is kept
where word 0 of Philox4x32-10, key (seed, stream) and counter {0, row, step, 0}, is at least rate * 2^32. Rate, decay and
learning rate are larger than the published ones, so that a mistake in them shows. Inputs are numbers that float32 holds
exactly. Every array is flat and row-major; a number is an array of one.

sizes   genes 23, hidden1 12, hidden2 10, hidden3 9, classes 6, batch 16, cells 40, steps 20; rate, lr, weight_decay,
        decay_every, decay_factor (StepLR), seed and stream of the mask
data    x [cells, genes], labels [cells]
run     rows [steps, batch] (cells of each step's batch), kept [steps, batch] of 0 and 1; loss [steps] before each step's
        update; loss_f32 [steps] of the same run in float32; initial/NAME, gradient/NAME of the first step, after10/NAME,
        after20/NAME: parameters after as many steps; embedding [cells, 9] after the last step, without dropout

NAME: hidden1.weight [12, 23], hidden1.bias, hidden2.weight, hidden2.bias, hidden3.weight, hidden3.bias, output.weight,
output.bias.
"""
import json
import os
import sys

import numpy as np
import torch

GENES, HIDDEN, CLASSES, BATCH, CELLS, STEPS = 23, (12, 10, 9), 6, 16, 40, 20
RATE, LR, DECAY, EVERY, FACTOR, SEED, STREAM = 0.25, 0.004, 0.05, 10, 0.8, 11, 7
WIDTHS = (GENES,) + HIDDEN + (CLASSES,)
LAYERS = list(zip(("hidden1", "hidden2", "hidden3", "output"), WIDTHS[:-1], WIDTHS[1:]))
MASK32 = 0xFFFFFFFF


def philox_word(key, counter):
    """Word 0 of Philox4x32-10 (Salmon et al., SC 2011)."""
    lo, hi = key
    x, y, z, w = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x, 0xCD9E8D57 * z
        x, y, z, w = (p1 >> 32) ^ y ^ lo, p1 & MASK32, (p0 >> 32) ^ w ^ hi, p0 & MASK32
        lo, hi = (lo + 0x9E3779B9) & MASK32, (hi + 0xBB67AE85) & MASK32
    return x


def kept_rows():
    key = (SEED ^ ((STREAM * 0x85EBCA6B) & MASK32), STREAM)
    return np.array([[int(philox_word(key, (0, row, step, 0)) >= int(RATE * 2 ** 32)) for row in range(BATCH)]
                     for step in range(STEPS)])


def initial_parameters(rng):
    parameters = {}
    for name, fan_in, fan_out in LAYERS:
        bound = 1 / np.sqrt(fan_in)
        parameters[name + ".weight"] = rng.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        parameters[name + ".bias"] = rng.uniform(-bound, bound, fan_out).astype(np.float32)
    return parameters


def embedding(p, x):
    for name, _, _ in LAYERS[:-1]:
        x = torch.relu(torch.nn.functional.linear(x, p[name + ".weight"], p[name + ".bias"]))
    return x


def train(parameters, x, labels, batches, kept):
    p = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    optimizer = torch.optim.AdamW(p.values(), lr=LR, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, EVERY, FACTOR)
    out = {"loss": []}
    for step, rows in enumerate(batches):
        mask = torch.tensor(kept[step], dtype=x.dtype)[:, None] / (1 - RATE)
        logits = torch.nn.functional.linear(embedding(p, x[rows]) * mask, p["output.weight"], p["output.bias"])
        loss = torch.nn.functional.cross_entropy(logits, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out.update({"gradient/" + name: value.grad.clone() for name, value in p.items()})
        optimizer.step()
        schedule.step()
        out["loss"].append(loss.item())
        if step + 1 in (10, STEPS):
            out.update({f"after{step + 1}/{name}": value.detach().clone() for name, value in p.items()})
    out["embedding"] = embedding(p, x).detach()
    return out


def row_dropout_is_what_dropout1d_does():
    """Dropout1d on a two-dimensional tensor zeroes whole rows and scales the others."""
    torch.manual_seed(0)
    y = torch.nn.Dropout1d(RATE)(torch.ones(400, 9))
    whole = (y == y[:, :1]).all()
    scaled = torch.isclose(y, torch.tensor(0.0)) | torch.isclose(y, torch.tensor(1 / (1 - RATE)))
    return bool(whole and scaled.all() and 0 < (y[:, 0] == 0).sum() < 400)


def flat(value):
    array = np.asarray(value)
    if array.dtype.kind in "iu":
        return array.ravel().tolist()
    digits = 9 if array.dtype == np.float32 else 17
    return [float(f"{v:.{digits}g}") for v in np.atleast_1d(array).ravel()]


def main(path):
    torch.set_num_threads(1)
    assert row_dropout_is_what_dropout1d_does()
    rng = np.random.default_rng(5)
    labels = np.concatenate([np.arange(CLASSES), rng.integers(0, CLASSES, CELLS - CLASSES)])
    x = (rng.normal(size=(CELLS, GENES)) + rng.normal(0, 0.8, (CLASSES, GENES))[labels]).astype(np.float32)
    parameters, kept = initial_parameters(rng), kept_rows()
    assert 0 < kept.sum() < kept.size
    batches = np.stack([rng.choice(CELLS, BATCH, replace=False) for _ in range(STEPS)])
    results = [train({name: torch.tensor(value, dtype=dtype) for name, value in parameters.items()},
                     torch.tensor(x, dtype=dtype), torch.tensor(labels), batches, kept)
               for dtype in (torch.float64, torch.float32)]
    run = {"rows": batches, "kept": kept, **results[0], "loss_f32": np.array(results[1]["loss"], dtype=np.float32)}
    run.update({"initial/" + name: value for name, value in parameters.items()})
    golden = {
        "sizes": {"genes": GENES, "hidden1": HIDDEN[0], "hidden2": HIDDEN[1], "hidden3": HIDDEN[2], "classes": CLASSES,
                  "batch": BATCH, "cells": CELLS, "steps": STEPS, "rate": RATE, "lr": LR, "weight_decay": DECAY,
                  "decay_every": EVERY, "decay_factor": FACTOR, "seed": SEED, "stream": STREAM},
        "data": {"x": x, "labels": labels}, "run": run,
    }
    with open(path, "w") as out:
        json.dump({case: {key: flat(value) for key, value in fields.items()} for case, fields in golden.items()}, out,
                  separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "transbrain.json"))
