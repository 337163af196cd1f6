"""The characters that numbers are written with, found by their digit."""

from typing import NamedTuple

import numpy as np

# Characters without a pixel above this gray level are not written.
_MIN_PEAK = 127

# A character is drawn again at most so often if it is nearly empty.
_MAX_DRAWS = 20

_NUM_DIGITS = 10


class CharacterPool(NamedTuple):
    """Labeled characters.

    Attributes:
      images: `uint8 (N, 28, 28)`.
      indices: indices of the characters of each digit, 0 to 9.
    """

    images: np.ndarray
    indices: tuple[np.ndarray, ...]

    def draw_text(self, rng: np.random.Generator, length: int) -> str:
        """Draws digits, as often as there are characters of them."""
        present = [str(i) for i, indices in enumerate(self.indices) if len(indices)]
        return "".join(rng.choice(present, length).tolist())

    def draw_character(self, rng: np.random.Generator, digit: str) -> np.ndarray:
        """Draws an image of a digit, `float32 (28, 28)` in [0, 1]."""
        indices = self.indices[int(digit)]
        for _ in range(_MAX_DRAWS):
            image = self.images[indices[rng.integers(len(indices))]]
            if image.max() > _MIN_PEAK:
                break
        return image.astype(np.float32) / np.float32(255)


def make_pool(characters: np.ndarray, labels: np.ndarray) -> CharacterPool:
    """Finds the characters of each digit.

    Args:
      characters: `uint8 (N, 28, 28, 1)`.
      labels: `int (N,)`. Classes above 9 are left out.
    """
    indices = tuple(np.flatnonzero(labels == digit) for digit in range(_NUM_DIGITS))
    return CharacterPool(characters[..., 0], indices)
