# SPDX-License-Identifier: Apache-2.0
"""Reads an ONNX file and computes it with NumPy: an evaluator of just the operators that export writes, independent of the
program and of the onnx package. Fields are numbered as in onnx.proto."""
import struct

import numpy

FLOAT, INT64 = 1, 7


def fields(data):
    """Yields (number, value) of a protocol buffer message: int, or memoryview for what has a length."""
    view, at = memoryview(data), 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = view[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(view):
        tag = varint()
        wire = tag & 7
        if wire == 0:
            value = varint()
            yield tag >> 3, value - (1 << 64) if value >> 63 else value
        elif wire == 5:
            yield tag >> 3, struct.unpack("<f", view[at:at + 4])[0]
            at += 4
        else:
            assert wire == 2, f"wire type {wire} at byte {at}"
            size = varint()
            yield tag >> 3, view[at:at + size]
            at += size


def grouped(data):
    groups = {}
    for number, value in fields(data):
        groups.setdefault(number, []).append(value)
    return groups


def text(value):
    return bytes(value).decode("utf-8")


def tensor(data):
    g = grouped(data)
    kind = {FLOAT: "<f4", INT64: "<i8"}[g[2][0]]
    return text(g[8][0]), numpy.frombuffer(g[9][0], kind).reshape(g.get(1, []))


def attribute(data):
    g = grouped(data)
    kind = g[20][0]
    return text(g[1][0]), {1: lambda: g[2][0], 2: lambda: g[3][0], 7: lambda: g[8]}[kind]()


def value_info(data):
    g = grouped(data)
    shape = grouped(grouped(grouped(g[2][0])[1][0])[2][0]).get(1, [])
    return text(g[1][0]), [grouped(d)[1][0] if 1 in grouped(d) else text(grouped(d)[2][0]) for d in shape]


class OnnxFile:
    def __init__(self, path):
        with open(path, "rb") as file:
            model = grouped(file.read())
        graph = grouped(model[7][0])
        self.ir_version = model[1][0]
        self.operator_set = grouped(model[8][0])[2][0]
        self.metadata = {text(grouped(m)[1][0]): text(grouped(m)[2][0]) for m in model.get(14, [])}
        self.constants = dict(tensor(t) for t in graph.get(5, []))
        self.inputs, self.outputs = ([value_info(v) for v in graph[n]] for n in (11, 12))
        self.nodes = []
        for node in graph[1]:
            g = grouped(node)
            self.nodes.append((text(g[4][0]), [text(n) for n in g[1]], [text(n) for n in g[2]],
                               dict(attribute(a) for a in g.get(5, []))))

    def run(self, **inputs):
        """Values of the outputs by name."""
        values = {**self.constants, **inputs}
        with numpy.errstate(divide="ignore", invalid="ignore"):
            for op, names, outputs, attributes in self.nodes:
                values[outputs[0]] = OPERATORS[op](*(values[n] for n in names), **attributes)
        return {name: values[name] for name, _ in self.outputs}


def softmax(x, axis):
    e = numpy.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def windows(x, size, stride):
    """[cells, channels, windows, size] of [cells, channels, positions]."""
    return numpy.lib.stride_tricks.sliding_window_view(x, size, axis=2)[:, :, ::stride]


def conv(x, weight, bias, group, kernel_shape, pads, strides):
    x = numpy.pad(x, ((0, 0), (0, 0), tuple(pads)))
    parts = [numpy.einsum("ncmk,ock->nom", windows(part, kernel_shape[0], strides[0]), w)
             for part, w in zip(numpy.split(x, group, axis=1), numpy.split(weight, group))]
    return numpy.concatenate(parts, axis=1) + bias[:, None]


OPERATORS = {
    "Conv": conv, "Reshape": lambda x, shape: x.reshape(shape), "Transpose": lambda x, perm: x.transpose(perm),
    "MaxPool": lambda x, kernel_shape, strides: windows(x, kernel_shape[0], strides[0]).max(axis=-1),
    "AveragePool": lambda x, kernel_shape, strides: windows(x, kernel_shape[0], strides[0]).mean(axis=-1),
    "Add": numpy.add, "Sub": numpy.subtract, "Mul": numpy.multiply, "Div": numpy.divide, "MatMul": numpy.matmul,
    "Log": numpy.log, "Tanh": numpy.tanh, "Identity": lambda x: x, "Where": numpy.where, "Greater": numpy.greater,
    "Relu": lambda x: numpy.maximum(x, 0), "Sigmoid": lambda x: 1 / (1 + numpy.exp(-x)), "Clip": numpy.clip, "Softmax": softmax,
    "Gather": lambda x, index, axis: numpy.take(x, index, axis=axis),
    "Unsqueeze": lambda x, axes: numpy.expand_dims(x, tuple(axes)),
    "ReduceMean": lambda x, axes, keepdims: x.mean(axis=tuple(axes), keepdims=bool(keepdims)),
}
