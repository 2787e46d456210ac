"""Blocks and models: torch's own, the paper's count, no look ahead, cache equal to no cache, and
a model that the NumPy wing trains by itself.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import companion.with_numpy as numpy_wing
import companion.with_torch as torch_wing
from companion import params as shapes_of
from companion.config import (
    TransformerConfig,
    bert_like,
    gpt_like,
    llama_like,
    vaswani_base,
)

B, T, S, V = 2, 3, 5, 11
SMALL: Any = {"width": 16, "heads": 4, "layers": 2, "hidden": 10, "max_length": 9}
CONFIGS = {
    "2017": TransformerConfig(vocabulary=V, **SMALL),
    "bert": bert_like(V, 3, **SMALL),
    "gpt": gpt_like(V, **SMALL),
    "llama": llama_like(V, **SMALL, key_heads=2),
    "alibi, one key head": TransformerConfig(
        vocabulary=V, **SMALL, positions="alibi", key_heads=1, feed_forward="silu"
    ),
}
EVERY = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
# Cached and whole sequences multiply matrices of other shapes: other orders of summation in some
# ten layers of products, on logits of order 1 to 10.
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


def draw(name: str, config: TransformerConfig, wing: Any, dtype: str = "float64") -> Any:
    """The same parameters for both wings, every one of them away from its first value."""
    shapes = getattr(shapes_of, f"{name}_shapes")(config)
    rng = np.random.default_rng(7)
    return {
        key: wing.array((rng.standard_normal(shape) * (0.4 if len(shape) > 1 else 1)).astype(dtype))
        for key, shape in shapes.items()
    }


def ids(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, V, shape)


def close(wing: Any, ours: Any, theirs: Any, dtype: str = "float64") -> None:
    ours, theirs = wing.numpy(ours), wing.numpy(theirs)
    assert ours.dtype == theirs.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[dtype])


# -------------------------------------------------------------------------- torch's own


def torch_block(params: Any, *, cross: bool) -> dict[str, torch.Tensor]:
    """A block's parameters under the names of nn.TransformerEncoderLayer or -DecoderLayer."""
    state: dict[str, Any] = {}
    pairs = [("self_attention", "self_attn")]
    pairs += [("cross_attention", "multihead_attn")] if cross else []
    for ours, theirs in pairs:
        for last in ("weight", "bias"):
            parts = [params[f"{ours}.{n}_proj.{last}"] for n in ("query", "key", "value")]
            state[f"{theirs}.in_proj_{last}"] = np.concatenate(parts)
            state[f"{theirs}.out_proj.{last}"] = params[f"{ours}.output_proj.{last}"]
    norms = ["self_attention_norm", *(["cross_attention_norm"] if cross else [])]
    for last in ("weight", "bias"):
        for i, name in enumerate([*norms, "feed_forward_norm"], start=1):
            state[f"norm{i}.{last}"] = params[f"{name}.{last}"]
        state[f"linear1.{last}"] = params[f"feed_forward.up_proj.{last}"]
        state[f"linear2.{last}"] = params[f"feed_forward.down_proj.{last}"]
    return {name: torch.tensor(value) for name, value in state.items()}


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_first", [False, True])
def test_blocks_are_those_of_torch(
    wing: Any, norm_first: bool, activation: str, cross: bool
) -> None:
    config = CONFIGS["2017"].but(norm_first=norm_first, feed_forward=activation)
    C, F = config.width, config.hidden
    rng = np.random.default_rng(1)
    params = {
        name: rng.standard_normal(shape)
        for name, shape in shapes_of.block_shapes(config, cross=cross).items()
    }
    kind: Any = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    options = {"norm_first": norm_first, "batch_first": True, "dtype": torch.float64}
    oracle = kind(C, config.heads, F, 0.0, activation, **options)
    oracle.load_state_dict(torch_block(params, cross=cross))
    inputs, memory = rng.standard_normal((B, T, C)), rng.standard_normal((B, S, C))
    lengths = np.array([5, 2])
    ahead, padded = ~np.tri(T, dtype=bool), np.arange(S) >= lengths[:, None]
    given: Any = {"tgt_mask" if cross else "src_mask": torch.tensor(ahead)}
    if cross:
        given |= {"memory": torch.tensor(memory), "memory_key_padding_mask": torch.tensor(padded)}
    theirs = oracle(torch.tensor(inputs), **given).detach()
    look: Any = {}
    if cross:
        seen = wing.lib.padding_mask(wing.array(lengths), S)
        look = {"memory": wing.array(memory), "memory_mask": seen}
    ours = wing.lib.transformer_block(
        wing.array(inputs),
        {n: wing.array(v) for n, v in params.items()},
        config,
        wing.lib.causal_mask(T),
        **look,
    )
    # pre-norm adds up unnormalised sums of order 100
    np.testing.assert_allclose(wing.numpy(ours), theirs, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_encoder_decoder_is_that_of_torch(wing: Any, norm_first: bool) -> None:
    config = CONFIGS["2017"].but(norm_first=norm_first)
    params = {name: wing.numpy(p) for name, p in draw("seq2seq", config, wing).items()}
    both: Any = {}
    for side in ("encoder", "decoder"):
        for i in range(config.layers):
            own = shapes_of.part(params, f"{side}.{i}")
            state = torch_block(own, cross=side == "decoder")
            both |= {f"{side}.layers.{i}.{name}": value for name, value in state.items()}
        for last in ("weight", "bias") if norm_first else ():
            both[f"{side}.norm.{last}"] = torch.tensor(params[f"{side}_norm.{last}"])
    C, F = config.width, config.hidden_units
    options: Any = {"norm_first": norm_first, "batch_first": True, "dtype": torch.float64}
    last = nn.LayerNorm(C, dtype=torch.float64) if norm_first else None  # the paper has none
    one = nn.TransformerEncoderLayer(C, config.heads, F, 0.0, **options)
    stack = nn.TransformerEncoder(one, config.layers, last, enable_nested_tensor=False)
    oracle = nn.Transformer(
        C, config.heads, 0, config.layers, F, 0.0, custom_encoder=stack, **options
    )
    oracle.decoder.norm = last if last is None else nn.LayerNorm(C, dtype=torch.float64)
    oracle.load_state_dict(both)
    source, target, lengths = ids(B, S), ids(B, T, seed=1), np.array([5, 2])
    table = torch.tensor(params["token_embedding.weight"])

    def embedded(tokens: Any) -> torch.Tensor:
        n, C = tokens.shape[1], config.width
        angles = np.arange(n)[:, None] / 10_000 ** (np.arange(0, C, 2) / C)
        places = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(n, C)
        return table[tokens] * C**0.5 + torch.tensor(places)

    padded = torch.tensor(np.arange(S) >= lengths[:, None])
    states = oracle(
        embedded(source), embedded(target), tgt_mask=torch.tensor(~np.tri(T, dtype=bool)),
        src_key_padding_mask=padded, memory_key_padding_mask=padded,
    )  # fmt: skip
    model = wing.lib.Seq2Seq(config, {n: wing.array(p) for n, p in params.items()})
    with torch.no_grad():
        ours = model(wing.array(source), wing.array(target), wing.array(lengths))
    theirs = (states @ table.T).detach()
    np.testing.assert_allclose(wing.numpy(ours), theirs, rtol=1e-12, atol=1e-12)


# -------------------------------------------------------------------------- parameters


def test_parameter_count_by_the_formula() -> None:
    config = vaswani_base(37_000)
    C, F, N = 512, 2048, 6
    attention = 4 * (C * C + C)
    feed_forward, norm = 2 * C * F + F + C, 2 * C
    encoder = N * (attention + feed_forward + 2 * norm)
    decoder = N * (2 * attention + feed_forward + 3 * norm)
    shapes = shapes_of.seq2seq_shapes(config)
    assert sum(int(np.prod(s)) for s in shapes.values()) == 37_000 * C + encoder + decoder
    # the paper says 65 million (table 3), rounded and with a vocabulary that it does not give
    assert 37_000 * C + encoder + decoder == 63_082_496


def test_parameter_count_of_a_llama_by_the_formula(wing: Any) -> None:
    config = CONFIGS["llama"]
    C, F, D, G = 16, 10, 4, 2
    block = 2 * C * C + 2 * G * D * C + 3 * C * F + 2 * C
    params = draw("decoder", config, wing)
    assert sum(wing.numpy(p).size for p in params.values()) == 2 * V * C + 2 * block + C


@EVERY
def test_init_is_what_it_says(config: TransformerConfig) -> None:
    ours = numpy_wing.init_seq2seq(config.but(width=64), np.random.default_rng(0))
    theirs = torch_wing.init_seq2seq(config.but(width=64), torch.Generator().manual_seed(0))
    for params in (ours, {n: p.numpy() for n, p in theirs.items()}):
        for name, value in params.items():
            assert value.dtype == "float32"
            if name.endswith(".bias"):
                assert (value == 0).all()
            elif value.ndim == 1:
                assert (value == 1).all()
            elif name.endswith("_embedding.weight"):
                # C^(-1/2) = 1/8; 576 draws and more: ten per cent is three deviations of it
                assert value.std() == pytest.approx(1 / 8, rel=0.1)
            else:
                edge = (6 / sum(value.shape)) ** 0.5
                assert 0.95 * edge < np.abs(value).max() <= edge


def test_modules_have_the_names_of_the_dict() -> None:
    for name, model in (("decoder", "Decoder"), ("encoder", "Encoder"), ("seq2seq", "Seq2Seq")):
        for config in CONFIGS.values():
            shapes = getattr(shapes_of, f"{name}_shapes")(config)
            params = getattr(torch_wing, f"init_{name}")(config, torch.Generator())
            state = getattr(torch_wing, model)(config, params).state_dict()
            assert {n: tuple(p.shape) for n, p in state.items()} == shapes
            assert list(state) == list(params)


def test_a_module_trains_its_parameters_and_no_copies() -> None:
    config = CONFIGS["gpt"]
    model = torch_wing.Decoder(config, torch_wing.init_decoder(config, torch.Generator()))
    model(torch.tensor(ids(B, T))).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert all(one is other for one, other in zip(
        model.params.values(), model.parameters(), strict=True
    ))  # fmt: skip


# ------------------------------------------------------------------ order, padding, masks


@EVERY
def test_a_decoder_never_looks_ahead(wing: Any, config: TransformerConfig) -> None:
    tokens, params = ids(B, 6), draw("decoder", config, wing, "float32")
    moved = tokens.copy()
    moved[:, 4:] = (moved[:, 4:] + 1) % V
    before, after = (wing.numpy(wing.lib.decoder(wing.array(x), params, config))
                     for x in (tokens, moved))  # fmt: skip
    np.testing.assert_array_equal(before[:, :4], after[:, :4])  # bit by bit
    assert (before[:, 4:] != after[:, 4:]).any()


@EVERY
def test_seq2seq_never_looks_ahead_and_reads_the_source(
    wing: Any, config: TransformerConfig
) -> None:
    params, source, target = draw("seq2seq", config, wing, "float32"), ids(B, S), ids(B, 6)
    moved = target.copy()
    moved[:, 4:] = (moved[:, 4:] + 1) % V

    def logits(source: Any, target: Any) -> Any:
        lengths = wing.array([5, 3])
        found = wing.lib.seq2seq(wing.array(source), wing.array(target), params, config, lengths)
        return wing.numpy(found)

    before = logits(source, target)
    np.testing.assert_array_equal(before[:, :4], logits(source, moved)[:, :4])
    other = source.copy()
    other[1, 3:] = (other[1, 3:] + 1) % V  # behind the second source's three real tokens
    np.testing.assert_array_equal(before, logits(other, target))
    other[:, 0] = (other[:, 0] + 1) % V
    assert (before != logits(other, target)).all(axis=-1).all()


@EVERY
def test_padding_of_an_encoder_changes_nothing(wing: Any, config: TransformerConfig) -> None:
    params, tokens, lengths = draw("encoder", config, wing), ids(B, S), wing.array([5, 3])
    whole = wing.lib.encoder(wing.array(tokens), params, config, lengths)
    alone = wing.lib.encoder(wing.array(tokens[1:, :3]), params, config)
    close(wing, whole[1:, :3], alone)


def test_without_positions_an_encoder_knows_no_order(wing: Any) -> None:
    order, tokens = np.array([2, 0, 4, 1, 3]), ids(B, S)

    def shuffled(positions: str) -> tuple[Any, Any]:
        config = CONFIGS["2017"].but(positions=positions)
        params = draw("encoder", config, wing)
        run = [wing.lib.encoder(wing.array(x), params, config) for x in (tokens, tokens[:, order])]
        return wing.numpy(run[0])[:, order], wing.numpy(run[1])

    np.testing.assert_allclose(*shuffled("none"), rtol=0, atol=1e-13)
    for positions in ("sinusoidal", "learned", "rotary", "alibi"):
        one, other = shuffled(positions)
        assert np.abs(one - other).max() > 1e-3


# -------------------------------------------------------------------------------- cache


@pytest.mark.parametrize("dtype", TOLERANCE)
@EVERY
def test_cached_logits_are_those_of_the_whole(
    wing: Any, config: TransformerConfig, dtype: str
) -> None:
    params, tokens = draw("decoder", config, wing, dtype), wing.array(ids(B, 7))
    whole = wing.lib.decoder(tokens, params, config)
    kind = whole.dtype if wing.name == "torch" else np.dtype(dtype).type
    cache = wing.lib.empty_cache(config, B, kind)
    start = 0
    for stop in (3, 4, 5, 7):  # several tokens at once, one, one, two
        logits, cache = wing.lib.decoder_step(tokens[:, start:stop], cache, params, config)
        close(wing, logits, whole[:, start:stop], dtype)
        start = stop


@EVERY
def test_rows_of_other_lengths_and_rows_chosen_anew(wing: Any, config: TransformerConfig) -> None:
    """Prompts of 4, 2 and 3 tokens; then rows 2, 0, 0 go on, one of them resting for a step."""
    params, tokens, a = draw("seq2seq", config, wing), ids(3, 8), wing.array
    source, source_lengths = ids(3, S, seed=1), np.array([5, 2, 3])
    cache = wing.lib.seq2seq_start(a(source), params, config, a(source_lengths))
    lengths = np.array([4, 2, 3])
    logits, cache = wing.lib.seq2seq_step(
        a(tokens[:, :4]), cache, params, config, lengths=a(lengths)
    )
    whole = wing.lib.seq2seq(a(source), a(tokens), params, config, a(source_lengths))
    for b, n in enumerate(lengths):
        close(wing, logits[b, :n], whole[b, :n])

    rows = np.array([2, 0, 0])
    kept = [wing.numpy(key).copy() for key in cache.keys]
    chosen = wing.lib.select_rows(cache, a(rows))
    follow = ids(3, 2, seed=5)
    first, chosen = wing.lib.seq2seq_step(
        a(follow[:, :1]), chosen, params, config, lengths=a([1, 0, 1])
    )
    second, chosen = wing.lib.seq2seq_step(a(follow[:, 1:]), chosen, params, config)
    for b, row in enumerate(rows):
        words = [*tokens[row, : lengths[row]], *(follow[b] if b != 1 else follow[b, 1:])]
        text, at = a(np.array([words])), slice(row, row + 1)
        alone = wing.lib.seq2seq(a(source[at]), text, params, config, a(source_lengths[at]))
        close(wing, second[b, 0], alone[0, -1])
        if b != 1:
            close(wing, first[b, 0], alone[0, -2])
    for was, now in zip(kept, cache.keys, strict=True):  # the old cache is as it was
        np.testing.assert_array_equal(was, wing.numpy(now))


def test_an_old_cache_can_be_gone_on_from_twice(wing: Any) -> None:
    config, a = CONFIGS["llama"], wing.array
    params, tokens = draw("decoder", config, wing, "float32"), ids(B, 4)
    _, cache = wing.lib.decoder_step(a(tokens), wing.lib.empty_cache(config, B), params, config)
    step = a(ids(B, 1, seed=3))
    one, _ = wing.lib.decoder_step(step, cache, params, config)
    wing.lib.decoder_step(a(ids(B, 1, seed=4)), cache, params, config)
    again, _ = wing.lib.decoder_step(step, cache, params, config)
    np.testing.assert_array_equal(wing.numpy(one), wing.numpy(again))


# -------------------------------------------------------------- attention weights, dropout


@EVERY
def test_attention_weights_of_a_model(wing: Any, config: TransformerConfig) -> None:
    params, a = draw("seq2seq", config, wing), wing.array
    found = wing.lib.seq2seq_weights(a(ids(B, S)), a(ids(B, T)), params, config, a([5, 2]))
    assert {name: tuple(w.shape) for name, w in found.items()} == {
        f"{place}.{i}.{kind}_attention": (B, 4, *shape)
        for place, kind, shape in (
            ("encoder", "self", (S, S)),
            ("decoder", "self", (T, T)),
            ("decoder", "cross", (T, S)),
        )
        for i in range(2)
    }
    for name, weights in found.items():
        weights = wing.numpy(weights)
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=0, atol=1e-14)
        if "cross" in name:
            assert (weights[1, :, :, 2:] == 0).all()
    assert (wing.numpy(found["decoder.1.self_attention"])[:, :, 0, 1:] == 0).all()


@EVERY
def test_dropout_only_where_a_seed_is_brought(wing: Any, config: TransformerConfig) -> None:
    config = config.but(dropout=0.3)
    params, tokens = draw("decoder", config, wing), wing.array(ids(B, T))

    def run(**options: Any) -> Any:
        return wing.numpy(wing.lib.decoder(tokens, params, config, **options))

    plain = wing.numpy(wing.lib.decoder(tokens, params, config.but(dropout=0.0), seed=1))
    np.testing.assert_array_equal(run(), plain)
    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    assert (run(seed=1) != run(seed=2)).any()
    assert (run(seed=1) != run()).any()


def test_dropout_places_draw_apart() -> None:
    """With one mask for all, source and target or two layers would lose the same units."""
    places = [shapes_of.derive(3, place) for place in ("source", "target", "decoder.0")]
    assert len({*places, shapes_of.derive(4, "source")}) == 4
    assert shapes_of.derive(None, "source") is None


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("name", ["decoder", "classifier", "seq2seq"])
def test_gradients_with_dropout_by_finite_differences(
    name: str, config: TransformerConfig, wing: Any
) -> None:
    """Two layers, dropout and padding, a few places of each parameter; the rest is in parity."""
    if wing.name == "torch":
        pytest.skip("autograd is torch's backward")
    config = config.but(dropout=0.3, classes=3)
    params = draw("encoder" if name == "classifier" else name, config, wing)
    tokens = {"seq2seq": (ids(B, S), ids(B, T, seed=1))}.get(name, (ids(B, T),))
    lengths = () if name == "decoder" else (np.array([3, 2]),)

    def forward(params: Any) -> Any:
        return getattr(numpy_wing, name)(*tokens, params, config, *lengths, seed=3)

    rng = np.random.default_rng(0)
    weigh = rng.standard_normal(forward(params).shape)
    backward = getattr(numpy_wing, f"{name}_backward")
    grads = backward(weigh, *tokens, params, config, *lengths, seed=3)
    assert list(grads) == list(params)
    step = 6e-6
    for key, value in params.items():
        for _ in range(2):
            place = tuple(rng.integers(n) for n in value.shape)
            sides = []
            for sign in (step, -step):
                moved = value.copy()
                moved[place] += sign
                sides.append(float((forward(params | {key: moved}) * weigh).sum()))
            slope = (sides[0] - sides[1]) / (2 * step)
            # gradients up to order 100: cutting and rounding errors of 1e-9 of that
            assert grads[key][place] == pytest.approx(slope, rel=1e-6, abs=1e-6)


# ------------------------------------------------------------------------------ training


@pytest.mark.slow
def test_numpy_trains_a_transformer_by_itself() -> None:
    """Reverse four letters: nothing but the wing's own forward, backward and a plain Adam."""
    config = TransformerConfig(vocabulary=8, width=32, heads=4, layers=1, hidden=64, dropout=0.0)
    rng = np.random.default_rng(0)
    params = numpy_wing.init_seq2seq(config, rng)
    mean, square = ({n: np.zeros_like(p) for n, p in params.items()} for _ in range(2))
    start = np.full((64, 1), 0)
    losses = []
    for step in range(1, 201):
        source = rng.integers(1, 8, (64, 4))
        wanted = source[:, ::-1]
        target = np.concatenate([start, wanted[:, :-1]], axis=1)
        log_weights = numpy_wing.log_softmax(numpy_wing.seq2seq(source, target, params, config))
        hot = np.eye(8, dtype="float32")[wanted]
        losses.append(float(-(hot * log_weights).sum(-1).mean()))
        grad = (np.exp(log_weights) - hot) / np.float32(hot[..., 0].size)
        grads = numpy_wing.seq2seq_backward(grad, source, target, params, config)
        for n, g in grads.items():
            mean[n] = 0.9 * mean[n] + 0.1 * g
            square[n] = 0.98 * square[n] + 0.02 * g * g
            size = np.sqrt(square[n] / (1 - 0.98**step)) + 1e-8
            params[n] = params[n] - 0.005 * mean[n] / (1 - 0.9**step) / size
    assert all(p.dtype == "float32" for p in params.values())
    assert losses[0] > 1.9  # near log 8 = 2.08 or above: nothing known
    assert np.mean(losses[-5:]) < 0.05  # chance would stay at log 7 = 1.95

    source, cache = rng.integers(1, 8, (64, 4)), None
    cache = numpy_wing.seq2seq_start(source, params, config)
    words, said = start, []
    for _ in range(4):
        logits, cache = numpy_wing.seq2seq_step(words, cache, params, config)
        words = logits[:, -1:].argmax(-1)
        said.append(words)
    assert (np.concatenate(said, axis=1) == source[:, ::-1]).all(axis=1).mean() > 0.9


# ------------------------------------------------------------------------------ contract


def message(call: Any, error: type[Exception] = ValueError) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"heads": 3}, "heads: expected a divisor of width = 16, got 3"),
        ({"key_heads": 3}, "key_heads: expected a divisor of heads = 4, got 3"),
        ({"vocabulary": 0}, "vocabulary: expected at least 1, got 0"),
        ({"layers": -1}, "layers: expected at least 1, got -1"),
        ({"classes": -1}, "classes: expected at least 0, got -1"),
        ({"dropout": 1.0}, "dropout: expected 0 ≤ rate < 1, got 1.0"),
        ({"norm": "batch"}, "norm: expected one of layer, rms, got 'batch'"),
        (
            {"positions": "rope"},
            "positions: expected one of sinusoidal, learned, rotary, alibi, none, got 'rope'",
        ),
        (
            {"feed_forward": "tanh"},
            "feed_forward: expected one of relu, gelu, gelu_tanh, silu, swiglu, got 'tanh'",
        ),
        (
            {"positions": "rotary", "width": 12},
            "heads: expected width / heads even to rotate, got 3",
        ),
        ({"width": 15, "heads": 3}, "width: expected even for sinusoids, got 15"),
    ],
)
def test_messages_of_the_config(change: Any, said: str) -> None:
    assert message(lambda: CONFIGS["2017"].but(**change)) == said


def test_a_config_is_frozen_and_whole_numbers_stay_whole() -> None:
    with pytest.raises(AttributeError):
        CONFIGS["2017"].width = 3  # type: ignore[misc]
    said = message(lambda: CONFIGS["2017"].but(width=16.0), TypeError)
    assert said == "width: expected an integer, got float"
    assert TransformerConfig(vocabulary=V, width=24).hidden_units == 96
    assert gpt_like(V, width=24).but(width=40, heads=8).hidden_units == 160  # follows the width
    assert gpt_like(V).but(heads=8).groups == 8
    assert llama_like(V, width=24).hidden_units == 64  # three of 64 weigh as much as two of 96
    assert llama_like(V, width=24).but(width=48, heads=8).hidden_units == 128
    assert bert_like(V, 3).segments == 2
    assert bert_like(V, 3).embedding_norm


@pytest.mark.parametrize("name", ["norm_first", "biases", "tied", "scaled_embedding"])
def test_choices_of_the_config_are_true_or_false(name: str) -> None:
    said = message(lambda: CONFIGS["2017"].but(**{name: "no"}), TypeError)
    assert said == f"{name}: expected True or False, got 'no'"
    said = message(lambda: CONFIGS["2017"].but(dropout=None), TypeError)
    assert said == "dropout: expected a number, got NoneType"


def test_messages_of_models(wing: Any) -> None:
    lib, a, config = wing.lib, wing.array, CONFIGS["gpt"]
    params = draw("decoder", config, wing, "float32")

    def run(tokens: Any) -> Any:
        return lambda: lib.decoder(a(tokens), params, config)

    assert message(run([[0, 11]])) == "ids: expected 0 to V-1 = 10, got 0 to 11"
    assert message(run([[-1, 3]])) == "ids: expected 0 to V-1 = 10, got -1 to 3"
    assert message(run([0, 1])) == "ids: expected shape (B, T), got (2,)"
    assert message(run([[0.0]]), TypeError) == "ids: expected integers, got float64"
    said = "positions: expected at most max_length = 9 tokens, got position 9"
    assert message(run(np.zeros((1, 10), int))) == said

    def step(tokens: Any, **options: Any) -> Any:
        cache = lib.empty_cache(config, B)
        return lambda: lib.decoder_step(a(tokens), cache, params, config, **options)

    said = "ids: expected shape (2, 1) = (B, T), one row for each of the cache, got (3, 1)"
    assert message(step([[1], [1], [1]])) == said
    said = "lengths: expected shape (2,) = (B,), got (1,)"
    assert message(step([[1], [1]], lengths=a([1]))) == said
    said = "lengths: expected 0 to S = 1, got 1 to 2"
    assert message(step([[1], [1]], lengths=a([1, 2]))) == said
    said = message(lambda: lib.select_rows(lib.empty_cache(config, B), a([0, 2])))
    assert said == "rows: expected 0 to B-1 = 1, got 0 to 2"
    said = message(lambda: lib.seq2seq_step(a([[1]]), lib.empty_cache(config, 1), params, config))
    assert said == "cache: expected one begun by seq2seq_start, got one without a source"


@pytest.mark.parametrize("seed", [0.5, "a", True, np.random.default_rng(0)])
def test_a_seed_is_a_whole_number(wing: Any, seed: Any) -> None:
    """A Generator was hashed by its name: the same dropout at each call."""
    config = CONFIGS["gpt"].but(dropout=0.5)
    params = draw("decoder", config, wing, "float32")
    said = message(
        lambda: wing.lib.decoder(wing.array(ids(B, T)), params, config, seed=seed), TypeError
    )
    assert said == f"seed: expected an integer, got {type(seed).__name__}"


def test_parameters_that_are_missing_are_named(wing: Any) -> None:
    config, tokens = CONFIGS["gpt"], wing.array(ids(B, T))
    params = draw("decoder", config, wing, "float32")

    def without(part: str) -> str:
        fewer = {name: value for name, value in params.items() if part not in name}
        return message(lambda: wing.lib.decoder(tokens, fewer, config))

    assert without("token_embedding").startswith("params: expected token_embedding.weight, got ")
    assert without("decoder.1.") == (
        "params: expected names that begin with 'decoder.1.', got none"
    )
    assert without("query_proj").startswith("params: expected query_proj.weight, got ")
    assert without("attention_norm.bias") == "params: expected bias, got weight"
    mixed = params | {"decoder_norm.weight": wing.array(np.ones(16, "float64"))}
    said = message(lambda: wing.lib.Decoder(config, mixed), TypeError)
    assert said == (
        "params['decoder_norm.weight']: expected dtype float32 like "
        "params['token_embedding.weight'], got float64"
    )


def test_a_cross_attention_is_not_left_out_in_silence(wing: Any) -> None:
    lib, config, tokens = wing.lib, CONFIGS["2017"], wing.array(ids(B, T))
    params = draw("seq2seq", config, wing, "float32")
    said = "params: expected none of cross_attention, for there is no memory"
    assert message(lambda: lib.decoder(tokens, params, config)) == said
    empty = lib.empty_cache(config, B)
    assert message(lambda: lib.decoder_step(tokens, empty, params, config)) == said


def test_a_cache_of_another_model_is_refused(wing: Any) -> None:
    lib, config, tokens = wing.lib, CONFIGS["gpt"], wing.array(ids(B, T))
    params = draw("decoder", config, wing, "float32")

    def step(**changes: Any) -> Any:
        return lambda: lib.decoder_step(
            tokens, lib.empty_cache(config.but(**changes), B), params, config
        )

    assert message(step(layers=3)) == "cache: expected 2 layers, got 3"
    assert message(step(layers=1)) == "cache: expected 2 layers, got 1"
    said = "cache.keys: expected shape (2, 4, 0, 4) = (B, G, S, D), got (2, 2, 0, 4)"
    assert message(step(key_heads=2)) == said
    half = lib.empty_cache(config, B, wing.array([0.0], "float16").dtype)
    said = message(lambda: lib.decoder_step(tokens, half, params, config), TypeError)
    assert said == "cache: expected dtype float32 like params, got float16"


def test_small_integers_choose_rows(wing: Any) -> None:
    """torch reads uint8 as a mask: two rows asked for, one came."""
    lib, config = wing.lib, CONFIGS["gpt"]
    params, tokens = draw("decoder", config, wing, "float32"), wing.array(ids(B, T))
    _, cache = lib.decoder_step(tokens, lib.empty_cache(config, B), params, config)
    chosen = lib.select_rows(cache, wing.array([1, 0], "uint8")).keys[0]
    np.testing.assert_array_equal(wing.numpy(chosen), wing.numpy(cache.keys[0])[[1, 0]])


def test_arguments_that_are_no_arrays_are_named(wing: Any) -> None:
    lib, config = wing.lib, CONFIGS["2017"]
    params = draw("seq2seq", config, wing, "float32")
    said = message(lambda: lib.seq2seq([[1]], wing.array(ids(1, T)), params, config), TypeError)
    assert said.startswith("source: expected ")
    assert said.endswith("got builtins.list")
    block = {
        n: wing.array(np.ones(s, "float32")) for n, s in shapes_of.block_shapes(config).items()
    }
    vector = wing.array(np.ones(16, "float32"))
    said = message(lambda: lib.transformer_block(vector, block, config))
    assert said == "inputs: expected 3 axes (B, T, C), got shape (16,)"


def test_messages_of_models_with_two_sides(wing: Any) -> None:
    lib, a, config = wing.lib, wing.array, CONFIGS["2017"]
    params = draw("seq2seq", config, wing, "float32")
    said = message(lambda: lib.seq2seq(a(ids(B, S)), a(ids(1, T)), params, config))
    assert said == "target: expected B = 2 rows like source, got 1"
    lengths = a([1])
    said = message(lambda: lib.encoder(a(ids(B, S)), params, config, lengths))
    assert said == "lengths: expected shape (2,) = (B,), one for each row of ids, got (1,)"
    said = message(lambda: lib.classifier(a(ids(B, S)), params, config))
    assert said == "classes: expected at least 1, got 0"
    said = message(lambda: lib.Decoder(config, params))
    assert said.startswith("params: expected the names of the config, got missing=[] extra=['dec")
    bad = params | {"token_embedding.weight": params["token_embedding.weight"][1:]}
    said = message(lambda: lib.Seq2Seq(config, bad))
    assert said == (
        "params['token_embedding.weight']: expected shape (11, 16) = its shape in the config, "
        "got (10, 16)"
    )
    rng = torch.Generator() if wing.name == "numpy" else np.random.default_rng()
    said = message(lambda: lib.init_seq2seq(config, rng), TypeError)
    assert said in (
        "rng: expected numpy.random.Generator, got Generator",
        "generator: expected torch.Generator, got Generator",
    )
