"""Training examples from simulated pages, preprocessed as `bin/infer` does it.

From these examples a network learns the results of preprocessing: thin, thick and
broken strokes, gray halos, clipped ends, and marks that are not the character. Pages
are rendered by NumPy and OpenCV alone, so that preprocessing is not tested by its own
code.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from PIL import Image

from cnn import parallel
from cnn.augmentation.simulated_pages.page_kinds import PAGE_KINDS
from cnn.preprocessing import pipeline
from cnn.preprocessing.candidates import Candidates
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.slant import estimate_slants, make_upright

# An image and its class probabilities.
Example = tuple[np.ndarray, np.ndarray]

# A candidate shows the character if their correlation is at least this, in [0, 1].
_MIN_MATCH = 0.8
# A candidate does not show the character if their correlation is below this.
_MAX_MISMATCH = 0.6

# Candidates from these kinds look like those from the other kinds.
_REDUNDANT_KINDS = ("mnist", "large_page", "table", "row", "boxed")
_TRAINING_KINDS = [kind for kind in PAGE_KINDS if kind not in _REDUNDANT_KINDS]

# Separates the random numbers of pages from others of the same seed.
_PAGE_STREAM = 3

# Characters without a pixel above this gray level are not written on pages.
_MIN_PEAK = 127

# Size and position of two characters that are compared upright.
_MNIST_PLACEMENT = Placement(box=20, by_center_of_mass=True)

# Blur before two characters are compared, in pixels. It makes the comparison
# insensitive to the width of the strokes.
_MATCH_BLUR = 1.8
# Largest shift between two characters that are compared, in pixels.
_MATCH_SHIFT = 2


def make_page_examples(
    seed: int,
    characters: np.ndarray,
    targets: np.ndarray,
    count: int,
    preprocessing: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulates pages and preprocesses them.

    Args:
      seed: seed of the random generator.
      characters: `uint8 (N, 28, 28, 1)`, to be written on the pages.
      targets: `float32 (N, num_classes)`, class probabilities of the characters.
      count: number of pages.
      preprocessing: a key of `pipeline.PREPROCESSING`.

    Returns:
      Images, `uint8 (M, 28, 28, 1)`, and targets, `float32 (M, num_classes)`. The
      target is uniform for an image that does not show the character. A page
      contributes all its candidates, except those between match and mismatch.
    """
    pages = simulate_pages(
        [seed, _PAGE_STREAM], _TRAINING_KINDS, characters, count, preprocessing
    )
    examples: list[Example] = []
    for index, candidates in pages:
        character = characters[index, ..., 0] / np.float32(255)
        examples += _label_candidates(candidates.images, character, targets[index])
    num_classes = targets.shape[1]
    return _stack_examples(examples, num_classes)


def simulate_pages(
    seed: Sequence[int],
    kinds: Sequence[str],
    characters: np.ndarray,
    count: int,
    preprocessing: str,
) -> Iterator[tuple[int, Candidates]]:
    """Simulates pages of each kind in turn, and preprocesses them.

    Args:
      seed: seed of the random generators, which the number of a page completes.
      kinds: keys of `PAGE_KINDS`.
      characters: `uint8 (N, 28, 28, 1)`, to be written on the pages. Almost empty ones
        are left out.
      count: number of pages.
      preprocessing: a key of `pipeline.PREPROCESSING`.

    Yields:
      The index of the page's character, and the candidates of the page.
    """
    peaks = characters.max((1, 2, 3))
    visible = np.flatnonzero(peaks > _MIN_PEAK)
    if not len(visible):
        return

    def simulate_page(number: int) -> tuple[int, Candidates]:
        rng = np.random.default_rng([*seed, number])
        index = int(visible[rng.integers(len(visible))])
        character = characters[index, ..., 0] / np.float32(255)
        kind = kinds[number % len(kinds)]
        page = PAGE_KINDS[kind](rng, character)
        return index, pipeline.preprocess_image(Image.fromarray(page), preprocessing)

    # NumPy and OpenCV release the interpreter lock.
    executor = ThreadPoolExecutor(parallel.cpu_count())
    with single_threaded_opencv(), executor as pool:
        yield from pool.map(simulate_page, range(count))


def _stack_examples(
    examples: list[Example], num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the images and the targets as two arrays, also of no examples."""
    images = [image for image, _ in examples]
    targets = [target for _, target in examples]
    image_array = np.array(images, np.uint8)
    target_array = np.array(targets, np.float32)
    return (
        image_array.reshape(-1, *pipeline.IMAGE_SHAPE),
        target_array.reshape(-1, num_classes),
    )


def _label_candidates(
    candidates: np.ndarray, character: np.ndarray, target: np.ndarray
) -> Iterator[Example]:
    """Yields the candidates that clearly show the character or clearly do not."""
    num_classes = len(target)
    no_class = np.full_like(target, 1 / num_classes)
    for candidate in candidates:
        correlation = _compare_regardless_of_slant(candidate, character)
        gray_levels = np.rint(255 * candidate)
        image = gray_levels.astype(np.uint8)
        if correlation >= _MIN_MATCH:
            yield image, target
        elif correlation < _MAX_MISMATCH:
            yield image, no_class


def _compare_regardless_of_slant(candidate: np.ndarray, character: np.ndarray) -> float:
    """Compares two characters as they are and upright, and returns the better match.

    Pages slant characters, and preprocessing removes the slant.
    """
    as_they_are = normalized_cross_correlation(candidate, character)
    if as_they_are >= _MIN_MATCH:
        return as_they_are
    upright = normalized_cross_correlation(
        _remove_slant(candidate), _remove_slant(character)
    )
    return max(as_they_are, upright)


def _remove_slant(image: np.ndarray) -> np.ndarray:
    """Makes a character upright, `float32 (28, 28)`."""
    (slant,) = estimate_slants(image[None]).tolist()
    return make_upright(image, slant, _MNIST_PLACEMENT)


def normalized_cross_correlation(image: np.ndarray, other: np.ndarray) -> float:
    """Compares two characters, regardless of the width of their strokes.

    Args:
      image: `float32 (28, 28)`, at least 0.
      other: image of the same shape and range.

    Returns:
      The normalized cross-correlation of the blurred images, in [0, 1]. It is the
      largest of five shifts of `image`: none, and 2 pixels along each axis.

    Example:
      >>> stroke = np.zeros((28, 28), np.float32)
      >>> stroke[5:20, 14] = 1
      >>> normalized_cross_correlation(stroke, stroke) > 0.999
      True
      >>> normalized_cross_correlation(stroke, stroke.T) < 0.5
      True
    """
    image = cv2.GaussianBlur(image, (0, 0), _MATCH_BLUR)
    other = cv2.GaussianBlur(other, (0, 0), _MATCH_BLUR)
    wrapped = cv2.copyMakeBorder(
        image,
        top=_MATCH_SHIFT,
        bottom=_MATCH_SHIFT,
        left=_MATCH_SHIFT,
        right=_MATCH_SHIFT,
        borderType=cv2.BORDER_WRAP,
    )
    correlations = cv2.matchTemplate(wrapped, other, cv2.TM_CCORR_NORMED)
    unshifted = _MATCH_SHIFT
    along_x = correlations[unshifted, ::_MATCH_SHIFT]
    along_y = correlations[::_MATCH_SHIFT, unshifted]
    largest = max(along_x.max(), along_y.max())
    return float(largest)
