"""Times the reading of photographs, from file to network input, on one core."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.preprocessing import pipeline
from tests.benchmarks.pages import load_digits

# The kinds of the former tables.
PLAIN_KINDS = (
    "plain", "ruled", "squared", "faint", "shadows", "careless", "phone",
    "low_resolution",
)  # fmt: skip
_SIDES = 150, 500


def time_photographs(
    kinds: Sequence[str], count: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Times photographs, and the same by a few calls of OpenCV, in turns.

    Args:
      kinds: of `cnn.augmentation.simulated_pages`.
      count: photographs of each kind.
      rounds: number of measurements.

    Returns:
      Median milliseconds of CPU time per photograph in each round, of both.
    """
    ours = []
    plain = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_photographs(Path(folder), kinds, count)
        read_photograph(paths[0])
        for _ in range(rounds):
            ours.append(_median_milliseconds(read_photograph, paths))
            plain.append(_median_milliseconds(read_plainly, paths))
    return ours, plain


def write_photographs(folder: Path, kinds: Sequence[str], count: int) -> list[Path]:
    """Writes JPEGs of validation digits, whose longer side has 150 to 500 pixels."""
    images, _ = load_digits("validation", 0, count)
    paths = []
    for kind in kinds:
        for index, image in enumerate(images):
            rng = np.random.default_rng([index])
            page = PAGE_KINDS[kind](rng, image)
            side = np.exp(rng.uniform(*np.log(_SIDES)))
            scale = side / max(page.shape[:2])
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=how)
            paths.append(folder / f"{kind}_{index}.jpg")
            Image.fromarray(page).save(paths[-1], quality=90)
    return paths


def read_photograph(path: Path) -> None:
    """Makes the network input as `bin/infer` does."""
    pipeline.preprocess_files([str(path)], "mnist")


def read_plainly(path: Path) -> np.ndarray:
    """Makes a network input as tutorials of OpenCV do: Otsu, and the largest contour."""
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    blurred = cv2.GaussianBlur(gray, (5, 5), 0)
    flags = cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU
    _, ink = cv2.threshold(blurred, 0, 255, flags)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    left, top, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea))
    crop = ink[top : top + height, left : left + width]
    return np.pad(cv2.resize(crop, (20, 20), interpolation=cv2.INTER_AREA), 4)


def _median_milliseconds(read: Callable[[Path], object], paths: list[Path]) -> float:
    milliseconds = []
    for path in paths:
        start = time.process_time()
        read(path)
        milliseconds.append(1000 * (time.process_time() - start))
    return statistics.median(milliseconds)
