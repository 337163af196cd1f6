"""Simulated numbers for the weights of the decoding and the confidence of numbers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnn.augmentation.piece_examples import simulate_lines
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.decoding import DEFAULT_WEIGHTS
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
_LINES_PER_IMAGE = 0.16
# Separates the random numbers of these lines from those of the training lines.
_VALIDATION_STREAM = 7
# The fraction of the numbers of at least the threshold that are read right, and the
# range of the threshold: a number that is more probably wrong than right is always
# unsure.
_ACCEPTED_ACCURACY = 0.95
_MIN_THRESHOLD = 0.5
_MAX_THRESHOLD = 0.95


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
    placement = PREPROCESSING[validation_set.preprocessing]
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
      `string_weights`, by name, and `string_unsure_below`, the lowest confidence in
      [0.5, 0.95] from which on 95 % of the numbers are right. Empty without numbers.
    """
    lines = read_pieces(params, strings, class_names)
    if not any(line.text for line in lines):
        return {}
    weights = fit_path_weights(lines, class_names, DEFAULT_WEIGHTS)
    weights = fit_confidence(lines, class_names, weights)
    readings = [decode(line, class_names, weights) for line in lines]
    is_right = np.array(
        [read.text == line.text for read, line in zip(readings, lines, strict=True)]
    )
    confidence = np.array([reading.confidence for reading in readings])
    threshold = find_threshold(confidence, is_right)
    return {
        "string_weights": dict(weights._asdict()),
        "string_unsure_below": threshold,
    }


def find_threshold(confidence: np.ndarray, is_right: np.ndarray) -> float:
    """Finds the lowest confidence from which on 95 % of the numbers are right.

    Args:
      confidence: `float (N,)`, in [0, 1].
      is_right: `bool (N,)`, whether a number was read right.

    Returns:
      A threshold in [0.5, 0.95].

    Example:
      >>> find_threshold(np.array([0.9, 0.8, 0.7]), np.array([True, True, False]))
      0.8
    """
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    accepted = np.flatnonzero(accuracy >= _ACCEPTED_ACCURACY)
    lowest = confidence[order[accepted[-1]]] if len(accepted) else _MAX_THRESHOLD
    return float(np.clip(lowest, _MIN_THRESHOLD, _MAX_THRESHOLD))


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
