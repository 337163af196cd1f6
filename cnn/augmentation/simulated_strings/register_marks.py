"""Marks beside numbers in old registers: cells, underlines, crosses, stops, blots.

Every mark is drawn beside the box of a number: left, top, right and bottom, in pixels.
It is `float32` of the page's shape, coverage in [0, 1]. Heights are those of a digit,
in pixels.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.printed_lines import (
    render_horizontal_line,
    render_vertical_line,
)
from cnn.augmentation.simulated_strings.simulated_line import WrittenLine


def draw_cell(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws lines beside the number, and rules above and below or through it."""
    max_width = max(1.0, 0.07 * height)
    cell = np.zeros(shape, np.float32)
    places = [box[0] - rng.uniform(0.02, 0.6) * height]
    places.append(box[2] + rng.uniform(0.02, 0.6) * height)
    for x in places:
        if rng.random() < 0.7:
            line = render_vertical_line(rng, shape, x, max_width, 0.7)
            cell = np.maximum(cell, line)
    if rng.random() < 0.6:
        spacing = rng.uniform(1.3, 2.5) * height
        first = box[3] + rng.uniform(-0.15, 0.3) * height
        for y in (first - spacing, first, first + spacing):
            if 0 <= y < shape[0]:
                rule = render_horizontal_line(rng, shape, y, max_width, 0.8)
                cell = np.maximum(cell, rng.uniform(0.3, 0.9) * rule)
    return cell


def draw_underline(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws a stroke under the number, with a pen."""
    y = box[3] + rng.uniform(0.0, 0.3) * height
    ends = box[[0, 2]] + rng.uniform(-0.4, 0.4, 2) * height
    rise = rng.uniform(-0.1, 0.1) * height
    return _draw_stroke(
        shape, np.array([[ends[0], y + rise], [ends[1], y - rise]]), 0.09 * height
    )


def draw_cross(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws a cross above, below or beside the number."""
    size = rng.uniform(0.2, 0.45) * height
    middle = (box[:2] + box[2:]) / 2
    corner = box[2:] if rng.random() < 0.5 else box[:2]
    sign = 1 if corner is box[2:] or corner[0] > middle[0] else -1
    distance = sign * (size + rng.uniform(0.1, 0.3) * height)
    center = middle.copy()
    axis = int(rng.integers(2))
    center[axis] = corner[axis] + distance
    turn = rng.uniform(0, np.pi / 4)
    cross = np.zeros(shape, np.float32)
    for angle in (turn, turn + np.pi / 2):
        reach = np.array([np.cos(angle), np.sin(angle)]) * size
        points = np.stack([center - reach, center + reach])
        cross = np.maximum(cross, _draw_stroke(shape, points, 0.08 * height))
    return cross


def draw_full_stop(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws a dot behind the number."""
    x = box[2] + rng.uniform(0.06, 0.25) * height
    y = box[3] - rng.uniform(-0.05, 0.2) * height
    points = np.array([[x, y], [x + 0.02 * height, y]])
    return _draw_stroke(shape, points, rng.uniform(0.08, 0.16) * height)


def draw_blot(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws a blot of ink beside the number."""
    radius = rng.uniform(0.1, 0.35) * height
    x = box[2] + radius + rng.uniform(0.05, 0.5) * height
    y = rng.uniform(box[1], box[3])
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    reach = radius * rng.uniform(0.5, 1.2, 14)
    points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 255, cv2.LINE_AA)
    return canvas / np.float32(255)


def _draw_stroke(
    shape: tuple[int, int], points: np.ndarray, width: float
) -> np.ndarray:
    """Draws a polyline of a width in pixels, with soft edges."""
    canvas = np.zeros(shape, np.uint8)
    vertices = [np.rint(points * 16).astype(np.int32)]
    thickness = max(1, round(width))
    cv2.polylines(canvas, vertices, False, 255, thickness, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)


def draw_bleed_through(rng: np.random.Generator, line: WrittenLine) -> np.ndarray:
    """Draws the other side of the paper: mirrored, soft and faint."""
    mirrored = np.ascontiguousarray(line.coverage[:, ::-1])
    shift = rng.uniform(-0.4, 0.4, 2) * line.coverage.shape
    moved = np.roll(mirrored, shift.astype(int), axis=(0, 1))
    soft = cv2.GaussianBlur(moved, (0, 0), 1.2)
    return rng.uniform(0.04, 0.16) * soft


def draw_rule_below(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws a printed rule at the foot of the number."""
    y = min(box[3] + rng.uniform(-0.1, 0.3) * height, shape[0] - 2)
    return render_horizontal_line(rng, shape, y, max(1, 0.06 * height), 0.8)


def draw_margin_lines(
    rng: np.random.Generator, shape: tuple[int, int], box: np.ndarray, height: float
) -> np.ndarray:
    """Draws one to three vertical lines of the page's margin left of the number."""
    lines = np.zeros(shape, np.float32)
    x = box[0] * rng.uniform(0.05, 0.85)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        line = render_vertical_line(rng, shape, x, 0.25 * height, 0.6)
        lines = np.maximum(lines, line)
        x -= rng.uniform(0.1, 0.35) * height
    return lines
