"""Draws the README's figures of training images and of simulated pages into `tests/figures`.

Run by hand, after `bin/train`: python -m tests.make_figures
"""

import tempfile
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from cnn import plots
from cnn.augmentation import affine, corruptions, glyphs, outlier_exposure
from cnn.augmentation.simulated_pages import PAGE_KINDS, examples
from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.preprocessing import pipeline
from tests.conftest import ROOT

FIGURES = ROOT / "tests" / "figures"
COUNT = 16


def main() -> None:
    """Draws both."""
    augmentation()
    simulated_pages(Classifier.load("mnist_model.h5"))


def augmentation() -> None:
    """Takes the first training images, a distortion a row."""
    dataset = datasets.load("mnist", "train")
    digits = (dataset.images[:COUNT, ..., 0] / 255).astype(np.float32)
    maps = affine.sample_affine(
        jax.random.key(0), COUNT, affine.AffineRanges(10, 0.1, 0.1, 2)
    )
    rows = {"(as it is)": digits, "warp": affine.warp(digits, maps)}
    bends = affine.sample_elastic(jax.random.key(1), COUNT, 0.4)
    rows["bend"] = affine.warp(
        digits,
        affine.sample_affine(jax.random.key(0), COUNT, affine.AffineRanges(0, 0, 0, 0)),
        bends,
    )
    for number, (name, distort) in enumerate(corruptions.CORRUPTIONS.items()):
        rows[name] = jax.jit(distort)(jax.random.key(number), digits)
    targets = np.eye(10, dtype=np.float32)[dataset.labels]
    pictures, _ = outlier_exposure.make_outliers(
        0, dataset.images, targets, 5 * COUNT, letters=True
    )
    rows["(two halves)"] = pictures[:COUNT, ..., 0] / 255
    rows["(no halves)"] = pictures[-COUNT:, ..., 0] / 255
    rows["(other hands)"] = glyphs.make_glyphs(0, COUNT)[0][..., 0] / 255
    rows["(from pages)"] = (
        examples.make_page_examples(0, dataset.images, targets, COUNT, "mnist")[0][
            :COUNT, ..., 0
        ]
        / 255
    )
    plots.plot_image_rows(
        {name: np.asarray(row) for name, row in rows.items()},
        FIGURES / "augmentation.png",
    )


def simulated_pages(classifier: Classifier) -> None:
    """Takes test digits, a kind of page each, and reads the pages."""
    test = datasets.load("mnist", "test")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{kind}.png" for kind in PAGE_KINDS]
        for i, (path, draw) in enumerate(zip(paths, PAGE_KINDS.values(), strict=True)):
            digit = test.images[i, ..., 0] / np.float32(255)
            Image.fromarray(draw(np.random.default_rng(i), digit)).save(path)
        readings = classifier.predict_files(paths)
        originals = [pipeline.explain(path).original for path in paths]
    captions = [
        (
            f"{path.stem.replace('_', ' ')}\nread as {r.prediction}, {r.confidence:.1%}",
            r.prediction == str(label),
        )
        for path, r, label in zip(paths, readings, test.labels, strict=False)
    ]
    pictures = np.array(
        [
            np.zeros(pipeline.IMAGE_SHAPE) if r.image is None else r.image
            for r in readings
        ]
    )
    plots.plot_page_examples(originals, pictures, captions, FIGURES / "pages.png")


if __name__ == "__main__":
    main()
