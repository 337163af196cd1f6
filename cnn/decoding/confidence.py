"""The confidence of a text and of each of its characters."""

import math

import numpy as np

from cnn.decoding.number_states import NumberStates
from cnn.decoding.path_sums import PathSums, RelativeWeights
from cnn.decoding.path_weights import PathWeights
from cnn.preprocessing.text_lines import Lattice

# Largest logit of a share, in nats.
_MAX_LOGIT = 12.0


def string_confidence(
    share: float, weakest_odds: float, num_characters: int, weights: PathWeights
) -> float:
    """Computes the calibrated probability that a text is right, by logistic regression.

    Args:
      share: weight of the text's paths, as a fraction of all, in [0, 1].
      weakest_odds: the smallest log odds that a piece of the text is a character.
      num_characters: number of its characters.
      weights: coefficients.

    Returns:
      The probability, in [0, 1].
    """
    logit = (
        weights.confidence
        + weights.share_logit * share_logit(share)
        + weights.weakest_odds * weakest_odds
        + weights.num_characters * num_characters
    )
    return sigmoid(logit)


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
    before, after = sums.forward[lattice.starts], sums.backward[lattice.ends]
    through = (before[:, :-1] * after[:, 1:]) @ states.classes
    if states.keeps_classes:
        through = through + (before * after).sum(-1, keepdims=True)
    posterior = through * weights.characters / sums.total
    interval = np.arange(lattice.num_cuts - 1)[:, None]
    is_inside = (lattice.starts <= interval) & (interval < lattice.ends)
    of_intervals: np.ndarray = is_inside.astype(float) @ posterior
    return of_intervals
