# SPDX-License-Identifier: Apache-2.0
"""A1: eager PyTorch as it comes, the data on the device, nothing read back."""
from protocol import main
from torch_opponent import TorchOpponent


class Eager(TorchOpponent):
    name = "A1 eager"


if __name__ == "__main__":
    main(Eager)
