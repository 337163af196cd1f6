"""The most probable text of a text line, by dynamic programming over its lattice."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding.path_weights import PathWeights
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import TextLine

ANY_NUMBER = NumberPattern()


class CharacterReading(NamedTuple):
    """One character of a number.

    Attributes:
      prediction: the name of its class, or a separator.
      confidence: its probability, in [0, 1].
      runner_up: the second most probable class, or empty for a separator.
      box: left, top, right and bottom of its ink, in pixels of the upright picture.
      arc: index of its piece in the lattice.
    """

    prediction: str
    confidence: float
    runner_up: str
    box: tuple[float, float, float, float]
    arc: int


class Reading(NamedTuple):
    """The most probable text of a text line.

    Attributes:
      text: the characters in order, empty if nothing can be read.
      confidence: the calibrated probability that the whole text is right, in [0, 1].
      characters: its characters.
      lattice: index of the lattice of the characters.
      detail: a remark, or empty: what was passed over, why nothing fits the pattern.
    """

    text: str
    confidence: float
    characters: tuple[CharacterReading, ...]
    lattice: int
    detail: str


def decode_line(
    line: TextLine,
    probabilities: Sequence[np.ndarray],
    class_names: Sequence[str],
    pattern: NumberPattern = ANY_NUMBER,
    weights: PathWeights | None = None,
) -> Reading:
    """Finds the most probable text of a line.

    Args:
      line: the line.
      probabilities: per lattice of the line, `float32 (N, num_classes)`, the network's
        output for its arcs. Rows of arcs that are no `CHARACTER` are ignored.
      class_names: the name of each class.
      pattern: what is known of the number.
      weights: weights of a path's score. None stands for `DEFAULT_WEIGHTS`.
    """
    lattice, outputs = line.lattices[0], probabilities[0]
    characters = []
    confidence = 1.0
    for arc, output in enumerate(outputs):
        best, second = np.argsort(-output, kind="stable")[:2]
        confidence *= float(output[best])
        left, top, right, bottom = lattice.boxes[arc].tolist()
        characters.append(
            CharacterReading(
                class_names[best],
                float(output[best]),
                class_names[second],
                (left, top, right, bottom),
                arc,
            )
        )
    text = "".join(character.prediction for character in characters)
    return Reading(text, confidence, tuple(characters), 0, line.detail)
