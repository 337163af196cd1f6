"""Labeled image sets, by tensorflow-datasets name, as arrays in memory."""

from cnn.data.datasets import load, load_train_and_test, preprocessing_for
from cnn.data.types import (
    DataError,
    Dataset,
    UnknownDatasetError,
    UnknownSplitError,
)

__all__ = [
    "DataError",
    "Dataset",
    "UnknownDatasetError",
    "UnknownSplitError",
    "load",
    "load_train_and_test",
    "preprocessing_for",
]
