"""Cells of tables and margins: a small digit beside lines that are no strokes.

Every page is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns `uint8 (height, width)` or `uint8 (height, width, 3)`.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.camera import apply_lighting, simulate_camera
from cnn.augmentation.simulated_pages.compositing import (
    Layer,
    alpha_blend,
    composite_layers,
)
from cnn.augmentation.simulated_pages.ink import render_ink
from cnn.augmentation.simulated_pages.paper import render_paper, value_noise
from cnn.augmentation.simulated_pages.printed_lines import (
    blacken_edges,
    render_horizontal_line,
    render_vertical_line,
)
from cnn.augmentation.simulated_pages.scans import to_gray_levels
from cnn.augmentation.simulated_pages.strokes import (
    DIGIT_HEIGHT,
    bounding_slices,
    render_strokes,
)

# Largest slant of script, in pixels per pixel of height.
_MAX_SLANT = 0.5

# Gap between a line and the digit, in pixels. Less than 0 crosses the digit.
_LINE_GAPS = (-2, 12)


def scan_table_cell(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a tiny digit in a cell of a register, with all that is printed there."""
    height_px = _log_uniform(rng, 9, 40)
    character = _write_small(rng, digit, height_px)
    shape = _sample_cell_shape(rng, character.shape)
    top, left = _sample_place(rng, shape, character.shape)
    ink = composite_layers(shape, [Layer(character, top, left)])
    print_ = _render_surroundings(rng, shape, character, top, left)
    paper = _render_paper(rng, shape)
    darkness = rng.uniform(0.3, 0.9)
    page = paper * (1 - darkness * ink) * (1 - print_)
    if rng.uniform() < 0.5:
        page = blacken_edges(rng, page)
    scan = cv2.GaussianBlur(page.astype(np.float32), (0, 0), rng.uniform(0.4, 0.8))
    noise = rng.uniform(0.003, 0.02) * rng.standard_normal(shape)
    return to_gray_levels(scan + noise)


def photograph_margin_line(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit beside a line that ends inside the page, or at a seam."""
    tool = str(rng.choice(["pen", "pencil", "faint", "marker"]))
    alpha, color = render_ink(rng, digit, tool)
    alpha = _crop(alpha)
    scale = rng.uniform(1.2, 4.5, 2)
    height, width = alpha.shape
    shape = (int(height * scale[0]) + 20, int(max(width, height / 2) * scale[1]) + 60)
    top, left = _sample_place(rng, shape, alpha.shape)
    coverage = composite_layers(shape, [Layer(alpha, top, left)])
    lines = _render_lines_beside(rng, shape, alpha.shape, top, left, max_width=14)
    paper_kind = str(rng.choice(["plain", "plain", "plain", "ruled"]))
    paper = render_paper(rng, shape, paper_kind, DIGIT_HEIGHT)
    line_color = np.full(3, rng.uniform(0.02, 0.4), np.float32)
    page = alpha_blend(paper, color, coverage)
    page = alpha_blend(page, line_color, lines).astype(np.float32)
    lit = apply_lighting(rng, page, rng.uniform(0, 0.6))
    long_side_px = _log_uniform(rng, 110, 500)
    return simulate_camera(rng, lit, long_side_px, rng.uniform(0, 0.012), 0.6)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> int:
    """Samples a size in pixels whose logarithm is uniformly distributed."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def _crop(alpha: np.ndarray) -> np.ndarray:
    """Crops a character's coverage to its ink."""
    rows, columns = bounding_slices(alpha > 0)
    return alpha[rows, columns]


def _write_small(
    rng: np.random.Generator, digit: np.ndarray, height_px: int
) -> np.ndarray:
    """Writes a slanted digit of a height in pixels with a pen: its coverage."""
    strokes = render_strokes(digit, rng.uniform(0.05, 0.12))
    slant = rng.uniform(-0.05, _MAX_SLANT)
    height, width = strokes.shape
    extra = int(abs(slant) * height) + 1
    shift = extra if slant > 0 else 0
    matrix = np.array([[1, -slant, shift], [0, 1, 0]], np.float32)
    slanted = _crop(cv2.warpAffine(strokes, matrix, (width + extra, height)))
    scale = height_px / slanted.shape[0]
    size = (max(2, round(slanted.shape[1] * scale)), height_px)
    small = cv2.resize(slanted, size, interpolation=cv2.INTER_AREA)
    uneven = 0.85 + 0.1 * value_noise(rng, small.shape, cells=4)
    return (small * np.clip(uneven, 0, 1)).astype(np.float32)


def _sample_cell_shape(
    rng: np.random.Generator, character_shape: tuple[int, ...]
) -> tuple[int, int]:
    """Samples the height and width of a cell that has room for the character."""
    height, width = character_shape
    zoom = max(1, height / 24)
    cell_height = int(rng.uniform(max(80, 2.2 * height), 170 * zoom))
    cell_width = int(rng.uniform(max(40, width + 14), max(72 * zoom, width + 30)))
    return cell_height, cell_width


def _sample_place(
    rng: np.random.Generator, shape: tuple[int, int], character_shape: tuple[int, ...]
) -> tuple[int, int]:
    """Samples the top and left of a character, with a margin where there is room."""
    free = np.subtract(shape, character_shape)
    margin = np.minimum(free // 4, 12)
    top, left = (margin + rng.uniform(0, 1, 2) * (free - 2 * margin)).astype(int)
    return int(top), int(left)


def _render_paper(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Renders old paper with stains and a gradient, reflectance in [0, 1]."""
    brightness = rng.uniform(0.5, 0.95)
    grain = rng.uniform(0, 0.03) * value_noise(rng, shape, cells=rng.uniform(5, 40))
    stains = rng.uniform(0, 0.05) * value_noise(rng, shape, cells=3)
    return brightness * (1 + grain + stains)


def _render_lines_beside(
    rng: np.random.Generator,
    shape: tuple[int, int],
    character_shape: tuple[int, ...],
    top: int,
    left: int,
    max_width: float,
) -> np.ndarray:
    """Draws one or two vertical lines beside the character, and rules near it."""
    height, width = character_shape
    unit = max_width / 3
    lines = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        gap = unit * rng.uniform(*_LINE_GAPS)
        is_left = rng.uniform() < 0.5
        x = left - gap if is_left else left + width + gap
        line = render_vertical_line(rng, shape, x, max_width)
        lines = np.maximum(lines, line)
    if rng.uniform() < 0.5:
        gap = unit * rng.uniform(*_LINE_GAPS)
        is_above = rng.uniform() < 0.5
        y = top - gap if is_above else top + height + gap
        line = render_horizontal_line(rng, shape, y, max_width)
        lines = np.maximum(lines, line)
    return lines


def _render_surroundings(
    rng: np.random.Generator,
    shape: tuple[int, int],
    character: np.ndarray,
    top: int,
    left: int,
) -> np.ndarray:
    """Draws lines, a full stop, parts of the next rows and ink from the back."""
    lines = np.zeros(shape, np.float32)
    if rng.uniform() < 0.8:
        lines = _render_lines_beside(rng, shape, character.shape, top, left, 3)
    marks = _render_marks(rng, shape, character, top, left)
    back = _render_ink_from_back(rng, shape, character)
    return np.maximum(np.maximum(lines, marks), back)


def _render_marks(
    rng: np.random.Generator,
    shape: tuple[int, int],
    character: np.ndarray,
    top: int,
    left: int,
) -> np.ndarray:
    """Draws a full stop or comma, and digits of the next rows that are cut off."""
    height, width = character.shape
    layers = []
    if rng.uniform() < 0.4:
        side = max(1, int(height * rng.uniform(0.06, 0.14)))
        is_comma = rng.uniform() < 0.3
        stop = np.full((side * (3 if is_comma else 1), side), 0.7, np.float32)
        stop_left = left + width + int(rng.uniform(0.05, 0.35) * height)
        layers.append(Layer(stop, top + height - side, stop_left))
    if rng.uniform() < 0.35:
        neighbor = rng.uniform(0.3, 0.8) * np.rot90(character, 2)
        visible = rng.uniform(0.1, 0.45) * height
        is_above = rng.uniform() < 0.5
        neighbor_top = visible - height if is_above else shape[0] - visible
        shift = int(rng.uniform(-0.3, 0.3) * height)
        layers.append(Layer(neighbor, int(neighbor_top), left + shift))
    return composite_layers(shape, layers)


def _render_ink_from_back(
    rng: np.random.Generator, shape: tuple[int, int], character: np.ndarray
) -> np.ndarray:
    """Draws the pale, blurred and mirrored ink of the page's other side."""
    if rng.uniform() < 0.7:
        return np.zeros(shape, np.float32)
    mirrored = np.ascontiguousarray(character[:, ::-1])
    top = int(rng.uniform(0, shape[0] - character.shape[0]))
    left = int(rng.uniform(-0.3, 0.9) * shape[1])
    layer = composite_layers(shape, [Layer(mirrored, top, left)])
    return rng.uniform(0.05, 0.12) * cv2.GaussianBlur(layer, (0, 0), 1.2)
