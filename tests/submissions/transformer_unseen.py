"""Answers to assignment "transformer" that were written without a look at the catalogue."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812


def right_positions_complex(length, width, base=10_000.0):
    turn = np.exp(-np.log(base) * np.arange(0, width, 2) / width)
    spiral = np.exp(1j * np.outer(np.arange(length), turn))
    return np.stack([spiral.imag, spiral.real], -1).reshape(length, width)


def right_positions_lists(length, width, base=10_000.0):
    return [
        [(math.cos if c % 2 else math.sin)(t / base ** ((c - c % 2) / width)) for c in range(width)]
        for t in range(length)
    ]


def right_positions_single(length, width, base=10_000.0):
    angle = torch.arange(length).unsqueeze(1) / base ** (torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def right_embed_one_hot(ids, table, positions):
    return np.eye(len(table))[ids] @ table * np.sqrt(table.shape[1]) + positions[: ids.shape[-1]]


def right_embed_module(ids, table, positions):
    place = torch.arange(ids.shape[-1])
    return F.embedding(ids, table) * table.shape[1] ** 0.5 + F.embedding(place, positions)


def right_norm_single(x, gain, bias, eps=1e-5):
    x, gain, bias = np.float32(x), np.float32(gain), np.float32(bias)
    gap = x - x.mean(-1, keepdims=True)
    variance = (gap * gap).mean(-1, keepdims=True)
    return np.float64(gap / np.sqrt(variance + np.float32(eps)) * gain + bias)


def right_norm_torch_single(x, gain, bias, eps=1e-5):
    return F.layer_norm(x.float(), x.shape[-1:], gain.float(), bias.float(), eps)


def right_norm_dots(x, gain, bias, eps=1e-5):
    C = x.shape[-1]
    centre = x @ (np.eye(C) - np.ones((C, C)) / C)
    return gain * centre * ((centre**2).sum(-1, keepdims=True) / C + eps) ** -0.5 + bias


def right_block_single(x, mix, params):
    p = {name: weight.float() for name, weight in params.items()}
    x, mix = x.float(), mix.float()
    x = x + mix @ F.linear(F.layer_norm(x, x.shape[-1:]), p["value"]) @ p["output"].T
    return x + F.linear(F.relu(F.linear(F.layer_norm(x, x.shape[-1:]), p["hidden"])), p["out"])


def right_loss_ignored(logits, ids, pad):
    return F.cross_entropy(
        logits[:, :-1].float().reshape(-1, logits.shape[-1]),
        ids[:, 1:].reshape(-1),
        ignore_index=pad,
    ).item()


def right_loss_loops(logits, ids, pad):
    total, count = 0.0, 0
    for row, words in zip(logits, ids, strict=True):
        for t in range(1, len(words)):
            if words[t] != pad:
                z = row[t - 1] - max(row[t - 1])
                total += math.log(sum(math.exp(v) for v in z)) - z[words[t]]
                count += 1
    return total / count


def wrong_norm_tiny_default(x, gain, bias, eps=1e-8):
    return F.layer_norm(x.float(), x.shape[-1:], gain.float(), bias.float(), eps)


def wrong_norm_other_default(x, gain, bias, eps=1e-6):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * gain + bias


def wrong_norm_one_plus(x, gain, bias, eps=1e-5):
    unit = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)
    return unit + unit * gain + bias


def wrong_norm_largest_eps(x, gain, bias, eps=1e-5):
    spread = np.maximum(x.std(-1, keepdims=True), eps)
    return (x - x.mean(-1, keepdims=True)) / spread * gain + bias


def wrong_norm_half(x, gain, bias, eps=1e-5):
    x = x.astype(np.float16)
    unit = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + np.float16(eps))
    return unit * gain.astype(np.float16) + bias.astype(np.float16)


def wrong_loss_both_real(logits, ids, pad):
    logs = torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]
    kept = (ids[:, 1:] != pad) & (ids[:, :-1] != pad)
    return -logs[kept].mean()


def wrong_loss_until_first(logits, ids, pad):
    total, count = 0.0, 0
    for row, words in zip(logits, ids, strict=True):
        for t in range(1, len(words)):
            if words[t] == pad:
                break
            z = row[t - 1] - row[t - 1].max()
            total += np.log(np.exp(z).sum()) - z[words[t]]
            count += 1
    return total / count


def wrong_loss_by_length(logits, ids, pad):
    total, count = 0.0, 0
    for row, words in zip(logits, ids, strict=True):
        for t in range(1, int((words != pad).sum())):
            z = row[t - 1] - row[t - 1].max()
            total += np.log(np.exp(z).sum()) - z[words[t]]
            count += 1
    return total / count


def wrong_loss_fixed_pad(logits, ids, pad):
    return right_loss_loops(logits, ids, 0)


def wrong_loss_clipped(logits, ids, pad):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    weights = powers / powers.sum(-1, keepdims=True)
    own = np.take_along_axis(weights[:, :-1], ids[:, 1:, None], -1)[..., 0]
    real = ids[:, 1:] != pad
    return float(-np.log(own[real] + 1e-9).mean())


def wrong_positions_half(length, width, base=10_000.0):
    return np.float16(right_positions_complex(length, width, base))


def wrong_positions_integer(length, width, base=10_000.0):
    angle = np.arange(length)[:, None] / base ** (2 * np.arange(0, width, 2) / width)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(length, width)


def wrong_embed_rows_scaled(ids, table, positions):
    return (table[ids] + positions[: ids.shape[-1]]) / table.shape[-1] ** 0.5


def wrong_block_shared_norm(x, mix, params):
    n = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    u = x + mix @ (n @ params["value"].T) @ params["output"].T
    return u + np.maximum(n @ params["hidden"].T, 0) @ params["out"].T


def wrong_block_mix_transposed(x, mix, params):
    def norm(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

    u = x + mix.swapaxes(-1, -2) @ (norm(x) @ params["value"].T) @ params["output"].T
    return u + np.maximum(norm(u) @ params["hidden"].T, 0) @ params["out"].T


def wrong_block_no_output(x, mix, params):
    def norm(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

    u = x + mix @ (norm(x) @ params["value"].T)
    return u + np.maximum(norm(u) @ params["hidden"].T, 0) @ params["out"].T


N, L = "transformer.layer-norm", "transformer.loss"
RIGHT = [
    ("transformer.positions", right_positions_complex),
    ("transformer.positions", right_positions_lists),
    ("transformer.positions", right_positions_single),
    ("transformer.embed", right_embed_one_hot), ("transformer.embed", right_embed_module),
    (N, right_norm_single), (N, right_norm_torch_single), (N, right_norm_dots),
    ("transformer.block", right_block_single),
    (L, right_loss_ignored), (L, right_loss_loops),
]  # fmt: skip
WRONG = [
    (N, f"{N}.another-default", wrong_norm_tiny_default),
    (N, f"{N}.another-default", wrong_norm_other_default),
    (N, f"{N}.one-plus-gain", wrong_norm_one_plus),
    (N, f"{N}.eps-outside", wrong_norm_largest_eps),
    (N, "general.unknown", wrong_norm_half),
    (L, f"{L}.after-padding", wrong_loss_both_real),
    (L, f"{L}.after-padding", wrong_loss_until_first),
    (L, f"{L}.after-padding", wrong_loss_by_length),
    (L, f"{L}.pad-fixed", wrong_loss_fixed_pad),
    (L, f"{L}.unstable", wrong_loss_clipped),
    ("transformer.positions", "general.unknown", wrong_positions_half),
    ("transformer.positions", "transformer.positions.exponent", wrong_positions_integer),
    ("transformer.embed", "general.unknown", wrong_embed_rows_scaled),
    (
        "transformer.block",
        "transformer.block.feed-forward-reads-input",
        wrong_block_shared_norm,
    ),
    ("transformer.block", "transformer.block.mix-transposed", wrong_block_mix_transposed),
    ("transformer.block", "transformer.block.projection-missing", wrong_block_no_output),
]
