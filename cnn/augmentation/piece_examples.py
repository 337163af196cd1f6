"""Training examples from simulated numbers, cut as `--layout line` does it.

From these examples a network learns what is one character and what is not: a half, two
in one, a character with a part of its neighbor. Pieces between both are left out.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cnn import parallel
from cnn.augmentation.simulated_pages.examples import normalized_cross_correlation
from cnn.augmentation.simulated_strings import (
    STRING_KINDS,
    SimulatedLine,
    simulate_line,
)
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.text_lines import FEATURES, TextLine
from cnn.preprocessing.text_lines.line_segmentation import segment_line

# A piece shows a character if the intersection over union of their boxes and the
# correlation of their images are at least these, in [0, 1].
_MIN_OVERLAP = 0.83
_MIN_MATCH = 0.9
# A piece does not show a character if both are below these.
_MAX_WRONG_OVERLAP = 0.6
_MAX_WRONG_MATCH = 0.8
# Largest number of wrong pieces, per right piece of a line and of a line without any.
# There are many more, and some look like a character: half a 0 like a 1. So few do not
# make the network doubt the characters.
_WRONG_PER_RIGHT = 1.0
_MAX_WRONG_ALONE = 3
# A piece lower than this, in heights of the line, is hardly taken for a character. So
# one in a few of the wrong ones is enough.
_LOW = 0.5
_KEPT_OF_LOW = 3
# Most lines per piece that is wanted. So many are made if few can be read.
_MAX_LINES_PER_PIECE = 2

# Smallest level of ink in a piece.
_MIN_INK = 0.5
# Largest ratio of the standard deviations across and along a straight stroke.
_MAX_STROKE_RATIO = 0.35
# Largest standard deviation of its middle line from a straight one, in pixels.
_MAX_BEND = 0.6

# Separates the random numbers of strings from others of the same seed.
_STRING_STREAM = 6
# Lines that are simulated at a time.
_CHUNK_SIZE = 64

# An image, and the class of a right piece, or None of a wrong one.
_Piece = tuple[np.ndarray, int | None]


def make_piece_examples(
    seed: int,
    characters: np.ndarray,
    targets: np.ndarray,
    count: int,
    placement: Placement,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulates numbers of all kinds in turn, and cuts them into pieces.

    Args:
      seed: seed of the random generator.
      characters: `uint8 (N, 28, 28, 1)`, the digits to write.
      targets: `float32 (N, 10)`, class probabilities of the characters.
      count: number of pieces.
      placement: size and position of a character in the network input.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and targets, `float32 (count, 10)`, uniform
      for a piece that does not show exactly one character. Fewer than `count` if the
      lines have fewer.
    """
    rng = np.random.default_rng([seed, _STRING_STREAM])
    stream = [seed, _STRING_STREAM]
    labels = targets.argmax(1)
    pieces: list[_Piece] = []
    for line, found in simulate_lines(
        stream, characters, labels, count * _MAX_LINES_PER_PIECE, placement
    ):
        if len(pieces) >= count:
            break
        if found is not None:
            pieces += _sample(rng, [*label_pieces(line, found)])
    return _stack(pieces[:count], targets.shape[1])


def simulate_lines(
    seed: Sequence[int],
    characters: np.ndarray,
    labels: np.ndarray,
    count: int,
    placement: Placement,
) -> Iterator[tuple[SimulatedLine, TextLine | None]]:
    """Simulates numbers of all kinds in turn, and segments them.

    Args:
      seed: seed of the random generators, which the number of a line completes.
      characters: `uint8 (N, 28, 28, 1)`, the digits to write.
      labels: `int (N,)`, their digits.
      count: number of lines.
      placement: size and position of a character in the network input.

    Yields:
      The number, and what the segmentation finds of it.
    """
    kinds = list(STRING_KINDS)

    def simulate(number: int) -> tuple[SimulatedLine, TextLine | None]:
        rng = np.random.default_rng([*seed, number])
        line = simulate_line(rng, kinds[number % len(kinds)], characters, labels)
        return line, segment_line(line.image, placement)

    # NumPy and OpenCV release the interpreter lock.
    executor = ThreadPoolExecutor(parallel.cpu_count())
    with single_threaded_opencv(), executor as pool:
        for start in range(0, count, _CHUNK_SIZE):
            yield from pool.map(simulate, range(start, min(start + _CHUNK_SIZE, count)))


def label_pieces(line: SimulatedLine, found: TextLine) -> Iterator[_Piece]:
    """Compares the pieces of a line with its characters.

    Args:
      line: a simulated number.
      found: its segmentation.

    Yields:
      Images, `float32 (28, 28)`, and the digit that they show, or None if they clearly
      do not show exactly one character. Others and separators are left out.
    """
    for lattice in found.lattices:
        overlaps = box_overlaps(lattice.boxes, line.boxes)
        is_low = lattice.features[:, FEATURES.index("height")] < _LOW
        is_kept = ~is_low | (np.arange(len(is_low)) % _KEPT_OF_LOW == 0)
        for arc in np.flatnonzero(lattice.is_character).tolist():
            image = lattice.images[arc]
            best = int(overlaps[arc].argmax()) if line.text else -1
            overlap = float(overlaps[arc, best]) if line.text else 0.0
            match = 0.0
            if overlap > 0:
                match = normalized_cross_correlation(image, line.glyphs[best])
            if overlap >= _MIN_OVERLAP and match >= _MIN_MATCH:
                if line.text[best].isdigit():
                    yield image, int(line.text[best])
                continue
            is_wrong = overlap < _MAX_WRONG_OVERLAP and match < _MAX_WRONG_MATCH
            if is_wrong and is_kept[arc] and not is_straight_stroke(image):
                yield image, None


def is_straight_stroke(image: np.ndarray) -> bool:
    """Tells whether a piece is one straight stroke, by the moments of its ink.

    Half a digit that is such a stroke cannot be told from a 1 by its shape, only by its
    place. As an example of no class it would make the network doubt every 1.

    Args:
      image: `float32 (28, 28)` in [0, 1].

    Example:
      >>> stroke = np.zeros((28, 28), np.float32)
      >>> stroke[4:24, 13:16] = 1
      >>> is_straight_stroke(stroke)
      True
      >>> stroke[4:7, 8:20] = 1
      >>> is_straight_stroke(stroke)
      False
    """
    positions = np.argwhere(image > _MIN_INK).astype(float)
    if len(positions) < 2:
        return True
    centered = positions - positions.mean(0)
    variances, axes = np.linalg.eigh(np.cov(centered.T))
    across, along = (centered @ axes).T
    if variances[0] > _MAX_STROKE_RATIO**2 * variances[1]:
        return False
    _, step = np.unique(np.rint(along), return_inverse=True)
    middle = np.bincount(step, across) / np.bincount(step)
    return bool(middle.std() < _MAX_BEND)


def box_overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Computes the intersection over union (IoU) of boxes.

    Args:
      boxes: `float (N, 4)`, left, top, right and bottom.
      others: `float (M, 4)`.

    Returns:
      `float (N, M)`, in [0, 1].
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    other_area = np.prod(others[:, 2:] - others[:, :2], axis=-1)
    union = area[:, None] + other_area - common
    overlaps: np.ndarray = common / np.maximum(union, 1e-6)
    return overlaps


def _sample(rng: np.random.Generator, pieces: list[_Piece]) -> list[_Piece]:
    """Selects the right pieces of a line, and some of the wrong ones."""
    right = [piece for piece in pieces if piece[1] is not None]
    wrong = [piece for piece in pieces if piece[1] is None]
    count = round(_WRONG_PER_RIGHT * len(right)) or _MAX_WRONG_ALONE
    order = rng.permutation(len(wrong))[:count]
    return right + [wrong[index] for index in order]


def _stack(pieces: list[_Piece], num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the images and the targets of pieces, also of none."""
    images = np.zeros((len(pieces), 28, 28, 1), np.uint8)
    targets = np.zeros((len(pieces), num_classes), np.float32)
    for index, (image, label) in enumerate(pieces):
        images[index, ..., 0] = np.rint(255 * image)
        if label is None:
            targets[index] = 1 / num_classes
        else:
            targets[index, label] = 1
    return images, targets
