"""The kinds of simulated pages, with handwritten numbers or without any."""

import numpy as np

from cnn.augmentation.simulated_strings.character_pool import make_pool
from cnn.augmentation.simulated_strings.page_drafts import SimulatedNumberPage
from cnn.augmentation.simulated_strings.printed_pages import PRINTED_PAGES
from cnn.augmentation.simulated_strings.written_pages import WRITTEN_PAGES

NUMBER_PAGE_KINDS = {**WRITTEN_PAGES, **PRINTED_PAGES}

# Kinds of pages without any handwriting.
KINDS_WITHOUT_NUMBERS = tuple(PRINTED_PAGES)

# Resolution of pages, in pixels per inch. A digit is 16 to 35 pixels high.
_DPI = 110


def simulate_number_page(
    rng: np.random.Generator,
    kind: str,
    characters: np.ndarray,
    labels: np.ndarray,
    dpi: float = _DPI,
    count: int | None = None,
) -> SimulatedNumberPage:
    """Simulates a page of A4.

    Args:
      rng: a random generator.
      kind: a key of `NUMBER_PAGE_KINDS`.
      characters: `uint8 (N, 28, 28, 1)`, digits as in MNIST.
      labels: `int (N,)`, their digits.
      dpi: resolution, in pixels per inch.
      count: number of numbers, or None for any. `columns` and `table` have room for
        100; kinds without handwriting ignore it.

    Returns:
      The page, and its numbers in reading order.
    """
    return NUMBER_PAGE_KINDS[kind](rng, make_pool(characters, labels), dpi, count)
