"""Assignment 2: softmax and attention."""

from companion.assignments.attention import softmax
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="attention",
    title=Text("Softmax and attention", "softmax 与注意力"),
    tasks=(softmax.TASK,),
    minutes=90,
    level="easy",
)
