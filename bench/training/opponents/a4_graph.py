# SPDX-License-Identifier: Apache-2.0
"""A4: the whole step captured by hand in one CUDA graph, with the fused, capturable optimizer; a step is a copy of the row
numbers and a replay."""
from protocol import main
from torch_opponent import TorchOpponent

import torch

WARM = 3  # steps on a side stream before capture, as PyTorch's notes on CUDA graphs ask


class Graphed(TorchOpponent):
    name = "A4 CUDA graph"
    flags = {"fused": True, "capturable": True}
    needs_cuda = True
    graph_safe = True

    def __init__(self, case, options, dropout):
        super().__init__(case, options, dropout)
        self.graphs, self.static = {}, torch.zeros(case.rows, dtype=torch.long, device=self.device)


    def capture(self, phase):
        kept = [value.clone() for value in self.network.state_dict().values()]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM):
                self.step(phase, self.static)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self.optimizer(phase).zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.step(phase, self.static)
        # The warm-up trained: weights go back, moments and step counts begin at zero.
        with torch.no_grad():
            for value, before in zip(self.network.state_dict().values(), kept):
                value.copy_(before)
            for entry in self.optimizer(phase).state.values():
                for value in entry.values():
                    if torch.is_tensor(value):
                        value.zero_()
        self.graphs[phase.name] = graph

    def run(self, phase, batches):
        self.optimizer(phase)
        if phase.name not in self.graphs:
            self.capture(phase)
        graph = self.graphs[phase.name]
        for rows in self.rows(batches):
            self.static.copy_(rows)
            graph.replay()
            self.count(phase)
        self.finish()


if __name__ == "__main__":
    main(Graphed)
