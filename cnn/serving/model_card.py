"""Describes the model of a server to its clients."""

from typing import TYPE_CHECKING, Any

import cnn
from cnn.serve_config import ServeConfig

if TYPE_CHECKING:
    from cnn.classifier import Classifier


def describe_model(classifier: "Classifier", config: ServeConfig) -> dict[str, Any]:
    """Returns what a client needs to know of the model and the limits, for JSON."""
    return {
        "name": "digits" if config.model is None else config.model.name,
        "classes": list(classifier.class_names),
        "preprocessing": classifier.preprocessing,
        "unsure_below": classifier.unsure_below,
        "string_unsure_below": classifier.string_unsure_below,
        "corrections": config.corrections is not None,
        "version": cnn.__version__,
        "max_bytes": config.max_bytes,
        "max_files": config.max_files,
        "max_pages": config.max_pages,
    }
