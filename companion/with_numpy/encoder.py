"""An encoder: each token is told by the whole sequence; and a head that reads the whole as one.

    params = init_encoder(config, rng)                               flat dict, named as in torch
    states = encoder(ids, params, config, lengths)                   (B, T) → (B, T, C)
    logits = classifier(ids, params, config, lengths)                (B, T) → (B, K)
    grads = classifier_backward(grad_logits, ids, params, config, lengths)

With a seed they train with dropout; without, there is none.
"""

import numpy as np

from companion import _check
from companion.config import TransformerConfig
from companion.params import derive, encoder_shapes, summed
from companion.with_numpy._types import Array
from companion.with_numpy.dropout import dropout, dropout_backward
from companion.with_numpy.embed import embed_tokens, embed_tokens_backward
from companion.with_numpy.init import init_parameters
from companion.with_numpy.layers import project, project_backward
from companion.with_numpy.masks import padding_mask
from companion.with_numpy.residual import Grads, Params
from companion.with_numpy.stack import run_stack, run_stack_backward, stack_weights


def init_encoder(
    config: TransformerConfig, rng: np.random.Generator, dtype: type = np.float32
) -> dict[str, Array]:
    """Draw first parameters of `encoder`, and of `classifier` if the config has classes.

    config gives names and shapes, such as token_embedding.weight (V, C)   rng the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if rng is not a numpy.random.Generator.
    """
    return init_parameters(encoder_shapes(config), rng, dtype)


def encoder(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    lengths: Array | None = None,
    *,
    segments: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Turn each token into a state that has seen the whole sequence.

    ids (B, T), integer, 0 to V-1   lengths (B,): real tokens of each row, padding at its right
    params as `init_encoder` names them   seed None for no dropout
    segments (B, T), integer, if the config has segments; all 0 if not given
    Returns states (B, T, C); those at padding mean nothing, and no real token saw it.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Devlin et al. 2019, section 3. Differs: segment embedding and the norm behind it are the
    config's to choose (segments, embedding_norm).
    """
    vectors = embed_tokens(ids, params, config, segments=segments, seed=seed)
    mask = _mask(ids, lengths)
    return run_stack(vectors, params, config, "encoder", mask, seed=seed)


def encoder_backward(
    grad_states: Array,
    ids: Array,
    params: Params,
    config: TransformerConfig,
    lengths: Array | None = None,
    *,
    segments: Array | None = None,
    seed: int | None = None,
) -> Grads:
    """Gradients of `encoder`, which it computes again; see `run_stack_backward` for the cost.

    grad_states (B, T, C), the others as in `encoder`, the same seed
    Returns the gradients under the names of params; the pooled head, not used, has none.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors = embed_tokens(ids, params, config, segments=segments, seed=seed)
    mask = _mask(ids, lengths)
    grad_vectors, _, of_stack = run_stack_backward(
        grad_states, vectors, params, config, "encoder", mask, seed=seed
    )
    of_input = embed_tokens_backward(
        grad_vectors, ids, params, config, segments=segments, seed=seed
    )
    return summed(of_input, of_stack)


def classifier(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    lengths: Array | None = None,
    *,
    segments: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Score each class for a whole sequence, read off the state of its first token.

        logits = class_proj dropout(tanh(pool_proj states_0))

    Arguments as in `encoder`; config.classes = K > 0
    Returns logits (B, K).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Devlin et al. 2019, sections 3 and 4.1, where the first token is always [CLS].
    """
    _check.length(1, classes=config.classes)
    states = encoder(ids, params, config, lengths, segments=segments, seed=seed)
    pooled = np.tanh(project(states[:, 0], params, "pool_proj"))
    pooled = dropout(pooled, config.dropout, derive(seed, "pool"))
    return project(pooled, params, "class_proj")


def classifier_backward(
    grad_logits: Array,
    ids: Array,
    params: Params,
    config: TransformerConfig,
    lengths: Array | None = None,
    *,
    segments: Array | None = None,
    seed: int | None = None,
) -> Grads:
    """Gradients of `classifier`, with tanh′ = 1 - tanh²; it computes the encoder again.

    grad_logits (B, K), the others as in `encoder`, the same seed
    Returns the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.length(1, classes=config.classes)
    states = encoder(ids, params, config, lengths, segments=segments, seed=seed)
    place = derive(seed, "pool")
    bent = np.tanh(project(states[:, 0], params, "pool_proj"))
    pooled = dropout(bent, config.dropout, place)
    grad_pooled, of_class = project_backward(grad_logits, pooled, params, "class_proj")
    grad_bent = dropout_backward(grad_pooled, config.dropout, place)
    grad_first, of_pool = project_backward(
        grad_bent * (1 - bent**2), states[:, 0], params, "pool_proj"
    )
    grad_states = np.zeros_like(states)
    grad_states[:, 0] = grad_first
    of_encoder = encoder_backward(
        grad_states, ids, params, config, lengths, segments=segments, seed=seed
    )
    return of_encoder | of_pool | of_class


def encoder_weights(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    lengths: Array | None = None,
    *,
    segments: Array | None = None,
) -> dict[str, Array]:
    """The attention weights of each block of `encoder`, by names like "encoder.0.self_attention".

    Arguments as in `encoder`
    Returns weights (B, H, T, T) under each name.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors = embed_tokens(ids, params, config, segments=segments)
    return stack_weights(vectors, params, config, "encoder", _mask(ids, lengths))


def _mask(ids: Array, lengths: Array | None) -> Array | None:
    if lengths is None:
        return None
    mask = padding_mask(lengths, ids.shape[1])
    _check.shape("lengths", lengths, ids.shape[:1], "(B,), one for each row of ids")
    return mask
