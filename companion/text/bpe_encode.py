"""Apply merges to one piece of text, and find the special tokens between the pieces."""

import heapq
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

Ranks: TypeAlias = Mapping[tuple[int, int], tuple[int, int]]

_GONE = -1  # where the right half of a joined pair stood; no pair of tokens holds it


def join_piece(piece: Sequence[int], ranks: Ranks) -> list[int]:
    """Join neighbours, always the pair of the lowest rank, the leftmost of several, to the end.

        ranks {(a,a): 0, (a,b): 1, (aa,ab): 2}:   a a a b → aa a b → aa ab → aaab

    piece  token ids   ranks  (left, right) → (rank, id of the joined token)
    Returns the ids that are left. With n = len(piece) it takes O(n log n) steps: neighbours are
    linked, and a heap holds the pairs that could be joined, also those that have gone since.

    Source: Sennrich et al. 2016, section 3.2. Differs from the loop in the code of GPT-2, which
    joins every place of a pair at once, only where a joined token opens a pair of lower rank:
    merges that were learned as in `learn_merges` never do.
    """
    ids, end = list(piece), len(piece)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    heap = [(ranks[pair][0], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]
    heapq.heapify(heap)
    while heap:
        rank, left = heapq.heappop(heap)
        right = after[left]
        if right == end or (known := ranks.get((ids[left], ids[right]))) is None:
            continue
        if known[0] != rank:  # the pair this entry spoke of has gone
            continue
        ids[left], ids[right] = known[1], _GONE
        after[left] = after[right]
        if after[left] != end:
            before[after[left]] = left
        for at in (before[left], left):
            if at >= 0 and after[at] != end:
                pair = ids[at], ids[after[at]]
                if pair in ranks:
                    heapq.heappush(heap, (ranks[pair][0], at))
    return [i for i in ids if i != _GONE]


def split_special(text: str, special: Collection[str]) -> Iterator[str]:
    """Cut a text before and after each special token: leftmost first, then the longest."""
    if not special:
        yield text
        return
    longest_first = sorted(special, key=len, reverse=True)
    yield from re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
