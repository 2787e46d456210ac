"""Masks: which query may look at which key. Boolean, True = may look; combine them with `&`."""

import torch
from torch import Tensor

from companion import _check


def causal_mask(T: int, S: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Each position may look at itself and at what came before it.

        mask_ts = (s ≤ t + S - T)

    T query length   S key length, T if not given; the queries are the last T of the S positions
    device where the mask is made, torch's default if not given
    Returns mask (T, S), boolean.

    Raises TypeError if a length is not an integer, ValueError if it is negative or S < T.
    Source: Vaswani et al. 2017, section 3.2.3.
    """
    _check.length(T=T)
    S = T if S is None else S
    _check.length(T, S=S)
    return torch.arange(S, device=device) <= torch.arange(T, device=device)[:, None] + (S - T)


def padding_mask(lengths: Tensor, S: int) -> Tensor:
    """Every query may look at the real tokens of its own sequence, at none of the padding.

        mask_bs = (s < lengths_b)

    lengths (B,), integer, 0 to S: real tokens of each sequence   S key length, padding included
    Returns mask (B, 1, S), boolean: it stretches over the T queries. For scores (B, H, T, S) of
    several heads write `padding_mask(lengths, S)[:, None]`.

    Raises TypeError if lengths are not integers, ValueError if one lies outside 0 to S.
    """
    _check.is_array(torch.Tensor, lengths=lengths)
    _check.length(S=S)
    if "int" not in _check.dtype_name(lengths):
        raise TypeError(f"lengths: expected integers, got {_check.dtype_name(lengths)}")
    _check.shape("lengths", lengths, (lengths.numel(),), "(B,)")
    if lengths.numel() and (int(lengths.min()) < 0 or int(lengths.max()) > S):
        raise ValueError(
            f"lengths: expected 0 to S = {S}, got {int(lengths.min())} to {int(lengths.max())}"
        )
    return torch.arange(S, device=lengths.device) < lengths[:, None, None]
