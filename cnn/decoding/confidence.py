"""The confidence of a text and of each of its characters."""

import math
from typing import NamedTuple

import numpy as np

from cnn.decoding.number_states import NumberStates
from cnn.decoding.path_sums import PathSums, RelativeWeights
from cnn.decoding.path_weights import PathWeights
from cnn.preprocessing.text_lines import Lattice

# Largest logit of a share, in nats.
_MAX_LOGIT = 12.0


class TextEvidence(NamedTuple):
    """What the confidence of a text is computed from.

    Attributes:
      share_logit: logit of the weight of its paths as a fraction of all, in nats.
      weakest_odds: the smallest log odds that one of its pieces is a character.
      num_characters: number of its characters.
    """

    share_logit: float
    weakest_odds: float
    num_characters: float


def string_confidence(
    evidence: TextEvidence, weights: PathWeights, log_odds: float = 0.0
) -> float:
    """Computes the calibrated probability that a text is right, by logistic regression.

    Args:
      evidence: of the text.
      weights: coefficients.
      log_odds: log odds, from elsewhere, that there is a number at all.

    Returns:
      The probability, in [0, 1].
    """
    coefficients = [getattr(weights, name) for name in TextEvidence._fields]
    logit = weights.confidence + float(np.dot(coefficients, evidence))
    return sigmoid(logit + log_odds)


def share_logit(share: float) -> float:
    """Returns the logit of a fraction in [0, 1], which is finite."""
    rest = 1 - share
    if share <= 0:
        return -_MAX_LOGIT
    if rest <= 0:
        return _MAX_LOGIT
    return min(max(math.log(share / rest), -_MAX_LOGIT), _MAX_LOGIT)


def sigmoid(logit: float) -> float:
    """Returns the probability of a logit, without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def label_posterior(
    lattice: Lattice, weights: RelativeWeights, sums: PathSums, states: NumberStates
) -> np.ndarray:
    """Computes the probability of each class at each place of a line.

    Every path has one arc between two neighbouring cuts. So the weights of all arcs
    there, which may begin and end elsewhere, are a distribution.

    Args:
      lattice: arcs between cuts.
      weights: weights of the arcs.
      sums: sums over the paths that `states` accepts.
      states: what is known of the number.

    Returns:
      `float64 (num_cuts - 1, num_classes)`, in [0, 1]. What is missing to a sum of 1 is
      the probability that there is no character.
    """
    posterior, _ = arc_posterior(lattice, weights, sums, states)
    interval = np.arange(lattice.num_cuts - 1)[:, None]
    is_inside = (lattice.starts <= interval) & (interval < lattice.ends)
    of_intervals: np.ndarray = is_inside.astype(float) @ posterior
    return of_intervals


def arc_posterior(
    lattice: Lattice, weights: RelativeWeights, sums: PathSums, states: NumberStates
) -> tuple[np.ndarray, np.ndarray]:
    """Computes the probability that the path of a line leads along each arc.

    Args:
      lattice: arcs between cuts.
      weights: weights of the arcs.
      sums: sums over the paths that `states` accepts. Their total is above 0.
      states: what is known of the number.

    Returns:
      `float64 (N, num_classes)`, of each arc as each class, and `float64 (N,)`, of each
      arc as a separator or skipped ink.
    """
    before, after = sums.forward[lattice.starts], sums.backward[lattice.ends]
    advancing = before[:, :-1] * after[:, 1:]
    staying = (before * after).sum(-1)
    of_classes = advancing @ states.classes
    if states.keeps_classes:
        of_classes = of_classes + staying[:, None]
    of_marks = staying.copy()
    for step, symbol in enumerate(states.symbols):
        if symbol:
            is_symbol = np.array([other == symbol for other in lattice.symbols])
            of_marks[is_symbol] += advancing[is_symbol, step]
    return (
        of_classes * weights.characters / sums.total,
        of_marks * weights.marks / sums.total,
    )
