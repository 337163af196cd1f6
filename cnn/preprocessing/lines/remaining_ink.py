"""Measures the ink that remains when printed lines are removed.

Contrast is measured anew without the lines: a faint character beside strong lines is
ink, but the blurred edges of the lines and specks are none.
"""

import cv2
import numpy as np

from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.ink_levels import Ink, estimate_contrast
from cnn.preprocessing.lines.lines_beside_character import find_faint_character
from cnn.preprocessing.lines.print_removal import Removal
from cnn.preprocessing.thresholds import THRESHOLDS


def measure_remaining_ink(ink: Ink, removal: Removal) -> Ink | None:
    """Measures the ink without printed lines.

    Args:
      ink: the ink with the lines.
      removal: the foreground without them.

    Returns:
      The remaining ink, or None if nothing remains but specks and noise.
    """
    if not removal.is_ruled:
        return ink._replace(foreground=removal.foreground)
    contrast = estimate_contrast(removal.foreground)
    if contrast >= max(THRESHOLDS.min_contrast, ink.threshold):
        return Ink(removal.foreground, ink.noise, contrast)
    # What is fainter than the edges of the lines is ink if it is a character.
    foreground = _erase_line_edges(ink.foreground, removal.foreground, ink.threshold)
    rest = Ink(foreground, ink.noise, estimate_contrast(foreground))
    return None if find_faint_character(rest) is None else rest


def erase_enlarged(levels: np.ndarray, erased: np.ndarray) -> np.ndarray:
    """Erases pixels that were found at a lower resolution.

    Args:
      levels: `float32 (height, width)`, levels above the background.
      erased: `bool`, the pixels, of the same image at any size.
    """
    mask = erased.astype(np.uint8)
    enlarged = cv2.resize(mask, levels.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(enlarged > 0, np.float32(0), levels)


def _erase_line_edges(
    ruled: np.ndarray, foreground: np.ndarray, ink_threshold: float
) -> np.ndarray:
    """Erases the blurred edges of removed lines, which are no faint ink.

    Args:
      ruled: `float32 (height, width)`, the foreground with the lines.
      foreground: the same without the lines.
      ink_threshold: smallest level of ink in `ruled`, exclusive.
    """
    was_removed = (ruled > ink_threshold) & (foreground <= ink_threshold)
    near = cv2.dilate(was_removed.astype(np.uint8), NEIGHBORHOOD, iterations=2) > 0
    is_edge = near & (foreground <= ink_threshold)
    return np.where(is_edge, np.float32(0), foreground)
