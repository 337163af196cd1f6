"""Draws `tests/figures/augmentation.png`: what `cnn.augment` and `cnn.outliers` make of training images.

Run by hand: python -m tests.make_figures
"""

import jax
import numpy as np

from cnn import augment, data, outliers, plots
from tests.conftest import ROOT

COUNT = 16


def main() -> None:
    """Takes the first training images, a distortion a row."""
    dataset = data.load("mnist", "train")
    images = (dataset.images[:COUNT, ..., 0] / 255).astype(np.float32)
    maps = augment.draw(jax.random.key(0), COUNT, augment.Affine(10, 0.1, 0.1, 2))
    bends = augment.draw_bends(jax.random.key(1), COUNT, 0.6)
    rows = {"(as it is)": images, "warp": augment.warp(images, maps, bends)}
    for number, (name, distort) in enumerate(augment.DISTORTIONS.items()):
        rows[name] = jax.jit(distort)(jax.random.key(number), images)
    targets = np.eye(10, dtype=np.float32)[dataset.labels]
    pictures, _ = outliers.draw(0, dataset.images, targets, 5 * COUNT, letters=True)
    rows["(two halves)"] = pictures[:COUNT, ..., 0] / 255
    rows["(no halves)"] = pictures[-COUNT:, ..., 0] / 255
    plots.augmentation_sheet(
        {name: np.asarray(row) for name, row in rows.items()}, ROOT / "tests" / "figures" / "augmentation.png"
    )


if __name__ == "__main__":
    main()
