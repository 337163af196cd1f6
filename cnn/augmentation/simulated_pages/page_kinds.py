"""The kinds of simulated pages.

Every kind is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns an image file's content, `uint8 (height, width)` or
`uint8 (height, width, 3)`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.augmentation.simulated_pages import photographs, scans
from cnn.augmentation.simulated_pages.photographs import photograph

PageKind = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def photograph_by_phone(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit with any tool, paper, size, place and clutter."""
    tool = str(rng.choice(["pen", "pencil", "marker", "brush"]))
    paper = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    side = _sample_log_uniform(rng, 40, 900)
    fill = rng.uniform(0.3, 0.9)
    return photograph(rng, digit, tool, paper, fill, side, 0.7, 0.12)


def photograph_plain_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on a white sheet."""
    tool = str(rng.choice(["pen", "marker", "brush"]))
    fill = rng.uniform(0.3, 0.9)
    return photograph(rng, digit, tool, "plain", fill, 300)


def photograph_ruled_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on ruled paper, between the rules or across them."""
    tool = str(rng.choice(["pen", "pencil"]))
    fill = rng.uniform(0.3, 0.8)
    return photograph(rng, digit, tool, "ruled", fill, 300)


def photograph_squared_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on squared paper."""
    tool = str(rng.choice(["pen", "pencil"]))
    fill = rng.uniform(0.3, 0.8)
    return photograph(rng, digit, tool, "squared", fill, 300)


def photograph_faint_ink(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit of a pale pencil or a pen that is running dry."""
    side = _sample_log_uniform(rng, 60, 600)
    fill = rng.uniform(0.4, 0.9)
    noise = rng.uniform(0, 0.012)
    return photograph(rng, digit, "faint", "plain", fill, side, 0.8, sensor_noise=noise)


def photograph_in_shadow(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit in strongly uneven light."""
    fill = rng.uniform(0.3, 0.9)
    return photograph(rng, digit, "pen", "plain", fill, 300, 1.0)


def photograph_with_clutter(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit with a neighbor's stroke, a full stop or the table's edge."""
    fill = rng.uniform(0.4, 0.8)
    return photograph(rng, digit, "pen", "plain", fill, 200, 0.5, 0.6)


def photograph_at_low_resolution(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a digit at 28 to 47 pixels."""
    tool = str(rng.choice(["pen", "brush", "marker"]))
    fill = rng.uniform(0.5, 0.95)
    side = int(rng.integers(28, 48))
    return photograph(rng, digit, tool, "plain", fill, side)


def photograph_black_and_white(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a digit and applies Otsu's threshold, in either polarity."""
    fill = rng.uniform(0.4, 0.95)
    color = photograph(rng, digit, "pen", "plain", fill, 200, 0.3)
    gray = color.mean(axis=-1).astype(np.uint8)
    _, mask = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU | cv2.THRESH_BINARY)
    return mask if rng.uniform() < 0.5 else 255 - mask


def photograph_light_on_dark(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs chalk on a board, or a negative."""
    tool = str(rng.choice(["pen", "marker"]))
    fill = rng.uniform(0.3, 0.9)
    dark_on_light = photograph(rng, digit, tool, "plain", fill, 200, 0.6)
    return 255 - dark_on_light


def photograph_large_page(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a small digit on a large page."""
    tool = str(rng.choice(["pen", "brush"]))
    fill = rng.uniform(0.06, 0.15)
    return photograph(rng, digit, tool, "plain", fill, 900, 0.7, sensor_noise=0.015)


def render_mnist_image(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Returns MNIST's own image in either polarity."""
    image = np.rint(255 * digit).astype(np.uint8)
    return 255 - image if rng.uniform() < 0.5 else image


def _sample_log_uniform(rng: np.random.Generator, low: int, high: int) -> int:
    log_value = rng.uniform(np.log(low), np.log(high))
    return int(np.exp(log_value))


# How to add a kind: write a function of a generator and a digit, and list it here.
# Existing models are then no longer reproduced by their seed.
PAGE_KINDS: dict[str, PageKind] = {
    "mnist": render_mnist_image,
    "plain": photograph_plain_sheet,
    "ruled": photograph_ruled_sheet,
    "squared": photograph_squared_sheet,
    "faint": photograph_faint_ink,
    "shadows": photograph_in_shadow,
    "careless": photograph_with_clutter,
    "phone": photograph_by_phone,
    "low_resolution": photograph_at_low_resolution,
    "thresholded": photograph_black_and_white,
    "light_on_dark": photograph_light_on_dark,
    "large_page": photograph_large_page,
    "table": photographs.photograph_sheet_on_table,
    "row": photographs.photograph_row_of_digits,
    "boxed": photographs.photograph_printed_box,
    "stretched": scans.scan_stretched,
    "postal": scans.scan_postal_digit,
    "form": scans.scan_form_field,
    "binary_16": scans.scan_binary_16,
    "historic": scans.scan_historic_script,
    "register": scans.scan_register_cell,
}
