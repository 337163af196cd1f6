"""Finds the ink of a foreground, without its noise and the printed lines that cross it.

Contrast is measured anew without the lines: a faint character beside strong lines is
ink, but the blurred edges of the lines and specks are none.
"""

import cv2
import numpy as np

from cnn.preprocessing import ruled_lines
from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.ink_levels import Ink, denoise, estimate_contrast
from cnn.preprocessing.lines_beside_character import find_faint_character
from cnn.preprocessing.printed_components import remove_boxes
from cnn.preprocessing.thresholds import THRESHOLDS


def find_ink(levels: np.ndarray, may_be_ruled: bool) -> tuple[Ink, bool] | None:
    """Finds the ink without the printed lines that cross the image.

    Args:
      levels: `float32 (height, width)`, levels above the background.
      may_be_ruled: whether printed lines are removed.

    Returns:
      The ink, and whether lines were removed, or None if there is no ink.
    """
    ink = denoise(levels)
    min_contrast_to_noise = THRESHOLDS.min_contrast_to_noise * ink.noise
    if ink.contrast < max(THRESHOLDS.min_contrast, min_contrast_to_noise):
        return None
    if not may_be_ruled:
        return ink, False
    threshold = ink.threshold
    foreground, is_ruled = _remove_print(ink.foreground, threshold)
    if not is_ruled:
        return ink, False
    contrast = estimate_contrast(foreground)
    if contrast >= max(THRESHOLDS.min_contrast, threshold):
        return Ink(foreground, ink.noise, contrast), True
    # What is fainter than the edges of the lines is ink if it is a character.
    foreground = _erase_line_edges(ink.foreground, foreground, threshold)
    rest = Ink(foreground, ink.noise, estimate_contrast(foreground))
    return None if find_faint_character(rest) is None else (rest, True)


def erase_enlarged(levels: np.ndarray, erased: np.ndarray) -> np.ndarray:
    """Erases pixels that were found at a lower resolution.

    Args:
      levels: `float32 (height, width)`, levels above the background.
      erased: `bool`, the pixels, of the same image at any size.
    """
    mask = erased.astype(np.uint8)
    enlarged = cv2.resize(mask, levels.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(enlarged > 0, np.float32(0), levels)


def _remove_print(
    foreground: np.ndarray, ink_threshold: float
) -> tuple[np.ndarray, bool]:
    """Removes printed lines, and drawn boxes if there are lines.

    The sides of a box may be taken for lines, so the box is removed first.

    Returns:
      The foreground without them, and whether there were lines.
    """
    without_lines, is_ruled = ruled_lines.remove_ruled_lines(foreground, ink_threshold)
    if not is_ruled:
        return foreground, False
    without_boxes, has_boxes = remove_boxes(foreground, ink_threshold)
    if has_boxes:
        without_lines, _ = ruled_lines.remove_ruled_lines(without_boxes, ink_threshold)
    return without_lines, True


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
