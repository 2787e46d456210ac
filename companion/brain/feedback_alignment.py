"""Feedback alignment: learning without the transposed weights that a brain could not know."""

from collections.abc import Mapping

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.brain.mlp import backward_through, check_params
from companion.with_numpy._types import Array


def feedback_alignment_backward(
    grad_output: Array, x: Array, params: Mapping[str, Array], hidden: Array, feedback: Array
) -> dict[str, Array]:
    """The backward pass of `mlp` with a fixed random matrix in place of the output weights.

        backpropagation: G_hidden = (G W_output) ⊙ [hidden > 0]               G = ∂L/∂output
        here:            G_hidden = (G feedbackᵀ) ⊙ [hidden > 0]

    grad_output (B, O)   x (B, I)   hidden (B, J), as `mlp` returned it   feedback (J, O), never
    trained, all without unit
    Returns update directions keyed like params, no unit: use them where gradients would go. Those
    of the output layer are gradients, those of the hidden layer are not.

    Raises TypeError or ValueError naming the argument or parameter that does not fit.
    Source: Lillicrap et al. 2016, their B. One obstacle to backpropagation in a brain is removed,
    weight transport; separate phases and signed errors remain (Lillicrap et al. 2020).
    """
    check_params(x, params)
    _check_feedback(params["output.weight"], feedback)
    return backward_through(grad_output, x, params, hidden, feedback.T)[1]


def feedback_angle_degrees(grad_output: Array, output_weight: Array, feedback: Array) -> float:
    """Mean angle between the error signal that is used and the one backpropagation would use.

        angle_b = arccos(cos(feedback g_b, W_outputᵀ g_b))                    g = ∂L/∂output

    grad_output (B, O)   output_weight (O, J)   feedback (J, O), no unit
    Returns the mean over the batch in degrees: 90° is no agreement, below 90° goes downhill.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if one of
    the signals is zero, for which there is no angle.
    Source: Lillicrap et al. 2016, who follow this angle through training.
    """
    _check_feedback(output_weight, feedback)
    _brain.finite(output_weight=output_weight, grad_output=grad_output)
    _brain.axes(2, "(B, O)", grad_output=grad_output)
    B = grad_output.shape[0]
    _check.shape("grad_output", grad_output, (B, output_weight.shape[0]), "(B, O)")
    _check.length(1, **{"B, the rows of grad_output": B})
    used, true = grad_output @ feedback.T, grad_output @ output_weight
    lengths = np.linalg.norm(used, axis=-1) * np.linalg.norm(true, axis=-1)
    if (lengths == 0).any():
        raise ValueError("grad_output: expected a signal in every row, got one that is zero")
    cosine = np.clip((used * true).sum(axis=-1) / lengths, -1.0, 1.0)  # rounding may exceed 1
    return float(np.degrees(np.arccos(cosine)).mean())


def _check_feedback(output_weight: Array, feedback: Array) -> None:
    _brain.finite(output_weight=output_weight, feedback=feedback)
    _brain.axes(2, "(O, J)", output_weight=output_weight)
    _check.shape("feedback", feedback, output_weight.shape[::-1], "(J, O)")
