# SPDX-License-Identifier: Apache-2.0
"""What PyTorch's opponents share: data on the device, the class of precision, a step. A1, A2, A3 and A4 differ in `flags`
and in how `run` gives the steps to the device."""
import contextlib

import sys

from protocol import peak_of_process, say  # first: sets how threads wait

import numpy as np

try:
    import torch
except ImportError as error:
    say(left_out=str(error))
    sys.exit(0)

from case import DROPOUT
from networks_torch import loss_of, make_network, make_optimizer


class TorchOpponent:
    name = ""
    flags = {}        # of the optimizer
    needs_cuda = False
    align = 1         # inputs are padded to a multiple
    graph_safe = False  # whether learning rates are tensors

    @classmethod
    def missing(cls, options):
        if options.replicas != 1:
            return "one replica after the other costs what one costs"
        if cls.needs_cuda and not options.device.startswith("cuda"):
            return "needs a GPU"
        if options.device.startswith("cuda") and not torch.cuda.is_available():
            return f"this PyTorch ({torch.__version__}) finds no GPU"
        if options.precision == "tf32" and not options.device.startswith("cuda"):
            return "the CPU has no tf32"
        return None

    @classmethod
    def versions(cls):
        return {"torch": torch.__version__, "cuda": torch.version.cuda, "threads": torch.get_num_threads()}

    def __init__(self, case, options, dropout):
        torch.manual_seed(0)
        torch.set_num_threads(options.threads)
        tf32 = options.precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        self.case, self.options, self.device = case, options, torch.device(options.device)
        self.dtype = torch.float64 if options.precision == "fp64" else torch.float32
        self.network = make_network(self.padded_case(case), self.dtype, self.device,
                                    DROPOUT[case.system] if dropout is None else dropout)
        self.optimizers, self.steps = {}, {}
        self.put(case.x, case.truth)

    def put(self, x, truth):
        """Makes these rows what is trained on."""
        self.x = torch.tensor(self.padded(x)).to(self.device, self.dtype)
        self.truth = torch.tensor(truth).to(self.device)
        self.truth = self.truth.to(self.dtype) if self.truth.is_floating_point() else self.truth
        index = self.case.index
        self.index = None if index is None else torch.tensor(index).to(self.device, self.dtype)

    def padded(self, x):
        extra = -x.shape[1] % self.align
        return np.pad(x, ((0, 0), (0, extra))) if extra else x

    def padded_case(self, case):
        return case

    def fix_batch(self):
        """Trains on the rows of the check, which are numbered from 0."""
        self.put(self.case.batch, self.case.truth[:self.case.rows])

    def precision(self):
        if self.options.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def loss(self, phase, rows):
        with self.precision():
            return loss_of(self.network, phase.name, self.x.index_select(0, rows), self.truth.index_select(0, rows), self.index)

    def optimizer(self, phase):
        if phase.name not in self.optimizers:
            flags = dict(self.flags)
            if self.graph_safe:
                flags["tensor_rate"] = lambda rate: torch.tensor(rate, device=self.device)
            self.optimizers[phase.name] = make_optimizer(phase, self.network, **flags)
            self.steps[phase.name] = 0
        return self.optimizers[phase.name]

    def step(self, phase, rows):
        optimizer = self.optimizer(phase)
        optimizer.zero_grad(set_to_none=True)
        loss, _ = self.loss(phase, rows)
        loss.backward()
        optimizer.step()
        return loss

    def count(self, phase):
        """The schedule: the rate falls every 20 steps."""
        self.steps[phase.name] += 1
        if phase.decay != 1 and self.steps[phase.name] % 20 == 0:
            for group in self.optimizers[phase.name].param_groups:
                if torch.is_tensor(group["lr"]):
                    group["lr"].mul_(phase.decay)
                else:
                    group["lr"] *= phase.decay

    def rows(self, batches):
        return torch.tensor(batches).to(self.device)

    def run(self, phase, batches):
        for rows in self.rows(batches):
            self.step(phase, rows)
            self.count(phase)
        self.finish()

    def finish(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def gradient(self, phase):
        self.fix_batch()
        self.optimizer(phase).zero_grad(set_to_none=True)
        loss, parts = self.loss(phase, self.rows(np.arange(self.case.rows)))
        loss.backward()
        found = {name: p.grad for name, p in self.network.named_parameters() if phase.learns(name)}
        return self.cut({name: g.double().cpu().numpy() for name, g in found.items()}), [float(part.detach()) for part in parts]

    def cut(self, arrays):
        """Without padding."""
        return {name: values[tuple(slice(n) for n in self.case.before[name].shape)] for name, values in arrays.items()}

    def weights(self):
        state = self.network.state_dict()
        return self.cut({name: state[name].double().cpu().numpy() for name in self.case.before})

    def bytes(self):
        return torch.cuda.max_memory_reserved() if self.device.type == "cuda" else peak_of_process()

    def notes(self):
        return ""
