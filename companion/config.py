"""The one description of a model: sizes and choices, checked once, never changed.

B batch   T query length   S key length   C width   H heads   D = C / H head width
G key heads   F feed-forward units   V vocabulary   K classes
"""

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

from companion import _check

POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")
NORMS = ("layer", "rms")
FEED_FORWARDS = ("relu", "gelu", "gelu_tanh", "silu", "swiglu")


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes and choices of an encoder, a decoder or both; the same object serves both wings.

    vocabulary V    width C    heads H    layers of each stack    hidden F, see `hidden_units`
    key_heads G: H if not given (multi-head), 1 (multi-query) or between (grouped-query)
    positions, norm, feed_forward: one of POSITIONS, NORMS, FEED_FORWARDS
    norm_first: normalise what a sub-layer reads (pre-norm) and not what it leaves (post-norm)
    biases of the projections    tied: the output projection is the token embedding
    scaled_embedding: token vectors times √C (Vaswani et al. 2017, section 3.4)
    segments: kinds of segment that have a vector of their own, 0 for none, and embedding_norm: a
    norm between embedding and first block (Devlin et al. 2019)    norm_eps inside each norm's root
    dropout rate, in force only where a call brings a seed    max_length of learned positions
    classes K of the encoder's pooled head, 0 for none

    Raises TypeError or ValueError naming the field that does not fit.
    """

    vocabulary: int
    width: int = 64
    heads: int = 4
    layers: int = 2
    hidden: int | None = None
    key_heads: int | None = None
    positions: str = "sinusoidal"
    norm: str = "layer"
    feed_forward: str = "relu"
    norm_first: bool = False
    biases: bool = True
    tied: bool = True
    scaled_embedding: bool = True
    segments: int = 0
    embedding_norm: bool = False
    norm_eps: float = 1e-5
    dropout: float = 0.0
    max_length: int = 512
    classes: int = 0

    def __post_init__(self) -> None:
        sizes = ("vocabulary", "width", "heads", "layers", "max_length")
        _check.length(1, **{name: getattr(self, name) for name in sizes})
        _check.length(1, hidden=self.hidden_units, key_heads=self.groups)
        _check.length(classes=self.classes, segments=self.segments)
        _check.positive(norm_eps=self.norm_eps)
        for name in ("norm_first", "biases", "tied", "scaled_embedding", "embedding_norm"):
            _check_bool(name, getattr(self, name))
        _check_divides("heads", self.heads, "width", self.width)
        _check_divides("key_heads", self.groups, "heads", self.heads)
        _check_one_of("positions", self.positions, POSITIONS)
        _check_one_of("norm", self.norm, NORMS)
        _check_one_of("feed_forward", self.feed_forward, FEED_FORWARDS)
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(f"heads: expected width / heads even to rotate, got {self.head_width}")
        if self.positions == "sinusoidal" and self.width % 2:
            raise ValueError(f"width: expected even for sinusoids, got {self.width}")
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, Real):
            came = type(self.dropout).__name__
            raise TypeError(f"dropout: expected a number, got {came}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected 0 ≤ rate < 1, got {self.dropout}")

    @property
    def head_width(self) -> int:
        """D = C / H."""
        return self.width // self.heads

    @property
    def hidden_units(self) -> int:
        """F: as given, or 4 C (Vaswani et al. 2017, section 3.3: 2048 for 512).

        With swiglu ⌊8 C / 3⌋: three matrices that weigh as much as two of 4 C (Shazeer 2020,
        section 3.1; Touvron et al. 2023, section 2.2).
        """
        if self.hidden is not None:
            return self.hidden
        return 8 * self.width // 3 if self.feed_forward == "swiglu" else 4 * self.width

    @property
    def groups(self) -> int:
        """G: as given, or H."""
        return self.heads if self.key_heads is None else self.key_heads

    def but(self, **changes: Any) -> Self:
        """The same description with some fields changed, checked again."""
        return replace(self, **changes)


def vaswani_base(vocabulary: int = 37_000) -> TransformerConfig:
    """The base model of Vaswani et al. 2017, table 3, first row, for `seq2seq`."""
    return TransformerConfig(
        vocabulary=vocabulary, width=512, heads=8, layers=6, hidden=2048, dropout=0.1
    )


def bert_like(vocabulary: int, classes: int, **changes: Any) -> TransformerConfig:
    """The choices of BERT (Devlin et al. 2019, section 3) at a small size, for `classifier`."""
    config = TransformerConfig(
        vocabulary=vocabulary,
        classes=classes,
        positions="learned",
        feed_forward="gelu",
        scaled_embedding=False,
        segments=2,
        embedding_norm=True,
    )
    return config.but(**changes)


def gpt_like(vocabulary: int, **changes: Any) -> TransformerConfig:
    """The choices of GPT-2 (Radford et al. 2019, section 2.3) at a small size, for `decoder`."""
    config = TransformerConfig(
        vocabulary=vocabulary,
        positions="learned",
        feed_forward="gelu_tanh",
        norm_first=True,
        scaled_embedding=False,
    )
    return config.but(**changes)


def llama_like(vocabulary: int, **changes: Any) -> TransformerConfig:
    """The choices of LLaMA (Touvron et al. 2023, section 2.2) at a small size, for `decoder`."""
    config = TransformerConfig(
        vocabulary=vocabulary,
        positions="rotary",
        norm="rms",
        feed_forward="swiglu",
        norm_first=True,
        biases=False,
        tied=False,
        scaled_embedding=False,
    )
    return config.but(**changes)


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):  # "no" would count as yes
        raise TypeError(f"{name}: expected True or False, got {value!r}")


def _check_divides(name: str, divisor: int, whole: str, number: int) -> None:
    if number % divisor:
        raise ValueError(f"{name}: expected a divisor of {whole} = {number}, got {divisor}")


def _check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")
