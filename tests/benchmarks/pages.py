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

import numpy as np
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training import training_set


def main() -> None:
    """Prints accuracy, the fraction of unsure files and milliseconds per file."""
    arguments = parse_arguments()
    classifier = Classifier.load(arguments.model)
    print("| kind | accuracy | unsure or blank | ms per file |\n|---|---|---|---|")
    images, labels = load_digits(arguments.split, arguments.seed, arguments.count)
    with tempfile.TemporaryDirectory() as folder:
        for kind in arguments.kinds:
            paths = render_pages(kind, images, arguments.seed, Path(folder))
            name = kind.replace("_", " ")
            print(format_row(name, classifier, paths, labels), flush=True)
    for labeled in arguments.folders:
        paths = sorted(labeled.glob("[0-9]/*"))
        known = np.array([int(path.parent.name) for path in paths])
        print(format_row(labeled.name, classifier, paths, known), flush=True)


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("mnist_model.h5"))
    parser.add_argument("--count", type=int, default=300, help="digits of each kind")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the validation split and the pages"
    )
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--kinds", nargs="*", default=list(PAGE_KINDS))
    parser.add_argument(
        "--folders",
        type=Path,
        nargs="*",
        default=[],
        help="folders with subfolders 0 to 9 of images",
    )
    return parser.parse_args()


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


def render_pages(kind: str, images: np.ndarray, seed: int, folder: Path) -> list[Path]:
    """Writes a page per digit as a PNG, and returns the paths."""
    paths = []
    for index, image in enumerate(images):
        page = PAGE_KINDS[kind](np.random.default_rng([seed, index]), image)
        paths.append(folder / f"{kind}_{index}.png")
        Image.fromarray(page).save(paths[-1])
    return paths


def format_row(
    name: str, classifier: Classifier, paths: list[Path], labels: np.ndarray
) -> str:
    """Classifies files, and formats the results as a row of a Markdown table."""
    start = time.monotonic()
    predictions = classifier.predict_files(paths)
    milliseconds = 1000 * (time.monotonic() - start) / len(paths)
    guesses = [prediction.prediction for prediction in predictions]
    accuracy = np.mean(np.array(guesses) == labels.astype(str))
    doubtful = np.mean([prediction.status != "ok" for prediction in predictions])
    return f"| {name} | {accuracy:.1%} | {doubtful:.1%} | {milliseconds:.1f} |"


if __name__ == "__main__":
    main()
