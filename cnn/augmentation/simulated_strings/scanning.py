"""Scans and photographs of pages with a number.

Pages of scans are `float32 (height, width)`, those of photographs `float32 (height,
width, 3)`, reflectance in [0, 1].
"""

from collections.abc import Sequence

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.camera import apply_lighting
from cnn.augmentation.simulated_pages.paper import render_paper, value_noise
from cnn.augmentation.simulated_strings.simulated_line import (
    SimulatedLine,
    WrittenLine,
    finish_line,
    map_hulls,
    pad_line,
    resize_line,
    warp_image,
)

# Largest displacement of a photograph's corner by perspective, as a fraction of the
# shorter side.
_MAX_CORNER_DISPLACEMENT = 0.08

# Size of a page before it is photographed, as a multiple of the photograph's.
_OVERSAMPLING = 1.25

# Shares of red, green and blue in gray (ITU-R BT.601).
_GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)

# Unevenness of the light of photographs, in [0, 1].
_UNEVENNESS = 0.7

# JPEG qualities of scans, and the share of scans that are compressed so.
_QUALITIES = (40, 95)
_JPEG_SHARE = 0.6

# Largest shading of a scan, as a fraction of its brightness.
_MAX_SHADING = 0.3


def sample_log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Samples a size whose logarithm is uniformly distributed."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def add_margins(
    rng: np.random.Generator, line: WrittenLine, low: float, high: float
) -> WrittenLine:
    """Adds a margin on each side, as a fraction of the number's height."""
    height = line.coverage.shape[0]
    margins = [round(sample_log_uniform(rng, low, high) * height) for _ in range(4)]
    return pad_line(line, *margins)


def render_gray_paper(
    rng: np.random.Generator,
    shape: tuple[int, int],
    brightness: tuple[float, float] = (0.6, 0.97),
    texture: float = 0.03,
) -> np.ndarray:
    """Renders paper with a grain, stains and shading, `float32` of `shape`.

    Args:
      rng: a random generator.
      shape: height and width, in pixels.
      brightness: least and largest mean reflectance, in [0, 1].
      texture: largest standard deviation of the grain.
    """
    level = rng.uniform(*brightness)
    fine = rng.uniform(0, texture) * value_noise(rng, shape, rng.uniform(20, 120))
    coarse = rng.uniform(0, texture) * value_noise(rng, shape, rng.uniform(2, 8))
    along = np.linspace(-0.5, 0.5, shape[1]) * rng.uniform(-_MAX_SHADING, _MAX_SHADING)
    down = np.linspace(-0.5, 0.5, shape[0]) * rng.uniform(-0.5, 0.5) * _MAX_SHADING
    paper = level * (1 + fine + coarse) * (1 + along + down[:, None])
    return paper.astype(np.float32)


def make_uneven(
    rng: np.random.Generator, coverage: np.ndarray, strength: float
) -> np.ndarray:
    """Makes ink fainter in places, as a pencil or a dry pen does."""
    fine = value_noise(rng, coverage.shape, cells=max(coverage.shape) / 5)
    coarse = value_noise(rng, coverage.shape, cells=max(coverage.shape) / 60)
    opacity = np.clip(1 - strength + strength * (0.6 * fine + 0.6 * coarse), 0.15, 1)
    return coverage * opacity.astype(np.float32)


def scan_page(
    rng: np.random.Generator,
    page: np.ndarray,
    max_blur: float = 0.8,
    max_noise: float = 0.02,
) -> np.ndarray:
    """Scans a page: blur, noise and JPEG artifacts.

    Args:
      rng: a random generator.
      page: `float32 (height, width)`.
      max_blur: largest standard deviation of the blur, in pixels.
      max_noise: largest standard deviation of the noise, as a fraction of white.

    Returns:
      `uint8 (height, width)`.
    """
    blur = rng.uniform(0, max_blur)
    image = cv2.GaussianBlur(page, (0, 0), blur) if blur > 0.2 else page
    noise = rng.standard_normal(page.shape).astype(np.float32)
    levels = np.rint((image + rng.uniform(0, max_noise) * noise) * 255)
    pixels = np.clip(levels, 0, 255).astype(np.uint8)
    if rng.random() > _JPEG_SHARE:
        return pixels
    quality = int(rng.integers(*_QUALITIES))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def scan_line(
    rng: np.random.Generator,
    line: WrittenLine,
    darkness: float,
    paper: np.ndarray | None = None,
    **scan: float,
) -> SimulatedLine:
    """Lays ink on paper and scans it.

    Args:
      rng: a random generator.
      line: the number, with its margins and with all other ink.
      darkness: share of the light that the ink takes, in [0, 1].
      paper: `float32`, of the line's shape. None renders some.
      **scan: arguments of `scan_page`.
    """
    if paper is None:
        paper = render_gray_paper(rng, line.coverage.shape)
    page = paper * (1 - darkness * line.coverage)
    return finish_line(scan_page(rng, page, **scan), line)


def photograph_line(
    rng: np.random.Generator,
    line: WrittenLine,
    layers: Sequence[tuple[np.ndarray, np.ndarray]],
    long_side_px: int,
    paper: str = "plain",
    max_degrees: float = 4,
) -> SimulatedLine:
    """Photographs a page by hand: perspective, light, blur, noise and JPEG.

    Args:
      rng: a random generator.
      line: the number on the page, with margins.
      layers: the color, `float (3,)`, and the coverage of each ink on the page,
        `float32` of the line's shape.
      long_side_px: longer side of the photograph, in pixels.
      paper: `plain`, `ruled` or `squared`.
      max_degrees: largest rotation either way.

    Returns:
      The photograph, in gray.
    """
    scale = min(1, _OVERSAMPLING * long_side_px / max(line.coverage.shape))
    line = resize_line(line, scale)
    shape = line.coverage.shape
    matrix, size = _sample_homography(rng, shape, max_degrees)
    sheet = render_paper(rng, shape, paper, rng.uniform(0.1, 0.5) * shape[0])
    page = warp_image(sheet @ _GRAY_WEIGHTS, matrix, size, cv2.BORDER_REFLECT)
    for color, coverage in layers:
        small = cv2.resize(coverage, shape[::-1], interpolation=cv2.INTER_AREA)
        alpha = warp_image(small, matrix, size)
        page += alpha * (np.float32(color @ _GRAY_WEIGHTS) - page)
    gray = _take_photograph(rng, page, long_side_px)
    factors = np.divide(gray.shape[::-1], size).astype(np.float32)
    hulls = [hull * factors for hull in map_hulls(line.hulls, matrix)]
    return finish_line(gray, line._replace(hulls=hulls))


def _take_photograph(
    rng: np.random.Generator, page: np.ndarray, long_side_px: int
) -> np.ndarray:
    """Lights a page, `float32 (height, width)`, and photographs it, `uint8`."""
    lit = apply_lighting(rng, page[..., None], _UNEVENNESS) @ _GRAY_WEIGHTS
    factor = long_side_px / max(page.shape)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    height, width = np.maximum(np.rint(np.multiply(page.shape, factor)), 1)
    photo = cv2.resize(
        lit.astype(np.float32), (int(width), int(height)), interpolation=method
    )
    return scan_page(rng, photo, min(0.0015 * long_side_px, 1.5), 0.025)


def _sample_homography(
    rng: np.random.Generator, shape: tuple[int, ...], max_degrees: float
) -> tuple[np.ndarray, tuple[int, int]]:
    """Rotates and tilts a page, and shifts it into view.

    Returns:
      A homography, `float64 (3, 3)`, and the width and height of the image that shows
      the whole page.
    """
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = np.deg2rad(rng.uniform(-max_degrees, max_degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    limit = _MAX_CORNER_DISPLACEMENT * min(height, width)
    moved = corners @ turn.T + rng.uniform(-limit, limit, (4, 2))
    moved -= moved.min(axis=0)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    last = np.ceil(moved.max(axis=0)).astype(int)
    return matrix, (int(last[0]), int(last[1]))
