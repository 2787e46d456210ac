"""Attention and the Transformer, to read (NumPy) and to train (PyTorch).

companion.with_numpy   forward and backward written out; needs NumPy only
companion.with_torch   the same names, to train; needs the extra `torch`

Importing this package imports neither wing, so that it costs nothing.
"""

__version__ = "0.1.0"
