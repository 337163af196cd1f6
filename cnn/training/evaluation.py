"""Evaluation of a model on test images: of the data set, and of a user's pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnn.classifier import Classifier
from cnn.data import Dataset
from cnn.data.pictures import Pictures
from cnn.training.metrics import compute_metrics, compute_test_report
from cnn.training.training_data import TrainingData

# Keeps the logarithm of a probability finite.
_MIN_PROBABILITY = 1e-30


class Evaluation(NamedTuple):
    """What a model makes of test images.

    Attributes:
      dataset: the images.
      logits: `float32 (N, num_classes)`.
    """

    dataset: Dataset
    logits: np.ndarray

    @property
    def accuracy(self) -> float:
        """Fraction of the images that are read right, in [0, 1]."""
        return float((self.logits.argmax(-1) == self.dataset.labels).mean())

    def report(self) -> dict[str, Any]:
        """Returns the metrics for `report.json`."""
        metrics = compute_metrics(self.logits, self.dataset.labels)
        return metrics | compute_test_report(self.logits, self.dataset)


def evaluate_test_sets(classifier: Classifier, data: TrainingData) -> list[Evaluation]:
    """Evaluates a model on the test split of the data set, and of the pictures."""
    results = []
    if data.test is not None:
        results.append(Evaluation(data.test, classifier.logits(data.test.images)))
    if data.pictures is not None:
        results.append(evaluate_pictures(classifier, data.pictures.test))
    return results


def evaluate_pictures(classifier: Classifier, pictures: Pictures) -> Evaluation:
    """Evaluates a model on pictures, each by all its candidates as in `bin/infer`."""
    predictions = classifier.classify(pictures.names, pictures.files)
    probabilities = np.array([prediction.probabilities for prediction in predictions])
    logits = np.log(np.maximum(probabilities, _MIN_PROBABILITY))
    return Evaluation(pictures.as_dataset(), logits.astype(np.float32))


def join_evaluations(results: Sequence[Evaluation]) -> Evaluation:
    """Joins results, of the same classes, for the plots."""
    first = results[0].dataset
    joined = first._replace(
        images=np.concatenate([result.dataset.images for result in results]),
        labels=np.concatenate([result.dataset.labels for result in results]),
    )
    return Evaluation(joined, np.concatenate([result.logits for result in results]))
