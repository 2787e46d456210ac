"""Assignment 1: a neuron, a unit, and four rules by which they change."""

from companion.assignments.neuron import gradient, layer, oja, perceptron, spikes
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="neuron",
    title=Text("Neuron and learning rule", "神经元与学习规则"),
    tasks=(layer.TASK, spikes.TASK, perceptron.TASK, oja.TASK, gradient.TASK),
    minutes=90,
    level="easy",
)
