"""Estimates the skew of a text line by the places of its digits."""

import numpy as np

# Skew below which a line is not straightened, in degrees, and above which its
# components do not show it.
MIN_SKEW = 1.0
_MAX_SKEW = 15.0
# Distance of two digits that show a skew, in heights of a digit.
_MIN_DISTANCE = 2.0


def line_skew(boxes: np.ndarray, height: float) -> float:
    """Estimates the skew of a line by the middles of its digits, or of their frames.

    Args:
      boxes: `int (n, 4)`, left, top, right and bottom.
      height: height of a digit, in pixels.

    Returns:
      Degrees, positive for a line that falls to the right. 0 for a level or short line.
    """
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2
    first, second = np.triu_indices(len(x), 1)
    distances = x[second] - x[first]
    is_far = np.abs(distances) > _MIN_DISTANCE * height
    if not is_far.any():
        return 0.0
    # The median of the slopes of all pairs (Theil–Sen) ignores a few descenders.
    slopes = (y[second] - y[first])[is_far] / distances[is_far]
    degrees = float(np.rad2deg(np.arctan(np.median(slopes))))
    return degrees if MIN_SKEW <= abs(degrees) <= _MAX_SKEW else 0.0
