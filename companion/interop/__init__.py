"""Weights of other libraries, under our names; the same hidden states come out.

    torch.nn          from_multihead_attention, from_encoder_layer, from_decoder_layer
    Hugging Face      from_hf_bert, from_hf_gpt2
    masks             mask_from_torch, lengths_from_attention_mask
    from wing to wing as_numpy, as_torch

    config, params = from_hf_bert(model.state_dict(), model.config)
    states = with_torch.encoder(ids, params, config, lengths)
    states = with_numpy.encoder(ids, as_numpy(params), config, lengths)

A function reads a foreign state (name → array or tensor), leaves it as it is, and returns copies
of the kind it was given. Importing this package imports neither torch nor transformers; the
functions for Hugging Face never import transformers, for names and config are all they need.
"""

from companion.interop.arrays import as_numpy, as_torch
from companion.interop.foreign_masks import lengths_from_attention_mask, mask_from_torch
from companion.interop.hugging_face import from_hf_bert, from_hf_gpt2
from companion.interop.state import Imported
from companion.interop.torch_modules import (
    from_decoder_layer,
    from_encoder_layer,
    from_multihead_attention,
)

__all__ = [
    "Imported",
    "as_numpy",
    "as_torch",
    "from_decoder_layer",
    "from_encoder_layer",
    "from_hf_bert",
    "from_hf_gpt2",
    "from_multihead_attention",
    "lengths_from_attention_mask",
    "mask_from_torch",
]
