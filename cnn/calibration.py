"""Calibration of confidence: temperature scaling, calibration error and thresholds.

A calibrated network is right in 90 % of the predictions that it makes with a confidence
of 0.9.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from cnn.candidate_mixture import candidate_posterior

# The fraction of real characters with a confidence of at least `confidence_threshold`.
_ACCEPTED_FRACTION = 0.995
# The range of temperatures that `fit_temperature` searches.
_MIN_TEMPERATURE = 0.05
_MAX_TEMPERATURE = 20


class PageLogits(NamedTuple):
    """The network's output for pages of up to N candidate segmentations.

    Attributes:
      logits: `float32 (pages, N, num_classes)`.
      weights: `float32 (pages, N)`, relative prior probabilities of the candidates, 0
        for missing ones.
      labels: `int (pages,)`, in [0, num_classes).
    """

    logits: np.ndarray
    weights: np.ndarray
    labels: np.ndarray


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, pages: PageLogits | None = None
) -> float:
    """Fits the temperature T of temperature scaling: softmax(logits / T) is calibrated.

    T minimizes the cross-entropy of `logits / T` plus a log-normal prior around 1. The
    prior is weighted as one example. It keeps T above 0 when all examples are right.
    With pages, their cross-entropy is added: the mean of the pages counts as much as
    the mean of the other examples.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.

    Args:
      logits: `float32 (N, num_classes)`, of examples not in the training set.
      labels: `int (N,)`, in [0, num_classes).
      pages: pages that are not in the training set.

    Returns:
      The temperature, in [0.05, 20].

    Example:
      >>> labels = np.array([0, 1, 0, 1] * 50)
      >>> logits = np.eye(2)[labels] * 4
      >>> logits[:50] *= -1  # A quarter is wrong, at a confidence of 98 %.
      >>> round(fit_temperature(logits, labels), 2)
      3.54
    """
    count = len(labels)

    def loss(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        cross_entropy = mean_cross_entropy(logits / temperature, labels)
        if pages is not None:
            cross_entropy += _page_cross_entropy(pages, temperature)
        prior = log_temperature**2 / 2
        return cross_entropy + prior / count

    low = np.log(_MIN_TEMPERATURE)
    high = np.log(_MAX_TEMPERATURE)
    optimum = minimize_scalar(loss, bounds=(low, high), method="bounded")
    temperature = np.exp(optimum.x)
    return float(temperature)


def mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Computes the mean cross-entropy, in nats.

    Args:
      logits: `float (N, num_classes)`.
      labels: `int (N,)`, in [0, num_classes).
    """
    examples = np.arange(len(labels))
    logits = logits.astype(np.float64)
    log_probabilities = log_softmax(logits, axis=-1)
    log_likelihoods = log_probabilities[examples, labels]
    return float(-log_likelihoods.mean())


def _page_cross_entropy(pages: PageLogits, temperature: float) -> float:
    """Computes the mean cross-entropy of pages in nats, at a temperature."""
    probabilities = mix_pages(pages, temperature)
    of_labels = probabilities[np.arange(len(pages.labels)), pages.labels]
    return float(-np.log(np.maximum(of_labels, np.finfo(float).tiny)).mean())


def mix_pages(pages: PageLogits, temperature: float = 1.0) -> np.ndarray:
    """Computes the class probabilities of pages at a temperature.

    Returns:
      `float64 (pages, num_classes)` in [0, 1].
    """
    probabilities = softmax(pages.logits.astype(float) / temperature, axis=-1)
    posterior = candidate_posterior(probabilities, pages.weights)
    mixed: np.ndarray = np.einsum("pn,pnk->pk", posterior, probabilities)
    return mixed


def calibrate(
    logits: np.ndarray, labels: np.ndarray, pages: PageLogits | None = None
) -> dict[str, float]:
    """Fits the temperature, and the confidence threshold at that temperature.

    Args:
      logits: `float32 (N, num_classes)`, of examples not in the training set.
      labels: `int (N,)`, in [0, num_classes).
      pages: pages that are not in the training set. They count for the temperature.

    Returns:
      `temperature` from `fit_temperature` and `unsure_below` from
      `confidence_threshold`, under the names that they have in a model's metadata.
    """
    temperature = fit_temperature(logits, labels, pages)
    probabilities = softmax(logits / temperature, axis=-1)
    confidence = probabilities.max(-1)
    return {
        "temperature": temperature,
        "unsure_below": confidence_threshold(confidence),
    }


def apply_temperature(
    params: Mapping[str, Mapping[str, np.ndarray]], temperature: float
) -> dict[str, Mapping[str, np.ndarray]]:
    """Divides the network's logits by a temperature, by scaling its last layer.

    Args:
      params: of `cnn.model.CNN`.
      temperature: greater than 0.

    Returns:
      New parameters. All layers but the last are those of `params`.
    """
    divisor = np.float32(temperature)
    last_layer = params["dense_1"]
    scaled_layer = {}
    for name, array in last_layer.items():
        scaled_layer[name] = np.asarray(array / divisor)
    return dict(params) | {"dense_1": scaled_layer}


def equal_mass_bins(
    confidence: np.ndarray, is_correct: np.ndarray, count: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Splits predictions into quantile bins: bins of equally many predictions.

    Args:
      confidence: `float (N,)`, in [0, 1].
      is_correct: `bool (N,)`.
      count: number of bins. Fewer than `count` predictions make one bin each.

    Returns:
      Per bin, the mean confidence in [0, 1], the accuracy in [0, 1] and the number of
      predictions, in order of confidence.

    Example:
      >>> confidence = np.array([0.9, 0.5, 0.7, 0.5])
      >>> bins = equal_mass_bins(confidence, np.array([1, 0, 1, 1]), count=2)
      >>> [values.tolist() for values in bins]
      [[0.5, 0.8], [0.5, 1.0], [2, 2]]
    """
    order = np.argsort(confidence, kind="stable")
    mean_confidence = []
    accuracy = []
    num_predictions = []
    for members in np.array_split(order, count):
        if len(members) == 0:
            continue
        mean_confidence.append(float(confidence[members].mean()))
        accuracy.append(float(is_correct[members].mean()))
        num_predictions.append(len(members))
    return (
        np.array(mean_confidence),
        np.array(accuracy),
        np.array(num_predictions),
    )


def expected_calibration_error(confidence: np.ndarray, is_correct: np.ndarray) -> float:
    """Computes the expected calibration error (ECE) over 15 quantile bins.

    The ECE is the mean distance between confidence and accuracy of a bin, weighted by
    the number of predictions.

    Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", 2015.

    Args:
      confidence: `float (N,)`, in [0, 1].
      is_correct: `bool (N,)`.

    Returns:
      The error, in [0, 1]. 0 is perfect.

    Example:
      >>> round(expected_calibration_error(np.array([0.9, 0.6]), np.array([1, 1])), 2)
      0.25
    """
    mean_confidence, accuracy, counts = equal_mass_bins(confidence, is_correct)
    distance = np.abs(mean_confidence - accuracy)
    total = max(1, counts.sum())
    weighted_sum = distance @ counts
    return float(weighted_sum / total)


def confidence_threshold(confidence: np.ndarray) -> float:
    """Computes the confidence that 99.5 % of the examples reach.

    An image with a lower confidence may show no character at all.

    Args:
      confidence: `float (N,)`, in [0, 1], of images of characters.
    """
    rejected_fraction = 1 - _ACCEPTED_FRACTION
    threshold = np.quantile(confidence, rejected_fraction, method="lower")
    return float(threshold)
