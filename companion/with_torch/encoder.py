"""An encoder: each token is told by the whole sequence; and a head that reads the whole as one.

    params = init_encoder(config, generator)                         flat dict, named as in torch
    states = encoder(ids, params, config, lengths)                   (B, T) → (B, T, C)
    logits = classifier(ids, params, config, lengths)                (B, T) → (B, K)

With a seed there is dropout; without, there is none, in a module of whatever mode.
"""

import torch
from torch import Tensor

from companion import _check
from companion.config import TransformerConfig
from companion.params import derive, encoder_shapes
from companion.with_torch.dropout import dropout
from companion.with_torch.embed import embed_tokens
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import project
from companion.with_torch.masks import padding_mask
from companion.with_torch.residual import Params
from companion.with_torch.stack import run_stack, stack_weights


def init_encoder(
    config: TransformerConfig, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Draw first parameters of `encoder`, and of `classifier` if the config has classes.

    config gives names and shapes, such as token_embedding.weight (V, C)   generator the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if generator is not a torch.Generator.
    """
    return init_parameters(encoder_shapes(config), generator, dtype)


def encoder(
    ids: Tensor,
    params: Params,
    config: TransformerConfig,
    lengths: Tensor | None = None,
    *,
    segments: Tensor | None = None,
    seed: int | None = None,
) -> Tensor:
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


def classifier(
    ids: Tensor,
    params: Params,
    config: TransformerConfig,
    lengths: Tensor | None = None,
    *,
    segments: Tensor | None = None,
    seed: int | None = None,
) -> Tensor:
    """Score each class for a whole sequence, read off the state of its first token.

        logits = class_proj dropout(tanh(pool_proj states_0))

    Arguments as in `encoder`; config.classes = K > 0
    Returns logits (B, K).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Devlin et al. 2019, sections 3 and 4.1, where the first token is always [CLS].
    """
    _check.length(1, classes=config.classes)
    states = encoder(ids, params, config, lengths, segments=segments, seed=seed)
    pooled = torch.tanh(project(states[:, 0], params, "pool_proj"))
    pooled = dropout(pooled, config.dropout, derive(seed, "pool"))
    return project(pooled, params, "class_proj")


def encoder_weights(
    ids: Tensor,
    params: Params,
    config: TransformerConfig,
    lengths: Tensor | None = None,
    *,
    segments: Tensor | None = None,
) -> dict[str, Tensor]:
    """The attention weights of each block of `encoder`, by names like "encoder.0.self_attention".

    Arguments as in `encoder`
    Returns weights (B, H, T, T) under each name.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors = embed_tokens(ids, params, config, segments=segments)
    return stack_weights(vectors, params, config, "encoder", _mask(ids, lengths))


def _mask(ids: Tensor, lengths: Tensor | None) -> Tensor | None:
    if lengths is None:
        return None
    mask = padding_mask(lengths, ids.shape[1])
    _check.shape("lengths", lengths, ids.shape[:1], "(B,), one for each row of ids")
    return mask
