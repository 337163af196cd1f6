"""Reads numbers: the most probable text of a lattice, under what is known of it."""

from cnn.decoding.beam_search import (
    ANY_NUMBER,
    CharacterReading,
    Reading,
    decode_line,
)
from cnn.decoding.path_weights import (
    DEFAULT_WEIGHTS,
    PRIOR_WEIGHTS,
    PathWeights,
    weights_from_metadata,
)

__all__ = [
    "ANY_NUMBER",
    "DEFAULT_WEIGHTS",
    "PRIOR_WEIGHTS",
    "CharacterReading",
    "PathWeights",
    "Reading",
    "decode_line",
    "weights_from_metadata",
]
