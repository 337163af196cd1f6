"""Separates the ink of a text line from its paper.

The background is a morphological closing (an opening for light ink) with a kernel wider
than a stroke, as for single characters. A text line is wide and low, so the kernel is
measured in pixels by the height of the text, and not by the side of the image.
"""

import cv2
import numpy as np

from cnn.preprocessing.background import subsample, upper_median
from cnn.preprocessing.ink_levels import Ink, denoise, estimate_contrast

# Level to which light paper is scaled. It is that of white paper in a photograph.
_WHITE_LEVEL = 220.0
# Darkest paper that is scaled in full, as a fraction of the lightest. Scaling darker
# paper would amplify its noise too much.
_MIN_ILLUMINATION = 0.4
# Side of the kernel of a closing, in pixels, above which the closing is computed on a
# reduced image. A closing of the paper is smooth, so nothing is lost.
_MAX_KERNEL = 15
# Level of ink that the strongest tenth of the strokes is sure to reach, as a quantile.
_FULL_INK_QUANTILE = 0.8
# Level of ink that becomes 0.5, as a fraction of the full level of the text.
_MIDDLE = 0.4
# Contrast below which ink is faint, as a multiple of the noise.
_FAINT_CONTRAST = 20.0
# Standard deviation of the blur of faint ink, as a fraction of the closing's side, and
# the smallest one, in pixels: less than half of a stroke.
_BLUR_SHARE = 0.04
_MIN_BLUR = 0.7
# Weakest level of faint ink beside stronger ink, as a multiple of the noise, and as a
# fraction of the contrast.
_WEAK_NOISE = 2.5
_WEAK_SHARE = 0.25
# Level of a faint printed line, as a fraction of the threshold of ink.
_WEAK_LINE_SHARE = 0.5


def subtract_paper(gray: np.ndarray, sign: int, kernel: int) -> Ink:
    """Subtracts the paper of a text line.

    Args:
      gray: `uint8 (height, width)`.
      sign: 1 for dark ink on light paper, -1 for light ink on a dark ground.
      kernel: side of the kernel in pixels, wider than a stroke.

    Returns:
      The levels above the paper, with their noise and contrast.
    """
    paper = _close(gray, sign, kernel).astype(np.float32)
    levels = np.float32(sign) * (paper - gray)
    if sign > 0:
        darkest = _MIN_ILLUMINATION * paper.max() + 1
        levels *= _WHITE_LEVEL / np.maximum(paper, darkest)
    # The closing is the lightest of the paper's noise, and not its median.
    levels -= upper_median(subsample(levels))
    ink = denoise(levels)
    if not _is_faint(ink):
        return ink
    sigma = max(_BLUR_SHARE * kernel, _MIN_BLUR)
    return denoise(cv2.GaussianBlur(levels, (0, 0), sigma))


def _is_faint(ink: Ink) -> bool:
    """Tells whether ink is hard to tell from noise."""
    return ink.contrast < _FAINT_CONTRAST * ink.noise


def _close(gray: np.ndarray, sign: int, kernel: int) -> np.ndarray:
    """Closes an image, or opens it for light ink, at a reduced resolution."""
    factor = max(1, kernel // _MAX_KERNEL)
    size = gray.shape[::-1]
    small = gray
    if factor > 1:
        reduced = (max(1, size[0] // factor), max(1, size[1] // factor))
        small = cv2.resize(gray, reduced, interpolation=cv2.INTER_AREA)
    side = max(3, kernel // factor | 1)
    # Ground that reaches the edge, such as a black margin, continues beyond it.
    padded = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    operation = cv2.MORPH_CLOSE if sign > 0 else cv2.MORPH_OPEN
    closed = cv2.morphologyEx(padded, operation, np.ones((side, side), np.uint8))
    closed = closed[side:-side, side:-side]
    if factor == 1:
        return closed
    return cv2.resize(closed, size, interpolation=cv2.INTER_LINEAR)


def binarize(ink: Ink) -> np.ndarray:
    """Returns the pixels of ink, `uint8 (height, width)`, 0 or 1.

    Faint ink is followed from its stronger pixels to weaker ones beside them.
    """
    strong = ink.foreground > ink.threshold
    if not _is_faint(ink):
        return strong.astype(np.uint8)
    low = max(_WEAK_NOISE * ink.noise, _WEAK_SHARE * ink.contrast)
    weak = (ink.foreground > min(low, ink.threshold)).astype(np.uint8)
    _, labels = cv2.connectedComponents(weak)
    is_ink = np.zeros(labels.max() + 1, bool)
    is_ink[labels[strong]] = True
    is_ink[0] = False
    return is_ink[labels].astype(np.uint8)


def binarize_weak(ink: Ink) -> np.ndarray:
    """Returns the pixels of ink and of what may be faint ink, `uint8`, 0 or 1."""
    level = max(_WEAK_NOISE * ink.noise, _WEAK_LINE_SHARE * ink.threshold)
    return (ink.foreground > min(level, ink.threshold)).astype(np.uint8)


def without_lines(ink: Ink, lines: np.ndarray) -> Ink:
    """Measures the contrast of ink without that of printed lines.

    Args:
      ink: the ink of the line.
      lines: `uint8 (height, width)`, 1 for the pixels of lines.
    """
    near = cv2.dilate(lines, np.ones((5, 5), np.uint8)) > 0
    contrast = estimate_contrast(np.where(near, 0, ink.foreground))
    return ink._replace(contrast=max(contrast, 1.0))


def scale_text(ink: Ink, text: np.ndarray) -> np.ndarray:
    """Scales the levels of the text to [0, 1], with its antialiased edges.

    Args:
      ink: the ink of the line.
      text: `bool (height, width)`, pixels of the text.

    Returns:
      `float32 (height, width)`, 0 for everything else.
    """
    full = _full_level(ink.foreground[text])
    near = cv2.dilate(text.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # Ink that is not text is no edge of the text.
    near &= text | (ink.foreground <= ink.threshold)
    levels = np.where(near, ink.foreground, 0)
    # Thin strokes are pale, and belong to the digit as much as thick ones.
    middle = max(min(_MIDDLE * full, 2 * ink.threshold), 1e-6)
    below = 0.5 * levels / middle
    above = 0.5 + 0.5 * (levels - middle) / max(full - middle, 1e-6)
    scaled = np.where(levels < middle, below, above)
    return np.clip(scaled, 0, 1).astype(np.float32)


def _full_level(levels: np.ndarray) -> float:
    """Returns the level of the text's ink that becomes 1."""
    if not levels.size:
        return 0.0
    rank = int(_FULL_INK_QUANTILE * (levels.size - 1))
    return float(np.partition(levels, rank)[rank])
