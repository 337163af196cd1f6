"""Synthetic digits in handwriting that MNIST does not have.

MNIST was written by Americans of the 1980s. It has hardly any digits of European or
historic hands. Here each form of a digit is drawn from strokes, with random
proportions, slant and pen.
"""

from cnn.augmentation.glyphs.forms import FORMS, make_glyphs

__all__ = ["FORMS", "make_glyphs"]
