"""Masks of other libraries in our words: boolean, True = may look; or the lengths of the rows."""

from typing import Any

from companion import _check
from companion._check_layers import integers
from companion.interop.arrays import kind_of

__all__ = ["lengths_from_attention_mask", "mask_from_torch"]


def mask_from_torch(
    key_padding_mask: Any | None = None, attn_mask: Any | None = None, *, heads: int = 1
) -> Any:
    """The masks of torch.nn's attention, where True = must not look, as one of ours.

        mask = not key_padding_mask and not attn_mask

    key_padding_mask (B, S)   attn_mask (T, S) or (B·H, T, S)   heads H, for the last form
    each boolean, or floating with 0 = may look and -inf = must not; arrays or tensors
    Returns mask (B, 1, S), (T, S), (B, T, S) or (B, H, T, S), True = may look; None if both are.

    Raises TypeError or ValueError naming the mask that does not fit: a floating one with other
    numbers is a bias and no mask.
    Source: torch.nn.MultiheadAttention.forward. torch.nn.functional.scaled_dot_product_attention,
    unlike it, reads True as may look.
    """
    pad = None if key_padding_mask is None else _may_look("key_padding_mask", key_padding_mask)
    look = None if attn_mask is None else _may_look("attn_mask", attn_mask)
    if pad is not None:
        _check.shape("key_padding_mask", pad, (pad.shape[0], pad.shape[-1]), "(B, S)")
        pad = pad[:, None]
    if look is None:
        return pad
    if look.ndim == 3:
        _check.length(1, heads=heads)
        if look.shape[0] % heads:
            raise ValueError(
                f"attn_mask: expected (B·H, T, S) with H = {heads}, got {tuple(look.shape)}"
            )
        look = look.reshape(-1, heads, *look.shape[1:])
        pad = None if pad is None else pad[:, None]
    elif look.ndim != 2:
        raise ValueError(f"attn_mask: expected (T, S) or (B·H, T, S), got {tuple(look.shape)}")
    if pad is None:
        return look
    _check_same(pad, look)
    return pad & look


def lengths_from_attention_mask(attention_mask: Any) -> Any:
    """Hugging Face's mask of real tokens as the lengths that `encoder` takes.

        lengths_b = Σ_s attention_mask_bs

    attention_mask (B, S), integer or boolean, 1 = real, 0 = padding, which lies at the right
    Returns lengths (B,), integer.

    Raises TypeError or ValueError naming the mask if it is of other numbers, or has padding at the
    left or between real tokens.
    """
    _check.is_array(kind_of(attention_mask), attention_mask=attention_mask)
    if _check.dtype_name(attention_mask) != "bool":
        integers(kind_of(attention_mask), attention_mask=attention_mask)
    if attention_mask.ndim != 2:
        raise ValueError(f"attention_mask: expected (B, S), got {tuple(attention_mask.shape)}")
    real = attention_mask == 1
    if not bool((real | (attention_mask == 0)).all()):
        raise ValueError("attention_mask: expected 1 = real and 0 = padding, got other numbers")
    if bool((real[:, 1:] & ~real[:, :-1]).any()):
        raise ValueError("attention_mask: expected padding at the right alone, got 1 after a 0")
    return real.sum(-1)


def _may_look(name: str, mask: Any) -> Any:
    """True = may look, from True = must not, or from 0 and -inf."""
    _check.is_array(kind_of(mask), **{name: mask})
    _check.rank(2, **{name: mask})
    if _check.dtype_name(mask) == "bool":
        return ~mask
    _check.floats(kind_of(mask), **{name: mask})
    look = mask == 0
    if not bool((look | (mask == float("-inf"))).all()):
        raise ValueError(f"{name}: expected 0 = may look and -inf = must not, got other numbers")
    return look


def _check_same(pad: Any, look: Any) -> None:
    """Both of one library, with as many keys and, if both have them, as many rows."""
    _check.is_array(kind_of(pad), attn_mask=look)
    if pad.shape[-1] != look.shape[-1] or (look.ndim == 4 and pad.shape[0] != look.shape[0]):
        raise ValueError(
            f"attn_mask: expected B and S like key_padding_mask {(pad.shape[0], pad.shape[-1])}, "
            f"got {tuple(look.shape)}"
        )
