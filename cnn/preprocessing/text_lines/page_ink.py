"""The ink of a whole page, without its background and its printed rules."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import downscale, estimate_polarity, upper_median
from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.ink_levels import Ink, denoise
from cnn.preprocessing.thresholds import THRESHOLDS

# Equivalent side of the page that is searched, in pixels. A4 at 300 dpi is halved, and
# its digits of 5 mm are 30 pixels high.
_WORKING_SIDE = 1475
# Factor by which the background is reduced: it changes slowly.
_BACKGROUND_REDUCTION = 4
# Width of the area that the closing fills, in pixels of the working page. It is wider
# than any stroke.
_MAX_STROKE_WIDTH = 60
# Width of the surroundings whose strongest ink decides what is ink, in pixels of the
# working page: a few characters, so that pencil beside black print is found.
_CONTRAST_WINDOW = 64
# Smallest level of ink, as a fraction of the strongest in the surroundings. Lower
# levels are blurred edges.
_MIN_LOCAL_FRACTION = 0.3
# Smallest level of ink, as a multiple of the noise. A page has millions of pixels.
_MIN_INK_TO_NOISE = 5
# Smallest level of ink, in levels: paper has stains and shows what is behind it.
_MIN_INK_LEVEL = 12
# Shortest printed rule, in pixels of the working page, and in heights of a character:
# longer than a stroke of a digit. An odd number is symmetric.
_MIN_RULE_LENGTH = 57
_MIN_RULE_HEIGHTS = 2.0
_MAX_MIN_RULE_LENGTH = 201
# Heights of components that show the height of a character, in pixels, and their
# largest width in heights.
_CHARACTER_HEIGHTS = (9, 160)
_CHARACTER_ASPECT = 1.5
# Quantile of their heights that is the height of a character: there are specks, too.
_HEIGHT_QUANTILE = 0.75
# Thickest printed rule, in pixels of the working page.
_MAX_RULE_WIDTH = 9
# Width of the area around a pixel of a rule in which its blurred edges are, in pixels.
_RULE_EDGE = 9
# Gaps of a rule that are closed, in pixels, where it is faint or broken.
_RULE_TOLERANCE = 3


class PageInk(NamedTuple):
    """The ink of a page at a reduced resolution.

    Attributes:
      ink: levels above the background, `float32 (height, width)`, with their noise.
      strokes: `uint8 (height, width)`, 1 for ink that is no rule.
      rules: `uint8 (height, width)`, 1 for printed rules.
      paper: `uint8 (height, width)`, gray levels of the background.
      scale: pixels of this ink per pixel of the page, at most 1.
    """

    ink: Ink
    strokes: np.ndarray
    rules: np.ndarray
    paper: np.ndarray
    scale: float


def find_page_ink(gray: np.ndarray) -> PageInk:
    """Separates the ink of a page from its background, and rules from strokes.

    Args:
      gray: `uint8 (height, width)`.
    """
    small = downscale(gray, _WORKING_SIDE, by_halves=False)
    scale = small.shape[1] / gray.shape[1]
    if estimate_polarity(small)[0] < 0:
        small = 255 - small
    paper = _estimate_paper(small)
    ink = denoise(_subtract_paper(small, paper))
    binary = _binarize(ink)
    strokes, rules = remove_rules(binary)
    strokes |= _find_faint_strokes(ink, rules)
    return PageInk(ink, strokes, rules, paper, scale)


def _subtract_paper(gray: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Computes the levels above the background, `float32`, positive for dark ink."""
    levels = cv2.subtract(background, gray).astype(np.float32)
    illumination = np.maximum(background, THRESHOLDS.background.min_illumination * 255)
    levels *= THRESHOLDS.background.white_level / illumination
    return levels - upper_median(levels[::4, ::4])


def _estimate_paper(gray: np.ndarray) -> np.ndarray:
    """Closes a page at a reduced resolution, `uint8`."""
    height, width = gray.shape
    size = (
        max(1, width // _BACKGROUND_REDUCTION),
        max(1, height // _BACKGROUND_REDUCTION),
    )
    reduced = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    reduced = cv2.medianBlur(cv2.dilate(reduced, NEIGHBORHOOD), 3)
    side = (_MAX_STROKE_WIDTH // _BACKGROUND_REDUCTION) | 1
    padded = cv2.copyMakeBorder(reduced, side, side, side, side, cv2.BORDER_REPLICATE)
    kernel = np.ones((side, side), np.uint8)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[side:-side, side:-side]
    return cv2.resize(closed, (width, height), interpolation=cv2.INTER_LINEAR)


def _binarize(ink: Ink) -> np.ndarray:
    """Compares the levels with the noise and the strongest ink near them, `uint8`."""
    height, width = ink.foreground.shape
    size = (max(1, width // 4), max(1, height // 4))
    strongest = cv2.resize(ink.foreground, size, interpolation=cv2.INTER_AREA)
    side = (_CONTRAST_WINDOW // 4) | 1
    strongest = cv2.dilate(strongest, np.ones((side, side), np.uint8))
    strongest = cv2.blur(strongest, (side, side))
    threshold = cv2.resize(_MIN_LOCAL_FRACTION * strongest, (width, height))
    lowest = max(_MIN_INK_TO_NOISE * ink.noise, _MIN_INK_LEVEL)
    return (ink.foreground > np.maximum(threshold, lowest)).astype(np.uint8)


def _find_faint_strokes(ink: Ink, rules: np.ndarray) -> np.ndarray:
    """Finds ink that is faint beside printed rules, but not beside other ink."""
    if not rules.any():
        return rules
    kernel = np.ones((_RULE_EDGE, _RULE_EDGE), np.uint8)
    with_edges = cv2.dilate(rules, kernel)
    foreground = np.where(with_edges > 0, np.float32(0), ink.foreground)
    return _binarize(ink._replace(foreground=foreground))


def remove_rules(binary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divides ink into strokes and printed rules, horizontal and vertical.

    Args:
      binary: `uint8 (height, width)`, 1 for ink.

    Returns:
      The strokes, which are kept where they cross a rule, and the rules, both `uint8`
      of the same shape.
    """
    length = _rule_length(binary)
    horizontal = _find_horizontal_rules(binary, length)
    vertical = _find_horizontal_rules(binary.T.copy(), length).T.copy()
    rules = horizontal | vertical
    strokes = binary & ~rules
    strokes |= _crossing_strokes(strokes, horizontal)
    strokes |= _crossing_strokes(strokes.T.copy(), vertical.T.copy()).T.copy()
    return strokes, rules


def _rule_length(binary: np.ndarray) -> int:
    """Chooses the shortest length of a rule by the height of the characters."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(binary)
    width, height = stats[1:count, 2], stats[1:count, 3]
    lowest, highest = _CHARACTER_HEIGHTS
    is_character = (height >= lowest) & (height <= highest)
    is_character &= width <= _CHARACTER_ASPECT * height
    if not is_character.any():
        return _MIN_RULE_LENGTH
    typical = float(np.quantile(height[is_character], _HEIGHT_QUANTILE))
    length = int(_MIN_RULE_HEIGHTS * typical) | 1
    return min(max(length, _MIN_RULE_LENGTH), _MAX_MIN_RULE_LENGTH)


def _find_horizontal_rules(binary: np.ndarray, length: int) -> np.ndarray:
    """Finds long thin runs of ink, `uint8`.

    The ink is thickened first, so that a rule that is a little askew has long runs.
    """
    height = 2 * _RULE_TOLERANCE - 1
    thick = cv2.dilate(binary, np.ones((height, 1), np.uint8))
    kernel = np.ones((1, length), np.uint8)
    runs = cv2.erode(thick, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    runs = cv2.dilate(runs, kernel)
    return _keep_thin(binary & runs)


def _keep_thin(runs: np.ndarray) -> np.ndarray:
    """Removes areas that are thicker than a rule from runs of ink, `uint8`."""
    kernel = np.ones((_MAX_RULE_WIDTH, 1), np.uint8)
    thick = cv2.dilate(cv2.erode(runs, kernel), kernel)
    return np.where(thick > 0, np.uint8(0), runs)


def _crossing_strokes(strokes: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """Finds the pixels of horizontal rules with strokes above and below, `uint8`."""
    reach = _MAX_RULE_WIDTH
    kernel = np.ones((reach, 1), np.uint8)
    from_above = cv2.dilate(strokes, kernel, anchor=(0, reach - 1))
    from_below = cv2.dilate(strokes, kernel, anchor=(0, 0))
    return rules & from_above & from_below
