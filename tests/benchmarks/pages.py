"""Reads simulated pages, and folders of labeled images.

    python -m tests.benchmarks.pages --model mnist_model.h5

Digits of the validation split are rendered on pages of each kind of
`cnn.augmentation.simulated_pages`, written as PNGs and classified as `bin/infer` does. A
folder of labeled images has one subfolder per digit.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cnn import calibration
from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training import training_set

COLUMNS = (
    "kind",
    "count",
    "correct",
    "unsure or blank",
    "correct of ok",
    "wrong, over 99 % sure",
    "ms per file",
)


class Readings(NamedTuple):
    """Predictions of labeled files.

    Attributes:
      is_correct: `bool (N,)`.
      is_ok: `bool (N,)`, whether the status is `ok`.
      confidence: `float64 (N,)` in [0, 1], 0 for blank files.
      milliseconds: time per file.
    """

    is_correct: np.ndarray
    is_ok: np.ndarray
    confidence: np.ndarray
    milliseconds: float


def main() -> None:
    """Prints accuracy, doubt and time per kind, and the calibration of all kinds."""
    arguments = parse_arguments()
    classifier = Classifier.load(arguments.model)
    print(_table_row(*COLUMNS) + "\n" + "|---" * len(COLUMNS) + "|")
    images, labels = load_digits(arguments.split, arguments.seed, arguments.count)
    kinds = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        for kind in arguments.kinds:
            paths = render_pages(kind, images, labels, arguments.seed, folder / kind)
            kinds.append(read_files(classifier, paths, labels))
            print(format_row(kind.replace("_", " "), kinds[-1]), flush=True)
    if kinds:
        print(format_row("all kinds", _concatenate(kinds)))
    for labeled in arguments.folders:
        paths = sorted(labeled.glob("[0-9]/*"))
        known = np.array([int(path.parent.name) for path in paths])
        print(format_row(labeled.name, read_files(classifier, paths, known)))
    if kinds:
        print(f"calibration error of all kinds: {_calibration_error(kinds):.2%}")


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=300, help="digits of each kind")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the validation split and the pages"
    )
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write the pages to FOLDER/KIND"
    )
    parser.add_argument("--kinds", nargs="*", default=list(PAGE_KINDS))
    add_folders(parser)
    return parser.parse_args()


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Adds the flag of folders of real digits."""
    parser.add_argument(
        "--folders",
        type=Path,
        nargs="*",
        default=[],
        help="folders with subfolders 0 to 9 of images",
    )


def load_digits(split: str, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Loads digits that were not trained on.

    Returns:
      The images, `float32 (count, 28, 28)` in [0, 1], and their labels.
    """
    train_set, dataset = datasets.load_train_and_test("mnist", None)
    if split == "validation":
        config = TrainConfig(seed=seed)
        dataset = training_set.train_validation_split(train_set, config)[1]
    images = dataset.images[:count, ..., 0] / np.float32(255)
    return images, dataset.labels[:count]


def render_pages(
    kind: str, images: np.ndarray, labels: np.ndarray, seed: int, folder: Path
) -> list[Path]:
    """Writes a page per digit as LABEL/NUMBER.png, and returns the paths."""
    paths = []
    for index, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        page = PAGE_KINDS[kind](np.random.default_rng([seed, index]), image)
        path = folder / str(label) / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(page).save(path)
        paths.append(path)
    return paths


def read_files(
    classifier: Classifier, paths: list[Path], labels: np.ndarray
) -> Readings:
    """Classifies labeled files."""
    start = time.monotonic()
    predictions = classifier.predict_files(paths)
    seconds = time.monotonic() - start
    names = np.array([prediction.prediction for prediction in predictions])
    return Readings(
        is_correct=names == labels.astype(str),
        is_ok=np.array([prediction.status == "ok" for prediction in predictions]),
        confidence=np.array([prediction.confidence for prediction in predictions]),
        milliseconds=1000 * seconds / len(paths),
    )


def _concatenate(readings: list[Readings]) -> Readings:
    is_correct, is_ok, confidence, milliseconds = zip(*readings, strict=True)
    return Readings(
        np.concatenate(is_correct),
        np.concatenate(is_ok),
        np.concatenate(confidence),
        float(np.mean(milliseconds)),
    )


def _calibration_error(kinds: list[Readings]) -> float:
    together = _concatenate(kinds)
    return calibration.expected_calibration_error(
        together.confidence, together.is_correct
    )


def format_row(name: str, readings: Readings) -> str:
    """Formats the results as a row of a Markdown table."""
    is_ok = readings.is_ok
    is_sure_mistake = ~readings.is_correct & (readings.confidence > 0.99)
    return _table_row(
        name,
        f"{len(is_ok):,}",
        f"{readings.is_correct.mean():.1%}",
        f"{1 - is_ok.mean():.1%}",
        f"{readings.is_correct[is_ok].mean():.1%}" if is_ok.any() else "",
        f"{is_sure_mistake.sum()}",
        f"{readings.milliseconds:.1f}",
    )


def _table_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
