"""One image file, of any size, colors and polarity, made into the 28×28 network input."""

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.decode import FORMATS, MAX_PIXELS, UnreadableImageError
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

__all__ = [
    "FORMATS",
    "IMAGE_SHAPE",
    "MAX_PIXELS",
    "PREPROCESSING",
    "Overlay",
    "Placement",
    "PreprocessedFile",
    "UnreadableImageError",
    "explain",
    "preprocess_file",
    "preprocess_files",
    "preprocess_image",
]
