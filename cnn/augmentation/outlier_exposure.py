"""Pictures of no class, from which a network learns to be unsure (Hendrycks et al., "Deep Anomaly
Detection with Outlier Exposure", 2019): letters, halves of two characters, scribbles, textures, noise.
"""

import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

# Printed, nobody can tell them from digits.
_LIKE_DIGITS = "OoIl"
_FONTS = (
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
    """Draws pictures of no class, and what a network should say of them.

    Args:
      seed: decides which.
      images: `uint8 (N, 28, 28, 1)` characters, to be cut in halves.
      targets: `float32 (N, num_classes)`, their classes, a probability for each.
      count: how many pictures.
      letters: whether letters are among them; not where they are the classes.

    Returns:
      `uint8 (count, 28, 28, 1)`, and `float32 (count, num_classes)`: both classes of two halves, all
      classes alike of the others.
    """
    rng = np.random.default_rng([seed, 1])
    halves, answers = _join_halves(rng, images[..., 0], targets, count * 2 // 5)
    kinds: list[Callable] = [_draw_scribble, _draw_texture, _draw_noise] + [
        _draw_letter
    ] * (3 if letters else 0)
    others = [kinds[i % len(kinds)](rng) for i in range(count - len(halves))]
    pictures = np.concatenate([halves, np.array(others, np.uint8).reshape(-1, 28, 28)])
    alike = np.full((len(others), targets.shape[1]), 1 / targets.shape[1], np.float32)
    return pictures[..., None], np.concatenate([answers, alike])


def _join_halves(
    rng: np.random.Generator, images: np.ndarray, targets: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Joins the left half of one character and the right half of another; or upper and lower halves."""
    one, other = rng.integers(0, len(images), (2, count))
    edge = rng.integers(12, 17, (count, 1, 1))
    taken = np.broadcast_to(np.arange(28), (count, 28, 28)) < edge
    taken = np.where(rng.random((count, 1, 1)) < 0.5, taken, taken.swapaxes(1, 2))
    return np.where(taken, images[one], images[other]), (
        targets[one] + targets[other]
    ) / 2


def _draw_letter(rng: np.random.Generator) -> np.ndarray:
    letters = sorted(set(string.ascii_letters) - set(_LIKE_DIGITS))
    fonts = _list_fonts()
    return _render_letter(
        fonts[rng.integers(len(fonts))], letters[rng.integers(len(letters))]
    )


@cache
def _list_fonts() -> list[Path]:
    """Lists the text fonts that come with matplotlib, upright and slanted."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(
        path
        for pattern in _FONTS
        for path in folder.glob(pattern)
        if "Display" not in path.name
    )


@cache
def _render_letter(font: Path, letter: str) -> np.ndarray:
    canvas = Image.new("L", (160, 160))
    ImageDraw.Draw(canvas).text(
        (40, 20), letter, fill=255, font=ImageFont.truetype(font, 80)
    )
    return _center_by_mass(canvas)


def _center_by_mass(canvas: Image.Image) -> np.ndarray:
    """Scales ink to fit 20×20 and centres it by mass in 28×28, as MNIST's makers did."""
    ink = canvas.crop(canvas.getbbox())
    ink.thumbnail((20, 20), Image.Resampling.BOX)
    picture = np.zeros((28, 28))
    picture[4 : 4 + ink.height, 4 : 4 + ink.width] = np.asarray(ink)
    shift = np.round(13.5 - np.array(ndimage.center_of_mass(picture))).astype(int)
    return np.roll(picture, shift, (0, 1)).astype(np.uint8)


def _draw_scribble(rng: np.random.Generator) -> np.ndarray:
    """Draws three to six curves at random."""
    canvas = Image.new("L", (112, 112))
    pen = ImageDraw.Draw(canvas)
    time = np.linspace(0, 1, 12)[:, None]
    width = int(rng.integers(6, 13))
    for _ in range(rng.integers(3, 7)):
        start, middle, end = rng.uniform(16, 96, (3, 1, 2))
        curve = (1 - time) ** 2 * start + 2 * time * (1 - time) * middle + time**2 * end
        pen.line(
            [tuple(point) for point in curve], fill=255, width=width, joint="curve"
        )
    return np.asarray(canvas.resize((28, 28), Image.Resampling.BOX))


def _draw_texture(rng: np.random.Generator) -> np.ndarray:
    """Draws stripes, checks or waves, of any direction, contrast and sharpness."""
    across = np.arange(28) - 13.5
    angle, period, phase = (
        rng.uniform(0, np.pi),
        rng.uniform(3, 24, 2),
        rng.uniform(0, 2 * np.pi, 2),
    )
    turned = np.add.outer(across * np.sin(angle), across * np.cos(angle))
    other = np.add.outer(across * np.cos(angle), -across * np.sin(angle))
    wave = np.sin(2 * np.pi * turned / period[0] + phase[0])
    if rng.random() < 0.5:
        wave = wave * np.sin(2 * np.pi * other / period[1] + phase[1])
    dark, bright = np.sort(rng.uniform(0, 255, 2))
    sharp = np.clip(wave * rng.choice([1, 3, 20]) / 2 + 0.5, 0, 1)
    return (dark + (bright - dark) * sharp).astype(np.uint8)


def _draw_noise(rng: np.random.Generator) -> np.ndarray:
    """Draws noise, fine or smooth, dense or sparse; or hardly any: a blank page."""
    noise = ndimage.gaussian_filter(
        rng.standard_normal((28, 28)), rng.choice([0, 0, 0.7, 1.5, 3])
    )
    noise = noise / noise.std() * rng.choice([2, 30, 80, 200]) + rng.uniform(-150, 255)
    return np.clip(noise, 0, 255).astype(np.uint8)
