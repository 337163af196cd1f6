"""Finds the parts of drawings among the components of a page.

A drawing is cut into pieces where rules are removed from it. Its pieces hang together
with each other through the rules, unlike the numbers of a table, which few rules touch.
"""

import cv2
import numpy as np

from cnn.preprocessing.text_lines.page_components import PageComponents
from cnn.preprocessing.text_lines.page_ink import PageInk

# Smallest share of the connected ink that is too large for a character, or that is no
# rule, in a drawing.
_MIN_LARGE_SHARE = 0.1
_MIN_STROKE_SHARE = 0.6
# Smallest extent of a drawing, as a fraction of the page's shorter side.
_MIN_EXTENT = 0.1


def find_drawings(
    page: PageInk, components: PageComponents, is_character: np.ndarray
) -> np.ndarray:
    """Tells which components are connected with drawings, through rules or not.

    Args:
      page: the ink of the page.
      components: N components of its strokes.
      is_character: `bool (N,)`, whether they may be characters by their size.

    Returns:
      `bool (N,)`.
    """
    ink = page.strokes | page.rules
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    whole = labels[_any_pixel(components)]
    strokes = np.bincount(whole, components.area, count)
    large = np.bincount(whole, components.area * ~is_character, count)
    area = stats[:, cv2.CC_STAT_AREA]
    extent = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    is_drawing = extent >= _MIN_EXTENT * min(ink.shape)
    is_drawing &= (large >= _MIN_LARGE_SHARE * area) | (
        strokes >= _MIN_STROKE_SHARE * area
    )
    return np.asarray(is_drawing[whole])


def _any_pixel(components: PageComponents) -> tuple[np.ndarray, np.ndarray]:
    """Returns the row and column of one pixel of each component."""
    rows, columns = [], []
    labels = components.labels
    for label, (left, top, right, _) in zip(
        components.label.tolist(), components.box.tolist(), strict=True
    ):
        rows.append(top)
        columns.append(left + int(np.argmax(labels[top, left:right] == label)))
    return np.array(rows, int), np.array(columns, int)
