"""Simulated pages of the validation split, on which the confidence is calibrated.

Pages are harder than the data set's own images: segmentation loses strokes, and leaves
marks that are no part of the character. A network that is calibrated on clean images is
too confident on them.
"""

from typing import Any, NamedTuple

import numpy as np

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.augmentation.simulated_pages.examples import simulate_pages
from cnn.calibration import PageLogits
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets

# Number of pages, per image of the validation split.
_PAGES_PER_IMAGE = 0.5
# Separates the random numbers of these pages from those of the training pages.
_VALIDATION_STREAM = 4


class ValidationPages(NamedTuple):
    """Preprocessed pages. A page has up to N candidates.

    Attributes:
      images: `float32 (pages, N, 28, 28)` in [0, 1], 0 in place of missing candidates.
      weights: `float32 (pages, N)`, relative prior probabilities of the candidates.
      labels: `int64 (pages,)`, in [0, num_classes).
    """

    images: np.ndarray
    weights: np.ndarray
    labels: np.ndarray


def make_validation_pages(
    validation_set: datasets.Dataset, config: TrainConfig
) -> ValidationPages | None:
    """Writes the images of the validation split on pages of all kinds in turn.

    Args:
      validation_set: labeled images.
      config: settings.

    Returns:
      The pages that are not blank, or None if the network does not learn from pages.
    """
    preprocessing = validation_set.preprocessing
    if not config.simulated_page_fraction or preprocessing == "resize":
        return None
    count = round(_PAGES_PER_IMAGE * len(validation_set.labels))
    seed = [config.seed, _VALIDATION_STREAM]
    pages = simulate_pages(
        seed, list(PAGE_KINDS), validation_set.images, count, preprocessing
    )
    read = [(index, found) for index, found in pages if len(found.images)]
    if not read:
        return None
    most = max(len(found.images) for _, found in read)
    images = np.zeros((len(read), most, 28, 28), np.float32)
    weights = np.zeros((len(read), most), np.float32)
    for page, (_, found) in enumerate(read):
        images[page, : len(found.images)] = found.images
        weights[page, : len(found.images)] = found.weights
    labels = validation_set.labels[[index for index, _ in read]]
    return ValidationPages(images, weights, labels)


def compute_page_logits(params: Any, pages: ValidationPages) -> PageLogits:
    """Computes the logits of all candidates of the pages."""
    is_candidate = pages.weights > 0
    num_classes = params["dense_1"]["bias"].size
    class_names = [str(label) for label in range(num_classes)]
    classifier = Classifier(params, {"class_names": class_names})
    logits = np.zeros((*is_candidate.shape, num_classes), np.float32)
    logits[is_candidate] = classifier.logits(pages.images[is_candidate])
    return PageLogits(logits, pages.weights, pages.labels)
