"""Detects components that are printed: bars, lines and boxes."""

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels
from cnn.preprocessing.component_labels import (
    NEIGHBORHOOD,
    Components,
    label_components,
)
from cnn.preprocessing.page_boundary import find_quadrilateral
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.components


def detect_printed(components: Components, may_touch_border: bool) -> np.ndarray:
    """Tells which components are printed, `bool (labels,)`.

    Args:
      components: the components of an image.
      may_touch_border: whether the character may touch the image border. If it may,
        long strokes are no lines.
    """
    is_printed = _detect_border_bars(components)
    if not may_touch_border:
        is_printed |= _detect_horizontal_lines(components)
        is_printed |= _detect_horizontal_lines(_transpose(components))
    return is_printed | _detect_boxes(components, may_touch_border)


def _detect_border_bars(components: Components) -> np.ndarray:
    """Tells which components are filled bars along an image edge."""
    width = components.width
    height = components.height
    longest_side = max(components.labels.shape)
    max_width = _THRESHOLDS.max_bar_width * longest_side
    min_area = _THRESHOLDS.min_bar_fill * width * height
    is_bar = components.border_contacts >= _THRESHOLDS.min_bar_contacts
    is_bar &= np.minimum(width, height) < max_width
    is_bar &= components.area > min_area
    is_horizontal = _runs_along_top_or_bottom(components)
    is_vertical = _runs_along_top_or_bottom(_transpose(components))
    return is_bar & (is_horizontal | is_vertical)


def _runs_along_top_or_bottom(components: Components) -> np.ndarray:
    """Tells which components are long and touch the upper or lower image edge."""
    rows, columns = components.labels.shape
    min_length = _THRESHOLDS.min_bar_length * columns
    is_long = components.width >= min_length
    at_top = components.top == 0
    at_bottom = components.bottom == rows
    return is_long & (at_top | at_bottom)


def _detect_horizontal_lines(components: Components) -> np.ndarray:
    """Tells which components are long, thin horizontal lines.

    A line near the upper or lower edge of the image may be shorter and wider.
    """
    rows, columns = components.labels.shape
    width = components.width
    height = components.height
    zone = _THRESHOLDS.border_zone
    is_near_top = components.top < zone * rows
    is_near_bottom = components.bottom > (1 - zone) * rows
    is_thin = width > _THRESHOLDS.min_line_aspect_ratio * height
    is_long = width > _THRESHOLDS.min_border_line_length * columns
    is_border_line = is_thin & is_long & (is_near_top | is_near_bottom)
    crosses_image = width > _THRESHOLDS.min_crossing_line_length * columns
    is_very_thin = height < _THRESHOLDS.max_crossing_line_width * rows
    return is_border_line | (crosses_image & is_very_thin)


def _transpose(components: Components) -> Components:
    """Exchanges the rows and columns of components."""
    return components._replace(
        left=components.top,
        top=components.left,
        right=components.bottom,
        bottom=components.right,
        labels=components.labels.T,
    )


def _detect_boxes(components: Components, may_touch_border: bool) -> np.ndarray:
    """Tells which components are drawn boxes, `bool (labels,)`."""
    width = components.width
    height = components.height
    shortest_side = min(components.labels.shape)
    min_side = _THRESHOLDS.min_box_side * shortest_side
    max_area = _THRESHOLDS.max_box_fill * width * height
    may_be_box = np.minimum(width, height) > min_side
    may_be_box &= components.area < max_area
    may_be_box[0] = False
    is_box = np.zeros(components.num_labels, bool)
    for label in np.flatnonzero(may_be_box).tolist():
        left, top, right, bottom = components.box(label)
        mask = components.labels[top:bottom, left:right] == label
        is_box[label] = _is_upright_box(mask)
        if not is_box[label] and not may_touch_border:
            is_box[label] = _is_tilted_box(mask.astype(np.uint8))
    return is_box


def _is_upright_box(mask: np.ndarray) -> bool:
    """Tells whether a component, `bool (height, width)`, covers its box's border."""
    border_share = border_pixels(mask).mean()
    return bool(border_share > _THRESHOLDS.min_box_border_share)


def _is_tilted_box(mask: np.ndarray) -> bool:
    """Tells whether a component follows the outline of a quadrilateral.

    Args:
      mask: `uint8 (height, width)`, 1 on the component and 0 elsewhere.
    """
    outline = find_quadrilateral(mask)
    if outline is None:
        return False
    canvas = np.zeros_like(mask)
    drawn = cv2.polylines(canvas, [outline], isClosed=True, color=1)
    dilated = cv2.dilate(mask, NEIGHBORHOOD)
    covered_share = dilated[drawn > 0].mean()
    return bool(covered_share > _THRESHOLDS.min_box_outline_share)


def remove_boxes(
    foreground: np.ndarray, ink_threshold: float
) -> tuple[np.ndarray, bool]:
    """Removes drawn boxes that contain other components.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.

    Returns:
      The foreground without boxes, the same shape and dtype, and whether there were
      any.
    """
    components = label_components(foreground, ink_threshold, _THRESHOLDS.label_gap)
    is_removed = _detect_boxes(components, may_touch_border=False)
    for label in np.flatnonzero(is_removed).tolist():
        is_removed[label] = _contains_components(components, label)
    if not is_removed.any():
        return foreground, False
    is_box_pixel = components.select_pixels(is_removed)
    without_boxes = np.where(is_box_pixel, np.float32(0), foreground)
    return without_boxes, True


def _contains_components(components: Components, label: int) -> bool:
    """Tells whether a component encloses another that is high enough for ink."""
    left, top, right, bottom = components.box(label)
    is_inside = components.left > left
    is_inside &= components.right < right
    is_inside &= components.top > top
    is_inside &= components.bottom < bottom
    min_height = _THRESHOLDS.min_boxed_height * (bottom - top)
    is_high = components.height > min_height
    return bool((is_inside & is_high).any())
