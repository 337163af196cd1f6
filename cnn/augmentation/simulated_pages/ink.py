"""Ink of simulated handwriting: pens, pencils, markers and brushes."""

from collections.abc import Callable

import numpy as np

from cnn.augmentation.simulated_pages.paper import value_noise
from cnn.augmentation.simulated_pages.strokes import render_strokes

# Colors in RGB order. None is black or gray.
_PEN_COLORS = (
    None,
    np.array([0.05, 0.1, 0.55]),  # blue
    np.array([0.1, 0.1, 0.35]),  # dark blue
    np.array([0.65, 0.08, 0.1]),  # red
)
_FAINT_COLOR = np.array([0.25, 0.27, 0.4])

# The coverage of the ink, and its color, or None for black or gray.
_Ink = tuple[np.ndarray, np.ndarray | None]


def render_ink(
    rng: np.random.Generator, digit: np.ndarray, tool: str
) -> tuple[np.ndarray, np.ndarray]:
    """Writes a digit with a tool.

    Args:
      rng: a random generator.
      digit: `float32 (28, 28)` in [0, 1].
      tool: `pen`, `pencil`, `faint`, `marker` or `brush`.

    Returns:
      The coverage of the ink, `float32 (height, width)` in [0, 1], and its color,
      `float32 (3,)` in [0, 1].
    """
    gray = rng.uniform(0.02, 0.3)
    coverage, color = _TOOLS[tool](rng, digit)
    if color is None:
        color = np.full(3, gray)
    return coverage.astype(np.float32), color.astype(np.float32)


def _write_with_pen(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.035, 0.08)
    strokes = render_strokes(digit, width)
    color_index = rng.integers(len(_PEN_COLORS))
    noise = 0.06 * value_noise(rng, strokes.shape, cells=12)
    opacity = np.clip(0.92 + noise, 0, 1)
    return strokes * opacity, _PEN_COLORS[color_index]


def _write_with_pencil(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.03, 0.07)
    strokes = render_strokes(digit, width)
    fine_noise = 0.3 * value_noise(rng, strokes.shape, cells=70)
    coarse_noise = 0.15 * value_noise(rng, strokes.shape, cells=8)
    grain = 0.75 + fine_noise + coarse_noise
    grain = np.clip(grain, 0.15, 1)
    opacity = rng.uniform(0.45, 0.85)
    gray = rng.uniform(0.25, 0.4)
    color = np.full(3, gray)
    return strokes * grain * opacity, color


def _write_faintly(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.025, 0.05)
    strokes = render_strokes(digit, width)
    fine_noise = 0.15 * value_noise(rng, strokes.shape, cells=40)
    coarse_noise = 0.15 * value_noise(rng, strokes.shape, cells=6)
    grain = 0.8 + fine_noise + coarse_noise
    grain = np.clip(grain, 0.2, 1)
    opacity = rng.uniform(0.2, 0.45)
    return strokes * grain * opacity, _FAINT_COLOR


def _write_with_marker(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.12, 0.2)
    return render_strokes(digit, width), None


def _write_with_brush(_: np.random.Generator, digit: np.ndarray) -> _Ink:
    """Keeps the varying width of the digit's own strokes."""
    return render_strokes(digit, 0), None


_TOOLS: dict[str, Callable[[np.random.Generator, np.ndarray], _Ink]] = {
    "pen": _write_with_pen,
    "pencil": _write_with_pencil,
    "faint": _write_faintly,
    "marker": _write_with_marker,
    "brush": _write_with_brush,
}
