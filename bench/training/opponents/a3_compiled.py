# SPDX-License-Identifier: Apache-2.0
"""A3: torch.compile in mode max-autotune, the optimizer inside the compiled step. On a GPU that mode replays CUDA graphs; the
results say whether it did."""
from protocol import main
from torch_opponent import TorchOpponent

import torch


class Compiled(TorchOpponent):
    name = "A3 compiled"
    graph_safe = True

    def __init__(self, case, options, dropout):
        super().__init__(case, options, dropout)
        self.compiled = {}
        if self.device.type == "cuda":
            self.flags = {"capturable": True}

    @classmethod
    def missing(cls, options):
        if not hasattr(torch, "compile"):
            return f"PyTorch {torch.__version__} has no torch.compile"
        return super().missing(options)

    def run(self, phase, batches):
        self.optimizer(phase)
        if phase.name not in self.compiled:
            def step(rows):
                return self.step(phase, rows)
            mode = "max-autotune" if self.device.type == "cuda" else "max-autotune-no-cudagraphs"
            self.compiled[phase.name] = torch.compile(step, mode=mode)
        for rows in self.rows(batches):
            self.compiled[phase.name](rows)
            self.count(phase)
        self.finish()

    def notes(self):
        from torch._dynamo.utils import counters
        skipped, breaks = dict(counters["inductor"]).get("cudagraph_skips", 0), sum(counters["graph_break"].values())
        graphs = "" if self.device.type != "cuda" else "CUDA graphs skipped: " + str(skipped) + "; "
        return f"{graphs}graph breaks: {breaks}"


if __name__ == "__main__":
    main(Compiled)
