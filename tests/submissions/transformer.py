"""Right and wrong answers to assignment "transformer", in other words than the catalogue's own."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

# ------------------------------------------------------------------------------- positions


def right_cells(length, width, base=10_000.0):
    wave = (math.sin, math.cos)
    return [
        [wave[c % 2](t / base ** ((c - c % 2) / width)) for c in range(width)]
        for t in range(length)
    ]


def right_logarithm(length, width, base=10_000.0):
    slow = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(base) / width))
    angle = torch.arange(length, dtype=torch.float64)[:, None] * slow
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def right_phase(length, width, base=10_000.0):
    c = np.arange(width)
    angle = np.outer(np.arange(length), base ** (-(c // 2 * 2) / width))
    return np.sin(angle + (c % 2) * np.pi / 2)


def _table(length, width, base, *, exponent=2.0, start=0, first=np.sin, second=np.cos):
    t = np.arange(start, start + length)[:, None]
    angle = t * base ** (-exponent * np.arange(width // 2) / width)
    return np.stack([first(angle), second(angle)], -1).reshape(length, width)


def wrong_halves(length, width, base=10_000.0):
    table = _table(length, width, base)
    return np.concatenate([table[:, ::2], table[:, 1::2]], axis=1)


def wrong_exponent(length, width, base=10_000.0):
    return _table(length, width, base, exponent=1.0)


def wrong_from_one(length, width, base=10_000.0):
    return _table(length, width, base, start=1)


def wrong_cosine_first(length, width, base=10_000.0):
    return _table(length, width, base, first=np.cos, second=np.sin)


def wrong_sines(length, width, base=10_000.0):
    return _table(length, width, base, second=np.sin)


def wrong_fast(length, width, base=10_000.0):
    return _table(length, width, 1 / base)


def wrong_fixed_base(length, width, base=10_000.0):
    return _table(length, width, 1e4)


# ----------------------------------------------------------------------------------- embed


def right_one_hot(ids, table, positions):
    hot = np.eye(len(table))[ids]
    return np.sqrt(table.shape[1]) * (hot @ table) + positions[np.arange(ids.shape[-1])]


def right_torch_embed(ids, table, positions):
    T, C = ids.shape[-1], table.shape[-1]
    return F.embedding(ids, table).mul(math.sqrt(C)).add(positions.narrow(0, 0, T))


def wrong_plain(ids, table, positions):
    return np.take(table, ids, axis=0) + positions[: ids.shape[-1]]


def wrong_all_scaled(ids, table, positions):
    return (np.take(table, ids, axis=0) + positions[: ids.shape[-1]]) * np.sqrt(table.shape[1])


def wrong_times_width(ids, table, positions):
    return np.take(table, ids, axis=0) * table.shape[1] + positions[: ids.shape[-1]]


def wrong_twice(ids, table, positions):
    p = positions[: ids.shape[-1]]
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1]) + p + p


def wrong_no_place(ids, table, positions):
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1])


def wrong_by_id(ids, table, positions):
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1]) + np.take(positions, ids, axis=0)


def wrong_product(ids, table, positions):
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1]) * positions[: ids.shape[-1]]


def wrong_last_rows(ids, table, positions):
    start = len(positions) - ids.shape[-1]
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1]) + positions[start:]


# -------------------------------------------------------------------------------- the norm


def right_functional(x, gain, bias, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], gain, bias, eps)


def right_rows(x, gain, bias, eps=1e-5):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        mean = sum(row) / len(row)
        variance = sum((n - mean) ** 2 for n in row) / len(row)
        rows.append([(n - mean) / math.sqrt(variance + eps) for n in row])
    return gain * np.reshape(rows, x.shape) + bias


def right_moments(x, gain, bias, eps=1e-5):
    mean = np.einsum("...c->...", x) / x.shape[-1]
    variance = np.einsum("...c,...c->...", x - mean[..., None], x - mean[..., None]) / x.shape[-1]
    return gain * (x - mean[..., None]) * (variance[..., None] + eps) ** -0.5 + bias


def wrong_batch_axis(x, gain, bias, eps=1e-5):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + eps) * gain + bias


def wrong_whole(x, gain, bias, eps=1e-5):
    return (x - np.mean(x)) / np.sqrt(np.var(x) + eps) * gain + bias


def wrong_outside(x, gain, bias, eps=1e-5):
    return gain * (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + eps) + bias


def wrong_no_eps(x, gain, bias, eps=1e-5):
    with np.errstate(invalid="ignore"):
        return gain * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True) + bias


def wrong_unbiased(x, gain, bias, eps=1e-5):
    return gain * (x - x.mean(-1, True)) / torch.sqrt(x.var(-1, keepdim=True) + eps) + bias


def wrong_variance(x, gain, bias, eps=1e-5):
    return gain * (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + eps) + bias


def wrong_rms(x, gain, bias, eps=1e-5):
    return gain * x / np.sqrt(np.mean(x**2, -1, keepdims=True) + eps) + bias


def wrong_no_bias(x, gain, bias, eps=1e-5):
    return right_moments(x, gain, 0 * bias, eps)


# ------------------------------------------------------------------------------- the block


def _n(x):
    return right_moments(x, 1.0, 0.0)


def _a(x, mix, p):
    return np.einsum("...ts,...sc,dc->...td", mix, x @ p["value"].T, p["output"])


def _f(x, p):
    h = np.einsum("...c,fc->...f", x, p["hidden"])
    return np.einsum("...f,cf->...c", np.clip(h, 0, None), p["out"])


def right_einsum(x, mix, params):
    u = x + _a(_n(x), mix, params)
    return u + _f(_n(u), params)


def right_torch_block(x, mix, params):
    norm = (x.shape[-1:], None, None, 1e-5)
    x = x + F.linear(mix @ F.linear(F.layer_norm(x, *norm), params["value"]), params["output"])
    hidden = F.linear(F.layer_norm(x, *norm), params["hidden"]).relu()
    return x + F.linear(hidden, params["out"])


def wrong_no_residual(x, mix, params):
    u = _a(_n(x), mix, params)
    return u + _f(_n(u), params)


def wrong_post(x, mix, params):
    u = _n(x + _a(x, mix, params))
    return _n(u + _f(u, params))


def wrong_unnormalised(x, mix, params):
    u = x + _a(x, mix, params)
    return u + _f(u, params)


def wrong_normalised_residual(x, mix, params):
    x = _n(x)
    u = _n(x + _a(x, mix, params))
    return u + _f(u, params)


def wrong_parallel(x, mix, params):
    h = _n(x)
    return x + _a(h, mix, params) + _f(h, params)


def wrong_feed_first(x, mix, params):
    u = x + _f(_n(x), params)
    return u + _a(_n(u), mix, params)


def wrong_straight(x, mix, params):
    u = x + _a(_n(x), mix, params)
    return u + _n(u) @ (params["out"] @ params["hidden"]).T


def wrong_last_norm(x, mix, params):
    return _n(right_einsum(x, mix, params))


# -------------------------------------------------------------------------------- the loss


def right_cross_entropy(logits, ids, pad):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], ignore_index=pad)


def right_counted(logits, ids, pad):
    total = count = 0
    for b, row in enumerate(ids):
        for t in range(1, len(row)):
            if row[t] != pad:
                z = logits[b, t - 1]
                total += max(z) + math.log(sum(math.exp(s - max(z)) for s in z)) - z[row[t]]
                count += 1
    return total / count


def right_flat(logits, ids, pad):
    z, y = logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].ravel()
    z, y = z[y != pad], y[y != pad]
    return np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y])


def _entropy(logits, ids, pad, reduction="mean"):
    z = torch.as_tensor(logits).reshape(-1, logits.shape[-1])
    return F.cross_entropy(
        z, torch.as_tensor(ids).reshape(-1), ignore_index=pad, reduction=reduction
    )


def wrong_same_place(logits, ids, pad):
    return float(_entropy(logits, ids, pad))


def wrong_backwards(logits, ids, pad):
    return float(_entropy(logits[:, 1:], ids[:, :-1], pad))


def wrong_padding(logits, ids, pad):
    return float(_entropy(logits[:, :-1], ids[:, 1:], -100))


def wrong_number(logits, ids, pad):
    return float(_entropy(logits[:, :-1], ids[:, 1:], pad, "none").mean())


def wrong_rows_first(logits, ids, pad):
    rows = [
        float(_entropy(z[None, :-1], y[None, 1:], pad)) for z, y in zip(logits, ids, strict=True)
    ]
    return sum(rows) / len(rows)


def wrong_total(logits, ids, pad):
    return float(_entropy(logits[:, :-1], ids[:, 1:], pad, "sum"))


def wrong_raw(logits, ids, pad):
    own = np.take_along_axis(logits[:, :-1], ids[:, 1:, None], -1)[..., 0]
    real = ids[:, 1:] != pad
    return -own[real].mean()


def wrong_probability(logits, ids, pad):
    p = torch.softmax(torch.as_tensor(logits[:, :-1]), -1).numpy()
    own = np.take_along_axis(p, ids[:, 1:, None], -1)[..., 0]
    return -own[ids[:, 1:] != pad].mean()


def wrong_negative(logits, ids, pad):
    return -right_flat(logits, ids, pad)


def wrong_bits(logits, ids, pad):
    return right_flat(logits, ids, pad) / math.log(2)


def wrong_overflow(logits, ids, pad):
    with np.errstate(all="ignore"):
        p = np.exp(logits[:, :-1]) / np.exp(logits[:, :-1]).sum(-1, keepdims=True)
        own = np.log(np.take_along_axis(p, ids[:, 1:, None], -1)[..., 0])
        return -own[ids[:, 1:] != pad].mean()


def wrong_flat_mean(x, gain, bias, eps=1e-5):
    return (x - x.mean(-1)) / np.sqrt(x.var(-1) + eps) * gain + bias


def wrong_whole_table(ids, table, positions):
    return np.take(table, ids, axis=0) * np.sqrt(table.shape[1]) + positions


def wrong_real_inputs(logits, ids, pad):
    z, y = logits[:, :-1], ids[:, 1:]
    own = np.logaddexp.reduce(z, axis=-1) - np.take_along_axis(z, y[..., None], -1)[..., 0]
    return own[ids[:, :-1] != pad].mean()


RIGHT = [
    ("transformer.positions", right_cells),
    ("transformer.positions", right_logarithm),
    ("transformer.positions", right_phase),
    ("transformer.embed", right_one_hot),
    ("transformer.embed", right_torch_embed),
    ("transformer.layer-norm", right_functional),
    ("transformer.layer-norm", right_rows),
    ("transformer.layer-norm", right_moments),
    ("transformer.block", right_einsum),
    ("transformer.block", right_torch_block),
    ("transformer.loss", right_cross_entropy),
    ("transformer.loss", right_counted),
    ("transformer.loss", right_flat),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("transformer.positions", "halves", wrong_halves),
        ("transformer.positions", "exponent", wrong_exponent),
        ("transformer.positions", "first-place", wrong_from_one),
        ("transformer.positions", "exchanged", wrong_cosine_first),
        ("transformer.positions", "sines-only", wrong_sines),
        ("transformer.positions", "frequency-inverted", wrong_fast),
        ("transformer.positions", "base-ignored", wrong_fixed_base),
        ("transformer.embed", "not-scaled", wrong_plain),
        ("transformer.embed", "sum-scaled", wrong_all_scaled),
        ("transformer.embed", "wrong-scale", wrong_times_width),
        ("transformer.embed", "positions-twice", wrong_twice),
        ("transformer.embed", "no-positions", wrong_no_place),
        ("transformer.embed", "positions-by-token", wrong_by_id),
        ("transformer.embed", "multiplied", wrong_product),
        ("transformer.embed", "last-positions", wrong_last_rows),
        ("transformer.layer-norm", "over-batch", wrong_batch_axis),
        ("transformer.layer-norm", "over-everything", wrong_whole),
        ("transformer.layer-norm", "eps-outside", wrong_outside),
        ("transformer.layer-norm", "no-eps", wrong_no_eps),
        ("transformer.layer-norm", "unbiased-variance", wrong_unbiased),
        ("transformer.layer-norm", "variance-not-root", wrong_variance),
        ("transformer.layer-norm", "mean-kept", wrong_rms),
        ("transformer.layer-norm", "gain-or-bias", wrong_no_bias),
        ("transformer.block", "residual-forgotten", wrong_no_residual),
        ("transformer.block", "post-norm", wrong_post),
        ("transformer.block", "no-norm", wrong_unnormalised),
        ("transformer.block", "normalised-residual", wrong_normalised_residual),
        ("transformer.block", "feed-forward-reads-input", wrong_parallel),
        ("transformer.block", "order", wrong_feed_first),
        ("transformer.block", "no-relu", wrong_straight),
        ("transformer.block", "norm-at-the-end", wrong_last_norm),
        ("transformer.loss", "not-shifted", wrong_same_place),
        ("transformer.loss", "shifted-backwards", wrong_backwards),
        ("transformer.loss", "padding-counted", wrong_padding),
        ("transformer.loss", "padding-in-number", wrong_number),
        ("transformer.loss", "mean-of-means", wrong_rows_first),
        ("transformer.loss", "sum", wrong_total),
        ("transformer.loss", "unnormalised", wrong_raw),
        ("transformer.loss", "probabilities", wrong_probability),
        ("transformer.loss", "sign", wrong_negative),
        ("transformer.loss", "perplexity", wrong_bits),
        ("transformer.loss", "unstable", wrong_overflow),
        ("transformer.layer-norm", "axis-lost", wrong_flat_mean),
        ("transformer.embed", "not-cut", wrong_whole_table),
        ("transformer.loss", "padding-by-input", wrong_real_inputs),
    ]
]
