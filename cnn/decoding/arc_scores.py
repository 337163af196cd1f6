"""The score of each piece of a lattice, as each character or as what it is otherwise.

Scores are log odds: a piece that is as likely a character as not has the score 0, so
that paths of different numbers of pieces can be compared.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding.path_weights import PathWeights
from cnn.preprocessing.text_lines import CHARACTER, FEATURES, SKIPPED, Lattice

# Range of the probability that a piece is a character. The network cannot be surer:
# the right half of a 4 is a perfect 1.
_MIN_IS_CHARACTER = 1e-3
_MAX_IS_CHARACTER = 0.98
# Smallest probability of a class, so that its logarithm is finite.
_MIN_PROBABILITY = 1e-6

# Mean and standard deviation of the ratio of width to height of the digits of MNIST's
# training set, by the boxes of their ink.
_ASPECT_RATIOS = {
    "0": (0.90, 0.19),
    "1": (0.41, 0.20),
    "2": (0.94, 0.23),
    "3": (0.78, 0.17),
    "4": (0.79, 0.18),
    "5": (0.96, 0.28),
    "6": (0.71, 0.16),
    "7": (0.76, 0.18),
    "8": (0.75, 0.18),
    "9": (0.66, 0.14),
}
# The same of any other character. It says little.
_ASPECT_RATIO = (0.8, 0.5)
# Standard deviation of the height of the digits of a number, in heights of the line.
_HEIGHT_DEVIATION = 0.3
# Largest cost of a height and of an offset, as half of a squared deviation. Old hands
# write a 0 half as high as an 8, and long tails.
_MAX_PLACE_COST = 1.5
# Standard deviation of the middle of a digit from that of the line, in heights of the
# line.
_OFFSET_DEVIATION = 0.15
# Smallest height that a width is divided by, in heights of the line.
_MIN_HEIGHT = 0.3
# Largest squared deviation that counts, in standard deviations.
_MAX_SQUARED_DEVIATION = 16.0

# Height of a mark that could be a digit, in heights of the line, and what its score
# loses where it is not asked for.
_TALL_MARK = 0.6
_TALL_MARK_COST = 5.0

# Names of the measurements of a piece as a class, by weights of the same names.
CHARACTER_TERMS = (
    "odds",
    "flat_odds",
    "log_probability",
    "character",
    "width",
    "height",
    "gap",
    "overlap",
    "cut_ink",
    "num_fragments",
    "inner_gap",
    "offset",
    "component_rest",
    "cell_rest",
)
# Those of a piece that is no character.
MARK_TERMS = ("separator_odds", "separator", "skipped_odds", "skipped")


class ArcScores(NamedTuple):
    """Scores of the N arcs of a lattice.

    Attributes:
      characters: `float64 (N, num_classes)`, of each class. Minus infinity for arcs
        that are no `CHARACTER`.
      marks: `float64 (N,)`, of a separator or of skipped ink. Minus infinity for
        characters.
      odds: `float64 (N,)`, the log odds that a piece is a character.
    """

    characters: np.ndarray
    marks: np.ndarray
    odds: np.ndarray


def score_arcs(
    lattice: Lattice,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    weights: PathWeights,
) -> ArcScores:
    """Computes the scores of all arcs of a lattice.

    Args:
      lattice: pieces of a text line.
      probabilities: `float32 (N, num_classes)`, the network's output for each piece.
      class_names: the name of each class.
      weights: coefficients of the measurements.
    """
    is_character = lattice.is_character
    terms = measure_characters(lattice, probabilities, class_names)
    values = [getattr(weights, name) for name in CHARACTER_TERMS]
    characters = sum(
        value * term for value, term in zip(values, terms, strict=True) if value
    )
    characters = np.broadcast_to(characters, probabilities.shape)
    mark_values = [getattr(weights, name) for name in MARK_TERMS]
    marks = np.array(mark_values) @ measure_marks(lattice)
    return ArcScores(
        np.where(is_character[:, None], characters, -np.inf),
        np.where(is_character, -np.inf, marks),
        terms[0][:, 0],
    )


def doubt_tall_marks(scores: ArcScores, lattice: Lattice, separators: str) -> ArcScores:
    """Lowers the scores of marks as high as digits that are not asked for.

    A slanted 1 looks like a slash. Where no slash is expected, it is a 1.

    Args:
      scores: scores of the arcs.
      lattice: the arcs.
      separators: the marks that are asked for.
    """
    height = lattice.features[:, FEATURES.index("height")]
    asked = (CHARACTER, SKIPPED, *separators)
    is_unasked = np.array([symbol not in asked for symbol in lattice.symbols], bool)
    cost = np.where(is_unasked & (height > _TALL_MARK), _TALL_MARK_COST, 0.0)
    return scores._replace(marks=scores.marks - cost)


def measure_characters(
    lattice: Lattice, probabilities: np.ndarray, class_names: Sequence[str]
) -> list[np.ndarray]:
    """Computes the measurements of pieces as characters.

    Args:
      lattice: N pieces of a text line.
      probabilities: `float32 (N, num_classes)`, the network's output for each piece.
      class_names: the name of each class.

    Returns:
      One `float64 (N, 1)` or `(N, num_classes)` per name of `CHARACTER_TERMS`.
    """
    probabilities = probabilities.astype(float)
    features = lattice.features.astype(float)
    column = {name: features[:, i, None] for i, name in enumerate(FEATURES)}
    gap = column["gap_before"]
    height = column["height"]
    return [
        _odds_of_highest(probabilities),
        _odds_of_lowest(probabilities),
        np.log(np.maximum(probabilities, _MIN_PROBABILITY)),
        np.ones((len(probabilities), 1)),
        _width_deviation(column["width"], height, class_names),
        _place_cost((height - 1) / _HEIGHT_DEVIATION),
        np.maximum(gap, 0),
        np.maximum(-gap, 0),
        column["cut_ink"],
        column["num_fragments"],
        column["inner_gap"],
        _place_cost(column["offset"] / _OFFSET_DEVIATION),
        column["component_rest"],
        column["cell_rest"],
    ]


def measure_marks(lattice: Lattice) -> np.ndarray:
    """Computes the measurements of separators and of ink that is passed over.

    Returns:
      `float64 (len(MARK_TERMS), N)`.
    """
    is_skipped = np.array([symbol == SKIPPED for symbol in lattice.symbols], float)
    is_separator = 1 - is_skipped
    log_odds = lattice.log_odds.astype(float)
    return np.stack(
        [log_odds * is_separator, is_separator, log_odds * is_skipped, is_skipped]
    )


def _odds_of_highest(probabilities: np.ndarray) -> np.ndarray:
    """Computes log odds that a piece is a character: some class is probable.

    Returns:
      `float64 (N, 1)`.
    """
    chance = 1 / probabilities.shape[-1]
    highest = probabilities.max(-1, keepdims=True)
    return _log_odds((highest - chance) / (1 - chance))


def _odds_of_lowest(probabilities: np.ndarray) -> np.ndarray:
    """Computes log odds that a piece is a character: most classes are improbable.

    The output for what is no character is uniform, so half of the classes tell how much
    of the output is. A piece that may be one of two digits is a character for certain.

    Returns:
      `float64 (N, 1)`.
    """
    num_classes = probabilities.shape[-1]
    half = num_classes // 2
    lowest = np.sort(probabilities, axis=-1)[:, :half].mean(-1, keepdims=True)
    return _log_odds(1 - num_classes * lowest)


def _log_odds(probability: np.ndarray) -> np.ndarray:
    probability = np.clip(probability, _MIN_IS_CHARACTER, _MAX_IS_CHARACTER)
    odds: np.ndarray = np.log(probability / (1 - probability))
    return odds


def _width_deviation(
    width: np.ndarray, height: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Compares the width of pieces with that of each class, `float64 (N, classes)`."""
    usual = [_ASPECT_RATIOS.get(name, _ASPECT_RATIO) for name in class_names]
    mean, deviation = np.array(usual).T
    ratio = width / np.maximum(height, _MIN_HEIGHT)
    return _half_square((ratio - mean) / deviation)


def _place_cost(deviation: np.ndarray) -> np.ndarray:
    return np.minimum(_half_square(deviation), _MAX_PLACE_COST)


def _half_square(deviation: np.ndarray) -> np.ndarray:
    return np.minimum(deviation**2, _MAX_SQUARED_DEVIATION) / 2
