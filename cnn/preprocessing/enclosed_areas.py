"""Finds the area that a closed curve encloses: of a ring, box, disc or card.

Such an area is convex and of about one level, and has marks inside that do not touch
its boundary. A ring without marks is the character 0. The areas between the lines of a
ring and those of a disc are found alike: as regions on one side of a threshold, by
Otsu's method or by the local mean.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import (
    equivalent_side,
    kernel_side,
    upper_median,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.enclosed_areas
_DARK_SURROUNDINGS = 1


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
    for mask in _split_levels(gray):
        areas = _find_areas(gray, mask)
        if areas:
            break
    if not areas:
        return None
    return max(areas, key=lambda area: _centrality(area, gray.shape) * area.mark_area)


def enlarge(gray: np.ndarray) -> np.ndarray:
    """Enlarges a small image so that marks one pixel apart are separate."""
    scale = _THRESHOLDS.min_searched_side / equivalent_side(gray)
    if scale <= 1:
        return gray
    scale = min(scale, _THRESHOLDS.max_enlargement)
    return cv2.resize(
        gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC
    ).astype(np.uint8)


def _split_levels(gray: np.ndarray) -> Iterator[np.ndarray]:
    """Yields masks, `uint8 (height, width)`, in which an area may be one region."""
    _, light = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    yield light
    yield 1 - light
    side = kernel_side(gray, _THRESHOLDS.mean_window)
    local_mean = cv2.blur(gray, (side, side))
    for sign in (1, -1):
        without_line = _mask_lines(gray, local_mean, sign)
        yield without_line
        for erosion in _THRESHOLDS.gap_erosions:
            width = kernel_side(gray, erosion)
            if _may_have_open_ring(without_line):
                yield cv2.erode(without_line, np.ones((width, width), np.uint8))


def _mask_lines(gray: np.ndarray, local_mean: np.ndarray, sign: int) -> np.ndarray:
    """Returns 0 on lines that are darker, or lighter, than the local mean, and 1."""
    if sign == _DARK_SURROUNDINGS:
        contrast = cv2.subtract(local_mean, gray)
    else:
        contrast = cv2.subtract(gray, local_mean)
    strongest = float(np.partition(contrast, -8, axis=None)[-8])
    threshold = max(
        _THRESHOLDS.min_line_contrast, _THRESHOLDS.min_line_fraction * strongest
    )
    return (contrast <= threshold).astype(np.uint8)


def _may_have_open_ring(without_lines: np.ndarray) -> bool:
    """Tells whether the box of a line is around the box of a mark of some height."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - without_lines, connectivity=8)
    left, top, width, height, _ = stats[1:].T
    is_large = height > _THRESHOLDS.min_side * min(without_lines.shape)
    left, top, width, height = (x[is_large] for x in (left, top, width, height))
    right = left + width
    bottom = top + height
    is_inside = left[:, None] < left
    is_inside &= top[:, None] < top
    is_inside &= right[:, None] > right
    is_inside &= bottom[:, None] > bottom
    is_high = height > _THRESHOLDS.min_mark_height * height[:, None]
    return bool((is_inside & is_high).any())


def _find_areas(gray: np.ndarray, mask: np.ndarray) -> list[EnclosedArea]:
    """Finds the areas among the 4-connected regions of a mask."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    may_be_area = _have_plausible_box(stats, mask.shape)
    may_be_area[labels[mask == 0][:1]] = False
    areas = []
    for label in np.flatnonzero(may_be_area).tolist():
        left, top, width, height, _ = stats[label].tolist()
        box = (left, top, left + width, top + height)
        region = labels[top : top + height, left : left + width] == label
        if not _is_cell(stats, label):
            area = _to_area(gray, region.astype(np.uint8), box)
            areas += [area] if area is not None else []
    return areas


def _have_plausible_box(stats: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Tells which regions have the size of an area, `bool (labels,)`."""
    _, _, width, height, area = stats.T
    min_side = max(_THRESHOLDS.min_side * min(shape), _THRESHOLDS.min_side_px)
    shorter = np.minimum(width, height)
    longer = np.maximum(width, height)
    is_plausible = shorter >= min_side
    is_plausible &= longer <= _THRESHOLDS.max_aspect_ratio * shorter
    is_plausible &= area >= _THRESHOLDS.min_extent * width * height
    is_plausible[0] = False
    return is_plausible


def _is_cell(stats: np.ndarray, label: int) -> bool:
    """Tells whether many regions have the size of one, like the cells of a grid."""
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    difference = np.abs(sizes / sizes[label] - 1).max(axis=1)
    num_cells = np.count_nonzero(difference < _THRESHOLDS.max_cell_difference)
    return bool(num_cells >= _THRESHOLDS.min_grid_cells)


def _to_area(
    gray: np.ndarray, region: np.ndarray, box: tuple[int, int, int, int]
) -> EnclosedArea | None:
    """Returns the area of a region, or None if its shape or its marks are no area's.

    Args:
      gray: `uint8`, the whole image.
      region: `uint8 (height, width)`, 1 in the region and 0 elsewhere in its box.
      box: left, top, right and bottom of the region.
    """
    contours, hierarchy = cv2.findContours(
        region, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    is_outer = hierarchy[0, :, 3] < 0
    holes = [contours[i] for i in np.flatnonzero(~is_outer).tolist()]
    outer = contours[int(is_outer.argmax())]
    if not holes or not _is_convex(outer, 1 - _THRESHOLDS.min_convexity):
        return None
    inside = _fill(region.shape, [outer])
    if _border_share(inside, box, gray.shape) > _THRESHOLDS.max_border_share:
        return None
    marks = _select_marks(region, holes)
    area = EnclosedArea(box, inside, marks)
    if not _is_written(area, region) or not _has_contrast(gray, area, region):
        return None
    return area


def _is_convex(contour: np.ndarray, max_loss: float) -> bool:
    """Tells whether a contour covers its hull, but for a share."""
    hull_area = cv2.contourArea(cv2.convexHull(contour))
    return cv2.contourArea(contour) >= (1 - max_loss) * hull_area


def _fill(shape: tuple[int, ...], contours: list[np.ndarray]) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    return cv2.drawContours(canvas, contours, -1, 1, cv2.FILLED)


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


def _select_marks(region: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """Returns a mask of the holes that are no specks."""
    areas = [cv2.contourArea(hole) for hole in holes]
    min_area = _THRESHOLDS.min_relative_mark_area * max(areas)
    large = [h for h, a in zip(holes, areas, strict=True) if a >= min_area]
    filled = _fill(region.shape, large)
    # The contour of a hole runs on the region around it.
    is_boundary = region - cv2.erode(region, np.ones((3, 3), np.uint8))
    return np.where(is_boundary > 0, 0, filled).astype(np.uint8)


def _is_written(area: EnclosedArea, region: np.ndarray) -> bool:
    """Tells whether the marks have the size of a character and are no part of a 0."""
    rows = np.flatnonzero(area.marks.any(axis=1))
    if not rows.size:
        return False
    height = area.inside.shape[0]
    relative_height = (rows[-1] + 1 - rows[0]) / height
    if relative_height < _THRESHOLDS.min_mark_height:
        return False
    if relative_height > _THRESHOLDS.max_mark_height:
        return False
    share = area.mark_area / np.count_nonzero(area.inside)
    if share > _THRESHOLDS.max_mark_share:
        return False
    return not _is_part_of_zero(area, region)


def _is_part_of_zero(area: EnclosedArea, region: np.ndarray) -> bool:
    """Tells whether the only mark may be the slash in a 0 or the hole of a thick one.

    Both are convex. A 1 is, too, but is more elongated than a hole, and more upright
    than a slash. In a long area, that does not tell them apart.
    """
    contours, _ = cv2.findContours(area.marks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if len(contours) != 1 or len(contours[0]) < 5:
        return len(contours) == 1
    if not _is_convex(contours[0], _THRESHOLDS.max_convex_loss):
        return False
    if (area.marks & region).any():  # The mark is hollow.
        return False
    _, sides, angle = cv2.fitEllipse(contours[0])
    is_stroke = max(sides) >= _THRESHOLDS.min_stroke_aspect_ratio * min(sides)
    from_vertical = min(angle, 180 - angle)
    height, width = area.inside.shape
    aspect_ratio = max(height, width) / min(height, width)
    is_one = is_stroke and from_vertical <= _THRESHOLDS.max_stroke_angle
    return not (is_one and aspect_ratio <= _THRESHOLDS.max_round_aspect_ratio)


def _has_contrast(gray: np.ndarray, area: EnclosedArea, region: np.ndarray) -> bool:
    """Tells whether the marks differ from the area about as much as its boundary."""
    left, top, right, bottom = area.box
    part = gray[top:bottom, left:right].astype(np.float32)
    level = upper_median(part[region > 0])
    outline = cv2.dilate(np.pad(area.inside, 3), np.ones((5, 5), np.uint8))
    outline -= np.pad(area.inside, 3)
    around = np.pad(gray, 3, mode="edge")[top : bottom + 6, left : right + 6]
    outside = around[outline > 0].astype(np.float32)
    boundary_contrast = np.abs(upper_median(outside) - level)
    on_marks = (area.marks > 0) & (region == 0)
    mark_contrast = np.quantile(np.abs(part[on_marks] - level), 0.8)
    return bool(mark_contrast >= _THRESHOLDS.min_relative_contrast * boundary_contrast)


def _centrality(area: EnclosedArea, shape: tuple[int, ...]) -> float:
    """Returns 1 for an area in the middle of the image, and less towards its edges."""
    height, width = shape
    left, top, right, bottom = area.box
    x = abs((left + right) / width - 1)
    y = abs((top + bottom) / height - 1)
    return 1 - 0.7 * min(1.0, max(x, y))
