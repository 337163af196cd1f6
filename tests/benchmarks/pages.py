"""Reads simulated pages: python -m tests.benchmarks.pages --model mnist_model.h5.

Digits of the validation split are drawn on pages of each kind of `cnn.pages`, and read as `bin/infer`
reads files; folders of labelled pictures, a folder a digit, are read beside them.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training import training_set


def main() -> None:
    """Prints how many of each kind are read right, how many are unsure, and the time a file takes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("mnist_model.h5"))
    parser.add_argument("--count", type=int, default=300, help="digits of each kind")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the training's split and of what is drawn",
    )
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--kinds", nargs="*", default=list(PAGE_KINDS))
    parser.add_argument(
        "--folders",
        type=Path,
        nargs="*",
        default=[],
        help="of folders 0 to 9 of pictures",
    )
    arguments = parser.parse_args()
    classifier = Classifier.load(arguments.model)
    print("| kind | read right | unsure or blank | ms a file |\n|---|---|---|---|")
    images, labels = digits(arguments.split, arguments.seed, arguments.count)
    with tempfile.TemporaryDirectory() as folder:
        for kind in arguments.kinds:
            paths = drawn(kind, images, arguments.seed, Path(folder))
            print(row(kind.replace("_", " "), classifier, paths, labels), flush=True)
    for folder_ in arguments.folders:
        paths = sorted(folder_.glob("[0-9]/*"))
        known = np.array([int(path.parent.name) for path in paths])
        print(row(folder_.name, classifier, paths, known), flush=True)


def digits(split: str, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns digits `(count, 28, 28)` in [0, 1] that were not trained on, and their labels."""
    train_set, test = datasets.load_train_and_test("mnist", None)
    known = (
        test
        if split == "test"
        else training_set.train_validation_split(train_set, TrainConfig(seed=seed))[1]
    )
    return known.images[:count, ..., 0] / np.float32(255), known.labels[:count]


def drawn(kind: str, images: np.ndarray, seed: int, folder: Path) -> list[Path]:
    """Writes a page of each digit; returns their paths."""
    paths = [folder / f"{kind}_{i}.png" for i in range(len(images))]
    for i, (path, image) in enumerate(zip(paths, images, strict=True)):
        Image.fromarray(PAGE_KINDS[kind](np.random.default_rng([seed, i]), image)).save(
            path
        )
    return paths


def row(
    name: str, classifier: Classifier, paths: list[Path], labels: np.ndarray
) -> str:
    """Reads files, and writes what came of it in a line of a table."""
    start = time.monotonic()
    readings = classifier.predict_files(paths)
    each = (time.monotonic() - start) / len(paths)
    right = np.mean(
        [r.prediction == str(label) for r, label in zip(readings, labels, strict=True)]
    )
    doubtful = np.mean([r.status != "ok" for r in readings])
    return f"| {name} | {right:.1%} | {doubtful:.1%} | {1000 * each:.1f} |"


if __name__ == "__main__":
    main()
