"""Metrics of a training step, an epoch and an evaluation."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from cnn import calibration
from cnn.data import datasets


class StepMetrics(NamedTuple):
    """Metrics of one training step.

    Attributes:
      loss: mean cross-entropy of the batch, `float32 ()` in nats.
      num_correct: number of correct predictions among `num_examples`.
      num_examples: number of examples whose target gives one class more than 0.5.
        Outliers have no such class and do not count.
    """

    loss: jax.Array
    num_correct: jax.Array
    num_examples: jax.Array


class EpochMetrics(NamedTuple):
    """Sums over the steps of an epoch.

    Attributes:
      loss_sum: sum of the steps' mean losses.
      num_correct: number of correct predictions.
      num_examples: number of predictions that were compared with a class.
      first_nonfinite_step: first step, from 1, whose loss is NaN or infinite, or 0.
    """

    loss_sum: jax.Array | np.float32 = np.float32(0)
    num_correct: jax.Array | np.float32 = np.float32(0)
    num_examples: jax.Array | np.float32 = np.float32(0)
    first_nonfinite_step: jax.Array | np.int32 = np.int32(0)


def add_step(
    totals: EpochMetrics, metrics: StepMetrics, step: jax.Array | int
) -> EpochMetrics:
    """Adds the metrics of a step, which is counted from 1 in its epoch."""
    first = totals.first_nonfinite_step
    is_recorded = jnp.isfinite(metrics.loss) | (first > 0)
    return EpochMetrics(
        loss_sum=totals.loss_sum + metrics.loss,
        num_correct=totals.num_correct + metrics.num_correct,
        num_examples=totals.num_examples + metrics.num_examples,
        first_nonfinite_step=jnp.where(is_recorded, first, step),
    )


def compute_metrics(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Computes mean cross-entropy and accuracy.

    Args:
      logits: `float32 (N, num_classes)`.
      labels: `int (N,)`.

    Returns:
      `loss` in nats and `accuracy` in [0, 1].
    """
    loss = calibration.mean_cross_entropy(logits, labels)
    accuracy = float((logits.argmax(-1) == labels).mean())
    return {"loss": loss, "accuracy": accuracy}


def compute_test_report(
    logits: np.ndarray, dataset: datasets.Dataset
) -> dict[str, Any]:
    """Computes calibration error, accuracy per class and the confusion matrix.

    Args:
      logits: `float32 (N, num_classes)`.
      dataset: its labels are compared with the logits.

    Returns:
      A dict for `report.json`. Rows of the confusion matrix are true classes, columns
      are predicted classes.
    """
    labels = dataset.labels
    predictions = logits.argmax(-1)
    confidence = softmax(logits, axis=-1).max(-1)
    num_classes = len(dataset.class_names)
    confusion = np.zeros((num_classes, num_classes), int)
    np.add.at(confusion, (labels, predictions), 1)
    class_accuracy = np.diag(confusion) / np.maximum(1, confusion.sum(1))
    return {
        "expected_calibration_error": calibration.expected_calibration_error(
            confidence, predictions == labels
        ),
        "accuracy_by_class": dict(
            zip(dataset.class_names, class_accuracy.tolist(), strict=True)
        ),
        "confusion": confusion.tolist(),
    }
