"""Reads the 10,000 test digits as arrays, and as PNGs in both polarities.

python -m tests.benchmarks.reading mnist_model.h5
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.models import find_model
from tests.conftest import ROOT


def main() -> None:
    """Prints the accuracy of arrays, then the closing line of `bin/infer` per polarity."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument(
        "--count", type=int, default=10_000, help="number of test digits"
    )
    arguments = parser.parse_args()
    model = find_model(arguments.model).absolute()
    test_set = datasets.load("mnist", "test")
    images = test_set.images[: arguments.count]
    labels = test_set.labels[: arguments.count]
    accuracy = (Classifier.load(model).predict(images) == labels).mean()
    print(f"arrays: {accuracy:.2%}")
    pngs = [Image.fromarray(image) for image in images[..., 0]]
    print(f"white on black: {infer(model, pngs, labels)}")
    print(f"black on white: {infer(model, map(ImageOps.invert, pngs), labels)}")


def infer(model: Path, images: Iterable[Image.Image], labels: np.ndarray) -> str:
    """Writes images as PNGs, reads them by `bin/infer`, and returns its closing line."""
    command = [sys.executable, str(ROOT / "bin" / "infer"), "--plot", "none"]
    with tempfile.TemporaryDirectory() as folder:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            image.save(f"{folder}/{index}_{label}.png")
        command += ["--input", folder, "--model", str(model)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stderr.strip()


if __name__ == "__main__":
    main()
