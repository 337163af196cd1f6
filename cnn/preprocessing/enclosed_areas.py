"""Finds the area that a closed curve encloses: of a ring, box, disc or card.

Such an area is convex and of about one level, and has marks inside that do not touch
its boundary. A ring without marks is the character 0. The areas between the lines of a
ring and those of a disc are found alike: as regions on one side of a threshold, by
Otsu's method or by the local mean.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import upper_median
from cnn.preprocessing.closed_lines import Outlines, trace_lines
from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.enclosed_areas
_MIN_ELLIPSE_POINTS = 5  # OpenCV fits no ellipse to fewer.


class EnclosedArea(NamedTuple):
    """An area with marks inside, in the image that was searched.

    Attributes:
      box: left, top, right and bottom in pixels, a box around the area.
      inside: `uint8 (height, width)` of the box, 1 in the area and its marks.
      marks: the same shape, 1 on the marks and on what they enclose.
    """

    box: tuple[int, int, int, int]
    inside: np.ndarray
    marks: np.ndarray

    @property
    def mark_area(self) -> int:
        """Number of pixels of the marks."""
        return int(np.count_nonzero(self.marks))


def find_enclosed_area(gray: np.ndarray) -> EnclosedArea | None:
    """Finds the area with the largest and most central marks.

    Args:
      gray: `uint8 (height, width)`, see `enlarge`.
    """
    areas = []
    for lines, outlines, growth in trace_lines(gray):
        areas = _find_areas(gray, lines, outlines, growth)
        if areas:
            break
    if not areas:
        return None
    return max(areas, key=lambda area: _centrality(area, gray.shape) * area.mark_area)


def _find_areas(
    gray: np.ndarray, lines: np.ndarray, outlines: Outlines, growth: int
) -> list[EnclosedArea]:
    """Finds the areas among the holes in lines."""
    areas = []
    for index in np.flatnonzero(_have_plausible_box(outlines, gray.shape)).tolist():
        is_empty = not (outlines.parents == index).any()
        if _is_cell(outlines, index) or (is_empty and not _is_card(outlines, index)):
            continue
        area = _to_area(gray, lines, outlines.contours[index], growth)
        if area is not None:
            areas.append(area)
    return areas


def _have_plausible_box(outlines: Outlines, shape: tuple[int, ...]) -> np.ndarray:
    """Tells which holes have the size of an area, `bool (N,)`."""
    _, _, width, height = outlines.boxes.T
    min_side = max(_THRESHOLDS.min_side * min(shape), _THRESHOLDS.min_side_px)
    shorter = np.minimum(width, height)
    longer = np.maximum(width, height)
    is_plausible = outlines.is_hole & (shorter >= min_side)
    is_plausible &= longer <= _THRESHOLDS.max_aspect_ratio * shorter
    return is_plausible


def _is_card(outlines: Outlines, index: int) -> bool:
    """Tells whether a hole is alone in surroundings that reach the image border."""
    parent = outlines.parents[index]
    return bool(outlines.parents[parent] < 0 and _count_others(outlines, index) == 0)


def _is_cell(outlines: Outlines, index: int) -> bool:
    """Tells whether a hole has several others beside it, like the cells of a grid."""
    return _count_others(outlines, index) >= _THRESHOLDS.min_grid_cells


def _count_others(outlines: Outlines, index: int) -> int:
    """Counts the holes in the same line that are not much smaller than one."""
    size = outlines.boxes[index, 2:].prod()
    is_other = outlines.parents == outlines.parents[index]
    is_other &= outlines.boxes[:, 2:].prod(axis=1) >= _THRESHOLDS.min_cell_area * size
    return int(np.count_nonzero(is_other)) - 1


def _to_area(
    gray: np.ndarray, lines: np.ndarray, outer: np.ndarray, growth: int
) -> EnclosedArea | None:
    """Returns an area, or None if its shape or its marks are no area's.

    Args:
      gray: `uint8 (height, width)`.
      lines: the same shape, 1 on lines and marks.
      outer: contour of the area, on the lines around it.
      growth: distance of the contour from these lines, in pixels.
    """
    if not _is_convex(outer, 1 - _THRESHOLDS.min_convexity):
        return None
    box = _area_box(outer, growth, gray.shape)
    left, top, right, bottom = box
    part = lines[top:bottom, left:right]
    inside = _fill(part.shape, [outer], offset=(-left, -top))
    cv2.drawContours(inside, [outer], -1, 0, 1, offset=(-left, -top))
    # This leaves out the whole paper before it is searched. Growth adds to the share.
    if _border_share(inside, box, gray.shape) > _THRESHOLDS.max_border_share:
        return None
    min_contrast = _THRESHOLDS.min_relative_contrast
    if not (inside & part).any():
        min_contrast = _THRESHOLDS.min_split_contrast
        part = _split_inside(gray[top:bottom, left:right], inside)
    marks = _select_marks(inside & part)
    if growth:
        inside = cv2.dilate(inside, NEIGHBORHOOD, iterations=growth)
    if _border_share(inside, box, gray.shape) > _THRESHOLDS.max_border_share:
        return None
    area = EnclosedArea(box, inside, marks)
    is_paper = 1 - part
    if not _is_written(area, is_paper):
        return None
    return area if _has_contrast(gray, area, is_paper, min_contrast) else None


def _split_inside(gray: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Separates marks from an area by a threshold of the area's own.

    With three levels, one threshold of the image separates the area from the
    surroundings or from the marks, but not from both.

    Args:
      gray: `uint8 (height, width)`.
      inside: the same shape, 1 in the area.

    Returns:
      `uint8 (height, width)`, 1 on the marks and outside the area.
    """
    inner = cv2.erode(inside, NEIGHBORHOOD, borderValue=0) > 0
    if not inner.any():
        return 1 - inside
    levels = gray[inner][None]
    method = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    threshold, light = cv2.threshold(levels, 0, 1, method)
    is_light = gray > threshold
    is_mark = is_light if light.mean() < 0.5 else ~is_light
    return (is_mark & inner).astype(np.uint8)


def _area_box(
    outer: np.ndarray, growth: int, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Returns the box of the pixels within a contour, enlarged by `growth` pixels."""
    left, top, width, height = cv2.boundingRect(outer)
    return (
        max(left + 1 - growth, 0),
        max(top + 1 - growth, 0),
        min(left + width - 1 + growth, shape[1]),
        min(top + height - 1 + growth, shape[0]),
    )


def _is_convex(contour: np.ndarray, max_loss: float) -> bool:
    """Tells whether a contour covers its hull, but for a share."""
    hull_area = cv2.contourArea(cv2.convexHull(contour))
    return cv2.contourArea(contour) >= (1 - max_loss) * hull_area


def _fill(
    shape: tuple[int, ...], contours: list[np.ndarray], offset: tuple[int, int]
) -> np.ndarray:
    """Fills contours, moved by an offset: `uint8 (height, width)`, 1 inside."""
    canvas = np.zeros(shape, np.uint8)
    return cv2.drawContours(canvas, contours, -1, 1, cv2.FILLED, offset=offset)


def _border_share(
    inside: np.ndarray, box: tuple[int, int, int, int], shape: tuple[int, ...]
) -> float:
    """Returns the share of the image border that an area touches."""
    height, width = shape
    left, top, right, bottom = box
    touched = [
        inside[:, 0] if left == 0 else inside[:0, 0],
        inside[0] if top == 0 else inside[0, :0],
        inside[:, -1] if right == width else inside[:0, -1],
        inside[-1] if bottom == height else inside[-1, :0],
    ]
    contacts = np.count_nonzero(np.concatenate(touched))
    return float(contacts / (2 * (height + width)))


def _select_marks(ink: np.ndarray) -> np.ndarray:
    """Fills the marks that are no specks: `uint8 (height, width)`, 1 on them."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return np.zeros_like(ink)
    # A thin stroke has a long contour around a small area.
    sizes = [cv2.arcLength(contour, closed=True) for contour in contours]
    min_size = _THRESHOLDS.min_relative_mark_size * max(sizes)
    pairs = zip(contours, sizes, strict=True)
    large = [contour for contour, size in pairs if size >= min_size]
    return _fill(ink.shape, large, offset=(0, 0))


def _is_written(area: EnclosedArea, is_paper: np.ndarray) -> bool:
    """Tells whether the marks have the size of a character and are no part of a 0."""
    rows = np.flatnonzero(area.marks.any(axis=1))
    if not rows.size:
        return False
    height = area.inside.shape[0]
    relative_height = (rows[-1] + 1 - rows[0]) / height
    limits = (_THRESHOLDS.min_mark_height, _THRESHOLDS.max_mark_height)
    if not limits[0] <= relative_height <= limits[1]:
        return False
    share = area.mark_area / np.count_nonzero(area.inside)
    if share > _THRESHOLDS.max_mark_share:
        return False
    return not _is_part_of_zero(area, is_paper)


def _is_part_of_zero(area: EnclosedArea, is_paper: np.ndarray) -> bool:
    """Tells whether the marks may be the slash in a 0, or the holes of a thick 0 or 8.

    All these are convex. A 1 is, too, but is more elongated than a hole, and more
    upright than a slash. In a high area, that does not tell them apart.
    """
    contours, _ = cv2.findContours(area.marks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hollow_area = np.count_nonzero(area.marks & is_paper)
    # The texture of the paper in the hole of a thick 0 is no hole itself.
    is_hollow = hollow_area > _THRESHOLDS.min_hollow_share * area.mark_area
    if is_hollow or not all(
        _is_convex(contour, _THRESHOLDS.max_convex_loss) for contour in contours
    ):
        return False
    if len(contours) != 1 or len(contours[0]) < _MIN_ELLIPSE_POINTS:
        return True
    _, sides, angle = cv2.fitEllipse(contours[0])
    is_stroke = max(sides) >= _THRESHOLDS.min_stroke_aspect_ratio * min(sides)
    from_vertical = min(angle, 180 - angle)
    height, width = area.inside.shape
    is_round = height <= _THRESHOLDS.max_round_aspect_ratio * width
    is_upright = from_vertical <= _THRESHOLDS.max_stroke_angle
    return not (is_stroke and is_upright and is_round)


def _has_contrast(
    gray: np.ndarray, area: EnclosedArea, is_paper: np.ndarray, min_relative: float
) -> bool:
    """Tells whether the marks differ from the area about as much as its boundary.

    Args:
      gray: `uint8`, the whole image.
      area: the area.
      is_paper: `uint8 (height, width)` of the area's box, 0 on lines and marks.
      min_relative: smallest contrast of the marks, as a fraction of the boundary's.
    """
    left, top, right, bottom = area.box
    part = gray[top:bottom, left:right].astype(np.float32)
    region = (area.inside > area.marks) & (is_paper > 0)
    if not region.any():
        return False
    level = upper_median(part[region])
    difference = np.abs(part - level)
    noise = THRESHOLDS.mad_to_deviation * float(upper_median(difference[region]))
    outline = cv2.dilate(np.pad(area.inside, 3), np.ones((5, 5), np.uint8))
    outline -= np.pad(area.inside, 3)
    around = np.pad(gray, 3, mode="edge")[top : bottom + 6, left : right + 6]
    outside = around[outline > 0].astype(np.float32)
    boundary_contrast = abs(float(upper_median(outside) - level))
    mark_levels = difference[area.marks > is_paper]
    mark_contrast = float(np.quantile(mark_levels, _THRESHOLDS.strong_mark_quantile))
    min_contrast = _THRESHOLDS.min_contrast_to_noise * noise
    min_contrast = max(THRESHOLDS.min_contrast, min_contrast)
    if min(mark_contrast, boundary_contrast) < min_contrast:
        return False
    return mark_contrast >= min_relative * boundary_contrast


def _centrality(area: EnclosedArea, shape: tuple[int, ...]) -> float:
    """Returns 1 for an area in the middle of the image, and less towards its edges."""
    height, width = shape
    left, top, right, bottom = area.box
    x = abs((left + right) / width - 1)
    y = abs((top + bottom) / height - 1)
    return 1 - 0.7 * min(1.0, max(x, y))
