# SPDX-License-Identifier: Apache-2.0
"""A0: the shape of the authors' loops: a DataLoader over tensors in host memory, a copy of every batch to the device, the
default optimizer, and the loss and the hits of every step read back with .item()."""
from protocol import main
from torch_opponent import TorchOpponent

import torch
from torch.utils.data import DataLoader, TensorDataset


class Loop(TorchOpponent):
    name = "A0 authors' loop"

    def put(self, x, truth):
        super().put(x, truth)
        self.data = TensorDataset(self.x.cpu(), self.truth.cpu())
        self.x = self.truth = None

    def run(self, phase, batches):
        optimizer, running = self.optimizer(phase), 0.0
        for x, truth in DataLoader(self.data, batch_sampler=batches.tolist()):
            x, truth = x.to(self.device), truth.to(self.device)
            optimizer.zero_grad()
            loss = self.loss_on(phase, x, truth)[0]
            loss.backward()
            optimizer.step()
            self.count(phase)
            running += loss.item()
        self.finish()

    def loss_on(self, phase, x, truth):
        from networks_torch import loss_of
        with self.precision():
            return loss_of(self.network, phase.name, x, truth, self.index)

    def loss(self, phase, rows):
        x, truth = self.data.tensors
        rows = rows.cpu()
        return self.loss_on(phase, x.index_select(0, rows).to(self.device), truth.index_select(0, rows).to(self.device))


if __name__ == "__main__":
    main(Loop)
