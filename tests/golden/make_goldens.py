#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/*.json: inputs, outputs and every gradient of our ops as PyTorch computes them in float64.

    /usr/bin/python3 tests/golden/make_goldens.py [OP...]       written with torch 1.13 (Debian 12)

A file holds cases, a case named arrays, flattened row-major. Numbers are printed so that reading gives the same bits.
"""
import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def rand(generator, *shape, low=-1.0, high=1.0):
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


def gradients(output, weights, inputs):
    """Gradients of sum(output * weights) for each of the inputs."""
    return torch.autograd.grad((output * weights).sum(), inputs)


def gemm():
    cases = {}
    for a_flips in (0, 1):
        for b_flips in (0, 1):
            g = torch.Generator().manual_seed(9)
            a, b, bias = rand(g, 2, 3, 4), rand(g, 2, 4, 5), rand(g, 2, 5)
            cases[f"transposes {a_flips} {b_flips}"] = {
                "r": 2, "m": 3, "k": 4, "n": 5, "flip_a": a_flips, "flip_b": b_flips, "bias": bias,
                "a": a.transpose(1, 2).contiguous() if a_flips else a, "b": b.transpose(1, 2).contiguous() if b_flips else b,
                "c": torch.baddbmm(bias[:, None, :].expand(2, 3, 5), a, b)}
    return cases


def activation():
    cases = {}
    for name, function in {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.items():
        g = torch.Generator().manual_seed(10)
        x, dy = rand(g, 30, low=-5, high=5).requires_grad_(), rand(g, 30)
        y = function(x)
        (dx,) = gradients(y, dy, (x,))
        cases[name] = {"x": x, "dy": dy, "y": y, "dx": dx}
    return cases


def linear():
    cases = {}
    for name, (n, n_in, n_out) in {"tall": (9, 4, 3), "one row": (1, 5, 2), "wide": (3, 2, 33)}.items():
        g = torch.Generator().manual_seed(11)
        layer = torch.nn.Linear(n_in, n_out).double()
        with torch.no_grad():
            layer.weight.copy_(rand(g, n_out, n_in))
            layer.bias.copy_(rand(g, n_out))
        x, dy = rand(g, n, n_in).requires_grad_(), rand(g, n, n_out)
        y = layer(x)
        dx, dweight, dbias = gradients(y, dy, (x, layer.weight, layer.bias))
        cases[name] = {"n": n, "in": n_in, "out": n_out, "x": x, "weight": layer.weight, "bias": layer.bias, "dy": dy,
                       "y": y, "dx": dx, "dweight": dweight, "dbias": dbias}
    return cases


def gate():
    cases = {}
    for name, (n, c) in {"ordinary": (4, 7), "saturated": (2, 5)}.items():
        g = torch.Generator().manual_seed(12)
        reach = 40.0 if name == "saturated" else 3.0
        logits = rand(g, n, c, low=-reach, high=reach).requires_grad_()
        x, dy, dgate = rand(g, n, c).requires_grad_(), rand(g, n, c), rand(g, n, c)
        a = torch.sigmoid(logits)
        y = x * a
        dlogits, dx = torch.autograd.grad((y * dy).sum() + (a * dgate).sum(), (logits, x))
        cases[name] = {"n": n, "g": c, "logits": logits, "x": x, "dy": dy, "dgate": dgate, "gate": a, "y": y,
                       "dlogits": dlogits, "dx": dx}
    return cases


def softmax_cross_entropy():
    cases = {}
    options = {"plain": {}, "weights": {"weighted": True}, "smoothing": {"smoothing": 0.1},
               "weights and smoothing": {"weighted": True, "smoothing": 0.3}, "ignored rows": {"weighted": True, "ignored": True}}
    for name, option in options.items():
        g = torch.Generator().manual_seed(13)
        n, k = 11, 5
        logits = rand(g, n, k, low=-4, high=4).requires_grad_()
        labels = torch.randint(0, k - 1, (n,), generator=g)  # the last class is never seen
        if option.get("ignored"):
            labels[2] = labels[7] = -1
        weight = rand(g, k, low=0.2, high=3) if option.get("weighted") else None
        smoothing = option.get("smoothing", 0.0)
        loss = torch.nn.CrossEntropyLoss(weight=weight, ignore_index=-1, label_smoothing=smoothing)(logits, labels)
        (dlogits,) = torch.autograd.grad(loss, (logits,))
        cases[name] = {"n": n, "k": k, "smoothing": smoothing, "logits": logits, "labels": labels, "loss": loss,
                       "dlogits": dlogits, "probabilities": torch.softmax(logits, 1)}
        if weight is not None:
            cases[name]["class_weight"] = weight
    return cases


def regression_loss():
    kinds = {"squared": torch.nn.MSELoss(), "absolute": torch.nn.L1Loss(), "huber": torch.nn.HuberLoss(delta=0.3)}
    cases = {}
    for name, loss_of in kinds.items():
        g = torch.Generator().manual_seed(14)
        prediction, target = rand(g, 6, 7).requires_grad_(), rand(g, 6, 7)
        loss = loss_of(prediction, target)
        (dprediction,) = torch.autograd.grad(loss, (prediction,))
        cases[name] = {"n": 6, "c": 7, "delta": 0.3, "prediction": prediction, "target": target, "loss": loss,
                       "dprediction": dprediction}
    return cases


def discriminative_loss():
    g = torch.Generator().manual_seed(15)
    gate_, index = rand(g, 5, 9, low=0, high=1).requires_grad_(), rand(g, 9, low=0, high=1)
    loss = torch.nn.MSELoss()(gate_, index.expand(5, 9))
    (dgate,) = torch.autograd.grad(loss, (gate_,))
    return {"plain": {"n": 5, "g": 9, "gate": gate_, "index": index, "loss": loss, "dgate": dgate}}


def collinearity_loss():
    """As the reference scripts write it: a product with a matrix of ones."""
    cases = {}
    for name, (n, h) in {"batch": (20, 6), "negative denominator": (3, 16)}.items():
        g = torch.Generator().manual_seed(16)
        z = rand(g, n, h, low=-0.5, high=1).requires_grad_()
        k = z.t() @ z
        loss = torch.abs(torch.trace(torch.ones(h, h, dtype=torch.float64) @ k) - torch.trace(k)) / (n * n - h) / n
        (dz,) = torch.autograd.grad(loss, (z,))
        cases[name] = {"n": n, "h": h, "z": z, "loss": loss, "dz": dz}
    return cases


def optimizer_steps(make, parameter, g):
    """Ten steps with given gradients; the optimizer and the gradients, one step after another."""
    optimizer, steps = make([parameter]), []
    for _ in range(10):
        steps.append(rand(g, parameter.numel()))
        parameter.grad = steps[-1].clone()
        optimizer.step()
    return optimizer, torch.cat(steps)


def optimizer_adam():
    cases = {}
    for name, (kind, decay) in {"adam": (torch.optim.Adam, 0.0), "adam with decay": (torch.optim.Adam, 0.05),
                                "adamw": (torch.optim.AdamW, 0.05)}.items():
        g = torch.Generator().manual_seed(17)
        weight = rand(g, 9)
        parameter = torch.nn.Parameter(weight.clone())
        optimizer, steps = optimizer_steps(lambda p: kind(p, lr=0.03, weight_decay=decay), parameter, g)
        state = optimizer.state[parameter]
        cases[name] = {"lr": 0.03, "decay": decay, "weight": weight, "gradients": steps, "after": parameter,
                       "m": state["exp_avg"], "v": state["exp_avg_sq"]}
    return cases


def optimizer_sgd():
    g = torch.Generator().manual_seed(18)
    weight = rand(g, 9)
    parameter = torch.nn.Parameter(weight.clone())
    optimizer, steps = optimizer_steps(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.02), parameter, g)
    return {"momentum and decay": {"lr": 0.1, "decay": 0.02, "momentum": 0.9, "weight": weight, "gradients": steps,
                                   "after": parameter, "buffer": optimizer.state[parameter]["momentum_buffer"]}}


def schedule():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.003)
    steps, rates = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.9), []
    for _ in range(60):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        steps.step()
    return {"every 7 steps": {"base": 0.003, "factor": 0.9, "every": 7, "rates": torch.tensor(rates, dtype=torch.float64)}}


def batch_norm():
    cases = {}
    for name, n in {"training": 6, "two rows": 2, "inference": 6}.items():
        g = torch.Generator().manual_seed(19)
        layer = torch.nn.BatchNorm1d(5).double()
        with torch.no_grad():
            layer.weight.copy_(rand(g, 5, low=0.5, high=2))
            layer.bias.copy_(rand(g, 5))
            layer.running_mean.copy_(rand(g, 5))
            layer.running_var.copy_(rand(g, 5, low=0.5, high=2))
        before_mean, before_var = layer.running_mean.clone(), layer.running_var.clone()
        layer.train(name != "inference")
        x, dy = rand(g, n, 5, low=-1, high=3).requires_grad_(), rand(g, n, 5)
        y = layer(x)
        dx, dgamma, dbeta = gradients(y, dy, (x, layer.weight, layer.bias))
        cases[name] = {"n": n, "c": 5, "x": x, "gamma": layer.weight, "beta": layer.bias, "before_mean": before_mean,
                       "before_var": before_var, "dy": dy, "y": y, "running_mean": layer.running_mean,
                       "running_var": layer.running_var, "dx": dx, "dgamma": dgamma, "dbeta": dbeta}
    return cases


def metrics_confusion():
    g = torch.Generator().manual_seed(20)
    scores, labels = rand(g, 40, 4), torch.randint(0, 4, (40,), generator=g)
    predicted = scores.argmax(1)
    counts = torch.zeros(4, 4, dtype=torch.int64).index_put_((labels, predicted), torch.tensor(1), accumulate=True)
    return {"plain": {"n": 40, "k": 4, "scores": scores, "labels": labels, "predicted": predicted, "counts": counts}}


def conv1d():
    """Channels last, as ours: torch's [n, c, l] turned to [n, l, c], its [o, c, k] to [o, k, c]."""
    cases = {}
    sizes = {"plain": (2, 9, 1, 3, 4, 1, 0), "strided": (3, 12, 2, 4, 3, 3, 0), "padded": (2, 8, 3, 2, 5, 1, 2),
             "strided and padded": (2, 11, 2, 3, 4, 2, 1)}
    for name, (n, length, c, o, k, stride, padding) in sizes.items():
        g = torch.Generator().manual_seed(21)
        layer = torch.nn.Conv1d(c, o, k, stride=stride, padding=padding).double()
        with torch.no_grad():
            layer.weight.copy_(rand(g, o, c, k))
            layer.bias.copy_(rand(g, o))
        x = rand(g, n, length, c).requires_grad_()
        y = layer(x.transpose(1, 2)).transpose(1, 2)
        dy = rand(g, *y.shape)
        dx, dweight, dbias = gradients(y, dy, (x, layer.weight, layer.bias))
        cases[name] = {"n": n, "l": length, "c": c, "o": o, "k": k, "stride": stride, "padding": padding, "m": y.shape[1], "x": x,
                       "weight": layer.weight.transpose(1, 2), "bias": layer.bias, "dy": dy, "y": y, "dx": dx,
                       "dweight": dweight.transpose(1, 2), "dbias": dbias}
    return cases


def pool1d():
    cases = {}
    for average, layer in enumerate((torch.nn.MaxPool1d, torch.nn.AvgPool1d)):
        g = torch.Generator().manual_seed(22)
        x = rand(g, 2, 8, 3).requires_grad_()
        y = layer(3)(x.transpose(1, 2)).transpose(1, 2)
        dy = rand(g, *y.shape)
        (dx,) = gradients(y, dy, (x,))
        cases[layer.__name__] = {"n": 2, "l": 8, "c": 3, "window": 3, "average": average, "x": x, "dy": dy, "y": y, "dx": dx}
    return cases


OPS = [gemm, activation, linear, gate, softmax_cross_entropy, regression_loss, discriminative_loss, collinearity_loss, optimizer_adam,
       optimizer_sgd, schedule, batch_norm, metrics_confusion, conv1d, pool1d]


def plain(value):
    """A list of numbers."""
    if isinstance(value, torch.Tensor):
        return value.detach().reshape(-1).tolist()
    return [value]


def main(wanted):
    for op in OPS:
        if wanted and op.__name__ not in wanted:
            continue
        cases = {name: {key: plain(value) for key, value in case.items()} for name, case in op().items()}
        with open(os.path.join(HERE, op.__name__ + ".json"), "w", encoding="utf-8") as file:
            json.dump(cases, file, separators=(",", ":"))
            file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
