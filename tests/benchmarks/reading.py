"""Reads the 10,000 test digits as arrays, and as PNGs in both polarities: python -m tests.benchmarks.reading MODEL."""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from cnn.classifier import Classifier
from cnn.data import datasets
from tests.conftest import ROOT


def main() -> None:
    """Prints the three accuracies."""
    test, model = datasets.load("mnist", "test"), Path(sys.argv[1]).absolute()
    right = (Classifier.load(model).predict(test.images) == test.labels).mean()
    print(f"arrays: {right:.2%}")
    for name, change in (
        ("white on black", lambda image: image),
        ("black on white", ImageOps.invert),
    ):
        with tempfile.TemporaryDirectory() as folder:
            for i, (pixels, label) in enumerate(
                zip(test.images[..., 0], test.labels, strict=True)
            ):
                change(Image.fromarray(pixels)).save(f"{folder}/{i}_{label}.png")
            command = [
                sys.executable,
                str(ROOT / "bin" / "infer"),
                "--input",
                folder,
                "--model",
                str(model),
            ]
            command += ["--plot", "none"]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"{name}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
