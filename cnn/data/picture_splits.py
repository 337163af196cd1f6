"""Splits a user's pictures: to learn from, to calibrate on, and to test on."""

from typing import NamedTuple

import numpy as np

from cnn.data.candidate_choice import choose_candidates
from cnn.data.picture_labels import is_in_test_folder
from cnn.data.pictures import Pictures
from cnn.data.types import DataError, Dataset

# A class with fewer pictures to learn from could not be split.
MIN_PER_CLASS = 5
# Fraction of each class for the validation, and the same for the test.
_HELD_OUT_FRACTION = 0.1
# Separates the random numbers of this split from others of the same seed.
_SPLIT_STREAM = 8


class PictureSplits(NamedTuple):
    """Pictures to learn from, to calibrate on, and to test on."""

    train: Pictures
    validation: Pictures
    test: Pictures

    def learned_datasets(self) -> tuple[Dataset, Dataset]:
        """Returns the candidates of the training and validation pictures to learn."""
        both = self.train.files + self.validation.files
        labels = np.concatenate([self.train.labels, self.validation.labels])
        chosen = choose_candidates(both, labels)
        num_train = len(self.train.files)
        return (
            self.train.as_dataset(chosen[:num_train]),
            self.validation.as_dataset(chosen[num_train:]),
        )

    def counts(self) -> dict[str, int]:
        """Returns the number of pictures of each split."""
        sizes = [len(split.labels) for split in self]
        return dict(zip(self._fields, sizes, strict=True))

    def with_classes(self, class_names: tuple[str, ...]) -> "PictureSplits":
        """Returns the same pictures, labeled by their index in `class_names`."""
        return PictureSplits(*(split.with_classes(class_names) for split in self))


def split_pictures(pictures: Pictures, seed: int) -> PictureSplits:
    """Splits pictures at random, each class by itself.

    A tenth of each class is for the validation, and a tenth for the test, at least one
    picture each. Pictures in the folder `test` are the test split, if there are any.

    Raises:
      DataError: a class has too few pictures. The message names it.
    """
    is_test = np.array([is_in_test_folder(name) for name in pictures.names])
    _check_counts(pictures, is_test)
    rng = np.random.default_rng([seed, _SPLIT_STREAM])
    train, validation, test = [], [], list(np.flatnonzero(is_test))
    for label in range(len(pictures.class_names)):
        of_class = np.flatnonzero((pictures.labels == label) & ~is_test)
        order = rng.permutation(of_class).tolist()
        num_held_out = max(1, round(_HELD_OUT_FRACTION * len(order)))
        validation += [order.pop() for _ in range(num_held_out)]
        if not is_test.any():
            test += [order.pop() for _ in range(num_held_out)]
        train += order
    return PictureSplits(
        *(pictures.select(np.sort(split)) for split in (train, validation, test))
    )


def _check_counts(pictures: Pictures, is_test: np.ndarray) -> None:
    num_classes = len(pictures.class_names)
    counts = np.bincount(pictures.labels[~is_test], minlength=num_classes)
    few = np.flatnonzero(counts < MIN_PER_CLASS)
    if not len(few):
        return
    name = pictures.class_names[few[0]]
    others = f" (and {len(few) - 1:,} more classes too few)" if len(few) > 1 else ""
    noun = "picture" if counts[few[0]] == 1 else "pictures"
    raise DataError(
        f"--images: class {name} has {counts[few[0]]} {noun} to learn from{others}; "
        f"expected {MIN_PER_CLASS} or more that can be read and differ; add pictures, "
        "or take the class out"
    )
