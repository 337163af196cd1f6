"""The kinds of simulated pages.

Every kind is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns an image file's content, `uint8 (height, width)` or
`uint8 (height, width, 3)`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.augmentation.simulated_pages import (
    cells,
    cropped_numbers,
    enclosures,
    faint_pages,
    historic_scans,
    long_lines,
    scans,
    scenes,
    slanted_hands,
)
from cnn.augmentation.simulated_pages.photographs import photograph

PageKind = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def photograph_by_phone(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit with any tool, paper, size, place and clutter."""
    tool = str(rng.choice(["pen", "pencil", "marker", "brush"]))
    # Half of the sheets are plain.
    paper = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    long_side_px = _sample_log_uniform(rng, 40, 900)
    return photograph(
        rng,
        digit,
        tool,
        paper,
        fill_fraction=rng.uniform(0.3, 0.9),
        long_side_px=long_side_px,
        light_unevenness=0.7,
        clutter_prob=0.12,
    )


def photograph_plain_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on a white sheet."""
    tool = str(rng.choice(["pen", "marker", "brush"]))
    return photograph(
        rng,
        digit,
        tool,
        paper="plain",
        fill_fraction=rng.uniform(0.3, 0.9),
        long_side_px=300,
    )


def photograph_ruled_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on ruled paper, between the rules or across them."""
    return _photograph_lines(rng, digit, "ruled")


def photograph_squared_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit on squared paper."""
    return _photograph_lines(rng, digit, "squared")


def _photograph_lines(
    rng: np.random.Generator, digit: np.ndarray, paper: str
) -> np.ndarray:
    tool = str(rng.choice(["pen", "pencil"]))
    return photograph(
        rng,
        digit,
        tool,
        paper,
        fill_fraction=rng.uniform(0.3, 0.8),
        long_side_px=300,
    )


def photograph_faint_ink(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit of a pale pencil or a pen that is running dry."""
    long_side_px = _sample_log_uniform(rng, 60, 600)
    fill_fraction = rng.uniform(0.4, 0.9)
    sensor_noise = rng.uniform(0, 0.012)
    return photograph(
        rng,
        digit,
        tool="faint",
        paper="plain",
        fill_fraction=fill_fraction,
        long_side_px=long_side_px,
        light_unevenness=0.8,
        sensor_noise=sensor_noise,
    )


def photograph_in_shadow(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit in strongly uneven light."""
    return photograph(
        rng,
        digit,
        tool="pen",
        paper="plain",
        fill_fraction=rng.uniform(0.3, 0.9),
        long_side_px=300,
        light_unevenness=1.0,
    )


def photograph_with_clutter(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit with a neighbor's stroke, a full stop or the table's edge."""
    return photograph(
        rng,
        digit,
        tool="pen",
        paper="plain",
        fill_fraction=rng.uniform(0.4, 0.8),
        long_side_px=200,
        light_unevenness=0.5,
        clutter_prob=0.6,
    )


def photograph_at_low_resolution(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a digit at 28 to 47 pixels."""
    tool = str(rng.choice(["pen", "brush", "marker"]))
    fill_fraction = rng.uniform(0.5, 0.95)
    long_side_px = int(rng.integers(28, 48))
    return photograph(
        rng,
        digit,
        tool,
        paper="plain",
        fill_fraction=fill_fraction,
        long_side_px=long_side_px,
    )


def photograph_black_and_white(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a digit and applies Otsu's threshold, in either polarity."""
    color = photograph(
        rng,
        digit,
        tool="pen",
        paper="plain",
        fill_fraction=rng.uniform(0.4, 0.95),
        long_side_px=200,
        light_unevenness=0.3,
    )
    gray = color.mean(axis=-1).astype(np.uint8)
    _, mask = cv2.threshold(
        gray,
        thresh=0,
        maxval=255,
        type=cv2.THRESH_OTSU | cv2.THRESH_BINARY,
    )
    is_dark_on_light = rng.uniform() < 0.5
    return mask if is_dark_on_light else 255 - mask


def photograph_light_on_dark(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs chalk on a board, or a negative."""
    tool = str(rng.choice(["pen", "marker"]))
    dark_on_light = photograph(
        rng,
        digit,
        tool,
        paper="plain",
        fill_fraction=rng.uniform(0.3, 0.9),
        long_side_px=200,
        light_unevenness=0.6,
    )
    return 255 - dark_on_light


def photograph_large_page(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a small digit on a large page."""
    tool = str(rng.choice(["pen", "brush"]))
    return photograph(
        rng,
        digit,
        tool,
        paper="plain",
        fill_fraction=rng.uniform(0.06, 0.15),
        long_side_px=900,
        light_unevenness=0.7,
        sensor_noise=0.015,
    )


def render_mnist_image(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Returns MNIST's own image in either polarity."""
    gray_levels = np.rint(255 * digit)
    image = gray_levels.astype(np.uint8)
    is_inverted = rng.uniform() < 0.5
    return 255 - image if is_inverted else image


def _sample_log_uniform(rng: np.random.Generator, low: int, high: int) -> int:
    """Samples an integer whose logarithm is uniformly distributed."""
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
    "table": scenes.photograph_sheet_on_table,
    "row": scenes.photograph_row_of_digits,
    "boxed": scenes.photograph_printed_box,
    "stretched": scans.scan_stretched,
    "postal": scans.scan_postal_digit,
    "form": scans.scan_form_field,
    "binary_16": scans.scan_binary_16,
    "historic": historic_scans.scan_historic_script,
    "register": historic_scans.scan_register_cell,
    "large": long_lines.photograph_large_digit,
    "underlined": long_lines.photograph_underlined_digit,
    "margin": long_lines.photograph_beside_margin,
    "ring": enclosures.draw_in_ring,
    "ellipse": enclosures.draw_in_ellipse,
    "disc": enclosures.draw_on_disc,
    "rounded_box": enclosures.draw_in_rounded_box,
    "rounded_card": enclosures.draw_on_rounded_card,
    "small_card": enclosures.draw_on_small_card,
    "table_cell": cells.scan_table_cell,
    "margin_line": cells.photograph_margin_line,
    "cropped_number": cropped_numbers.scan_cropped_number,
    "binary_edges": cropped_numbers.scan_binary_edges,
    "slanted": slanted_hands.photograph_slanted_hand,
    "pencil_squares": faint_pages.photograph_pencil_on_squares,
    "pencil_rules": faint_pages.photograph_pencil_on_rules,
    "thin_large": faint_pages.photograph_thin_strokes,
}
