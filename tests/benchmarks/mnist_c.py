"""The 15 corruptions of MNIST-C, for `uint8 (N, 28, 28)` images.

They have the names and the usual severities of MNIST-C (Mu & Gilmer, 2019,
arXiv:1906.02337), and are written from its descriptions, without its code. They share no
code with `cnn.augmentation`, on purpose: see `tests.benchmarks.corruptions`.
"""

import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

SIZE = 28
CENTER = (SIZE - 1) / 2
# Lines are drawn at this multiple of the size and averaged, to be smooth.
DETAIL = 4


def _floats(images: np.ndarray) -> np.ndarray:
    """Converts integers in [0, 255] to floats in [0, 1]."""
    return images.astype(np.float32) / 255


def to_bytes(x: np.ndarray) -> np.ndarray:
    """Clips floats to [0, 1], and converts them to integers in [0, 255]."""
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


def _blur(x: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs each image on its own with a Gaussian; `sigma` in pixels."""
    return ndimage.gaussian_filter(x, (0, sigma, sigma))


def _signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Samples -1 or 1."""
    return rng.choice([-1, 1], size=shape)


def _about(rng: np.random.Generator, value: float, count: int) -> np.ndarray:
    """Samples values within 10 % of the usual severity `value`."""
    return value * rng.uniform(0.9, 1.1, count)


# Noise and light


def shot_noise(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Counts photons: a Poisson distribution with a mean of 3 to 5 for white."""
    photons = rng.uniform(3, 5, (len(images), 1, 1))
    return to_bytes(rng.poisson(_floats(images) * photons) / photons)


def impulse_noise(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Sets 27 % of the pixels to black or white."""
    hit = rng.random(images.shape) < 0.27
    return np.where(hit, rng.choice(np.uint8([0, 255]), images.shape), images)


def brightness(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Adds 0.5 to all pixels. Deterministic."""
    return to_bytes(_floats(images) + 0.5)


def stripe(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Inverts the 7 columns at the left and the 7 at the right. Deterministic.

    MNIST-C describes "a stripe": here it is the middle half, between inverted strips.
    """
    result = images.copy()
    for strip in (np.s_[:, :, :7], np.s_[:, :, -7:]):
        result[strip] = 255 - result[strip]
    return result


def _plasma(rng: np.random.Generator, count: int) -> np.ndarray:
    """Samples plasma noise in [0, 1]: five octaves, each half as strong as the last."""
    total = np.zeros((count, SIZE, SIZE), np.float32)
    for octave in range(5):
        knots = 2**octave + 1
        coarse = rng.random((count, knots, knots), dtype=np.float32)
        total += (
            ndimage.zoom(coarse, (1, SIZE / knots, SIZE / knots), order=1) / 2**octave
        )
    total -= total.min((1, 2), keepdims=True)
    return total / total.max((1, 2), keepdims=True)


def fog(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Adds plasma noise with a maximum of 2, and scales back to the image's maximum."""
    x = _floats(images)
    top = x.max((1, 2), keepdims=True)
    return to_bytes((x + 2 * _plasma(rng, len(x))) * top / (top + 2))


def spatter(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Covers the image with drops: thresholded blurred noise with soft edges."""
    liquid = _blur(rng.standard_normal(images.shape, dtype=np.float32), 1.3)
    liquid /= liquid.std((1, 2), keepdims=True)
    cover = np.clip((liquid - 1.0) / 0.5, 0, 1)
    color = rng.uniform(0.5, 0.9, (len(images), 1, 1))
    x = _floats(images)
    return to_bytes(x + cover * np.maximum(color - x, 0))


# Blur


def _swap_neighbors(rng: np.random.Generator, x: np.ndarray) -> None:
    """Swaps each pixel with a neighbor, in place."""
    every = np.arange(len(x))
    # A pixel moves once at most. Else it could travel along a row: thin strokes dissolve.
    moved = np.zeros(x.shape, bool)
    for row, column in np.ndindex(SIZE - 2, SIZE - 2):
        here = every, row + 1, column + 1
        down, right = rng.integers(-1, 2, (2, len(x)))
        there = every, here[1] + down, here[2] + right
        swap = ~(moved[here] | moved[there])
        x[here], x[there] = np.where(swap, (x[there], x[here]), (x[here], x[there]))
        moved[here] |= swap
        moved[there] |= swap


def glass_blur(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Blurs, swaps neighboring pixels twice, and blurs again."""
    x = _blur(_floats(images), 0.7)
    for _ in range(2):
        _swap_neighbors(rng, x)
    return to_bytes(_blur(x, 0.7))


def _trail(angle: float, radius: int = 10, sigma: float = 3.0) -> np.ndarray:
    """Makes a one-sided Gaussian kernel along a line, as ImageMagick's motion blur."""
    kernel = np.zeros((2 * radius + 3, 2 * radius + 3), np.float32)
    steps = np.arange(radius + 1)
    places = radius + 1 + np.stack([steps * np.sin(angle), steps * np.cos(angle)])
    low = np.floor(places).astype(int)
    part = places - low
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    for down, right in np.ndindex(2, 2):
        share = np.abs(1 - down - part[0]) * np.abs(1 - right - part[1])
        np.add.at(kernel, (low[0] + down, low[1] + right), weights * share)
    return kernel / kernel.sum()


def motion_blur(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Blurs along a line within 45 degrees of the horizontal."""
    kernels = [_trail(angle) for angle in np.deg2rad(rng.uniform(-45, 45, len(images)))]
    pairs = zip(_floats(images), kernels, strict=True)
    return to_bytes(
        np.stack([ndimage.convolve(x, kernel, mode="nearest") for x, kernel in pairs])
    )


# Geometry


def _affine(images: np.ndarray, matrices: list) -> np.ndarray:
    """Resamples about the center. A matrix maps an output offset to an input offset."""
    result = np.empty(images.shape, np.float32)
    for i, matrix in enumerate(np.asarray(matrices)):
        offset = CENTER - matrix @ [CENTER, CENTER]
        ndimage.affine_transform(
            _floats(images[i]), matrix, offset, output=result[i], order=1
        )
    return to_bytes(result)


def shear(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Shears by a factor of 0.4 to the left or the right."""
    slants = _about(rng, 0.4, len(images)) * _signs(rng, len(images))
    return _affine(images, [[[1, 0], [slant, 1]] for slant in slants])


def scale(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Shrinks to 0.7 of the size about the center."""
    return _affine(images, [np.eye(2) / size for size in _about(rng, 0.7, len(images))])


def rotate(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Rotates by 0.4 rad (23 degrees) in either direction."""
    angles = _about(rng, 0.4, len(images)) * _signs(rng, len(images))
    return _affine(
        images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles]
    )


def translate(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Translates by 3 pixels along each axis."""
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)))
    corners = 3 + 3 * _signs(rng, len(images), 2)
    return np.stack(
        [
            p[y : y + SIZE, x : x + SIZE]
            for p, (y, x) in zip(padded, corners, strict=True)
        ]
    )


# Lines


def _sample_ends(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Samples points on two opposite sides of the image, in pixels."""
    near = np.array([0, rng.uniform(3, SIZE - 3)])
    far = np.array([SIZE, rng.uniform(3, SIZE - 3)])
    return (near, far) if rng.random() < 0.5 else (near[::-1], far[::-1])


def _draw_over(
    images: np.ndarray, draw: Callable[[ImageDraw.ImageDraw], None]
) -> np.ndarray:
    """Draws in white over each image, on a canvas of `DETAIL` times its size."""
    result = np.empty_like(images)
    for i, image in enumerate(images):
        sheet = Image.new("L", (SIZE * DETAIL, SIZE * DETAIL))
        draw(ImageDraw.Draw(sheet))
        result[i] = np.maximum(image, np.asarray(sheet.reduce(DETAIL)))
    return result


def dotted_line(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Draws a straight dotted line from edge to edge."""

    def draw(sheet: ImageDraw.ImageDraw) -> None:
        start, end = _sample_ends(rng)
        steps = int(np.hypot(*(end - start)) / 2.5)
        for part in (np.arange(steps) + rng.random()) / steps:
            sheet.circle(
                tuple(DETAIL * (start + part * (end - start))), 0.75 * DETAIL, fill=255
            )

    return _draw_over(images, draw)


def zigzag(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Draws a zigzag line from edge to edge: 4 pixels high, a period of 5 pixels."""

    def draw(sheet: ImageDraw.ImageDraw) -> None:
        start, end = _sample_ends(rng)
        along = (end - start) / np.hypot(*(end - start))
        across = 2 * np.array([-along[1], along[0]]) * _signs(rng)
        # It starts and ends outside the image, so that no loose end is visible.
        steps = np.arange(-2, int(np.hypot(*(end - start)) / 2.5) + 3)
        corners = [
            start + 2.5 * step * along + (-1) ** step * across
            for step in steps.tolist()
        ]
        sheet.line(
            [tuple(DETAIL * corner) for corner in corners], fill=255, width=DETAIL
        )

    return _draw_over(images, draw)


def _sobel(x: np.ndarray, along: int, across: int) -> np.ndarray:
    """Applies the Sobel filter. SciPy's would smooth from image to image, too."""
    return ndimage.correlate1d(
        ndimage.correlate1d(x, [-1, 0, 1], along), [1, 2, 1], across
    )


def _suppress_non_maxima(
    size: np.ndarray, down: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Marks pixels whose gradient is at a maximum along its own direction."""
    length = np.maximum(size, 1e-6)
    places = np.indices(size.shape, np.float32)
    uphill = np.stack([np.zeros_like(size), down / length, right / length])
    ahead, behind = (
        ndimage.map_coordinates(size, places + uphill * way, order=1) for way in (1, -1)
    )
    # One of two equal neighbors stays, so that an edge is one pixel wide.
    return (size >= ahead) & (size > behind)


def canny_edges(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Detects edges (Canny, 1986): 255 on 0. Deterministic."""
    x = _blur(_floats(images), 1.0)
    down = _sobel(x, 1, 2)
    right = _sobel(x, 2, 1)
    size = np.hypot(down, right)
    weak = _suppress_non_maxima(size, down, right) & (size > 0.2)
    neighbors = np.zeros((3, 3, 3), bool)
    neighbors[1] = True
    # Hysteresis: a weak edge stays if it is connected to a strong one.
    pieces, count = ndimage.label(weak, neighbors)
    strong = np.zeros(count + 1, bool)
    strong[pieces[weak & (size > 0.4)]] = True
    return np.where(strong[pieces] & weak, 255, 0).astype(np.uint8)


Corruption = Callable[[np.random.Generator, np.ndarray], np.ndarray]

CORRUPTIONS: dict[str, Corruption] = {
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted_line": dotted_line,
    "zigzag": zigzag,
    "canny_edges": canny_edges,
}


def make_generator(seed: int, name: str) -> np.random.Generator:
    """Makes a random generator for a seed and a name."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def corrupt_all(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Applies each of the 15 corruptions to `uint8 (N, 28, 28)`."""
    return {
        name: corrupt(make_generator(seed, name), images)
        for name, corrupt in CORRUPTIONS.items()
    }
