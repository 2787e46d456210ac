"""Assignment 4: from token ids to the loss of a Transformer."""

from companion.assignments.task import Assignment, Text
from companion.assignments.transformer import block, inputs, loss, norm

ASSIGNMENT = Assignment(
    id="transformer",
    title=Text("Transformer block and model", "Transformer 模块与模型"),
    tasks=(inputs.POSITIONS, inputs.EMBED, norm.TASK, block.TASK, loss.LOSS),
    minutes=120,
    level="medium",
)
