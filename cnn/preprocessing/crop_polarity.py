"""Tells which of a crop's two levels is ink, where the character may fill the crop.

Ink is the level that covers less of the border and whose areas are thinner: strokes are
thin, and at least one area of background is wide.
"""

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.neighbors
_MAX_EXPONENT = 30.0


def dark_ink_odds(is_light: np.ndarray) -> float:
    """Returns the odds that the dark pixels of a crop are the ink.

    Args:
      is_light: `bool (height, width)`, the pixels of the lighter level, some and not
        all.
    """
    light_share = float(np.mean(border_pixels(is_light)))
    thickness = np.log(_max_distance(is_light) / _max_distance(~is_light))
    exponent = _THRESHOLDS.border_log_odds * (light_share - 0.5)
    exponent += _THRESHOLDS.thickness_log_odds * thickness
    return float(np.exp(np.clip(exponent, -_MAX_EXPONENT, _MAX_EXPONENT)))


def _max_distance(mask: np.ndarray) -> float:
    """Returns the largest distance of a pixel to the nearest outside the mask."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    return float(distance.max())


def crop_signs(gray: np.ndarray, signs: list[int]) -> list[int]:
    """Confirms the polarity of a gray crop by its border.

    Args:
      gray: `uint8 (height, width)`.
      signs: 1 for dark ink, -1 for light ink, the likelier first.

    Returns:
      The likelier first. Both, if the given one is not that of the border.
    """
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    method = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    _, light = cv2.threshold(smooth, 0, 1, method)
    light_share = float(np.mean(border_pixels(light)))
    by_border = 1 if light_share > 0.5 else -1  # The majority.
    if by_border in signs or abs(light_share - 0.5) < _THRESHOLDS.min_border_majority:
        return signs
    return [by_border, -by_border]
