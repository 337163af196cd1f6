"""Hands: what all digits of a number have in common, and how far they differ."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.strokes import render_strokes
from cnn.augmentation.simulated_strings.simulated_line import crop_to_ink
from cnn.augmentation.simulated_strings.strips import estimate_slant, shear_digit

# Height in pixels at which numbers are written, before they are reduced.
WRITING_HEIGHT = 96

# Width of a stroke that does not vary, as a fraction of the height. Narrower ones are
# not drawn at this height.
_STROKE_WIDTHS = (0.055, 0.14)
# Share of hands that keep the strokes of the digits.
_OWN_STROKES_SHARE = 0.4
# Width that stands for the digits' own strokes where a width is needed.
_OWN_STROKE_WIDTH = 0.11

# Digits that may reach below the line in old hands, and how far, as a fraction of their
# height: by a long tail, or as a whole.
_DESCENDING = "34579"
_TAILED = "79"
_TAILS = (0.2, 1.1)
_DESCENT = (0.05, 0.35)
# Digits that may be lower than others in old hands, and their height.
_SMALL = "012"
_SMALL_HEIGHTS = (0.55, 0.85)

# Height in pixels at which a digit is drawn whose strokes would break.
_LARGE_HEIGHT = 200

# Coverage from which a pixel belongs to a stroke, in [0, 1].
_INK = 0.5

# Angle of a broad nib, in degrees.
_NIB_ANGLE = 40


class Hand(NamedTuple):
    """How one person writes. Lengths are fractions of the height of a digit.

    Attributes:
      slant: to the right per unit upwards, the same for a whole number.
      slant_jitter: standard deviation from digit to digit.
      stretch: width of the digits, as a multiple of the width in MNIST.
      stroke: width of the strokes, or 0 to keep those of the digits.
      nib: length of a broad nib, which makes strokes in one direction thicker, or 0.
      size_jitter: standard deviation of the height.
      baseline_jitter: standard deviation of the height above the line.
      drift: rise of the baseline per unit to the right.
      gap: mean gap between the ink of neighbors, upright.
      gap_jitter: its standard deviation.
      descending: digits that reach below the line.
      small: digits that are lower than the others.
      joins: probability that neighbors are joined by a stroke.
    """

    slant: float
    slant_jitter: float
    stretch: float
    stroke: float
    nib: float
    size_jitter: float
    baseline_jitter: float
    drift: float
    gap: float
    gap_jitter: float
    descending: str
    small: str
    joins: float

    @property
    def pen_width(self) -> float:
        """Width of the strokes."""
        return (self.stroke or _OWN_STROKE_WIDTH) + self.nib / 2


def sample_hand(rng: np.random.Generator) -> Hand:
    """Samples a hand of today."""
    keeps_strokes = rng.random() < _OWN_STROKES_SHARE
    return Hand(
        slant=rng.uniform(-0.15, 0.4),
        slant_jitter=0.05,
        stretch=rng.uniform(0.75, 1.2),
        stroke=0.0 if keeps_strokes else rng.uniform(*_STROKE_WIDTHS),
        nib=0.0,
        size_jitter=rng.uniform(0.02, 0.08),
        baseline_jitter=rng.uniform(0, 0.05),
        drift=rng.uniform(-0.03, 0.03),
        gap=rng.choice([rng.uniform(-0.06, 0.1), rng.uniform(0.08, 0.35)]),
        gap_jitter=rng.uniform(0.02, 0.07),
        descending="",
        small="",
        joins=rng.choice([0, 0, 0.15]),
    )


def sample_old_hand(rng: np.random.Generator) -> Hand:
    """Samples a slanted hand with a broad nib, some of whose digits reach down."""
    share = rng.choice([0, 0.8])
    descending = [digit for digit in _DESCENDING if rng.random() < share]
    share = rng.choice([0, 0, 0.7])
    small = [digit for digit in _SMALL if rng.random() < share]
    return sample_hand(rng)._replace(
        slant=rng.uniform(0.0, 0.65),
        slant_jitter=0.08,
        stroke=rng.uniform(0.055, 0.1) if rng.random() < 0.7 else 0.0,
        nib=rng.choice([0, rng.uniform(0.03, 0.09)]),
        size_jitter=rng.uniform(0.05, 0.15),
        baseline_jitter=rng.uniform(0.02, 0.1),
        gap=rng.uniform(-0.05, 0.25),
        descending="".join(descending),
        small="".join(small),
        joins=rng.choice([0, 0.1, 0.4]),
    )


def draw_digit(
    rng: np.random.Generator, image: np.ndarray, hand: Hand, height: float
) -> np.ndarray:
    """Draws a digit upright, as a hand writes it.

    Args:
      rng: a random generator.
      image: `float32 (28, 28)` in [0, 1].
      hand: the hand. Its slant is left to the whole number.
      height: height of a digit of mean size, in pixels.

    Returns:
      `float32 (rows, columns)` in [0, 1], cropped to the ink.
    """
    slant = rng.normal(0, hand.slant_jitter) - estimate_slant(image)
    upright = shear_digit(image, slant, hand.stretch)
    size = float(np.clip(rng.normal(1, hand.size_jitter), 0.7, 1.3))
    rows = max(8, round(height * size))
    strokes = _draw_strokes(upright, hand.stroke, rows)
    return _fit_height(crop_to_ink(_widen_by_nib(strokes, hand.nib * height)), rows)


def _draw_strokes(upright: np.ndarray, width: float, height: int) -> np.ndarray:
    """Redraws a digit, or keeps its own strokes where redrawing would break them.

    The middle of narrow strokes is found only if the digit is drawn larger.
    """
    own = render_strokes(upright, 0, height)
    if not width:
        return own
    num_parts = _count_parts(own)
    for drawn_height in (height, _LARGE_HEIGHT):
        strokes = render_strokes(upright, width, drawn_height)
        if _count_parts(strokes) <= num_parts:
            scale = height / drawn_height
            return cv2.resize(
                strokes, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
    return own


def _count_parts(coverage: np.ndarray) -> int:
    """Counts the connected parts of ink."""
    mask = (coverage > _INK).astype(np.uint8)
    return int(cv2.connectedComponents(mask)[0]) - 1


def _fit_height(ink: np.ndarray, height: int) -> np.ndarray:
    """Scales ink to a height, which redrawing a digit may have changed.

    Ink that is more than twice as wide as high becomes lower.
    """
    rows, columns = ink.shape
    scale = height / max(rows, 0.5 * columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return cv2.resize(ink, size, interpolation=cv2.INTER_LINEAR)


def place_on_line(
    rng: np.random.Generator, digit: str, ink: np.ndarray, hand: Hand, height: float
) -> tuple[np.ndarray, float]:
    """Makes a digit as long as the hand does, and places it on the line.

    Args:
      rng: a random generator.
      digit: the digit.
      ink: `float32 (rows, columns)`, from `draw_digit`.
      hand: the hand.
      height: height of a digit of mean size, in pixels.

    Returns:
      The ink, and how far it reaches below the line, in pixels.
    """
    descent = rng.normal(0, hand.baseline_jitter)
    if digit in hand.descending and digit in _TAILED:
        tail = rng.uniform(*_TAILS)
        return _lengthen_tail(ink, tail), (descent + tail) * height
    if digit in hand.descending:
        descent += rng.uniform(*_DESCENT)
    elif digit in hand.small:
        ink = _fit_height(ink, max(1, round(rng.uniform(*_SMALL_HEIGHTS) * len(ink))))
    return ink, descent * height


def _lengthen_tail(ink: np.ndarray, tail: float) -> np.ndarray:
    """Stretches the lower half of a digit, by a fraction of the digit's height."""
    middle = len(ink) // 2
    lower = ink[middle:]
    size = (ink.shape[1], len(lower) + round(tail * len(ink)))
    return np.concatenate([ink[:middle], cv2.resize(lower, size)])


def _widen_by_nib(coverage: np.ndarray, length: float) -> np.ndarray:
    """Widens strokes across the direction of a nib of a length in pixels."""
    if length < 1:
        return coverage
    side = 2 * int(np.ceil(length / 2)) + 1
    middle = np.array([side // 2, side // 2])
    angle = np.deg2rad(_NIB_ANGLE)
    reach = np.array([np.cos(angle), -np.sin(angle)]) * length / 2
    start, end = (np.rint(middle + sign * reach).astype(int) for sign in (-1, 1))
    nib = np.zeros((side, side), np.uint8)
    cv2.line(nib, start.tolist(), end.tolist(), 1)
    padded = np.pad(coverage, side // 2)
    return cv2.dilate(padded, nib)
