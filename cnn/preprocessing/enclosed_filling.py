"""Cuts out an enclosed area, and continues its background beyond its boundary."""

import cv2
import numpy as np

from cnn.preprocessing.enclosed_areas import EnclosedArea
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.enclosed_areas


def cut_out_area(
    gray: np.ndarray, searched: np.ndarray, area: EnclosedArea
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts out an area, without what is around it.

    Args:
      gray: `uint8 (height, width)`.
      searched: the same image, of the size in which the area was found.
      area: the area in `searched`.

    Returns:
      `uint8`, the part of `gray`, with the levels of the area up to its edges, and
      `int (4,)`, the left, top, right and bottom of this part in pixels of `gray`.
    """
    left, top, right, bottom = area.box
    part = searched[top:bottom, left:right]
    weights = _weigh_inside(area)
    fill = _continue_levels(part, area)
    zoom = np.tile(np.array(gray.shape[::-1]) / searched.shape[::-1], 2)
    box = np.rint(zoom * area.box).astype(int)
    cut = gray[box[1] : box[3], box[0] : box[2]]
    size = cut.shape[::-1]
    weights = cv2.resize(weights, size)
    blended = weights * cut + (1 - weights) * cv2.resize(fill, size)
    return np.rint(np.clip(blended, 0, 255)).astype(np.uint8), box


def _boundary_kernel(shape: tuple[int, ...]) -> np.ndarray:
    """Returns the kernel of the erosion that removes a blurred boundary."""
    width = round(_THRESHOLDS.boundary_width * min(shape))
    width = min(max(width, 1), _THRESHOLDS.max_boundary_px)
    side = 2 * width + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _weigh_inside(area: EnclosedArea) -> np.ndarray:
    """Returns 1 in the area without its boundary and on its marks: `float32`."""
    kernel = _boundary_kernel(area.inside.shape)
    padded = np.pad(area.inside, 1)
    inner = cv2.erode(padded, kernel)[1:-1, 1:-1]
    marks = cv2.dilate(area.marks, np.ones((3, 3), np.uint8))
    return np.maximum(inner, marks).astype(np.float32)


def _continue_levels(part: np.ndarray, area: EnclosedArea) -> np.ndarray:
    """Continues the area's levels by a normalized Gaussian blur: `float32`."""
    kernel = _boundary_kernel(area.inside.shape)
    clean = np.where(area.marks > 0, 0, area.inside).astype(np.uint8)
    eroded = cv2.erode(np.pad(clean, 1), kernel)[1:-1, 1:-1]
    weights = (eroded if eroded.any() else clean).astype(np.float32)
    median = np.median(part[weights > 0])
    sigma = _THRESHOLDS.fill_sigma * min(part.shape)
    blurred = cv2.GaussianBlur(weights * part, (0, 0), sigma)
    total = cv2.GaussianBlur(weights, (0, 0), sigma)
    weight = np.float32(_THRESHOLDS.median_weight)
    return ((blurred + weight * median) / (total + weight)).astype(np.float32)
