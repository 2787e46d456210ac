"""Attention and the Transformer, to read (NumPy) and to train (PyTorch).

companion.with_numpy   forward and backward written out; needs NumPy only
companion.with_torch   the same names, to train; needs the extra `torch`
companion.text         tokenisers that lose nothing
companion.news         the worked example
companion.brain        neurons, synapses and memories, in mV, ms and nA
companion.interop      weights of other libraries in our models

Importing this package imports none of them, so that it costs nothing.
"""

__version__ = "0.1.0"
