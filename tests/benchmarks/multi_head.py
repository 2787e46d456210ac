"""Multi-head self-attention as a module, forward, and forward with all gradients; same weights."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from measure import Contender, Contenders

BASELINE = "torch, nn.MultiheadAttention"
SIZES = ((64, 128, 4), (128, 256, 8), (256, 512, 8))  # T, C, H
SETUPS = [
    {"B": 32, "T": T, "C": C, "H": H, "training": training}
    for (T, C, H), training in product(SIZES, (False, True))
]
QUICK = [{"B": 2, "T": 5, "C": 16, "H": 2, "training": training} for training in (False, True)]
TOLERANCE = 2e-5  # float32; the gradients are sums over B T = 8192 rows
NAMES = ("query_proj", "key_proj", "value_proj", "output_proj")

Weights = dict[str, Any]
Module = tuple[Any, Callable[[Any], Any]]  # the module, and how it is called


def contenders(B: int, T: int, C: int, H: int, training: bool) -> Contenders:
    """Each gives its output, or the gradient of Σ output² by its input after all gradients."""
    import torch

    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.standard_normal((B, T, C)).astype(np.float32))
    weights = {n: torch.from_numpy(rng.normal(0, C**-0.5, (C, C))).float() for n in NAMES}

    def truth() -> np.ndarray:
        wide = {name: weight.double() for name, weight in weights.items()}
        return step(*torch_module(wide, C, H), inputs.double(), training).numpy()

    found: Contenders = {}
    makers = {
        "companion": ours,
        BASELINE: torch_module,
        "Hugging Face, BertSelfAttention (sdpa)": bert,
        "x-transformers (flash)": x_transformers,
        "products alone": products,
    }
    for name, make in makers.items():
        try:
            module, call = make(weights, C, H)
        except ImportError as error:
            found[name] = f"not installed: {error.name}"
            continue
        timed = bare if name == "products alone" else step
        true = truth
        if timed is bare:

            def true(call: Any = call) -> np.ndarray:
                return call(inputs.double()).numpy()

        found[name] = Contender(
            lambda m=module, c=call, timed=timed: timed(m, c, inputs, training), true, TOLERANCE
        )
    return found


def step(module: Any, call: Callable[[Any], Any], inputs: Any, training: bool) -> Any:
    import torch

    if not training:
        with torch.inference_mode():
            return call(inputs)
    wanted = [inputs.detach().requires_grad_(), *module.parameters()]
    output = call(wanted[0])
    return torch.autograd.grad(output.square().sum(), wanted)[0]


def ours(weights: Weights, C: int, H: int) -> Module:
    import torch

    from companion.with_torch import multi_head_attention

    params = {f"{name}.weight": torch.nn.Parameter(weight) for name, weight in weights.items()}
    module = torch.nn.ParameterList(params.values())
    return module, lambda inputs: multi_head_attention(inputs, inputs, params, heads=H)


def torch_module(weights: Weights, C: int, H: int) -> Module:
    import torch

    dtype = weights["query_proj"].dtype
    module = torch.nn.MultiheadAttention(C, H, bias=False, batch_first=True, dtype=dtype)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([weights[name] for name in NAMES[:3]]))
        module.out_proj.weight.copy_(weights["output_proj"])
    module.eval()  # its fast path; there is no dropout to lose
    return module, lambda inputs: module(inputs, inputs, inputs, need_weights=False)[0]


def bert(weights: Weights, C: int, H: int) -> Module:
    import torch
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertSelfAttention

    config = BertConfig(hidden_size=C, num_attention_heads=H, attention_probs_dropout_prob=0.0)
    config._attn_implementation = "sdpa"
    module = torch.nn.ModuleDict(
        {"heads": BertSelfAttention(config), "out": torch.nn.Linear(C, C, bias=False)}
    )
    parts = (module["heads"].query, module["heads"].key, module["heads"].value, module["out"])
    for part, name in zip(parts, NAMES, strict=True):
        part.weight = torch.nn.Parameter(weights[name])
        part.bias = None  # as the others
    return module.eval(), lambda inputs: module["out"](module["heads"](inputs)[0])


def x_transformers(weights: Weights, C: int, H: int) -> Module:
    import torch
    from x_transformers.x_transformers import Attention

    module = Attention(dim=C, dim_head=C // H, heads=H, flash=True, causal=False)
    for part, name in zip(("to_q", "to_k", "to_v", "to_out"), NAMES, strict=True):
        getattr(module, part).weight = torch.nn.Parameter(weights[name])

    def call(inputs: Any) -> Any:
        out = module(inputs)
        return out[0] if isinstance(out, tuple) else out

    return module.eval(), call


def products(weights: Weights, C: int, H: int) -> Module:
    """The matrix products of a forward pass and nothing else: no softmax, so no attention."""
    import torch

    joint = torch.cat([weights[name] for name in NAMES[:3]])

    def call(inputs: Any) -> Any:
        B, T, _ = inputs.shape
        fused = inputs @ joint.to(inputs.dtype).T
        query, key, value = fused.view(B, T, 3, H, C // H).permute(2, 0, 3, 1, 4)
        mixed = query @ key.transpose(-1, -2) / T @ value
        return mixed.transpose(1, 2).reshape(B, T, C) @ weights["output_proj"].to(inputs.dtype).T

    return None, call


def bare(module: Any, call: Callable[[Any], Any], inputs: Any, training: bool) -> Any:
    """Backward has two products for each of forward's: in training, three times forward."""
    import torch

    with torch.inference_mode():
        for _ in range(3 if training else 1):
            out = call(inputs)
        return out
