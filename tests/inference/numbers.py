"""Pictures of numbers, composed of test digits by NumPy."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

GAP = 6  # Pixels between the frames of two digits.


def draw_number(dataset, indices: Sequence[int]) -> tuple[np.ndarray, str]:
    """Returns dark digits on white in a row, `uint8 (44, width)`, and the truth."""
    white = np.full((28, GAP), 255, np.uint8)
    parts = [white]
    for index in indices:
        parts += [255 - dataset.images[index, ..., 0], white]
    text = "".join(str(dataset.labels[index]) for index in indices)
    return np.pad(np.hstack(parts), ((8, 8), (0, 0)), constant_values=255), text


def draw_page(
    dataset, numbers: Sequence[Sequence[Sequence[int]]], size=(500, 400)
) -> tuple[Image.Image, list[str]]:
    """Returns a white page with lines of numbers, and the truth in reading order."""
    page = np.full(size[::-1], 255, np.uint8)
    truth = []
    for row, line in enumerate(numbers):
        for column, indices in enumerate(line):
            picture, text = draw_number(dataset, indices)
            top, left = 20 + 90 * row, 20 + 240 * column
            height, width = picture.shape
            page[top : top + height, left : left + width] = picture
            truth.append(text)
    return Image.fromarray(page), truth
