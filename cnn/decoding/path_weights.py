"""Weights of a path's score, which are fitted on validation strings."""

from typing import NamedTuple


class PathWeights(NamedTuple):
    """Weights of the score of a path through a lattice.

    Attributes:
      odds: weight of the log odds that a piece is a character.
    """

    odds: float = 1.0


DEFAULT_WEIGHTS = PathWeights()
