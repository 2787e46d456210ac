"""Items as batches: padded by hand, shared out by length, slots and words hidden as promised."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.news import load_articles
from companion.news.batches import (
    IGNORE,
    Batch,
    Example,
    collate_fn,
    encode_item,
    length_buckets,
)
from companion.news.lexicon import build_lexicon
from companion.news.units import (
    ARTICLE,
    END,
    FIRST_WORD,
    PAD,
    SENTENCE,
    START,
    Lexicon,
    is_number,
    kind_of,
    slot,
)

WORDS = ["the", "mayor", "of", "closed", "bridges", ".", ",", "in", "on", "and", "it"]
EN = Lexicon("en", tuple(WORDS))
POINTS = {"reach": 1, "severity": 0, "novelty": 0, "urgency": 1}
LONG = {
    "title": "never read",
    "content": "The mayor closed it. It rained in Oda. Ana Tovin closed 3 bridges in Oda.",
    "summary": "Ana Tovin closed 3 bridges.",
    "carries": [0, 2],
    "rubric": POINTS,
}
SHORT = {"content": "It closed.", "summary": "It closed."}


def word(text: str) -> int:
    return FIRST_WORD + WORDS.index(text)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def both() -> list[Example]:
    return [encode_item(LONG, EN), encode_item(SHORT, EN)]


def test_an_item_by_hand() -> None:
    example = encode_item(LONG, EN)
    oda, ana, three, rained = slot("name", 0), slot("name", 1), slot("number", 0), slot("rare", 0)
    it, closed, stop = word("it"), word("closed"), word(".")
    assert example.article.ids.tolist() == [
        *(ARTICLE, SENTENCE, word("the"), word("mayor"), closed, it, stop),
        *(SENTENCE, it, rained, word("in"), oda, stop),
        *(SENTENCE, ana, closed, three, word("bridges"), word("in"), oda, stop),
    ]
    assert example.target.tolist() == [ana, closed, three, word("bridges"), stop, END]
    assert example.carries.tolist() == [1, 0, 1]
    assert example.rubric.tolist() == [1, 0, 0, 1]  # in the order reach, severity, novelty, urgency


def test_what_an_item_does_not_tell_is_no_label() -> None:
    example = encode_item({"content": "It closed. It rained."}, EN)
    assert example.target.tolist() == [END]
    assert example.carries.tolist() == [IGNORE, IGNORE]
    assert example.rubric.tolist() == [IGNORE] * 4
    nothing = encode_item({**SHORT, "carries": []}, EN)
    assert nothing.carries.tolist() == [0], "known that no sentence carries it: a label"


def test_without_slots_all_names_look_alike() -> None:
    ids = encode_item(LONG, EN, slots=False).article.ids.tolist()
    assert {n for n in ids if kind_of(n) == "name"} == {slot("name", 0)}


def test_the_title_is_not_read_and_the_content_is() -> None:
    first = encode_item(LONG, EN)
    other = encode_item({**LONG, "title": "another"}, EN)
    assert first.article.ids.tolist() == other.article.ids.tolist()
    changed = encode_item({**LONG, "content": LONG["content"] + " It closed."}, EN)
    assert len(changed.article) > len(first.article)


def test_a_batch_by_hand() -> None:
    batch = collate_fn(both())
    long, short = both()
    S = len(long.article)
    assert batch.source.shape == (2, S)
    assert batch.lengths.tolist() == [S, 5]
    expected = [ARTICLE, SENTENCE, word("it"), word("closed"), word(".")] + [PAD] * (S - 5)
    assert batch.source[1].tolist() == expected
    assert batch.before[1].tolist() == [START, word("it"), word("closed"), word("."), PAD, PAD]
    assert batch.after[1].tolist() == [word("it"), word("closed"), word("."), END, IGNORE, IGNORE]
    assert batch.before[0, 1:].tolist() == batch.after[0, :-1].tolist() == long.target.tolist()[:-1]
    assert batch.carries.tolist() == [[1, 0, 1], [IGNORE] * 3]
    assert batch.rubric.tolist() == [[1, 0, 0, 1], [IGNORE] * 4]
    assert {field.dtype for field in batch} == {torch.int64}
    assert short.target.tolist()[-1] == END


def test_a_batch_changes_no_example() -> None:
    examples = both()
    before = [[np.copy(part) for part in (e.article.ids, e.target, e.carries)] for e in examples]
    collate_fn(examples, rng=rng(), hide=0.5, drop=1.0)
    for example, parts in zip(examples, before, strict=True):
        now = (example.article.ids, example.target, example.carries)
        assert all(map(np.array_equal, now, parts))


def test_torch_takes_it_as_a_loader_does() -> None:
    examples = [encode_item(item, EN) for item in (LONG, SHORT, LONG)]
    loader = torch.utils.data.DataLoader(
        examples, batch_sampler=[[0, 2], [1]], collate_fn=collate_fn
    )
    first, second = loader
    assert isinstance(first, Batch)
    assert [len(first.source), len(second.source)] == [2, 1]
    assert second.source.shape == (1, 5), "padded to its own longest"


@pytest.mark.parametrize("seed", range(5))
def test_other_slots_say_the_same(seed: int) -> None:
    """Slots are given out anew within their kind: undone by position, the article is the same."""
    example = encode_item(LONG, EN)
    batch = collate_fn([example], rng=rng(seed))
    new, old = batch.source[0].tolist(), example.article.ids.tolist()
    named = dict(zip(old, new, strict=True))
    assert len(set(named.values())) == len(named), "two things got one id"
    for was, now in named.items():
        assert kind_of(was) == kind_of(now)
        assert was == now or kind_of(was) not in ("special", "word")
    assert batch.after[0].tolist() == [named.get(n, n) for n in example.target.tolist()]


def test_slots_are_drawn_anew_each_time() -> None:
    place = rng()
    drawn = {
        tuple(collate_fn([encode_item(LONG, EN)], rng=place).source[0].tolist()) for _ in "abcd"
    }
    assert len(drawn) == 4


def test_hidden_words_become_rare_ones_everywhere() -> None:
    example = encode_item(LONG, EN)
    batch = collate_fn([example], rng=rng(), hide=1.0)
    old, new = example.article.ids.tolist(), batch.source[0].tolist()
    named = dict(zip(old, new, strict=True))
    assert all(named[a] == b for a, b in zip(old, new, strict=True)), "one word, two slots"
    assert len(set(named.values())) == len(named)
    for was, now in named.items():
        assert kind_of(now) == ("rare" if kind_of(was) == "word" else kind_of(was))
    assert batch.after[0].tolist() == [named.get(n, n) for n in example.target.tolist()]


def test_how_many_words_are_hidden() -> None:
    item = load_articles("en", "train")[0]
    words = sorted(set(item["content"].lower().replace(".", "").replace(",", "").split()))
    lexicon = Lexicon("en", tuple(w for w in words if w.isalpha() and not is_number(w, "en")))
    example = encode_item({"content": item["content"]}, lexicon)
    known = {n for n in example.article.ids.tolist() if kind_of(n) == "word"}
    shares = []
    for seed in range(40):
        source = collate_fn([example], rng=rng(seed), hide=0.3).source[0].tolist()
        shares.append(1 - len(known & set(source)) / len(known))
    assert abs(np.mean(shares) - 0.3) < 0.04  # 40 draws of about 70 words: spread 0.009


@pytest.mark.parametrize("seed", range(5))
def test_dropping_keeps_what_carries(seed: int) -> None:
    example = encode_item(LONG, EN)
    batch = collate_fn([example], rng=rng(seed), drop=1.0)
    N = int((batch.source[0] == SENTENCE).sum())
    assert batch.carries.shape[1] == N
    assert batch.carries[0].tolist() in ([1, 1], [1, 0, 1])
    assert batch.lengths.tolist() == [batch.source.shape[1]]
    if N == 2:  # rows 7 to 12 are the sentence in the middle
        gone = np.delete(example.article.ids, np.arange(7, 13))
        assert [kind_of(n) for n in batch.source[0].tolist()] == [kind_of(n) for n in gone]


@pytest.mark.parametrize("seed", range(5))
def test_dropping_keeps_what_is_to_be_copied(seed: int) -> None:
    """Oda stands in the middle sentence alone, which carries nothing: without it, no way to it."""
    item = {
        **LONG,
        "content": "The mayor closed it. It rained in Oda. Ana Tovin closed 3 bridges. It closed.",
        "summary": "Ana Tovin closed 3 bridges in Oda.",
    }
    example = encode_item(item, EN)
    batch = collate_fn([example], rng=rng(seed), drop=1.0)
    slots = {n for n in batch.after[0].tolist() if 0 <= n < FIRST_WORD} - {END}
    assert len(slots) == 3
    assert slots <= set(batch.source[0].tolist())
    assert batch.carries[0].tolist() in ([1, 0, 1], [1, 0, 1, 0])


def test_dropping_happens_as_often_as_said() -> None:
    example = encode_item(LONG, EN)
    place = rng(1)
    counts = [collate_fn([example], rng=place, drop=0.5).carries.shape[1] for _ in range(400)]
    share = counts.count(2) / 400
    assert abs(share - 0.5 * 0.7) < 0.08, "half of the time, each sentence stays with 0.3"


def test_nothing_is_dropped_where_nothing_is_known_to_carry() -> None:
    for item in (SHORT, {**LONG, "carries": []}, {**LONG, "carries": None}):
        example = encode_item(item, EN)
        for seed in range(5):
            assert collate_fn([example], rng=rng(seed), drop=1.0).lengths.item() == len(
                example.article
            )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"hide": 1.5}, "hide: expected 0 to 1, got 1.5"),
        ({"drop": -0.1}, "drop: expected 0 to 1, got -0.1"),
        ({"hide": float("nan")}, "hide: expected 0 to 1, got nan"),
        ({"hide": 0.5, "rng": None}, "rng: expected a numpy.random.Generator for hide = 0.5"),
        ({"drop": 0.5, "rng": None}, "rng: expected a numpy.random.Generator for drop = 0.5"),
    ],
)
def test_a_batch_refuses(arguments, said) -> None:
    with pytest.raises(ValueError, match=said):
        collate_fn(both(), **{"rng": rng(), **arguments})
    with pytest.raises(ValueError, match="examples: expected at least one, got none"):
        collate_fn([])


def test_an_item_refuses() -> None:
    with pytest.raises(KeyError, match="content"):
        encode_item({"title": "x"}, EN)
    with pytest.raises(TypeError, match="text: expected str"):
        encode_item({"content": [3]}, EN)


@given(
    st.lists(st.integers(1, 90), max_size=70),
    st.integers(1, 9),
    st.one_of(st.none(), st.integers(0, 99)),
    st.integers(1, 5),
)
def test_buckets_hold_each_item_once(lengths, batch_size, seed, pool) -> None:
    batches = length_buckets(lengths, batch_size, seed=seed, pool=pool)
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    assert batches == length_buckets(lengths, batch_size, seed=seed, pool=pool)


def test_buckets_by_hand() -> None:
    lengths = [9, 1, 5, 7, 3]
    assert length_buckets(lengths, 2) == [[1, 4], [2, 3], [0]]
    drawn = length_buckets(lengths, 2, seed=0, pool=20)
    assert sorted(drawn) == sorted([[1, 4], [2, 3], [0]]), (
        "one pool: the same batches, in any order"
    )
    assert length_buckets([], 4) == []
    assert length_buckets([], 4, seed=1) == []


def test_buckets_waste_less_and_still_differ() -> None:
    lengths = rng().integers(10, 200, size=400).tolist()

    def waste(batches):
        paid = sum(len(batch) * max(lengths[n] for n in batch) for batch in batches)
        return 1 - sum(lengths) / paid

    order = rng(1).permutation(400).tolist()
    mixed = waste([order[n : n + 8] for n in range(0, 400, 8)])
    assert waste(length_buckets(lengths, 8, seed=0)) < 0.06 < 0.3 < mixed
    members = {
        frozenset(map(frozenset, length_buckets(lengths, 8, seed=seed, pool=5)))
        for seed in range(3)
    }
    assert len(members) == 3, "who shares a batch depends on the seed"


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"batch_size": 0}, ValueError, "batch_size: expected at least 1, got 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size: expected an integer, got float"),
        ({"batch_size": 2, "pool": 0}, ValueError, "pool: expected at least 1, got 0"),
    ],
)
def test_buckets_refuse(arguments, error, said) -> None:
    with pytest.raises(error, match=said):
        length_buckets([1, 2], **arguments)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_most_of_a_summary_can_be_copied_from_the_sentences_that_carry(language) -> None:
    """Dropping may take a name or number of the target away: rarely, and here is how rarely."""
    articles = load_articles(language, "train")
    lexicon = build_lexicon(articles, language, merges=3000)
    lost = total = 0
    for item in articles:
        example = encode_item(item, lexicon)
        kept = example.carries[example.article.sentences] == 1
        there = set(example.article.ids[kept].tolist())
        wanted = {n for n in example.target.tolist() if kind_of(n) in ("name", "number")}
        lost += len(wanted - there)
        total += len(wanted)
    assert total > 200
    assert lost / total < 0.08
