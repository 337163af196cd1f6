"""Paper, light and camera of simulated pages.

Pages are `float32 (height, width, 3)`, reflectance or light in [0, 1].
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import alpha_blend

_RULE_COLORS = (
    (0.45, 0.6, 0.85),  # blue
    (0.6, 0.6, 0.62),  # gray
    (0.75, 0.5, 0.5),  # red
)

# Blurs of a smaller standard deviation are left out, in pixels.
_MIN_BLUR = 0.2

# Largest displacement of a page's corner by perspective, as a fraction of its sides.
_MAX_CORNER_DISPLACEMENT = 0.05


def value_noise(
    rng: np.random.Generator, shape: tuple[int, ...], cells: float
) -> np.ndarray:
    """Samples smooth noise of mean 0 and a standard deviation of about 1.

    Args:
      rng: a random generator.
      shape: height and width in pixels.
      cells: number of random values along the longer side.

    Returns:
      `float32`, of `shape`.
    """
    height, width = shape
    grid = []
    for side in shape:
        num_cells = int(np.ceil(cells * side / max(shape)))
        grid.append(max(2, num_cells) + 2)
    noise = rng.standard_normal(grid).astype(np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def render_paper(
    rng: np.random.Generator, shape: tuple[int, int], kind: str, pitch: float
) -> np.ndarray:
    """Renders an empty sheet.

    Args:
      rng: a random generator.
      shape: height and width in pixels.
      kind: `plain`, `ruled` or `squared`.
      pitch: distance between rules, in pixels.

    Returns:
      `float32 (height, width, 3)`, reflectance.
    """
    brightness = rng.uniform(0.75, 0.98)
    green = 1 - rng.uniform(0, 0.04)
    blue = 1 - rng.uniform(0, 0.12)
    color = brightness * np.array([1, green, blue])
    page = np.ones((*shape, 3), np.float32) * color.astype(np.float32)
    grain = rng.uniform(0, 0.015) * value_noise(rng, shape, 60)
    page *= (1 + grain)[..., None]
    if kind == "plain":
        return page
    rules = _render_rules(rng, shape, pitch, is_squared=kind == "squared")
    rule_color = np.array(_RULE_COLORS[rng.integers(len(_RULE_COLORS))], np.float32)
    return alpha_blend(page, rule_color, rng.uniform(0.3, 0.9) * rules)


def _render_rules(
    rng: np.random.Generator, shape: tuple[int, int], pitch: float, is_squared: bool
) -> np.ndarray:
    """Returns the coverage of horizontal rules, and of vertical ones if squared."""
    thickness = max(1.0, pitch * rng.uniform(0.015, 0.04))
    coverage = np.zeros(shape, np.float32)
    rows = _render_rule_profile(rng, shape[0], pitch, thickness)
    coverage = np.maximum(coverage, rows[:, None])
    if is_squared:
        columns = _render_rule_profile(rng, shape[1], pitch, thickness)
        coverage = np.maximum(coverage, columns[None, :])
    return coverage


def _render_rule_profile(
    rng: np.random.Generator, size: int, pitch: float, thickness: float
) -> np.ndarray:
    """Returns the coverage of equidistant rules along one axis, `float32 (size,)`."""
    position = np.arange(size) - rng.uniform(0, pitch)
    half_pitch = pitch / 2
    offset = (position + half_pitch) % pitch - half_pitch
    distance = np.abs(offset)
    coverage = thickness / 2 - distance + 0.5
    return np.clip(coverage, 0, 1).astype(np.float32)


def apply_lighting(
    rng: np.random.Generator, page: np.ndarray, unevenness: float
) -> np.ndarray:
    """Lights a page unevenly.

    The light has a gradient, vignetting, possibly the edge of a shadow, a color cast
    and an exposure.

    Args:
      rng: a random generator.
      page: `float32 (height, width, 3)`.
      unevenness: in [0, 1].

    Returns:
      `float32 (height, width, 3)`.
    """
    height, width = page.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    along = _project_randomly(rng, x, y)
    gradient_strength = unevenness * 0.35 * rng.uniform(0, 1)
    light = 1 - gradient_strength * (along + 1) / 2
    vignetting_strength = unevenness * 0.45 * rng.uniform(0, 1)
    radius_squared = x * x + y * y
    light = light * (1 - vignetting_strength * radius_squared / 2)
    if rng.uniform() < 0.5 * unevenness:
        light = light * _render_shadow(rng, x, y)
    cast = rng.uniform(0, 1, 3).astype(np.float32)
    color_cast = 1 - 0.15 * unevenness * cast
    exposure = np.float32(rng.uniform(0.65, 1.05))
    return page * light[..., None] * color_cast * exposure


def _render_shadow(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Returns the light at a shadow with a soft, straight edge, 1 outside of it."""
    along = _project_randomly(rng, x, y)
    edge = rng.uniform(-0.8, 0.8)
    softness = rng.uniform(0.02, 0.3)
    distance = (along - edge) / softness
    darkness = rng.uniform(0.15, 0.5)
    steepness = np.exp(-4 * distance)
    return 1 - darkness / (1 + steepness)


def _project_randomly(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Returns coordinates along a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    return x * np.cos(angle) + y * np.sin(angle)


def random_perspective(
    rng: np.random.Generator, page: np.ndarray, max_degrees: float
) -> np.ndarray:
    """Rotates and tilts a page like a hand-held camera. Its borders are mirrored.

    Args:
      rng: a random generator.
      page: `float32 (height, width, 3)`.
      max_degrees: largest angle of rotation either way.

    Returns:
      `float32 (height, width, 3)`.
    """
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    center = np.array([width, height], np.float32) / 2
    angle = np.deg2rad(rng.uniform(-max_degrees, max_degrees))
    cos = np.cos(angle)
    sin = np.sin(angle)
    rotation = np.array([[cos, -sin], [sin, cos]])
    limit = _MAX_CORNER_DISPLACEMENT
    displacement = rng.uniform(-limit, limit, (4, 2)) * [width, height]
    moved = (corners - center) @ rotation.T + center + displacement
    return cv2.warpPerspective(
        page,
        cv2.getPerspectiveTransform(corners, moved.astype(np.float32)),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def simulate_camera(
    rng: np.random.Generator,
    page: np.ndarray,
    long_side_px: int,
    noise_sigma: float,
    blur_sigma: float,
) -> np.ndarray:
    """Photographs a lit page: resolution, blur, sensor noise and JPEG artifacts.

    Args:
      rng: a random generator.
      page: `float32 (height, width, 3)`.
      long_side_px: longer side of the photograph, in pixels.
      noise_sigma: standard deviation of the sensor noise, as a fraction of white.
      blur_sigma: standard deviation of the blur, in pixels of the photograph.

    Returns:
      `uint8 (height, width, 3)`.
    """
    scale = long_side_px / max(page.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image: np.ndarray = cv2.resize(
        page, None, fx=scale, fy=scale, interpolation=interpolation
    )
    if blur_sigma > _MIN_BLUR:
        image = cv2.GaussianBlur(image, (0, 0), blur_sigma)
    noise = rng.standard_normal(image.shape).astype(np.float32)
    noisy = image + noise_sigma * noise
    gray_levels = np.rint(noisy * 255)
    pixels = np.clip(gray_levels, 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 96))
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
