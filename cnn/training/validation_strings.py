"""Simulated numbers for the weights of the decoding and the confidence of numbers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnn.augmentation.piece_examples import simulate_lines
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.decoding import PRIOR_WEIGHTS
from cnn.preprocessing.pipeline import PREPROCESSING
from cnn.preprocessing.text_lines import TextLine
from cnn.training.string_weights import (
    ReadLine,
    decode,
    fit_confidence,
    fit_path_weights,
)
from cnn.training.training_set import has_digits

# Number of lines, per image of the validation split.
_LINES_PER_IMAGE = 0.3
# Separates the random numbers of these lines from those of the training lines.
_VALIDATION_STREAM = 7
# The fraction of the numbers that are read right with a confidence of at least the
# threshold, and the smallest threshold: a number that is more probably wrong than right
# is always unsure.
_ACCEPTED_FRACTION = 0.99
_MIN_THRESHOLD = 0.5


class ValidationString(NamedTuple):
    """A simulated number.

    Attributes:
      line: its segmentation.
      text: its characters, empty if the image shows no number.
    """

    line: TextLine
    text: str


def make_validation_strings(
    validation_set: datasets.Dataset, config: TrainConfig
) -> list[ValidationString]:
    """Writes numbers of all kinds with the digits of the validation split.

    Args:
      validation_set: labeled images.
      config: settings.

    Returns:
      The numbers that are found, none if the network does not learn pieces of numbers.
    """
    placement = PREPROCESSING[datasets.preprocessing_for(config.dataset)]
    is_wanted = config.simulated_string_fraction and has_digits(validation_set)
    if not is_wanted or placement is None:
        return []
    count = round(_LINES_PER_IMAGE * len(validation_set.labels))
    lines = simulate_lines(
        [config.seed, _VALIDATION_STREAM],
        validation_set.images,
        validation_set.labels,
        count,
        placement,
    )
    return [ValidationString(found, line.text) for line, found in lines if found]


def calibrate_strings(
    params: Any, strings: Sequence[ValidationString], class_names: tuple[str, ...]
) -> dict[str, Any]:
    """Fits the weights of the decoding and the confidence of numbers.

    Args:
      params: of `cnn.model.CNN`, calibrated.
      strings: simulated numbers.
      class_names: the name of each class.

    Returns:
      `string_weights`, by name, and `string_unsure_below`, the confidence that 99 % of
      the numbers that are read right reach, and at least 0.5. Empty without numbers.
    """
    lines = read_pieces(params, strings, class_names)
    if not any(line.text for line in lines):
        return {}
    weights = fit_path_weights(lines, class_names, PRIOR_WEIGHTS)
    weights = fit_confidence(lines, class_names, weights)
    readings = [decode(line, class_names, weights) for line in lines]
    confidence = [
        reading.confidence
        for reading, line in zip(readings, lines, strict=True)
        if line.text and reading.text == line.text
    ]
    threshold = _MIN_THRESHOLD
    if confidence:
        reached = float(np.quantile(confidence, 1 - _ACCEPTED_FRACTION))
        threshold = max(threshold, reached)
    return {
        "string_weights": dict(weights._asdict()),
        "string_unsure_below": threshold,
    }


def read_pieces(
    params: Any, strings: Sequence[ValidationString], class_names: tuple[str, ...]
) -> list[ReadLine]:
    """Computes the network's output for the pieces of numbers."""
    classifier = Classifier(params, {"class_names": list(class_names)})
    lines = []
    for line, text in strings:
        outputs = tuple(
            classifier.predict_proba(lattice.images) for lattice in line.lattices
        )
        lines.append(ReadLine(line, outputs, text))
    return lines
