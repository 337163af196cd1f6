"""The paper of a picture: how light it is at each pixel, and by how much the ink differs from it."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds


class Foreground(NamedTuple):
    """A picture less its paper.

    Attributes:
      strength: `float32 (height, width)`: how far each pixel is on the ink's side of the paper, in levels.
      sign: 1 for dark ink, -1 for light.
      tight: whether the character may touch the edges.
      clear: whether there is no doubt of it.
    """

    levels: np.ndarray
    sign: int
    may_touch_border: bool
    unambiguous: bool


def foreground_candidates(
    grey: np.ndarray, limits: SegmentationThresholds
) -> Iterator[Foreground]:
    """Yields the picture less its paper, in one way after the other."""
    tight = max(grey.shape) <= limits.tight_side
    even = _uniform_background(grey, tight, limits)
    if even is not None:
        yield even
        return
    two_levels = _bilevel(grey, tight, limits)
    if two_levels is not None:
        yield two_levels
        if two_levels.unambiguous:
            return
    signs = estimate_polarity(grey, limits)
    for width in (limits.widest_stroke, limits.thin_stroke):
        for sign in signs:
            yield Foreground(
                subtract_background(grey, sign, width), sign, False, len(signs) == 1
            )


def _uniform_background(
    grey: np.ndarray, tight: bool, limits: SegmentationThresholds
) -> Foreground | None:
    """Takes the border for paper, if it is of one grey and most of the picture is, too."""
    border = border_pixels(grey)
    if not _is_uniform(border, limits):
        return None
    difference = upper_median(border) - grey
    # Ink is rarer than paper and stands out further, so it decides the sign of the third moment.
    sign = (
        1 if float((difference * difference * difference).sum(dtype=float)) >= 0 else -1
    )
    strength = difference * sign
    if np.mean(strength > 0.5 * strength.max()) > 0.5:
        return None
    return Foreground(strength, sign, tight, True)


def _is_uniform(border: np.ndarray, limits: SegmentationThresholds) -> bool:
    return int(border.max()) - int(border.min()) <= limits.max_uniform_range


def _bilevel(
    grey: np.ndarray, tight: bool, limits: SegmentationThresholds
) -> Foreground | None:
    """Takes the level that most of the border shows for paper, in a picture that has two.

    The two are told apart by the threshold that leaves the least variance on its two sides (Otsu, "A
    threshold selection method from gray-level histograms", 1979).
    """
    threshold = int(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    counts, levels = (
        cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(float),
        np.arange(256),
    )
    dark, light = (
        np.where(levels <= threshold, counts, 0),
        np.where(levels > threshold, counts, 0),
    )
    between = (
        dark.sum()
        * light.sum()
        * (levels @ light / light.sum() - levels @ dark / dark.sum()) ** 2
    )
    # A normal distribution, cut in two, has 64 % of its variance between the halves, an even one 75 %.
    if between <= limits.two_levels * (
        grey.size * (levels**2 @ counts) - (levels @ counts) ** 2
    ):
        return None
    border = float(np.mean(border_pixels(grey) > threshold))
    sign, border, paper, ink = (
        (1, border, light, dark) if border > 0.5 else (-1, 1 - border, dark, light)
    )
    level, on_paper, clean = _level_statistics(paper, limits)
    _, on_ink, _ = _level_statistics(ink, limits)
    doubtful, good, sure = limits.one_level
    strict = border > limits.paper_border and min(on_paper, on_ink) > good
    if (
        on_paper < doubtful
        or not (tight or strict)
        or ink.sum() > limits.most_ink * grey.size
    ):
        return None
    # Where most of the paper is of one level, no camera has seen it.
    clear = tight and (clean > 0.5 or on_paper > sure)
    return Foreground(np.float32(sign) * (np.float32(level) - grey), sign, tight, clear)


def _level_statistics(
    counts: np.ndarray, limits: SegmentationThresholds
) -> tuple[int, float, float]:
    """Returns the median of pixels that are so many of each level, and which shares are near it and on it."""
    count = counts.sum()
    level = int(np.searchsorted(np.cumsum(counts), count / 2))
    near = counts[
        max(0, level - limits.max_uniform_range) : level + limits.max_uniform_range + 1
    ]
    return level, float(near.sum() / count), float(counts[level] / count)


def estimate_polarity(
    grey: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> list[int]:
    """Tells dark ink, 1, from light, -1, and returns both, the likelier first, where it is hard to tell.

    Ink is rarer than paper and stands out further, so against the median around each pixel the picture is
    skewed to its side. Windows of three sizes have a say, for thick strokes and for the edges of shadows:
    the narrowest, which those skew least, may not be of another mind.
    """
    small = downscale(grey, 64)
    skewnesses = [_local_skewness(small, window) for window in limits.skew_windows]
    likelier = 1 if sum(skewnesses) >= 0 else -1
    agreed = abs(sum(skewnesses)) >= limits.skewed and skewnesses[0] * likelier >= 0
    return [likelier] if agreed else [likelier, -likelier]


def _local_skewness(small: np.ndarray, window: float) -> float:
    size = max(3, int(window * equivalent_side(small)) | 1)
    difference = cv2.medianBlur(small, size).astype(np.float32) - small
    squares = difference * difference
    return float((squares * difference).mean() / (squares.mean() + 1e-6) ** 1.5)


def subtract_background(grey: np.ndarray, sign: int, width: float) -> np.ndarray:
    """Subtracts the paper, as what is left of a picture when all that is narrower than `width` is closed.

    The morphological closing follows the edges of shadows and of what lies beside the paper. Dark ink is
    measured as a fraction of the light that falls on it.
    """
    small = downscale(grey, 64 if width > 0.2 else 96)
    size = max(3, int(width * equivalent_side(small)) | 1)
    padded = cv2.copyMakeBorder(small, size, size, size, size, cv2.BORDER_REPLICATE)
    operation = cv2.MORPH_CLOSE if sign > 0 else cv2.MORPH_OPEN
    closed = cv2.morphologyEx(padded, operation, np.ones((size, size), np.uint8))[
        size:-size, size:-size
    ]
    if small is not grey:
        closed = cv2.resize(closed, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    paper = closed.astype(np.float32)
    strength = np.float32(sign) * (paper - grey)
    if sign > 0:
        strength *= 220 / np.maximum(paper, 0.4 * paper.max() + 1)
    return strength - upper_median(
        subsample(strength)
    )  # Closing takes the lightest of the paper's noise.


def find_frame_interior(
    grey: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> np.ndarray | None:
    """Finds the box of left, top, right and bottom that an even frame leaves, or None without a frame."""
    border = border_pixels(grey)
    if not _is_uniform(border, limits):
        return None
    mask = np.abs(upper_median(border) - grey) > limits.min_frame_contrast
    if np.count_nonzero(mask) < 5 * max(
        mask.shape
    ):  # Far less work than to look at each side.
        return None
    sides = [np.flatnonzero(mask.mean(axis=axis) > 0.5) for axis in (0, 1)]
    if min(map(len, sides)) < 10:
        return None
    # A pixel less on each side, for the frame's soft edge.
    (left, right), (top, bottom) = ((side[0] + 1, side[-1]) for side in sides)
    inside = mask[top:bottom, left:right]
    with_edges = mask[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2]
    alone = np.count_nonzero(with_edges) > 0.95 * np.count_nonzero(
        mask
    )  # A thick stroke has ends beyond.
    straight = alone and border_pixels(inside).mean() > 0.95 and inside.mean() > 0.7
    return np.array([left, top, right, bottom]) if straight else None


def fill_outside_sheet(
    grey: np.ndarray, small: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> np.ndarray | None:
    """Paints what lies about a light sheet, as a table, like the sheet.

    Args:
      grey: `uint8 (height, width)`.
      small: the same, shrunk, in which the sheet is searched.
      limits: what counts as a sheet.

    Returns:
      The same with paint, or None where there is no such sheet.
    """
    small = downscale(small, 64)
    sheet = (
        _find_sheet_mask(small, limits) if max(grey.shape) > limits.tight_side else None
    )
    if sheet is None:
        return None
    inner = cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1).astype(
        np.float32
    )
    stroke = np.ones(
        (max(3, int(limits.thin_stroke * equivalent_side(small)) | 1),) * 2, np.uint8
    )
    without_ink = inner * cv2.morphologyEx(small, cv2.MORPH_CLOSE, stroke)
    near, rest = cv2.GaussianBlur(inner, (0, 0), 8), 1e-3 * np.median(small[sheet > 0])
    paint = (cv2.GaussianBlur(without_ink, (0, 0), 8) + rest) / (near + 1e-3)
    kept, painted = (cv2.resize(part, grey.shape[::-1]) for part in (inner, paint))
    return np.rint(kept * grey + (1 - kept) * np.minimum(painted, 255)).astype(np.uint8)


def _find_sheet_mask(
    small: np.ndarray, limits: SegmentationThresholds
) -> np.ndarray | None:
    """Returns a mask of the light sheet that a picture ends beyond, `uint8 (height, width)`, or None."""
    threshold, light = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    outline = (
        find_quadrilateral(light)
        if border_pixels(light).mean() <= limits.sheet_border
        else None
    )
    if outline is None or cv2.contourArea(outline) < limits.sheet_area * small.size:
        return None
    sides = cv2.minAreaRect(outline)[1]
    if max(sides) > limits.sheet_slender * min(sides):  # A thick stroke of chalk.
        return None
    first, last = outline.min((0, 1)), outline.max((0, 1)) + 1
    if (first == 0).sum() + (
        last == small.shape[::-1]
    ).sum() > 1:  # It may end in a shadow, not at its edge.
        return None
    sheet = cv2.fillConvexPoly(np.zeros_like(small), outline, 1)
    dark = np.median(small[sheet == 0]) < limits.sheet_light * threshold
    return sheet if dark and light[sheet > 0].mean() > 0.8 else None


def find_quadrilateral(mask: np.ndarray) -> np.ndarray | None:
    """Returns the convex outline of the largest patch, `int (points, 1, 2)`, if it has four straight sides.

    It may have one more, where an edge of the picture cuts a corner off.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(largest)
    sides = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, closed=True), closed=True)
    area, full, straight = map(cv2.contourArea, (largest, hull, sides))
    return hull if len(sides) in (4, 5) and min(area, straight) > 0.93 * full else None


def upper_median(values: np.ndarray) -> np.float32:
    """Returns the median, of an even number the upper of the two; sooner than NumPy, which looks for NaN."""
    return np.float32(
        np.partition(values, values.size // 2, axis=None)[values.size // 2]
    )


def border_pixels(picture: np.ndarray) -> np.ndarray:
    """Returns the pixels along the four edges."""
    return border_pixels_batch(picture[None])[0]


def border_pixels_batch(pictures: np.ndarray) -> np.ndarray:
    """Returns the pixels along the four edges of each, `(N, pixels)`."""
    edges = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    return np.concatenate(edges, axis=1)


def downscale(grey: np.ndarray, side: int) -> np.ndarray:
    """Averages a picture down to at most as many pixels as a square of `side` has."""
    scale = side / equivalent_side(grey)
    if scale >= 1:
        return grey
    size = [max(1, round(scale * n)) for n in reversed(grey.shape)]
    return cv2.resize(grey, size, interpolation=downscale_interpolation(scale))


def downscale_interpolation(scale: float) -> int:
    """Returns how OpenCV shall shrink a picture: to at least a half, averages of areas look no better."""
    return cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR


def equivalent_side(picture: np.ndarray) -> float:
    """Returns the side of a square with as many pixels."""
    return float(np.sqrt(picture.size))


def subsample(picture: np.ndarray) -> np.ndarray:
    """Returns enough of a picture's pixels to know their distribution by."""
    return picture if picture.size < 5_000 else picture[::2, ::2]
