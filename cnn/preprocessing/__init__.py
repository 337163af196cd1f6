"""Converts one image file of any size, colors and polarity to 28×28 network inputs."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnn.preprocessing.candidates import Candidates
    from cnn.preprocessing.decode import FORMATS, UnreadableImageError
    from cnn.preprocessing.opencv_threads import single_threaded_opencv
    from cnn.preprocessing.pipeline import (
        IMAGE_SHAPE,
        PREPROCESSING,
        Overlay,
        PreprocessedFile,
        explain,
        preprocess_file,
        preprocess_files,
        preprocess_image,
    )

# Where the names are that are not of `pipeline`.
_MODULES = {
    "Candidates": "candidates",
    "FORMATS": "decode",
    "UnreadableImageError": "decode",
    "single_threaded_opencv": "opencv_threads",
}

__all__ = [
    "FORMATS",
    "IMAGE_SHAPE",
    "PREPROCESSING",
    "Candidates",
    "Overlay",
    "PreprocessedFile",
    "UnreadableImageError",
    "explain",
    "preprocess_file",
    "preprocess_files",
    "preprocess_image",
    "single_threaded_opencv",
]


def __getattr__(name: str) -> object:
    """Imports a name on first use: most processes need few of the modules."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES.get(name, "pipeline")
    return getattr(importlib.import_module(f"cnn.preprocessing.{module}"), name)
