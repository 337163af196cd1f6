"""Assembly of the training set: the split, and what is added to its images.

That is synthetic glyphs, characters of simulated pages, pieces of simulated numbers,
and outliers.
"""

import numpy as np

from cnn.augmentation import glyphs, outlier_exposure, piece_examples
from cnn.augmentation.simulated_pages import examples
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.preprocessing.pipeline import PREPROCESSING

# Images `uint8 (N, 28, 28, 1)` and target probabilities `float32 (N, num_classes)`.
Examples = tuple[np.ndarray, np.ndarray]

# The data set is at least this many times as large as its validation set.
_MIN_SIZE_RATIO = 10


def train_validation_split(
    dataset: datasets.Dataset, config: TrainConfig
) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Splits a data set at random, by the seed, into training and validation sets."""
    num_images = len(dataset.labels)
    rng = np.random.default_rng(config.seed)
    order = rng.permutation(num_images)
    max_validation = max(1, num_images // _MIN_SIZE_RATIO)
    num_validation = min(config.validation_size, max_validation)
    train_set = select_examples(dataset, np.sort(order[num_validation:]))
    validation_set = select_examples(dataset, np.sort(order[:num_validation]))
    return train_set, validation_set


def select_examples(dataset: datasets.Dataset, indices: np.ndarray) -> datasets.Dataset:
    """Returns the examples at `indices`, in their order."""
    return dataset._replace(
        images=dataset.images[indices], labels=dataset.labels[indices]
    )


def make_training_examples(dataset: datasets.Dataset, config: TrainConfig) -> Examples:
    """Assembles the training set.

    Args:
      dataset: labeled images.
      config: settings. Each fraction is relative to the number of labeled images.

    Returns:
      Images, `uint8 (N, 28, 28, 1)`, and the probability of each class,
      `float32 (N, num_classes)`: the labeled images, synthetic glyphs, simulated pages,
      pieces of numbers and outliers, in this order.
    """
    one_hot = np.eye(len(dataset.class_names), dtype=np.float32)
    labeled = (dataset.images, one_hot[dataset.labels])
    parts = [labeled]
    parts += _make_glyphs(dataset, config, one_hot)
    characters = _concatenate(parts)
    parts += _make_pages(dataset, config, characters)
    parts += _make_pieces(dataset, config, characters)
    parts += _make_outliers(dataset, config, labeled)
    images, targets = _concatenate(parts)
    return images, _smooth(targets, config.label_smoothing)


def has_digits(dataset: datasets.Dataset) -> bool:
    """Returns whether the classes are the ten digits, in order."""
    return dataset.class_names == tuple("0123456789")


def _make_glyphs(
    dataset: datasets.Dataset, config: TrainConfig, one_hot: np.ndarray
) -> list[Examples]:
    """Draws synthetic digits, if the classes are the ten digits."""
    if not config.synthetic_glyph_fraction or not has_digits(dataset):
        return []
    count = round(config.synthetic_glyph_fraction * len(dataset.labels))
    images, labels = glyphs.make_glyphs(config.seed, count)
    return [(images, one_hot[labels])]


def _make_pages(
    dataset: datasets.Dataset, config: TrainConfig, characters: Examples
) -> list[Examples]:
    """Renders characters on simulated pages, if the preprocessing segments pages."""
    is_segmented = PREPROCESSING[dataset.preprocessing] is not None
    if not config.simulated_page_fraction or not is_segmented:
        return []
    count = round(config.simulated_page_fraction * len(dataset.labels))
    images, targets = characters
    pages = examples.make_page_examples(
        config.seed, images, targets, count, dataset.preprocessing
    )
    return [pages]


def _make_pieces(
    dataset: datasets.Dataset, config: TrainConfig, characters: Examples
) -> list[Examples]:
    """Cuts simulated numbers into pieces, if the classes are the ten digits."""
    placement = PREPROCESSING[dataset.preprocessing]
    if not config.simulated_string_fraction or not has_digits(dataset) or not placement:
        return []
    count = round(config.simulated_string_fraction * len(dataset.labels))
    images, targets = characters
    pieces = piece_examples.make_piece_examples(
        config.seed, images, targets, count, placement
    )
    return [pieces]


def _make_outliers(
    dataset: datasets.Dataset, config: TrainConfig, labeled: Examples
) -> list[Examples]:
    """Makes images of no class, with printed characters of no class among them."""
    if not config.outlier_fraction:
        return []
    images, targets = labeled
    outliers = outlier_exposure.make_outliers(
        config.seed,
        images,
        targets,
        count=round(config.outlier_fraction * len(dataset.labels)),
        printed=outlier_exposure.printed_outliers(dataset.class_names),
        preprocessing=dataset.preprocessing,
    )
    return [outliers]


def _smooth(targets: np.ndarray, smoothing: float) -> np.ndarray:
    """Gives a part of each target's probability to all classes alike."""
    of_each_class = np.float32(smoothing / targets.shape[1])
    return targets * np.float32(1 - smoothing) + of_each_class


def _concatenate(parts: list[Examples]) -> Examples:
    images, targets = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(targets)
