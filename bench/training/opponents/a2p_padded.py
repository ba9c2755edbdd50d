# SPDX-License-Identifier: Apache-2.0
"""A2p: A2 with inputs padded by zeros to a multiple of 8 columns, so that nobody wins by alignment alone."""
import copy

from protocol import main
from a2_tuned import Tuned

import numpy as np


class Padded(Tuned):
    name = "A2p tuned, padded"
    align = 8

    @classmethod
    def missing(cls, options):
        if options.system == "scannonet":
            return "the gate is as wide as the inputs, and its loss would count the padding"
        return super().missing(options)

    def padded_case(self, case):
        padded = copy.copy(case)
        padded.before = dict(case.before)
        padded.before["hidden.0.weight"] = self.padded(case.before["hidden.0.weight"])
        return padded

    def notes(self):
        return f"{self.case.x.shape[1]} inputs as {self.x.shape[1]}"


if __name__ == "__main__":
    main(Padded)
