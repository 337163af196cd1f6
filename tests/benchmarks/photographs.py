"""Times the reading of photographs on one core, without the network.

    taskset -c 0 python -m tests.benchmarks.photographs

The photographs are JPEGs of simulated pages, of 150 to 500 pixels, and of 12 megapixels.
Beside them stand a plain pipeline of OpenCV, which knows neither shadows nor lines, and
Pillow's draft mode, which decodes alone. All are timed by turns; each photograph has the
least CPU time of its rounds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.preprocessing import pipeline
from tests.benchmarks.folders import decode_draft, write_photographs
from tests.benchmarks.pages import load_digits

# Paper on a table, rather than forms, tables and scans.
PLAIN_KINDS = (
    *("plain", "ruled", "squared", "faint"),
    *("shadows", "careless", "phone", "low_resolution"),
)
_MIN_SIDE = 150
_MAX_SIDE = 500
_JPEG_QUALITY = 90
_NUM_LARGE = 10


def main() -> None:
    """Prints the times of photographs as rows of a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--count", type=int, default=20, help="photographs of each kind"
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(
        "| photographs | cnn, ms, median (mean) | peer, ms, median (mean) |\n|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as temporary:
        kinds = write_small_photographs(Path(temporary), arguments.count)
        plain = [path for kind in PLAIN_KINDS for path in kinds[kind]]
        every = [path for paths in kinds.values() for path in paths]
        for name, paths in (("eight plain kinds", plain), ("all kinds", every)):
            times = time_by_turns(paths, read_plainly, arguments.rounds)
            print_row(f"{name}, 150 to 500 pixels", times)
    with tempfile.TemporaryDirectory() as temporary:
        write_photographs(Path(temporary), _NUM_LARGE)
        paths = sorted(Path(temporary).iterdir())
        print_row("12 megapixels", time_by_turns(paths, decode_draft, arguments.rounds))


def write_small_photographs(folder: Path, count: int) -> dict[str, list[Path]]:
    """Writes photographs of all kinds but `mnist`, and returns their paths by kind."""
    images, _ = load_digits("validation", 0, count)
    kinds: dict[str, list[Path]] = {}
    for kind in [kind for kind in PAGE_KINDS if kind != "mnist"]:
        (folder / kind).mkdir()
        kinds[kind] = [folder / kind / f"{i}.jpg" for i in range(count)]
        for i, path in enumerate(kinds[kind]):
            page = PAGE_KINDS[kind](np.random.default_rng([0, i]), images[i])
            resized = _fit_side(page, np.random.default_rng([1, i]))
            Image.fromarray(resized).save(path, quality=_JPEG_QUALITY)
    return kinds


def _fit_side(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Resizes a page whose longer side is not from 150 to 500 pixels."""
    longest_side = max(page.shape[:2])
    if _MIN_SIDE <= longest_side <= _MAX_SIDE:
        return page
    side = np.exp(rng.uniform(np.log(_MIN_SIDE), np.log(_MAX_SIDE)))
    scale = side / longest_side
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(page, None, fx=scale, fy=scale, interpolation=method)


def read_plainly(path: Path) -> object:
    """Reads a photograph as tutorials do it: blur, Otsu, the largest contour, 28×28."""
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    blurred = cv2.GaussianBlur(gray, (5, 5), 0)
    method = cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU
    _, ink = cv2.threshold(blurred, 0, 255, method)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    left, top, width, height = cv2.boundingRect(largest)
    scale = 20 / max(width, height)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    digit = cv2.resize(ink[top : top + height, left : left + width], size)
    image = np.zeros((28, 28), np.uint8)
    row, column = (28 - size[1]) // 2, (28 - size[0]) // 2
    image[row : row + size[1], column : column + size[0]] = digit
    return image


def time_by_turns(
    paths: list[Path], peer: Callable[[Path], object], rounds: int
) -> np.ndarray:
    """Returns CPU times in ms, `float64 (rounds, 2, paths)`: of ours and of a peer."""
    readers = (_read, peer)
    times = np.full((rounds + 1, 2, len(paths)), np.inf)
    for turn in range(rounds + 1):
        for i, path in enumerate(paths):
            for j, read in enumerate(readers):
                start = time.process_time()
                read(path)
                times[turn, j, i] = 1000 * (time.process_time() - start)
    return times[1:]  # The first round warms up.


def _read(path: Path) -> object:
    return pipeline.preprocess_files([str(path)], "mnist")


def print_row(name: str, times: np.ndarray) -> None:
    """Prints the median and the mean of both readers, of the least times."""
    least = times.min(axis=0)
    cells = [f"{np.median(part):.2f} ({part.mean():.2f})" for part in least]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
