"""Paper of simulated pages: plain, ruled or squared, with a grain."""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import alpha_blend

# Colors in RGB order, in [0, 1].
_RULE_COLORS = (
    (0.45, 0.6, 0.85),  # blue
    (0.6, 0.6, 0.62),  # gray
    (0.75, 0.5, 0.5),  # red
)

# Grains of the paper along its longer side.
_GRAIN_CELLS = 60


def value_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: float
) -> np.ndarray:
    """Samples smooth noise of mean 0 and a standard deviation of about 1.

    Args:
      rng: a random generator.
      shape: height and width in pixels.
      cells: number of random values along the longer side.

    Returns:
      `float32`, of `shape`.
    """
    grid_shape = [_count_grid_points(side, shape, cells) for side in shape]
    grid = rng.standard_normal(grid_shape).astype(np.float32)
    height, width = shape
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def _count_grid_points(side: int, shape: tuple[int, int], cells: float) -> int:
    """Returns the number of random values along one side: 4 or more."""
    long_side = max(shape)
    num_cells = int(np.ceil(cells * side / long_side))
    return max(2, num_cells) + 2


def render_paper(
    rng: np.random.Generator, shape: tuple[int, int], kind: str, rule_spacing: float
) -> np.ndarray:
    """Renders an empty sheet.

    Args:
      rng: a random generator.
      shape: height and width in pixels.
      kind: `plain`, `ruled` or `squared`.
      rule_spacing: distance between neighboring rules, in pixels.

    Returns:
      `float32 (height, width, 3)`, reflectance in [0, 1].
    """
    page = _render_plain_paper(rng, shape)
    if kind == "plain":
        return page
    is_squared = kind == "squared"
    rules = _render_rules(rng, shape, rule_spacing, is_squared)
    color_index = rng.integers(len(_RULE_COLORS))
    color = np.array(_RULE_COLORS[color_index], np.float32)
    opacity = rng.uniform(0.3, 0.9)
    return alpha_blend(page, color, opacity * rules)


def _render_plain_paper(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Renders white, gray or yellowish paper."""
    brightness = rng.uniform(0.75, 0.98)
    green = 1 - rng.uniform(0, 0.04)
    blue = 1 - rng.uniform(0, 0.12)
    color = brightness * np.array([1, green, blue])
    page = np.full((*shape, 3), color, np.float32)
    grain_sigma = rng.uniform(0, 0.015)
    grain = grain_sigma * value_noise(rng, shape, _GRAIN_CELLS)
    page *= (1 + grain)[..., None]
    return page


def _render_rules(
    rng: np.random.Generator,
    shape: tuple[int, int],
    rule_spacing: float,
    is_squared: bool,
) -> np.ndarray:
    """Returns the coverage of horizontal rules, and of vertical ones if squared."""
    height, width = shape
    relative_thickness = rng.uniform(0.015, 0.04)
    thickness = max(1.0, rule_spacing * relative_thickness)
    row_profile = _render_rule_profile(rng, height, rule_spacing, thickness)
    horizontal = row_profile[:, None]
    if not is_squared:
        return np.broadcast_to(horizontal, shape)
    column_profile = _render_rule_profile(rng, width, rule_spacing, thickness)
    return np.maximum(horizontal, column_profile)


def _render_rule_profile(
    rng: np.random.Generator, size: int, rule_spacing: float, thickness: float
) -> np.ndarray:
    """Returns the coverage of equidistant rules along one axis, `float32 (size,)`."""
    first_rule = rng.uniform(0, rule_spacing)
    position = np.arange(size) - first_rule
    half_spacing = rule_spacing / 2
    offset = (position + half_spacing) % rule_spacing - half_spacing
    distance = np.abs(offset)
    coverage = thickness / 2 - distance + 0.5
    return np.clip(coverage, 0, 1).astype(np.float32)
