"""What an encoder may add before its first block: segments and a norm, and the eps of its norms.

Parity and gradients of these choices are drawn in `cases_models`; here stand what they mean, seen
through torch's own layers, and what is refused.
"""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
from wings import Wing

from companion.config import TransformerConfig
from companion.params import encoder_shapes

IDS = np.array([[1, 4, 0], [3, 3, 2]])
SEGMENTS = np.array([[0, 1, 1], [1, 0, 1]])
CONFIG = TransformerConfig(
    vocabulary=5,
    width=4,
    heads=2,
    layers=1,
    hidden=3,
    positions="learned",
    max_length=6,
    scaled_embedding=False,
    segments=2,
    embedding_norm=True,
    norm_eps=0.3,  # large, so that its place shows
)


def _params(wing: Wing, config: TransformerConfig = CONFIG) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {n: wing.array(rng.normal(size=shape)) for n, shape in encoder_shapes(config).items()}


def test_a_token_is_word_plus_position_plus_segment_normed(wing: Wing) -> None:
    params = _params(wing)
    tables = {n: torch.tensor(wing.numpy(p)) for n, p in params.items() if "embedding" in n}
    word, position, segment = (
        tables[f"{n}_embedding.weight"] for n in ("token", "position", "segment")
    )
    total = word[IDS] + position[:3] + segment[SEGMENTS]
    scale, shift = tables["embedding_norm.weight"], tables["embedding_norm.bias"]
    expected = F.layer_norm(total, (4,), scale, shift, eps=0.3)
    came = wing.lib.embed_tokens(wing.array(IDS), params, CONFIG, segments=wing.array(SEGMENTS))
    # float64 rounds at 1e-16; a norm divides by a number of order 1
    np.testing.assert_allclose(wing.numpy(came), expected, rtol=0, atol=1e-13)


def test_no_segments_given_means_segment_zero(wing: Wing) -> None:
    ids, params = wing.array(IDS), _params(wing)
    zeros = wing.lib.encoder(ids, params, CONFIG, segments=wing.array(0 * SEGMENTS))
    some = wing.lib.encoder(ids, params, CONFIG, segments=wing.array(SEGMENTS))
    silent = wing.numpy(wing.lib.encoder(ids, params, CONFIG))
    np.testing.assert_array_equal(silent, wing.numpy(zeros))
    assert np.abs(silent - wing.numpy(some)).max() > 0.1


def test_segments_reach_the_weights_and_the_classifier(wing: Wing) -> None:
    config = CONFIG.but(classes=3)
    ids, params, segments = wing.array(IDS), _params(wing, config), wing.array(SEGMENTS)
    model = wing.lib.Encoder(config, params)
    for with_them, without in (
        (model(ids, segments=segments), model(ids)),
        (model.classify(ids, segments=segments), model.classify(ids)),
        tuple(
            wing.lib.encoder_weights(ids, params, config, segments=s)["encoder.0.self_attention"]
            for s in (segments, None)
        ),
    ):
        difference = with_them - without
        if wing.name == "torch":  # a model's parameters ask for gradients
            difference = difference.detach()
        assert np.abs(wing.numpy(difference)).max() > 1e-3


@pytest.mark.parametrize(
    ("segments", "changes", "message"),
    [
        (SEGMENTS, {"segments": 0}, "segments: expected None, for config.segments is 0"),
        (SEGMENTS + 1, {}, "segments: expected 0 to config.segments-1 = 1, got 1 to 2"),
        (SEGMENTS[0], {}, r"segments: expected shape \(2, 3\) = \(B, T\) like ids, got \(3,\)"),
    ],
)
def test_segments_that_do_not_fit(wing: Wing, segments: Any, changes: Any, message: str) -> None:
    config = CONFIG.but(**changes)
    with pytest.raises(ValueError, match=f"^{message}$"):
        wing.lib.encoder(
            wing.array(IDS), _params(wing, config), config, segments=wing.array(segments)
        )


def test_one_position_is_not_stretched_over_all_tokens(wing: Wing) -> None:
    params = {name: wing.array(np.zeros(s)) for name, s in encoder_shapes(CONFIG).items()}
    said = r"^positions: expected shape \(3,\) = \(T,\) or \(2, 3\) = \(B, T\), got \(1,\)$"
    with pytest.raises(ValueError, match=said):
        wing.lib.embed_tokens(wing.array(IDS), params, CONFIG, positions=wing.array([2]))


def test_segments_that_are_no_integers(wing: Wing) -> None:
    with pytest.raises(TypeError, match=r"^segments: expected integers, got float64$"):
        wing.lib.encoder(
            wing.array(IDS), _params(wing), CONFIG, segments=wing.array(SEGMENTS, float)
        )


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"segments": -1}, ValueError, "segments: expected at least 0, got -1"),
        ({"segments": 1.0}, TypeError, "segments: expected an integer, got float"),
        ({"norm_eps": 0.0}, ValueError, "norm_eps: expected a finite number > 0, got 0.0"),
    ],
)
def test_choices_that_are_refused(changes: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}$"):
        CONFIG.but(**changes)
