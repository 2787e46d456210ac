"""Answers to assignment "decoding" that were written without a look at the catalogue."""

import math

import numpy as np
import torch


def _soft(logits):
    powers = np.exp(logits - np.max(logits))
    return powers / powers.sum()


def _renewed(weights, keep):
    return np.where(keep, weights, 0.0) / weights[keep].sum()


def right_greedy_torch(model, prompt, steps, end=None):
    ids = torch.as_tensor(list(prompt))
    for _ in range(steps):
        ids = torch.cat([ids, torch.as_tensor(model(ids)).argmax().reshape(1)])
        if end is not None and ids[-1] == end:
            break
    return ids[len(prompt) :].tolist()


def right_greedy_recursive(model, prompt, steps, end=None):
    if steps == 0:
        return []
    token = max(enumerate(model(np.array(prompt))), key=lambda pair: pair[1])[0]
    return [token] + (
        [] if token == end else right_greedy_recursive(model, [*prompt, token], steps - 1, end)
    )


def right_next_torch(logits, temperature=1.0, top_k=None, top_p=None):
    logits = logits / temperature
    if top_k is not None:
        kept = torch.topk(logits, min(top_k, len(logits))).indices
        masked = torch.full_like(logits, -torch.inf)
        masked[kept] = logits[kept]
        logits = masked
    weights = torch.softmax(logits, 0)
    if top_p is not None:
        ordered, order = weights.sort(descending=True)
        drop = ordered.cumsum(0) - ordered >= top_p
        weights = weights.index_fill(0, order[drop], 0.0)
    return weights / weights.sum()


def right_next_loop(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _soft(np.asarray(logits) / temperature)
    ranked = sorted(range(len(weights)), key=lambda v: weights[v], reverse=True)
    if top_k is not None:
        ranked = ranked[:top_k]
    total = sum(weights[v] for v in ranked)
    kept, reached = [], 0.0
    for v in ranked:
        kept.append(v)
        reached += weights[v] / total
        if top_p is not None and reached >= top_p:
            break
    return [
        weights[v] / sum(weights[k] for k in kept) if v in kept else 0 for v in range(len(weights))
    ]


def right_next_single(logits, temperature=1.0, top_k=None, top_p=None):
    return np.float32(right_next_loop(logits, temperature, top_k, top_p))


def right_step_lists(query, key, value, cache=None):
    past = [*(cache or []), (key, value)]
    scores = np.stack([(query * k).sum(-1) for k, _ in past], -1) / math.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    return sum(weights[..., [s]] * v for s, (_, v) in enumerate(past)), past


def right_step_dict(query, key, value, cache=None):
    keys, values = key.unsqueeze(-2), value.unsqueeze(-2)
    if cache is not None:
        keys = torch.cat((cache["k"], keys), -2)
        values = torch.cat((cache["v"], values), -2)
    found = torch.nn.functional.scaled_dot_product_attention(query.unsqueeze(-2), keys, values)
    return found.squeeze(-2), {"k": keys, "v": values}


def right_step_single(query, key, value, cache=None):
    return (lambda out, kept: (np.float64(out), kept))(
        *right_step_lists(*(np.float32(a) for a in (query, key, value)), cache)
    )


def _beams(model, prompt, steps, beams, end, alpha, choose):
    live, done = [((), 0.0)], []
    for _ in range(steps):
        grown = []
        for new, total in live:
            logs = np.log(_soft(np.asarray(model(np.array([*prompt, *new])))))
            grown += [((*new, v), total + logs[v]) for v in range(len(logs))]
        grown.sort(key=lambda beam: beam[1], reverse=True)
        done += [beam for beam in grown[:beams] if beam[0][-1] == end]
        live = [beam for beam in grown[:beams] if beam[0][-1] != end]
        if not live:
            break
    new, total = choose(done, live)
    return list(new), total / len(new) ** alpha


def right_beam_sorted(model, prompt, steps, beams, end, alpha=1.0):
    def choose(done, live):
        return sorted(done + live, key=lambda beam: beam[1] / len(beam[0]) ** alpha)[-1]

    return _beams(model, prompt, steps, beams, end, alpha, choose)


def wrong_beam_default(model, prompt, steps, beams, end, alpha=0.6):
    return right_beam_sorted(model, prompt, steps, beams, end, alpha)


def wrong_beam_live_only(model, prompt, steps, beams, end, alpha=1.0):
    def choose(done, live):
        return max(live or done, key=lambda beam: beam[1] / len(beam[0]) ** alpha)

    return _beams(model, prompt, steps, beams, end, alpha, choose)


def wrong_beam_first_done(model, prompt, steps, beams, end, alpha=1.0):
    def choose(done, live):
        return done[0] if done else max(live, key=lambda beam: beam[1])

    return _beams(model, prompt, steps, beams, end, alpha, choose)


def wrong_beam_best_sum(model, prompt, steps, beams, end, alpha=1.0):
    return _beams(
        model, prompt, steps, beams, end, alpha,
        lambda done, live: max(done + live, key=lambda beam: beam[1]),
    )  # fmt: skip


def wrong_beam_tokens_only(model, prompt, steps, beams, end, alpha=1.0):
    return right_beam_sorted(model, prompt, steps, beams, end, alpha)[0]


def wrong_step_output_only(query, key, value, cache=None):
    return right_step_lists(query, key, value, cache)[0]


def wrong_step_three(query, key, value, cache=None):
    output, past = right_step_lists(query, key, value, cache)
    return output, [k for k, _ in past], [v for _, v in past]


def wrong_step_by_width(query, key, value, cache=None):
    return right_step_lists(query / query.shape[-1] ** 0.5, key, value, cache)


def wrong_step_by_count(query, key, value, cache=None):
    count = len(cache or []) + 1
    return right_step_lists(query * (query.shape[-1] / count) ** 0.5, key, value, cache)


def wrong_step_half(query, key, value, cache=None):
    return right_step_lists(*(np.float16(a) for a in (query, key, value)), cache)


def _next(k=None, p=None):
    def wrong(logits, temperature=1.0, top_k=None, top_p=None):
        weights = _soft(logits / temperature)
        if top_k is not None:
            weights = k(weights, top_k) if k else right_next_loop(np.log(weights), 1.0, top_k)
            weights = np.asarray(weights)
        if top_p is not None:
            with np.errstate(divide="ignore"):
                logs = np.log(weights)
            weights = p(weights, top_p) if p else right_next_loop(logs, 1.0, None, top_p)
        return weights

    return wrong


def wrong_next_k_plus_one(*given, **options):
    return _next(k=lambda w, k: _renewed(w, w >= np.sort(w)[::-1][min(k, len(w) - 1)]))(
        *given, **options
    )


def wrong_next_k_strict(*given, **options):
    return _next(k=lambda w, k: _renewed(w, w > np.sort(w)[::-1][k - 1] if k <= len(w) else w > 0))(
        *given, **options
    )


def wrong_next_k_index(*given, **options):
    return _next(k=lambda w, k: _renewed(w, w >= np.sort(w)[-k]))(*given, **options)


def wrong_next_no_k(*given, **options):
    return _next(k=lambda w, k: w)(*given, **options)


def wrong_next_no_p(*given, **options):
    return _next(p=lambda w, p: w)(*given, **options)


def wrong_next_p_each(*given, **options):
    return _next(p=lambda w, p: _renewed(w, w >= p * w.max()))(*given, **options)


def wrong_next_p_limit(*given, **options):
    return _next(p=lambda w, p: _renewed(w, w >= min(1 - p, w.max())))(*given, **options)


def wrong_next_p_one_more(*given, **options):
    def nucleus(w, p):
        order = np.argsort(w)[::-1]
        cut = int(np.searchsorted(np.cumsum(w[order]), p)) + 2
        return _renewed(w, np.isin(np.arange(len(w)), order[:cut]))

    return _next(p=nucleus)(*given, **options)


def wrong_next_p_one_less(*given, **options):
    def nucleus(w, p):
        order = np.argsort(w)[::-1]
        cut = max(1, int(np.searchsorted(np.cumsum(w[order]), p)))
        return _renewed(w, np.isin(np.arange(len(w)), order[:cut]))

    return _next(p=nucleus)(*given, **options)


def wrong_next_p_not_renewed(*given, **options):
    def nucleus(w, p):
        order = np.argsort(w)[::-1]
        cut = int(np.searchsorted(np.cumsum(w[order]), p)) + 1
        return np.where(np.isin(np.arange(len(w)), order[:cut]), w, 0)

    return _next(p=nucleus)(*given, **options)


def wrong_next_p_complement(*given, **options):
    def nucleus(w, p):
        order = np.argsort(w)[::-1]
        cut = int(np.searchsorted(np.cumsum(w[order]), 1 - p)) + 1
        return _renewed(w, np.isin(np.arange(len(w)), order[:cut]))

    return _next(p=nucleus)(*given, **options)


def wrong_next_minus_twenty(logits, temperature=1.0, top_k=None, top_p=None):
    kept = np.asarray(right_next_loop(logits, temperature, top_k, top_p)) > 0
    return _soft(np.where(kept, logits / temperature, -25.0))


def wrong_next_safety(logits, temperature=1.0, top_k=None, top_p=None):
    weights = np.asarray(right_next_loop(logits, temperature, top_k, top_p)) + 1e-10
    return weights / weights.sum()


def wrong_greedy_copies_end(model, prompt, steps, end=None):
    new = right_greedy_recursive(model, prompt, steps, end)
    return new + [end] * (steps - len(new))


W, B, C = "decoding.next-weights", "decoding.beam-search", "decoding.cache"
RIGHT = [
    ("decoding.greedy", right_greedy_torch), ("decoding.greedy", right_greedy_recursive),
    (W, right_next_torch), (W, right_next_loop), (W, right_next_single),
    (C, right_step_lists), (C, right_step_dict), (C, right_step_single),
    (B, right_beam_sorted),
]  # fmt: skip
WRONG = [
    (B, f"{B}.another-default", wrong_beam_default),
    (B, f"{B}.finished-dropped", wrong_beam_live_only),
    (B, f"{B}.stops-at-first-end", wrong_beam_first_done),
    (B, f"{B}.not-normalised", wrong_beam_best_sum),
    (B, "general.kind", wrong_beam_tokens_only),
    (C, f"{C}.output-only", wrong_step_output_only),
    (C, f"{C}.output-only", wrong_step_three),
    (C, f"{C}.other-root", wrong_step_by_width),
    (C, f"{C}.other-root", wrong_step_by_count),
    (C, "general.unknown", wrong_step_half),
    (W, f"{W}.top-k-off-by-one", wrong_next_k_plus_one),
    (W, f"{W}.top-k-off-by-one", wrong_next_k_strict),
    (W, f"{W}.top-k-too-large", wrong_next_k_index),
    (W, f"{W}.top-k-ignored", wrong_next_no_k),
    (W, f"{W}.top-p-ignored", wrong_next_no_p),
    (W, f"{W}.top-p-one-by-one", wrong_next_p_each),
    (W, f"{W}.top-p-one-by-one", wrong_next_p_limit),
    (W, f"{W}.top-p-too-many", wrong_next_p_one_more),
    (W, f"{W}.top-p-too-few", wrong_next_p_one_less),
    (W, f"{W}.not-renormalised", wrong_next_p_not_renewed),
    (W, f"{W}.top-p-complement", wrong_next_p_complement),
    (W, f"{W}.nearly-zero", wrong_next_minus_twenty),
    (W, f"{W}.nearly-zero", wrong_next_safety),
    ("decoding.greedy", "decoding.greedy.end-ignored", wrong_greedy_copies_end),
]
