"""A simulated number: its image, its text and the place of each character.

Coordinates are in pixels. A pixel covers the square from its column and row to the next
ones, so that a box that ends at column 7 includes column 6 and not column 7.
"""

from typing import NamedTuple

import cv2
import numpy as np

# Coverage above which a pixel is ink of a character, in [0, 1]. Antialiasing leaves
# less outside the strokes.
MIN_COVERAGE = 0.2

# Side of the images of the characters and of the character in it, in pixels, and the
# place of its center of mass: those of MNIST.
_GLYPH_SIDE = 28
_CHARACTER_SIDE = 20
_GLYPH_CENTER = 14.5


class SimulatedLine(NamedTuple):
    """An image of one number.

    Attributes:
      image: `uint8 (height, width)`.
      text: the characters from left to right, empty if there is no number.
      boxes: `float32 (len(text), 4)`, left, top, right and bottom of the ink of each
        character, in pixels.
      glyphs: one `float32 (28, 28)` in [0, 1] per character: its ink alone, as drawn,
        centered like a digit of MNIST.
    """

    image: np.ndarray
    text: str
    boxes: np.ndarray
    glyphs: list[np.ndarray]


class WrittenLine(NamedTuple):
    """The ink of one number, before it is on paper.

    Attributes:
      coverage: `float32 (height, width)` in [0, 1].
      text: the characters from left to right.
      hulls: the convex hull of each character, `float32 (points, 2)`, x and y. Unlike
        a box, it stays exact if the page is turned or tilted.
      glyphs: as in `SimulatedLine`.
    """

    coverage: np.ndarray
    text: str
    hulls: list[np.ndarray]
    glyphs: list[np.ndarray]


def finish_line(image: np.ndarray, line: WrittenLine) -> SimulatedLine:
    """Combines an image with the boxes of the line that it shows."""
    return SimulatedLine(image, line.text, find_boxes(line.hulls), line.glyphs)


def find_boxes(hulls: list[np.ndarray]) -> np.ndarray:
    """Returns the bounding boxes of hulls, `float32 (len(hulls), 4)`."""
    boxes = [[*hull.min(axis=0), *hull.max(axis=0)] for hull in hulls]
    return np.array(boxes, np.float32).reshape(-1, 4)


def find_hull(coverage: np.ndarray) -> np.ndarray:
    """Finds points around the ink whose convex hull is that of its pixels.

    Args:
      coverage: `float32 (height, width)` in [0, 1], with ink.

    Returns:
      `float32 (points, 2)`, x and y.
    """
    rows, columns = np.nonzero(coverage > MIN_COVERAGE)
    pixels = np.stack([columns, rows], axis=1).astype(np.float32)
    outer = cv2.convexHull(pixels)[:, 0]
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return (outer[:, None] + corners).reshape(-1, 2)


def crop_to_ink(coverage: np.ndarray) -> np.ndarray:
    """Crops to the ink, and keeps at least one pixel."""
    rows = np.flatnonzero((coverage > MIN_COVERAGE).any(axis=1))
    columns = np.flatnonzero((coverage > MIN_COVERAGE).any(axis=0))
    if not len(rows):
        return coverage[:1, :1]
    return coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def center_glyph(coverage: np.ndarray) -> np.ndarray:
    """Scales a character to 20 pixels and centers its mass in 28×28.

    Args:
      coverage: `float32 (height, width)` in [0, 1], cropped to the ink.

    Returns:
      `float32 (28, 28)` in [0, 1].
    """
    height, width = coverage.shape
    scale = _CHARACTER_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(coverage, size, interpolation=method)
    mass = max(float(small.sum()), 1e-6)
    x = float((small.sum(axis=0) * np.arange(size[0])).sum()) / mass + 0.5
    y = float((small.sum(axis=1) * np.arange(size[1])).sum()) / mass + 0.5
    shift = np.array([[1, 0, _GLYPH_CENTER - x], [0, 1, _GLYPH_CENTER - y]], np.float32)
    return cv2.warpAffine(small, shift, (_GLYPH_SIDE, _GLYPH_SIDE))


def warp_line(
    line: WrittenLine, matrix: np.ndarray, size: tuple[int, int]
) -> WrittenLine:
    """Maps the ink by a homography.

    Args:
      line: the line.
      matrix: `float (3, 3)`, from points of the line to points of the result.
      size: width and height of the result, in pixels.
    """
    warped = warp_image(line.coverage, matrix, size)
    return line._replace(coverage=warped, hulls=map_hulls(line.hulls, matrix))


def warp_image(
    image: np.ndarray,
    matrix: np.ndarray,
    size: tuple[int, int],
    border: int = cv2.BORDER_CONSTANT,
) -> np.ndarray:
    """Maps an image by a homography of points, whose pixels have their centers at ½."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    pixels = np.linalg.inv(half) @ matrix @ half
    return cv2.warpPerspective(
        image, pixels, size, flags=cv2.INTER_LINEAR, borderMode=border
    )


def map_hulls(hulls: list[np.ndarray], matrix: np.ndarray) -> list[np.ndarray]:
    """Maps points by a homography, `float (3, 3)`."""
    return [
        cv2.perspectiveTransform(hull[None].astype(np.float64), matrix)[0].astype(
            np.float32
        )
        for hull in hulls
    ]


def resize_line(line: WrittenLine, scale: float) -> WrittenLine:
    """Scales the ink by a factor."""
    height, width = line.coverage.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(line.coverage, size, interpolation=method)
    factors = np.array([size[0] / width, size[1] / height], np.float32)
    hulls = [hull * factors for hull in line.hulls]
    return line._replace(coverage=resized, hulls=hulls)


def pad_line(
    line: WrittenLine, left: int, top: int, right: int, bottom: int
) -> WrittenLine:
    """Adds margins, or removes them where the numbers of pixels are negative."""
    padding = ((max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)))
    padded = np.pad(line.coverage, padding)
    height, width = padded.shape
    rows = slice(max(-top, 0), height - max(-bottom, 0))
    columns = slice(max(-left, 0), width - max(-right, 0))
    offset = np.array([left, top], np.float32)
    hulls = [hull + offset for hull in line.hulls]
    return line._replace(coverage=padded[rows, columns], hulls=hulls)
