"""Weights of a path's score, which are fitted on validation strings."""

from collections.abc import Mapping
from typing import NamedTuple

# Weights are smaller than this. Larger ones could overflow.
_MAX_WEIGHT = 1e3


class PathWeights(NamedTuple):
    """Weights of the score of a path, and of the confidence of its text.

    The score of a path is the sum of the scores of its pieces. The score of a piece and
    a class is linear in the measurements of `cnn.decoding.arc_scores`, of which these
    are the coefficients. The defaults are those of the network alone.

    Attributes:
      odds: of the log odds that a piece is a character, from its highest probability.
      flat_odds: of the same, from its lowest probabilities.
      log_probability: of the logarithm of the probability of the class.
      character: score of each character.
      width: of half the squared deviation from the usual width of the class.
      height: of half the squared deviation of the height from that of the line.
      gap: of the gap before a piece, in heights of the line.
      overlap: of the overlap with the ink before a piece, in heights of the line.
      cut_ink: of the ink that the cuts of a piece divide, in heights of the line.
      num_fragments: of the number of cuts or gaps that a piece spans.
      inner_gap: of the widest gap inside a piece, in heights of the line.
      offset: of half the squared deviation of its middle from that of the line.
      component_rest: of the share of the ink of its components that a piece leaves out.
      cell_rest: of the share of the ink of its printed cell that a piece leaves out.
      separator_odds: of the log odds of a separator.
      separator: score of each separator.
      skipped_odds: of the log odds that ink is no part of the number.
      skipped: score of each piece that is passed over.
      share_logit: of the logit of the text's share of all texts, for its confidence.
      weakest_odds: of the lowest log odds of its characters, for its confidence.
      num_characters: of the number of its characters, for its confidence.
      confidence: constant term of the logit of its confidence.
    """

    odds: float = 1.0
    flat_odds: float = 0.0
    log_probability: float = 1.0
    character: float = 0.0
    width: float = 0.0
    height: float = 0.0
    gap: float = 0.0
    overlap: float = 0.0
    cut_ink: float = 0.0
    num_fragments: float = 0.0
    inner_gap: float = 0.0
    offset: float = 0.0
    component_rest: float = 0.0
    cell_rest: float = 0.0
    separator_odds: float = 1.0
    separator: float = 0.0
    skipped_odds: float = 1.0
    skipped: float = 0.0
    share_logit: float = 1.0
    weakest_odds: float = 0.0
    num_characters: float = 0.0
    confidence: float = 0.0


# Fitted by `cnn.training.string_weights` with a model that learned pieces of numbers.
# The fit of such a model begins with them.
PRIOR_WEIGHTS = PathWeights(
    odds=1.42,
    flat_odds=0.76,
    log_probability=2.0,
    character=2.78,
    width=-0.49,
    height=-0.7,
    gap=3.04,
    overlap=-2.21,
    cut_ink=-3.1,
    num_fragments=-0.85,
    inner_gap=-1.21,
    offset=-2.82,
    component_rest=-3.07,
    cell_rest=-1.94,
    separator_odds=0.73,
    separator=-1.09,
    skipped_odds=1.0,
    skipped=-1.75,
    share_logit=0.43,
    weakest_odds=0.06,
    num_characters=-0.0,
    confidence=-0.93,
)

# Fitted with models that learned single characters only, and take halves of digits for
# digits: those of `bin/train` without `--simulated-string-fraction`, and of Keras.
DEFAULT_WEIGHTS = PathWeights(
    odds=1.31,
    flat_odds=-0.24,
    log_probability=1.99,
    character=2.25,
    width=-1.16,
    height=-2.76,
    gap=3.51,
    overlap=-3.63,
    cut_ink=-3.85,
    num_fragments=0.64,
    inner_gap=-1.49,
    offset=-2.7,
    component_rest=-3.78,
    cell_rest=-1.94,
    separator_odds=0.87,
    separator=0.05,
    skipped_odds=1.0,
    skipped=-0.87,
    share_logit=0.48,
    weakest_odds=0.61,
    num_characters=0.06,
    confidence=-2.75,
)


def weights_from_metadata(values: Mapping[str, float] | None) -> PathWeights:
    """Returns the weights of a model.

    Args:
      values: `string_weights` of the model's metadata, by name, or None for a model
        without. Weights without a value are those of the network alone.

    Raises:
      ValueError: the value is no dictionary of finite numbers, by names of weights.
    """
    if values is None:
        return DEFAULT_WEIGHTS
    if not isinstance(values, Mapping):
        raise ValueError(f"expected weights by name, got {values!r}")
    for name, value in values.items():
        if name not in PathWeights._fields:
            raise ValueError(f"unknown weight {name!r}")
        if not isinstance(value, int | float) or not abs(value) < _MAX_WEIGHT:
            raise ValueError(f"expected a number for {name}, got {value!r}")
    return PathWeights(**{name: float(value) for name, value in values.items()})
