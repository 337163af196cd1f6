"""Removes squares and rules that are too narrow or too faint to be single lines.

Printed lines repeat at equal distances, so their ink gathers at few spatial
frequencies. Handwriting spreads over all frequencies, and loses little where those few
are left out (a notch filter). So faint pencil remains on squares that are as strong as
it. What is left of unevenly printed lines is measured along each line.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background
from cnn.preprocessing.lines.spectrum import keep_frequencies, window_spectrum
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.periodic_lines
_MAX_SLOPE = float(np.tan(np.deg2rad(_THRESHOLDS.max_slope_degrees)))


class PeriodicLines(NamedTuple):
    """Nearly horizontal lines at equal distances.

    Attributes:
      is_line: `bool (height // 2,)`, the frequencies of the lines, in periods per
        height. All are False without lines.
      slope: rise of the lines, in rows per column.
      num_lines: number of lines, the lowest frequency, or 0 without lines.
    """

    is_line: np.ndarray
    slope: float
    num_lines: int


class WithoutLines(NamedTuple):
    """An image without its periodic lines.

    Attributes:
      gray: `uint8 (height, width)`.
      may_be_ruled: whether single lines may remain. Of narrow squares none does, and
        a straight line that remains is a stroke.
    """

    gray: np.ndarray
    may_be_ruled: bool


def remove_periodic_lines(gray: np.ndarray) -> WithoutLines | None:
    """Removes equidistant horizontal lines, vertical ones, or both.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      The image without the lines, reduced to an equivalent side of at most
      `search_side`. None if there are no such lines.
    """
    if max(gray.shape) < _THRESHOLDS.min_side or _is_drawing(gray):
        return None
    reduced = _reduce(gray)
    paper, deviation = _subtract_paper(reduced)
    amplitudes = window_spectrum(deviation)
    rest = deviation
    counts = []
    horizontal = find_periodic_lines(amplitudes)
    without_horizontal = _subtract_lines(rest, horizontal)
    if without_horizontal is not None:
        rest = without_horizontal
        counts.append(horizontal.num_lines)
    vertical = find_periodic_lines(amplitudes.T)
    without_vertical = _subtract_lines(np.ascontiguousarray(rest.T), vertical)
    if without_vertical is not None:
        rest = without_vertical.T
        counts.append(vertical.num_lines)
    if not counts:
        return None
    lines = (deviation - rest) * paper / np.float32(_THRESHOLDS.white_level)
    cleaned = np.rint(reduced - lines).clip(0, 255).astype(np.uint8)
    return WithoutLines(cleaned, min(counts) <= THRESHOLDS.ruled_lines.max_lines)


def _is_drawing(gray: np.ndarray) -> bool:
    """Tells whether an image has a uniform border, or more of one level than a camera.

    Printed lines reach the border. Without noise, strokes have lobes in the spectrum.
    """
    if background.is_uniform(background.border_pixels(gray)):
        return True
    # Some rows of a large image have the same distribution of levels.
    rows = gray[
        :: max(1, int(background.equivalent_side(gray) / _THRESHOLDS.search_side))
    ]
    counts = cv2.calcHist([rows], [0], None, [256], [0, 256])
    return bool(counts.max() > THRESHOLDS.background.min_exact_share * rows.size)


def _subtract_lines(deviation: np.ndarray, lines: PeriodicLines) -> np.ndarray | None:
    """Subtracts nearly horizontal lines.

    Args:
      deviation: `float32 (height, width)`, levels relative to the paper.
      lines: their frequencies and slope.

    Returns:
      The levels without the lines, of the same shape. None if there are no lines, or
      if they do not cross the whole image, like those of a dashed margin.
    """
    if not lines.num_lines:
        return None
    is_line = _select_frequencies(lines, deviation.shape)
    periodic = keep_frequencies(deviation, is_line)
    if not _is_everywhere(periodic):
        return None
    rest = deviation - periodic
    return rest - _measure_uneven_lines(rest, lines.slope)


def _is_everywhere(periodic: np.ndarray) -> bool:
    """Tells whether lines are of similar strength along their whole length."""
    blocks = np.array_split(periodic, _THRESHOLDS.num_blocks, axis=1)
    strengths = [float(block.std()) for block in blocks]
    return min(strengths) >= _THRESHOLDS.min_block_strength * max(strengths)


def _reduce(gray: np.ndarray) -> np.ndarray:
    """Reduces an image to `search_side`.

    A large one is first reduced by a whole factor, which is quicker than by any other.
    """
    factor = int(background.equivalent_side(gray) / _THRESHOLDS.search_side)
    if factor > 1:
        height, width = (side // factor for side in gray.shape)
        whole = gray[: height * factor, : width * factor]
        gray = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return background.downscale(gray, _THRESHOLDS.search_side)


def _subtract_paper(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the paper and the levels relative to it, without outliers.

    Returns:
      The blurred image, and the difference from it as if the paper had `white_level`.
      Both are `float32 (height, width)`.
    """
    paper = np.maximum(_blur(gray), 1)
    deviation = (gray - paper) * (np.float32(_THRESHOLDS.white_level) / paper)
    limit = _THRESHOLDS.max_deviation * float(deviation.std())
    return paper, np.clip(deviation, -limit, limit)


def _blur(gray: np.ndarray) -> np.ndarray:
    """Blurs an image widely, at a reduced resolution: `float32 (height, width)`."""
    small = background.downscale(gray, _THRESHOLDS.background_side).astype(np.float32)
    sigma = _THRESHOLDS.background_sigma * max(small.shape)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma)
    size = gray.shape[::-1]
    return cv2.resize(blurred, size, interpolation=cv2.INTER_LINEAR)


def find_periodic_lines(amplitudes: np.ndarray) -> PeriodicLines:
    """Finds nearly horizontal lines at equal distances.

    Args:
      amplitudes: `float32 (height, width)`, of the waves of each row and column
        frequency, in levels, from frequency 0 as in `np.fft.fft2`.
    """
    height, width = amplitudes.shape
    num_frequencies = height // 2
    slope_limit = _MAX_SLOPE * width / height
    reach = min(int(slope_limit * num_frequencies) + 1, width // 2 - 1)
    half = amplitudes[:num_frequencies]
    nearly_horizontal = np.concatenate([half[:, -reach:], half[:, : reach + 1]], axis=1)
    offsets = np.arange(-reach, reach + 1)
    limits = slope_limit * np.arange(num_frequencies) + 1
    nearly_horizontal[np.abs(offsets) > limits[:, None]] = 0
    strongest = nearly_horizontal.max(1)
    no_lines = PeriodicLines(np.zeros(num_frequencies, bool), slope=0.0, num_lines=0)
    is_strong = strongest > _THRESHOLDS.min_amplitude
    power = _divide_by_similar(strongest * strongest, is_strong)
    is_line = power > _THRESHOLDS.min_line_power
    # Harmonics of thin lines may be stronger than their own frequency.
    num_lines = int(is_line.argmax())
    if num_lines < _THRESHOLDS.min_lines:
        return no_lines
    power = _divide_by_similar(strongest * strongest, np.ones_like(is_strong))
    is_peak = (power > _THRESHOLDS.min_harmonic_power).astype(np.uint8)
    kernel = np.ones((2 * _THRESHOLDS.peak_reach + 1, 1), np.uint8)
    is_near_peak = cv2.dilate(is_peak[:, None], kernel)[:, 0] > 0
    if is_near_peak.mean() > _THRESHOLDS.max_line_share:
        return no_lines
    best = int(np.where(is_line, strongest, 0).argmax())
    offset = int(offsets[nearly_horizontal[best].argmax()])
    # Lines are perpendicular to their wave.
    slope = -offset / best * height / width
    return PeriodicLines(is_near_peak, slope, num_lines)


def _divide_by_similar(power: np.ndarray, is_searched: np.ndarray) -> np.ndarray:
    """Divides the power of each frequency by the median of similar ones, `(n,)`.

    It is 0 for frequencies that are not searched (`bool (n,)`), that are below
    `min_frequency`, or that are too weak for a line's, whatever the median is.
    """
    relative = np.zeros_like(power)
    min_power = _THRESHOLDS.noise_amplitude**2
    is_strong = is_searched & (power > _THRESHOLDS.min_harmonic_power * min_power)
    is_strong[: _THRESHOLDS.min_frequency] = False
    for frequency in np.flatnonzero(is_strong).tolist():
        low = int(_THRESHOLDS.similar_low * frequency)
        high = int(_THRESHOLDS.similar_high * frequency) + 2
        median = background.upper_median(power[low:high])
        relative[frequency] = power[frequency] / max(median, min_power)
    return relative


def _select_frequencies(lines: PeriodicLines, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the frequencies of nearly horizontal lines, `bool (height, width)`.

    Args:
      lines: the lines.
      shape: height and width of the image.
    """
    height, width = shape
    rows = np.abs(np.fft.fftfreq(height, 1 / height))
    columns = np.abs(np.fft.fftfreq(width, 1 / width))
    index = np.minimum(np.rint(rows).astype(int), len(lines.is_line) - 1)
    limits = _MAX_SLOPE * width / height * rows + 1
    return lines.is_line[index][:, None] & (columns <= limits[:, None])


def _measure_uneven_lines(rest: np.ndarray, slope: float) -> np.ndarray:
    """Measures what is left of lines whose strengths differ.

    Most of a line is as dark as this quantile of it. A stroke that follows a line for
    less than the rest of it does not count.

    Args:
      rest: `float32 (height, width)`, levels without the periodic part.
      slope: rise of the lines, in rows per column.

    Returns:
      `float32 (height, width)`, levels of the lines.
    """
    straight = _shear(rest, slope)
    width = rest.shape[1]
    rank = int(_THRESHOLDS.line_quantile * (width - 1))
    levels = np.partition(straight, rank, axis=1)[:, rank]
    levels -= background.upper_median(levels)
    lines = np.repeat(np.minimum(levels, 0)[:, None], width, axis=1)
    return _shear(lines, -slope)


def _shear(image: np.ndarray, slope: float) -> np.ndarray:
    """Moves each column up by its rise from the middle column."""
    height, width = image.shape
    middle = (width - 1) / 2
    matrix = np.array([[1, 0, 0], [slope, 1, -slope * middle]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    mode = cv2.BORDER_REPLICATE
    return cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=mode)
