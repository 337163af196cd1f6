"""The kinds of simulated numbers."""

from collections.abc import Callable

import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool, make_pool
from cnn.augmentation.simulated_strings.form_lines import FORM_KINDS
from cnn.augmentation.simulated_strings.old_lines import OLD_KINDS
from cnn.augmentation.simulated_strings.paper_lines import PAPER_KINDS
from cnn.augmentation.simulated_strings.simulated_line import SimulatedLine
from cnn.augmentation.simulated_strings.strips import STRIP_KINDS

# A number from a random generator, the characters and a number of digits or None.
StringKind = Callable[[np.random.Generator, CharacterPool, int | None], SimulatedLine]

STRING_KINDS: dict[str, StringKind] = {
    **STRIP_KINDS,
    **PAPER_KINDS,
    **OLD_KINDS,
    **FORM_KINDS,
}


def simulate_line(
    rng: np.random.Generator,
    kind: str,
    characters: np.ndarray,
    labels: np.ndarray,
    length: int | None = None,
) -> SimulatedLine:
    """Simulates an image of one number.

    Args:
      rng: a random generator.
      kind: a key of `STRING_KINDS`.
      characters: `uint8 (N, 28, 28, 1)`, digits as in MNIST. Nearly empty ones are left
        out.
      labels: `int (N,)`, their digits.
      length: number of digits, or None for any. Kinds whose numbers have a given
        length, such as years, ignore it.

    Returns:
      The image with its text, and the box of each character.

    Example:
      >>> digits = np.zeros((10, 28, 28, 1), np.uint8)
      >>> digits[:, 4:24, 10:18] = 255
      >>> line = simulate_line(
      ...     np.random.default_rng(0), "plain", digits, np.arange(10), length=3
      ... )
      >>> len(line.text), line.boxes.shape
      (3, (3, 4))
    """
    return STRING_KINDS[kind](rng, make_pool(characters, labels), length)
