# SPDX-License-Identifier: Apache-2.0
"""What the tests of export share: files read by hand, and an ONNX file computed by every evaluator that is there."""
import json
import struct

import numpy

from onnx_reader import OnnxFile
from program import ProgramTest

TOLERANCE = 1e-5


def read_safetensors(path):
    """(metadata, tensors by name)"""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    kinds = {"F32": "<f4", "F64": "<f8", "U8": "u1"}
    metadata = header.pop("__metadata__")
    return metadata, {name: numpy.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], kinds[t["dtype"]]).reshape(t["shape"])
                      for name, t in header.items()}


def read_columns(path, chosen):
    """Numbers of a table of the program: the columns whose name `chosen` takes, rows in order."""
    with open(path, encoding="utf-8") as file:
        header, *lines = [line.rstrip("\n").split("\t") for line in file]
    columns = [i for i, name in enumerate(header) if chosen(name)]
    return numpy.array([[float(line[i]) for i in columns] for line in lines])


class ExportTest(ProgramTest):
    def assert_close(self, got, want, what):
        """Within TOLERANCE, of values beyond one relative to the largest of them."""
        self.assertEqual(got.shape, want.shape)
        self.assertLess(numpy.abs(got - want).max() / max(1, numpy.abs(want).max()), TOLERANCE, what)

    def check_onnx(self, path, inputs, want, result="probabilities"):
        """Computes the file by our own evaluator, the onnx package's and onnxruntime, where they are installed, and holds them
        against what the program predicts. `inputs` gives the values of genes, by their names. Returns the file and its
        outputs."""
        file = OnnxFile(path)
        x = inputs(json.loads(file.metadata["genes"]))

        mine = file.run(expression=x)

        self.assertEqual(file.inputs, [("expression", ["cells", x.shape[1]])])
        self.assert_close(mine[result], want, "NumPy")
        for name, evaluate in (("onnx.reference", self.by_onnx), ("onnxruntime", self.by_onnxruntime)):
            values = evaluate(path, [result, "embeddings"], x)
            if values:
                self.assert_close(values[0], want, name)
                self.assert_close(values[1], mine["embeddings"], name)
        return file, mine

    @staticmethod
    def by_onnx(path, outputs, x):
        try:
            import onnx
        except ImportError:
            print("python3-onnx is not installed: the file was not given to its checker")
            return None
        onnx.checker.check_model(onnx.load(path), full_check=True)
        try:
            from onnx.reference import ReferenceEvaluator
        except ImportError:  # came with 1.13
            return None
        return ReferenceEvaluator(path).run(outputs, {"expression": x})

    @staticmethod
    def by_onnxruntime(path, outputs, x):
        try:
            import onnxruntime
        except ImportError:
            return None
        return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(outputs, {"expression": x})
