"""Assignment 3: masks, heads, and cross-attention."""

from companion.assignments.heads import causal, cross, merge, multi_head, padding, split
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="heads",
    title=Text("Many heads and masks", "多头注意力与掩码"),
    tasks=(
        causal.TASK, padding.TASK, split.TASK, merge.TASK, multi_head.TASK, cross.TASK,
    ),
    minutes=120,
    level="medium",
)  # fmt: skip
