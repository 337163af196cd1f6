"""Outlier exposure: images of no class, from which a network learns to be unsure.

The method is by Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019.
The outliers are joined halves of two characters, scribbles, textures, noise and printed
characters of no class. The benchmarks draw their own outliers, independently of this
module.
"""

import importlib.util
import string
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from cnn.augmentation.bezier import quadratic_bezier
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.network_input import PREPROCESSING

# Letters whose printed form cannot be told from a digit.
_DIGIT_LIKE_LETTERS = "OoIl"
_LETTERS = sorted(set(string.ascii_letters) - set(_DIGIT_LIKE_LETTERS))
# Digits and symbols that nobody writes like a letter. Those left out are 0 (O), 1 (l),
# 2 (Z), 5 (S), 6 (b), 8 (B), 9 (g), $ (S), + (t), * (x) and ! (i).
_DIGITS = "347"
_SYMBOLS = "#%&=?@"

_MNIST_PLACEMENT = Placement(box=20, by_center_of_mass=True)

_FONT_PATTERNS = (
    "DejaVuSans*.ttf",
    "DejaVuSerif*.ttf",
    "STIXGeneral*.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
)

# Draws one outlier, `uint8 (28, 28)`.
_Draw = Callable[[np.random.Generator], np.ndarray]


def printed_outliers(class_names: Sequence[str]) -> list[str]:
    """Lists the characters whose printed forms are outliers beside classes.

    Args:
      class_names: the classes. If these are words, it is not known which characters
        are of none of them, and the list is empty.

    Example:
      >>> "".join(printed_outliers("ABC")), "".join(printed_outliers("ABC123"))
      ('#%&347=?@', '#%&=?@')
    """
    if all(name.isdigit() for name in class_names):
        return _LETTERS
    if any(len(name) > 1 for name in class_names):
        return []
    has_digits = any(name.isdigit() for name in class_names)
    characters = set(_SYMBOLS if has_digits else _SYMBOLS + _DIGITS)
    return sorted(characters - set(class_names))


def make_outliers(
    seed: int,
    images: np.ndarray,
    targets: np.ndarray,
    count: int,
    printed: list[str],
    preprocessing: str = "mnist",
) -> tuple[np.ndarray, np.ndarray]:
    """Makes images of no class and their target probabilities.

    Args:
      seed: seed of the random generator.
      images: `uint8 (N, 28, 28, 1)`, characters to be cut in halves.
      targets: `float32 (N, num_classes)`, class probabilities of `images`.
      count: number of outliers. Two fifths of them are joined halves.
      printed: characters of no class. Half of the drawn outliers are these in print.
      preprocessing: a key of `PREPROCESSING`, by which print is scaled and centered.
        Print for images that are only resized is like MNIST's digits.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and targets, `float32 (count, num_classes)`.
      The target of joined halves is the mean of both targets, and uniform otherwise.
    """
    rng = np.random.default_rng([seed, 1])
    num_joined = count * 2 // 5
    num_drawn = count - num_joined
    gray_images = images[..., 0]
    joined, joined_targets = join_halves(rng, gray_images, targets, num_joined)
    placement = PREPROCESSING[preprocessing] or _MNIST_PLACEMENT
    draw_print = partial(_draw_print, characters=printed, placement=placement)
    draw_functions = [_draw_scribble, _draw_texture, _draw_noise]
    if printed:
        draw_functions += [draw_print] * len(draw_functions)
    drawn = _draw_outliers(rng, num_drawn, draw_functions)
    num_classes = targets.shape[1]
    uniform_targets = np.full(
        (num_drawn, num_classes),
        fill_value=1 / num_classes,
        dtype=np.float32,
    )
    outliers = np.concatenate([joined, drawn])
    outlier_targets = np.concatenate([joined_targets, uniform_targets])
    return outliers[..., None], outlier_targets


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
    num_images = len(images)
    first, second = rng.integers(0, num_images, (2, count))
    border = rng.integers(12, 17, (count, 1, 1))
    column = np.arange(28)
    column = np.broadcast_to(column, (count, 28, 28))
    is_left = column < border
    is_upper = is_left.swapaxes(1, 2)
    coin = rng.random((count, 1, 1))
    is_side_by_side = coin < 0.5
    is_first = np.where(is_side_by_side, is_left, is_upper)
    first_images = images[first]
    second_images = images[second]
    joined = np.where(is_first, first_images, second_images)
    target_sums = targets[first] + targets[second]
    return joined, target_sums / 2


def _draw_outliers(
    rng: np.random.Generator, count: int, draw_functions: Sequence[_Draw]
) -> np.ndarray:
    """Draws the kinds of outliers in turn, `uint8 (count, 28, 28)`."""
    images = np.zeros((count, 28, 28), np.uint8)
    for i in range(count):
        draw = draw_functions[i % len(draw_functions)]
        images[i] = draw(rng)
    return images


def _draw_scribble(rng: np.random.Generator) -> np.ndarray:
    """Draws three to six random curves."""
    canvas = Image.new("L", (112, 112))
    pen = ImageDraw.Draw(canvas)
    width = rng.integers(6, 13)
    num_curves = rng.integers(3, 7)
    for _ in range(num_curves):
        start, control, end = rng.uniform(16, 96, (3, 1, 2))
        curve = quadratic_bezier(start, control, end)
        pen.line(
            [tuple(point) for point in curve],
            fill=255,
            width=int(width),
            joint="curve",
        )
    image = canvas.resize((28, 28), Image.Resampling.BOX)
    return np.asarray(image)


def _draw_texture(rng: np.random.Generator) -> np.ndarray:
    """Draws stripes, checks or waves of random direction, contrast and sharpness."""
    angle = rng.uniform(0, np.pi)
    period, cross_period = rng.uniform(3, 24, 2)
    phase, cross_phase = rng.uniform(0, 2 * np.pi, 2)
    coordinates = np.arange(28) - 13.5
    sin = coordinates * np.sin(angle)
    cos = coordinates * np.cos(angle)
    along = np.add.outer(sin, cos)
    wave = _sine_wave(along, period, phase)
    has_checks = rng.random() < 0.5
    if has_checks:
        across = np.add.outer(cos, -sin)
        cross_wave = _sine_wave(across, cross_period, cross_phase)
        wave = wave * cross_wave
    gray_range = rng.uniform(0, 255, 2)
    dark, bright = np.sort(gray_range)
    steepness = rng.choice([1, 3, 20])
    steep_wave = wave * steepness / 2
    pattern = np.clip(steep_wave + 0.5, 0, 1)
    gray_levels = dark + (bright - dark) * pattern
    return gray_levels.astype(np.uint8)


def _sine_wave(distance: np.ndarray, period: float, phase: float) -> np.ndarray:
    angle = 2 * np.pi * distance / period
    shifted_angle = angle + phase
    return np.sin(shifted_angle)


def _draw_noise(rng: np.random.Generator) -> np.ndarray:
    """Draws fine or smooth, dense or sparse noise, or a nearly blank image."""
    white_noise = rng.standard_normal((28, 28))
    sigma = rng.choice([0, 0, 0.7, 1.5, 3])
    noise = ndimage.gaussian_filter(white_noise, sigma)
    contrast = rng.choice([2, 30, 80, 200])
    mean = rng.uniform(-150, 255)
    normalized = noise / noise.std()
    gray_levels = normalized * contrast + mean
    gray_levels = np.clip(gray_levels, 0, 255)
    return gray_levels.astype(np.uint8)


def _draw_print(
    rng: np.random.Generator, characters: list[str], placement: Placement
) -> np.ndarray:
    fonts = list_fonts()
    font_index = rng.integers(len(fonts))
    character_index = rng.integers(len(characters))
    font = fonts[font_index]
    character = characters[character_index]
    return render_print(font, character, placement)


@cache
def list_fonts() -> list[Path]:
    """Lists the upright and slanted text fonts that are installed with matplotlib."""
    # Not imported: that reads settings and may make a folder.
    package = importlib.util.find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    font_folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"
    fonts: set[Path] = set()
    for pattern in _FONT_PATTERNS:
        matches = font_folder.glob(pattern)
        fonts.update(matches)
    # The fonts named "Display" contain mathematical symbols instead of letters.
    return sorted(font for font in fonts if "Display" not in font.name)


@cache
def render_print(font: Path, character: str, placement: Placement) -> np.ndarray:
    """Renders a printed character, scaled and centered like those of a data set.

    Returns:
      `uint8 (28, 28)`.
    """
    canvas = Image.new("L", (160, 160))
    pen = ImageDraw.Draw(canvas)
    pen.text(
        (40, 20),
        character,
        fill=255,
        font=ImageFont.truetype(font, size=80),
    )
    bounding_box = canvas.getbbox()
    ink = canvas.crop(bounding_box)
    ink.thumbnail((placement.box, placement.box), Image.Resampling.BOX)
    top = (28 - ink.height) // 2
    left = (28 - ink.width) // 2
    image = np.zeros((28, 28))
    image[top : top + ink.height, left : left + ink.width] = np.asarray(ink)
    if placement.by_center_of_mass:
        center = ndimage.center_of_mass(image)
        shift = np.round(13.5 - np.array(center))
        image = np.roll(image, shift.astype(int), axis=(0, 1))
    return image.astype(np.uint8)
