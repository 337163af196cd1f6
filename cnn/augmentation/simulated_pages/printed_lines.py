"""Lines that are no strokes: rules, seams, stitches and the black edge of a scan.

Coverage is `float32 (height, width)` in [0, 1]. A line is drawn at three times the
resolution, so that it may lie between pixels.
"""

import cv2
import numpy as np

_SUPERSAMPLING = 3

# Shares of lines that are solid, broken, stitched or double.
_STYLES = ("solid", "solid", "solid", "broken", "stitched", "double")

# Gray of the black edge of a scan, in [0, 1].
_MAX_BLACK = 0.12

# Largest tilt of a line, in degrees, and largest bulge of a seam, as a fraction of its
# length.
_MAX_DEGREES = 6
_MAX_BULGE = 0.03

_POINTS = 40  # Vertices of a curved line.


def render_vertical_line(
    rng: np.random.Generator,
    shape: tuple[int, int],
    x: float,
    max_width: float,
    min_length: float = 0.4,
) -> np.ndarray:
    """Draws a nearly vertical line that may end inside the page.

    Args:
      rng: a random generator.
      shape: height and width of the page, in pixels.
      x: column of the line's middle.
      max_width: largest width of the line, in pixels.
      min_length: smallest length, as a fraction of the page's height.

    Returns:
      The coverage, of `shape`.
    """
    height = shape[0]
    length = height * rng.uniform(min_length, 1.3)
    free = height - length
    # A line that is longer than the page crosses it.
    top = rng.uniform(min(0, free), max(0, free))
    along = np.linspace(0, 1, _POINTS)
    is_tilted = rng.uniform() < 0.5
    tilt = is_tilted * np.tan(np.deg2rad(rng.uniform(-_MAX_DEGREES, _MAX_DEGREES)))
    is_curved = rng.uniform() < 0.25
    bulge = is_curved * rng.uniform(-_MAX_BULGE, _MAX_BULGE)
    columns = x + length * (tilt * (along - 0.5) + 4 * bulge * along * (1 - along))
    points = np.stack([columns, top + length * along], axis=1)
    width = max(0.7, np.exp(rng.uniform(np.log(0.7), np.log(max_width))))
    style = str(rng.choice(_STYLES))
    opacity = rng.uniform(0.35, 1)
    return opacity * _draw_style(rng, shape, points, width, style)


def render_horizontal_line(
    rng: np.random.Generator,
    shape: tuple[int, int],
    y: float,
    max_width: float,
    min_length: float = 0.4,
) -> np.ndarray:
    """Draws a nearly horizontal line. See `render_vertical_line`."""
    transposed = render_vertical_line(rng, shape[::-1], y, max_width, min_length)
    return np.ascontiguousarray(transposed.T)


def _draw_style(
    rng: np.random.Generator,
    shape: tuple[int, int],
    points: np.ndarray,
    width: float,
    style: str,
) -> np.ndarray:
    """Draws a polyline in a style.

    Args:
      rng: a random generator.
      shape: height and width of the page, in pixels.
      points: `float64 (N, 2)`, x and y of the vertices, in pixels.
      width: width of the line, in pixels.
      style: `solid`, `broken`, `stitched` or `double`.
    """
    if style == "solid":
        return _draw_polylines(shape, [points], width)
    if style == "double":
        distance = np.array([width + rng.uniform(2, 5), 0])
        return _draw_polylines(shape, [points, points + distance], width)
    steps = np.abs(np.diff(points[:, 1])).sum()
    period = rng.uniform(3, 8) * width if style == "stitched" else rng.uniform(15, 40)
    gap_share = (
        rng.uniform(0.25, 0.6) if style == "stitched" else rng.uniform(0.05, 0.2)
    )
    starts = np.arange(0, steps, max(period, 3)) / steps
    dash = (1 - gap_share) * max(period, 3) / steps
    along = np.linspace(0, 1, len(points))
    pieces = []
    for start in starts:
        ends = np.array([start, min(start + dash, 1)])
        x = np.interp(ends, along, points[:, 0])
        y = np.interp(ends, along, points[:, 1])
        pieces.append(np.stack([x, y], axis=1))
    return _draw_polylines(shape, pieces, width)


def _draw_polylines(
    shape: tuple[int, int], polylines: list[np.ndarray], width: float
) -> np.ndarray:
    """Draws polylines of a width in pixels, `float32` of `shape` in [0, 1]."""
    height, page_width = shape
    scale = _SUPERSAMPLING
    canvas = np.zeros((height * scale, page_width * scale), np.uint8)
    vertices = [np.rint(line * scale).astype(np.int32) for line in polylines]
    thickness = max(1, round(width * scale))
    cv2.polylines(canvas, vertices, False, 255, thickness)
    reduced = cv2.resize(canvas, (page_width, height), interpolation=cv2.INTER_AREA)
    return reduced.astype(np.float32) / np.float32(255)


def blacken_edges(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Blackens a strip along one or two edges of a page, as at the end of a scan.

    Args:
      rng: a random generator.
      page: `float32 (height, width)` in [0, 1].
    """
    result = page.copy()
    height, width = page.shape
    for _ in range(int(rng.integers(1, 3))):
        turns = int(rng.integers(4))
        turned = np.rot90(result, turns)
        side = turned.shape[1]
        strip = max(2, int(rng.uniform(0.02, 0.14) * side))
        # The paper's edge is not parallel to the scan's.
        slope = rng.uniform(-0.04, 0.04)
        rows = np.arange(turned.shape[0]) - turned.shape[0] / 2
        limits = strip + slope * rows
        distance = limits[:, None] - np.arange(side)
        coverage = np.clip(distance + 0.5, 0, 1)
        black = rng.uniform(0.01, _MAX_BLACK)
        turned = turned * (1 - coverage) + black * coverage
        result = np.rot90(turned, -turns)
    return np.ascontiguousarray(result.astype(np.float32).reshape(height, width))
