"""A labeled image set in memory, and the errors of loading one."""

from typing import NamedTuple

import numpy as np

from cnn.errors import Error, UsageError

# As tfds writes it: `set`, `set/configuration`, either with `:version`.
DATASET_NAME = r"\w+(/[\w.-]+)?(:[\w.*]+)?"


class DataError(Error):
    """A data set that cannot be prepared or read."""


class UnknownDatasetError(DataError, UsageError):
    """No data set has this name."""


class UnknownSplitError(DataError):
    """The data set has no such split."""


class Dataset(NamedTuple):
    """One split in memory.

    Attributes:
      images: `uint8 (N, 28, 28, 1)`, 0 is the background of MNIST-like sets.
      labels: `int32 (N,)`, in `[0, len(class_names))`.
      class_names: the character or word that each label stands for.
      preprocessing: how an image file becomes such an image: a key of
        `cnn.preprocessing.pipeline.PREPROCESSING`.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    preprocessing: str = "resize"
