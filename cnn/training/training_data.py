"""The images of a run: of a data set, of a user's pictures, or of both."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnn.classifier import Classifier
from cnn.config import NO_DATASET, TrainConfig
from cnn.data import datasets
from cnn.data.picture_splits import PictureSplits, split_pictures
from cnn.data.pictures import LeftOut, read_pictures
from cnn.data.types import DataError, Dataset
from cnn.errors import UsageError
from cnn.image_files.natural_sort import natural_key
from cnn.training import multihost
from cnn.training.training_set import select_examples, train_validation_split

# Preprocessing of pictures without a data set or a model that decide it.
_DEFAULT_PREPROCESSING = "mnist"
# Pictures without a data set are repeated to as many images per epoch, or more.
_MIN_EPOCH_IMAGES = 10_000
# Separates the random numbers of this choice from others of the same seed.
_REHEARSAL_STREAM = 9


class TrainingData(NamedTuple):
    """The images of a run.

    Attributes:
      train: images to learn from. Pictures are repeated.
      validation: images to calibrate on.
      test: test split of the data set, or None without a data set.
      pictures: the user's pictures, or None.
      left_out: pictures that are not used.
    """

    train: Dataset
    validation: Dataset
    test: Dataset | None
    pictures: PictureSplits | None = None
    left_out: Sequence[LeftOut] = ()

    def describe_pictures(self) -> dict[str, Any] | None:
        """Returns numbers of pictures and a checksum, for the model's metadata."""
        if self.pictures is None:
            return None
        return {**self.pictures.counts(), "digest": self.pictures.train.digest()}


def load_training_data(config: TrainConfig, initial: Classifier | None) -> TrainingData:
    """Loads the images of a run.

    Args:
      config: settings.
      initial: the model that training starts from, or None.

    Raises:
      cnn.Error: a data set or a picture folder cannot be used.
    """
    data = _load(config, initial)
    multihost.check_equal_data(data.train)
    num_images = len(data.train.labels)
    if config.batch_size > num_images:
        raise UsageError(
            f"--batch-size: expected at most the {num_images} training images, "
            f"got {config.batch_size}"
        )
    return data


def _load(config: TrainConfig, initial: Classifier | None) -> TrainingData:
    if config.images is None:
        return _load_dataset(config)
    of_dataset = None if config.dataset == NO_DATASET else _load_dataset(config)
    if of_dataset is not None:
        preprocessing = of_dataset.train.preprocessing
    elif initial is not None:
        preprocessing = initial.preprocessing
    else:
        preprocessing = _DEFAULT_PREPROCESSING
    outputs = (config.resolved_workdir, config.resolved_model)
    pictures, left_out = read_pictures(
        config.images, config.labels, preprocessing, outputs
    )
    splits = split_pictures(pictures, config.seed)
    if of_dataset is None:
        return _use_pictures_alone(splits, left_out)
    return _add_pictures(of_dataset, splits, left_out, config)


def _load_dataset(config: TrainConfig) -> TrainingData:
    train_set, test_set = datasets.load_train_and_test(config.dataset, config.data_dir)
    train_set, validation_set = train_validation_split(train_set, config)
    return TrainingData(train_set, validation_set, test_set)


def _use_pictures_alone(
    splits: PictureSplits, left_out: Sequence[LeftOut]
) -> TrainingData:
    """Repeats the pictures, so that an epoch is worth its validation."""
    class_names = splits.train.class_names
    if len(class_names) < 2:
        raise DataError(
            f"--images: expected two classes or more, found {class_names[0]} alone; "
            "add pictures of others, or a --dataset"
        )
    train_set, validation_set = splits.learned_datasets()
    repeats = -(-_MIN_EPOCH_IMAGES // len(train_set.labels))
    indices = np.tile(np.arange(len(train_set.labels)), repeats)
    train_set = select_examples(train_set, indices)
    return TrainingData(train_set, validation_set, None, splits, left_out)


def _add_pictures(
    of_dataset: TrainingData,
    splits: PictureSplits,
    left_out: Sequence[LeftOut],
    config: TrainConfig,
) -> TrainingData:
    """Adds pictures to a data set, whose classes they may extend."""
    known = of_dataset.train.class_names
    added = sorted(set(splits.train.class_names) - set(known), key=natural_key)
    class_names = (*known, *added)
    splits = splits.with_classes(class_names)
    rehearsal = _sample_rehearsal(of_dataset.train, config)
    learned, held_out = splits.learned_datasets()
    train_set = _mix(rehearsal, learned, config.images_share)
    validation_set = _concatenate(of_dataset.validation, held_out)
    test_set = of_dataset.test
    if test_set is not None:
        test_set = test_set._replace(class_names=class_names)
    return TrainingData(train_set, validation_set, test_set, splits, left_out)


def _sample_rehearsal(dataset: Dataset, config: TrainConfig) -> Dataset:
    """Samples the images of the data set that are learned beside the pictures."""
    size = config.rehearsal_size
    if size is None or size >= len(dataset.labels):
        return dataset
    rng = np.random.default_rng([config.seed, _REHEARSAL_STREAM])
    chosen = rng.choice(len(dataset.labels), size, replace=False)
    return select_examples(dataset, np.sort(chosen))


def _mix(dataset: Dataset, pictures: Dataset, share: float) -> Dataset:
    """Repeats the pictures, or else the data set, so that pictures have their share."""
    num_images = len(dataset.labels)
    num_pictures = round(num_images * share / (1 - share))
    if num_pictures < len(pictures.labels):
        num_pictures = len(pictures.labels)
        num_images = round(num_pictures * (1 - share) / share)
    return _concatenate(_repeat(dataset, num_images), _repeat(pictures, num_pictures))


def _repeat(dataset: Dataset, count: int) -> Dataset:
    """Repeats examples in turn to a number of them."""
    return select_examples(dataset, np.resize(np.arange(len(dataset.labels)), count))


def _concatenate(dataset: Dataset, pictures: Dataset) -> Dataset:
    """Joins images of a data set and pictures, whose classes are those and others."""
    return pictures._replace(
        images=np.concatenate([dataset.images, pictures.images]),
        labels=np.concatenate([dataset.labels, pictures.labels]),
    )
