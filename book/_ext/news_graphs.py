"""The news reader as two ONNX graphs, with the weights left where they are.

read    an article's ids (S,) → weights of its sentences and rubric, as logits, and its memory
step    the last unit of each beam, and what went before → log-probabilities of the next unit,
        the share of copying, where the pointer looks, and what is now behind

The weights are not in the graphs: each graph names the safetensors file of `companion.news` and
the place in it. So the model has one home, and a graph is a few kilobytes to look at (in Netron,
for one). The weights rest as float16 and are computed with as float32, as in Python.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from onnx_file import Graph

from companion.config import TransformerConfig

STORED = {"F16": "float16", "F32": "float32"}


class Weights:
    """The arrays of a safetensors file as values of a graph, each brought in once."""

    def __init__(self, graph: Graph, path: Path) -> None:
        raw = path.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        self.header: dict[str, Any] = json.loads(raw[8 : 8 + length])
        self.graph, self.file, self.begin = graph, path.name, 8 + length
        self.known: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self.known:
            entry = self.header[name]
            start, end = entry["data_offsets"]
            kind, place = STORED[entry["dtype"]], self.begin + start
            value = self.graph.stored(name, kind, entry["shape"], self.file, place, end - start)
            self.known[name] = self.graph.add("Cast", value, to=1)
        return self.known[name]


class Parts:
    """The layers of both graphs: each method adds one, and is the function of the same idea."""

    def __init__(self, graph: Graph, path: Path, config: TransformerConfig) -> None:
        self.graph, self.add, self.weights = graph, graph.add, Weights(graph, path)
        self.C, self.H, self.D = config.width, config.heads, config.head_width
        self.eps, self.layers = config.norm_eps, range(config.layers)

    def constant(self, value: object) -> str:
        return self.graph.constant(value)

    def sizes(self, *sizes: int) -> str:
        return self.graph.constant(sizes, "int64")

    def project(self, inputs: str, name: str) -> str:
        """`linear` for inputs (T, C)."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return self.add("Gemm", inputs, weight, bias, transB=1)

    def norm(self, inputs: str, name: str) -> str:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return self.add("LayerNormalization", inputs, weight, bias, axis=-1, epsilon=self.eps)

    def embed(self, ids: str, positions: str) -> str:
        """ids (T,), positions (T, 1) as float64 → vectors (T, C)."""
        rates = 10_000.0 ** (-np.arange(0, self.C, 2) / self.C)
        angles = self.add("Mul", positions, self.graph.constant(rates, "float64"))
        last = self.sizes(-1)
        hands = [self.add("Unsqueeze", self.add(f, angles), last) for f in ("Sin", "Cos")]
        place = self.add("Reshape", self.add("Concat", *hands, axis=-1), self.sizes(-1, self.C))
        words = self.add("Gather", self.weights["token_embedding.weight"], ids, axis=0)
        scaled = self.add("Mul", words, self.constant(self.C**0.5))
        return self.add("Add", scaled, self.add("Cast", place, to=1))

    def heads(self, inputs: str, name: str) -> str:
        """(T, C) → (H, T, D)."""
        split = self.add("Reshape", self.project(inputs, name), self.sizes(-1, self.H, self.D))
        return self.add("Transpose", split, perm=[1, 0, 2])

    def mix(self, query: str, key: str, value: str, turned: list[int]) -> str:
        """Scaled dot-product attention; `turned`, the axes of key with its last two exchanged."""
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=turned))
        scaled = self.add("Mul", scores, self.constant(self.D**-0.5))
        return self.add("MatMul", self.add("Softmax", scaled, axis=-1), value)

    def look(self, inputs: str, key: str, value: str, name: str) -> str:
        """Every head of inputs (T, C) looks at key and value (H, S, D)."""
        mixed = self.mix(self.heads(inputs, f"{name}.query_proj"), key, value, [0, 2, 1])
        merged = self.add("Transpose", mixed, perm=[1, 0, 2])
        return self.project(self.flat(merged), f"{name}.output_proj")

    def flat(self, inputs: str) -> str:
        return self.add("Reshape", inputs, self.sizes(-1, self.C))

    def think(self, inputs: str, block: str) -> str:
        """The feed-forward layer in its residual connection."""
        read = self.norm(inputs, f"{block}.feed_forward_norm")
        wide = self.add("Relu", self.project(read, f"{block}.feed_forward.up_proj"))
        return self.add("Add", inputs, self.project(wide, f"{block}.feed_forward.down_proj"))


def _fits(config: TransformerConfig) -> None:
    """The graphs know one kind of model, the shipped kind."""
    wanted = {
        "positions": "sinusoidal", "norm": "layer", "feed_forward": "relu", "norm_first": True,
        "biases": True, "tied": True, "scaled_embedding": True, "segments": 0,
        "embedding_norm": False, "key_heads": None,
    }  # fmt: skip
    other = [name for name, value in wanted.items() if getattr(config, name) != value]
    if other:
        raise ValueError(f"config: expected {wanted}, got other values of {', '.join(other)}")


def read_graph(path: Path, config: TransformerConfig) -> bytes:
    """`companion.news.read.judge` before its sigmoids, and what the decoder will look at."""
    _fits(config)
    graph = Graph("read")
    parts, add = Parts(graph, path, config), graph.add
    ids = graph.input("ids", "int64", ["S"])
    inside = graph.input("inside", "float32", ["N", "S"])  # 1 where a unit is in the sentence
    count = add("Squeeze", add("Shape", ids), parts.sizes(0))
    zero, one = graph.constant(0, "int64"), graph.constant(1, "int64")
    places = add("Cast", add("Range", zero, count, one), to=11)
    states = parts.embed(ids, add("Unsqueeze", places, parts.sizes(1)))
    for block in (f"encoder.{i}" for i in parts.layers):
        name = f"{block}.self_attention"
        read = parts.norm(states, f"{name}_norm")
        key, value = (parts.heads(read, f"{name}.{kind}_proj") for kind in ("key", "value"))
        states = add("Add", states, parts.look(read, key, value, name))
        states = parts.think(states, block)
    memory = parts.norm(states, "encoder_norm")

    means = add("Div", inside, add("ReduceSum", inside, parts.sizes(1), keepdims=1))
    of_states = parts.project(add("MatMul", means, memory), "sentence_proj")
    words = add("Gather", parts.weights["sentence_words.weight"], ids, axis=0)
    logits = add("Add", of_states, add("MatMul", inside, words))
    graph.output(logits, "sentences", "float32", ["N", 1])
    mean = add("ReduceMean", memory, parts.sizes(0), keepdims=1)
    graph.output(parts.project(mean, "rubric_proj"), "rubric", "float32", [1, 4])

    graph.output(memory, "memory", "float32", ["S", parts.C])
    graph.output(parts.project(memory, "copy_key"), "copy_key", "float32", ["S", parts.C])
    for i in parts.layers:
        for kind in ("key", "value"):
            heads = parts.heads(memory, f"decoder.{i}.cross_attention.{kind}_proj")
            graph.output(heads, f"memory_{kind}_{i}", "float32", [parts.H, "S", parts.D])
    return graph.to_bytes()


def step_graph(path: Path, config: TransformerConfig) -> bytes:
    """`companion.with_numpy.pointer_generator_step` for one more unit of each of B texts."""
    _fits(config)
    graph = Graph("step")
    parts, add = Parts(graph, path, config), graph.add
    C, H, D = parts.C, parts.H, parts.D
    ids = graph.input("ids", "int64", ["B"])
    rows = graph.input("rows", "int64", ["B"])  # which text of the last step each has grown from
    source = graph.input("source", "int64", ["S"])
    memory = graph.input("memory", "float32", ["S", C])
    copy_key = graph.input("copy_key", "float32", ["S", C])
    past = {}
    for i in parts.layers:
        for kind in ("key", "value"):
            graph.input(f"memory_{kind}_{i}", "float32", [H, "S", D])
            past[kind, i] = graph.input(f"past_{kind}_{i}", "float32", ["R", H, "P", D])

    length = add("Shape", past["key", 0], start=2, end=3)
    states = parts.embed(ids, add("Unsqueeze", add("Cast", length, to=11), parts.sizes(1)))
    follows = add("MatMul", _follow(parts, ids, source), _from_second(parts, memory))
    states = add("Add", states, parts.project(follows, "copy_read"))
    for i in parts.layers:
        block = f"decoder.{i}"
        name = f"{block}.self_attention"
        read = parts.norm(states, f"{name}_norm")
        behind = {}
        for kind in ("query", "key", "value"):
            made = parts.project(read, f"{name}.{kind}_proj")
            behind[kind] = add("Reshape", made, parts.sizes(-1, H, 1, D))
        for kind in ("key", "value"):
            kept = add("Gather", past[kind, i], rows, axis=0)
            behind[kind] = add("Concat", kept, behind[kind], axis=2)
            graph.output(behind[kind], f"next_{kind}_{i}", "float32", ["B", H, "P+1", D])
        mixed = parts.mix(behind["query"], behind["key"], behind["value"], [0, 1, 3, 2])
        mixed = parts.project(parts.flat(mixed), f"{name}.output_proj")
        states = add("Add", states, mixed)
        name = f"{block}.cross_attention"
        read = parts.norm(states, f"{name}_norm")
        looked = parts.look(read, f"memory_key_{i}", f"memory_value_{i}", name)
        states = parts.think(add("Add", states, looked), block)
    states = parts.norm(states, "decoder_norm")
    _write_or_copy(parts, states, source, copy_key)
    return graph.to_bytes()


def _follow(parts: Parts, ids: str, source: str) -> str:
    """Where the last unit (B,) stands in the source but for its end: shares (B, S-1)."""
    add = parts.add
    column = add("Unsqueeze", ids, parts.sizes(1))
    here = add("Equal", column, add("Slice", source, parts.sizes(0), parts.sizes(-1)))
    here = add("Cast", here, to=1)
    count = add("ReduceSum", here, parts.sizes(1), keepdims=1)
    return add("Div", here, add("Max", count, parts.constant(1.0)))


def _from_second(parts: Parts, memory: str) -> str:
    last = parts.graph.constant([np.iinfo(np.int64).max], "int64")
    return parts.add("Slice", memory, parts.sizes(1), last, parts.sizes(0))


def _write_or_copy(parts: Parts, states: str, source: str, copy_key: str) -> None:
    """`copy_mixture`: the three outputs of a step."""
    graph, add = parts.graph, parts.add
    logits = add("Gemm", states, parts.weights["token_embedding.weight"], transB=1)
    gate = parts.project(states, "copy_gate")
    write, copy = add("Sigmoid", gate), add("Sigmoid", add("Neg", gate))
    scores = add("Gemm", parts.project(states, "copy_query"), copy_key, transB=1)
    scaled = add("Mul", scores, parts.constant(parts.C**-0.5))
    pointer = add("Softmax", scaled, axis=-1)
    copied = add("Mul", pointer, copy)
    where = add("Expand", source, add("Shape", copied))
    words = add("Mul", add("Softmax", logits, axis=-1), write)
    mixed = add("ScatterElements", words, where, copied, axis=1, reduction="add")
    least = parts.constant(float(np.finfo(np.float32).tiny))
    graph.output(add("Log", add("Max", mixed, least)), "log_probs", "float32", ["B", "V"])
    graph.output(copy, "copied", "float32", ["B", 1])
    graph.output(pointer, "pointer", "float32", ["B", "S"])
