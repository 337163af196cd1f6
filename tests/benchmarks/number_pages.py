"""Reads simulated pages of handwritten numbers, and pages without any handwriting.

    python -m tests.benchmarks.number_pages --model mnist_model.h5

A number is found if a row's box and its box overlap by half of their union, and right if
the texts agree, too. Rows at other places are false. At the end it reads an A4 page of
300 dpi with 100 numbers in a process of its own, and prints the time and the memory.
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnn.augmentation.simulated_strings import (
    NUMBER_PAGE_KINDS,
    SimulatedNumberPage,
    simulate_number_page,
)
from cnn.classifier import Classifier
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from tests.benchmarks.strings import load_digits, table_row

COLUMNS = (
    "kind",
    "pages",
    "numbers",
    "found",
    "right",
    "right of ok",
    "false rows, ok",
    "pages with a false row, ok",
    "ms per page",
)

# Boxes of the same number share at least so much of their union.
MIN_OVERLAP = 0.5

# The page whose time and memory are measured.
TIMED_DPI = 300
TIMED_COUNT = 100


class PageRow(NamedTuple):
    """A number that was read on a page."""

    text: str
    box: np.ndarray
    is_ok: bool


class PageScore(NamedTuple):
    """What was read of one page, in numbers of rows."""

    numbers: int
    found: int
    right: int
    right_ok: int
    found_ok: int
    false_ok: int
    milliseconds: float


def main() -> None:
    """Prints a row per kind of page, and the cost of a page of 100 numbers."""
    arguments = parse_arguments()
    classifier = Classifier.load(arguments.model)
    digits = load_digits(arguments.split, arguments.seed)
    print(table_row(*COLUMNS) + "\n" + "|---" * len(COLUMNS) + "|")
    for kind in arguments.kinds:
        scores = []
        for i in range(arguments.count):
            rng = np.random.default_rng([arguments.seed, i])
            page = simulate_number_page(rng, kind, *digits, dpi=arguments.dpi)
            rows, milliseconds = read_page(classifier, page.image)
            scores.append(score_page(page, rows, milliseconds))
            keep_page(arguments.keep, f"{kind}_{i}", page.image, rows)
        print(format_row(kind.replace("_", " "), scores), flush=True)
    print_cost(arguments.model, *digits)


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=20, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dpi", type=float, default=150)
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--kinds", nargs="*", default=list(NUMBER_PAGE_KINDS))
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write pages with the rows drawn"
    )
    return parser.parse_args()


def read_page(classifier: Classifier, image: np.ndarray) -> tuple[list[PageRow], float]:
    """Reads all numbers of a page: its rows, and the milliseconds of CPU time."""
    start = time.process_time()
    with single_threaded_opencv():
        numbers = classifier.read_page(image)
    milliseconds = 1000 * (time.process_time() - start)
    rows = [
        PageRow(number.prediction, np.asarray(number.box), number.status == "ok")
        for number in numbers
    ]
    return rows, milliseconds


def score_page(
    page: SimulatedNumberPage, rows: list[PageRow], milliseconds: float
) -> PageScore:
    """Compares the rows of a page with its numbers. Each is matched at most once."""
    free = list(page.numbers)
    found = right = right_ok = found_ok = false_ok = 0
    for row in rows:
        overlaps = [overlap(row.box, number.box) for number in free]
        if not overlaps or max(overlaps) < MIN_OVERLAP:
            false_ok += row.is_ok
            continue
        number = free.pop(int(np.argmax(overlaps)))
        is_right = number.text == row.text
        found += 1
        right += is_right
        found_ok += row.is_ok
        right_ok += is_right and row.is_ok
    return PageScore(
        len(page.numbers), found, right, right_ok, found_ok, false_ok, milliseconds
    )


def overlap(left: np.ndarray, right: np.ndarray) -> float:
    """Returns the intersection of two boxes, as a fraction of their union."""
    sides = np.minimum(left[2:], right[2:]) - np.maximum(left[:2], right[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = sum(float(np.prod(box[2:] - box[:2])) for box in (left, right))
    return common / max(areas - common, 1e-6)


def keep_page(
    folder: Path | None, name: str, image: np.ndarray, rows: list[PageRow]
) -> None:
    """Writes a page, with a box and the text of each row: green if ok, else red."""
    if folder is None:
        return
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    drawn = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    for row in rows:
        color = (0, 160, 0) if row.is_ok else (0, 0, 255)
        left, top, right, bottom = np.rint(row.box).astype(int).tolist()
        cv2.rectangle(drawn, (left, top), (right, bottom), color, 1)
        cv2.putText(drawn, row.text, (left, top - 2), 0, 0.5, color, 1, cv2.LINE_AA)
    cv2.imwrite(str(folder / f"{name}.png"), drawn)


def format_row(name: str, scores: list[PageScore]) -> str:
    """Formats the results of a kind as a row of a Markdown table."""
    sums = PageScore(*np.sum(scores, axis=0).tolist())
    has_false = sum(score.false_ok > 0 for score in scores)
    return table_row(
        name,
        f"{len(scores)}",
        f"{sums.numbers:.0f}",
        f"{sums.found / sums.numbers:.1%}" if sums.numbers else "",
        f"{sums.right / sums.numbers:.1%}" if sums.numbers else "",
        f"{sums.right_ok / sums.found_ok:.1%}" if sums.found_ok else "",
        f"{sums.false_ok:.0f}",
        f"{has_false}",
        f"{np.median([score.milliseconds for score in scores]):.0f}",
    )


def print_cost(model: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Prints the time and the memory of an A4 page, read in a process of its own."""
    rng = np.random.default_rng(0)
    page = simulate_number_page(
        rng, "columns", images, labels, dpi=TIMED_DPI, count=TIMED_COUNT
    )
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, before, peak = pool.apply(measure_page, (model, page.image))
    print(
        f"\nA4 at {TIMED_DPI} dpi with {len(page.numbers)} numbers: {seconds:.2f} s, "
        f"{peak:.0f} MiB at most, {before:.0f} MiB before it"
    )


def measure_page(model: Path, image: np.ndarray) -> tuple[float, float, float]:
    """Returns the best time of three in seconds, and the memory before and at most."""
    classifier = Classifier.load(model)
    classifier.predict_proba(np.zeros((256, 28, 28), np.float32))
    before = _peak_memory()
    times = [read_page(classifier, image)[1] for _ in range(3)]
    return min(times) / 1000, before, _peak_memory()


def _peak_memory() -> float:
    """Returns the largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
