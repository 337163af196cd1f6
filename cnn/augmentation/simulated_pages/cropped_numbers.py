"""Crops of one digit out of a longer number, and digits that fill a binary image.

Every scan is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1].
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import (
    Layer,
    alpha_blend,
    composite_layers,
)
from cnn.augmentation.simulated_pages.paper import value_noise
from cnn.augmentation.simulated_pages.scans import crop_and_resize, to_gray_levels
from cnn.augmentation.simulated_pages.strokes import (
    DIGIT_HEIGHT,
    bounding_slices,
    render_strokes,
)

# Height of the page on which a number is written, before it is cropped.
_PAGE_HEIGHT = 3 * DIGIT_HEIGHT
_PAGE_WIDTH = 5 * DIGIT_HEIGHT

# Coverage from which a pixel belongs to the digit's bounding box, in [0, 1].
_MIN_COVERAGE = 0.3

# Shapes of the neighbors, 0 to 9, as x and y in a box of 6 by 10. A stroke is a
# polyline whose corners are rounded.
_NEIGHBORS = (
    [[(4, 0), (1, 1), (0, 5), (1, 9), (3, 10), (5, 9), (6, 5), (5, 1), (3, 0)]],
    [[(1, 3), (4, 0), (3, 10)]],
    [[(0, 2), (2, 0), (5, 1), (5, 4), (0, 10), (3, 9), (6, 10)]],
    [[(0, 1), (3, 0), (5, 2), (2, 5), (5, 6), (6, 8), (3, 10), (0, 9)]],
    [[(4, 0), (0, 7), (6, 7)], [(4, 3), (4, 10)]],
    [[(6, 0), (1, 0), (1, 4), (4, 4), (6, 7), (4, 10), (0, 9)]],
    [[(5, 0), (1, 4), (0, 8), (3, 10), (6, 8), (4, 5), (1, 7)]],
    [[(0, 1), (2, 0), (6, 0), (3, 5), (2, 10)], [(1, 5), (5, 5)]],
    [[(5, 1), (2, 0), (0, 2), (6, 7), (4, 10), (1, 9), (1, 7), (6, 2), (4, 0)]],
    [[(6, 2), (3, 0), (0, 2), (2, 5), (6, 2), (5, 6), (4, 10), (1, 10)]],
)
_BOX_HEIGHT = 10

# Number of points that the corners of a polyline are rounded over.
_POINTS_PER_LINE = 8


def scan_cropped_number(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit with pieces of its neighbors in 20 to 60 pixels, in color.

    Returns:
      `uint8 (height, width, 3)`, the middle of a number on old paper.
    """
    width = rng.uniform(0.05, 0.13)
    # A width of 0 keeps the digit's own strokes.
    character = render_strokes(digit, width * (rng.uniform() < 0.8))
    rows, columns = bounding_slices(character > _MIN_COVERAGE)
    character = character[rows, columns]
    slant = rng.uniform(-0.1, 0.6)
    coverage, box = _write_number(rng, character, width * DIGIT_HEIGHT)
    coverage = _add_marks(rng, coverage, box)
    coverage, box = _slant_page(coverage, box, character, slant)
    cropped = _crop_around(rng, coverage, box)
    return _scan_old_paper(rng, cropped)


def _write_number(
    rng: np.random.Generator, character: np.ndarray, stroke_width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Writes a character in the middle of a page, and its neighbors beside it.

    Args:
      rng: a random generator.
      character: `float32 (rows, columns)` in [0, 1], its coverage.
      stroke_width: width of the neighbors' strokes, in pixels.

    Returns:
      The coverage of the page, `float32 (height, width)`, and `int (4,)`, left, top,
      right and bottom of the character.
    """
    height, width = character.shape
    left = (_PAGE_WIDTH - width) // 2
    top = (_PAGE_HEIGHT - height) // 2
    layers = [Layer(character, top, left)]
    for is_right in (False, True):
        if rng.uniform() < 0.15:
            continue
        neighbor = _draw_neighbor(rng, stroke_width)
        gap = int(rng.uniform(-0.12, 0.3) * DIGIT_HEIGHT)
        neighbor_left = left + width + gap
        if not is_right:
            neighbor_left = left - gap - neighbor.shape[1]
        descent = int(rng.uniform(-0.2, 0.2) * DIGIT_HEIGHT)
        neighbor_top = top + height - neighbor.shape[0] + descent
        layers.append(Layer(neighbor, neighbor_top, neighbor_left))
    coverage = composite_layers((_PAGE_HEIGHT, _PAGE_WIDTH), layers)
    return coverage, np.array([left, top, left + width, top + height])


def _draw_neighbor(rng: np.random.Generator, stroke_width: float) -> np.ndarray:
    """Draws a digit in 0.75 to 1.25 times the height of the character."""
    height = rng.uniform(0.75, 1.25) * DIGIT_HEIGHT
    width = rng.uniform(0.7, 1.2) * height
    scale = np.array([width, height]) / _BOX_HEIGHT
    thickness = max(1, round(stroke_width * rng.uniform(0.8, 1.2)))
    page = np.zeros((2 * DIGIT_HEIGHT, 2 * DIGIT_HEIGHT), np.uint8)
    for stroke in _NEIGHBORS[rng.integers(len(_NEIGHBORS))]:
        corners = np.array(stroke) + rng.normal(0, 0.3, (len(stroke), 2))
        points = _round_corners(corners) * scale + DIGIT_HEIGHT / 4
        cv2.polylines(
            page,
            [np.rint(points).astype(np.int32)],
            isClosed=False,
            color=1,
            thickness=thickness,
        )
    return page[bounding_slices(page > 0)].astype(np.float32)


def _round_corners(corners: np.ndarray) -> np.ndarray:
    """Rounds the corners of a polyline: `float64 (points, 2)` of x and y."""
    num_points = _POINTS_PER_LINE * (len(corners) - 1) + 1
    place = np.linspace(0, len(corners) - 1, num_points)
    x, y = (np.interp(place, np.arange(len(corners)), axis) for axis in corners.T)
    ends = ((_POINTS_PER_LINE // 2, _POINTS_PER_LINE // 2),)
    window = np.ones(_POINTS_PER_LINE + 1) / (_POINTS_PER_LINE + 1)
    rounded = [np.convolve(np.pad(a, ends, "edge"), window, "valid") for a in (x, y)]
    return np.stack(rounded, axis=1)


def _add_marks(
    rng: np.random.Generator, coverage: np.ndarray, box: np.ndarray
) -> np.ndarray:
    """Adds a full stop, rules above or below, or the line of a cell, or none."""
    left, top, right, bottom = box.tolist()
    marked = coverage.copy()
    thickness = int(rng.integers(2, 9))
    opacity = rng.uniform(0.5, 1)
    if rng.uniform() < 0.2:
        side = int(rng.integers(10, 26))
        x = right + int(rng.integers(5, 45))
        y = bottom - int(rng.integers(0, 20))
        cv2.circle(marked, (x, y), side // 2, color=1, thickness=-1)
    if rng.uniform() < 0.2:
        y = bottom + int(rng.integers(4, 40))
        cv2.line(marked, (0, y), (_PAGE_WIDTH, y), opacity, thickness)
    if rng.uniform() < 0.1:
        y = top - int(rng.integers(4, 40))
        cv2.line(marked, (0, y), (_PAGE_WIDTH, y), opacity, thickness)
    if rng.uniform() < 0.15:
        distance = int(rng.integers(6, 50))
        x = left - distance if rng.uniform() < 0.5 else right + distance
        cv2.line(marked, (x, 0), (x, _PAGE_HEIGHT), opacity, thickness)
    return np.maximum(coverage, marked)


def _slant_page(
    coverage: np.ndarray, box: np.ndarray, character: np.ndarray, slant: float
) -> tuple[np.ndarray, np.ndarray]:
    """Moves the upper rows to the right, by `slant` pixels per pixel of height.

    Returns:
      The slanted page, and left, top, right and bottom of the character in it.
    """
    left, top, _, bottom = box.tolist()
    middle = (top + bottom) / 2
    matrix = np.array([[1, -slant, slant * middle], [0, 1, 0]], np.float32)
    size = (_PAGE_WIDTH, _PAGE_HEIGHT)
    layer = Layer(character, top, left)
    alone = composite_layers((_PAGE_HEIGHT, _PAGE_WIDTH), [layer])
    slanted = cv2.warpAffine(coverage, matrix, size)
    rows, columns = bounding_slices(cv2.warpAffine(alone, matrix, size) > _MIN_COVERAGE)
    return slanted, np.array([columns.start, rows.start, columns.stop, rows.stop])


def _crop_around(
    rng: np.random.Generator, coverage: np.ndarray, box: np.ndarray
) -> np.ndarray:
    """Crops to a character with margins, tightly or loosely."""
    looseness = rng.uniform(0.05, 0.35)
    margins = rng.uniform(-0.02, looseness, 4) * DIGIT_HEIGHT
    left, top, right, bottom = (box + margins * [-1, -1, 1, 1]).astype(int).tolist()
    return coverage[max(0, top) : bottom, max(0, left) : right]


def _scan_old_paper(rng: np.random.Generator, coverage: np.ndarray) -> np.ndarray:
    """Scans ink on stained paper at 20 to 60 pixels, with the artifacts of a JPEG.

    Args:
      rng: a random generator.
      coverage: `float32 (rows, columns)` in [0, 1].

    Returns:
      `uint8 (height, width, 3)`.
    """
    scale = rng.uniform(20, 60) / max(coverage.shape)
    rows, columns = coverage.shape
    size = (max(8, round(scale * columns)), max(8, round(scale * rows)))
    small = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.9))
    paper_color = rng.uniform(0.5, 0.95) * np.array([1, 0.94, 0.82])
    paper = np.broadcast_to(paper_color, (*small.shape, 3))
    stains = rng.uniform(0, 0.07) * value_noise(rng, small.shape, cells=5)
    ink_color = rng.uniform(0.05, 0.4) * np.array([1, 0.85, 0.7])
    fading = 1 + 0.15 * value_noise(rng, small.shape, cells=4)
    opacity = np.clip(rng.uniform(0.6, 1) * fading, 0.3, 1)
    page = alpha_blend(paper * (1 + stains)[..., None], ink_color, small * opacity)
    page += rng.uniform(0, 0.03) * rng.standard_normal((*small.shape, 1))
    quality = int(rng.integers(50, 96))
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, encoded = cv2.imencode(".jpg", to_gray_levels(page), options)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def scan_binary_edges(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a slanted digit in 12 to 32 black or white pixels that touches all edges.

    Returns:
      `uint8 (side, side)`, in either polarity.
    """
    stroke_width = rng.uniform(0.06, 0.24)
    alpha = render_strokes(digit, stroke_width * (rng.uniform() < 0.8))
    height, width = alpha.shape
    slant = rng.uniform(-0.3, 0.3)
    free = int(abs(slant) * height) + 1
    padded = np.pad(alpha, ((0, 0), (free, free)))
    matrix = np.array([[1, -slant, slant * height / 2], [0, 1, 0]], np.float32)
    slanted = cv2.warpAffine(padded, matrix, (width + 2 * free, height))
    side = int(rng.choice([12, 16, 16, 20, 28, 32]))
    frame = crop_and_resize(slanted, height=side, width=side, margin=0)
    mask = frame > rng.uniform(0.35, 0.6)
    scan = to_gray_levels(mask)
    return 255 - scan if rng.uniform() < 0.5 else scan
