#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes dgex_network.json: a D-GEX network of two hidden layers in PyTorch, in float64, dropout off.

    make_dgex_network_goldens.py [OUT]       made with PyTorch 1.13

landmarks, hidden, targets, batch, steps; x, y [steps * batch, ...]: the rows of one step after the other; rate, scale,
momentum; initial/NAME; loss [steps] before each update: squared errors summed over targets, mean over the batch;
gradient/NAME of the first step; final/NAME after all: v = momentum v - rate g, w = w + v, the rate of the weights (not the
biases) of hidden.1 and output being `scale` times as large.
"""
import json
import os
import sys

import torch

LANDMARKS, HIDDEN, TARGETS, BATCH, STEPS = 7, 6, 5, 8, 20
RATE, SCALE, MOMENTUM = 0.01, 3.0, 0.5
LAYERS = [("hidden.0", LANDMARKS, HIDDEN), ("hidden.1", HIDDEN, HIDDEN), ("output", HIDDEN, TARGETS)]


def main():
    torch.manual_seed(4)
    weights = {}
    for name, fan_in, fan_out in LAYERS:
        weights[name + ".weight"] = torch.randn(fan_out, fan_in).double() / fan_in ** 0.5
        weights[name + ".bias"] = torch.randn(fan_out).double() * 0.1
    x = torch.round(torch.randn(STEPS * BATCH, LANDMARKS).double(), decimals=3)
    y = torch.round(torch.randn(STEPS * BATCH, TARGETS).double(), decimals=3)
    out = {"landmarks": LANDMARKS, "hidden": HIDDEN, "targets": TARGETS, "batch": BATCH, "steps": STEPS, "rate": RATE,
           "scale": SCALE, "momentum": MOMENTUM, "x": x.ravel().tolist(), "y": y.ravel().tolist(), "loss": []}
    for name, w in weights.items():
        out["initial/" + name] = w.ravel().tolist()
        w.requires_grad_()
    velocity = {name: torch.zeros_like(w) for name, w in weights.items()}
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        h = x[rows]
        for name, _, _ in LAYERS[:-1]:
            h = torch.tanh(h @ weights[name + ".weight"].T + weights[name + ".bias"])
        predicted = h @ weights["output.weight"].T + weights["output.bias"]
        loss = ((predicted - y[rows]) ** 2).sum(dim=1).mean()
        gradients = torch.autograd.grad(loss, list(weights.values()))
        out["loss"].append(loss.item())
        with torch.no_grad():
            for (name, w), g in zip(weights.items(), gradients):
                if step == 0:
                    out["gradient/" + name] = g.ravel().tolist()
                rate = RATE * (SCALE if name in ("hidden.1.weight", "output.weight") else 1)
                velocity[name] = MOMENTUM * velocity[name] - rate * g
                w += velocity[name]
    for name, w in weights.items():
        out["final/" + name] = w.detach().ravel().tolist()
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "dgex_network.json"), "w") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
