"""Assignment 5: from logits to text: greedy, sampling, beams, and a cache."""

from companion.assignments.decoding import beam, cache, choose, greedy
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="decoding",
    title=Text("Decoding", "解码"),
    tasks=(greedy.TASK, choose.TASK, beam.TASK, cache.TASK),
    minutes=150,
    level="hard",
)
