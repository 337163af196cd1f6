"""Pages of hands that lean far, by up to 45°, mostly to the right.

Every page is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns `uint8 (height, width, 3)`.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.photographs import photograph

# Side of the canvas on which a digit is slanted, as a multiple of its image. A digit of
# 20 pixels that leans by 45° is 40 pixels wide.
_CANVAS_SCALE = 2

# Slants of the digits: pixels to the right per pixel upwards.
_RIGHT_SLANTS = (0.3, 1.0)
_LEFT_SLANTS = (-0.6, -0.2)
_LEFT_PROB = 0.2


def photograph_slanted_hand(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit that leans far, of any tool and size, on plain paper."""
    leans_left = rng.random() < _LEFT_PROB
    slant = rng.uniform(*(_LEFT_SLANTS if leans_left else _RIGHT_SLANTS))
    tool = str(rng.choice(["pen", "pencil", "marker", "brush"]))
    return photograph(
        rng,
        shear_digit(digit, slant),
        tool,
        paper="plain",
        fill_fraction=rng.uniform(0.3, 0.9),
        long_side_px=int(np.exp(rng.uniform(np.log(32), np.log(600)))),
        light_unevenness=0.5,
    )


def shear_digit(digit: np.ndarray, slant: float) -> np.ndarray:
    """Moves the upper rows of a digit to the right, around its middle.

    Args:
      digit: `float32 (height, width)` in [0, 1].
      slant: pixels to the right per pixel upwards, negative for the left.

    Returns:
      `float32 (2 height, 2 width)`, with the digit in its middle.
    """
    height, width = digit.shape
    left = width * (_CANVAS_SCALE - 1) / 2
    top = height * (_CANVAS_SCALE - 1) / 2
    middle = (height - 1) / 2
    matrix = np.array(
        [
            [1, -slant, left + slant * middle],
            [0, 1, top],
        ],
        float,
    )
    size = (_CANVAS_SCALE * width, _CANVAS_SCALE * height)
    return cv2.warpAffine(digit, matrix, size, flags=cv2.INTER_LINEAR)
