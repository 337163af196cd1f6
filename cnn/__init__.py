"""Trains a convolutional network on handwritten characters and classifies images.

Example:
  import cnn

  classifier = cnn.Classifier.load("mnist_model.h5")
  for prediction in classifier.predict_files(["scan_7.png", "photo_3.jpg"]):
      print(prediction.path, prediction.prediction, prediction.confidence)

The commands are `bin/train` and `bin/infer`. A problem that a user can fix raises
`cnn.Error`.
"""

from typing import TYPE_CHECKING

from cnn.errors import Error

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction

__version__ = "0.5.0"

__all__ = ["Classifier", "Error", "Prediction"]


def __getattr__(name: str) -> object:
    """Imports `Classifier` and `Prediction` on first use, because they import JAX."""
    if name not in ("Classifier", "Prediction"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cnn import classifier

    return getattr(classifier, name)


def __dir__() -> list[str]:
    """Lists the lazy names, too."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})
