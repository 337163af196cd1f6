"""Marks of ink on a page: their combined coverage, and their color on the paper."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A mark of ink and its place on the page, in pixels.

    Attributes:
      coverage: `float32 (height, width)` in [0, 1].
      top: row of the page at which the first row of the mark lies, possibly negative.
      left: column of the page at which the first column of the mark lies.
    """

    coverage: np.ndarray
    top: int
    left: int


def alpha_blend(page: np.ndarray, color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lays a color, or another image, over a page.

    Args:
      page: `(height, width, 3)`.
      color: `(3,)` or `(height, width, 3)`.
      alpha: `(height, width)` in [0, 1], the coverage of the color.

    Returns:
      `(height, width, 3)`.
    """
    alpha = alpha[..., None]
    return page * (1 - alpha) + color * alpha


def composite_layers(shape: tuple[int, int], layers: Sequence[Layer]) -> np.ndarray:
    """Combines the coverage of several marks on a page.

    Args:
      shape: height and width of the page, in pixels.
      layers: the marks. Parts outside the page are cropped.

    Returns:
      `float32 (height, width)`, the largest coverage at each pixel.
    """
    page_height, page_width = shape
    page = np.zeros(shape, np.float32)
    for coverage, top, left in layers:
        height, width = coverage.shape
        page_rows, mark_rows = _overlap(page_height, top, height)
        page_columns, mark_columns = _overlap(page_width, left, width)
        visible = coverage[mark_rows, mark_columns]
        below = page[page_rows, page_columns]
        page[page_rows, page_columns] = np.maximum(below, visible)
    return page


def _overlap(page_size: int, start: int, size: int) -> tuple[slice, slice]:
    """Intersects a page with a mark along one axis.

    Args:
      page_size: height or width of the page, in pixels.
      start: row or column of the page at which the mark starts.
      size: height or width of the mark, in pixels.

    Returns:
      The intersection as a slice of the page, and as a slice of the mark.
    """
    first = max(start, 0)
    end = min(start + size, page_size)
    end = max(end, first)
    page_slice = slice(first, end)
    mark_slice = slice(first - start, end - start)
    return page_slice, mark_slice
