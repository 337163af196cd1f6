"""Outlier exposure: images of no class, from which a network learns to be unsure.

The method is by Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019.
The outliers are joined halves of two characters, scribbles, textures, noise and printed
letters. The benchmarks draw their own outliers, independently of this module.
"""

import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from cnn.augmentation.bezier import quadratic_bezier

# Letters whose printed form cannot be told from a digit.
_DIGIT_LIKE_LETTERS = "OoIl"
_LETTERS = sorted(set(string.ascii_letters) - set(_DIGIT_LIKE_LETTERS))

_FONT_PATTERNS = (
    "DejaVuSans*.ttf",
    "DejaVuSerif*.ttf",
    "STIXGeneral*.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
)


def make_outliers(
    seed: int, images: np.ndarray, targets: np.ndarray, count: int, letters: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Makes images of no class and their target probabilities.

    Args:
      seed: of the random generator.
      images: `uint8 (N, 28, 28, 1)`, characters to be cut in halves.
      targets: `float32 (N, num_classes)`, class probabilities of `images`.
      count: number of outliers. Two fifths of them are joined halves.
      letters: whether to include printed letters. False if letters are classes.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and targets, `float32 (count, num_classes)`.
      The target of joined halves is the mean of both targets, and uniform otherwise.
    """
    rng = np.random.default_rng([seed, 1])
    joined, joined_targets = join_halves(rng, images[..., 0], targets, count * 2 // 5)
    kinds: list[Callable] = [_draw_scribble, _draw_texture, _draw_noise]
    if letters:
        kinds += [_draw_letter, _draw_letter, _draw_letter]
    num_drawn = count - len(joined)
    drawn = [kinds[i % len(kinds)](rng) for i in range(num_drawn)]
    drawn_images = np.array(drawn, np.uint8).reshape(-1, 28, 28)
    num_classes = targets.shape[1]
    uniform = np.full((num_drawn, num_classes), 1 / num_classes, np.float32)
    outliers = np.concatenate([joined, drawn_images])
    return outliers[..., None], np.concatenate([joined_targets, uniform])


def join_halves(
    rng: np.random.Generator, images: np.ndarray, targets: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Joins halves of two random characters, left and right or upper and lower.

    Args:
      rng: a random generator.
      images: `uint8 (N, 28, 28)`.
      targets: `float32 (N, num_classes)`.
      count: number of joined images.

    Returns:
      Images, `uint8 (count, 28, 28)`, and targets, `float32 (count, num_classes)`.
    """
    first, second = rng.integers(0, len(images), (2, count))
    border = rng.integers(12, 17, (count, 1, 1))
    column = np.broadcast_to(np.arange(28), (count, 28, 28))
    is_left = column < border
    is_upper = is_left.swapaxes(1, 2)
    is_side_by_side = rng.random((count, 1, 1)) < 0.5
    is_first = np.where(is_side_by_side, is_left, is_upper)
    joined = np.where(is_first, images[first], images[second])
    mean_targets = (targets[first] + targets[second]) / 2
    return joined, mean_targets


def _draw_scribble(rng: np.random.Generator) -> np.ndarray:
    """Draws three to six random curves."""
    canvas = Image.new("L", (112, 112))
    pen = ImageDraw.Draw(canvas)
    width = int(rng.integers(6, 13))
    for _ in range(rng.integers(3, 7)):
        start, control, end = rng.uniform(16, 96, (3, 1, 2))
        curve = quadratic_bezier(start, control, end)
        points = [tuple(point) for point in curve]
        pen.line(points, fill=255, width=width, joint="curve")
    return np.asarray(canvas.resize((28, 28), Image.Resampling.BOX))


def _draw_texture(rng: np.random.Generator) -> np.ndarray:
    """Draws stripes, checks or waves of random direction, contrast and sharpness."""
    coordinates = np.arange(28) - 13.5
    angle = rng.uniform(0, np.pi)
    periods = rng.uniform(3, 24, 2)
    phases = rng.uniform(0, 2 * np.pi, 2)
    sin = coordinates * np.sin(angle)
    cos = coordinates * np.cos(angle)
    along = np.add.outer(sin, cos)
    across = np.add.outer(cos, -sin)
    waves_along = 2 * np.pi * along / periods[0]
    wave = np.sin(waves_along + phases[0])
    if rng.random() < 0.5:
        waves_across = 2 * np.pi * across / periods[1]
        wave = wave * np.sin(waves_across + phases[1])
    dark, bright = np.sort(rng.uniform(0, 255, 2))
    steepness = rng.choice([1, 3, 20])
    steep_wave = wave * steepness / 2 + 0.5
    pattern = np.clip(steep_wave, 0, 1)
    gray_levels = dark + (bright - dark) * pattern
    return gray_levels.astype(np.uint8)


def _draw_noise(rng: np.random.Generator) -> np.ndarray:
    """Draws fine or smooth, dense or sparse noise, or a nearly blank image."""
    white_noise = rng.standard_normal((28, 28))
    sigma = rng.choice([0, 0, 0.7, 1.5, 3])
    noise = ndimage.gaussian_filter(white_noise, sigma)
    contrast = rng.choice([2, 30, 80, 200])
    mean = rng.uniform(-150, 255)
    gray_levels = noise / noise.std() * contrast + mean
    return np.clip(gray_levels, 0, 255).astype(np.uint8)


def _draw_letter(rng: np.random.Generator) -> np.ndarray:
    fonts = list_fonts()
    font = fonts[rng.integers(len(fonts))]
    return render_letter(font, _LETTERS[rng.integers(len(_LETTERS))])


@cache
def list_fonts() -> list[Path]:
    """Lists the upright and slanted text fonts that are installed with matplotlib."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts: set[Path] = set()
    for pattern in _FONT_PATTERNS:
        fonts.update(folder.glob(pattern))
    return sorted(font for font in fonts if "Display" not in font.name)


@cache
def render_letter(font: Path, letter: str) -> np.ndarray:
    """Renders a printed letter, scaled and centered like MNIST's digits.

    Returns:
      `uint8 (28, 28)`.
    """
    canvas = Image.new("L", (160, 160))
    pen = ImageDraw.Draw(canvas)
    pen.text((40, 20), letter, fill=255, font=ImageFont.truetype(font, 80))
    ink = canvas.crop(canvas.getbbox())
    ink.thumbnail((20, 20), Image.Resampling.BOX)
    image = np.zeros((28, 28))
    image[4 : 4 + ink.height, 4 : 4 + ink.width] = np.asarray(ink)
    center = np.array(ndimage.center_of_mass(image))
    shift = np.round(13.5 - center).astype(int)
    return np.roll(image, shift, (0, 1)).astype(np.uint8)
