"""Decoding: worked by hand, against every text there is, and what must hold for any model.

Most models here are tables of logits (`cases_decoding.table_step`), so that a test can look
everything up; the cached and uncached runs use the package's own.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import convert
from cases_decoding import nothing_read, table_step, take_rows, uncached
from cases_models import some_params

import companion.params as shapes_of
from companion.config import TransformerConfig

INF, NAN = float("inf"), float("nan")
DTYPES = ["float32", "float64"]
PLACES = {"float32": 1e-6, "float64": 1e-14}  # sums of three log-probabilities below 10


class Table:
    """A table model in a wing: random logits (P, V, V), or given ones."""

    def __init__(self, wing: Any, seed: int = 0, V: int = 11, P: int = 3, dtype: str = "float64"):
        self.wing, self.V = wing, V
        self.logits = (2 * np.random.default_rng(seed).standard_normal((P, V, V))).astype(dtype)

    @classmethod
    def of(cls, wing: Any, probabilities: Any) -> "Table":
        made = cls(wing)
        with np.errstate(divide="ignore"):
            made.logits = np.log(np.array(probabilities, dtype=float))
        made.V = made.logits.shape[-1]
        return made

    def run(self, name: str, ids: Any, *more: Any, **options: Any) -> tuple[Any, ...]:
        ids, array = np.asarray(ids), self.wing.array
        options = {k: array(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        if name == "beam_search":
            options = {"select": take_rows, **options}
        step, cache = table_step(array(self.logits)), array(np.zeros(len(ids), np.int64))
        found = getattr(self.wing.lib, name)(
            step, cache, array(ids), *(array(m) for m in more), **options
        )
        return tuple(np.asarray(part) for part in found)

    def log_prob(self, prompt: list[int], text: Any) -> float:
        """The sum over text, looked up one by one."""
        whole, total = [*prompt, *text], 0.0
        for at in range(len(prompt) - 1, len(whole) - 1):
            row = self.logits[at % len(self.logits), whole[at]].astype(float)
            total += row[whole[at + 1]] - math.log(np.exp(row).sum())
        return total


# ----------------------------------------------------------------- greedy, worked by hand

# V = 3: 0 stays or ends, 1 goes to 0, 2 is eos; the likeliest: 1 → 0 → 2
CHAIN = [[[0.2, 0.1, 0.7], [0.6, 0.3, 0.1], [0.5, 0.5, 0.0]]]


def test_greedy_by_hand(wing: Any) -> None:
    model = Table.of(wing, CHAIN)
    ids, lengths, log_probs = model.run(
        "greedy", [[1], [0], [1]], max_new_tokens=4, eos_id=2, pad_id=1
    )
    assert ids.tolist() == [[0, 2, 1, 1], [2, 1, 1, 1], [0, 2, 1, 1]]
    assert lengths.tolist() == [2, 1, 2]
    np.testing.assert_allclose(log_probs, np.log([0.42, 0.7, 0.42]), rtol=1e-14)


def test_without_eos_nothing_ends(wing: Any) -> None:
    ids, lengths, _ = Table.of(wing, CHAIN).run("greedy", [[1]], max_new_tokens=4)
    assert ids.tolist() == [[0, 2, 0, 2]]  # after 2 the two others are equal: the lower id
    assert lengths.tolist() == [4]


def test_eos_in_the_prompt_ends_nothing(wing: Any) -> None:
    ids, lengths, _ = Table.of(wing, CHAIN).run("greedy", [[2, 1]], max_new_tokens=1, eos_id=2)
    assert ids.tolist() == [[0]]
    assert lengths.tolist() == [1]


def test_reading_stops_when_every_row_has_ended(wing: Any) -> None:
    logits, calls = wing.array(np.log(np.array([[[0.2, 0.8], [0.5, 0.5]]]))), []

    def step(ids: Any, cache: Any) -> Any:
        calls.append(tuple(ids.shape))
        return table_step(logits)(ids, cache)

    start, ids = wing.array([0, 0]), wing.array([[0, 0], [0, 0]])
    wing.lib.greedy(step, start, ids, max_new_tokens=9, eos_id=1)
    wing.lib.beam_search(
        step, start, ids, beams=1, max_new_tokens=9, eos_id=1, alpha=0.0, select=take_rows
    )
    assert calls == [(2, 2), (2, 2)]  # the prompt alone, each time


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["greedy", "sample", "beam_search"])
def test_rows_do_not_depend_on_each_other(wing: Any, name: str, dtype: str) -> None:
    """Prompts of unequal lengths give what each gives alone; log_probs are those looked up."""
    rng, model = np.random.default_rng(1), Table(wing, dtype=dtype)
    prompts, lengths = rng.integers(0, model.V, (5, 4)), np.array([4, 1, 3, 2, 4])
    uniform = rng.random((5, 6))
    options: dict[str, Any] = {"eos_id": 3, "pad_id": 7, "no_repeat_ngram": 2}
    options |= {"max_new_tokens": 6} if name != "sample" else {"temperature": 1.5}
    options |= {"beams": 3} if name == "beam_search" else {}

    def run(ids: Any, rows: slice, **more: Any) -> tuple[Any, ...]:
        drawn = [uniform[rows]] if name == "sample" else []
        return model.run(name, ids, *drawn, **options, **more)

    together = run(prompts, slice(None), lengths=lengths)
    for b, n in enumerate(lengths):
        alone = run(prompts[b : b + 1, :n], slice(b, b + 1))
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], many[b])
            assert one.dtype == many.dtype
        prompt = prompts[b, :n].tolist()
        ids, counts, log_probs = (part[b].reshape(-1, *part.shape[2:]) for part in together[:3])
        ids = ids.reshape(-1, 6)
        for text, count, log_prob in zip(ids, counts, log_probs, strict=True):
            assert abs(model.log_prob(prompt, text[:count]) - log_prob) < 6 * PLACES[dtype]
            assert (text[count:] == 7).all()
            assert 3 not in text[: count - 1]
            assert count == 6 or text[count - 1] == 3
    assert str(together[2].dtype) == dtype
    assert together[0].dtype == together[1].dtype == np.int64


@pytest.mark.parametrize(("dtype", "V"), [("uint8", 300), ("int8", 200)])
def test_ids_too_narrow_for_the_vocabulary_are_refused(wing: Any, dtype: str, V: int) -> None:
    """Cast to uint8, token 299 would come out as 43."""
    ids, lib = wing.array(np.array([[1, 2]]), dtype), wing.lib

    def step(ids: Any, cache: Any) -> tuple[Any, Any]:
        return wing.array(np.zeros((*ids.shape, V))), cache

    narrow = pytest.raises(TypeError, match=rf"^ids: .* hold V-1 = {V - 1}, .* got {dtype}")
    with narrow:
        lib.greedy(step, None, ids, max_new_tokens=3)
    with narrow:
        lib.sample(step, None, ids, wing.array(np.full((1, 3), 0.5)))
    with narrow:
        lib.beam_search(step, None, ids, beams=2, max_new_tokens=3)
    with pytest.raises(TypeError, match=r"^ids: expected a dtype that can hold pad_id = 256"):
        lib.greedy(step, None, ids, max_new_tokens=3, pad_id=256)


def test_ids_keep_their_dtype(wing: Any) -> None:
    model, ids = Table(wing), np.array([[1, 2]], dtype=np.int32)
    for name, more in (("greedy", {}), ("beam_search", {"beams": 2})):
        assert model.run(name, ids, max_new_tokens=3, **more)[0].dtype == np.int32
    assert model.run("sample", ids, np.full((1, 3), 0.5))[0].dtype == np.int32


# ----------------------------------------------------------------------------- beam search


@pytest.mark.parametrize("seed", range(6))
def test_one_beam_is_greedy(wing: Any, seed: int) -> None:
    model, ids = Table(wing, seed), np.random.default_rng(seed).integers(0, 11, (7, 2))
    options: dict[str, Any] = {"max_new_tokens": 8, "eos_id": seed, "no_repeat_ngram": seed % 3}
    options["no_repeat_ngram"] *= options["no_repeat_ngram"] != 1
    greedy = model.run("greedy", ids, **options)
    beam = model.run("beam_search", ids, beams=1, alpha=0.0, **options)
    for one, other in zip(greedy, beam, strict=False):
        np.testing.assert_array_equal(one, other[:, 0])
    np.testing.assert_array_equal(beam[2], beam[3])


def every_text(V: int, N: int, eos: int | None) -> list[tuple[int, ...]]:
    """All that can be written: up to the first eos, or N long."""
    found = set()
    for text in itertools.product(range(V), repeat=N):
        found.add(text[: text.index(eos) + 1] if eos in text else text)
    return sorted(found)


@pytest.mark.parametrize("eos", [None, 0, 2])
@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.6, 2.0])
@pytest.mark.parametrize("penalty", ["wu_length_penalty", "power_length_penalty"])
def test_with_a_beam_for_each_text_the_search_is_exhaustive(
    wing: Any, eos: int | None, alpha: float, penalty: str
) -> None:
    V, N = 3, 4
    model, lp = Table(wing, seed=4, V=V), getattr(wing.lib, penalty)
    prompts, texts, W = [[1, 2], [0, 0]], every_text(V, N, eos), V**N
    ids, lengths, log_probs, scores = model.run(
        "beam_search",
        prompts,
        beams=W,
        max_new_tokens=N,
        eos_id=eos,
        alpha=alpha,
        length_penalty=lp,
    )
    greedy = model.run("greedy", prompts, max_new_tokens=N, eos_id=eos)[2]
    for b, prompt in enumerate(prompts):
        expected = [model.log_prob(prompt, text) for text in texts]
        divided = [p / lp(len(t), alpha) for p, t in zip(expected, texts, strict=True)]
        order = np.argsort([-s for s in divided])
        found = [tuple(ids[b, w, : lengths[b, w]]) for w in range(len(texts))]
        assert found == [texts[i] for i in order]
        np.testing.assert_allclose(log_probs[b, : len(texts)], np.array(expected)[order])
        np.testing.assert_allclose(scores[b, : len(texts)], np.array(divided)[order])
        if alpha == 0:
            assert scores[b, 0] >= greedy[b]
        # there are no more texts
        assert (scores[b, len(texts) :] == -INF).all()
        assert (lengths[b, len(texts) :] == 0).all()
        assert (ids[b, len(texts) :] == 0).all()


def test_length_penalty_changes_the_winner(wing: Any) -> None:
    """eos at once has p = 0.4; a, eos has 0.6 · 0.6 = 0.36, and log 0.36 / (7/6) > log 0.4."""
    a, eos = 0, 1
    model = Table.of(wing, [[[0.6, 0.4], [0.5, 0.5]], [[0.4, 0.6], [0.5, 0.5]]])
    expected = {0.0: [eos], 1.0: [a, eos]}
    for alpha, text in expected.items():
        ids, lengths, log_probs, scores = model.run(
            "beam_search", [[a]], beams=2, max_new_tokens=2, eos_id=eos, alpha=alpha
        )
        assert ids[0, 0, : lengths[0, 0]].tolist() == text
        assert math.isclose(log_probs[0, 0], math.log(0.4 if alpha == 0 else 0.36))
    assert math.isclose(scores[0, 0], math.log(0.36) / (7 / 6))
    assert math.isclose(scores[0, 1], math.log(0.4))


def test_penalties_by_hand(wing: Any) -> None:
    wu, power = wing.lib.wu_length_penalty, wing.lib.power_length_penalty
    assert [wu(n, 0.6) for n in (1, 7)] == [1.0, 2**0.6]
    assert [power(n, 0.5) for n in (1, 4, 9)] == [1.0, 2.0, 3.0]
    assert wu(9, 0.0) == power(9, 0.0) == 1.0


def test_beams_find_what_greedy_misses(wing: Any) -> None:
    """From 2: 0 has 0.5 and then at best 0.4; 1 has 0.4 and then 0.9."""
    model = Table.of(wing, [[[0.3, 0.3, 0.4], [0.05, 0.9, 0.05], [0.5, 0.4, 0.1]]])
    assert model.run("greedy", [[2]], max_new_tokens=2)[0].tolist() == [[0, 2]]
    ids, _, log_probs, _ = model.run("beam_search", [[2]], beams=2, max_new_tokens=2)
    assert ids.tolist() == [[[1, 1], [0, 2]]]
    np.testing.assert_allclose(log_probs, np.log([[0.36, 0.2]]), rtol=1e-14)


def test_equal_texts_come_in_the_order_of_their_ids(wing: Any) -> None:
    model = Table.of(wing, np.full((1, 3, 3), 1 / 3))
    ids, *_ = model.run("beam_search", [[2]], beams=5, max_new_tokens=2)
    assert ids[0].tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]]
    ids, *_ = model.run("beam_search", [[2]], beams=3, max_new_tokens=2, eos_id=1, alpha=-1.0)
    assert ids[0, 0].tolist() == [1, 0]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", ["greedy", "sample", "beam_search"])
def test_no_ngram_comes_twice(wing: Any, name: str, n: int) -> None:
    rng, N = np.random.default_rng(n), 9
    model, prompts = Table(wing, V=12, P=1), rng.integers(0, 12, (4, 2))
    prompts[:, 1] = (prompts[:, 0] + 1) % 12
    options = {"beams": 3} if name == "beam_search" else {}
    options |= {"max_new_tokens": N} if name != "sample" else {}
    uniform = [rng.random((4, N))] if name == "sample" else []

    def repeats(found: Any) -> bool:
        texts = found.reshape(4, -1, N)
        for b, w in np.ndindex(texts.shape[:2]):
            text = [*prompts[b], *texts[b, w]]
            grams = [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
            if len(set(grams)) < len(grams):
                return True
        return False

    assert not repeats(model.run(name, prompts, *uniform, no_repeat_ngram=n, **options)[0])
    assert repeats(model.run(name, prompts, *uniform, **options)[0])


def test_texts_that_may_not_go_on(wing: Any) -> None:
    """With n = 1 and V = 3 there are two words left, then none."""
    model = Table(wing, V=3)
    with pytest.raises(ValueError, match="logits: expected a token above -inf in each row"):
        model.run("greedy", [[1]], max_new_tokens=3, no_repeat_ngram=1)
    _, lengths, _, scores = model.run(
        "beam_search", [[1]], beams=2, max_new_tokens=3, no_repeat_ngram=1
    )
    assert (scores == -INF).all()
    assert (lengths == 0).all()


# ------------------------------------------------------------------- filters, by hand


def kept(found: Any) -> list[list[int]]:
    return [np.flatnonzero(np.isfinite(row)).tolist() for row in np.asarray(found)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_top_k_by_hand(wing: Any, dtype: str) -> None:
    logits = wing.array([[1, 3, 2, 3], [0, 0, 0, 0], [-INF, 1, -INF, -INF]], dtype)
    expected = {1: [[1], [0], [1]], 2: [[1, 3], [0, 1], [1]], 4: [[0, 1, 2, 3]] * 2 + [[1]]}
    for k, places in expected.items():
        found = wing.lib.top_k_filter(logits, k)
        assert kept(found) == places
        assert str(np.asarray(found).dtype) == dtype
        assert np.asarray(found)[0, 1] == 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_nucleus_by_hand(wing: Any, dtype: str) -> None:
    """Probabilities 1/4, 1/2, 1/8, 1/8 and four of 1/4, which the sums reach exactly."""
    logits = wing.array([np.log([2, 4, 1, 1]).tolist(), [0, 0, 0, 0]], dtype)
    expected = {
        1e-9: [[1], [0]],
        0.25: [[1], [0]],
        0.3: [[1], [0, 1]],
        0.6: [[0, 1], [0, 1, 2]],
        0.8: [[0, 1, 2], [0, 1, 2, 3]],
        0.9: [[0, 1, 2, 3], [0, 1, 2, 3]],
        1.0: [[0, 1, 2, 3], [0, 1, 2, 3]],
    }
    for p, places in expected.items():
        found = wing.lib.nucleus_filter(logits, p)
        assert kept(found) == places, p
        assert str(np.asarray(found).dtype) == dtype


def test_nucleus_of_a_large_vocabulary(wing: Any) -> None:
    """200,000 equal words: float32 sums would be off by tens of words."""
    found = wing.lib.nucleus_filter(wing.array(np.zeros((1, 200_000), np.float32)), 0.9)
    assert abs(len(kept(found)[0]) - 180_000) <= 1
    everything = wing.lib.nucleus_filter(wing.array([[0.0, -800.0, -1e4]]), 1.0)
    assert kept(everything) == [[0, 1, 2]]


def test_block_repeated_ngrams_by_hand(wing: Any) -> None:
    ids, lengths = wing.array([[1, 2, 3, 1, 2], [1, 2, 1, 2, 0]]), wing.array([5, 3])
    logits = wing.array(np.zeros((2, 4)))

    def allowed(n: int, lengths: Any = lengths) -> list[list[int]]:
        return kept(wing.lib.block_repeated_ngrams(logits, ids, lengths, n))

    assert allowed(1) == [[0], [0, 3]]
    assert allowed(2) == [[0, 1, 2], [0, 1, 3]]
    assert allowed(3) == [[0, 1, 2], [0, 1, 2, 3]]
    assert allowed(4) == allowed(9) == [[0, 1, 2, 3]] * 2
    assert allowed(2, None)[1] == [0, 1, 2, 3]
    assert allowed(1, wing.array([0, 1])) == [[0, 1, 2, 3], [0, 2, 3]]


# --------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_frequencies_are_those_of_softmax(wing: Any, temperature: float, dtype: str) -> None:
    """Evenly spaced draws: word j gets the draws in an interval of length p_j, n p_j of them ± 1.

    Random draws: by Hoeffding's inequality and for V words together, a frequency is off by
    √(log(2V/δ) / 2n) or more with probability δ at most; δ = 1e-9.
    """
    V, n = 7, 20_000
    logits = (2 * np.random.default_rng(5).standard_normal(V)).astype(dtype)
    logits[3] = -INF
    expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum()

    def frequencies(uniform: Any) -> Any:
        many = wing.array(np.repeat(logits[None], n, axis=0))
        ids = wing.lib.sample_token(many, wing.array(uniform), temperature=temperature)
        return np.bincount(np.asarray(ids), minlength=V) / n

    even = frequencies((np.arange(n) + 0.5) / n)
    assert np.abs(even - expected).max() <= 1 / n + 1e-6  # the float32 softmax's own error
    bound = math.sqrt(math.log(2 * V / 1e-9) / (2 * n))
    rng = np.random.default_rng(6)
    assert np.abs(frequencies(rng.random(n)) - expected).max() <= bound
    assert frequencies(rng.random(n))[3] == 0


def test_the_ends_of_the_distribution(wing: Any) -> None:
    logits = wing.array([[-INF, 0.1, 0.3, -INF]] * 3, "float32")
    nearly_one = np.nextafter(1.0, 0)
    ids = wing.lib.sample_token(logits, wing.array([0.0, 0.5, nearly_one]))
    assert np.asarray(ids).tolist() == [1, 2, 2]


def test_the_filters_follow_temperature(wing: Any) -> None:
    """Probabilities 0.6, 0.3, 0.1; with τ = 1/2 they are 36, 9 and 1 of 46: 0.78 for the first."""
    logits, uniform = wing.array(np.log([[0.6, 0.3, 0.1]])), wing.array([0.99])
    draw = wing.lib.sample_token
    assert int(draw(logits, uniform)[0]) == 2
    assert int(draw(logits, uniform, top_p=0.7)[0]) == 1
    assert int(draw(logits, uniform, top_p=0.7, temperature=0.5)[0]) == 0
    # top_k first: 0.6 of the 0.9 that are left is 0.67
    assert int(draw(logits, uniform, top_p=0.65)[0]) == 1
    assert int(draw(logits, uniform, top_k=2, top_p=0.65)[0]) == 0


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-6}])
def test_leaving_only_the_likeliest_is_greedy(wing: Any, options: dict[str, Any]) -> None:
    model, rng = Table(wing), np.random.default_rng(0)
    ids = rng.integers(0, 11, (6, 3))
    greedy = model.run("greedy", ids, max_new_tokens=7, eos_id=2)
    drawn = model.run("sample", ids, rng.random((6, 7)), eos_id=2, **options)
    for one, other in zip(greedy, drawn, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_seed_one_text(wing: Any) -> None:
    model, ids = Table(wing), np.zeros((8, 1), np.int64)

    def text(seed: int) -> Any:
        return model.run("sample", ids, np.random.default_rng(seed).random((8, 5)))[0]

    np.testing.assert_array_equal(text(3), text(3))
    assert (text(3) != text(4)).any()
    assert len({tuple(row) for row in text(3)}) > 1


# -------------------------------------------------------------------- the package's models

CONFIGS = {
    "sinusoidal": TransformerConfig(vocabulary=11, width=12, heads=3, layers=2, hidden=8),
    "learned": TransformerConfig(
        vocabulary=11, width=8, heads=2, layers=2, positions="learned", max_length=12
    ),
    "grouped": TransformerConfig(
        vocabulary=11, width=16, heads=4, key_heads=2, layers=1, positions="rotary"
    ),
    "alibi": TransformerConfig(vocabulary=11, width=8, heads=2, layers=1, positions="alibi"),
}
WRITERS = {
    "greedy": {"max_new_tokens": 7, "no_repeat_ngram": 2},
    "sample": {"temperature": 1.3, "top_k": 9, "top_p": 0.95, "no_repeat_ngram": 1},
    "beam_search": {"max_new_tokens": 7, "beams": 4, "no_repeat_ngram": 2},
}


def params_of(wing: Any, shapes: Any) -> Any:
    """Large weights in float64: no two tokens are nearly equal, whatever the order of sums."""
    drawn = some_params(np.random.default_rng(2), np.dtype("float64"), shapes)
    return convert(drawn, lambda end: wing.array(2 * end) if end.ndim > 1 else wing.array(end))


def write_twice(
    wing: Any, name: str, step: Any, cache: Any, again: Any, nothing: Any, whole: Any
) -> Any:
    """With cache and without; prompts of unequal length.

    Both would be wrong alike if the search chose wrong rows, so the log-probabilities are also
    those of whole(b, text), the logits for one text read at once.
    """
    ids, lengths = wing.array([[1, 2, 3, 4], [5, 6, 0, 0], [7, 8, 9, 0]]), wing.array([4, 2, 3])
    options = {"lengths": lengths, "eos_id": 9, **WRITERS[name]}
    more = [wing.array(np.random.default_rng(3).random((3, 7)))] if name == "sample" else []
    write = getattr(wing.lib, name)
    cached = write(step, cache, ids, *more, **options)
    select = {"select": take_rows} if name == "beam_search" else {}
    afresh = write(again, nothing, ids, *more, **options, **select)
    for one, other in zip(cached[:2], afresh[:2], strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    for one, other in zip(cached[2:], afresh[2:], strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0, atol=1e-9)
    texts, counts, log_probs = (np.asarray(part) for part in cached[:3])
    for place in np.ndindex(counts.shape):
        n, new = int(lengths[place[0]]), texts[place][: counts[place]]
        text = np.concatenate([np.asarray(ids)[place[0], :n], new])
        words = wing.lib.log_softmax(whole(place[0], wing.array(text[None])))
        words = words.detach() if wing.name == "torch" else words
        told = np.asarray(words)[0, np.arange(n, len(text)) - 1, new].sum()
        assert abs(told - log_probs[place]) < 1e-9
    return cached


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", CONFIGS)
def test_decoder_with_and_without_cache(wing: Any, kind: str, name: str) -> None:
    config = CONFIGS[kind]
    model = wing.lib.Decoder(config, params_of(wing, shapes_of.decoder_shapes(config)))
    dtype = wing.array([0.0]).dtype
    empty = wing.lib.empty_cache(config, 3, dtype)
    again = uncached(model, wing.array)
    nothing = nothing_read(3, wing.array)
    ids = write_twice(wing, name, model.step, empty, again, nothing, lambda b, text: model(text))[0]
    assert len(np.unique(np.asarray(ids))) > 3  # else the comparison would say little


@pytest.mark.parametrize("name", WRITERS)
def test_seq2seq_with_and_without_cache(wing: Any, name: str) -> None:
    config = CONFIGS["sinusoidal"]
    model = wing.lib.Seq2Seq(config, params_of(wing, shapes_of.seq2seq_shapes(config)))
    source = wing.array(np.random.default_rng(4).integers(0, 11, (3, 5)))
    lengths = wing.array([5, 2, 3])

    def forward(text: Any, source: Any, lengths: Any) -> Any:
        return model(source, text, lengths)

    start, nothing = model.start(source, lengths), nothing_read(3, wing.array, source, lengths)
    again = uncached(forward, wing.array)

    def whole(b: int, text: Any) -> Any:
        return model(source[b : b + 1], text, lengths[b : b + 1])

    ids = write_twice(wing, name, model.step, start, again, nothing, whole)[0]
    assert len(np.unique(np.asarray(ids))) > 3


def test_a_text_too_long_for_the_model(wing: Any) -> None:
    config = CONFIGS["learned"]  # 12 positions
    model = wing.lib.Decoder(config, params_of(wing, shapes_of.decoder_shapes(config)))
    empty = wing.lib.empty_cache(config, 1, wing.array([0.0]).dtype)
    ids = wing.array([[1, 2, 3, 4]])
    assert wing.lib.greedy(model.step, empty, ids, max_new_tokens=9)[0].shape == (1, 9)
    message = "positions: expected at most max_length = 12 tokens, got position 12"
    with pytest.raises(ValueError, match=message):
        wing.lib.greedy(model.step, empty, ids, max_new_tokens=10)


def test_torch_keeps_no_graph() -> None:
    import torch

    import companion.with_torch as lib

    table = torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    start, ids = torch.zeros(1, dtype=torch.int64), torch.tensor([[2]])
    found = lib.greedy(table_step(table), start, ids, max_new_tokens=3)
    found += lib.sample(table_step(table), start, ids, torch.rand(1, 3))
    found += lib.beam_search(
        table_step(table), start, ids, beams=2, max_new_tokens=3, select=take_rows
    )
    assert not any(part.requires_grad for part in found)


# ------------------------------------------------------------------------------- bad input

V = 4
LOGITS = np.zeros((2, V))


def bad(name: str, error: type[Exception], message: str, **change: Any) -> Any:
    return pytest.param(name, change, error, message, id=f"{name}-{message[:40]}")


BAD = [
    bad("top_k_filter", ValueError, "top_k: expected at most V = 4, got 5", top_k=5),
    bad("top_k_filter", ValueError, "top_k: expected at least 1, got 0", top_k=0),
    bad("top_k_filter", TypeError, "top_k: expected an integer, got float", top_k=2.0),
    bad(
        "top_k_filter",
        ValueError,
        r"logits: expected finite numbers or -inf, got NaN or \+inf",
        logits=np.array([[0, NAN]]),
    ),
    bad(
        "nucleus_filter",
        ValueError,
        r"logits: expected finite numbers or -inf, got NaN or \+inf",
        logits=np.array([[0, INF]]),
    ),
    bad(
        "nucleus_filter",
        TypeError,
        "logits: expected a floating dtype, got int64",
        logits=np.zeros((2, V), np.int64),
    ),
    bad(
        "nucleus_filter",
        ValueError,
        "V: expected at least 1, got 0",
        logits=np.zeros((2, 0)),
    ),
    bad("nucleus_filter", ValueError, "top_p: expected a finite number > 0, got 0", top_p=0),
    bad("nucleus_filter", ValueError, "top_p: expected 0 < top_p ≤ 1, got 1.5", top_p=1.5),
    bad("nucleus_filter", TypeError, "top_p: expected a number, got str", top_p="0.9"),
    bad("block_repeated_ngrams", ValueError, "n: expected at least 1, got 0", n=0),
    bad(
        "block_repeated_ngrams",
        ValueError,
        r"ids: expected 0 to V-1 = 3, got 0 to 4",
        ids=np.array([[0, 1, 2], [1, 2, 4]]),
    ),
    bad(
        "block_repeated_ngrams",
        ValueError,
        r"ids: expected \(B, T\) with B = 2 like logits, got \(3, 2\)",
        ids=np.zeros((3, 2), int),
    ),
    bad(
        "block_repeated_ngrams",
        ValueError,
        r"logits: expected at least 2 axes, got shape \(4,\)",
        logits=np.zeros(4),
    ),
    bad(
        "block_repeated_ngrams",
        ValueError,
        r"logits: expected shape \(2, 4\) = \(B, V\), got \(1, 2, 4\)",
        logits=LOGITS[None],
    ),
    bad(
        "block_repeated_ngrams",
        ValueError,
        "lengths: expected 0 to T = 3, got 1 to 4",
        lengths=np.array([1, 4]),
    ),
    bad(
        "sample_token",
        ValueError,
        "uniform: expected draws with 0 ≤ u < 1, got others",
        uniform=np.array([0.5, 1.0]),
    ),
    bad(
        "sample_token",
        ValueError,
        "uniform: expected draws with 0 ≤ u < 1, got others",
        uniform=np.array([0.5, NAN]),
    ),
    bad(
        "sample_token",
        ValueError,
        r"uniform: expected shape \(2,\) = the axes before V of logits, got \(2, 1\)",
        uniform=np.zeros((2, 1)),
    ),
    bad(
        "sample_token",
        ValueError,
        "temperature: expected a finite number > 0, got 0",
        temperature=0,
    ),
    bad(
        "sample_token",
        ValueError,
        "temperature: expected a finite number > 0, got -1.0",
        temperature=-1.0,
    ),
    bad("sample_token", ValueError, "top_k: expected at most V = 4, got 9", top_k=9),
    bad("sample_token", ValueError, "top_p: expected 0 < top_p ≤ 1, got 2", top_p=2),
    bad(
        "sample_token",
        ValueError,
        "logits: expected a token above -inf in each row, got a row of -inf",
        logits=np.array([[0.0, 1], [-INF, -INF]]),
    ),
    bad("sample", ValueError, "temperature: expected a finite number > 0, got 0", temperature=0),
    bad("sample", ValueError, "top_k: expected at most V = 4, got 5", top_k=5),
    bad("sample", ValueError, "top_p: expected a finite number > 0, got -0.1", top_p=-0.1),
    bad(
        "sample",
        ValueError,
        r"uniform: expected shape \(2, 1\) = \(B, N\), N ≥ 1, got \(2, 0\)",
        uniform=np.zeros((2, 0)),
    ),
    bad(
        "sample",
        ValueError,
        r"uniform: expected shape \(2, 3\) = \(B, N\), N ≥ 1, got \(3, 3\)",
        uniform=np.zeros((3, 3)),
    ),
    bad(
        "sample",
        TypeError,
        "uniform: expected a floating dtype, got int64",
        uniform=np.zeros((2, 3), np.int64),
    ),
    bad("beam_search", ValueError, "beams: expected at least 1, got -2", beams=-2),
    bad("beam_search", TypeError, "beams: expected an integer, got float", beams=2.0),
    bad("beam_search", TypeError, "alpha: expected a number, got NoneType", alpha=None),
    bad("beam_search", ValueError, "alpha: expected a finite number, got inf", alpha=INF),
    bad(
        "beam_search",
        ValueError,
        "length_penalty: expected finite numbers > 0, got 0.0 at length 2",
        length_penalty=lambda length, alpha: 2 - length,
    ),
]
for writer in WRITERS:
    BAD += [
        bad(writer, ValueError, "eos_id: expected 0 to V-1 = 3, got 4", eos_id=4),
        bad(writer, ValueError, "eos_id: expected at least 0, got -1", eos_id=-1),
        bad(writer, TypeError, "eos_id: expected an integer, got str", eos_id="end"),
        bad(writer, ValueError, "pad_id: expected 0 to V-1 = 3, got 9", pad_id=9),
        bad(writer, TypeError, "pad_id: expected an integer, got NoneType", pad_id=None),
        bad(writer, ValueError, "no_repeat_ngram: expected at least 0, got -1", no_repeat_ngram=-1),
        bad(
            writer,
            ValueError,
            r"ids: expected a prompt of at least 1 token, got \(2, 0\)",
            ids=np.zeros((2, 0), int),
        ),
        bad(writer, ValueError, r"ids: expected \(B, T\), got shape \(3,\)", ids=np.arange(3)),
        bad(writer, TypeError, "ids: expected integers, got float64", ids=np.zeros((2, 1))),
        bad(
            writer,
            ValueError,
            "lengths: expected 1 to T = 3, got 0 to 2",
            lengths=np.array([0, 2]),
        ),
        bad(
            writer,
            ValueError,
            r"lengths: expected shape \(2,\) = \(B,\), got \(3,\)",
            lengths=np.array([1, 2, 2]),
        ),
        bad(
            writer,
            ValueError,
            r"logits: expected shape \(2, 3, 4\) = \(B, T, V\), as a step .*, got \(2, 4\)",
            step=lambda ids, cache: (cache, cache),
            cache=LOGITS,
        ),
        bad(
            writer,
            ValueError,
            r"logits: expected finite numbers or -inf, got NaN or \+inf",
            step=lambda ids, cache: (cache, cache),
            cache=np.full((2, 3, V), NAN),
        ),
    ]
    if writer != "sample":
        BAD += [
            bad(
                writer,
                ValueError,
                "max_new_tokens: expected at least 1, got 0",
                max_new_tokens=0,
            ),
            bad(
                writer,
                TypeError,
                "max_new_tokens: expected an integer, got float",
                max_new_tokens=2.0,
            ),
        ]

GOOD: dict[str, dict[str, Any]] = {
    "top_k_filter": {"logits": LOGITS, "top_k": 2},
    "nucleus_filter": {"logits": LOGITS, "top_p": 0.5},
    "block_repeated_ngrams": {
        "logits": LOGITS,
        "ids": np.array([[0, 1, 2], [1, 2, 3]]),
        "lengths": None,
        "n": 2,
    },
    "sample_token": {"logits": LOGITS, "uniform": np.array([0.1, 0.9])},
}
WRITING = {"cache": np.zeros(2, int), "ids": np.array([[0, 1, 2], [1, 2, 3]])}
GOOD |= {
    "greedy": {**WRITING, "max_new_tokens": 3},
    "sample": {**WRITING, "uniform": np.full((2, 3), 0.5)},
    "beam_search": {**WRITING, "max_new_tokens": 3, "beams": 2, "select": take_rows},
}


def call(wing: Any, name: str, **change: Any) -> Any:
    def to_wing(value: Any) -> Any:
        return wing.array(value) if isinstance(value, np.ndarray) else value

    given = {key: to_wing(value) for key, value in {**GOOD[name], **change}.items()}
    if name in WRITERS:
        given.setdefault("step", table_step(wing.array(np.zeros((2, V, V)))))
    return getattr(wing.lib, name)(**given)


@pytest.mark.parametrize("name", GOOD)
def test_good_input(wing: Any, name: str) -> None:
    call(wing, name)


@pytest.mark.parametrize(("name", "change", "error", "message"), BAD)
def test_bad_input(wing: Any, name: str, change: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        call(wing, name, **change)


@pytest.mark.parametrize("name", WRITERS)
def test_a_prompt_outside_the_vocabulary(wing: Any, name: str) -> None:
    """A step of one's own may not look; what fills a short row does not count."""

    def step(ids: Any, cache: Any, *, lengths: Any = None) -> Any:
        return wing.array(np.zeros((*ids.shape, V))), cache

    ids = np.array([[0, 1, 2], [1, 2, 7]])
    with pytest.raises(ValueError, match=r"^ids: expected 0 to V-1 = 3, got 0 to 7"):
        call(wing, name, ids=ids, step=step)
    call(wing, name, ids=ids, step=step, lengths=np.array([3, 2]))
