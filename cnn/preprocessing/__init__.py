"""Converts one image file of any size, colors and polarity to 28×28 network inputs."""

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
