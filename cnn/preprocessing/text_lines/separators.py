"""Tells separators from their shape and place: full stop, comma, minus, slash, colon.

The log odds come from few measurements. Each is clear by itself, so a small value of
one decides, and their sum is bounded.
"""

import numpy as np

# Lengths are fractions of a digit's height, places are counted from the top of the
# digits at 0 to their baseline at 1.
# Log odds of a mark that fits entirely, and the least that is worth an arc.
_BEST = 3.0
MIN_LOG_ODDS = -4.0
# Log odds lost per tenth of a digit's height outside of an allowed range.
_LOSS = 2.0


def _outside(value: np.ndarray, least: float, most: float) -> np.ndarray:
    """Returns how far values lie outside of a range."""
    return np.maximum(least - value, 0) + np.maximum(value - most, 0)


def separator_log_odds(
    boxes: np.ndarray, fill: np.ndarray, slope: np.ndarray, num_dots: np.ndarray
) -> dict[str, np.ndarray]:
    """Computes the log odds that a piece is a separator.

    Args:
      boxes: `float64 (N, 4)`, left, top, right and bottom of the ink, as fractions of
        a digit's height, from the top of the digits.
      fill: `float64 (N,)`, ink as a fraction of the box.
      slope: `float64 (N,)`, slant of the ink in pixels to the right per pixel upwards,
        beyond that of the hand.
      num_dots: `int (N,)`, number of components.

    Returns:
      For each member of `lattice.SEPARATORS`, `float64 (N,)`.
    """
    left, top, right, bottom = boxes.T
    width, height = right - left, bottom - top
    middle = (top + bottom) / 2
    single = np.where(num_dots == 1, 0, 1.0)
    losses = {
        ".": _outside(width, 0.03, 0.22)
        + _outside(height, 0.03, 0.22)
        + _outside(middle, 0.82, 1.06)
        + 0.5 * _outside(bottom, 0.85, 1.1)
        + single,
        ",": _outside(width, 0.03, 0.28)
        + _outside(height, 0.16, 0.5)
        + _outside(bottom, 1.08, 1.5)
        + _outside(top, 0.7, 1.1)
        + single,
        "-": _outside(width, 0.22, 0.9)
        + _outside(height, 0.02, 0.2)
        + _outside(middle, 0.35, 0.7)
        + 0.3 * _outside(width / np.maximum(height, 1e-6), 2.0, 99)
        + single,
        "/": _outside(height, 0.85, 1.9)
        + _outside(width, 0.2, 1.1)
        + _outside(slope, 0.3, 1.2)
        + 1.5 * _outside(fill / np.maximum(_thin_fill(boxes), 1e-6), 0, 1.1)
        + single,
        ":": _outside(width, 0.03, 0.24)
        + _outside(height, 0.3, 0.85)
        + _outside(bottom, 0.75, 1.1)
        + _outside(top, 0.1, 0.65)
        + 0.5 * _outside(fill, 0, 0.75)
        + np.where(num_dots == 2, 0, 1.0),
    }
    return {symbol: _BEST - 10 * _LOSS * loss for symbol, loss in losses.items()}


def _thin_fill(boxes: np.ndarray) -> np.ndarray:
    """Returns the share of each box that a stroke along its diagonal covers.

    A stroke is up to a fifth of a digit's height wide.
    """
    width = np.maximum(boxes[:, 2] - boxes[:, 0], 1e-6)
    return np.minimum(0.2 / width, 1.0)


def skipped_log_odds(
    size: np.ndarray, distance: np.ndarray, off_line: np.ndarray
) -> np.ndarray:
    """Computes the log odds that ink is no part of the number.

    Args:
      size: `float64 (N,)`, longer side of the ink, as a fraction of a digit's height.
      distance: `float64 (N,)`, empty columns to the nearest digit-sized ink, as a
        fraction of the same height.
      off_line: `float64 (N,)`, how far its middle lies above or below the digits, as a
        fraction of the same height.

    Returns:
      `float64 (N,)`.
    """
    small = 3.0 - 14.0 * np.maximum(size - 0.08, 0)
    large = 4.0 * np.maximum(size - 1.7, 0)
    far = 1.5 * np.minimum(np.maximum(distance - 0.3, 0), 2.0)
    off = 8.0 * np.minimum(off_line, 0.5)
    return np.clip(np.maximum(small, -7.0) + large + far + off, -7.0, 4.0)
