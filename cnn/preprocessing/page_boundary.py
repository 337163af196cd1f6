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
    contrast = np.abs(upper_median(border) - gray)
    differs = contrast > THRESHOLDS.min_frame_contrast
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
    column_shares = mask.mean(axis=0)
    row_shares = mask.mean(axis=1)
    columns = np.flatnonzero(column_shares > min_share)
    rows = np.flatnonzero(row_shares > min_share)
    shorter_side = min(len(columns), len(rows))
    if shorter_side < _THRESHOLDS.min_interior_side:
        return None
    soft_edge = _THRESHOLDS.soft_edge
    left = columns[0] + soft_edge
    top = rows[0] + soft_edge
    right = columns[-1] + 1 - soft_edge
    bottom = rows[-1] + 1 - soft_edge
    return np.array([left, top, right, bottom])


def _fills_rectangle(mask: np.ndarray, box: np.ndarray) -> bool:
    """Tells whether the True pixels fill a rectangle and lie nowhere else."""
    left, top, right, bottom = box
    margin = _THRESHOLDS.outer_margin
    rows = slice(max(top - margin, 0), bottom + margin)
    columns = slice(max(left - margin, 0), right + margin)
    num_pixels = np.count_nonzero(mask)
    num_enclosed = np.count_nonzero(mask[rows, columns])
    if num_enclosed <= _THRESHOLDS.min_enclosed_share * num_pixels:
        return False
    inside = mask[top:bottom, left:right]
    border_share = border_pixels(inside).mean()
    if border_share <= _THRESHOLDS.min_straight_share:
        return False
    return bool(inside.mean() > _THRESHOLDS.min_filled_share)


def fill_outside_sheet(gray: np.ndarray, small: np.ndarray) -> np.ndarray | None:
    """Replaces the surroundings of a light sheet by the levels of the sheet.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image or a reduced one, in which the sheet is searched.

    Returns:
      `uint8 (height, width)`, or None for an image without a sheet.
    """
    longest_side = max(gray.shape)
    if longest_side <= THRESHOLDS.background.max_cropped_side:
        return None
    small = downscale(small, _THRESHOLDS.sheet_side)
    sheet = _find_sheet_mask(small)
    if sheet is None:
        return None
    side = _THRESHOLDS.edge_kernel
    kernel = np.ones((side, side), np.uint8)
    inner = cv2.erode(sheet, kernel, borderValue=1)
    inner = inner.astype(np.float32)
    fill = _extrapolate_sheet(small, sheet, inner)
    size = gray.shape[::-1]
    sheet_weight = cv2.resize(inner, size)
    fill = cv2.resize(fill, size)
    fill = np.minimum(fill, 255)
    fill_weight = 1 - sheet_weight
    blended = sheet_weight * gray + fill_weight * fill
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
    light_border_share = border_pixels(light).mean()
    if light_border_share > _THRESHOLDS.max_light_border_share:
        return None
    outline = find_quadrilateral(light)
    if outline is None or not _has_sheet_shape(outline, gray.shape):
        return None
    canvas = np.zeros_like(gray)
    sheet = cv2.fillConvexPoly(canvas, outline, 1)
    surroundings = np.median(gray[sheet == 0])
    if surroundings >= _THRESHOLDS.max_surroundings_level * threshold:
        return None
    light_share = light[sheet > 0].mean()
    return sheet if light_share > _THRESHOLDS.min_light_share else None


def _has_sheet_shape(outline: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Tells whether an outline is large and compact, and ends inside the image.

    Args:
      outline: `int (points, 1, 2)`, columns and rows.
      shape: height and width of the image.
    """
    height, width = shape
    min_area = _THRESHOLDS.min_sheet_area * (height * width)
    if cv2.contourArea(outline) < min_area:
        return False
    _, sides, _ = cv2.minAreaRect(outline)
    if max(sides) > _THRESHOLDS.max_aspect_ratio * min(sides):
        return False
    left, top = outline.min((0, 1)).tolist()
    right, bottom = outline.max((0, 1)).tolist()
    contacts = [left == 0, top == 0, right == width - 1, bottom == height - 1]
    return sum(contacts) <= _THRESHOLDS.max_border_contacts


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
    sheet_levels = gray[sheet > 0]
    median_weight = _THRESHOLDS.median_weight
    weighted_median = median_weight * np.median(sheet_levels)
    return (weighted + weighted_median) / (weights + median_weight)


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
    perimeter = cv2.arcLength(hull, closed=True)
    tolerance = _THRESHOLDS.polygon_tolerance * perimeter
    polygon = cv2.approxPolyDP(hull, tolerance, closed=True)
    if len(polygon) not in (4, 5):
        return None
    region_area = cv2.contourArea(largest)
    polygon_area = cv2.contourArea(polygon)
    hull_area = cv2.contourArea(hull)
    min_area = _THRESHOLDS.min_hull_share * hull_area
    is_quadrilateral = min(region_area, polygon_area) > min_area
    return hull if is_quadrilateral else None
