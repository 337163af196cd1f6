"""Tells whether ink may be a ring, a box or a disc around a character.

The search for enclosed areas takes a fourth of the time of a photograph, so it is left
out where the ink found is one plain character.
"""

import cv2
import numpy as np

from cnn.preprocessing.glyph import Glyph
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.enclosed_areas


def may_enclose_character(glyphs: list[Glyph]) -> bool:
    """Tells whether any segmentation is solid, hollow, or has a mark inside another.

    Args:
      glyphs: segmentations of an image. Without any, the answer is True.
    """
    return not glyphs or any(_may_be_outline(glyph.mask) for glyph in glyphs)


def _may_be_outline(mask: np.ndarray) -> bool:
    """Tells whether a mask, `float32 (height, width)`, may be a disc or a ring."""
    ink = (mask > _THRESHOLDS.min_enclosing_coverage).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    left, top, width, height, area = stats[1:].T
    if not len(area):
        return True
    main = (width * height).argmax()
    box_area = width[main] * height[main]
    if area[main] > _THRESHOLDS.min_solid_share * box_area:
        return True
    if _largest_hole(ink) > _THRESHOLDS.min_hole_share * box_area:
        return True
    is_inside = (left > left[main]) & (top > top[main])
    is_inside &= left + width < left[main] + width[main]
    is_inside &= top + height < top[main] + height[main]
    is_mark = height >= _THRESHOLDS.min_nested_height * height[main]
    return bool((is_inside & is_mark).any())


def _largest_hole(ink: np.ndarray) -> int:
    """Returns the largest area in pixels that the ink encloses."""
    padded = cv2.copyMakeBorder(1 - ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    num_labels, labels = cv2.connectedComponents(padded, connectivity=4)
    surroundings = labels[0, 0]
    holes = [label for label in range(1, num_labels) if label != surroundings]
    return max((int(np.count_nonzero(labels == hole)) for hole in holes), default=0)
