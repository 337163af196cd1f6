"""Reads a folder of digits into a CSV by Keras, as its tutorials do.

Usage: python keras_reader.py MODEL FOLDER OUTPUT

It runs in an environment of its own, without this package. The digits must be light on
dark and 28×28 pixels large, like those of MNIST: nothing is found or centered.
"""

import csv
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from PIL import Image


def main() -> None:
    """Writes a row per file: its path, digit and probability."""
    path, folder, output = sys.argv[1:]
    model = keras.models.load_model(path)
    paths = sorted(Path(folder).rglob("*.png"))
    images = np.array([np.array(Image.open(path).convert("L")) for path in paths])
    probabilities = model.predict(images[..., None] / 255, batch_size=256, verbose=0)
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "prediction", "confidence"])
        for path, row in zip(paths, probabilities, strict=True):
            writer.writerow([path, row.argmax(), row.max()])


if __name__ == "__main__":
    main()
