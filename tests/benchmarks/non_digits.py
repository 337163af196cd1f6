"""Images of five kinds that are no digits, `uint8 (N, 28, 28)`.

They share no code with `cnn.augmentation` and `cnn.preprocessing`, on purpose: see
`tests.benchmarks.corruptions`. So scaling and centering, letters and noise stand here
once more.
"""

import functools
import string
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from tests.benchmarks.mnist_c import CENTER, SIZE, make_generator, to_bytes

# Letters that some people write like a digit are left out: 0 DOQaou, 1 IJijl, 2 Zz, 4 Yy,
# 5 Ss, 6 Gb, 8 B, 9 gq.
LETTERS = "".join(sorted(set(string.ascii_letters) - set("DOQaouIJijlZzYySsGbBgq")))
FONTS = (
    *(
        f"DejaVuSans{style}.ttf"
        for style in ("", "-Bold", "-Oblique", "Mono", "Mono-Bold", "Mono-Oblique")
    ),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")),
    *(f"{name}.ttf" for name in ("cmr10", "cmb10", "cmss10", "cmtt10", "cmti10")),
)


def _mix(
    rng: np.random.Generator, count: int, makers: list[Callable[[], np.ndarray]]
) -> np.ndarray:
    """Makes each image, in [0, 1], by one of the makers at random."""
    return to_bytes(
        np.stack([makers[rng.integers(len(makers))]() for _ in range(count)])
    )


def _blank(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes uniform gray images, a quarter of them black, half with faint noise."""
    gray = rng.random((count, 1, 1)) * (rng.random((count, 1, 1)) < 0.75)
    noise = rng.standard_normal((count, SIZE, SIZE)) * 0.01
    return to_bytes(gray + noise * (rng.random((count, 1, 1)) < 0.5))


def _noise(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes uniform, Gaussian, salt-and-pepper and smooth noise."""
    shape = SIZE, SIZE

    def smooth() -> np.ndarray:
        noise = ndimage.gaussian_filter(rng.standard_normal(shape), rng.uniform(0.7, 3))
        return (noise - noise.min()) / np.ptp(noise)

    def gaussian() -> np.ndarray:
        return rng.uniform(0, 0.7) + rng.uniform(0.1, 0.5) * rng.standard_normal(shape)

    def salt_and_pepper() -> np.ndarray:
        return (rng.random(shape) < rng.uniform(0.05, 0.5)).astype(float)

    return _mix(
        rng, count, [lambda: rng.random(shape), gaussian, salt_and_pepper, smooth]
    )


def _texture(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes checkers, stripes, gratings, gradients and crosshatch."""
    y, x = np.mgrid[:SIZE, :SIZE] - CENTER

    def wave(angle: float, period: float) -> np.ndarray:
        along = x * np.cos(angle) + y * np.sin(angle)
        return np.sin(2 * np.pi * (along / period + rng.random()))

    def any_wave() -> np.ndarray:
        return wave(rng.uniform(0, np.pi), rng.uniform(3, 10))

    def checkers() -> np.ndarray:
        angle = rng.uniform(0, np.pi / 2)
        period = rng.uniform(4, 12)
        return (wave(angle, period) * wave(angle + np.pi / 2, period) > 0).astype(float)

    def gradient() -> np.ndarray:
        angle = rng.uniform(0, 2 * np.pi)
        ramp = x * np.cos(angle) + y * np.sin(angle)
        return rng.uniform(0.3, 1) * (ramp - ramp.min()) / np.ptp(ramp)

    def crosshatch() -> np.ndarray:
        angle = rng.uniform(0, np.pi)
        period = rng.uniform(4, 9)
        crossing = angle + rng.uniform(np.pi / 4, np.pi / 2)
        return np.clip(
            np.maximum(wave(angle, period), wave(crossing, period)) * 4 - 2.5, 0, 1
        )

    def stripes() -> np.ndarray:
        return (any_wave() > rng.uniform(-0.5, 0.5)).astype(float)

    def grating() -> np.ndarray:
        return 0.5 + rng.uniform(0.15, 0.5) * any_wave()

    return _mix(rng, count, [checkers, stripes, grating, gradient, crosshatch])


@functools.cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    """Opens a font that ships with matplotlib."""
    return ImageFont.truetype(
        Path(matplotlib.get_data_path(), "fonts", "ttf", name), 64
    )


def _scale_and_center(sheet: Image.Image) -> np.ndarray:
    """Scales to 20×20 pixels and centers the center of mass in 28×28, as MNIST."""
    ink = sheet.crop(sheet.getbbox())
    shrink = 20 / max(ink.size)
    small = ink.resize(
        [max(1, round(side * shrink)) for side in ink.size], Image.Resampling.BOX
    )
    middle = np.rint(
        SIZE / 2 - np.array(ndimage.center_of_mass(np.asarray(small)))
    ).astype(int)
    top, left = np.clip(middle, 0, SIZE - np.array(small.size[::-1]))
    image = Image.new("L", (SIZE, SIZE))
    image.paste(small, (int(left), int(top)))
    return np.asarray(image)


def _letter(rng: np.random.Generator) -> np.ndarray:
    """Draws a random letter in a random font, rotated by up to 10 degrees."""
    sheet = Image.new("L", (128, 128))
    letter = rng.choice(list(LETTERS))
    font = FONTS[rng.integers(len(FONTS))]
    ImageDraw.Draw(sheet).text(
        (64, 64), str(letter), fill=255, font=_font(font), anchor="mm"
    )
    return _scale_and_center(
        sheet.rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC)
    )


def _letters(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws letters that do not look like digits."""
    return np.stack([_letter(rng) for _ in range(count)])


def _halves(
    rng: np.random.Generator, count: int, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Joins halves of two digits of different classes, side by side or stacked."""
    first = rng.integers(len(images), size=count)
    second = np.array(
        [rng.choice(np.flatnonzero(labels != labels[i])) for i in first], int
    )
    upright = rng.random((count, 1, 1)) < 0.5
    side = np.arange(SIZE) < SIZE // 2
    return np.where(
        np.where(upright, side, side[:, None]), images[first], images[second]
    )


def make_non_digits(
    images: np.ndarray, labels: np.ndarray, seed: int, count: int
) -> dict[str, np.ndarray]:
    """Makes `count` images of each kind that is no digit.

    The kind `halves` joins halves of the given digits. Some look like a digit, such as a
    7 above a 1, so no model reaches an AUROC of 1.
    """
    makers = {
        "blank": _blank,
        "noise": _noise,
        "texture": _texture,
        "letters": _letters,
    }
    made = {
        name: make(make_generator(seed, name), count) for name, make in makers.items()
    }
    return made | {
        "halves": _halves(make_generator(seed, "halves"), count, images, labels)
    }
