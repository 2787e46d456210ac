"""Write a model in the ONNX format: a graph of named operators, and where its numbers lie.

An ONNX file is a message of Protocol Buffers: fields, each a number, a kind and a value. The few
fields that a plain graph needs are written here, so that nobody has to install a library for them.

    graph = Graph("read")
    ids = graph.input("ids", "int64", ["S"])
    table = graph.stored("table", "float16", (V, C), "en.safetensors", offset, size)
    graph.output(graph.add("Gather", table, ids), "vectors", "float16", ["S", "C"])
    graph.to_bytes()

Source: onnx.proto of the ONNX project, opset 18.
"""

import struct
from collections.abc import Sequence

import numpy as np

TYPES = {"float32": 1, "int64": 7, "bool": 9, "float16": 10, "float64": 11}
OPSET, IR_VERSION = 18, 8
EXTERNAL = 1
Attribute = int | float | str | Sequence[int]


class Graph:
    """A graph that grows by one operator at a time; names stand for the values that flow."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[bytes] = []
        self.tensors: dict[str, bytes] = {}
        self.inputs: list[bytes] = []
        self.outputs: list[bytes] = []
        self.counts: dict[str, int] = {}

    def input(self, name: str, kind: str, axes: Sequence[int | str]) -> str:
        """A value that comes from outside; an axis is a size or a name."""
        self.inputs.append(_value(name, kind, axes))
        return name

    def output(self, value: str, name: str, kind: str, axes: Sequence[int | str]) -> None:
        """Let a value leave under a name."""
        self.nodes.append(_node("Identity", [value], name, {}))
        self.outputs.append(_value(name, kind, axes))

    def add(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """One operator; returns the name of what it makes."""
        count = self.counts[operator] = self.counts.get(operator, 0) + 1
        made = f"{operator}_{count}"
        self.nodes.append(_node(operator, inputs, made, attributes))
        return made

    def constant(self, value: object, kind: str = "float32") -> str:
        """A small array that stands in the file itself."""
        array = np.asarray(value, dtype=kind)
        name = f"constant_{kind}_{array.tolist()}" if array.size < 9 else f"constant_{array.size}"
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.tensors[name] = _tensor(name, kind, array.shape) + _bytes(9, raw)
        return name

    def stored(
        self, name: str, kind: str, shape: Sequence[int], file: str, offset: int, size: int
    ) -> str:
        """An array that lies in another file, `size` bytes from `offset` on."""
        places = {"location": file, "offset": str(offset), "length": str(size)}
        entries = (_text(1, key) + _text(2, value) for key, value in places.items())
        where = b"".join(_bytes(13, entry) for entry in entries) + _number(14, EXTERNAL)
        self.tensors[name] = _tensor(name, kind, shape) + where
        return name

    def to_bytes(self) -> bytes:
        """The file."""
        graph = b"".join(_bytes(1, node) for node in self.nodes) + _text(2, self.name)
        graph += b"".join(_bytes(5, tensor) for tensor in self.tensors.values())
        graph += b"".join(_bytes(11, value) for value in self.inputs)
        graph += b"".join(_bytes(12, value) for value in self.outputs)
        opset = _text(1, "") + _number(2, OPSET)
        return _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, opset)


def _node(
    operator: str, inputs: Sequence[str], output: str, attributes: dict[str, Attribute]
) -> bytes:
    message = b"".join(_text(1, name) for name in inputs) + _text(2, output)
    message += _text(3, output) + _text(4, operator)
    return message + b"".join(_bytes(5, _attribute(*item)) for item in attributes.items())


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, 3)
    return _text(1, name) + b"".join(_number(8, number) for number in value) + _number(20, 7)


def _tensor(name: str, kind: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(_number(1, size) for size in shape)
    return sizes + _number(2, TYPES[kind]) + _text(8, name)


def _value(name: str, kind: str, axes: Sequence[int | str]) -> bytes:
    dims = (_text(2, a) if isinstance(a, str) else _number(1, a) for a in axes)
    shape = b"".join(_bytes(1, dim) for dim in dims)
    tensor = _number(1, TYPES[kind]) + _bytes(2, shape)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth bit set."""
    number &= (1 << 64) - 1  # negative numbers as two's complement
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode("utf-8"))
