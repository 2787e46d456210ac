"""The classical Hopfield network: memories as valleys of an energy. States and weights: no unit."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def hopfield_weights(patterns: Array) -> Array:
    """Store patterns with one Hebbian step each.

        weight_ij = (1/N) Σ_p patterns_pi patterns_pj for i ≠ j,   weight_ii = 0

    patterns (P, N), each entry -1 or +1, no unit   Returns weight (N, N), symmetric, no unit.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Hopfield 1982; it is Hebb's rule (see `hebb_step`) on pairs of units. Random patterns
    are recalled with few errors only while P stays below about 0.14 N: theory for large N, not
    derived here (Amit et al. 1985).
    """
    _brain.finite(patterns=patterns)
    _brain.axes(2, "(P, N)", patterns=patterns)
    _check.length(1, **{"N, the columns of patterns": patterns.shape[-1]})
    _brain.signs(patterns=patterns)
    weight = patterns.T @ patterns / float(patterns.shape[1])
    np.fill_diagonal(weight, 0.0)
    return weight


def hopfield_energy(state: Array, weight: Array) -> Array:
    """Energy of a state: low where units that excite each other agree.

        E = -½ Σ_ij state_i weight_ij state_j

    state (..., N), each entry -1 or +1   weight (N, N), symmetric, zero diagonal, no unit
    Returns energy (...,), no unit (not joules: the name is an analogy with physics).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Hopfield 1982.
    """
    _fits(state, weight)
    return _energy(state, weight)


def hopfield_recall(
    state: Array, weight: Array, rng: np.random.Generator, max_sweeps: int = 100
) -> tuple[Array, Array]:
    """Let one unit after another align with its input until no unit wants to change.

        state_i ← sign(Σ_j weight_ij state_j), one i at a time; unchanged if the sum is 0

    state (N,), each entry -1 or +1   weight (N, N), symmetric, zero diagonal, no unit
    rng orders the units anew in each sweep   max_sweeps at most so many sweeps over all units
    Returns the final state (N,) and energies (1 + updates,), no unit: before, and after each single
    update. The energy never rises, so the network comes to rest.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if units
    still change after max_sweeps.
    Source: Hopfield 1982, whose units are 1 and 0 and change at random moments; here they are ±1
    and each has one turn in every sweep.
    """
    _fits(state, weight)
    _brain.axes(1, "(N,)", state=state)
    _brain.generator(rng)
    _check.length(1, max_sweeps=max_sweeps)
    state = state.copy()
    energies = [_energy(state, weight)]
    for _ in range(max_sweeps):
        flips = 0
        for i in rng.permutation(state.size):
            if (weight[i] @ state) * state[i] < 0:
                state[i] = -state[i]
                flips += 1
            energies.append(_energy(state, weight))
        if flips == 0:
            return state, np.stack(energies)
    raise ValueError(f"max_sweeps: expected enough sweeps to come to rest, got {max_sweeps}")


def _energy(state: Array, weight: Array) -> Array:
    return np.asarray(-0.5 * ((state @ weight) * state).sum(axis=-1))


def _fits(state: Array, weight: Array) -> None:
    _brain.finite(weight=weight, state=state)
    _check.rank(1, state=state)
    N = state.shape[-1]
    _check.shape("weight", weight, (N, N), "(N, N)")
    _brain.signs(state=state)
    if not (weight == weight.T).all() or np.diagonal(weight).any():
        raise ValueError("weight: expected a symmetric matrix with a zero diagonal, got another")
