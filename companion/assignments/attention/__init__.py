"""Assignment 2: softmax and attention."""

from companion.assignments.attention import backward, mix, scores, softmax
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="attention",
    title=Text("Softmax and attention", "softmax 与注意力"),
    tasks=(softmax.TASK, scores.TASK, mix.TASK, backward.TASK),
    minutes=90,
    level="easy",
)
