"""Removes lines beside a character that are none of its strokes.

The line of a frame that ends inside the image, a seam, a stitched margin or the edge
of the paper is straight and far longer than the character. A long 1 is, too, but there
is no other character beside it.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels
from cnn.preprocessing.component_labels import (
    NEIGHBORHOOD,
    Components,
    label_components,
)
from cnn.preprocessing.components import Selection, select_character
from cnn.preprocessing.ink_levels import Ink, estimate_contrast
from cnn.preprocessing.lines.line_segments import LineSegment, find_line_segments
from cnn.preprocessing.lines.section_runs import find_longest_run
from cnn.preprocessing.printed_components import detect_printed
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.line_segments


class WithoutLines(NamedTuple):
    """The ink of an image without lines.

    Attributes:
      ink: the rest of the ink, with its own contrast.
      erased: `bool (height, width)`, the pixels that were erased.
      selection: the character in the rest.
      weight: how much more probable this is than that the lines are strokes.
    """

    ink: Ink
    erased: np.ndarray
    selection: Selection
    weight: float


def remove_lines_beside_character(
    ink: Ink, selection: Selection | None
) -> WithoutLines | None:
    """Removes lines if there is another character.

    Args:
      ink: the ink of an image that is not cropped to its character.
      selection: the character in the image with the lines. If it contains none, no
        line needs to be removed, which takes far less time.

    Returns:
      The rest, or None if there are no lines or no character without them.
    """
    if selection is not None and not _may_contain_line(selection):
        return None
    segments = _find_both_directions(ink)
    if not segments and not (border_pixels(ink.foreground) > ink.threshold).any():
        return None
    gap = THRESHOLDS.components.label_gap
    components = label_components(ink.foreground, ink.threshold, gap)
    printed = _find_printed(components)
    if not segments and not printed.any():
        return None
    longest = max((segment.length for segment in segments), default=0.0)
    best = None
    tried = -1
    for share in _THRESHOLDS.length_shares:
        removed = [part for part in segments if part.length >= share * longest]
        if len(removed) == tried:
            continue
        tried = len(removed)
        result = _try_without(ink, components.labels, removed, printed)
        if result is None or (best is not None and result.weight <= best.weight):
            continue
        best = result
        if best.weight >= _THRESHOLDS.certain_weight:
            break
    return best


def _may_contain_line(selection: Selection) -> bool:
    """Tells whether a selection contains a line or consists of no strokes."""
    if not _is_character(selection):
        return True
    left, top, right, bottom = selection.box.tolist()
    mask = selection.mask[top:bottom, left:right].astype(np.uint8)
    if max(mask.shape) < _THRESHOLDS.min_selection_aspect * min(mask.shape):
        return False
    min_length = _THRESHOLDS.min_length * max(selection.mask.shape)
    min_length = max(min_length, _THRESHOLDS.min_share_of_selection * max(mask.shape))
    transposed = np.ascontiguousarray(mask.T)
    return any(
        find_longest_run(direction, min_length) is not None
        for direction in (mask, transposed)
    )


def _find_both_directions(ink: Ink) -> list[LineSegment]:
    """Finds nearly horizontal and nearly vertical lines."""
    horizontal = find_line_segments(ink.foreground, ink.threshold)
    transposed = np.ascontiguousarray(ink.foreground.T)
    vertical = find_line_segments(transposed, ink.threshold)
    return horizontal + [segment.transpose() for segment in vertical]


def _find_printed(components: Components) -> np.ndarray:
    """Tells which pixels are components of print, `bool (height, width)`."""
    is_printed = detect_printed(components, may_touch_border=False)
    return components.select_pixels(is_printed)


def _try_without(
    ink: Ink, labels: np.ndarray, removed: list[LineSegment], printed: np.ndarray
) -> WithoutLines | None:
    """Removes lines and print, and looks for a character in the rest."""
    erased = _erase(ink, removed, printed)
    foreground = np.where(erased, np.float32(0), ink.foreground)
    rest = Ink(foreground, ink.noise, estimate_contrast(foreground))
    selection = find_faint_character(rest)
    if selection is None:
        return None
    weight = _weigh_all(labels, removed, selection)
    if weight <= 0:
        return None
    relative_contrast = rest.contrast / ink.contrast
    if relative_contrast < _THRESHOLDS.min_certain_contrast:
        weight = min(weight, _THRESHOLDS.likely_weight)
    if relative_contrast < _THRESHOLDS.min_likely_contrast:
        weight = min(weight, _THRESHOLDS.stain_weight)
    if not selection.unambiguous:
        weight = min(weight, _THRESHOLDS.possible_weight)
    return WithoutLines(rest, erased, selection, weight)


def _erase(ink: Ink, removed: list[LineSegment], printed: np.ndarray) -> np.ndarray:
    """Returns the pixels of lines and print with their blurred edges, `bool`."""
    lines = np.zeros(printed.shape, bool)
    erased = printed.copy()
    for segment in removed:
        lines[segment.rows, segment.columns] = True
        is_line = ~segment.is_stroke
        erased[segment.rows[is_line], segment.columns[is_line]] = True
    is_ink = ink.foreground > ink.threshold
    rest = (is_ink & ~erased).astype(np.uint8)
    num_labels, labels = cv2.connectedComponents(rest)
    areas = np.bincount(labels[rest > 0], minlength=num_labels)
    near_lines = cv2.dilate((lines | printed).astype(np.uint8), NEIGHBORHOOD) > 0
    areas_near = np.bincount(labels[near_lines], minlength=num_labels)
    is_residue = areas_near > _THRESHOLDS.min_residue_share * areas
    is_residue[0] = False
    erased |= is_residue[labels]
    # The blurred edges of strong lines are no ink of a faint character.
    edges = cv2.dilate(erased.astype(np.uint8), NEIGHBORHOOD, iterations=2) > 0
    return erased | (edges & ~is_ink)


def find_faint_character(rest: Ink) -> Selection | None:
    """Selects the character in what remains of an image without lines.

    Args:
      rest: the remaining ink.

    Returns:
      The character, or None if there are only specks and noise.
    """
    min_contrast = _THRESHOLDS.min_contrast_to_noise * rest.noise
    if rest.contrast < max(THRESHOLDS.min_contrast, min_contrast):
        return None
    selection = select_character(
        rest.foreground, rest.threshold, may_touch_border=False
    )
    if selection is None or not _is_character(selection):
        return None
    return selection


def _is_character(selection: Selection) -> bool:
    """Tells whether a selection consists of strokes, unlike specks."""
    left, top, right, bottom = selection.box.tolist()
    longer_side = max(right - left, bottom - top)
    if longer_side < _THRESHOLDS.min_character_side:
        return False
    mask = selection.mask[top:bottom, left:right].astype(np.uint8)
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    stroke_width = 2 * float(distances.max()) - 1
    return longer_side > _THRESHOLDS.min_side_to_stroke * stroke_width


def _weigh_all(
    labels: np.ndarray, removed: list[LineSegment], selection: Selection
) -> float:
    """Weighs the evidence that no removed line is a stroke. 0 is against it.

    Args:
      labels: `int32 (height, width)`, components of the ink with the lines.
      removed: the lines.
      selection: the character without them.
    """
    left, top, right, bottom = selection.box.tolist()
    side = max(right - left, bottom - top)
    is_connected = np.zeros(int(labels.max()) + 1, bool)
    is_connected[labels[selection.mask]] = True
    is_connected[0] = False
    weight = _THRESHOLDS.certain_weight
    for segment in removed:
        if is_connected[labels[segment.rows, segment.columns]].any():
            part = _weigh_touching(segment, selection.box, segment.length / side)
        else:
            part = _weigh_apart(segment, segment.length / side)
        weight = min(weight, part)
    return weight


def _weigh_touching(segment: LineSegment, box: np.ndarray, ratio: float) -> float:
    """Weighs a line that touches the character, by its length in the latter's sides."""
    left, top, right, bottom = box.tolist()
    side = max(right - left, bottom - top)
    passes = _passes(segment, box, _THRESHOLDS.min_overshoot * side)
    if segment.is_horizontal:
        is_rule = passes and ratio >= _THRESHOLDS.min_touching_rule_ratio
        return _THRESHOLDS.likely_weight if is_rule else 0
    if not passes:
        is_long = ratio >= _THRESHOLDS.min_touching_ratio
        return _THRESHOLDS.possible_weight if is_long else 0
    if not any(segment.ends_at_border):  # The stem of a 4 or of a 7 with a bar.
        is_long = ratio >= _THRESHOLDS.min_touching_inside_ratio
        return _THRESHOLDS.possible_weight if is_long else 0
    if ratio >= _THRESHOLDS.certain_length_ratio:
        return _THRESHOLDS.certain_weight
    return _THRESHOLDS.likely_weight if ratio >= _THRESHOLDS.min_length_ratio else 0


def _weigh_apart(segment: LineSegment, ratio: float) -> float:
    """Weighs a line apart from the character, by its length in the latter's sides."""
    # The stem of an open 4 ends inside the image, and so does a 1 beside a faint mark.
    ends_inside = not any(segment.ends_at_border)
    if ends_inside and ratio < _THRESHOLDS.certain_inside_ratio:
        is_long = ratio >= _THRESHOLDS.min_length_ratio
        return _THRESHOLDS.possible_weight if is_long else 0
    if ratio >= _THRESHOLDS.certain_length_ratio:
        return _THRESHOLDS.certain_weight
    if ratio >= _THRESHOLDS.likely_length_ratio:
        return _THRESHOLDS.likely_weight
    if ratio >= _THRESHOLDS.min_length_ratio:
        return _THRESHOLDS.possible_weight
    return 0


def _passes(segment: LineSegment, box: np.ndarray, overshoot: float) -> bool:
    """Tells whether a line goes on beyond a box, or to the border, at both ends."""
    (first_x, first_y), (last_x, last_y) = segment.ends
    left, top, right, bottom = box.tolist()
    if segment.is_horizontal:
        before, behind = left - first_x, last_x + 1 - right
    else:
        before, behind = top - first_y, last_y + 1 - bottom
    is_first_outside = before > overshoot or segment.ends_at_border[0]
    is_last_outside = behind > overshoot or segment.ends_at_border[1]
    return is_first_outside and is_last_outside
