"""Bézier curves, of which synthetic strokes consist."""

import numpy as np

_POINTS_PER_CURVE = 12


def quadratic_bezier(
    start: np.ndarray, control: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Returns points of a quadratic Bézier curve.

    Args:
      start: `(2,)` or `(1, 2)`, x and y.
      control: the control point, of the same shape.
      end: point of the same shape.

    Returns:
      `float64 (12, 2)`, from `start` to `end`.

    Example:
      >>> curve = quadratic_bezier(np.zeros(2), np.array([1, 2]), np.array([2, 0]))
      >>> curve[[0, -1]].tolist()
      [[0.0, 0.0], [2.0, 0.0]]
    """
    t = np.linspace(0, 1, _POINTS_PER_CURVE)
    t = t[:, None]
    start_weight = (1 - t) ** 2
    control_weight = 2 * t * (1 - t)
    end_weight = t**2
    weighted_start = start_weight * start
    weighted_control = control_weight * control
    weighted_end = end_weight * end
    return weighted_start + weighted_control + weighted_end
