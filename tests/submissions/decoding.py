"""Right and wrong answers to assignment "decoding", in other words than the catalogue's own."""

import heapq
import math

import numpy as np
import torch

# ---------------------------------------------------------------------------------- greedy


def right_recursive(model, prompt, steps, end=None):
    if steps == 0:
        return []
    token = int(np.argmax(model(np.array(prompt))))
    rest = [] if token == end else right_recursive(model, [*prompt, token], steps - 1, end)
    return [token, *rest]


def right_torch_greedy(model, prompt, steps, end=None):
    ids = torch.as_tensor(prompt)
    start = len(ids)
    while len(ids) < start + steps:
        token = torch.as_tensor(model(ids)).argmax()
        ids = torch.cat([ids, token[None]])
        if end is not None and token == end:
            break
    return ids[start:]


def right_batch_of_one(model, prompt, steps, end=None):
    ids = np.asarray([prompt])
    for _ in range(steps):
        ids = np.concatenate([ids, model(ids).argmax(axis=-1)[:, None]], axis=1)
        if ids[0, -1] == end:
            break
    return ids[0, len(prompt) :]


def wrong_all(model, prompt, steps, end=None):
    return [*prompt, *right_recursive(model, prompt, steps, end)]


def wrong_last(model, prompt, steps, end=None):
    token, new = prompt[-1], []
    while len(new) < steps:
        token = int(np.argmax(model([token])))
        new.append(token)
        if token == end:
            break
    return new


def wrong_without_prompt(model, prompt, steps, end=None):
    new = []
    while len(new) < steps and (not new or new[-1] != end):
        new = [*new, int(np.argmax(model(new if new else prompt)))]
    return new


def wrong_same_prompt(model, prompt, steps, end=None):
    token = int(np.argmax(model(prompt)))
    return [token] * (min(steps, 1) if token == end else steps)


def wrong_least(model, prompt, steps, end=None):
    return right_recursive(lambda ids: -model(ids), prompt, steps, end)


def wrong_end_dropped(model, prompt, steps, end=None):
    new = right_recursive(model, prompt, steps, end)
    return [token for token in new if token != end]


def wrong_endless(model, prompt, steps, end=None):
    return right_recursive(model, prompt, steps)


def wrong_one_short(model, prompt, steps, end=None):
    return right_recursive(model, prompt, max(steps - 1, 0), end)


# ---------------------------------------------------------------------------- next_weights


def right_logits_filtered(logits, temperature=1.0, top_k=None, top_p=None):
    logits = torch.as_tensor(logits) / temperature
    if top_k is not None:
        least = torch.topk(logits, min(top_k, len(logits))).values[-1]
        logits = logits.masked_fill(logits < least, -math.inf)
    if top_p is not None:
        sorted_logits, order = torch.sort(logits, descending=True)
        sums = sorted_logits.softmax(-1).cumsum(-1)
        drop = sums - sorted_logits.softmax(-1) >= top_p
        logits = logits.index_fill(0, order[drop], -math.inf)
    return logits.softmax(-1)


def right_loop(logits, temperature=1.0, top_k=None, top_p=None):
    powers = [math.exp((z - max(logits)) / temperature) for z in logits]
    ranked = sorted(range(len(powers)), key=lambda v: powers[v], reverse=True)
    ranked = ranked if top_k is None else ranked[:top_k]
    if top_p is not None:
        whole, kept = sum(powers[v] for v in ranked), []
        while ranked and (not kept or sum(powers[v] for v in kept) < top_p * whole):
            kept.append(ranked.pop(0))
        ranked = kept
    whole = sum(powers[v] for v in ranked)
    return [powers[v] / whole if v in ranked else 0.0 for v in range(len(powers))]


def _soft(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def _top(weights, k):
    kept = np.where(weights >= np.sort(weights)[-min(k, len(weights))], weights, 0)
    return kept / kept.sum()


def _nucleus(weights, p, cross=True):
    kept, total = np.zeros_like(weights), 0.0
    for v in np.argsort(weights)[::-1]:
        if not cross and total + weights[v] > p:
            break
        kept[v] = weights[v]
        total += weights[v]
        if total >= p:
            break
    return kept / kept.sum() if kept.any() else kept


def _weights(logits, temperature, top_k, top_p, steps="tkp"):
    weights = _soft(logits / temperature) if "t" in steps else _soft(logits)
    for step in steps:
        if step == "k" and top_k is not None:
            weights = _top(weights, top_k)
        if step == "p" and top_p is not None:
            weights = _nucleus(weights, top_p)
    return weights


def right_in_steps(logits, temperature=1.0, top_k=None, top_p=None):
    return _weights(logits, temperature, top_k, top_p)


def wrong_times_temperature(logits, temperature=1.0, top_k=None, top_p=None):
    return _weights(logits, 1 / temperature, top_k, top_p)


def wrong_cold(logits, temperature=1.0, top_k=None, top_p=None):
    return _weights(logits, 1.0, top_k, top_p)


def wrong_heat_last(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _weights(logits, 1.0, top_k, top_p)
    with np.errstate(divide="ignore"):
        return _soft(np.log(weights) / temperature)


def wrong_sum_below_one(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _soft(logits / temperature)
    if top_k is not None:
        weights = np.where(_top(weights, top_k) > 0, weights, 0)
    if top_p is not None:
        weights = np.where(_nucleus(weights, top_p) > 0, weights, 0)
    return weights


def wrong_least_kept(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _soft(logits / temperature)
    if top_k is not None:
        weights = np.where(np.argsort(np.argsort(weights)) < top_k, weights, 0)
        weights = weights / weights.sum()
    return weights if top_p is None else _nucleus(weights, top_p)


def wrong_below_p(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _weights(logits, temperature, top_k, None)
    if top_p is None:
        return weights
    return _nucleus(weights, top_p, cross=weights.max() > top_p)


def wrong_in_vocabulary_order(logits, temperature=1.0, top_k=None, top_p=None):
    weights = _weights(logits, temperature, top_k, None)
    if top_p is not None:
        kept, total = np.zeros_like(weights), 0.0
        for v, weight in enumerate(weights):
            if total < top_p:
                kept[v] = weight
            total += weight
        weights = kept / kept.sum()
    return weights


def wrong_p_then_k(logits, temperature=1.0, top_k=None, top_p=None):
    return _weights(logits, temperature, top_k, top_p, "tpk")


def wrong_zero_logit(logits, temperature=1.0, top_k=None, top_p=None):
    return _soft(np.where(_weights(logits, temperature, top_k, top_p) > 0, logits / temperature, 0))


# ----------------------------------------------------------------------------- beam search


def _logs(model, ids):
    return torch.log_softmax(torch.as_tensor(np.asarray(model(ids))), -1).tolist()


def _search(model, prompt, steps, beams, end, alpha, *, pool="both", count=len, gains=_logs):
    live, done = {(): 0.0}, {}
    for _ in range(steps):
        scored = {
            (*new, v): total + gain
            for new, total in live.items()
            for v, gain in enumerate(gains(model, np.array([*prompt, *new], dtype=int)))
        }
        best = heapq.nlargest(beams, scored, key=scored.get)
        done |= {new: scored[new] for new in best if new[-1] == end}
        live = {new: scored[new] for new in best if new[-1] != end}
        if not live or (pool == "first" and done):
            break
    pool = done if pool in ("done", "first") and done else done | live
    best = max(pool, key=lambda new: pool[new] / count(new) ** alpha)
    return list(best), pool[best] / count(best) ** alpha


def right_with_dicts(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, end, alpha)


def right_matrix(model, prompt, steps, beams, end, alpha=1.0):
    live, totals, done = np.asarray([prompt]), np.zeros(1), []
    for n in range(1, steps + 1):
        logits = model(live)
        logs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        sums = (totals[:, None] + logs).ravel()
        best = np.argsort(-sums)[:beams]
        V = logits.shape[-1]
        grown = np.concatenate([live[best // V], (best % V)[:, None]], axis=1)
        ended = best % V == end
        done += [(sums[b] / n**alpha, g) for b, g in zip(best[ended], grown[ended], strict=True)]
        live, totals = grown[~ended], sums[best][~ended]
        if not len(live):
            break
    done += [(t / n**alpha, g) for t, g in zip(totals, live, strict=True)]
    score, ids = max(done, key=lambda pair: pair[0])
    return ids[len(prompt) :], score


def wrong_single(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, 1, end, alpha)


def wrong_no_contest(model, prompt, steps, beams, end, alpha=1.0):
    first = np.asarray(_logs(model, np.array(prompt)))
    starts, found = np.argsort(-first)[:beams], []
    for v in starts:
        new, total = [int(v)], first[v]
        while len(new) < steps and new[-1] != end:
            logs = np.asarray(_logs(model, np.array([*prompt, *new])))
            new, total = [*new, int(logs.argmax())], total + logs.max()
        found.append((total / len(new) ** alpha, new))
    score, new = max(found)
    return new, score


def wrong_logits(model, prompt, steps, beams, end, alpha=1.0):
    return _search(
        model, prompt, steps, beams, end, alpha, gains=lambda m, ids: np.asarray(m(ids)).tolist()
    )


def wrong_probabilities(model, prompt, steps, beams, end, alpha=1.0):
    return _search(
        model, prompt, steps, beams, end, alpha, gains=lambda m, ids: np.exp(_logs(m, ids))
    )


def wrong_sum(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, end, 0)


def wrong_mean(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, end, 1)


def wrong_whole_length(model, prompt, steps, beams, end, alpha=1.0):
    return _search(
        model, prompt, steps, beams, end, alpha, count=lambda new: len(new) + len(prompt)
    )


def wrong_on_and_on(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, None, alpha)


def wrong_first(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, end, alpha, pool="first")


def wrong_done(model, prompt, steps, beams, end, alpha=1.0):
    return _search(model, prompt, steps, beams, end, alpha, pool="done")


def _kept_in_the_beam(model, prompt, steps, beams, end, alpha, by):
    live = [((), 0.0)]
    for _ in range(steps):
        rows = []
        for new, total in live:
            if new and new[-1] == end:
                rows.append((new, total))
                continue
            logs = _logs(model, np.array([*prompt, *new], dtype=int))
            rows += [((*new, v), total + log) for v, log in enumerate(logs)]
        live = heapq.nlargest(beams, rows, key=by)
    new, total = max(live, key=lambda beam: beam[1] / len(beam[0]) ** alpha)
    return list(new), total / len(new) ** alpha


def wrong_finished_stay(model, prompt, steps, beams, end, alpha=1.0):
    return _kept_in_the_beam(model, prompt, steps, beams, end, alpha, by=lambda beam: beam[1])


def wrong_early_mean(model, prompt, steps, beams, end, alpha=1.0):
    return _kept_in_the_beam(
        model, prompt, steps, beams, end, alpha, by=lambda beam: beam[1] / len(beam[0]) ** alpha
    )


def wrong_worst(model, prompt, steps, beams, end, alpha=1.0):
    live, done = [((), 0.0)], []
    for _ in range(steps):
        rows = [
            ((*new, v), total + log)
            for new, total in live
            for v, log in enumerate(_logs(model, np.array([*prompt, *new], dtype=int)))
        ]
        best = heapq.nlargest(beams, rows, key=lambda row: row[1])
        done += [row for row in best if row[0][-1] == end]
        live = [row for row in best if row[0][-1] != end]
    score, new = min((total / len(new) ** alpha, new) for new, total in done + live)
    return list(new), score


def wrong_whole_text(model, prompt, steps, beams, end, alpha=1.0):
    new, score = _search(model, prompt, steps, beams, end, alpha)
    return list(prompt) + new, score


# ----------------------------------------------------------------------------------- cache


def _attend(query, keys, values, root=True):
    scores = np.einsum("...d,...sd->...s", query, keys)
    weights = np.exp(scores / (query.shape[-1] ** 0.5 if root else 1.0))
    weights = weights / weights.sum(-1, keepdims=True)
    return np.einsum("...s,...se->...e", weights, values)


def right_lists(query, key, value, cache=None):
    cache = [*(cache or []), (key, value)]
    keys, values = (np.stack(rows, axis=-2) for rows in zip(*cache, strict=True))
    return _attend(query, keys, values), cache


def right_torch_cache(query, key, value, cache=None):
    cache = cache or {
        "k": query.new_zeros(*key.shape[:-1], 0, key.shape[-1]),
        "v": query.new_zeros(*value.shape[:-1], 0, value.shape[-1]),
    }
    keys = torch.cat([cache["k"], key.unsqueeze(-2)], -2)
    values = torch.cat([cache["v"], value.unsqueeze(-2)], -2)
    output = torch.nn.functional.scaled_dot_product_attention(query.unsqueeze(-2), keys, values)
    return output.squeeze(-2), {"k": keys, "v": values}


def right_running(query, key, value, cache=None):
    """Newest first: the order of keys does not matter as long as values stand in the same one."""
    keys, values = key[..., None, :], value[..., None, :]
    if cache:
        keys = np.concatenate((keys, cache["keys"]), -2)
        values = np.concatenate((values, cache["values"]), -2)
    return _attend(query, keys, values), {"keys": keys, "values": values}


def wrong_late(query, key, value, cache=None):
    past = list(cache or [(key, value)])
    keys, values = (np.stack(rows, axis=-2) for rows in zip(*past, strict=True))
    return _attend(query, keys, values), [*(cache or []), (key, value)]


def wrong_alone(query, key, value, cache=None):
    return value + 0, [*(cache or []), (key, value)]


def wrong_stale(query, key, value, cache=None):
    output, longer = right_lists(query, key, value, cache)
    return output, longer if len(longer) == 1 else cache


def wrong_newest(query, key, value, cache=None):
    return right_lists(query, key, value, cache)[0], [(key, value)]


def wrong_double(query, key, value, cache=None):
    output, longer = right_lists(query, key, value, [*(cache or []), (key, value)])
    return output, longer[:-1]


def wrong_append(query, key, value, cache=None):
    cache = [] if cache is None else cache
    cache.append((key, value))
    return right_lists(query, key, value, cache[:-1])[0], cache


_KEPT = []


def wrong_global(query, key, value, cache=None):
    if _KEPT and _KEPT[0][0].shape != key.shape:
        _KEPT.clear()
    _KEPT.append((key, value))
    return right_lists(query, key, value, _KEPT[:-1])[0], _KEPT


def wrong_plain(query, key, value, cache=None):
    longer = right_lists(query, key, value, cache)[1]
    keys, values = (np.stack(rows, axis=-2) for rows in zip(*longer, strict=True))
    return _attend(query, keys, values, root=False), longer


def wrong_queries(query, key, value, cache=None):
    return right_lists(query, query, value, cache)


def wrong_order(query, key, value, cache=None):
    keys = [*(cache[0] if cache else []), key]
    values = [value, *(cache[1] if cache else [])]
    return _attend(query, np.stack(keys, -2), np.stack(values, -2)), (keys, values)


def wrong_end_is_false(model, prompt, steps, end=None):
    new = []
    while len(new) < steps:
        new.append(int(np.argmax(model(np.array([*prompt, *new])))))
        if end and new[-1] == end:
            break
    return new


def wrong_end_was_there(model, prompt, steps, end=None):
    ids = list(prompt)
    for _ in range(steps):
        if end in ids:
            break
        ids.append(int(np.argmax(model(np.array(ids)))))
    return ids[len(prompt) :]


def wrong_pair(query, key, value, cache=None):
    keys, values = np.expand_dims(key, -2), np.expand_dims(value, -2)
    if cache is not None:
        keys = np.concatenate((cache[0], keys), -2)
        values = np.concatenate((cache[1], values), -2)
    return (keys, values), _attend(query, keys, values)


RIGHT = [
    ("decoding.greedy", right_recursive),
    ("decoding.greedy", right_torch_greedy),
    ("decoding.greedy", right_batch_of_one),
    ("decoding.next-weights", right_logits_filtered),
    ("decoding.next-weights", right_loop),
    ("decoding.next-weights", right_in_steps),
    ("decoding.beam-search", right_with_dicts),
    ("decoding.beam-search", right_matrix),
    ("decoding.cache", right_lists),
    ("decoding.cache", right_torch_cache),
    ("decoding.cache", right_running),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("decoding.greedy", "end-zero", wrong_end_is_false),
        ("decoding.greedy", "end-in-prompt", wrong_end_was_there),
        ("decoding.greedy", "prompt-included", wrong_all),
        ("decoding.greedy", "last-token-only", wrong_last),
        ("decoding.greedy", "prompt-forgotten", wrong_without_prompt),
        ("decoding.greedy", "not-fed-back", wrong_same_prompt),
        ("decoding.greedy", "argmin", wrong_least),
        ("decoding.greedy", "end-missing", wrong_end_dropped),
        ("decoding.greedy", "end-ignored", wrong_endless),
        ("decoding.greedy", "off-by-one", wrong_one_short),
        ("decoding.next-weights", "temperature-multiplied", wrong_times_temperature),
        ("decoding.next-weights", "temperature-ignored", wrong_cold),
        ("decoding.next-weights", "temperature-last", wrong_heat_last),
        ("decoding.next-weights", "not-renormalised", wrong_sum_below_one),
        ("decoding.next-weights", "smallest-kept", wrong_least_kept),
        ("decoding.next-weights", "top-p-too-few", wrong_below_p),
        ("decoding.next-weights", "top-p-unsorted", wrong_in_vocabulary_order),
        ("decoding.next-weights", "order", wrong_p_then_k),
        ("decoding.next-weights", "dropped-logits-zero", wrong_zero_logit),
        ("decoding.beam-search", "greedy", wrong_single),
        ("decoding.beam-search", "per-beam", wrong_no_contest),
        ("decoding.beam-search", "logits-added", wrong_logits),
        ("decoding.beam-search", "probabilities-added", wrong_probabilities),
        ("decoding.beam-search", "not-normalised", wrong_sum),
        ("decoding.beam-search", "alpha-ignored", wrong_mean),
        ("decoding.beam-search", "prompt-counted", wrong_whole_length),
        ("decoding.beam-search", "normalised-too-early", wrong_early_mean),
        ("decoding.beam-search", "finished-extended", wrong_finished_stay),
        ("decoding.beam-search", "end-ignored", wrong_on_and_on),
        ("decoding.beam-search", "stops-at-first-end", wrong_first),
        ("decoding.beam-search", "live-dropped", wrong_done),
        ("decoding.beam-search", "worst", wrong_worst),
        ("decoding.beam-search", "prompt-included", wrong_whole_text),
        ("decoding.cache", "off-by-one", wrong_late),
        ("decoding.cache", "no-past", wrong_alone),
        ("decoding.cache", "not-grown", wrong_stale),
        ("decoding.cache", "not-grown", wrong_newest),
        ("decoding.cache", "added-twice", wrong_double),
        ("decoding.cache", "in-place", wrong_append),
        ("decoding.cache", "shared", wrong_global),
        ("decoding.cache", "missing-root", wrong_plain),
        ("decoding.cache", "queries-kept", wrong_queries),
        ("decoding.cache", "values-out-of-order", wrong_order),
        ("decoding.cache", "order", wrong_pair),
    ]
]
