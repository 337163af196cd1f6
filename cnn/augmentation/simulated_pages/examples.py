"""Simulated pages: characters written anew on paper, lit, photographed and cropped, as people have them.

From what `cnn.images` finds on them a network learns what it will meet: thin, thick and broken strokes,
grey halos, clipped ends, and what is no character at all. Drawn with NumPy and OpenCV, apart from
`cnn.images` and `cnn.augment`, so that neither is checked by its own ideas: `sheet` has the ink, the paper,
the light and the camera, `kinds` whole pages, `scans` those that no camera took.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from PIL import Image

from cnn import parallel
from cnn.augmentation.simulated_pages.photographs import PAGE_KINDS
from cnn.preprocessing import pipeline
from cnn.preprocessing.opencv_threads import single_threaded_opencv

# What is found is the character from this likeness on, and is none below the other.
_ALIKE, _UNLIKE = 0.8, 0.6
# What is found on these is what is found on the others.
_NOTHING_NEW = ("mnist", "large_page", "table", "row", "boxed")
_LEARNED = [kind for kind in PAGE_KINDS if kind not in _NOTHING_NEW]


def make_page_examples(
    seed: int,
    characters: np.ndarray,
    targets: np.ndarray,
    count: int,
    preprocessing: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws pages, and reads them as `bin/infer` does.

    Args:
      seed: decides which.
      characters: `uint8 (N, 28, 28, 1)`, that are written on them.
      targets: `float32 (N, num_classes)`, their classes, a probability for each.
      count: how many pages.
      preprocessing: a name of `images.PREPROCESSING`.

    Returns:
      What was found, `uint8 (M, 28, 28, 1)`, and what a network should say of it, `float32 (M,
      num_classes)`: the class, or all classes alike where it is not the character; some pages are seen in
      several ways, some show nothing that is clearly one or the other.
    """
    visible = np.flatnonzero(characters.max((1, 2, 3)) > 127)

    def one(number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng([seed, 3, number])
        chosen = visible[rng.integers(len(visible))]
        character = characters[chosen, ..., 0] / np.float32(255)
        page = PAGE_KINDS[_LEARNED[number % len(_LEARNED)]](rng, character)
        found, _ = pipeline.preprocess_image(Image.fromarray(page), preprocessing)
        return list(_label_candidates(found, character, targets[chosen]))

    # One page per core: OpenCV and NumPy release the interpreter lock.
    with (
        single_threaded_opencv(),
        ThreadPoolExecutor(parallel.cpu_count()) as pool,
    ):
        learned = [
            pair
            for pairs in pool.map(one, range(count if len(visible) else 0))
            for pair in pairs
        ]
    pictures = np.array([picture for picture, _ in learned], np.uint8).reshape(
        -1, *pipeline.IMAGE_SHAPE
    )
    return pictures, np.array([answer for _, answer in learned], np.float32).reshape(
        -1, targets.shape[1]
    )


def _label_candidates(
    found: np.ndarray, character: np.ndarray, target: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for picture in found:
        alike = normalized_cross_correlation(picture, character)
        if alike >= _ALIKE or alike < _UNLIKE:
            answer = (
                target if alike >= _ALIKE else np.full_like(target, 1 / len(target))
            )
            yield np.rint(255 * picture).astype(np.uint8), answer


def normalized_cross_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Compares two pictures, whatever the width of their strokes.

    Args:
      one: `float32 (28, 28)`, from 0.
      other: the same.

    Returns:
      The cosine of the two, blurred, at the best of a few shifts; from 0 to 1.

    Example:
      >>> picture = np.zeros((28, 28), np.float32)
      >>> picture[5:20, 14] = 1
      >>> likeness(picture, picture) > 0.999, likeness(picture, picture.T) < 0.5
      (True, True)
    """
    one, other = (cv2.GaussianBlur(picture, (0, 0), 1.8) for picture in (one, other))
    shifts = ((0, 0), (0, 2), (0, -2), (2, 0), (-2, 0))
    best = max(float((np.roll(one, shift, (0, 1)) * other).sum()) for shift in shifts)
    return best / max(1e-9, float(np.linalg.norm(one) * np.linalg.norm(other)))
