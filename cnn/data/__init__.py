"""Labeled image sets, by tensorflow-datasets name, as arrays in memory."""

from cnn.data.datasets import (
    DataError,
    Dataset,
    UnknownDatasetError,
    UnknownSplitError,
    load,
    load_train_and_test,
    preprocessing_for,
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
