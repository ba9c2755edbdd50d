# SPDX-License-Identifier: Apache-2.0
"""A6: torch.func's vmap over replicas: gradients of K stacked sets of weights in one call, updated by the fused optimizer."""
from protocol import main
from torch_opponent import TorchOpponent

import numpy as np
import torch

from networks_torch import loss_of

try:
    from torch.func import functional_call, grad_and_value, vmap
except ImportError:
    functional_call = None


class Replicas(TorchOpponent):
    name = "A6 torch.func vmap"
    flags = {"fused": True}

    @classmethod
    def missing(cls, options):
        if functional_call is None:
            return f"PyTorch {torch.__version__} has no torch.func"
        if options.replicas == 1:
            return "is for several replicas"
        if options.system == "fly":
            return "vmap cannot write batch norm's running statistics"
        alone = type(options)(**{**vars(options), "replicas": 1})
        return super().missing(alone)

    def __init__(self, case, options, dropout):
        super().__init__(case, options, dropout)
        self.count_of = options.replicas
        self.stacked = {name: torch.nn.Parameter(p.detach().expand(options.replicas, *p.shape).clone())
                        for name, p in self.network.named_parameters()}
        self.functions = {}

    def named_parameters(self):
        return self.stacked.items()

    def optimizer(self, phase):
        if phase.name not in self.optimizers:
            from networks_torch import make_optimizer
            self.optimizers[phase.name] = make_optimizer(phase, self, **self.flags)
            self.steps[phase.name] = 0
        return self.optimizers[phase.name]

    def function(self, phase):
        """(gradients of the learned, (loss, parts)) of every replica."""
        if phase.name not in self.functions:
            network, phase_name = self.network, phase.name

            class Call(torch.nn.Module):
                """loss_of as the forward pass of a module, so that functional_call can take the weights' place."""

                def __init__(self):
                    super().__init__()
                    self.inner = network

                def forward(self, x, truth, index):
                    return loss_of(self.inner, phase_name, x, truth, index)

            call = Call()

            def loss(learned, others, x, truth, index):
                total, parts = functional_call(call, {"inner." + name: w for name, w in {**learned, **others}.items()},
                                               (x, truth, index))
                return total, parts

            self.functions[phase.name] = vmap(grad_and_value(loss, has_aux=True), in_dims=(0, 0, 0, 0, None),
                                              randomness="different")
        return self.functions[phase.name]

    def gradients(self, phase, rows):
        learned = {name: w.detach() for name, w in self.stacked.items() if phase.learns(name)}
        others = {name: w.detach() for name, w in self.stacked.items() if name not in learned}
        with self.precision():
            return self.function(phase)(learned, others, self.x[rows], self.truth[rows], self.index)

    def run(self, phase, batches):
        optimizer = self.optimizer(phase)
        every = self.rows(np.stack([np.roll(batches, -k, axis=0) for k in range(self.count_of)], axis=1))
        for rows in every:
            g, _ = self.gradients(phase, rows)
            for name, value in g.items():
                self.stacked[name].grad = value
            optimizer.step()
            self.count(phase)
        self.finish()

    def gradient(self, phase):
        self.fix_batch()
        rows = self.rows(np.tile(np.arange(self.case.rows), (self.count_of, 1)))
        g, (_, parts) = self.gradients(phase, rows)
        return {name: v[-1].double().cpu().numpy() for name, v in g.items()}, [float(part[-1]) for part in parts]

    def weights(self):
        return {name: self.stacked[name][-1].detach().double().cpu().numpy() for name in self.case.before}


if __name__ == "__main__":
    main(Replicas)
