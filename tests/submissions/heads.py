"""Right and wrong answers to assignment "heads", in other words than the catalogue's own."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

# ------------------------------------------------------------------------------ causal mask


def right_loop_mask(T, S):
    mask = np.zeros((T, S), dtype=bool)
    for t in range(T):
        mask[t, : S - T + t + 1] = True
    return mask


def right_tril(T, S):
    return np.tril(np.ones((T, S)), k=S - T).astype(bool)


def right_tri(T, S):
    return np.tri(T, S, S - T, dtype=bool)


def right_last_rows(T, S=None):
    S = T if S is None else S
    return torch.ones(S, S).tril()[S - T :].bool()


def right_not_above(T, S):
    return ~np.triu(np.full((T, S), True), k=S - T + 1)


def right_list_of_lists(T, S):
    return [[s - (S - T) <= t for s in range(S)] for t in range(T)]


def wrong_causal_numbers(T, S):
    return np.tri(T, S, S - T)


def wrong_causal_infinities(T, S):
    return torch.full((T, S), -torch.inf).triu(S - T + 1)


def wrong_causal_hidden(T, S):
    return torch.ones(T, S).triu(diagonal=S - T + 1).bool()


def wrong_causal_hidden_from_the_start(T, S):
    return np.triu(np.ones((T, S)), 1).astype(bool)


def wrong_causal_strict(T, S):
    return np.tri(T, S, S - T - 1, dtype=bool)


def wrong_causal_range(T, S):
    mask = np.zeros((T, S), dtype=bool)
    for t in range(T):
        for s in range(S - T + t):
            mask[t, s] = True
    return mask


def wrong_causal_ahead(T, S):
    return np.tri(T, S, S - T + 1, dtype=bool)


def wrong_causal_upper(T, S):
    return np.triu(np.ones((T, S), dtype=bool), S - T)


def wrong_causal_turned(T, S):
    return np.tri(T, S, S - T, dtype=bool).transpose()


def wrong_causal_start(T, S):
    return np.tri(T, S, dtype=bool)


def wrong_causal_start_torch(T, S):
    return torch.tril(torch.ones(T, S, dtype=torch.bool))


def wrong_causal_square(T, S):
    return np.tril(np.ones((S, S), bool))


def wrong_causal_short(T, S):
    return torch.ones(T, T).tril().bool()


def wrong_causal_with_a_batch(T, S):
    return torch.ones(T, S).tril(S - T).bool().unsqueeze(0)


def wrong_causal_open(T, S):
    return np.full((T, S), True)


def wrong_causal_diagonal(T, S):
    return np.eye(T, S, S - T, dtype=bool)


def wrong_causal_added_columns(T, S):
    return np.concatenate([np.tri(T, dtype=bool), np.ones((T, S - T), dtype=bool)], axis=1)


# ----------------------------------------------------------------------------- padding mask


def right_padding_loop(lengths, S):
    mask = np.zeros((len(lengths), 1, S), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, 0, :n] = True
    return mask


def right_padding_outer(lengths, S):
    return np.greater.outer(lengths, np.arange(S)).reshape(-1, 1, S)


def right_padding_torch(lengths, S):
    return torch.arange(S).expand(lengths.numel(), S).lt(lengths.unsqueeze(1)).unsqueeze(1)


def right_padding_lists(lengths, S):
    return [[[True] * int(n) + [False] * (S - int(n))] for n in lengths]


def right_padding_cumsum(lengths, S):
    ones = np.ones((len(lengths), S), dtype=np.int32).cumsum(1)
    return np.expand_dims(~(ones > np.expand_dims(lengths, 1)), 1)


def wrong_padding_numbers(lengths, S):
    return (torch.arange(S)[None, None] < lengths[:, None, None]).float()


def wrong_padding_integers(lengths, S):
    mask = np.zeros((len(lengths), 1, S), dtype=int)
    for b, n in enumerate(lengths):
        mask[b, 0, :n] = 1
    return mask


def wrong_padding_hidden(lengths, S):
    mask = np.zeros((len(lengths), 1, S), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, 0, n:] = True
    return mask


def wrong_padding_up_to(lengths, S):
    return np.less_equal(np.arange(S), lengths[:, None])[:, None]


def wrong_padding_from_one(lengths, S):
    return np.arange(1, S + 1)[None, None] < np.asarray(lengths)[:, None, None]


def wrong_padding_rows(lengths, S):
    return np.less(np.arange(S)[None, :, None], lengths[:, None, None])


def wrong_padding_flat(lengths, S):
    return torch.arange(S)[None, :] < lengths[:, None]


def wrong_padding_four_axes(lengths, S):
    return np.arange(S) < lengths.reshape(-1, 1, 1, 1)


def wrong_padding_square(lengths, S):
    real = np.arange(S) < lengths[:, None]
    return real[:, :, None] & real[:, None, :]


def wrong_padding_left(lengths, S):
    return (np.arange(S)[::-1] < lengths[:, None])[:, None]


def wrong_padding_longest(lengths, S):
    return np.tile(np.arange(S) < max(lengths), (len(lengths), 1, 1))


def wrong_padding_cut_short(lengths, S):
    return torch.arange(int(max(lengths))) < lengths[:, None, None]


def wrong_padding_open(lengths, S):
    return np.full((len(lengths), 1, S), True)


def wrong_padding_last(lengths, S):
    return (np.arange(S)[None] == lengths[:, None] - 1)[:, None]


# ------------------------------------------------------------------------------ split, merge


def right_split_slices(x, heads):
    D = x.shape[-1] // heads
    return np.stack([x[..., h * D : (h + 1) * D] for h in range(heads)], axis=-3)


def right_split_np(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=x.ndim - 2)


def right_split_torch(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def right_split_fortran(x, heads):
    turned = np.swapaxes(x, -1, -2)
    cut = turned.reshape(*x.shape[:-2], heads, x.shape[-1] // heads, x.shape[-2])
    return np.asfortranarray(np.swapaxes(cut, -1, -2))


def right_split_numbers(x, heads):
    x = np.asarray(x)
    D = x.shape[-1] // heads
    out = np.zeros((*x.shape[:-2], heads, x.shape[-2], D))
    for place in np.ndindex(x.shape):
        *lead, t, c = place
        out[(*lead, c // D, t, c % D)] = x[place]
    return out


def right_split_view(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=-3)


def wrong_split_view(x, heads):
    return x.view(*x.shape[:-2], heads, x.shape[-2], -1)


def wrong_split_unmoved(x, heads):
    return x.reshape(*x.shape[:-1], heads, -1)


def wrong_split_dealt(x, heads):
    return np.stack([x[..., h::heads] for h in range(heads)], axis=-3)


def wrong_split_turned(x, heads):
    return x.unflatten(-1, (heads, -1)).movedim(-3, -1)


def wrong_split_narrow(x, heads):
    return np.stack(np.split(x, x.shape[-1] // heads, axis=-1), axis=-3)


def wrong_split_stacked(x, heads):
    return np.array(np.split(x, heads, axis=-1))


def wrong_split_three(x, heads):
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3)


def wrong_split_first(x, heads):
    D = x.shape[-1] // heads
    return np.stack([x[..., :D] for _ in range(heads)], axis=-3)


def right_merge_concatenate(x):
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-3])], axis=-1)


def right_merge_torch(x):
    return x.transpose(-3, -2).contiguous().view(*x.shape[:-3], x.shape[-2], -1)


def right_merge_einsum(x):
    return np.einsum("...htd->...thd", x).reshape(*x.shape[:-3], x.shape[-2], -1)


def right_merge_flatten(x):
    return torch.movedim(x, -3, -2).flatten(start_dim=-2)


def right_merge_filled(x):
    H, T, D = x.shape[-3:]
    out = np.empty((*x.shape[:-3], T, H * D), dtype=x.dtype)
    for h in range(H):
        out[..., h * D : h * D + D] = x[..., h, :, :]
    return out


def wrong_merge_view(x):
    return x.transpose(-3, -2).view(*x.shape[:-3], x.shape[-2], -1)


def wrong_merge_reshape(x):
    H, T, D = x.shape[-3:]
    return x.reshape((*x.shape[:-3], T, D * H))


def wrong_merge_dealt(x):
    return np.stack([x[..., h, :, :] for h in range(x.shape[-3])], axis=-1).reshape(
        *x.shape[:-3], x.shape[-2], -1
    )


def wrong_merge_width(x):
    return x.transpose(-1, -2).reshape(*x.shape[:-3], x.shape[-2], -1)


def wrong_merge_in_time(x):
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-3])], axis=-2)


def wrong_merge_open(x):
    return np.moveaxis(x, -3, -2)


def wrong_merge_mean(x):
    return sum(x[..., h, :, :] for h in range(x.shape[-3])) / x.shape[-3]


def wrong_merge_four(x):
    B, H, T, D = x.shape
    return x.permute(0, 2, 1, 3).reshape(B, T, H * D)


# --------------------------------------------------------------------------- the whole layer


def right_sdpa(x, memory, params, heads, mask):
    cut = [
        (part @ params[name].mT).unflatten(-1, (heads, -1)).transpose(1, 2)
        for part, name in ((x, "query_proj"), (memory, "key_proj"), (memory, "value_proj"))
    ]
    if mask is not None and mask.ndim == 3:
        mask = mask.unsqueeze(1)
    mixed = F.scaled_dot_product_attention(*cut, attn_mask=mask)
    return mixed.transpose(1, 2).flatten(2) @ params["output_proj"].mT


def right_module(x, memory, params, heads, mask):
    """torch.nn's own layer, whose masks say what to hide, in single precision."""
    C = x.shape[-1]
    layer = torch.nn.MultiheadAttention(C, heads, bias=False, batch_first=True)
    projections = [params[f"{name}_proj"].float() for name in ("query", "key", "value")]
    layer.in_proj_weight.data = torch.cat(projections)
    layer.out_proj.weight.data = params["output_proj"].float()
    if mask is not None:
        mask = ~mask.broadcast_to(x.shape[0], x.shape[1], memory.shape[1])
        mask = mask.repeat_interleave(heads, dim=0)
    return layer(x.float(), memory.float(), memory.float(), attn_mask=mask)[0]


def right_head_loop(x, memory, params, heads, mask):
    """The output projection is cut as well: a sum over heads, nothing is merged."""
    B, T, C = x.shape
    D, S = C // heads, memory.shape[1]
    seen = np.ones((B, T, S), bool) if mask is None else np.broadcast_to(mask, (B, T, S))
    output = np.zeros((B, T, C))
    for h in range(heads):
        rows = slice(h * D, h * D + D)
        query = x @ params["query_proj"][rows].T
        key = memory @ params["key_proj"][rows].T
        value = memory @ params["value_proj"][rows].T
        scores = np.where(seen, np.einsum("btd,bsd->bts", query, key) / math.sqrt(D), -1e30)
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = powers / powers.sum(-1, keepdims=True) @ value
        output += mixed @ params["output_proj"][:, rows].T
    return output


def right_every_number(x, memory, params, heads, mask):
    """One sequence and one query at a time; scaled before the product."""
    B, T, C = x.shape
    S = len(memory[0])
    D = C // heads
    out = []
    for b in range(B):
        rows = []
        for t in range(T):
            merged = []
            for h in range(heads):
                q, k, v = (params[n][h * D : (h + 1) * D] for n in NAMES[:3])
                seen = range(S)
                if mask is not None:
                    own = mask if mask.ndim == 2 else mask[b]
                    own = own[0] if len(own) == 1 else own[t]
                    seen = [s for s in range(S) if own[s]]
                asked = q @ x[b, t] / D**0.5
                scores = [float(asked @ (k @ memory[b, s])) for s in seen]
                powers = [math.exp(score - max(scores)) for score in scores]
                values = [v @ memory[b, s] for s in seen]
                merged += list(
                    sum(p * value for p, value in zip(powers, values, strict=True)) / sum(powers)
                )
            rows.append((params["output_proj"] @ np.array(merged)).tolist())
        out.append(rows)
    return out


def right_folded(x, memory, params, heads, mask):
    """Queries and keys meet through one (C, C) matrix for each head."""
    C = x.shape[-1]
    D = C // heads
    q, k, v = (params[name].reshape(heads, D, C) for name in NAMES[:3])
    between = np.einsum("hdc,hde->hce", q, k) * D**-0.5
    scores = np.einsum("btc,hce,bse->bhts", x, between, memory, optimize=True)
    if mask is not None:
        scores = scores + np.where(mask[..., None, :, :], 0, -np.inf)
    powers = np.exp(scores - np.max(scores, -1, keepdims=True))
    weights = powers / np.sum(powers, -1, keepdims=True)
    out = params["output_proj"].T.reshape(heads, D, C)
    return np.einsum("bhts,bsc,hdc,hde->bte", weights, memory, v, out, optimize=True)


def right_grouped_batch(x, memory, params, heads, mask):
    """Heads in the batch axis, (B·H, T, D), multiplied powers instead of hidden scores."""
    B, T, C = x.shape
    S, D = memory.shape[1], C // heads

    def cut(inputs, name):
        part = (inputs @ params[name].T).reshape(B, -1, heads, D)
        return part.transpose(0, 2, 1, 3).reshape(B * heads, -1, D)

    scores = cut(x, NAMES[0]) @ cut(memory, NAMES[1]).transpose(0, 2, 1) / np.sqrt(D)
    powers = np.exp(scores - scores.max())
    if mask is not None:
        powers = powers * np.repeat(np.broadcast_to(mask, (B, T, S)), heads, axis=0)
    mixed = powers @ cut(memory, NAMES[2]) / powers.sum(-1, keepdims=True)
    return mixed.reshape(B, heads, T, D).swapaxes(1, 2).reshape(B, T, C) @ params[NAMES[3]].T


NAMES = ("query_proj", "key_proj", "value_proj", "output_proj")


def _layer(
    x, memory, params, heads, mask, *,
    weights=NAMES, of=None, cut="bthd", root=None, attend=None, join="bthd", out=True, turn=(),
):  # fmt: skip
    """The layer with einsum, heads in their third axis; what is handed over makes it wrong.

    cut, join "bthd", "btdh", "bhtd" (as if reshape were enough)   turn names applied without .T
    """
    B, C = len(x), x.shape[-1]
    D = C // heads
    sizes = {"b": B, "h": heads, "d": D}
    inputs = (x, memory, memory) if of is None else of
    parts = []
    for part, name in zip(inputs, weights[:3], strict=True):
        if name is not None:
            spec = "btc,ec->bte" if name not in turn else "btc,ce->bte"
            part = np.einsum(spec, part, params[name])
        shape = [part.shape[1] if axis == "t" else sizes[axis] for axis in cut]
        parts.append(np.einsum(f"{cut}->bthd", part.reshape(shape)))
    query, key, value = parts
    scores = np.einsum("bthd,bshd->bhts", query, key) / (D**0.5 if root is None else root)
    if mask is not None and mask.ndim == 3:
        mask = np.expand_dims(mask, 1)
    shares = (attend or _usual)(scores, mask)
    mixed = np.einsum("bhts,bshd->bthd", shares, value)
    merged = np.einsum(f"bthd->{join}", mixed).reshape(B, mixed.shape[1], C)
    if not out:
        return merged
    return merged @ (params["output_proj"] if "output_proj" in turn else params["output_proj"].T)


def _usual(scores, mask, axis=-1, low=-np.inf):
    if mask is not None:
        scores = np.where(mask, scores, low)
    powers = np.exp(scores - np.max(scores, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def slip_wide_root(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, root=math.sqrt(x.shape[-1]))


def slip_no_root(x, memory, params, heads, mask):
    longer = params["query_proj"] * math.sqrt(x.shape[-1] // heads)
    return right_sdpa(x, memory, params | {"query_proj": longer}, heads, mask)


def slip_root_of_heads(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, root=heads**0.5)


def slip_by_width(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, root=x.shape[-1] / heads)


def slip_unprojected_output(x, memory, params, heads, mask):
    return right_sdpa(
        x, memory, params | {"output_proj": torch.eye(x.shape[-1], dtype=x.dtype)}, heads, mask
    )


def slip_turned(x, memory, params, heads, mask):
    return right_sdpa(x, memory, {n: w.T for n, w in params.items()}, heads, mask)


def slip_turned_out(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, turn=("output_proj",))


def slip_turned_queries(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, turn=("query_proj",))


def slip_keys_as_values(x, memory, params, heads, mask):
    return right_folded(x, memory, params | {"value_proj": params["key_proj"]}, heads, mask)


def slip_shared_query_key(x, memory, params, heads, mask):
    return right_sdpa(x, memory, params | {"key_proj": params["query_proj"]}, heads, mask)


def slip_raw_values(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, weights=("query_proj", "key_proj", None))


def slip_raw_everything(x, memory, params, heads, mask):
    eye = np.eye(x.shape[-1])
    same = dict.fromkeys(NAMES[:3], eye) | {"output_proj": params["output_proj"]}
    return right_head_loop(x, memory, same, heads, mask)


def slip_single(x, memory, params, heads, mask):
    return _layer(x, memory, params, 1, mask)


def slip_single_narrow_root(x, memory, params, heads, mask):
    return _layer(x, memory, params, 1, mask, root=(x.shape[-1] // heads) ** 0.5)


def slip_reshape(x, memory, params, heads, mask):
    B, T, C = x.shape
    q, k, v = (
        (a @ params[n].T).view(B, heads, -1, C // heads)
        for a, n in zip((x, memory, memory), NAMES[:3], strict=True)
    )
    seen = mask[:, None] if mask is not None and mask.dim() == 3 else mask
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return mixed.reshape(B, T, C) @ params["output_proj"].T


def slip_reshape_cut_only(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, cut="bhtd")


def slip_view(x, memory, params, heads, mask):
    B, T, C = x.shape
    q, k, v = (
        (a @ params[n].T).view(B, -1, heads, C // heads).transpose(1, 2)
        for a, n in zip((x, memory, memory), NAMES[:3], strict=True)
    )
    scores = q @ k.transpose(2, 3) / (C // heads) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~(mask[:, None] if mask.dim() == 3 else mask), -torch.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).view(B, T, C) @ params["output_proj"].T


def slip_joined_by_reshape(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, join="bhtd")


def slip_dealt(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, cut="btdh", join="btdh")


def slip_dealt_cut(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, cut="btdh")


def slip_among_heads(x, memory, params, heads, mask):
    B, T, C = x.shape
    q, k, v = (
        (a @ params[n].T).reshape(B, -1, heads, C // heads)
        for a, n in zip((x, memory, memory), NAMES[:3], strict=True)
    )
    scores = np.matmul(q, k.transpose(0, 1, 3, 2)) / np.sqrt(C // heads)
    if mask is not None:
        scores = np.where(mask[:, None] if mask.ndim == 3 else mask, scores, -np.inf)
    return np.matmul(_usual(scores, None), v).reshape(B, T, C) @ params["output_proj"].T


def slip_first_slice(x, memory, params, heads, mask):
    D = x.shape[-1] // heads
    same = {name: np.tile(params[name][:D], (heads, 1)) for name in NAMES[:3]}
    return right_head_loop(x, memory, same | {"output_proj": params["output_proj"]}, heads, mask)


def slip_one_key_value_head(x, memory, params, heads, mask):
    D = x.shape[-1] // heads
    same = {name: np.tile(params[name][:D], (heads, 1)) for name in ("key_proj", "value_proj")}
    return right_folded(x, memory, params | same, heads, mask)


def slip_joint_softmax(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(e, m, axis=(1, 3)))


def slip_softmax_over_heads(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(e, m, axis=1))


def slip_softmax_over_queries(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(e, m, axis=2))


def slip_inverted(x, memory, params, heads, mask):
    return right_sdpa(x, memory, params, heads, None if mask is None else mask.logical_not())


def slip_inverted_fill(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(
        e if m is None else np.where(m, -1e12, e), None))  # fmt: skip


def slip_blind(x, memory, params, heads, mask):
    return right_folded(x, memory, params, heads, None)


def slip_after_softmax(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: (
        _usual(e, None) if m is None else np.where(m, _usual(e, None), 0)))  # fmt: skip


def slip_zero_scores(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(e, m, low=0.0))


def slip_only_first_head(x, memory, params, heads, mask):
    def attend(scores, mask):
        free = _usual(scores, None)
        free[:, 0] = _usual(scores, mask)[:, 0]
        return free

    return _layer(x, memory, params, heads, mask, attend=attend)


def slip_batch_as_heads(x, memory, params, heads, mask):
    query, key, value = (
        (a @ params[n].T).unflatten(-1, (heads, -1)).transpose(1, 2)
        for a, n in zip((x, memory, memory), NAMES[:3], strict=True)
    )
    scores = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return (scores.softmax(-1) @ value).transpose(1, 2).flatten(2) @ params["output_proj"].T


def slip_first_mask(x, memory, params, heads, mask):
    if mask is not None and len(mask.shape) > 2:
        mask = mask[0]
    return right_head_loop(x, memory, params, heads, mask)


def slip_mask_turned(x, memory, params, heads, mask):
    if mask is not None:
        mask = np.expand_dims(mask, 1) if mask.ndim == 3 else mask
        mask = np.einsum("...ts->...st", mask)

    def attend(scores, _):
        return _usual(scores, mask)

    return _layer(x, memory, params, heads, None, attend=attend)


def slip_minus_five(x, memory, params, heads, mask):
    return _layer(x, memory, params, heads, mask, attend=lambda e, m: _usual(e, m, low=-5.0))


def slip_two_heads(x, memory, params, heads, mask):
    return right_grouped_batch(x, memory, params, 2, mask)


def slip_residual(x, memory, params, heads, mask):
    return x + right_head_loop(x, memory, params, heads, mask)


def slip_pair(x, memory, params, heads, mask):
    kept = []

    def attend(scores, mask):
        kept.append(_usual(scores, mask))
        return kept[0]

    return _layer(x, memory, params, heads, mask, attend=attend), kept[0]


SLIPS = [
    ("root-of-model-width", slip_wide_root),
    ("other-root", slip_no_root),
    ("other-root", slip_root_of_heads),
    ("other-root", slip_by_width),
    ("no-output-projection", slip_unprojected_output),
    ("weight-not-transposed", slip_turned),
    ("weight-not-transposed", slip_turned_out),
    ("weight-not-transposed", slip_turned_queries),
    ("projection-mixed-up", slip_keys_as_values),
    ("projection-mixed-up", slip_shared_query_key),
    ("not-projected", slip_raw_values),
    ("not-projected", slip_raw_everything),
    ("heads-ignored", slip_single),
    ("heads-ignored", slip_single_narrow_root),
    ("heads-ignored", slip_two_heads),
    ("split-by-reshape", slip_reshape),
    ("split-by-reshape", slip_reshape_cut_only),
    ("view-after-transpose", slip_view),
    ("merged-by-reshape", slip_joined_by_reshape),
    ("head-and-width-exchanged", slip_dealt),
    ("head-and-width-exchanged", slip_dealt_cut),
    ("attends-over-heads", slip_among_heads),
    ("heads-share-a-slice", slip_first_slice),
    ("heads-share-a-slice", slip_one_key_value_head),
    ("one-softmax", slip_joint_softmax),
    ("one-softmax", slip_softmax_over_heads),
    ("softmax-over-queries", slip_softmax_over_queries),
    ("mask-inverted", slip_inverted),
    ("mask-inverted", slip_inverted_fill),
    ("mask-ignored", slip_blind),
    ("mask-too-weak", slip_after_softmax),
    ("mask-too-weak", slip_zero_scores),
    ("mask-on-one-head", slip_only_first_head),
    ("mask-transposed", slip_mask_turned),
    ("wrong-with-a-mask", slip_minus_five),
    ("mask-of-a-batch", slip_batch_as_heads),
    ("mask-of-a-batch", slip_first_mask),
    ("residual-added", slip_residual),
    ("more-than-the-output", slip_pair),
]


def wrong_if_mask(x, memory, params, heads, mask):
    return right_head_loop(x, memory, params, heads, mask if mask else None)


def _self(function):
    def multi_head_attention(x, params, heads, mask=None):
        return function(x, x, params, heads, mask)

    multi_head_attention.__name__ = f"self_{function.__name__}"
    return multi_head_attention


def _cross(function):
    def cross_attention(x, memory, params, heads, mask=None):
        return function(x, memory, params, heads, mask)

    cross_attention.__name__ = f"cross_{function.__name__}"
    return cross_attention


def wrong_keys_ask(x, params, heads, mask=None):
    swapped = params | {"query_proj": params["key_proj"], "key_proj": params["query_proj"]}
    return right_folded(x, x, swapped, heads, mask)


def wrong_always_causal(x, params, heads, mask=None):
    lower = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    return right_sdpa(x, x, params, heads, lower if mask is None else lower & mask)


def wrong_self_alone(x, memory, params, heads, mask=None):
    return right_head_loop(x, x, params, heads, None)


def wrong_self_with_mask(x, memory, params, heads, mask=None):
    return right_sdpa(x, x, params, heads, mask)


def wrong_memory_asks(x, memory, params, heads, mask=None):
    return right_sdpa(memory, x, params, heads, mask)


def wrong_memory_asks_unmasked(x, memory, params, heads, mask=None):
    return right_folded(memory, x, params, heads, None)


def wrong_memory_alone(x, memory, params, heads, mask=None):
    return right_folded(memory, memory, params, heads, mask)


def wrong_values_of_x(x, memory, params, heads, mask=None):
    return _layer(x, memory, params, heads, mask, of=(x, memory, x))


def wrong_keys_of_x(x, memory, params, heads, mask=None):
    return _layer(x, memory, params, heads, mask, of=(x, x, memory))


def wrong_both(x, memory, params, heads, mask=None):
    return right_sdpa(x, torch.hstack([memory, x]), params, heads, mask)


def wrong_cross_causal(x, memory, params, heads, mask=None):
    lower = np.tri(x.shape[1], memory.shape[1], dtype=bool)
    return right_folded(x, memory, params, heads, lower if mask is None else lower & mask)


LAYERS = [
    right_sdpa, right_module, right_head_loop, right_every_number, right_folded,
    right_grouped_batch,
]  # fmt: skip
RIGHT = [
    ("heads.causal-mask", right_loop_mask),
    ("heads.causal-mask", right_tril),
    ("heads.causal-mask", right_tri),
    ("heads.causal-mask", right_last_rows),
    ("heads.causal-mask", right_not_above),
    ("heads.causal-mask", right_list_of_lists),
    ("heads.padding-mask", right_padding_loop),
    ("heads.padding-mask", right_padding_outer),
    ("heads.padding-mask", right_padding_torch),
    ("heads.padding-mask", right_padding_lists),
    ("heads.padding-mask", right_padding_cumsum),
    ("heads.split-heads", right_split_slices),
    ("heads.split-heads", right_split_np),
    ("heads.split-heads", right_split_torch),
    ("heads.split-heads", right_split_fortran),
    ("heads.split-heads", right_split_numbers),
    ("heads.split-heads", right_split_view),
    ("heads.merge-heads", right_merge_concatenate),
    ("heads.merge-heads", right_merge_torch),
    ("heads.merge-heads", right_merge_einsum),
    ("heads.merge-heads", right_merge_flatten),
    ("heads.merge-heads", right_merge_filled),
    *(("heads.multi-head", _self(function)) for function in LAYERS),
    *(("heads.cross-attention", _cross(function)) for function in LAYERS),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("heads.causal-mask", "not-boolean", wrong_causal_numbers),
        ("heads.causal-mask", "not-boolean", wrong_causal_infinities),
        ("heads.causal-mask", "inverted", wrong_causal_hidden),
        ("heads.causal-mask", "inverted", wrong_causal_hidden_from_the_start),
        ("heads.causal-mask", "strict", wrong_causal_strict),
        ("heads.causal-mask", "strict", wrong_causal_range),
        ("heads.causal-mask", "one-too-many", wrong_causal_ahead),
        ("heads.causal-mask", "transposed", wrong_causal_upper),
        ("heads.causal-mask", "transposed", wrong_causal_turned),
        ("heads.causal-mask", "from-the-start", wrong_causal_start),
        ("heads.causal-mask", "from-the-start", wrong_causal_start_torch),
        ("heads.causal-mask", "shape", wrong_causal_square),
        ("heads.causal-mask", "shape", wrong_causal_short),
        ("heads.causal-mask", "shape", wrong_causal_with_a_batch),
        ("heads.causal-mask", "nothing-hidden", wrong_causal_open),
        ("heads.causal-mask", "only-itself", wrong_causal_diagonal),
        ("heads.causal-mask", "late-positions", wrong_causal_added_columns),
        ("heads.padding-mask", "not-boolean", wrong_padding_numbers),
        ("heads.padding-mask", "not-boolean", wrong_padding_integers),
        ("heads.padding-mask", "inverted", wrong_padding_hidden),
        ("heads.padding-mask", "off-by-one", wrong_padding_up_to),
        ("heads.padding-mask", "off-by-one", wrong_padding_from_one),
        ("heads.padding-mask", "over-queries", wrong_padding_rows),
        ("heads.padding-mask", "shape", wrong_padding_flat),
        ("heads.padding-mask", "shape", wrong_padding_four_axes),
        ("heads.padding-mask", "both-sides", wrong_padding_square),
        ("heads.padding-mask", "at-the-start", wrong_padding_left),
        ("heads.padding-mask", "one-length-for-all", wrong_padding_longest),
        ("heads.padding-mask", "shape", wrong_padding_cut_short),
        ("heads.padding-mask", "nothing-hidden", wrong_padding_open),
        ("heads.padding-mask", "only-the-last", wrong_padding_last),
        ("heads.split-heads", "reshape-only", wrong_split_view),
        ("heads.split-heads", "axes-in-place", wrong_split_unmoved),
        ("heads.split-heads", "strided", wrong_split_dealt),
        ("heads.split-heads", "width-and-time", wrong_split_turned),
        ("heads.split-heads", "heads-are-width", wrong_split_narrow),
        ("heads.split-heads", "heads-first", wrong_split_stacked),
        ("heads.split-heads", "three-axes-only", wrong_split_three),
        ("heads.split-heads", "repeated", wrong_split_first),
        ("heads.merge-heads", "view", wrong_merge_view),
        ("heads.merge-heads", "reshape-only", wrong_merge_reshape),
        ("heads.merge-heads", "dealt", wrong_merge_dealt),
        ("heads.merge-heads", "wrong-axes", wrong_merge_width),
        ("heads.merge-heads", "along-time", wrong_merge_in_time),
        ("heads.merge-heads", "not-joined", wrong_merge_open),
        ("heads.merge-heads", "averaged", wrong_merge_mean),
        ("heads.merge-heads", "four-axes-only", wrong_merge_four),
        *(("heads.multi-head", mistake, _self(function)) for mistake, function in SLIPS),
        ("heads.multi-head", "queries-and-keys-exchanged", wrong_keys_ask),
        ("heads.multi-head", "always-causal", wrong_always_causal),
        ("heads.multi-head", "truth-of-a-mask", _self(wrong_if_mask)),
        ("heads.cross-attention", "truth-of-a-mask", _cross(wrong_if_mask)),
        *(("heads.cross-attention", mistake, _cross(function)) for mistake, function in SLIPS),
        ("heads.cross-attention", "target-fed-to-itself", wrong_self_alone),
        ("heads.cross-attention", "target-fed-to-itself", wrong_self_with_mask),
        ("heads.cross-attention", "roles-exchanged", wrong_memory_asks),
        ("heads.cross-attention", "roles-exchanged", wrong_memory_asks_unmasked),
        ("heads.cross-attention", "memory-fed-to-itself", wrong_memory_alone),
        ("heads.cross-attention", "values-of-the-target", wrong_values_of_x),
        ("heads.cross-attention", "values-of-the-target", wrong_keys_of_x),
        ("heads.cross-attention", "both-joined", wrong_both),
        ("heads.cross-attention", "causal", wrong_cross_causal),
    ]
]
