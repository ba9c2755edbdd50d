# SPDX-License-Identifier: Apache-2.0
"""A2: eager PyTorch tuned: the fused optimizer, gradients set to none, TF32 or autocast where the class of precision allows."""
from protocol import main
from torch_opponent import TorchOpponent


class Tuned(TorchOpponent):
    name = "A2 tuned"
    flags = {"fused": True}


if __name__ == "__main__":
    main(Tuned)
