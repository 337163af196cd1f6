"""How sure a network should say it is: temperature, calibration error, and when to be unsure."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

# The share of real characters that a network stays sure of.
_ACCEPTED_FRACTION = 0.995


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Finds the temperature that makes confidence agree with accuracy: that of the lowest loss.

    Guo et al., "On Calibration of Modern Neural Networks", 2017. Beside it counts, like one picture,
    that temperatures far from 1 are unlikely, or a few pictures that are all right would ask for 0.

    Args:
      logits: `float32 (N, num_classes)`, of pictures that were not trained on.
      labels: `int (N,)`.

    Returns:
      What to divide logits by, from 0.05 to 20.
    """

    def loss(log_temperature: float) -> float:
        return mean_cross_entropy(
            logits / np.exp(log_temperature), labels
        ) + log_temperature**2 / 2 / len(labels)

    return float(
        np.exp(
            minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x
        )
    )


def mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Computes the mean cross-entropy, in nats, of `(N, num_classes)` logits and `(N,)` labels."""
    log_probabilities = log_softmax(logits.astype(np.float64), axis=-1)
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def calibrate(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Fits a `temperature`, and at that temperature the confidence to be `unsure_below`."""
    found = fit_temperature(logits, labels)
    return {
        "temperature": found,
        "unsure_below": confidence_threshold(softmax(logits / found, axis=-1).max(-1)),
    }


def apply_temperature(params: Any, temperature: float) -> Any:
    """Folds a temperature into the last layer, so that its logits come out divided by it."""
    last = {
        name: np.asarray(array / np.float32(temperature))
        for name, array in params["dense_1"].items()
    }
    return {**params, "dense_1": last}


def equal_mass_bins(
    confidence: np.ndarray, right: np.ndarray, count: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorts predictions by confidence into bins of equal size.

    Args:
      confidence: `float (N,)`, in [0, 1].
      right: `bool (N,)`, whether each was right.
      count: how many bins; fewer when there are fewer predictions.

    Returns:
      Of each bin, the mean confidence, the accuracy and how many are in it.

    Example:
      >>> [values.tolist() for values in bins(np.array([0.9, 0.5, 0.7, 0.5]), np.array([1, 0, 1, 1]), 2)]
      [[0.5, 0.8], [0.5, 1.0], [2, 2]]
    """
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    means = [
        [float(values[part].mean()) for part in parts] for values in (confidence, right)
    ]
    return (
        np.array(means[0]),
        np.array(means[1]),
        np.array([len(part) for part in parts]),
    )


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Computes the expected calibration error, over 15 bins of equal size; arguments as for `bins`.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    sure, accuracy, counts = equal_mass_bins(confidence, right)
    return float(np.abs(sure - accuracy) @ counts / max(1, counts.sum()))


def confidence_threshold(confidence: np.ndarray) -> float:
    """Finds the confidence that 99.5 % of these pictures reach; below it, one is rather no character."""
    return float(np.quantile(confidence, 1 - _ACCEPTED_FRACTION, method="lower"))
