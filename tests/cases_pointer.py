"""Cases of the pointer-generator; see `cases`."""

from typing import Any

import numpy as np
from cases import Arguments, Case, add, normal, sizes
from cases_models import Lead, Rng, _batch, _config, _initialised, _seq2seq, some_params

import companion.with_numpy as numpy_wing
from companion import params as shapes_of


def _mixture(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    B, (T, S, V) = _batch(lead), sizes(rng, "TSV")
    scores = 2 * normal(rng, dtype, B, T, S)
    if rng.integers(2) and S > 1:
        scores[..., -1] = -np.inf  # padding
    return {
        "logits": 2 * normal(rng, dtype, B, T, V),
        "gate": normal(rng, dtype, B, T, 1),
        "scores": scores,
        "source": rng.integers(0, V, size=(B, S)),
    }


def _finite_mixture(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _mixture(rng, dtype, lead)
    given["scores"] = np.where(np.isfinite(given["scores"]), given["scores"], dtype.type(-1))
    return given


def _surprise(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _mixture(rng, dtype, lead or (1,))
    if not given["logits"].size:
        given = _mixture(rng, dtype, (1,))
    B, T, V = given["logits"].shape
    targets = rng.integers(0, V, size=(B, T))
    targets[:, 1:][rng.random((B, T - 1)) < 0.3] = -100
    return {**given, "targets": targets}


def _pointer(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _seq2seq(rng, dtype, lead)
    shapes = shapes_of.pointer_generator_shapes(given["config"])
    return {**given, "params": some_params(rng, dtype, shapes)}


def _pointer_start(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {name: v for name, v in _pointer(rng, dtype, lead).items() if name != "target"}


def _pointer_step(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _pointer(rng, dtype, lead)
    ids = given.pop("target")[:, :2]
    cache = numpy_wing.pointer_generator_start(**given)
    return {"ids": ids, "cache": cache, "params": given["params"], "config": given["config"]}


def _pointer_select(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given, B = _pointer_step(rng, dtype, lead), _batch(lead)
    return {"cache": given["cache"], "rows": rng.integers(0, max(B, 1), size=min(B, 1) * 4)}


def _remade(wing: Any, **given: Any) -> Any:
    return wing.PointerCache(*wing.pointer_generator_start(**given))


add(Case("copy_mixture", _finite_mixture, ("log_probs",), ("logits", "gate", "scores")))
add(Case("copy_mixture", _mixture, ("log_probs",), ("logits", "gate", "scores")))
add(Case("copy_cross_entropy", _surprise, ("loss",)))
add(
    Case(
        "init_pointer_generator", _config, ("params",), call=_initialised("init_pointer_generator")
    )
)
add(Case("pointer_generator", _pointer, ("log_probs",), ("params",)))
add(Case("pointer_generator_start", _pointer_start, ("cache",)))
add(Case("pointer_generator_step", _pointer_step, ("log_probs", "cache")))
add(Case("select_pointer_rows", _pointer_select, ("cache",)))
add(Case("PointerCache", _pointer_start, ("cache",), call=_remade))
