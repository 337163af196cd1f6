"""Trains a convolutional network on handwritten characters and classifies images.

Example:
  import cnn

  classifier = cnn.Classifier.load()
  for prediction in classifier.predict_files(["scan_7.png", "photo_3.jpg"]):
      print(prediction.path, prediction.prediction, prediction.confidence)

The commands are `bin/train`, `bin/infer`, `bin/serve` and `bin/export`. A problem that
a user can fix raises `cnn.Error`.
"""

import importlib
from typing import TYPE_CHECKING

from cnn.errors import Error

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction
    from cnn.number_prediction import NumberPrediction

__version__ = "0.9.0"

__all__ = ["Classifier", "Error", "NumberPrediction", "Prediction"]


def __getattr__(name: str) -> object:
    """Imports the other names on first use, because they import JAX."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "number_prediction" if name == "NumberPrediction" else "classifier"
    return getattr(importlib.import_module(f"cnn.{module}"), name)


def __dir__() -> list[str]:
    """Lists the lazy names, too."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})
