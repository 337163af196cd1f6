"""Models to export, and what their networks answer."""

from pathlib import Path

import numpy as np

from cnn import keras_h5
from cnn.classifier import Classifier
from tests.reference import random_params

# Numbers of classes: the smallest, digits, letters, and more than a byte counts.
NUM_CLASSES = [2, 10, 26, 300]
# Numbers of images in a call.
BATCH_SIZES = [1, 7, 300]

IMAGES = np.random.default_rng(11).random((300, 28, 28, 1), np.float32)


def save_model(folder: Path, num_classes: int = 10, **metadata) -> Path:
    """Saves a model with random parameters."""
    names = [f"é{i}" for i in range(num_classes)]
    path = folder / f"model_{num_classes}.h5"
    keras_h5.save(path, random_params(num_classes), {"class_names": names, **metadata})
    return path


def predict_proba(path: Path | str, count: int) -> np.ndarray:
    """Computes what our own classifier answers."""
    return Classifier.load(path).predict_proba(IMAGES[:count])
