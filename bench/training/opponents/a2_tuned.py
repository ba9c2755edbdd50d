# SPDX-License-Identifier: Apache-2.0
"""A2: eager PyTorch tuned: the fused optimizer, gradients set to none, TF32 or autocast where the class of precision allows."""
from protocol import main
from torch_opponent import TorchOpponent


import torch


class Tuned(TorchOpponent):
    name = "A2 tuned"
    flags = {"fused": True}

    @classmethod
    def missing(cls, options):
        return super().missing(options) or cls.without_fused(options)

    @staticmethod
    def without_fused(options):
        """Why this PyTorch has no fused optimizers for the device, or None."""
        parameter = torch.nn.Parameter(torch.zeros(1, device=options.device))
        try:
            for kind in (torch.optim.SGD, torch.optim.Adam):
                kind([parameter], lr=0.1, fused=True)
        except (RuntimeError, TypeError) as error:
            return f"PyTorch {torch.__version__}: {error}"
        return None


if __name__ == "__main__":
    main(Tuned)
