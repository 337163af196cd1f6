"""Train a small convolutional network on handwritten characters, and read folders of them."""

from typing import TYPE_CHECKING, Any

from cnn.errors import Error

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction

__version__ = "0.2.0"

__all__ = ["Classifier", "Error", "Prediction"]


def __getattr__(name: str) -> Any:
    """Imports the public names on first use: `cnn.classifier` imports JAX."""
    if name in ("Classifier", "Prediction"):
        from cnn import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
