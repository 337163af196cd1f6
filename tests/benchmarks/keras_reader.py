"""Reads a folder of digits with Keras, as a short script of a user would.

    python keras_reader.py MODEL.h5 FOLDER OUTPUT.csv

It runs in the environment of Keras on TensorFlow, and imports nothing of this package.
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


def main(model_path: str, folder: str, output: str) -> None:
    """Writes the path, digit and probability of each PNG."""
    paths = sorted(Path(folder).rglob("*.png"))
    images = np.stack([np.asarray(Image.open(path).convert("L")) for path in paths])
    model = keras.models.load_model(model_path)
    inputs = images[..., None].astype("float32") / 255
    probabilities = model.predict(inputs, batch_size=256, verbose=0)
    with open(output, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "prediction", "confidence"])
        for path, row in zip(paths, probabilities, strict=True):
            rows.writerow([path, row.argmax(), f"{row.max():.6f}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
