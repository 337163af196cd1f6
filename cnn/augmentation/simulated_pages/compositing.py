"""Marks of ink on a page: their combined coverage, and their color on the paper."""

from collections.abc import Sequence

import numpy as np


def alpha_blend(page: np.ndarray, color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lays ink of one color on a page.

    Args:
      page: `(height, width, 3)`.
      color: `(3,)`.
      alpha: `(height, width)` in [0, 1], the coverage of the ink.

    Returns:
      `(height, width, 3)`.
    """
    alpha = alpha[..., None]
    return page * (1 - alpha) + color * alpha


def composite_layers(
    shape: tuple[int, int], layers: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Combines the coverage of several marks on a page.

    Args:
      shape: height and width of the page, in pixels.
      layers: `float32` coverage of each mark, and row and column of its upper left
        corner. Parts outside the page are cropped.

    Returns:
      `float32 (height, width)`, the largest coverage at each pixel.
    """
    page = np.zeros(shape, np.float32)
    for coverage, corner in layers:
        top, left = corner.tolist()
        bottom = top + coverage.shape[0]
        right = left + coverage.shape[1]
        rows = slice(max(top, 0), max(bottom, 0))
        columns = slice(max(left, 0), max(right, 0))
        visible = page[rows, columns]
        first_row = max(-top, 0)
        first_column = max(-left, 0)
        cropped = coverage[first_row:, first_column:]
        cropped = cropped[: visible.shape[0], : visible.shape[1]]
        page[rows, columns] = np.maximum(visible, cropped)
    return page
