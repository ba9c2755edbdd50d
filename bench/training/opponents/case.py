# SPDX-License-Identifier: Apache-2.0
"""What every opponent is given: data, weights and order as bench_training_step exported them, and how each system is trained."""
import dataclasses
import json
import re

import numpy as np

TYPES = {"F64": np.float64, "F32": np.float32, "I32": np.int32, "I64": np.int64}
DROPOUT = {"dgex": 0.1, "fly": 0.2, "transbrain": 0.1, "scannonet": 0.5}
# Relative distance of the first step's gradient from f64, tensor by tensor; weights after 20 steps may be ten times as far.
TOLERANCE = {"fp64": 1e-9, "fp32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}


@dataclasses.dataclass
class Phase:
    """How a phase is trained. rates: (prefix of parameter names, or "", times the rate); the first that fits counts."""
    name: str
    optimizer: str  # sgd, adam (weight decay in the gradient), adamw
    rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    rates: tuple = (("", 1.0),)
    trainable: tuple = ("",)
    decay: float = 1.0  # of the rate, every 20 steps

    def learns(self, name):
        return any(name.startswith(prefix) for prefix in self.trainable) and ".running_" not in name

    def scale(self, name):
        return next(scale for prefix, scale in self.rates if name.startswith(prefix))


def phases_of(system, names, hidden):
    if system == "dgex":  # weights behind the first layer learn three times as fast
        fast = sorted(name for name in names if name.endswith("weight") and not name.startswith("hidden.0."))
        return [Phase("train", "sgd", 3e-4, momentum=0.5, rates=(*((name, 3.0) for name in fast), ("", 1.0)))]
    if system == "fly":
        return [Phase("train", "adam", 0.5 / hidden, weight_decay=1e-3)]
    if system == "transbrain":
        return [Phase("train", "adamw", 6e-5, weight_decay=1e-6)]
    return [Phase("pretrain", "adam", 0.1, trainable=("gate.",), decay=0.99), Phase("train", "adam", 1e-3, decay=0.99)]


def in_order(name):
    """TransBrain counts its layers from 1, hidden1.weight; here all systems count from 0, hidden.0.weight."""
    return re.sub(r"^hidden(\d+)\.", lambda found: f"hidden.{int(found[1]) - 1}.", name)


class Case:
    """An exported file. before, after: {name: array}; gradients: {phase: {name: array}}; losses: {phase: [steps, losses]}."""

    def __init__(self, system, path):
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            data = file.read()
        self.system, self.sizes = system, header.pop("__metadata__")
        given = {name: np.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"])
                 for name, t in header.items()}
        self.x, self.batch, self.order = given["x"], given["batch"], given["order"]
        self.truth = given["targets"] if "targets" in given else given["labels"].astype(np.int64)
        self.index = given.get("index")
        self.classes = int(self.sizes["outputs"])
        self.rows = int(self.sizes["batch"])

        def tree(prefix):
            return {in_order(name[len(prefix):]): values[0] for name, values in given.items() if name.startswith(prefix)}

        self.before, self.after = tree("f64.before.") or tree("f32.before."), tree("f64.after.")
        self.losses = {name[len("f64.losses."):]: values for name, values in given.items() if name.startswith("f64.losses.")}
        self.gradients = {phase: tree(f"f64.gradient.{phase}.") for phase in self.losses}
        hidden = self.before["output.weight"].shape[1]
        self.phases = phases_of(system, self.before, hidden)

    def shadowed(self, name):
        """A bias in front of batch norm: its gradient is rounding noise."""
        return name.endswith(".bias") and name[:-len("bias")] + "norm.weight" in self.before

    def batches(self):
        """Row numbers of full batches [n, batch], epoch after epoch in the exported orders."""
        full = self.order.shape[1] // self.rows
        return self.order[:, :full * self.rows].reshape(-1, self.rows)


def distance(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if not np.isfinite(found).all():
        return float("inf")
    difference = np.linalg.norm(found - expected)
    return float(difference / np.linalg.norm(expected)) if difference else 0.0
