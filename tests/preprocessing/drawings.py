"""Drawn digits, and measures of the network inputs that they give."""

import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing import pipeline


def seven(size=280, box=(100, 60, 180, 220), width=16, ink=0, paper=255) -> Image.Image:
    """Draws a 7 by two strokes, in the given box."""
    left, top, right, bottom = box
    image = Image.new("L", (size, size), paper)
    draw = ImageDraw.Draw(image)
    draw.line([(left, top), (right, top)], ink, width)
    draw.line([(right, top), (left + 20, bottom)], ink, width)
    return image


def preprocess_path(path, preprocessing="mnist") -> np.ndarray:
    """Returns the first candidate, (28, 28), or zeros for a blank image."""
    result = pipeline.preprocess_file(str(path), preprocessing)
    assert result.status in ("ok", "blank"), result.detail
    if result.candidates is None:
        return np.zeros((28, 28), np.float32)
    candidate = result.candidates[0]
    assert candidate.shape == (28, 28, 1)
    assert candidate.dtype == np.float32
    assert 0 <= candidate.min() <= candidate.max() <= 1
    return candidate[..., 0]


def preprocess(image, path, **options) -> np.ndarray:
    """Saves an image and preprocesses the file."""
    image.save(path, **options)
    return preprocess_path(path)


def unreadable_reason(path) -> str:
    result = pipeline.preprocess_file(str(path), "mnist")
    assert result.candidates is None
    assert result.status == "unreadable"
    assert "\n" not in result.detail
    return result.detail


def correlation(a, b) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def extent(image):
    rows, columns = (np.flatnonzero((image > 0.2).any(axis)) for axis in (1, 0))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def center_of_mass(image):
    y, x = np.mgrid[:28, :28]
    return (image * y).sum() / image.sum(), (image * x).sum() / image.sum()
