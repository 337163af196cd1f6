"""Measures a model on corrupted digits and on images that are no digits.

    python -m tests.benchmarks.corruptions --model mnist_model.h5

The corruptions are those of MNIST-C, written anew (`mnist_c.py`). Errors here cannot be
compared with those on its files.

Corruptions and non-digits share no code with `cnn.augmentation` and `cnn.preprocessing`, on
purpose. A model is measured on images that were not made by the code that made its
training images.
"""

import argparse

import numpy as np
from PIL import Image, ImageDraw
from scipy import stats

from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training import training_set
from tests.benchmarks.mnist_c import CORRUPTIONS, SIZE, corrupt_all, make_generator
from tests.benchmarks.non_digits import make_non_digits

COUNT = 2000  # Images of each kind of non-digit.


def _without_channel(dataset: datasets.Dataset) -> np.ndarray:
    """Drops the channel axis."""
    return dataset.images.reshape(-1, SIZE, SIZE)


def _error_rate(
    classifier: Classifier, images: np.ndarray, labels: np.ndarray
) -> float:
    """Computes the fraction of wrong predictions."""
    return float((classifier.predict_proba(images).argmax(-1) != labels).mean())


def errors(
    classifier: Classifier, dataset: datasets.Dataset, seed: int
) -> dict[str, float]:
    """Computes the error rate, in [0, 1], per corruption and on `clean` images."""
    images = _without_channel(dataset)
    result = {"clean": _error_rate(classifier, images, dataset.labels)}
    for name, corrupt in CORRUPTIONS.items():
        result[name] = _error_rate(
            classifier, corrupt(make_generator(seed, name), images), dataset.labels
        )
    return result


def auroc(digits: np.ndarray, others: np.ndarray) -> float:
    """Computes the area under the ROC curve of confidence; ties count half."""
    ranks = stats.rankdata(np.concatenate([digits, others]))
    least = len(digits) * (len(digits) + 1) / 2
    return float((ranks[: len(digits)].sum() - least) / (len(digits) * len(others)))


def aurocs(
    classifier: Classifier, dataset: datasets.Dataset, seed: int
) -> dict[str, float]:
    """Computes the AUROC of digits against each kind of non-digit and `all`."""
    images = _without_channel(dataset)
    digits = classifier.predict_proba(images).max(-1)
    others: dict[str, np.ndarray] = {}
    for name, made in make_non_digits(images, dataset.labels, seed, COUNT).items():
        others[name] = classifier.predict_proba(made).max(-1)
    others["all"] = np.concatenate(list(others.values()))
    return {name: auroc(digits, confidences) for name, confidences in others.items()}


def draw_contact_sheet(dataset: datasets.Dataset, seed: int, path: str) -> None:
    """Draws a contact sheet: a row of 8 images per kind, at three times their size."""
    images = _without_channel(dataset)
    labels = dataset.labels
    rows = (
        {"clean": images[:8]}
        | corrupt_all(images[:8], seed)
        | make_non_digits(images, labels, seed, 8)
    )
    zoom = 3
    margin = 110
    pitch = SIZE * zoom + 2
    sheet = Image.new("L", (margin + 8 * pitch, len(rows) * pitch), 128)
    for row, (name, examples) in enumerate(rows.items()):
        ImageDraw.Draw(sheet).text((6, (row + 0.4) * pitch), name, fill=255)
        for column, image in enumerate(examples):
            large = np.kron(image, np.ones((zoom, zoom), np.uint8))
            sheet.paste(Image.fromarray(large), (margin + column * pitch, row * pitch))
    sheet.save(path)


def _print_tables(classifier: Classifier, dataset: datasets.Dataset, seed: int) -> None:
    """Prints the error rates, then the areas under the ROC curve."""
    found = errors(classifier, dataset, seed)
    clean = found.pop("clean")
    print("error")
    for name, error in found.items():
        print(f"  {name:<15}{error:8.2%}")
    print(f"  {'mean of the 15':<15}{np.mean(list(found.values())):8.2%}")
    print(f"  {'clean':<15}{clean:8.2%}")
    print("AUROC of confidence, digits against")
    for name, area in aurocs(classifier, dataset, seed).items():
        print(f"  {name:<15}{area:8.4f}")


def main() -> None:
    """Prints the tables of a model, or draws a contact sheet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the validation split and of the images",
    )
    parser.add_argument(
        "--sheet", metavar="PATH", help="write 8 images of each kind to a PNG, and stop"
    )
    arguments = parser.parse_args()
    train_set, dataset = datasets.load_train_and_test("mnist", None)
    if arguments.split == "validation":
        dataset = training_set.train_validation_split(
            train_set, TrainConfig(seed=arguments.seed)
        )[1]
    if arguments.sheet:
        draw_contact_sheet(dataset, arguments.seed, arguments.sheet)
    else:
        _print_tables(Classifier.load(arguments.model), dataset, arguments.seed)


if __name__ == "__main__":
    main()
