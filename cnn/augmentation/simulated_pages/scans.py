"""The kinds of simulated pages that no camera took: scanned, or cut out by somebody, 16 to 170 pixels high.

Each is a function of a generator and a character `(28, 28)` in [0, 1].
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.rendering import (
    DIGIT_HEIGHT,
    composite,
    render_ink,
    render_strokes,
    value_noise,
)


def stretched(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """As extracted by others: thresholded, cut along the ink, stretched to 28×28, black on white."""
    alpha, _ = render_ink(rng, digit, str(rng.choice(["pen", "marker", "brush"])))
    return 255 - np.rint(255 * cut_to(alpha, 28, 28, int(rng.integers(0, 3)))).astype(
        np.uint8
    )


def cut_to(alpha: np.ndarray, height: int, width: int, margin: int) -> np.ndarray:
    """Cuts along the ink and scales what is left to a size, with a margin."""
    mask = alpha > 0.3
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    cut = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = cv2.resize(
        cut, (width - 2 * margin, height - 2 * margin), interpolation=cv2.INTER_AREA
    )
    return np.clip(np.pad(small, margin), 0, 1)


def postal(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """16×16 in greys, as high as the frame, narrower digits widened somewhat."""
    alpha = render_strokes(digit, rng.uniform(0.1, 0.17))
    mask = alpha > 0.3
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    ratio = len(columns) / len(rows)
    width = int(np.clip(np.rint(16 * ratio**0.8), 2, 16))
    small = cut_to(alpha, 16, width, 0)
    frame = np.zeros((16, 16), np.float32)
    left = (16 - width) // 2
    frame[:, left : left + width] = small
    return np.rint(255 * cv2.GaussianBlur(frame, (0, 0), 0.5)).astype(np.uint8)


def form(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """32×32 of two levels, cut to the ink."""
    alpha = render_strokes(digit, rng.uniform(0.07, 0.16))
    rows, columns = (np.flatnonzero((alpha > 0.3).any(axis=axis)) for axis in (1, 0))
    width = int(np.clip(np.rint(32 * len(columns) / len(rows)), 4, 32))
    frame = np.zeros((32, 32), np.float32)
    left = (32 - width) // 2
    frame[:, left : left + width] = cut_to(alpha, 32, width, 0)
    return (255 * (frame > 0.5)).astype(np.uint8)


def binary_16(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """16×16 of two levels, stretched to the frame."""
    alpha = render_strokes(digit, rng.uniform(0.05, 0.15))
    return (255 * (cut_to(alpha, 16, 16, 0) > 0.4)).astype(np.uint8)


def historic(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """28×28, slanted, pen of changing width, on old paper."""
    alpha = render_strokes(digit, rng.choice([0, 0.08]))
    slant = rng.uniform(0.15, 0.6)
    height, width = alpha.shape
    extra = int(slant * height)
    matrix = np.array([[1, -slant, extra], [0, 1, 0]], np.float32)
    alpha = cv2.warpAffine(alpha, matrix, (width + extra, height))
    side = int(max(alpha.shape) * rng.uniform(1.0, 1.4))
    cover = np.zeros((side, side), np.float32)
    composite(cover, alpha, (side - np.array(alpha.shape)) // 2)
    sheet = rng.uniform(0.55, 0.9) * (1 + 0.05 * value_noise(rng, cover.shape, 6))
    grey = sheet * (1 - cover * rng.uniform(0.5, 0.9))
    small = cv2.resize(grey.astype(np.float32), (28, 28), interpolation=cv2.INTER_AREA)
    return np.clip(
        np.rint(255 * (small + 0.015 * rng.standard_normal((28, 28)))), 0, 255
    ).astype(np.uint8)


def register(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A tiny digit in a tall cell with rules, a black strip and a full stop."""
    alpha, _ = render_ink(rng, digit, "pen")
    small_height = int(rng.integers(17, 24))
    scale = small_height / DIGIT_HEIGHT
    small = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = int(rng.integers(90, 170)), int(rng.integers(40, 70))
    cover = np.zeros((height, width), np.float32)
    for x in (rng.integers(1, 6), width - rng.integers(2, 7)):
        cover[:, x] = rng.uniform(0.4, 0.9)
    for y in range(int(rng.integers(8, 30)), height, int(rng.integers(28, 50))):
        cover[y] = np.maximum(cover[y], rng.uniform(0.3, 0.8))
    corner = np.array(
        [
            rng.integers(8, height - small.shape[0] - 8),
            rng.integers(7, max(8, width - small.shape[1] - 12)),
        ]
    )
    composite(cover, small, corner)
    stop = corner + [small.shape[0] - 6, small.shape[1]]
    composite(cover, np.full((2, 2), 0.9, np.float32), stop)
    sheet = rng.uniform(0.6, 0.85) * (1 + 0.03 * value_noise(rng, cover.shape, 10))
    grey = sheet * (1 - 0.85 * cover)
    strip = int(rng.integers(3, 9))
    if rng.uniform() < 0.5:
        grey[:, :strip] = 0.03
    else:
        grey[-strip:] = 0.03
    grey = cv2.GaussianBlur(
        grey.astype(np.float32), (0, 0), 0.5
    ) + 0.02 * rng.standard_normal(grey.shape)
    return np.clip(np.rint(255 * grey), 0, 255).astype(np.uint8)
