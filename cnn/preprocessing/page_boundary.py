"""Finds the boundary of a page: a uniform frame, or a sheet on a darker surface."""

import cv2
import numpy as np

from cnn.preprocessing.background import (
    border_pixels,
    downscale,
    is_uniform,
    kernel_side,
    upper_median,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.page_boundary


def find_frame_interior(gray: np.ndarray) -> np.ndarray | None:
    """Finds the rectangle that a uniform frame encloses.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      `int (4,)`, the rectangle's left, top, right and bottom in pixels, or None for an
      image without a frame.
    """
    border = border_pixels(gray)
    if not is_uniform(border):
        return None
    differs = np.abs(upper_median(border) - gray) > THRESHOLDS.min_frame_contrast
    # To count pixels takes far less time than to measure rows and columns.
    min_pixels = _THRESHOLDS.min_interior_pixels * max(differs.shape)
    if np.count_nonzero(differs) < min_pixels:
        return None
    box = _bounding_rectangle(differs)
    if box is None or not _fills_rectangle(differs, box):
        return None
    return box


def _bounding_rectangle(mask: np.ndarray) -> np.ndarray | None:
    """Returns the box of the rows and columns that are mostly True, or None."""
    min_share = _THRESHOLDS.min_crossing_share
    columns = np.flatnonzero(mask.mean(axis=0) > min_share)
    rows = np.flatnonzero(mask.mean(axis=1) > min_share)
    if min(len(columns), len(rows)) < _THRESHOLDS.min_interior_side:
        return None
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    soft_edge = _THRESHOLDS.soft_edge
    return box + np.array([soft_edge, soft_edge, -soft_edge, -soft_edge])


def _fills_rectangle(mask: np.ndarray, box: np.ndarray) -> bool:
    """Tells whether the True pixels fill a rectangle and lie nowhere else."""
    left, top, right, bottom = box
    margin = _THRESHOLDS.outer_margin
    surrounded = mask[
        max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin
    ]
    min_enclosed = _THRESHOLDS.min_enclosed_share * np.count_nonzero(mask)
    if np.count_nonzero(surrounded) <= min_enclosed:
        return False
    inside = mask[top:bottom, left:right]
    return bool(
        border_pixels(inside).mean() > _THRESHOLDS.min_straight_share
        and inside.mean() > _THRESHOLDS.min_filled_share
    )


def fill_outside_sheet(gray: np.ndarray, small: np.ndarray) -> np.ndarray | None:
    """Replaces the surroundings of a light sheet by the levels of the sheet.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image or a reduced one, in which the sheet is searched.

    Returns:
      `uint8 (height, width)`, or None for an image without a sheet.
    """
    if max(gray.shape) <= THRESHOLDS.background.max_cropped_side:
        return None
    small = downscale(small, _THRESHOLDS.sheet_side)
    sheet = _find_sheet_mask(small)
    if sheet is None:
        return None
    kernel = np.ones((_THRESHOLDS.edge_kernel, _THRESHOLDS.edge_kernel), np.uint8)
    inner = cv2.erode(sheet, kernel, borderValue=1).astype(np.float32)
    fill = _extrapolate_sheet(small, sheet, inner)
    size = gray.shape[::-1]
    sheet_weight = cv2.resize(inner, size)
    fill = np.minimum(cv2.resize(fill, size), 255)
    blended = sheet_weight * gray + (1 - sheet_weight) * fill
    return np.rint(blended).astype(np.uint8)


def _find_sheet_mask(gray: np.ndarray) -> np.ndarray | None:
    """Returns the mask of a light sheet on a darker surface, by Otsu's threshold.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      `uint8 (height, width)`, 1 on the sheet and 0 elsewhere, or None without a sheet.
    """
    method = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    threshold, light = cv2.threshold(gray, 0, 1, method)
    if border_pixels(light).mean() > _THRESHOLDS.max_light_border_share:
        return None
    outline = find_quadrilateral(light)
    if outline is None or not _has_sheet_shape(outline, gray.shape):
        return None
    sheet = cv2.fillConvexPoly(np.zeros_like(gray), outline, 1)
    surroundings = np.median(gray[sheet == 0])
    if surroundings >= _THRESHOLDS.max_surroundings_level * threshold:
        return None
    if light[sheet > 0].mean() <= _THRESHOLDS.min_light_share:
        return None
    return sheet


def _has_sheet_shape(outline: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Tells whether an outline is large and compact, and ends inside the image.

    Args:
      outline: `int (points, 1, 2)`, columns and rows.
      shape: height and width of the image.
    """
    height, width = shape
    if cv2.contourArea(outline) < _THRESHOLDS.min_sheet_area * (height * width):
        return False
    sides = cv2.minAreaRect(outline)[1]
    if max(sides) > _THRESHOLDS.max_aspect_ratio * min(sides):
        return False
    first = outline.min((0, 1))
    last = outline.max((0, 1))
    num_contacts = (first == 0).sum() + (last + 1 == (width, height)).sum()
    return bool(num_contacts <= _THRESHOLDS.max_border_contacts)


def _extrapolate_sheet(
    gray: np.ndarray, sheet: np.ndarray, inner: np.ndarray
) -> np.ndarray:
    """Continues the levels of a sheet beyond its edge by a normalized Gaussian blur.

    Args:
      gray: `uint8 (height, width)`.
      sheet: the same shape, 1 on the sheet and 0 elsewhere.
      inner: `float32`, the same shape, 1 on the sheet without its edge.

    Returns:
      `float64 (height, width)`, levels of the sheet without ink.
    """
    side = kernel_side(gray, THRESHOLDS.background.max_thin_stroke_width)
    kernel = np.ones((side, side), np.uint8)
    without_ink = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, kernel)
    sigma = _THRESHOLDS.fill_sigma
    weights = cv2.GaussianBlur(inner, (0, 0), sigma)
    weighted = cv2.GaussianBlur(inner * without_ink, (0, 0), sigma)
    median_weight = _THRESHOLDS.median_weight
    median = np.median(gray[sheet > 0])
    return (weighted + median_weight * median) / (weights + median_weight)


def find_quadrilateral(mask: np.ndarray) -> np.ndarray | None:
    """Returns the convex hull of the largest region if it is a quadrilateral.

    A fifth side is allowed, because the image border may cut off a corner.

    Args:
      mask: `uint8 (height, width)`, 0 outside the regions.

    Returns:
      `int32 (points, 1, 2)`, columns and rows of the hull, or None.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(largest)
    tolerance = _THRESHOLDS.polygon_tolerance * cv2.arcLength(hull, closed=True)
    polygon = cv2.approxPolyDP(hull, tolerance, closed=True)
    if len(polygon) not in (4, 5):
        return None
    min_area = min(cv2.contourArea(largest), cv2.contourArea(polygon))
    if min_area <= _THRESHOLDS.min_hull_share * cv2.contourArea(hull):
        return None
    return hull
