"""The confidence of the numbers of a page, by what else is on it.

Words in letters are read as unlikely numbers, and now and then as a likely one. Among
unlikely neighbors, a likely number is less probable.
"""

from collections.abc import Sequence

import numpy as np

from cnn.decoding.beam_search import Reading
from cnn.preprocessing.text_lines import TextLine

# Number of numbers and of other groups that a page has before any is read.
_PRIOR_NUMBERS = 2.0
_PRIOR_OTHERS = 1.0
# Share of numbers on the pages on which the confidence was calibrated.
_CALIBRATED_SHARE = _PRIOR_NUMBERS / (_PRIOR_NUMBERS + _PRIOR_OTHERS)
# Log odds that are lost by each 1 after the second of a number of nothing else:
# hatching and tallies look like it, and one number in ten goes on so.
_REPEATED_ONE_ODDS = -2.0
# Smallest probability, whose logarithm is finite.
_MIN_PROBABILITY = 1e-6


def weigh_by_page(
    lines: Sequence[TextLine], readings: Sequence[Reading]
) -> list[Reading]:
    """Weighs the confidence of each reading by the others of its page.

    Args:
      lines: all lines of one page.
      readings: the reading of each.

    Returns:
      The readings, with lower confidences where the page speaks against a number.
    """
    if not readings:
        return []
    confidence = np.array([reading.confidence for reading in readings])
    evidence = np.array([line.log_odds for line in lines])
    # Evidence for a number does not make its reading surer.
    logits = _logit(confidence) + np.minimum(evidence, 0)
    logits += [_weigh_ones(reading.text) for reading in readings]
    probability = _sigmoid(logits)
    total, count = probability.sum(), len(probability)
    numbers = _PRIOR_NUMBERS + total - probability
    others = _PRIOR_OTHERS + (count - 1) - (total - probability)
    shift = np.log(numbers / others) - _logit(np.array(_CALIBRATED_SHARE))
    # A comb is for numbers, whatever is beside it.
    weighed = _sigmoid(logits + np.minimum(shift + np.maximum(evidence, 0), 0))
    return [
        reading._replace(confidence=float(value))
        for reading, value in zip(readings, weighed, strict=True)
    ]


def _weigh_ones(text: str) -> float:
    """Returns the log odds that a text of nothing but ones is a number."""
    if set(text) != {"1"}:
        return 0.0
    return _REPEATED_ONE_ODDS * max(len(text) - 2, 0)


def _logit(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    return np.log(clipped / (1 - clipped))


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))
