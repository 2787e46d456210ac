"""Task: attention with a key-value cache, one token at a time."""

from typing import Any

import numpy as np

from companion.assignments.task import Call, Case, Mistake, Ref, Task, Text
from companion.with_numpy import softmax

Cache = tuple[Any, Any] | None


def attend_step(query: Any, key: Any, value: Any, cache: Cache = None) -> tuple[Any, Cache]:
    """One token looks at itself and at all before it; returns its output and the longer cache."""
    keys = key[..., None, :] if cache is None else _joined(cache[0], key)
    values = value[..., None, :] if cache is None else _joined(cache[1], value)
    return _output(query, keys, values), (keys, values)


def _joined(rows: Any, row: Any) -> Any:
    return np.concatenate([rows, row[..., None, :]], axis=-2)


def _output(query: Any, keys: Any, values: Any, root: Any = lambda D, S: D**0.5) -> Any:
    scores = (keys @ query[..., :, None])[..., 0]
    weights = softmax(scores / root(query.shape[-1], keys.shape[-2]))
    return (weights[..., None, :] @ values)[..., 0, :]


def cases(rng: np.random.Generator) -> list[Case]:
    """Three, five and eight tokens, heads, and a cache that is continued twice."""

    def tokens(count: int, D: int, E: int, *lead: int) -> list[tuple[Any, Any, Any]]:
        return [
            tuple(rng.normal(size=(*lead, size)) for size in (D, D, E))  # type: ignore[misc]
            for _ in range(count)
        ]

    def chain(name: str, part: str, drawn: list[tuple[Any, Any, Any]]) -> Case:
        calls = [Call("attend_step", drawn[0], look=(0,))]
        calls += [
            Call("attend_step", (*token, Ref(at, 1)), look=(0,))
            for at, token in enumerate(drawn[1:])
        ]
        return Case(name, tuple(calls), part)

    first, second, left, right, after = tokens(5, 3, 2)
    fork = (
        Call("attend_step", first, look=(0,)),
        Call("attend_step", (*second, Ref(0, 1)), look=(0,)),
        Call("attend_step", (*left, Ref(1, 1)), look=(0,)),
        Call("attend_step", (*right, Ref(1, 1)), look=(0,)),
        Call("attend_step", (*after, Ref(3, 1)), look=(0,)),
    )
    again = tokens(2, 4, 3)
    return [
        chain("two tokens", "values", tokens(2, 2, 2)),
        chain("five tokens", "values", tokens(5, 4, 3)),
        chain("three heads", "heads", tokens(4, 5, 2, 3)),
        Case("one cache, continued twice", fork, "cache"),
        Case(
            "a second sequence after the first",
            (
                Call("attend_step", again[0], look=(0,)),
                Call("attend_step", again[1], look=(0,)),
            ),
            "cache",
        ),
    ]


def _current_only(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    return _output(query, key[..., None, :], value[..., None, :]), attend_step(
        query, key, value, cache
    )[1]


def _past_only(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    longer = attend_step(query, key, value, cache)[1]
    keys, values = cache if cache is not None else (key[..., None, :], value[..., None, :])
    return _output(query, keys, values), longer


def _not_grown(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    output, longer = attend_step(query, key, value, cache)
    return output, longer if cache is None else cache


def _last_pair(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    output, _ = attend_step(query, key, value, cache)
    return output, (key[..., None, :], value[..., None, :])


def _twice(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    output, once = attend_step(query, key, value, cache)
    return output, attend_step(query, key, value, once)[1] if cache is not None else once


def _twice_seen(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    once = attend_step(query, key, value, cache)[1]
    output = attend_step(query, key, value, once)[0]
    return output, once


def _twice_first(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    output, once = attend_step(query, key, value, cache)
    return output, attend_step(query, key, value, once)[1] if cache is None else once


def _cache_first(query: Any, key: Any, value: Any, cache: Any = None) -> Any:
    return attend_step(query, key, value, cache)[::-1]


def _rooted(root: Any) -> Any:
    def wrong(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
        longer = attend_step(query, key, value, cache)[1]
        keys, values = longer  # type: ignore[misc]
        return _output(query, keys, values, root), longer

    return wrong


def _queries_kept(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    keys, values = attend_step(query, query, value, cache)[1]  # type: ignore[misc]
    return _output(query, keys, values), (keys, values)


def _reversed_values(query: Any, key: Any, value: Any, cache: Cache = None) -> Any:
    keys = key[..., None, :] if cache is None else _joined(cache[0], key)
    values = value[..., None, :]
    values = values if cache is None else np.concatenate([values, cache[1]], axis=-2)
    return _output(query, keys, values), (keys, values)


def _in_place(query: Any, key: Any, value: Any, cache: Any = None) -> Any:
    cache = [[], []] if cache is None else cache
    cache[0].append(key)
    cache[1].append(value)
    keys, values = np.stack(cache[0], axis=-2), np.stack(cache[1], axis=-2)
    return _output(query, keys, values), cache


def _default_argument() -> Any:
    kept: Any = [[], []]

    def attend_step(query: Any, key: Any, value: Any, cache: Any = kept) -> Any:
        if cache[0] and np.shape(cache[0][0]) != np.shape(key):
            cache[0].clear()
            cache[1].clear()
        return _in_place(query, key, value, cache)

    return attend_step


TASK = Task(
    id="decoding.cache",
    function="attend_step",
    signature="attend_step(query, key, value, cache=None)",
    goal=Text(
        "Attention of one new token over all so far, with their keys and values kept in a cache.",
        "一个新词元对目前所有词元的注意力，键和值保存在缓存中。",
    ),
    cases=cases,
    reference={"attend_step": attend_step},
    mistakes=(
        Mistake(
            "decoding.cache.output-only",
            Text("the output without the cache", "只返回了输出，没有返回缓存"),
            Text(
                "Two things are asked for, the output and the longer cache: without the cache the "
                "next token has nothing to look back at.",
                "要返回两样东西：输出和加长后的缓存。没有缓存，下一个词元就无从回看。",
            ),
            "transformer/decoding",
            instead=lambda value: not isinstance(value, list | tuple) or len(value) != 2,
        ),
        Mistake(
            "decoding.cache.order",
            Text("cache and output in the wrong order", "缓存与输出的顺序颠倒"),
            Text("Return the output first, then the cache.", "应先返回输出，再返回缓存。"),
            "transformer/decoding",
            variants=(_cache_first,),
        ),
        Mistake(
            "decoding.cache.off-by-one",
            Text("the new token does not see itself", "新词元看不到自己"),
            Text(
                "The output is taken before the new key and value join the cache: off by one. In "
                "causal attention a position looks at itself too.",
                "新的键和值还没进入缓存就计算了输出，差了一位。因果注意力中每个位置也看自己。",
            ),
            "transformer/decoding",
            variants=(_past_only,),
        ),
        Mistake(
            "decoding.cache.no-past",
            Text("the cache is not looked at", "没有使用缓存中的内容"),
            Text(
                "The new token looks at itself alone, so that the output is its own value.",
                "新词元只看自己，输出就等于它自己的值。",
            ),
            "transformer/decoding",
            variants=(_current_only,),
        ),
        Mistake(
            "decoding.cache.not-grown",
            Text("the cache does not grow", "缓存没有增长"),
            Text(
                "The second token is right, the third is not: what comes back is the old cache, or "
                "one that holds the newest token alone.",
                "第二个词元正确，第三个就错了：返回的是旧缓存，或只含最新词元的缓存。",
            ),
            "transformer/decoding",
            variants=(_not_grown, _last_pair),
        ),
        Mistake(
            "decoding.cache.added-twice",
            Text("tokens are added twice", "词元被加入了两次"),
            Text(
                "A key that stands in the cache twice gets twice the weight.",
                "缓存中出现两次的键会得到两倍的权重。",
            ),
            "transformer/decoding",
            variants=(_twice, _twice_seen, _twice_first),
        ),
        Mistake(
            "decoding.cache.in-place",
            Text("the cache is changed in place", "就地修改了缓存"),
            Text(
                "Continuing one cache twice, as beam search does, must give two independent "
                "sequences. `append` changes the caller's cache: make a new one.",
                "同一个缓存被继续两次（如束搜索）时，应得到两个互不影响的序列。"
                "append 会改动调用者的缓存：请生成新的缓存。",
            ),
            "transformer/decoding",
            variants=(_in_place,),
            only=frozenset({"one cache, continued twice"}),
        ),
        Mistake(
            "decoding.cache.shared",
            Text("the cache outlives the sequence", "缓存跨序列残留"),
            Text(
                "A new sequence (cache=None) still sees tokens of an earlier one: a default "
                "argument or a global variable keeps them.",
                "新的序列（cache=None）仍能看到之前序列的词元：被默认参数或全局变量保留了。",
            ),
            "transformer/decoding",
            variants=(_default_argument(),),
            only=frozenset({"a second sequence after the first"}),
        ),
        Mistake(
            "decoding.cache.missing-root",
            Text("not divided by √D", "没有除以 √D"),
            Text("The scores are plain dot products.", "得分是未缩放的点积。"),
            "attention/scores",
            variants=(_rooted(lambda D, S: 1.0),),
        ),
        Mistake(
            "decoding.cache.other-root",
            Text("divided by another number than √D", "除以的不是 √D"),
            Text(
                "The scores are divided by the root of D, the width of a key: not by D itself, nor "
                "by the root of the number of tokens in the cache, which grows.",
                "得分应除以 √D（D 是键的宽度）：不是除以 D 本身，"
                "也不是缓存中词元个数的平方根（它一直在变）。",
            ),
            "attention/scores",
            variants=(
                _rooted(lambda D, S: D),
                _rooted(lambda D, S: S**0.5),
                _rooted(lambda D, S: S),
                _rooted(lambda D, S: D**-0.5),
            ),
        ),
        Mistake(
            "decoding.cache.queries-kept",
            Text("queries kept instead of keys", "缓存了查询而不是键"),
            Text(
                "Old queries are never needed again; what later tokens compare with are the keys.",
                "旧的查询不会再用到；之后的词元要比较的是键。",
            ),
            "transformer/decoding",
            variants=(_queries_kept,),
        ),
        Mistake(
            "decoding.cache.values-out-of-order",
            Text("keys and values in different order", "键与值的顺序不一致"),
            Text(
                "Key s and value s belong to the same token: append both at the same end.",
                "键 s 与值 s 属于同一个词元：两者要加在同一端。",
            ),
            "transformer/decoding",
            variants=(_reversed_values,),
        ),
    ),
    hints=(
        Text(
            "What must be in the cache before the scores are taken?",
            "计算得分之前，缓存里应该有什么？",
        ),
        Text(
            "Join first (a new array, not append), then attend, then return the joined pair.",
            "先拼接（生成新数组，而不是 append），再做注意力，最后返回拼接后的键和值。",
        ),
    ),
    reread="transformer/decoding",
    parts={"values": 0.5, "heads": 0.2, "cache": 0.3},
)
