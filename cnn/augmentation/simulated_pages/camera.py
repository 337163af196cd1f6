"""Light and camera of simulated photographs.

Pages are `float32 (height, width, 3)`, reflectance or light in [0, 1].
"""

import cv2
import numpy as np

# Largest gradient, vignetting and color cast of the most uneven light. Each is the
# fraction of the light that is lost.
_MAX_GRADIENT = 0.35
_MAX_VIGNETTING = 0.45
_MAX_COLOR_CAST = 0.15

# Probability of a shadow in the most uneven light.
_SHADOW_PROB = 0.5

# Largest displacement of a page's corner by perspective, as a fraction of its sides.
_MAX_CORNER_DISPLACEMENT = 0.05

# Blurs of a smaller standard deviation are left out, in pixels.
_MIN_BLUR = 0.2


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
    x, y = _make_coordinates(height, width)
    light = _render_gradient(rng, x, y, unevenness * _MAX_GRADIENT)
    vignetting = _render_vignetting(rng, x, y, unevenness * _MAX_VIGNETTING)
    light = light * vignetting
    if rng.uniform() < _SHADOW_PROB * unevenness:
        light = light * _render_shadow(rng, x, y)
    cast = rng.uniform(0, 1, 3).astype(np.float32)
    color_cast = 1 - _MAX_COLOR_CAST * unevenness * cast
    exposure = np.float32(rng.uniform(0.65, 1.05))
    return page * light[..., None] * color_cast * exposure


def _make_coordinates(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the x and y of every pixel, from -1 to 1."""
    # NumPy reads an imaginary step as the number of points.
    rows = slice(-1, 1, height * 1j)
    columns = slice(-1, 1, width * 1j)
    y, x = np.mgrid[rows, columns].astype(np.float32)
    return x, y


def _render_gradient(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, max_strength: float
) -> np.ndarray:
    """Returns light that fades along a random direction."""
    along = _project_randomly(rng, x, y)
    strength = max_strength * rng.uniform(0, 1)
    return 1 - strength * (along + 1) / 2


def _render_vignetting(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, max_strength: float
) -> np.ndarray:
    """Returns light that fades from the center to the corners."""
    strength = max_strength * rng.uniform(0, 1)
    radius_squared = x * x + y * y
    return 1 - strength * radius_squared / 2


def _render_shadow(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Returns the light at a shadow with a soft, straight edge, 1 outside of it."""
    along = _project_randomly(rng, x, y)
    edge = rng.uniform(-0.8, 0.8)
    softness = rng.uniform(0.02, 0.3)
    distance = (along - edge) / softness
    darkness = rng.uniform(0.15, 0.5)
    falloff = np.exp(-4 * distance)
    return 1 - darkness / (1 + falloff)


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
    size = (width, height)
    corners = np.array(
        [
            [0, 0],
            [width, 0],
            [width, height],
            [0, height],
        ],
        np.float32,
    )
    center = np.array(size, np.float32) / 2
    degrees = rng.uniform(-max_degrees, max_degrees)
    rotation = _make_rotation_matrix(degrees)
    rotated = (corners - center) @ rotation.T + center
    limit = _MAX_CORNER_DISPLACEMENT
    displacement = rng.uniform(-limit, limit, (4, 2))
    moved = rotated + displacement * size
    homography = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(
        page,
        homography,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _make_rotation_matrix(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    cos = np.cos(angle)
    sin = np.sin(angle)
    return np.array(
        [
            [cos, -sin],
            [sin, cos],
        ]
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
    image = _resize_long_side(page, long_side_px)
    if blur_sigma > _MIN_BLUR:
        image = cv2.GaussianBlur(image, (0, 0), blur_sigma)
    noise = rng.standard_normal(image.shape).astype(np.float32)
    noisy = image + noise_sigma * noise
    gray_levels = np.rint(noisy * 255)
    pixels = np.clip(gray_levels, 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 96))
    return _compress_jpeg(pixels, quality)


def _resize_long_side(page: np.ndarray, long_side_px: int) -> np.ndarray:
    scale = long_side_px / max(page.shape[:2])
    is_reduced = scale < 1
    interpolation = cv2.INTER_AREA if is_reduced else cv2.INTER_LINEAR
    return cv2.resize(
        page,
        None,
        fx=scale,
        fy=scale,
        interpolation=interpolation,
    )


def _compress_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Encodes an image as JPEG and decodes it. `quality` is in [0, 100]."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, encoded = cv2.imencode(".jpg", pixels, parameters)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return np.asarray(decoded)
