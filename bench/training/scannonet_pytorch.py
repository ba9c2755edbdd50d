#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scAnnoNet in PyTorch, written from the published description: the opponent for speed and for accuracy.

    scannonet_pytorch.py time [--threads 1 2] [--genes 2000] [--batch 256] [--classes 11] [--steps 50] [--rounds 10]
        Milliseconds of a training step of each phase (gather, forward, losses, backward, Adam, schedule): median, 10th and
        90th percentile over rounds of steps; thread counts take turns within every round.
        --serve THREADS: one round for every line read from stdin, answered by one line of JSON, so that another program's
        rounds can be interleaved with these. --data FILE: on the data that bench_training_step scannonet --export wrote.
    scannonet_pytorch.py check --data FILE
        Trains from the exported weights on the exported batch, dropout off, in both precisions, and says how far losses and
        weights are from those in the file: a timing counts only where the work is the same.
    scannonet_pytorch.py folds --x X.npy --y y.npy --folds folds.npy [--seeds 3] [--epochs 100] [--lr 1e-3] ...
        Cross-validation: x [cells, genes] float32, z-scored (with {} in the name: a file for each fold, fitted on its training
        cells), y [cells] integers, folds [cells] integers: the fold that tests the cell. One line of JSON for each seed (all
        cells' held-out predictions together) and one for their mean and spread.

Speed hangs on the BLAS that PyTorch loads: every line of `time` names it. With Debian's PyTorch take OpenBLAS
(apt-get install libopenblas0-openmp), which is several times as fast as the reference BLAS.
Threads wait passively (OMP_WAIT_POLICY), which is what suits a machine with other work; --active undoes it.
"""
import argparse
import json
import os
import sys
import time

if "--active" not in sys.argv:
    os.environ["OMP_WAIT_POLICY"] = "passive"  # read when torch is imported

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """Gate G -> 20 -> G, then 128, 64 and the classes; forward gives gate, embedding, logits."""

    def __init__(self, genes, classes, dropout=0.5):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(genes, 20), nn.Linear(20, genes)
        self.first, self.second, self.output = nn.Linear(genes, 128), nn.Linear(128, 64), nn.Linear(64, classes)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.squeeze, self.excite, self.first, self.second, self.output):
            bound = layer.in_features ** -0.5
            nn.init.normal_(layer.weight, 0.0, (2 / layer.in_features) ** 0.5)
            nn.init.uniform_(layer.bias, -bound, bound)

    def gate_parameters(self):
        return [*self.squeeze.parameters(), *self.excite.parameters()]

    def gate(self, x):
        return torch.sigmoid(self.excite(self.dropout(torch.tanh(self.squeeze(x)))))

    def forward(self, x):
        gate = self.gate(x)
        hidden = self.dropout(torch.relu(self.first(x * gate)))
        embedding = self.dropout(torch.relu(self.second(hidden)))
        return gate, embedding, self.output(embedding)


def collinearity(z):
    """Off-diagonal sum of Z^T Z over B^2 - H, the denominator kept from B^2 / 2 up."""
    gram, batch = z.T @ z, len(z)
    return (gram.sum() - torch.trace(gram)).abs() / max(batch ** 2 - z.shape[1], batch ** 2 / 2)


def discriminant_index(x, labels, beta=1.0):
    """S_b / (d + 2 beta S_w) of each gene, d = S_w or 1e5 where that vanishes, then min-max."""
    mean = x.mean(axis=0)
    between, within = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for c in np.unique(labels):
        members = x[labels == c]
        between += len(members) * (members.mean(axis=0) - mean) ** 2
        within += ((members - members.mean(axis=0)) ** 2).sum(axis=0)
    score = between / (np.where(within < 1e-12, 1e5, within) + 2 * beta * within)
    spread = score.max() - score.min()
    return ((score - score.min()) / spread if spread > 0 else 0 * score).astype(np.float32)


TYPES = {"F64": np.float64, "F32": np.float32, "I32": np.int32, "I64": np.int64}


def read_safetensors(path):
    """All tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__"}


class Phase:
    """One training phase: `step` does everything for one batch of rows."""

    def __init__(self, network, data, gate_only, lr, options):
        self.network, self.gate_only, self.options = network, gate_only, options
        self.x, self.labels, self.index = data
        parameters = network.gate_parameters() if gate_only else list(network.parameters())
        self.optimizer = torch.optim.Adam(parameters, lr=lr, foreach=options.adam == "foreach")
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=20, gamma=0.99)

    def losses(self, rows):
        """The losses of a batch, before weighting."""
        x = self.x.index_select(0, rows)
        if self.gate_only:
            return [((self.network.gate(x) - self.index) ** 2).mean()]
        gate, embedding, logits = self.network(x)
        return [functional.cross_entropy(logits, self.labels.index_select(0, rows)), ((gate - self.index) ** 2).mean(),
                collinearity(embedding) / len(rows)]

    def step(self, rows):
        losses = self.losses(rows)
        loss = losses[0]
        if not self.gate_only:
            loss = loss + self.options.w1 * losses[1] + self.options.w2 * losses[2]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return losses


def expression_like(cells, genes, classes, seed=0):
    """z-scored values with class structure: many equal low values and a long tail, as log-normalised counts have."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, cells)
    rates = rng.gamma(0.5, 0.6, genes) * rng.gamma(2.0, 0.5, (classes, genes))
    x = np.log1p(rng.poisson(rates[labels]))
    x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(labels)


class Stopwatch:
    """Milliseconds a step over one round of steps, for phase 1 and phase 2."""

    def __init__(self, options):
        torch.manual_seed(0)
        if options.data:
            given = read_safetensors(options.data)
            data = tuple(torch.tensor(given[name]) for name in ("x", "labels", "index"))
            data = (data[0], data[1].long(), data[2])
        else:
            data = (*expression_like(4096, options.genes, options.classes), torch.rand(options.genes))
        x = data[0]
        network = Network(x.shape[1], int(data[1].max()) + 1)
        self.phases = [Phase(network, data, True, 0.1, options), Phase(network, data, False, 1e-3, options)]
        self.batches = torch.randint(len(x), (options.steps, options.batch))
        self.round(options.threads[0])

    def round(self, threads):
        torch.set_num_threads(threads)
        milliseconds = []
        for phase in self.phases:
            begin = time.perf_counter()
            for rows in self.batches:
                phase.step(rows)
            milliseconds.append(1e3 * (time.perf_counter() - begin) / len(self.batches))
        return milliseconds


def blas_libraries():
    """Which BLAS this process has loaded; "libblas.so.3.x" alone is the slow reference one (Debian's default)."""
    with open("/proc/self/maps") as maps:
        files = {os.path.basename(line.split()[-1]) for line in maps if "/" in line}
    return sorted(name for name in files if "blas" in name or "mkl" in name)


def describe(options):
    return {"torch": torch.__version__, "blas": blas_libraries(), "genes": options.genes, "batch": options.batch,
            "classes": options.classes, "adam": options.adam, "wait": os.environ.get("OMP_WAIT_POLICY", "active")}


def run_time(options):
    stopwatch = Stopwatch(options)
    if options.serve:
        for _ in sys.stdin:
            pretraining, training = stopwatch.round(options.serve)
            print(json.dumps({"threads": options.serve, "ms": {"pretrain": pretraining, "train": training}}), flush=True)
        return
    times = {threads: [] for threads in options.threads}
    for _ in range(options.rounds):
        for threads in options.threads:
            times[threads].append(stopwatch.round(threads))
    for threads, rounds in times.items():
        low, median, high = np.percentile(np.array(rounds), [10, 50, 90], axis=0).tolist()
        phases = {f"phase{k + 1}_ms": {"median": round(median[k], 4), "p10": round(low[k], 4), "p90": round(high[k], 4)}
                  for k in range(2)}
        print(json.dumps({"threads": threads, **phases, **describe(options)}))


LAYERS = {"gate.0": "squeeze", "gate.1": "excite", "hidden.0": "first", "hidden.1": "second", "output": "output"}


def follow(given, prefix, options):
    """Trains as the file says; the relative difference of the first losses, of all losses and of the last weights."""
    dtype = torch.float64 if prefix == "f64." else torch.float32
    x = torch.tensor(given["batch"]).to(dtype)
    rows = torch.arange(len(x))
    data = (x, torch.tensor(given["labels"][:len(x)]).long(), torch.tensor(given["index"]).to(dtype))
    network = Network(x.shape[1], given[prefix + "before.output.weight"].shape[1], dropout=0.0).to(dtype)
    first, all_losses = [], []
    with torch.no_grad():
        for ours, theirs in LAYERS.items():
            for part in ("weight", "bias"):
                getattr(getattr(network, theirs), part).copy_(torch.tensor(given[f"{prefix}before.{ours}.{part}"][0]))
    for gate_only, lr, name in ((True, 0.1, "pretrain"), (False, 1e-3, "train")):
        expected = given[f"{prefix}losses.{name}"]
        phase = Phase(network, data, gate_only, lr, options)
        found = np.array([[float(loss) for loss in phase.step(rows)] for _ in range(len(expected))])
        difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1e-3)
        first.append(difference[0].max())
        all_losses.append(difference.max())
    weights = []
    for ours, theirs in LAYERS.items():
        for part in ("weight", "bias"):
            expected = given[f"{prefix}after.{ours}.{part}"][0]
            found = getattr(getattr(network, theirs), part).detach().numpy()
            weights.append(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    # The second phase begins from weights that the first one moved, so its first losses are judged with the others.
    return {"first_loss": float(first[0]), "all_losses": float(max(all_losses)), "weights": float(max(weights))}


def run_check(options):
    given = read_safetensors(options.data)
    torch.set_num_threads(options.threads[-1])
    steps = len(given["f64.losses.train"])
    print(json.dumps({"steps_of_each_phase": steps, "fp64": follow(given, "f64.", options),
                      "fp32": follow(given, "f32.", options)}))


def epoch_rows(labels, oversample):
    """The cells of one epoch: each once, or drawn with weight 1 / n_c (1 / sqrt(n_c) beyond a ratio of 100)."""
    if not oversample:
        return torch.randperm(len(labels))
    sizes = torch.bincount(labels).double()
    present = sizes[sizes > 0]
    weight = sizes.clamp(min=1) ** (-0.5 if present.max() > 100 * present.min() else -1.0)
    return torch.multinomial(weight[labels], len(labels), replacement=True)


def train_fold(x, labels, classes, options):
    """A network trained on x, labels; returns it in inference mode."""
    index = torch.from_numpy(discriminant_index(x, labels))
    data = (torch.from_numpy(x), torch.from_numpy(labels), index)
    network = Network(x.shape[1], classes, options.dropout)
    for gate_only, epochs, lr in ((True, options.gate_epochs, 0.1), (False, options.epochs, options.lr)):
        phase = Phase(network, data, gate_only, lr, options)
        for epoch in range(epochs):
            # As published, dropout acts in pre-training and the first epoch after it, and then no more.
            network.train(gate_only or epoch == 0 or options.dropout_use == "always")
            for rows in epoch_rows(data[1], options.oversample).split(options.batch):
                phase.step(rows)
    return network.eval()


def macro_f1(truth, predicted):
    """Mean over the classes that occur in either, 0 / 0 counting as 0."""
    scores = []
    for c in np.union1d(truth, predicted):
        hits = ((truth == c) & (predicted == c)).sum()
        scores.append(2 * hits / ((truth == c).sum() + (predicted == c).sum()))
    return float(np.mean(scores))


def run_folds(options):
    labels, folds = np.load(options.y).astype(np.int64), np.load(options.folds)
    torch.set_num_threads(options.threads[-1])
    results = []
    for seed in range(options.seeds):
        torch.manual_seed(seed)
        predicted = np.zeros_like(labels)
        begin = time.perf_counter()
        for fold in np.unique(folds):
            x = np.load(options.x.format(fold)).astype(np.float32)
            train = folds != fold
            network = train_fold(x[train], labels[train], int(labels.max()) + 1, options)
            with torch.no_grad():
                predicted[~train] = network(torch.from_numpy(x[~train]))[2].argmax(dim=1).numpy()
        results.append([float((predicted == labels).mean()), macro_f1(labels, predicted)])
        print(json.dumps({"seed": seed, "accuracy": results[-1][0], "macro_f1": results[-1][1],
                          "seconds": round(time.perf_counter() - begin, 2)}), flush=True)
    mean, spread = np.mean(results, axis=0), np.std(results, axis=0, ddof=1) if options.seeds > 1 else [None, None]
    print(json.dumps({"seeds": options.seeds, "accuracy": mean[0], "macro_f1": mean[1], "accuracy_sd": spread[0],
                      "macro_f1_sd": spread[1]}))


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["time", "folds", "check"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--active", action="store_true", help="let waiting threads spin")
    parser.add_argument("--adam", choices=["foreach", "single"], default="foreach")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--w1", type=float, default=1000.0)
    parser.add_argument("--w2", type=float, default=1.0)
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=11)
    parser.add_argument("--steps", type=int, default=50, help="steps of each phase in a round")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--serve", type=int, metavar="THREADS")
    parser.add_argument("--data", metavar="FILE", help="from bench_training_step scannonet --export")
    parser.add_argument("--x")
    parser.add_argument("--y")
    parser.add_argument("--folds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--gate-epochs", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--dropout-use", choices=["always", "as-published"], default="always")
    parser.add_argument("--oversample", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args(arguments)
    if options.mode == "folds" and not (options.x and options.y and options.folds):
        parser.error("folds needs --x, --y and --folds")
    if options.mode == "check" and not options.data:
        parser.error("check needs --data")
    return options


if __name__ == "__main__":
    chosen = parse(sys.argv[1:])
    {"time": run_time, "folds": run_folds, "check": run_check}[chosen.mode](chosen)
